"""The mappings have changed: run them again over every record, and show the difference before applying it."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from service.casework import records as words
from service.fhir.json import JsonObject, decode_object
from service.fhir.meta import content
from service.fhir.row import Row
from service.flows.access.scopes import parse_all
from service.flows.caller import Caller
from service.flows.context import Context
from service.flows.keep import Wish, keep, lock_names
from service.flows.lead.truth import EPISODE, team_key, truthful
from service.flows.receive_record import mapping_context, note_origin
from service.kernel.failures import Refused
from service.mapping.answer import keep_progress
from service.mapping.context import MappingContext
from service.mapping.table import VERSION, table
from service.mapping.withdraw import withdrawn
from service.referral.loop import unclaimed
from service.store import leads, loops, partners, records, resources
from service.store.loops import Loop
from service.store.partners import Partner
from service.store.records import Kept

PAGE = 200


@dataclass(frozen=True, slots=True)
class Difference:
    """One resource that another mapping would make otherwise. `change`: new, changed, withdrawn, refused."""

    kind: str
    id: str
    resource: str
    change: str
    elements: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Anew:
    """What a record becomes by the mapping of now."""

    wishes: list[Wish]
    references: list[str]
    differences: list[Difference]
    mapping: MappingContext


async def remap(
    context: Context, *, apply: bool = False, everything: bool = False
) -> AsyncIterator[Difference]:
    """Differences of every record that an older mapping made (`everything`: of all records), in order.

    With `apply` each record's differences are written, one record a commit, before they are told.
    """
    async with context.database.reading() as connection:
        sources: dict[str, Partner] = {each.client_id: each for each in await partners.everyone(connection)}
    behind = ("", "", "")
    while True:
        async with context.database.reading() as connection:
            page = await records.everything(connection, behind, PAGE)
        for kept in page:
            behind = (kept.source, kept.kind, kept.id)
            partner = sources.get(kept.source)
            if partner is None or (kept.mapping == VERSION and not everything):
                continue
            for difference in await _remapped(context, _as(partner), kept, apply):
                yield difference
        if len(page) < PAGE:
            return


def _as(partner: Partner) -> Caller:
    roles = frozenset(partner.roles)
    return Caller(partner.client_id, partner.name, partner.organization, roles, parse_all(partner.scopes))


async def _remapped(context: Context, caller: Caller, kept: Kept, apply: bool) -> list[Difference]:
    now = context.clock()
    try:
        async with context.database.reading() as connection:
            anew = await _anew(context, connection, caller, kept, now)
        if apply:
            await _apply(context, caller, kept, anew, now)
        return anew.differences
    except Refused as refused:
        return [Difference(kept.kind, kept.id, "–", f"refused: {refused.text}")]


async def _anew(context: Context, connection: Any, caller: Caller, kept: Kept, now: datetime) -> _Anew:
    record = words.read(kept.kind, kept.id, decode_object(kept.body))
    mapping = await mapping_context(context, connection, caller, record, kept.kind, kept.id, now)
    made = {_reference(each): each for each in table[kept.kind].to_fhir(record, mapping).resources}
    keys = [_key(reference) for reference in {*made, *kept.resources}]
    held = {row.reference: row for row in await resources.known(connection, keys, None) if not row.deleted}
    loop = (
        await loops.find_record(connection, caller.client_id, kept.id) if kept.kind == "referrals" else None
    )
    wanted = {reference: _settled(each, held.get(reference), loop) for reference, each in made.items()}
    if kept.kind == "clients":
        wanted = await _true_to_lead(connection, wanted, kept, held, now)
    standing = {**made, **wanted}
    for reference in kept.resources:
        if reference not in wanted and reference in held:
            wanted[reference] = withdrawn(decode_object(held[reference].body or b""))
    told = [
        _difference(kept, reference, each, held.get(reference), standing)
        for reference, each in wanted.items()
    ]
    wishes = [Wish(each, each["id"]) for each in wanted.values()]
    return _Anew(wishes, list(made), [each for each in told if each is not None], mapping)


async def _true_to_lead(
    connection: Any, wanted: dict[str, JsonObject], kept: Kept, held: dict[str, Row], now: datetime
) -> dict[str, JsonObject]:
    """Who leads is not the record's alone to say."""
    episode = next((each["id"] for each in wanted.values() if each["resourceType"] == EPISODE), None)
    case = await leads.last_of_episode(connection, episode) if episode else None
    if case is None:
        return wanted
    team = team_key(kept.source, kept.id)
    rows = {(row.type, row.id): row for row in held.values()}
    rows |= {(row.type, row.id): row for row in await resources.known(connection, [team], None)}
    true = await truthful(connection, list(wanted.values()), case, kept.id, rows, now)
    return {_reference(each): each for each in true}


def _settled(made: JsonObject, held: Row | None, loop: Loop | None) -> JsonObject:
    """A Task under way keeps what its performer said, what it claims to be, and when it was asked."""
    if held is None or loop is None:
        return made
    before = decode_object(held.body or b"")
    if held.id == loop.id and "profile" not in before.get("meta", {}):
        made = unclaimed(made)
    if held.id == loop.id and made["status"] == "cancelled":
        made = {**made, "status": before["status"]}  # done, or asked for: the Task says which
    kept = keep_progress(made, before)
    return {**kept, **{key: before[key] for key in ("authoredOn",) if key in before}}


def _difference(
    kept: Kept, reference: str, wanted: JsonObject, held: Row | None, made: dict[str, JsonObject]
) -> Difference | None:
    if held is None:
        return Difference(kept.kind, kept.id, reference, "new")
    old, new = content(decode_object(held.body or b"")), content(wanted)
    if old == new:
        return None
    elements = tuple(sorted(key for key in old.keys() | new.keys() if old.get(key) != new.get(key)))
    return Difference(
        kept.kind, kept.id, reference, "changed" if reference in made else "withdrawn", elements
    )


async def _apply(context: Context, caller: Caller, kept: Kept, anew: _Anew, now: datetime) -> None:
    keys = [wish.key for wish in anew.wishes]
    async with context.database.unit(
        f"record/{kept.source}/{kept.kind}/{kept.id}", *lock_names(keys)
    ) as unit:
        if await records.find(unit, kept.source, kept.kind, kept.id) != kept:
            raise Refused("conflict", "the record was filed again meanwhile")
        await keep(context, unit, caller, anew.wishes, now)
        record = (kept.kind, kept.id, kept.version)
        note_origin(
            context, unit, caller, anew.mapping, record, [*anew.references, *kept.resources], "UPDATE"
        )
        await records.keep(
            unit,
            Kept(kept.source, kept.kind, kept.id, kept.version, kept.updated, False, kept.body,
                 [*anew.references, *(each for each in kept.resources if each not in anew.references)], VERSION),
        )  # fmt: skip


def _reference(resource: JsonObject) -> str:
    return f"{resource['resourceType']}/{resource['id']}"


def _key(reference: str) -> tuple[str, str]:
    type_, _, id_ = reference.partition("/")
    return type_, id_
