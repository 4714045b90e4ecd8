"""A record arrives from the case-management system: read, map, check, remember, and start what it asks for.

The record, the resources it becomes, the referral loop and the outbox row are one commit. Handing the same
record over again changes nothing; handing over a changed one makes new versions of the same resources.
"""

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from service.casework import records as words
from service.casework.records import Record
from service.casework.records.client import Client
from service.casework.records.client_task import ClientTask
from service.casework.records.closing import Closing
from service.casework.records.gpra_interview import GpraInterview
from service.casework.records.referral import Referral
from service.fhir.json import Json, JsonObject, decode_object, encode
from service.fhir.outcome import Issue
from service.fhir.search.moments import interval
from service.flows import advance_referral
from service.flows.advance_referral import legal, our_part, side_of
from service.flows.answer_referral import answer_referral, in_the_answer
from service.flows.caller import Caller
from service.flows.cancel_referral import ask
from service.flows.client_task import asked_of_client
from service.flows.closing.follow import follow_closing, open_loops
from service.flows.context import Context
from service.flows.due.left import somebody_left
from service.flows.duplicates.intake import noted
from service.flows.gpra import save as gpra
from service.flows.keep import Wish, keep, lock_names
from service.flows.lead.of_record import follow_record
from service.flows.persons.links import with_links
from service.flows.room import told_of_room
from service.flows.writing import checked, version_of
from service.kernel.failures import Refused
from service.kernel.ids import new_id
from service.mapping.answer import answer_in, keep_progress
from service.mapping.context import Directory, Mapped, MappingContext, Source
from service.mapping.provenance import Act, filing
from service.mapping.table import VERSION, replace
from service.referral import lifecycle
from service.referral import loop as referral
from service.referral.dialects import CLAIMED
from service.store import loops, offers, partners, records, resources
from service.store.loops import Loop
from service.store.partners import Partner
from service.store.records import Kept
from service.store.unit import Outgoing, Unit

NEEDED: Mapping[str, Mapping[str, str]] = {
    "referrals": {"clients": "/client"},
    "client-tasks": {"clients": "/client"},
}
"""Records arrive in any order; only what travels together must be there: a referral goes out with its client."""


@dataclass(frozen=True, slots=True)
class Filed:
    """What became of a record. `resources` are references; `fhir` the resources themselves."""

    version: int
    created: bool
    resources: list[str]
    fhir: list[JsonObject]
    issues: list[Issue]
    provenance: str | None = None
    """The Provenance of this filing; None when nothing changed."""


