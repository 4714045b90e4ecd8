"""The referral loop around a Task: who is on which side, what a change means, and what is owed next.

R4 workflow patterns (https://hl7.org/fhir/R4/workflow-management.html), SDOHCC referral workflow: the Task
tells the performer's progress, the ServiceRequest stays the requester's.
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Literal

from service.fhir.json import JsonObject
from service.referral.dialects import BUSINESS, CANCELLATION_ASKED, MEANS, Action, Dialect
from service.referral.lifecycle import START, Illegal, Move, Party, State, check, path

Direction = Literal["inbound", "outbound", "internal"]
"""Seen from us: they asked us, we asked them, or both sides are ours."""

EventKind = Literal[
    "referral-received", "referral-sent", "referral-acknowledged", "referral-accepted", "referral-rejected",
    "referral-in-progress", "referral-scheduled", "referral-no-show", "referral-appointment-cancelled",
    "referral-note", "referral-on-hold", "referral-completed", "referral-cancelled",
    "referral-cancellation-requested", "referral-cancellation-refused", "referral-failed",
    "referral-withdrawn", "referral-updated",
]  # fmt: skip

EVENT: Mapping[Action, EventKind] = MappingProxyType(
    {
        "receive": "referral-acknowledged",
        "accept": "referral-accepted",
        "reject": "referral-rejected",
        "start": "referral-in-progress",
        "hold": "referral-on-hold",
        "schedule": "referral-scheduled",
        "no-show": "referral-no-show",
        "cancel-appointment": "referral-appointment-cancelled",
        "note": "referral-note",
        "complete": "referral-completed",
        "fail": "referral-failed",
        "cancel": "referral-cancelled",
        "request-cancellation": "referral-cancellation-requested",
        "withdraw-in-error": "referral-withdrawn",
        "update": "referral-updated",
    }
)
"""What a move is called in casework events; drafting is nobody's news, sending depends on the direction."""

STATUS_EVENT: Mapping[str, EventKind] = MappingProxyType(
    {
        "received": "referral-acknowledged",
        "accepted": "referral-accepted",
        "rejected": "referral-rejected",
        "in-progress": "referral-in-progress",
        "on-hold": "referral-on-hold",
        "completed": "referral-completed",
        "cancelled": "referral-cancelled",
        "failed": "referral-failed",
        "entered-in-error": "referral-withdrawn",
    }
)
"""For a change no legal chain explains: the fact is told all the same."""

REQUEST_STATUS: Mapping[str, str] = MappingProxyType(
    {
        "completed": "completed",
        "rejected": "revoked",
        "cancelled": "revoked",
        "failed": "revoked",
        "entered-in-error": "entered-in-error",
    }
)
"""The ServiceRequest.status that the requester owes once the Task is terminal."""


@dataclass(frozen=True, slots=True)
class Sides:
    """The references of Task.requester and Task.owner; `target` is "" for an open Task nobody has claimed."""

    requester: str
    target: str


@dataclass(frozen=True, slots=True)
class Output:
    """One Task.output: its type code, and a reference, a code or a short text as the performer gave it."""

    kind: str
    reference: str = ""
    code: str = ""
    text: str = ""


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that happened, for the case-management system. `inferred`: unseen, but it must have been."""

    kind: EventKind
    status: str
    business_status: str = ""
    business_text: str = ""
    reason: str = ""
    outputs: tuple[Output, ...] = ()
    inferred: bool = False


@dataclass(frozen=True, slots=True)
class CloseRequest:
    """The requester owes this ServiceRequest its final status."""

    request: str
    status: str


def sides(task: JsonObject) -> Sides:
    """Who asks and who is asked, as the Task's own references (an identifier is `system|value`)."""
    return Sides(_reference(task.get("requester")), _reference(task.get("owner")))


def party(task: JsonObject, names: Collection[str]) -> Party | None:
    """The side on which the organisation known by these references stands; None if it has no part in it."""
    both = sides(task)
    asks, is_asked = both.requester in names, both.target in names
    if asks and is_asked:
        return "both"
    return "requester" if asks else "target" if is_asked else None


def direction(task: JsonObject, ours: Collection[str]) -> Direction | None:
    """Seen from the organisation with these references; None for a Task between strangers."""
    side = party(task, ours)
    directions: dict[Party, Direction] = {"requester": "outbound", "target": "inbound", "both": "internal"}
    return None if side is None else directions[side]


def claimable(task: JsonObject) -> bool:
    """An open Task: requested, nobody's, to be taken by exactly one agency (SDOHCC Task.owner 0..1)."""
    return task.get("status") == "requested" and not sides(task).target


def state(task: JsonObject | None) -> State:
    """The Task's place in its lifecycle (without the time: callers that know lastModified set `at`)."""
    if task is None:
        return START
    return State(str(task.get("status", "")), _code(task.get("businessStatus")))


