"""The middle of every write: lock what exists, ask who may change it, and collect the new versions.

Shared by create, update and the transaction, so that one resource and a thousand follow the same rules.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from service.consent.security import lowered, never_lowered
from service.fhir.json import JsonObject, decode_object
from service.fhir.meta import content
from service.fhir.references import local
from service.fhir.row import Row
from service.flows import advance_referral, cancel_referral
from service.flows.abort_task import DIALECT, is_abort
from service.flows.accept_subscription import accept, echo
from service.flows.advance_referral import side_of
from service.flows.caller import Caller
from service.flows.claim_referral import claim_referral
from service.flows.client_task import move_client_task
from service.flows.context import Context
from service.flows.duplicates import answer as duplicate
from service.flows.lead.answer import answer_transfer
from service.flows.lead.claim import heed_claims
from service.flows.permit import own, visible
from service.flows.permitted_contact import expect_permitted
from service.flows.persist import meant, relabelled
from service.flows.recognise import PERSON
from service.flows.tell_received import not_carried, tell_received
from service.flows.writing import row_of, version_of
from service.kernel.failures import Refused
from service.mapping.claim import SAYS
from service.mapping.client_task import is_client_task
from service.mapping.lead import is_transfer
from service.referral.dialects import ASKS_BY_TASK
from service.referral.lifecycle import Party
from service.store import loops, offers, partners, resources
from service.store.trail import current
from service.store.unit import Put, Unit


@dataclass(frozen=True, slots=True)
class Wish:
    """What a caller wants kept. `expected` is the version of If-Match."""

    resource: JsonObject
    id: str
    expected: int | None = None
    fresh: bool = False
    """True when the id is ours and new, so that nothing needs to be locked."""
    only_new: bool = False
    """If-None-Match: *"""
    relabels: bool = False
    """May take security labels away: a change that the custodian describes (PATCH, $meta-delete)."""

    @property
    def key(self) -> tuple[str, str]:
        """(type, id)."""
        return (self.resource["resourceType"], self.id)


@dataclass(frozen=True, slots=True)
class Kept:
    """What became of a wish: the row as it will be, and whether it is new or changed."""

    row: Row
    created: bool
    changed: bool


def lock_names(keys: Sequence[tuple[str, str]]) -> list[str]:
    """Advisory locks for these resources: one at a time moves a referral, creates a client-chosen id."""
    return [loops.lock_name(id_) if type_ == "Task" else f"{type_}/{id_}" for type_, id_ in keys]


async def keep(
    context: Context, unit: Unit, caller: Caller, wishes: Sequence[Wish], now: datetime
) -> list[Kept]:
    """Collect every wish in `unit`, or raise Refused for the first that may not be. Locks must be held."""
    known = [wish.key for wish in wishes if not wish.fresh]
    held, taken = await resources.lock_known(unit, known, caller.viewer) if known else ({}, set())
    done = [
        await _keep_one(context, unit, caller, wish, held.get(wish.key), now, taken=wish.key in taken)
        for wish in wishes
    ]
    filed = [each.row for each in done if each.changed]
    for wish, each in zip(wishes, done, strict=True):
        if each.created and each.row.type == "Task":
            await _maybe_opens(context, unit, caller, wish.resource, each.row, filed, now)
    await tell_received(context, unit, caller, filed, now)
    await heed_claims(context, unit, caller, filed, now)
    await expect_permitted(unit, caller, filed)
    return done


async def _keep_one(
    context: Context,
    unit: Unit,
    caller: Caller,
    wish: Wish,
    before: Row | None,
    now: datetime,
    *,
    taken: bool,
) -> Kept:
    if before is not None and not await may_know(context, unit, caller, before):
        before, taken = None, True
    _expect(wish, before)
    if before is None and (taken or not _may_choose(context, caller, wish)):
        raise absent(*wish.key)
    if wish.resource["resourceType"] == "Subscription":
        return await _keep_subscription(context, unit, caller, wish, before, now)
    if before is None or before.deleted:
        fresh = await relabelled(unit, before, wish.resource) if before else wish.resource
        put = version_of(context, fresh, wish.id, before, caller.client_id, now)
        _collect(unit, put)
        return Kept(row_of(put), created=True, changed=True)
    old = decode_object(before.body or b"")
    loop = await loops.find(unit, before.id) if before.type == "Task" else None
    wanted = await meant(context, unit, caller, before, wish.resource)
    if loop is None and before.type == "Task" and await offers.offered(unit, before.id, caller.client_id):
        loop = await claim_referral(unit, caller, before, wanted, now)
    if loop is not None and _performs(caller, loop):
        wanted = await _performed(context, unit, caller, before, old, wanted)
    transfer = loop is None and before.type == "Task" and is_transfer(old)
    if transfer:
        wanted = await _answered(context, unit, caller, before, wanted, now)
    question = before.type == "Task" and await duplicate.asked(context, unit, caller, before, old)
    if question:
        shown = await visible(context, unit, caller, [before])
        wanted = duplicate.answered(decode_object(shown[0].body or b""), old, wanted)
    asked = loop is None and before.type == "Task" and is_client_task(old)
    if asked:
        wanted = await move_client_task(context, unit, caller, before, old, wanted, now)
    cancels = await loops.of_abort(unit, before.id) if loop is None and is_abort(old) else None
    if cancels is not None and cancels.direction == "outbound" and not caller.custodian:
        wanted = await _performed(context, unit, caller, before, old, wanted)
    lost = lowered(old, wanted)
    if not wish.relabels:
        wanted = never_lowered(old, wanted)
    if content(old) == content(wanted):
        return Kept(await _shown(context, unit, caller, before), created=False, changed=False)
    if loop is not None:
        await _move(context, unit, caller, loop, old, wanted, now)
    elif cancels is not None:
        await cancel_referral.move(unit, caller, cancels, old, wanted, now)
    elif not (transfer or question or asked) and not _owns(caller, before):
        text = f"{before.reference} belongs to another party; only its author may change it"
        if before.type in SAYS:
            text += "; who is to lead is asked by Patient/$primary-case-manager"
        raise Refused("forbidden", text)
    elif is_abort(old) and not caller.custodian:
        advance_referral.check_move(DIALECT, old, wanted, "requester")  # over: another Task asks again
    put = version_of(context, wanted, wish.id, before, caller.client_id, now)
    _collect(unit, put)
    if lost and wish.relabels:
        row = current().row(now, "labels-taken-away", before.reference, put.version, put.patient)
        unit.audit(replace(row, kind="administration", detail=str(len(lost))))
    return Kept(await _shown(context, unit, caller, row_of(put)), created=False, changed=True)


async def _shown(context: Context, unit: Unit, caller: Caller, row: Row) -> Row:
    """The row as its writer may see it: what it did not write in it stays masked in the answer too."""
    seen = await visible(context, unit, caller, [row])
    return seen[0] if seen else replace(row, body=b"")


def _may_choose(context: Context, caller: Caller, wish: Wish) -> bool:
    """May this id be made by whoever writes to it? An id that another party could hold tells, by being refused,
    that it is taken; so a partner chooses only below its own Organization's id (docs/decisions/chosen-ids.md).
    """
    own = caller.organization.rpartition("/")[2]
    free = caller.custodian or wish.fresh or context.settings.partner_ids == "free"
    return free or (bool(own) and wish.id.startswith(f"{own}."))


def _collect(unit: Unit, put: Put) -> None:
    """The version; and if it is a person, somebody will ask whether we know that person already."""
    unit.put(put)
    if put.type == PERSON:
        unit.introduce(put.id, put.version)


async def _keep_subscription(
    context: Context, unit: Unit, caller: Caller, wish: Wish, before: Row | None, now: datetime
) -> Kept:
    """Its maker's alone; kept with masked headers, answered with those that were sent."""
    if before is not None and not _owns(caller, before):
        raise absent(*wish.key)
    held = before if before is not None and not before.deleted else None
    kept, told = await accept(context, unit, caller, wish.resource, wish.id, held, now)
    put = version_of(context, kept, wish.id, before, caller.client_id, now)
    if held is not None and content(decode_object(held.body or b"")) == content(kept):
        return Kept(held, created=False, changed=False)
    unit.put(put)
    return Kept(replace(row_of(put), body=echo(put, told)), created=held is None, changed=True)


