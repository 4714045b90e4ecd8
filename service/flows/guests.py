"""An agency without any FHIR sees, answers and completes a referral on a page of ours.

The case manager asks for a one-time link and hands it over. What the page shows is what consent lets this agency see
at that moment, as if it read the resources itself; what it answers is its own move in the loop.
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from service.consent.security import notices
from service.fhir.json import JsonObject, decode_object
from service.fhir.outcome import Issue
from service.fhir.row import Row
from service.flows.access.scopes import parse_all
from service.flows.advance_referral import side_of
from service.flows.audit.witness import act
from service.flows.caller import Caller
from service.flows.context import Context
from service.flows.issue_token import new_token
from service.flows.keep import Wish, keep, lock_names
from service.flows.permit import visible
from service.kernel.clock import instant
from service.kernel.failures import Refused
from service.kernel.ids import ClientId
from service.referral import lifecycle
from service.referral import loop as referral
from service.store import guests, loops, partners, resources, tokens
from service.store.loops import Loop
from service.store.partners import Partner
from service.store.trail import current

LINK: Final = timedelta(days=7)
VISIT: Final = timedelta(hours=8)
LONGEST: Final = 2000
_SCOPES: Final = ("system/Task.ru", "system/ServiceRequest.r", "system/Patient.r")
_WORDS: Final = {"accepted": "Accept", "rejected": "Decline", "in-progress": "Begin", "on-hold": "Put on hold",
                 "completed": "Complete", "cancelled": "Cancel", "failed": "Give up"}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Link:
    """A link to hand over: its token, and until when it opens."""

    token: str = field(repr=False)
    expires: datetime


@dataclass(frozen=True, slots=True)
class Choice:
    """A move the guest may make now."""

    status: str
    word: str
    needs_reason: bool


@dataclass(frozen=True, slots=True)
class Page:
    """What the guest sees. A resource that consent does not let out is empty."""

    agency: str
    asker: str
    task: JsonObject
    request: JsonObject
    client: JsonObject
    choices: list[Choice]
    version: int
    notice: list[str]
    no_contact: bool = False
    """The client may not be contacted directly (SDOHCC contacting-subject-prohibited)."""


def address(context: Context, link: Link) -> str:
    """The link as it is handed over."""
    return f"{context.base.removesuffix('/fhir')}/r/{link.token}"


async def make_link(context: Context, caller: Caller, record: str, to: str = "") -> Link:
    """A one-time link to a referral that went out to an agency without a FHIR server; earlier links end.

    `to`: the address that it is about to be mailed to, for the audit trail.

    Refused: absent, unprocessable for a partner that has a server of its own, or a referral that has ended.
    """
    caller.require_casework("referrals", "update")
    now = context.clock()
    async with context.database.unit() as unit:
        loop = await loops.find_record(unit, caller.client_id, record)
        if loop is None or loop.direction != "outbound":
            raise Refused("absent", "there is no referral of yours under this id that has been sent")
        partner = await partners.find(unit, loop.partner)
        if partner.fhir_base is not None or loop.closed:
            text = (
                "the referral has ended" if loop.closed else "this agency has a FHIR server; it needs no link"
            )
            raise Refused("unprocessable", text, [Issue("error", "business-rule", text)])
        made = Link(new_token(), now + LINK)
        await guests.invite(unit, made.token, loop.id, made.expires)
        unit.audit(act(context, "administration", "referral-link-made", detail=to, about=[loop.patient]))
    return made


async def for_whom(context: Context, token: str) -> str:
    """The agency a link is for. Looking does not use it up: mail programs look too. Refused("gone")."""
    async with context.database.reading() as connection:
        found = await guests.invited(connection, token, context.clock())
        loop = await loops.find(connection, found) if found else None
        if loop is None:
            raise _over()
        return (await partners.find(connection, loop.partner)).name


async def enter(context: Context, token: str) -> Link:
    """Use a link up; the visit's own token, for a cookie. Refused("gone")."""
    now = context.clock()
    visit = Link(new_token(), now + VISIT)
    async with context.database.unit() as unit:
        found = await guests.enter(unit, token, visit.token, now, visit.expires)
        loop = await loops.find(unit, found) if found else None
        if loop is None:
            raise _over()
        _known(await partners.find(unit, loop.partner), visit.token)
        unit.audit(act(context, "token", "referral-link-opened", about=[loop.patient]))
    return visit


