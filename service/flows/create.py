"""Create: https://hl7.org/fhir/R4/http.html#create and conditional create (#ccreate)."""

from dataclasses import dataclass

from service.fhir.json import JsonObject
from service.fhir.outcome import Issue
from service.flows.caller import Caller
from service.flows.conditional import condition_lock, the_one
from service.flows.context import Context
from service.flows.integrity import expect_known
from service.flows.keep import Kept, Wish, keep, lock_names
from service.flows.writing import checked, spec_of
from service.kernel.ids import new_id


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
    locks = [condition_lock(type_, if_none_exist)] if if_none_exist else []
    if type_ == "Task":
        locks += lock_names([wish.key])
    async with context.database.unit(*locks) as unit:
        if if_none_exist and (found := await the_one(context, unit, caller, type_, if_none_exist)):
            return Written(Kept(found, created=False, changed=False), issues)
        await expect_known(context, unit, caller, [resource])
        [kept] = await keep(context, unit, caller, [wish], context.clock())
    return Written(kept, issues)
