"""A subscriber is told: a handshake, its next events in order, or that we are still here.

One notification of a subscription is under way at a time, so its events arrive in order; what is not taken is sent
again until it is, and only when tries are spent does the subscription stand in error, from which its client wakes it.
Consent is asked at each try: what may not be seen any more goes out as its number and its time.
"""

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, get_args
from urllib.parse import urlsplit

from service.consent.security import labelled_bundle
from service.delivery import breaker, plan
from service.delivery import webhook as rules
from service.delivery.outcome import Answer, Fault
from service.delivery.retry import retry_after
from service.fhir.json import JsonObject, decode_object, encode
from service.fhir.subscriptions.asked import Content
from service.fhir.subscriptions.notice import Happened, Kind, Said, Word, notification
from service.fhir.xml import NotXml, to_xml
from service.flows.accept_subscription import headers_of
from service.flows.audit.disclosed import notified
from service.flows.context import Context
from service.flows.keep import lock_names
from service.flows.partner_reach import remember_reach
from service.flows.subscriptions.number import number
from service.flows.subscriptions.sight import Sight, sight
from service.flows.writing import version_of
from service.kernel.clock import instant
from service.kernel.events import log
from service.kernel.ids import derived_id, new_id
from service.remote.door import Failed, Received
from service.remote.outside import Outside
from service.store import partners, reach, resources, subscriptions
from service.store.partners import Partner
from service.store.reach import Watched
from service.store.subscriptions import Event, Subscription

LEASE = timedelta(seconds=60)
LONGEST = 45.0
"""Seconds that one notification may take, whatever timeout is asked for: it ends before its lease does."""
MOST = 100
_WORDS: tuple[Word, ...] = get_args(Word)
_CONTENTS: tuple[Content, ...] = get_args(Content)


@dataclass(frozen=True, slots=True)
class _Notice:
    """A notification ready to go: `last` is the highest event number in it, 0 for none."""

    kind: Kind
    bundle: JsonObject
    last: int
    sight: Sight


@dataclass(frozen=True, slots=True)
class Subscriber:
    """A leased subscription; `partner` is whom the work concerns. `watched`: it fails, or is paced."""

    subscription: Subscription
    watched: bool = False

    @property
    def partner(self) -> str:
        """The partner's client_id."""
        return self.subscription.partner


async def take_subscribers(context: Context, worker: int, free: int, busy: Sequence[str]) -> list[Subscriber]:
    """Number what happened, then lease up to `free` subscriptions that have something to be told.

    The terms agreed with a partner hold for notifications as for deliveries: quiet hours, rate, how many at once; and
    its breaker, for those that go to its FHIR server's own address.
    """
    await number(context)
    now = context.clock()
    async with context.database.reading() as connection:
        if not await subscriptions.news(connection, now):
            return []
    async with context.database.unit() as unit:
        watched = {each.partner: each for each in await reach.watched(unit)}
        rations = {name: _ration(each, now) for name, each in watched.items()}
        token = f"{worker}:{new_id()}"
        found = await subscriptions.lease(unit, now, now + LEASE, token, free, busy, rations)
        for name, each in watched.items():
            told = [one for one in found if one.partner == name]
            begun = plan.taken if any(_at_home(one.endpoint, each.base) for one in told) else plan.counted
            if told:
                await reach.keep(unit, name, begun(each.reach, each.terms, len(told), now))
    return [Subscriber(each, each.partner in watched) for each in found]


def _ration(partner: Watched, now: datetime) -> subscriptions.Ration:
    """While its breaker is open nothing goes to its own address; then one notification may ask whether it is back."""
    most = plan.left(partner.reach, partner.terms, now)
    _, admitted = breaker.admit(partner.reach.breaker, now)
    if partner.reach.breaker.state == "closed":
        return subscriptions.Ration(most)
    return (
        subscriptions.Ration(min(most, 1)) if admitted else subscriptions.Ration(most, _origin(partner.base))
    )


def _origin(url: str) -> str:
    parts = urlsplit(url.lower())
    return f"{parts.scheme}://{parts.netloc}/" if parts.netloc else ""


def _at_home(endpoint: str, base: str) -> bool:
    """Does an answer there tell how the partner's FHIR server does?"""
    return bool(_origin(base)) and _origin(endpoint) == _origin(base)


async def notify(context: Context, outside: Outside, subscriber: Subscriber) -> str:
    """Tell it what is next; returns what came of it: told, later, error, off or lost."""
    one, now = subscriber.subscription, context.clock()
    async with context.database.reading() as connection:
        partner = await partners.find(connection, one.partner)
    if partner.disabled_at is not None:
        return await stand(context, one, "off", "the partner is disabled")
    if one.until is not None and one.until <= now:
        return await stand(context, one, "off", "its end has come")
    notice = await _notice(context, partner, one, now)
    request_id, attempt = new_id(), one.attempts + 1
    result, took = await _send(context, outside, one, notice, request_id)
    outcome = rules.judge(result, attempt, random.random())  # noqa: S311 - spreads a wait
    word = await _settle(context, one, notice, outcome, attempt)
    if _at_home(one.endpoint, partner.fhir_base or "") and not _rendered_nothing(result, took):
        async with context.database.unit() as unit:
            await remember_reach(context, unit, partner, result, context.clock(), watched=subscriber.watched)
    await _testify(context, partner, one, notice, result, request_id)
    status = result.status if isinstance(result, Answer) else None
    log(
        "subscriber-told", subscription=one.id, partner=one.partner, kind=notice.kind, number=notice.last,
        attempt=attempt, outcome=word, status=status, ms=took, request=request_id,
    )  # fmt: skip
    return word