async def receive_record(
    context: Context, caller: Caller, kind: str, id_: str, value: Json, *, dry_run: bool = False,
    expected: int | None = None,
) -> Filed:  # fmt: skip
    """File one record. Refused("unprocessable") lists every finding, with JSON Pointers into the record."""
    caller.require_casework(kind, "update")
    record = words.read(kind, id_, value)
    now = context.clock()
    async with context.database.reading() as connection:
        before = await records.find(connection, caller.client_id, kind, id_)
        received = await _received(connection, caller, id_) if isinstance(record, Referral) else None
        mapping = await mapping_context(context, connection, caller, record, kind, id_, now)
        if isinstance(record, Referral) and record.forwards:
            mapping = await _forwarding(connection, caller, record, mapping)
        edited = (
            await gpra.check(context, connection, record, now) if isinstance(record, GpraInterview) else []
        )
        if isinstance(record, Referral):
            edited = await told_of_room(connection, record, mapping)
    if received is not None and isinstance(record, Referral):
        return await _answered(context, caller, id_, record)
    previous = _previous(kind, id_, before)
    mapped = replace(kind, record, previous, mapping)
    async with context.database.reading() as connection:
        twice = await noted(context, connection, caller, kind, mapped.resources)
    issues = [*mapped.notes, *edited, *twice]
    _expect_valid(context, mapped)
    references = [f"{each['resourceType']}/{each['id']}" for each in mapped.resources]
    if dry_run:
        return Filed(0, False, references, list(mapped.resources), issues)
    keys = [(each["resourceType"], each["id"]) for each in mapped.resources]
    ending = await _ending(context, record, mapped)
    keys += [("Task", each.id) for each in ending]
    async with context.database.unit(f"record/{caller.client_id}/{kind}/{id_}", *lock_names(keys)) as unit:
        if await records.find(unit, caller.client_id, kind, id_) != before:
            raise Refused("conflict", "this record was filed by another request meanwhile; please try again")
        _expect(before, expected)
        if isinstance(record, Referral):
            issues += await _refer(context, unit, caller, record, mapped, now)
        else:
            made: Sequence[JsonObject] = mapped.resources
            if isinstance(record, Client):
                past = previous if isinstance(previous, Client) else None
                followed = await follow_record(context, unit, caller, record, past, made, now)
                made, issues = await with_links(unit, followed.resources), [*issues, *followed.issues]
            if isinstance(record, Closing):
                made, told = await follow_closing(context, unit, caller, record, made, ending, mapping, now)
                issues = [*issues, *told]
            if isinstance(record, ClientTask):
                made = await asked_of_client(unit, mapped.resources, mapping)
            try:
                await keep(context, unit, caller, [Wish(each, each["id"]) for each in made], now)
            except Refused as refused:
                raise (in_the_answer(refused) if isinstance(record, ClientTask) else refused) from None
        await somebody_left(unit, record, previous, references)
        if isinstance(record, GpraInterview):
            await gpra.remember(unit, caller.client_id, record, mapped.resources[0])
        body = encode(words.write(record))
        same = before is not None and not before.deleted and before.body == body
        version = before.version + (not same) if before else 1
        new = before is None or before.deleted
        act: Act = "CREATE" if new else "UPDATE"
        provenance = note_origin(context, unit, caller, mapping, (kind, id_, version), references, act)
        kept = Kept(caller.client_id, kind, id_, version, now, False, body, references, VERSION)
        if not same or before is None or (before.mapping, before.resources) != (VERSION, references):
            await records.keep(unit, kept)
    return Filed(version, new, references, list(mapped.resources), issues, provenance)


async def _ending(context: Context, record: Record, mapped: Mapped) -> list[Loop]:
    """The referrals that a closing may end: they are locked with it."""
    if not isinstance(record, Closing):
        return []
    async with context.database.reading() as connection:
        return await open_loops(connection, mapped.resources)


async def _forwarding(
    connection: Any, caller: Caller, record: Referral, mapping: MappingContext
) -> MappingContext:
    """With the request that came in and that this one passes on; Refused when there is none."""
    whole = await loops.find_record(connection, caller.client_id, record.forwards or "")
    if whole is None or whole.direction != "inbound":
        text = "there is no referral that came in under this id"
        raise Refused("unprocessable", text, [Issue("error", "not-found", text, "/forwards")])
    known = {**mapping.directory.references, ("forwards", whole.record): whole.request or ""}
    return dataclasses.replace(mapping, directory=Directory(known))


def note_origin(
    context: Context,
    unit: Unit,
    caller: Caller,
    mapping: MappingContext,
    record: tuple[str, str, int],
    references: Sequence[str],
    act: Act,
) -> str | None:
    """Collect the Provenance of every version the unit collected for these references; None if there is none."""
    made = [f"{put.type}/{put.id}/_history/{put.version}" for put in unit.collected()
            if f"{put.type}/{put.id}" in references]  # fmt: skip
    if not made:
        return None
    kind, id_, version = record
    own = new_id()
    told = filing(mapping, kind, id_, version, VERSION, made, act)
    unit.put(version_of(context, told, own, None, caller.client_id, mapping.now))
    return f"Provenance/{own}"


def _previous(kind: str, id_: str, before: Kept | None) -> Record | None:
    return words.read(kind, id_, decode_object(before.body)) if before and not before.deleted else None


async def _received(connection: Any, caller: Caller, id_: str) -> Loop | None:
    """The loop of this id when a partner sent it: then a record handed over is an answer to it."""
    loop = await loops.find_record(connection, caller.client_id, id_)
    return loop if loop is not None and loop.direction == "inbound" else None


async def _answered(context: Context, caller: Caller, id_: str, record: Referral) -> Filed:
    answer = answer_in(record)
    if answer is None:
        text = "a referral that a partner sent is answered with a status: accepted, rejected, in-progress, …"
        raise Refused("unprocessable", text, [Issue("error", "value", text, "/status")])
    row = await answer_referral(context, caller, id_, answer)
    return Filed(row.version, False, [row.reference], [], [])


