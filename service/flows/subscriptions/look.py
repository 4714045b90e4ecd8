"""How a subscription is, and what happened for it: $status and $events, for whoever made it.

https://hl7.org/fhir/uv/subscriptions-backport/STU1.1/OperationDefinition-backport-subscription-status.html and -events.
What is committed is counted: changes that wait for their numbers get them first.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from service.consent.security import labelled_bundle
from service.fhir.json import JsonObject
from service.fhir.subscriptions.asked import CONTENTS
from service.fhir.subscriptions.notice import notification
from service.fhir.subscriptions.notice import status as status_of
from service.flows.caller import Caller
from service.flows.context import Context
from service.flows.keep import absent
from service.flows.subscriptions.notify import as_seen, said
from service.flows.subscriptions.number import number
from service.kernel.failures import Refused
from service.kernel.ids import derived_id, new_id
from service.store import partners, subscriptions
from service.store.subscriptions import Subscription
from service.store.trail import current

MOST = 500
"""Events in one answer; the next call goes on behind the last."""
_LAST = 2**62


@dataclass(frozen=True, slots=True)
class Span:
    """Event numbers, both included; `content` as the client would like it, empty for the subscription's own."""

    first: int | None = None
    last: int | None = None
    content: str = ""


async def status(
    context: Context, caller: Caller, id_: str | None, ids: Sequence[str] = (), statuses: Sequence[str] = ()
) -> JsonObject:
    """A searchset of SubscriptionStatus: of one, or of all the caller's that meet `ids` and `statuses`."""
    caller.require("Subscription", "r")
    await number(context)
    async with context.database.reading() as connection:
        if id_ is not None:
            found = [await _own(connection, caller, id_)]
        else:
            mine = await subscriptions.of_partner(connection, caller.client_id)
            found = [
                each
                for each in mine
                if (not ids or each.id in ids) and (not statuses or each.status in statuses)
            ]
    entries = [_entry(context, each) for each in found]
    whole: JsonObject = {"resourceType": "Bundle", "id": new_id(), "type": "searchset", "total": len(entries)}
    return whole | ({"entry": entries} if entries else {})


def _entry(context: Context, one: Subscription) -> JsonObject:
    id_ = derived_id(one.id, "status")
    parameters = status_of(said(context, one), "query-status", (), id_)
    return {"fullUrl": f"urn:uuid:{id_}", "resource": parameters, "search": {"mode": "match"}}


async def events(context: Context, caller: Caller, id_: str, span: Span) -> JsonObject:
    """A history Bundle with the events of the span, as they may be seen now; at most MOST of them."""
    caller.require("Subscription", "r")
    if span.content and span.content not in CONTENTS:
        raise Refused("malformed", f"content is one of {', '.join(CONTENTS)}")
    await number(context)
    async with context.database.reading() as connection:
        one = await _own(connection, caller, id_)
        one = replace(one, content=span.content or one.content)
        first, last = span.first or 1, _LAST if span.last is None else span.last
        found = await subscriptions.events(connection, one.id, first, last, MOST)
        partner = await partners.find(connection, one.partner)
        happened, seen = await as_seen(context, connection, partner, found)
    if one.content != "empty":
        trail = current()
        trail.show(seen.rows.values())
        for row in seen.rows.values():
            if row.reference in seen.grounds:
                trail.permitted(row, seen.grounds[row.reference])
    told = notification(said(context, one), "query-event", happened, context.clock(), new_id())
    return labelled_bundle(told)


async def _own(connection: Any, caller: Caller, id_: str) -> Subscription:
    found = (await subscriptions.known(connection, [id_])).get(id_)
    if found is None or not (caller.custodian or found.partner == caller.client_id):
        raise absent("Subscription", id_)
    return found
