"""Update, also as create with the caller's own id: https://hl7.org/fhir/R4/http.html#update"""

from service.fhir.json import JsonObject
from service.fhir.outcome import Issue
from service.flows.caller import Caller
from service.flows.context import Context
from service.flows.create import Written
from service.flows.keep import Wish, absent, keep, lock_names
from service.flows.writing import checked, expect_id, spec_of
from service.kernel.failures import Refused


async def update(
    context: Context, caller: Caller, id_: str, resource: JsonObject, expected: int | None
) -> Written:
    """The next version of `type/id`. `expected` (If-Match) is honoured under the row's lock.

    An equal content keeps its version. Refused: stale (412), absent (404), forbidden (403), invalid (422).
    """
    type_ = resource["resourceType"]
    spec = spec_of(type_, "update")
    caller.require(type_, "u")
    expect_id(id_)
    if resource.get("id") != id_:
        text = f"the body's id must be {id_}, the id in the URL"
        raise Refused("malformed", text, [Issue("error", "invalid", text, f"{type_}.id")])
    issues = checked(context, resource)
    wish = Wish(resource, id_, expected)
    async with context.database.unit(*lock_names([wish.key])) as unit:
        [kept] = await keep(context, unit, caller, [wish], context.clock())
        if kept.created and not spec.upsert:
            raise absent(type_, id_)
    return Written(kept, issues)
