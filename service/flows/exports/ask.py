"""A kick-off: everything that is wrong with it is said now; what is right becomes a row that a worker takes."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Literal
from urllib.parse import parse_qsl

from service.fhir.arguments import Arguments, arguments
from service.fhir.catalogue import catalogue
from service.fhir.json import JsonObject, decode_object
from service.fhir.outcome import Issue
from service.fhir.references import local
from service.fhir.search.moments import interval
from service.fhir.search.parameters import compartment
from service.fhir.search.parse import SHAPES, parse
from service.flows.access.roles import AUDITOR, CASEWORK
from service.flows.caller import Caller, lacking
from service.flows.context import Context
from service.flows.keep import absent
from service.flows.permit import visible
from service.flows.search.terms import known
from service.flows.writing import expect_id
from service.kernel.failures import Refused
from service.store import exports, resources
from service.store.exports import Export
from service.store.trail import current

Level = Literal["system", "patient", "group"]

PURPOSES: Mapping[str, str] = MappingProxyType(
    {CASEWORK: "COC", "ehr": "COC", AUDITOR: "HOPERAT", "funder": "HPRGRP"}
)
"""Who may export, and for which purpose consent is asked; of several roles the first counts."""

HOME, GROUP = "Patient", "Group"
FORMATS = ("application/fhir+ndjson", "application/ndjson", "ndjson")
KNOWN = ("_outputFormat", "_since", "_type", "_typeFilter")
AT_ONCE = 4
"""Exports of one partner under way."""
MOST_PATIENTS = 10_000
MOST_FILTERS = 50
SETTLING = timedelta(seconds=2)
"""What was written before the export was asked for is committed by then."""

_NEXT = re.compile(r",(?=[A-Z][A-Za-z]*\?)")


@dataclass(frozen=True, slots=True)
class Kickoff:
    """A request as it came. `request`: its URL."""

    level: Level
    group: str
    request: str
    body: JsonObject | None
    query: Sequence[tuple[str, str]]
    lenient: bool = False


@dataclass(slots=True)
class _Draft:
    """Findings: refused, or left out and noted when handling is lenient."""

    lenient: bool
    notes: list[str] = field(default_factory=list)

    def wrong(self, text: str) -> None:
        """Something that cannot be done as asked."""
        if not self.lenient:
            raise Refused("malformed", text, [Issue("error", "not-supported", text)])
        self.notes.append(f"{text}; it was left out")


def purpose_of(roles: Iterable[str]) -> str:
    """For which purpose a partner of these roles exports; empty when it may not."""
    held = set(roles)
    return next((purpose for role, purpose in PURPOSES.items() if role in held), "")


async def ask(context: Context, caller: Caller, kickoff: Kickoff) -> Export:
    """The export, remembered. Refused: forbidden roles and scopes, wrong parameters, too many at once."""
    if not purpose_of(caller.roles):
        raise Refused("forbidden", f"exports are for partners with the role {', '.join(PURPOSES)}")
    draft = _Draft(kickoff.lenient)
    given = _given(kickoff, draft)
    _format(given)
    since = _since(given)
    types = _types(caller, kickoff.level, given.texts("_type"), draft)
    filters = _filters(context, caller, given, types, draft)
    patients = await _patients(context, caller, kickoff, given, draft)
    now = context.clock()
    one = Export(
        exports.unguessable(), caller.client_id, kickoff.level, kickoff.request, types, filters, patients,
        [scope.text for scope in caller.scopes], since, now, "running", 0, [], draft.notes, "", 0, now + SETTLING,
        None, None, None, now + timedelta(hours=context.settings.export_hours),
    )  # fmt: skip
    async with context.database.unit(f"export/{caller.client_id}") as unit:
        if await exports.running(unit, caller.client_id) >= AT_ONCE:
            text = f"{AT_ONCE} exports of yours are under way; wait for one to end, or cancel one"
            raise Refused("throttled", text, retry_after="60")
        await exports.put(unit, one)
    current().detail = f"{kickoff.level} export"
    return one


# the parameters


def _given(kickoff: Kickoff, draft: _Draft) -> Arguments:
    names = {name for name, _ in kickoff.query} | _named(kickoff.body)
    offered = {*KNOWN, *(("patient",) if kickoff.level != "system" else ())}
    for name in sorted(names - offered - {"_format", "_pretty"}):
        plain = name if name.replace("-", "").replace("_", "").isalnum() and len(name) < 40 else "one of them"
        draft.wrong(f"there is a parameter that this export does not have: {plain}")
    if any(name == "patient" for name, _ in kickoff.query):
        draft.wrong("the parameter patient is given in the Parameters of a POST")
    query = [pair for pair in kickoff.query if pair[0] != "patient"]
    return arguments(kickoff.body, query, names | offered)


def _named(body: JsonObject | None) -> set[str]:
    if body is None:
        return set()
    if body["resourceType"] != "Parameters":
        raise Refused("malformed", "the body of an export is a Parameters resource")
    rows = body.get("parameter", [])
    found = (
        {row.get("name") for row in rows if isinstance(row, dict)} if isinstance(rows, list) else set[str]()
    )
    return {name for name in found if isinstance(name, str)}


def _format(given: Arguments) -> None:
    text = given.text("_outputFormat").replace(" ", "+")
    if text and text not in FORMATS:
        raise Refused("malformed", f"_outputFormat can be {', '.join(FORMATS)}")


def _since(given: Arguments) -> datetime | None:
    text = given.text("_since").replace(" ", "+")
    found = interval(text) if text else None
    if text and found is None:
        raise Refused("malformed", "_since must be an instant, like 2026-03-02T09:00:00Z")
    return found[0] if found else None


def _types(caller: Caller, level: Level, named: list[str], draft: _Draft) -> list[str]:
    """Those asked for, or all of the level that the token covers; in the catalogue's order."""
    able = [t for t, spec in catalogue.items() if "search" in spec.interactions and _fits(t, level)]
    for type_ in dict.fromkeys(named):
        if type_ not in able:
            shown = type_ if type_.isalpha() and len(type_) < 40 else "a type"
            draft.wrong(f"_type: {shown} is not exported at this level")
        elif not _covers(caller, type_):
            if not draft.lenient:
                raise lacking(f"system/{type_}.rs")
            draft.notes.append(f"the access token does not cover {type_}; it was left out")
    wanted = set(named) or set(able)
    found = [type_ for type_ in able if type_ in wanted and _covers(caller, type_)]
    if not found:
        if named:
            raise Refused("malformed", "none of the types asked for can be exported here")
        raise lacking("system/*.rs")
    return found


