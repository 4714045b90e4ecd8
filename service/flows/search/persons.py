"""A search by one Patient finds what is filed of whoever is the same person. For the case-management system; for a
partner only where it may see all of them: that two are one is for nobody else to learn."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from service.fhir.references import local
from service.fhir.search.parameters import parameters
from service.flows.caller import Caller
from service.flows.context import Context
from service.flows.permit import visible
from service.flows.search.question import Question
from service.store import persons, resources

PERSON = "Patient"


async def widened(
    context: Context, connection: Any, caller: Caller, question: Question, types: Sequence[str]
) -> Question | None:
    """The question about everybody who is the same person; None where it names nobody who was merged."""
    named = {each for name, value in question.pairs for each in _named(context, types, name, value)}
    if question.within and question.within[0] == PERSON:
        named.add("/".join(question.within))
    groups = await persons.groups(connection, sorted(named)) if named else {}
    others = {each: group for each, group in groups.items() if await _may(context, connection, caller, group)}
    if not others:
        return None
    pairs = tuple((name, _more(context, types, name, value, others)) for name, value in question.pairs)
    within = others.get("/".join(question.within), []) if question.within else []
    return replace(question, pairs=pairs, also=tuple(each.partition("/")[2] for each in within))


async def _may(context: Context, connection: Any, caller: Caller, group: Sequence[str]) -> bool:
    if caller.custodian:
        return True
    keys = [(PERSON, each.partition("/")[2]) for each in group]
    known = await resources.known(connection, keys, caller.viewer)
    return len(await visible(context, connection, caller, known)) == len(group)


def _named(context: Context, types: Sequence[str], name: str, value: str) -> list[str]:
    """The Patients that a reference parameter asks for."""
    code, _, modifier = name.partition(":")
    if modifier not in ("", PERSON) or not any(_refers(type_, code) for type_ in types):
        return []
    bare = modifier == PERSON or code == "patient"
    found = []
    for part in value.split(","):
        key = local(f"{PERSON}/{part}" if bare and "/" not in part else part, context.base)
        if key and key[0] == PERSON:
            found.append("/".join(key))
    return found


def _refers(type_: str, code: str) -> bool:
    parameter = parameters(type_).get(code)
    return parameter is not None and parameter.type == "reference"


def _more(
    context: Context, types: Sequence[str], name: str, value: str, others: Mapping[str, Sequence[str]]
) -> str:
    asked = _named(context, types, name, value)
    more = dict.fromkeys(one for each in asked for one in others.get(each, ()) if one not in asked)
    bare = name.endswith(f":{PERSON}")
    return ",".join([value, *(one.partition("/")[2] if bare else one for one in more)])
