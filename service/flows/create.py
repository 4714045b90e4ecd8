"""Create: https://hl7.org/fhir/R4/http.html#create and conditional create (#ccreate)."""

from dataclasses import dataclass

from service.fhir.json import JsonObject
from service.fhir.outcome import Issue
from service.flows.caller import Caller
from service.flows.context import Context
from service.flows.keep import Kept, Wish, keep, lock_names
from service.flows.search import matches
from service.flows.writing import checked, spec_of
from service.kernel.failures import Refused
from service.kernel.ids import new_id
from service.store import resources


@dataclass(frozen=True, slots=True)
class Written:
    """The answer to a write, with findings that did not stop it."""

    kept: Kept
    issues: list[Issue]


async def create(context: Context, caller: Caller, resource: JsonObject, if_none_exist: str = "") -> Written:
    """Keep a new resource under an id of ours; with `if_none_exist` (a search), only if nothing matches it.

    Two identical conditional creates at once make one resource: the search runs under a lock of its text.
    """
    type_ = resource["resourceType"]
    spec_of(type_, "create")
    caller.require(type_, "c")
    issues = checked(context, resource)
    wish = Wish(resource, new_id(), fresh=True)
    locks = [f"{type_}?{if_none_exist}"] if if_none_exist else []
    if type_ == "Task":
        locks += lock_names([wish.key])
    async with context.database.unit(*locks) as unit:
        if if_none_exist:
            found = await matches(unit, caller, type_, if_none_exist)
            if len(found) > 1:
                raise Refused(
                    "ambiguous", f"If-None-Exist matches {len(found)} resources; it must match one or none"
                )
            if found and (row := await resources.read(unit, type_, found[0], caller.viewer)):
                return Written(Kept(row, created=False, changed=False), issues)
        [kept] = await keep(context, unit, caller, [wish], context.clock())
    return Written(kept, issues)