def _expect(before: Kept | None, expected: int | None) -> None:
    found = before.version if before and not before.deleted else None
    if expected is not None and expected != found:
        raise Refused("stale", f"If-Match names version {expected}, which is not the current one")


def _expect_valid(context: Context, mapped: Mapped) -> None:
    """What we author must be valid: a finding here means that the record says something FHIR cannot."""
    failing: list[Issue] = []
    for resource in mapped.resources:
        try:
            checked(context, resource)
        except Refused as refused:
            failing += [each for each in refused.issues if isinstance(each, Issue) and each.fails]
    if failing:
        raise Refused("unprocessable", "the FHIR this record becomes would not be valid", failing)


async def mapping_context(
    context: Context,
    connection: Any,
    caller: Caller,
    record: Record | None,
    kind: str,
    id_: str,
    now: datetime,
) -> MappingContext:
    """What the mapping needs to know: whose records these are, and which agencies are partners of ours."""
    mentioned = [*words.mentions(record), (kind, id_)] if record is not None else []
    everyone = await partners.everyone(connection)
    held = await records.those(connection, caller.client_id, mentioned) if mentioned else {}
    known: dict[tuple[str, str], str] = {}
    for mentioned_kind, mentioned_id in mentioned:
        kept = held.get((mentioned_kind, mentioned_id))
        if mentioned_kind == "agencies":
            said = (
                words.write(record)
                if (mentioned_kind, mentioned_id) == (kind, id_) and record
                else _said(kept)
            )
            partner = partner_of(mentioned_id, said, everyone)
            if partner:
                known["agencies", mentioned_id] = partner.organization
                continue
        missing = kept is None or kept.deleted
        needed = NEEDED.get(kind, {}).get(mentioned_kind)
        if missing and needed:
            text = f"{mentioned_kind}/{mentioned_id} is not known here; file it before this record"
            raise Refused("unprocessable", text, [Issue("error", "not-found", text, needed)])
    own = next((key[1] for key, value in known.items() if value == caller.organization), None)
    source = Source(caller.client_id, caller.organization, own, caller.name)
    return MappingContext(context.base, now, source, Directory(known))


def _said(kept: Kept | None) -> JsonObject:
    return decode_object(kept.body) if kept and not kept.deleted else {}


def partner_of(agency: str, said: JsonObject, everyone: Sequence[Partner]) -> Partner | None:
    """The partner that an agency is: by the name its record gives, else by its id or its own name."""
    names = [said.get("partner"), agency, said.get("name")]
    for name in names:
        for partner in everyone:
            if name and partner.name.casefold() == str(name).casefold():
                return partner
    return None


async def _refer(
    context: Context, unit: Unit, caller: Caller, record: Referral, mapped: Mapped, now: datetime
) -> list[Issue]:
    """A referral: the resources, and the loop it opens or moves."""
    mapped = await _for_partner(unit, mapped)
    task = mapped.of("Task")[0]
    loop = await loops.find(unit, task["id"])
    if loop is None:
        await keep(context, unit, caller, [Wish(each, each["id"]) for each in mapped.resources], now)
        return await _open(context, unit, caller, record, mapped, task, now)
    await _revise(context, unit, caller, record, mapped, loop, now)
    return []


async def _for_partner(unit: Unit, mapped: Mapped) -> Mapped:
    """Our profile of the Task is SDOHCC's, whose statuses do not suffice for a partner of another dialect."""
    [task] = mapped.of("Task")
    owner = task.get("owner", {}).get("reference", "")
    partner = await partners.of_organization(unit, owner) if owner else None
    if partner is None or side_of(partner).dialect in CLAIMED:
        return mapped
    made = tuple(referral.unclaimed(each) if each is task else each for each in mapped.resources)
    return dataclasses.replace(mapped, resources=made)