# what is told


def said(context: Context, one: Subscription, status: str = "") -> Said:
    """A subscription as its status tells it."""
    content = next(each for each in _CONTENTS if each == one.content)
    standing = status or one.status
    why = one.why if standing == "error" else ""
    return Said(context.base, one.id, one.topic, standing, content, one.counter, why)


async def _notice(context: Context, partner: Partner, one: Subscription, now: datetime) -> _Notice:
    if one.status == "requested":
        bundle = notification(
            said(context, one), "handshake", (), now, derived_id(one.id, "handshake", instant(now))
        )
        return _Notice("handshake", bundle, 0, Sight({}, {}, {}))
    async with context.database.reading() as connection:
        limit = min(one.max_count, MOST)
        found = await subscriptions.events(connection, one.id, one.sent + 1, one.counter, limit)
        happened, seen = await as_seen(context, connection, partner, found)
    if not found:
        bundle = notification(
            said(context, one), "heartbeat", (), now, derived_id(one.id, "heartbeat", instant(now))
        )
        return _Notice(
            "heartbeat", bundle, one.counter, seen
        )  # events too old to be kept are a gap the client sees
    numbers = derived_id(one.id, str(found[0].number), str(found[-1].number))
    bundle = notification(said(context, one), "event-notification", happened, now, numbers)
    return _Notice("event-notification", labelled_bundle(bundle), found[-1].number, seen)


async def as_seen(
    context: Context, connection: Any, partner: Partner, found: Sequence[Event]
) -> tuple[list[Happened], Sight]:
    """Events as the subscriber may see them at this moment."""
    wanted = [(each.type, each.resource, each.version) for each in found]
    seen = await sight(context, connection, partner, wanted)
    return [_happened(each, seen.rows) for each in found], seen


def _happened(event: Event, rows: Mapping[Any, Any]) -> Happened:
    word = next(each for each in _WORDS if each == event.word)
    shown = rows.get((event.type, event.resource, event.version))
    return Happened(event.number, event.at, word, f"{event.type}/{event.resource}", shown)


# how it is told


async def _send(
    context: Context, outside: Outside, one: Subscription, notice: _Notice, request_id: str
) -> tuple[Answer | Fault, int]:
    form = one.mime.partition(";")[0].strip().lower()
    try:
        body = to_xml(notice.bundle) if form.endswith("xml") else encode(notice.bundle)
    except NotXml:  # characters that XML does not have: tried again until its client asks for JSON
        return "protocol", 0
    seconds = min(one.timeout or context.settings.delivery_timeout_seconds, LONGEST)
    if one.channel == "email":
        return await outside.post.send(one.endpoint, notice.kind, said(context, one).url, form, body, seconds)
    headers = [*headers_of(context, one), ("Content-Type", one.mime), ("X-Request-Id", request_id)]
    received = await outside.door.ask("POST", one.endpoint, headers, body, cap=65_536, seconds=seconds)
    if isinstance(received, Failed):
        return received.fault, received.milliseconds
    return _answer(received, context.clock()), received.milliseconds


def _rendered_nothing(result: Answer | Fault, took: int) -> bool:
    """Nothing was sent: what is to be told cannot be said in the form asked for."""
    return result == "protocol" and took == 0


def _answer(received: Received, now: datetime) -> Answer:
    return Answer(received.status, retry_after(received.headers.get("retry-after"), now))


# what came of it


async def _settle(
    context: Context,
    one: Subscription,
    notice: _Notice,
    outcome: rules.Taken | rules.Later | rules.Stopped,
    attempt: int,
) -> str:
    now = context.clock()
    if notice.kind == "handshake":
        why = "" if isinstance(outcome, rules.Taken) else f"the handshake failed: {outcome.why}"
        return await stand(context, one, "error" if why else "active", why)
    if isinstance(outcome, rules.Stopped):
        return await stand(context, one, "error", outcome.why)
    async with context.database.unit() as unit:
        if isinstance(outcome, rules.Taken):
            up_to = max(one.sent, notice.last)
            return "told" if await subscriptions.told(unit, one, up_to, now) else "lost"
        due = now + outcome.delay
        return "later" if await subscriptions.failed(unit, one, attempt, due, outcome.why) else "lost"


async def stand(context: Context, one: Subscription, status: str, why: str) -> str:
    """A new status by the server: a new version of the resource, with its reason, in the same commit."""
    now = context.clock()
    key = ("Subscription", one.id)
    async with context.database.unit(*lock_names([key])) as unit:
        row = (await resources.lock(unit, [key])).get(key)
        if row is None or row.deleted or not await subscriptions.stands(unit, one, status, why, now):
            return "lost"
        before = decode_object(row.body or b"{}")
        after = {name: value for name, value in before.items() if name != "error"} | {"status": status}
        if why:
            after["error"] = why
        unit.put(version_of(context, after, one.id, row, row.author, now))
    return status if status in ("error", "off") else "told"


async def _testify(
    context: Context,
    partner: Partner,
    one: Subscription,
    notice: _Notice,
    result: Answer | Fault,
    request_id: str,
) -> None:
    """What became known about clients is on the audit trail; an empty notification tells nothing about anybody."""
    if one.content == "empty" or not (notice.sight.rows or notice.sight.withheld):
        return
    now, resource = context.clock(), f"Subscription/{one.id}"
    seen = notice.sight
    told = [(row, seen.grounds[row.reference]) for row in seen.rows.values() if row.reference in seen.grounds]
    withheld = list(seen.withheld.values())
    await context.database.record(notified(now, partner, resource, told, withheld, result, request_id))