def standing(task: JsonObject, dialect: Dialect, state: State) -> JsonObject:
    """The Task in this state, its business status said as the dialect says it."""
    other = {name: value for name, value in task.items() if name not in ("status", "businessStatus")}
    said = {**other, "status": state.status}
    if not state.business:
        return said
    coding = {"code": state.business, "display": MEANS.get(dialect, {}).get(state.business)}
    if dialect in BUSINESS:
        coding = {"system": BUSINESS[dialect], **coding}
    return {**said, "businessStatus": {"coding": [{name: each for name, each in coding.items() if each}]}}


def unclaimed(task: JsonObject) -> JsonObject:
    """The Task without the profiles it claims."""
    meta = {name: value for name, value in task.get("meta", {}).items() if name != "profile"}
    other = {name: value for name, value in task.items() if name != "meta"}
    return {**other, "meta": meta} if meta else other


def reason(task: JsonObject) -> str:
    """Task.statusReason as text."""
    return _text(task.get("statusReason"))


def outputs(task: JsonObject | None) -> tuple[Output, ...]:
    """What the performer has reported so far."""
    rows = task.get("output") if task else None
    return tuple(_output(row) for row in rows if isinstance(row, dict)) if isinstance(rows, list) else ()


def event_for(
    before: JsonObject | None, after: JsonObject, direction: Direction, dialect: Dialect = "sdohcc"
) -> tuple[Event, ...]:
    """The events, in order, that explain how `before` (None: unknown to us) became `after`.

    Steps nobody saw (requested, then at once completed) are told as inferred. Reason, business status and new
    outputs belong to the last event. Nothing changed, nothing told.
    """
    known = set(outputs(before))
    new = tuple(output for output in outputs(after) if output not in known)
    steps = path(dialect, state(before), state(after), "both")
    if steps is None:
        kinds = [STATUS_EVENT.get(state(after).status, "referral-updated")]
        told = [Event(kinds[0], state(after).status)]
    else:
        told = [event for step in steps for event in _events(step, direction)]
    if not told and new:
        told = [Event("referral-updated", state(after).status)]
    if not told:
        return ()
    return (*(replace(event, inferred=True) for event in told[:-1]), _detailed(told[-1], after, dialect, new))


def duties(before: JsonObject | None, after: JsonObject, direction: Direction) -> tuple[CloseRequest, ...]:
    """What follows on our side: as requester of a Task that has just become terminal, close its request."""
    ended = state(after).terminal and not state(before).terminal
    request = _reference(after.get("focus"))
    if not ended or direction == "inbound" or not request:
        return ()
    return (CloseRequest(request, REQUEST_STATUS[state(after).status]),)


def judge(dialect: Dialect, before: JsonObject | None, after: JsonObject, by: Party) -> Move | Illegal:
    """`lifecycle.check` on two Tasks."""
    return check(dialect, state(before), state(after), by, reason(after))


def _events(step: Move, direction: Direction) -> Iterator[Event]:
    """What a step is called. Completed although it was to be cancelled: that was refused."""
    state = step.after.status, step.after.business
    if step.action == "complete" and step.before.business == CANCELLATION_ASKED:
        yield Event("referral-cancellation-refused", *state)
    if step.action == "send":
        yield Event("referral-sent" if direction == "outbound" else "referral-received", *state)
    elif step.action != "draft":
        yield Event(EVENT[step.action], *state)


def _detailed(event: Event, task: JsonObject, dialect: Dialect, new: tuple[Output, ...]) -> Event:
    code = state(task).business or event.business_status
    text = _text(task.get("businessStatus")) or MEANS.get(dialect, {}).get(code, "")
    return replace(event, business_status=code, business_text=text, reason=reason(task), outputs=new)


def _output(row: JsonObject) -> Output:
    concept = row.get("valueCodeableConcept")
    text = next((str(row[key]) for key in ("valueString", "valueMarkdown", "valueUrl") if key in row), "")
    return Output(
        kind=_code(row.get("type")) or _text(row.get("type")),
        reference=_reference(row.get("valueReference")),
        code=_code(concept),
        text=text or _text(concept),
    )


def _reference(value: object) -> str:
    if not isinstance(value, dict):
        return ""
    if isinstance(value.get("reference"), str):
        return str(value["reference"])
    identifier = value.get("identifier")
    if isinstance(identifier, dict) and identifier.get("value"):
        return f"{identifier.get('system', '')}|{identifier['value']}"
    return ""


def _codings(concept: object) -> list[JsonObject]:
    codings = concept.get("coding") if isinstance(concept, dict) else None
    return [coding for coding in codings if isinstance(coding, dict)] if isinstance(codings, list) else []


def _code(concept: object) -> str:
    return next((str(coding["code"]) for coding in _codings(concept) if coding.get("code")), "")


def _text(concept: object) -> str:
    if isinstance(concept, dict) and concept.get("text"):
        return str(concept["text"])
    return next((str(coding["display"]) for coding in _codings(concept) if coding.get("display")), "")