def _expect(wish: Wish, before: Row | None) -> None:
    found = before.version if before and not before.deleted else None
    if wish.expected is not None and wish.expected != found:
        raise Refused("stale", f"If-Match names version {wish.expected}, which is not the current one")
    if wish.only_new and found is not None:
        raise Refused("stale", "If-None-Match says only if there is nothing yet, but there is")


def absent(type_: str, id_: str) -> Refused:
    """The one answer for what does not exist and for what is not the caller's to know."""
    return Refused("absent", f"{type_}/{id_} does not exist here")


def _owns(caller: Caller, row: Row) -> bool:
    return caller.custodian or row.author == caller.client_id


async def may_know(context: Context, unit: Unit, caller: Caller, row: Row) -> bool:
    """Does this locked row, its own or shared with it, exist for the caller now?"""
    known = caller.custodian or own(caller.client_id, row)
    return known or bool(await visible(context, unit, caller, [row]))


def _performs(caller: Caller, loop: loops.Loop) -> bool:
    """Is the caller the partner that was asked?"""
    return caller.client_id == loop.partner and loop.direction == "outbound"


async def _performed(
    context: Context, unit: Unit, caller: Caller, row: Row, old: JsonObject, new: JsonObject
) -> JsonObject:
    """Our Task with what the performer says in it. The rest must be as the performer was shown it, labels and
    masks included: it is compared with that, and kept as it is."""
    shown = await visible(context, unit, caller, [row])
    if not shown:
        raise absent(row.type, row.id)
    advance_referral.check_fixed(decode_object(shown[0].body or b""), new)
    return advance_referral.performed(old, new)


