"""Changes become events: each is weighed against every subscription to its type, and numbered where it concerns one.

The commit that made a change left it here; one hand at a time takes them in their order, so a subscription's numbers
have no gaps and follow each resource's versions. Only what the subscriber may see gets a number, and it is weighed as
the subscriber would see it: filters tell nobody what is withheld. (docs/decisions/subscription-events.md)
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from service.fhir.json import decode_object
from service.fhir.row import Row
from service.fhir.search.holds import Held, held
from service.fhir.search.query import Condition
from service.fhir.subscriptions.topics import Topic, concerns, topics, understood
from service.flows.context import Context
from service.flows.subscriptions.sight import Key, sight
from service.store import partners, subscriptions
from service.store.subscriptions import LOCK, Change, Event, Subscription
from service.store.unit import Unit

BATCH = 200


async def number(context: Context) -> int:
    """Weigh what is waiting, in one commit for each batch; returns how many events there were."""
    found = 0
    async with context.database.reading() as connection:
        waiting = await subscriptions.waiting(connection)
    while waiting:
        async with context.database.unit(LOCK) as unit:
            taken = await subscriptions.changes(unit, BATCH)
            events = await _events(context, unit, taken)
            await subscriptions.number(unit, events)
            await subscriptions.weighed(unit, taken)
        found += len(events)
        waiting = len(taken) == BATCH
    return found


@dataclass(slots=True)
class _Listener:
    """One subscription while its next numbers are given."""

    subscription: Subscription
    topic: Topic
    filters: Sequence[Condition]
    counter: int
    base: str
    events: list[Event] = field(default_factory=list)

    def weigh(self, change: Change, before: Held | None, after: Held | None) -> None:
        word = concerns(self.topic, self.filters, before, after, self.base)
        if word is None:
            return
        self.counter += 1
        live = change.version - change.deleted
        self.events.append(
            Event(self.subscription.id, self.counter, change.at, word, change.type, change.id, live)
        )


async def _events(context: Context, unit: Unit, changes: Sequence[Change]) -> list[Event]:
    types = sorted({change.type for change in changes})
    listening: dict[str, list[_Listener]] = {}
    for one in await subscriptions.listening(unit, types) if types else []:
        topic = topics().get(one.topic)
        if topic is not None:
            filters = understood(topic, one.filters, context.clock(), context.base)
            listener = _Listener(one, topic, filters, one.counter, context.base)
            listening.setdefault(one.partner, []).append(listener)
    for partner_id, listeners in listening.items():
        partner = await partners.find(unit, partner_id)
        theirs = {listener.topic.type for listener in listeners}
        mine = [change for change in changes if change.type in theirs]
        seen = await sight(context, unit, partner, [key for change in mine for key in _keys(change)])
        _weigh(context, listeners, mine, seen.rows)
    return [event for each in listening.values() for listener in each for event in listener.events]


def _keys(change: Change) -> list[Key]:
    """The version and the one before it; of a deletion, what was there."""
    versions = [change.version - 1, change.version]
    return [(change.type, change.id, each) for each in versions if each > 0]


def _weigh(
    context: Context, listeners: Sequence[_Listener], changes: Sequence[Change], rows: Mapping[Key, Row]
) -> None:
    for change in changes:
        before = _held(context, rows.get((change.type, change.id, change.version - 1)))
        after = _held(context, rows.get((change.type, change.id, change.version)))
        if after is None and not change.deleted:
            continue
        for listener in listeners:
            if listener.topic.type == change.type:
                listener.weigh(change, before, after)


def _held(context: Context, row: Row | None) -> Held | None:
    if row is None or row.body is None:
        return None
    return held(decode_object(row.body), row.id, row.updated, context.base)
