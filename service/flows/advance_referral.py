"""A referral's Task has a new version: is the move legal, what does it mean, who must hear of it?

Called inside the transaction of whoever writes the Task (a partner's PUT, a partner's Task read by polling, the
case manager's answer), so that the new version, the loop, the event and the outbox row commit together.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast

from service.fhir.json import JsonObject, decode_object, encode
from service.fhir.outcome import Issue
from service.fhir.row import Row
from service.flows import abort_task
from service.flows.context import Context
from service.flows.fixed import expect_fixed
from service.flows.writing import version_of
from service.kernel.clock import instant
from service.kernel.failures import Refused
from service.kernel.ids import new_id
from service.referral import lifecycle
from service.referral import loop as referral
from service.referral.dialects import Dialect
from service.store import loops, partners, records, resources
from service.store.loops import Loop
from service.store.partners import Partner
from service.store.unit import Outgoing, Shared, Told, Unit

PERFORMERS = ("status", "statusReason", "businessStatus", "output", "note", "lastModified", "executionPeriod")
"""What the performer says in a Task; the rest is the requester's (SDOHCC, COW: a request belongs to its maker)."""


@dataclass(frozen=True, slots=True)
class Side:
    """The partner across from the casework system in a loop."""

    client_id: str
    name: str
    dialect: Dialect


def side_of(partner: Partner) -> Side:
    """A partner as the other side of a loop; its dialect is one of the database's CHECK constraint."""
    return Side(partner.client_id, partner.name, cast("Dialect", partner.dialect))


def task_of(row: Row) -> JsonObject:
    """The Task of a live row."""
    return decode_object(row.body or b"")


def check_move(dialect: Dialect, before: JsonObject, after: JsonObject, by: lifecycle.Party) -> None:
    """Refused("unprocessable"), listing the legal moves, when `by` may not make this change."""
    legal(referral.judge(dialect, before, after, by))


def legal(verdict: lifecycle.Move | lifecycle.Illegal) -> lifecycle.Move:
    """The move; Refused("unprocessable") when it is none."""
    if isinstance(verdict, lifecycle.Illegal):
        issue = Issue("error", "business-rule", verdict.text, "Task.status", "referral-move")
        raise Refused("unprocessable", verdict.text, [issue])
    return verdict


def our_part(loop: Loop) -> lifecycle.Party:
    """On which side of the loop the case-management system stands."""
    return "requester" if loop.direction == "outbound" else "target"


def check_fixed(shown: JsonObject, after: JsonObject) -> None:
    """Refused("unprocessable") naming the element, when a performer changes what belongs to the requester.

    `shown` is the Task as the performer was shown it. An open Task (without owner) may be claimed.
    """
    claimed = () if "owner" in shown else ("owner",)
    whose = "belongs to the requester; the performer of the referral may not change it"
    expect_fixed(shown, after, (*PERFORMERS, *claimed), whose)


def performed(task: JsonObject, said: JsonObject) -> JsonObject:
    """The requester's Task with the performer's elements as `said` has them."""
    claimed = {"owner": said["owner"]} if "owner" in said and "owner" not in task else {}
    kept = {name: value for name, value in task.items() if name not in PERFORMERS}
    return {**kept, **claimed, **{name: said[name] for name in PERFORMERS if name in said}}


async def open_inbound(
    unit: Unit, task: JsonObject, row: Row, source: str, side: Side, now: datetime, not_carried: list[str]
) -> None:
    """A partner asks the casework system for something: a loop opens, the case manager hears of it.

    `not_carried` names what the referral's record has no place for and its resources keep.
    """
    focus = task.get("focus", {}).get("reference") if isinstance(task.get("focus"), dict) else None
    opened = Loop(
        id=row.id, direction="inbound", source=source, record=row.id, partner=side.client_id,
        patient=row.patient or "", request=focus, status=str(task["status"]), closed=False, remote_task=None,
        remote_seen=None, next_poll=None, opened=now, updated=now,
    )  # fmt: skip
    await loops.open_loop(unit, opened)
    events = referral.event_for(None, task, "inbound", side.dialect)
    await tell(unit, opened, side, events, now, not_carried)


async def advance_referral(
    context: Context,
    unit: Unit,
    loop: Loop,
    side: Side,
    before: JsonObject,
    after: JsonObject,
    now: datetime,
    *,
    inform_partner: bool,
) -> None:
    """Tell the events of the change, move the loop, do the requester's duty, and queue news for the partner.

    The legality of the move is the caller's to check; the new Task version is the caller's to put.
    """
    state = referral.state(after)
    await loops.moved(unit, loop.id, state.status, state.terminal, now)
    await tell(unit, loop, side, referral.event_for(before, after, loop.direction, side.dialect), now)
    if state.terminal:
        await abort_task.end(context, unit, loop, state.status, now)
    for duty in referral.duties(before, after, loop.direction):
        await _close_request(context, unit, duty, now)
    if inform_partner and (await partners.find(unit, side.client_id)).pushed_to:
        unit.send(Outgoing(new_id(), side.client_id, loop.id, "status", news(loop), now))


def news(loop: Loop) -> list[str]:
    """What is brought up to date at the partner: our request belongs to our Task, theirs is theirs."""
    asked = [loop.request] if loop.direction == "outbound" and loop.request else []
    return [*asked, f"Task/{loop.id}"]


async def _close_request(context: Context, unit: Unit, duty: referral.CloseRequest, now: datetime) -> None:
    type_, _, id_ = duty.request.rpartition("/")
    if unit.collects(type_, id_):
        return  # whoever moved the Task has said what becomes of the request
    held = await resources.lock(unit, [("ServiceRequest", id_)]) if type_ == "ServiceRequest" else {}
    before = held.get(("ServiceRequest", id_))
    if before is None or before.deleted:
        return
    request = decode_object(before.body or b"")
    if request.get("status") not in (duty.status, "completed", "revoked", "entered-in-error"):
        unit.put(version_of(context, {**request, "status": duty.status}, id_, before, before.author, now))


async def tell(
    unit: Unit, loop: Loop, side: Side, events: tuple[referral.Event, ...], now: datetime,
    not_carried: list[str] | None = None,
) -> None:  # fmt: skip
    """The case-management system hears of these, in this order."""
    client = await records.becoming(unit, loop.source, loop.patient) if loop.patient else None
    for event in events:
        unit.tell(
            Told(
                loop.source,
                event.kind,
                now,
                encode(_body(loop, side, event, now, client.id if client else None, not_carried)),
            )
        )


def _body(
    loop: Loop,
    side: Side,
    event: referral.Event,
    now: datetime,
    client: str | None,
    not_carried: list[str] | None,
) -> JsonObject:
    body: JsonObject = {
        "kind": event.kind,
        "at": instant(now),
        "referral": loop.record,
        "direction": loop.direction,
        "partner": side.name,
        "status": event.status,
    }
    optional: dict[str, Any] = {
        "client": client,
        "businessStatus": event.business_text or event.business_status,
        "reason": event.reason,
        "outputs": [
            {key: text for key in ("kind", "reference", "code", "text") if (text := getattr(output, key))}
            for output in event.outputs
        ],
        "inferred": event.inferred or None,
        "notCarried": not_carried,
    }
    return {**body, **{key: value for key, value in optional.items() if value}}


def share_all(unit: Unit, party: str, loop: str, references: list[str], now: datetime) -> None:
    """Make these resources known to a partner; whether it may see them is asked at each read."""
    for reference in references:
        type_, _, id_ = reference.partition("/")
        unit.share(Shared(party, type_, id_, loop, now))
