"""A closing is filed: providers are told as consent allows, referrals end or go on, an unexpected exit is urgent.

In the commit of the record. Whoever may not be told is not, and the primary case manager gets a Task. What is sent is
asked of the client's consents once more when it leaves (deliver); what came of it is noted by `settled`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from service.casework.records.closing import Closing
from service.casework.records.referral import ReferralAnswer
from service.consent.permit import Deny
from service.fhir.json import JsonObject, decode_object
from service.fhir.outcome import Issue
from service.fhir.references import local
from service.fhir.row import Row
from service.flows.advance_referral import our_part, share_all, side_of, task_of
from service.flows.caller import Caller
from service.flows.closing.ask import answered_by, ask_primary, told_otherwise
from service.flows.context import Context
from service.flows.keep import Wish, keep
from service.flows.permit import PURPOSE, weighed
from service.flows.writing import row_of, version_of
from service.kernel.ids import new_id
from service.mapping import closing as mapping
from service.mapping.answer import answered
from service.mapping.context import MappingContext
from service.referral import lifecycle
from service.referral import loop as referral
from service.store import loops, outbox, partners, resources
from service.store.loops import Loop
from service.store.partners import Partner
from service.store.unit import Outgoing, Unit

_TOLD = ("completed", "in-progress")
"""A notice that went its way: what became of it is not the record's to undo. One that did not is tried again."""


_STANDS = {
    (False, False): "",
    (True, False): "What we asked of you goes on without us.",
    (False, True): "What we asked of you ends with it.",
    (True, True): "Part of what we asked of you goes on, the rest ends with it.",
}
"""Does something that a provider was asked for go on, does something end?"""


@dataclass(frozen=True, slots=True)
class _Case:
    """A closing as it is filed, with what is open of the client."""

    context: Context
    unit: Unit
    caller: Caller
    record: Closing
    mapping: MappingContext
    patient: str
    document: str
    open: list[Loop]
    now: datetime


async def open_loops(connection: Any, made: Sequence[JsonObject]) -> list[Loop]:
    """The referrals of the client of a closing record that are not over."""
    return [each for each in await loops.of_patient(connection, mapping.client_of(made)) if not each.closed]


async def follow_closing(
    context: Context, unit: Unit, caller: Caller, record: Closing, made: Sequence[JsonObject],
    open_: list[Loop], about: MappingContext, now: datetime,
) -> tuple[list[JsonObject], list[Issue]]:  # fmt: skip
    """The record's resources, its notices as they stand by now, and notes for the one who filed it. The loops in
    `open_` are locked."""
    case = _Case(
        context, unit, caller, record, about, mapping.client_of(made), mapping.document_of(made), open_, now
    )
    others = [each for each in made if not mapping.is_notice(each)]
    notices = [each for each in made if mapping.is_notice(each)]
    if record.status != "closed":
        await _take_back(case)
        return [*others, *notices], []
    issues = await _end_referrals(case)
    told = [each for each in notices if each["status"] == "completed"]
    for each in told:
        await told_otherwise(context, unit, caller.client_id, each, now)
    untold = [each for each in notices if each["status"] == "preparation"]
    providers = await _providers(case, notices)
    await _exit(case, done=bool(record.links) if record.unexpected else None)
    sent = []
    for each in [*untold, *(_worded(case, partner) for partner in providers)]:
        notice, note = await _tell(case, each)
        sent.append(notice)
        issues += note
    return [*others, *told, *sent], issues


async def _end_referrals(case: _Case) -> list[Issue]:
    """Withdraw what ends with the case; ask about what neither ends nor goes on."""
    issues = []
    for loop in case.open:
        if loop.record in case.record.ends:
            issues += await _withdraw(case, loop)
        elif loop.record not in case.record.links:
            text = f"the referral {loop.record} is still open: say whether it ends (ends) or goes on (links)"
            issues.append(Issue("warning", "business-rule", text, "/ends", "referral-still-open"))
    return issues


async def _withdraw(case: _Case, loop: Loop) -> list[Issue]:
    side = side_of(await partners.find(case.unit, loop.partner))
    task = task_of((await resources.lock(case.unit, [("Task", loop.id)]))["Task", loop.id])
    move = lifecycle.wished(side.dialect, referral.state(task), "cancelled", our_part(loop))
    if isinstance(move, lifecycle.Illegal):
        text = f"the referral {loop.record} cannot be withdrawn as it stands: {move.text}"
        return [Issue("warning", "business-rule", text, "/ends", "referral-still-open")]
    answer = ReferralAnswer(status="cancelled", reason="case management of this client ends")
    moved = referral.standing(answered(task, answer, case.mapping), side.dialect, move.after)
    await keep(case.context, case.unit, case.caller, [Wish(moved, loop.id)], case.now)
    return []