async def _open(
    context: Context,
    unit: Unit,
    caller: Caller,
    record: Referral,
    mapped: Mapped,
    task: JsonObject,
    now: datetime,
) -> list[Issue]:
    if record.offered_to:
        return await _offer(unit, record, mapped, task, now)
    if record.status == "draft":
        return []
    owner = task.get("owner", {}).get("reference", "")
    partner = await partners.of_organization(unit, owner) if owner else None
    if partner is None:
        text = "the recipient is not registered as a partner, so nothing is sent; casebridge partner add registers it"
        return [Issue("warning", "not-found", text, "/recipient", "recipient-not-a-partner")]
    request = mapped.of("ServiceRequest")[0]
    patient = task["for"]["reference"]
    loop = Loop(
        id=task["id"], direction="outbound", source=caller.client_id, record=record.id, partner=partner.client_id,
        patient=patient, request=f"ServiceRequest/{request['id']}", status=task["status"], closed=False,
        remote_task=None, remote_seen=None, next_poll=None, opened=now, updated=now, parent=record.forwards,
    )  # fmt: skip
    await loops.open_loop(unit, loop)
    if loop.parent:
        await loops.stir(unit, loop.parent, now)
    references = [patient, f"ServiceRequest/{request['id']}", f"Task/{task['id']}"]
    advance_referral.share_all(unit, partner.client_id, loop.id, references, now)
    if pushes(partner):
        unit.send(Outgoing(new_id(), partner.client_id, loop.id, "referral", references, now))
    return []


async def _offer(
    unit: Unit, record: Referral, mapped: Mapped, task: JsonObject, now: datetime
) -> list[Issue]:
    """An open referral: those it is offered to learn of it, and may claim it until it is withdrawn."""
    issues: list[Issue] = []
    asked: list[Partner] = []
    owners = [each["reference"] for each in mapped.of("ServiceRequest")[0].get("performer", [])]
    for number, owner in enumerate(owners):
        partner = await partners.of_organization(unit, owner)
        if partner is None:
            text = "this agency is not registered as a partner, so nothing is offered to it"
            place = f"/offeredTo/{number}"
            issues.append(Issue("warning", "not-found", text, place, "recipient-not-a-partner"))
        else:
            asked.append(partner)
    open_to = asked if record.status == "requested" else []
    term = interval(record.answer_by) if record.answer_by else None
    await offers.offer(unit, task["id"], [each.client_id for each in open_to], now, term[1] if term else None)
    known = [f"{each['resourceType']}/{each['id']}" for each in mapped.resources]
    for partner in open_to:
        advance_referral.share_all(
            unit, partner.client_id, task["id"], [task["for"]["reference"], *known], now
        )
    return issues


def pushes(partner: Partner) -> bool:
    """Do we bring referrals to this partner, or does it come and look?"""
    return partner.pushed_to


async def _called_off(
    context: Context,
    unit: Unit,
    caller: Caller,
    loop: Loop,
    fresh: JsonObject,
    before: JsonObject,
    now: datetime,
) -> JsonObject:
    """The record says `cancelled`: done or asked for, as the partner's dialect has it."""
    side = side_of(await partners.find(unit, loop.partner))
    state = referral.state(before)
    kept = keep_progress({**fresh, "status": "requested"}, before)
    if lifecycle.by_task(side.dialect, state, "cancelled", our_part(loop)):
        await ask(
            context, unit, caller, loop, before, str(fresh.get("statusReason", {}).get("text", "")), now
        )
        return kept
    move = legal(lifecycle.wished(side.dialect, state, "cancelled", our_part(loop)))
    task = referral.standing(kept, side.dialect, move.after)
    return {**task, "statusReason": fresh["statusReason"]} if "statusReason" in fresh else task


async def _revise(
    context: Context, unit: Unit, caller: Caller, record: Referral, mapped: Mapped, loop: Loop, now: datetime
) -> None:
    """The same referral again: what the requester says may change, what the performer said stays."""
    held = await resources.lock(unit, [("Task", loop.id)])
    before = advance_referral.task_of(held["Task", loop.id])
    [fresh] = mapped.of("Task")
    task = keep_progress(fresh, before)
    if record.status == "cancelled":
        task = await _called_off(context, unit, caller, loop, fresh, before, now)
    if "authoredOn" in before:
        task = {**task, "authoredOn": before["authoredOn"]}
    others = [Wish(each, each["id"]) for each in mapped.resources if each["resourceType"] != "Task"]
    changed = [done.row.reference for done in await keep(context, unit, caller, others, now) if done.changed]
    [done] = await keep(context, unit, caller, [Wish(task, loop.id)], now)
    partner = await partners.find(unit, loop.partner)
    if changed and not done.changed and pushes(partner):
        unit.send(Outgoing(new_id(), loop.partner, loop.id, "status", advance_referral.news(loop), now))