async def _answered(
    context: Context, unit: Unit, caller: Caller, row: Row, new: JsonObject, now: datetime
) -> JsonObject:
    """Who leads is to change: either agency answers in the Task, as it was shown it."""
    shown = await visible(context, unit, caller, [row])
    if not shown:
        raise absent(row.type, row.id)
    said, old = decode_object(shown[0].body or b""), decode_object(row.body or b"")
    return await answer_transfer(context, unit, caller, row, said, old, new, now)


async def _move(
    context: Context,
    unit: Unit,
    caller: Caller,
    loop: loops.Loop,
    old: JsonObject,
    new: JsonObject,
    now: datetime,
) -> None:
    """A Task in a referral loop: both sides may move it, each only as the dialect's table says."""
    is_partner = caller.client_id == loop.partner
    if not is_partner and not caller.custodian:
        raise absent("Task", loop.id)
    side = side_of(await partners.find(unit, loop.partner))
    by: Party = "requester" if is_partner == (loop.direction == "inbound") else "target"
    advance_referral.check_move(side.dialect, old, new, by)
    await advance_referral.advance_referral(
        context, unit, loop, side, old, new, now, inform_partner=not is_partner
    )


async def _maybe_opens(
    context: Context,
    unit: Unit,
    caller: Caller,
    task: JsonObject,
    row: Row,
    filed: Sequence[Row],
    now: datetime,
) -> None:
    """A partner's new Task that asks the home agency for something opens an inbound loop, or asks to end one."""
    if (
        caller.custodian
        or task.get("intent") != "order"
        or task.get("status") not in ("requested", "received")
    ):
        return
    partner = await partners.find(unit, caller.client_id)
    if side_of(partner).dialect in ASKS_BY_TASK and is_abort(task):
        await cancel_referral.received(context, unit, caller, row, task, now)
        return
    home = await partners.home(unit)
    owner = task.get("owner")
    owner = (
        local(owner["reference"])
        if isinstance(owner, dict) and isinstance(owner.get("reference"), str)
        else None
    )
    if home is None or (
        owner is not None and "/".join(owner) != home.organization and owner[0] == "Organization"
    ):
        return
    side = side_of(partner)
    lost = await not_carried(context, unit, home, {**task, "id": row.id}, filed)
    await advance_referral.open_inbound(unit, task, row, home.client_id, side, now, lost)