async def show(context: Context, visit: str) -> Page:
    """The referral as this agency may see it now. Refused: unauthenticated when the visit is over."""
    async with context.database.reading() as connection:
        loop, partner, caller = await _visit(context, connection, visit)
        keys = [("Task", loop.id), _key(loop.request or ""), _key(loop.patient)]
        known = await resources.known(connection, [key for key in keys if key[1]], caller.viewer)
        seen = await visible(context, connection, caller, known)
        home = await partners.home(connection)
    current().show(seen)
    found = {row.type: row for row in seen}
    task = _content(found.get("Task"))
    state = referral.state(task) if task else referral.state({"status": loop.status})
    side = side_of(partner)
    moves = lifecycle.moves(side.dialect, state.status, state.business, "target") if task else ()
    choices = {each.after.status: each for each in moves if each.after.status in _WORDS}
    return Page(
        partner.name, home.name if home else "", task, _content(found.get("ServiceRequest")),
        _content(found.get("Patient")),
        [Choice(status, _WORDS[status], move.needs_reason) for status, move in choices.items()
         if status != state.status],
        next((row.version for row in seen if row.reference == f"Task/{loop.id}"), 0),
        notices(_content(row) for row in seen),
        _no_contact(_content(found.get("ServiceRequest"))),
    )  # fmt: skip


async def answer(context: Context, visit: str, said: dict[str, str]) -> None:
    """The guest's move: `status`, `reason`, `note`, `version` as the page had it.

    Refused: unauthenticated, stale when the referral has moved meanwhile, unprocessable with the legal moves.
    """
    if any(len(text) > LONGEST for text in said.values()):
        raise Refused("malformed", f"a text is at most {LONGEST} characters long")
    async with context.database.reading() as connection:
        loop, _, caller = await _visit(context, connection, visit)
    now = context.clock()
    async with context.database.unit(*lock_names([("Task", loop.id)])) as unit:
        held = await resources.lock(unit, [("Task", loop.id)])
        seen = await visible(context, unit, caller, [held["Task", loop.id]])
        if not seen or str(seen[0].version) != said.get("version"):
            raise Refused("stale", "the referral has moved since you opened the page; look again")
        moved = _answered(_content(seen[0]), said, caller, now)
        await keep(context, unit, caller, [Wish(moved, loop.id)], now)


def _answered(task: JsonObject, said: dict[str, str], caller: Caller, now: datetime) -> JsonObject:
    made: JsonObject = {name: value for name, value in task.items() if name != "statusReason"}
    made |= {"status": said.get("status", ""), "lastModified": instant(now)}
    if said.get("reason"):
        made["statusReason"] = {"text": said["reason"]}
    if said.get("note"):
        remark = {
            "authorReference": {"reference": caller.organization},
            "time": instant(now),
            "text": said["note"],
        }
        made["note"] = [*task.get("note", []), remark]
    return made


async def _visit(context: Context, connection: object, visit: str) -> tuple[Loop, Partner, Caller]:
    found = await guests.visiting(connection, visit, context.clock()) if visit else None
    loop = await loops.find(connection, found) if found else None
    partner = await partners.find(connection, loop.partner) if loop else None
    if loop is None or partner is None or partner.disabled_at is not None:
        raise Refused("unauthenticated", "your visit is over; ask for a new link")
    return loop, partner, _known(partner, visit)


def _known(partner: Partner, visit: str) -> Caller:
    """The agency's own eyes, as far as a referral goes; the audit trail says it came by a link."""
    trail = current()
    trail.client, trail.organization, trail.token = (
        partner.client_id,
        partner.organization,
        tokens.mark(visit),
    )
    return Caller(
        ClientId(partner.client_id), partner.name, partner.organization, frozenset(partner.roles), parse_all(_SCOPES)
    )  # fmt: skip


def _content(row: Row | None) -> JsonObject:
    return decode_object(row.body) if row is not None and row.body else {}


def _no_contact(request: JsonObject) -> bool:
    codings = (coding for detail in request.get("orderDetail", []) for coding in detail.get("coding", []))
    return any(coding.get("code") == "contacting-subject-prohibited" for coding in codings)


def _key(reference: str) -> tuple[str, str]:
    type_, _, id_ = reference.partition("/")
    return type_, id_


def _over() -> Refused:
    return Refused(
        "gone", "this link was used already, was replaced by a newer one, or is too old; ask for another"
    )