async def _providers(case: _Case, notices: Sequence[JsonObject]) -> list[Partner]:
    """Partners that work with the client now and that no notice of the record names: with an open referral, or in
    the team."""
    named = {str(each.get("reference")) for notice in notices for each in notice["recipient"]}
    found = [await partners.find(case.unit, loop.partner) for loop in case.open]
    for row in await resources.of_patients(case.unit, [case.patient], ["CareTeam"]):
        for agency in await _agencies(case, row):
            partner = await partners.of_organization(case.unit, agency)
            found += [partner] if partner is not None else []
    unique = {each.client_id: each for each in found if each.client_id != case.caller.client_id}
    return [each for each in unique.values() if each.organization not in named and each.disabled_at is None]


async def _agencies(case: _Case, row: Row) -> list[str]:
    """The agencies of a team's members, but for those whose time in it is over."""
    team = decode_object(row.body or b"{}")
    if team.get("status") not in ("active", "inactive", None):
        return []
    agencies = []
    for each in team.get("participant", []):
        if str(each.get("period", {}).get("end", "9999"))[:10] >= case.now.date().isoformat():
            named = [local(str(each.get(name, {}).get("reference", ""))) for name in ("onBehalfOf", "member")]
            for member in await resources.known(case.unit, [key for key in named if key], None):
                acting = decode_object(member.body or b"{}").get("organization", {}).get("reference", "")
                agencies.append(acting or member.reference)
    return agencies


def _worded(case: _Case, partner: Partner) -> JsonObject:
    """The notice to a provider, with what becomes of what it was asked for."""
    asked = [loop for loop in case.open if loop.partner == partner.client_id and loop.direction == "outbound"]
    ends = [loop for loop in asked if loop.record in case.record.ends]
    goes = [loop for loop in asked if loop.record in case.record.links]
    stands = _STANDS[bool(goes), bool(ends)]
    return mapping.provider_notice(case.record, partner.organization, stands, case.mapping)


async def _tell(case: _Case, notice: JsonObject) -> tuple[JsonObject, list[Issue]]:
    """The notice as it stands, on its way where it may go. Said once: a record filed again sends nothing again."""
    key = ("Communication", str(notice["id"]))
    before = (await resources.lock(case.unit, [key])).get(key)
    held = decode_object(before.body) if before is not None and before.body else {}
    if held.get("status") in _TOLD:
        return held, []  # as it was told
    recipient = str(notice["recipient"][0].get("reference", ""))
    partner = await partners.of_organization(case.unit, recipient)
    if partner is None or partner.disabled_at is not None:
        text = "a provider is no partner here: tell them, and file the notice with told"
        return notice, [Issue("information", "informational", text, "/notices", "recipient-not-a-partner")]
    put = version_of(case.context, notice, key[1], before, case.caller.client_id, case.now)
    verdict = await weighed(case.context, case.unit, partner.organization, [row_of(put)], PURPOSE)
    if isinstance(verdict, Deny):
        task = await ask_primary(
            case.context, case.unit, case.caller.client_id, notice, verdict.text, case.now
        )
        text = f"{partner.name} is not told: {verdict.text}; {task} asks what to do"
        issue = Issue("warning", "business-rule", text, "/notices", "provider-not-told")
        return {**notice, "status": "not-done", "statusReason": {"text": verdict.text}}, [issue]
    return await _send(case, notice, partner), []


async def _send(case: _Case, notice: JsonObject, partner: Partner) -> JsonObject:
    """Made known to the partner; brought to it where it is pushed to and there is a referral between us."""
    reference = f"Communication/{notice['id']}"
    between = [
        each for each in await loops.of_patient(case.unit, case.patient) if each.partner == partner.client_id
    ]
    loop = between[-1].id if between else str(notice["id"])
    share_all(case.unit, partner.client_id, loop, [case.patient, reference], case.now)
    if await outbox.awaits(case.unit, partner.client_id, reference):
        return notice  # on its way since an earlier filing
    if between and partner.pushed_to:
        case.unit.send(Outgoing(new_id(), partner.client_id, loop, "status", [reference], case.now))
        return notice
    return {**notice, "status": "in-progress"}


async def _exit(case: _Case, *, done: bool | None) -> None:
    """An unexpected exit is urgent until the client is linked to other services (004 CA-CM 6.03)."""
    source = case.caller.client_id
    await answered_by(case.context, case.unit, source, case.document, case.patient, case.now, done=done)


async def withdraw_closing(
    context: Context, unit: Unit, caller: Caller, record: Closing, gone: Sequence[JsonObject],
    about: MappingContext, now: datetime,
) -> None:  # fmt: skip
    """The record is deleted: as if the case had not been closed."""
    await _take_back(
        _Case(
            context, unit, caller, record, about, mapping.client_of(gone), mapping.document_of(gone), [], now
        )
    )


async def _take_back(case: _Case) -> None:
    """The case is not closed after all: what was not told yet is not told, what was asked is not asked any more."""
    await _exit(case, done=None)
    for row in await resources.of_patients(case.unit, [case.patient], ["Communication"]):
        held = decode_object(row.body or b"{}")
        if (
            mapping.is_provider_notice(held, case.record.id, case.mapping)
            and held.get("status") == "preparation"
        ):
            fresh = {**held, "status": "entered-in-error"}
            case.unit.put(version_of(case.context, fresh, row.id, row, case.caller.client_id, case.now))