def _fits(type_: str, level: Level) -> bool:
    """The types of a client's compartment, for exports of clients."""
    clients = type_ == HOME or type_ in compartment(HOME)
    return catalogue[type_].exported and (level == "system" or clients)


def _covers(caller: Caller, type_: str) -> bool:
    return caller.some(type_, "r") and caller.some(type_, "s")


def _filters(
    context: Context, caller: Caller, given: Arguments, types: list[str], draft: _Draft
) -> list[str]:
    """Each understood once now, so that what cannot be asked is refused now."""
    values = given.values.get("_typeFilter", [])
    if not all(isinstance(each, str) for each in values):
        raise Refused("malformed", "the parameter _typeFilter is a text")
    found = [part for each in values for part in _NEXT.split(each) if part]
    if len(found) > MOST_FILTERS:
        raise Refused("malformed", f"an export takes at most {MOST_FILTERS} queries in _typeFilter")
    return [each for each in found if _usable(context, caller, each, types, draft)]


def _usable(context: Context, caller: Caller, text: str, types: list[str], draft: _Draft) -> bool:
    type_, mark, query = text.partition("?")
    pairs = parse_qsl(query, keep_blank_values=True)
    if not mark or type_ not in types or not pairs:
        draft.wrong("_typeFilter is [type]?[query], of a type that is exported")
        return False
    shaping = next((name for name, _ in pairs if name.partition(":")[0] in SHAPES), "")
    if shaping:
        draft.wrong(f"_typeFilter selects resources; {shaping} shapes an answer")
        return False
    try:
        parse(
            (type_,), pairs, now=context.clock(), base=context.base, served=tuple(catalogue),
            reachable=lambda each: caller.allows(each, "s"), terms=lambda: known(context),
        )  # fmt: skip
    except Refused as refused:
        draft.wrong(f"_typeFilter of {type_}: {refused.text}")
        return False
    return True


# whose data


async def _patients(
    context: Context, caller: Caller, kickoff: Kickoff, given: Arguments, draft: _Draft
) -> list[str] | None:
    """References of the clients it is about, as the caller may know of them; None for everybody."""
    members = await _members(context, caller, kickoff.group) if kickoff.level == "group" else None
    named = given.values.get("patient", [])
    if not named:
        return members
    wanted = [_reference(each, context.base) for each in named]
    if len(wanted) > MOST_PATIENTS:
        raise Refused("malformed", f"an export is of at most {MOST_PATIENTS} named patients")
    there = await _seen(context, caller, [each for each in wanted if members is None or each in members])
    if set(wanted) - there:
        draft.wrong("the parameter patient names somebody who is not here, or not in the group")
    return sorted(there)


def _reference(value: object, base: str) -> str:
    text = value.get("reference", "") if isinstance(value, dict) else ""
    found = local(text, base) if isinstance(text, str) else None
    if found is None or found[0] != HOME:
        raise Refused("malformed", "the parameter patient is a reference to a Patient")
    return "/".join(found)


async def _members(context: Context, caller: Caller, id_: str) -> list[str]:
    """Who is in the group now, by reference to a Patient. The token need not cover Group: clients ask for scopes of
    what they export. Whether the group exists for the caller, consent says."""
    expect_id(id_)
    async with context.database.reading() as connection:
        rows = await resources.known(connection, [(GROUP, id_)], caller.viewer)
        seen = await visible(context, connection, caller, rows)
    if not seen:
        raise absent(GROUP, id_)
    current().show(seen)
    group = decode_object(seen[0].body or b"{}")
    found = {
        "/".join(key)
        for member in group.get("member", [])
        if not member.get("inactive")
        if (key := local(str(member.get("entity", {}).get("reference", "")), context.base)) and key[0] == HOME
    }
    if len(found) > MOST_PATIENTS:
        raise Refused(
            "malformed", f"a group of more than {MOST_PATIENTS} is exported by POST in several parts"
        )
    return sorted(found)


async def _seen(context: Context, caller: Caller, references: list[str]) -> set[str]:
    """Those of the clients that exist for the caller."""
    wanted = [(HOME, each.partition("/")[2]) for each in references]
    async with context.database.reading() as connection:
        rows = await resources.known(connection, wanted, caller.viewer)
        return {row.reference for row in await visible(context, connection, caller, rows)}
