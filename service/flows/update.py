"""Update, also as create with the caller's own id: https://hl7.org/fhir/R4/http.html#update"""

from service.fhir.json import JsonObject
from service.fhir.outcome import Issue
from service.flows.caller import Caller
from service.flows.conditional import condition_lock, the_one
from service.flows.context import Context
from service.flows.create import Written
from service.flows.integrity import expect_known
from service.flows.keep import Wish, absent, keep, lock_names
from service.flows.writing import checked, expect_id, spec_of
from service.kernel.failures import Refused
from service.kernel.ids import new_id
from service.store.unit import Unit


async def update(
    context: Context, caller: Caller, id_: str, resource: JsonObject, expected: int | None, *, only_new: bool = False
) -> Written:  # fmt: skip
    """The next version of `type/id`. `expected` (If-Match) is honoured under the row's lock.

    An equal content keeps its version. `only_new` (If-None-Match: *) refuses to change what is there.
    Refused: stale (412), absent (404), forbidden (403), invalid (422).
    """
    type_ = resource["resourceType"]
    spec_of(type_, "update")
    caller.require(type_, "u")
    expect_id(id_)
    expect_own_id(resource, id_)
    issues = checked(context, resource)
    wish = Wish(resource, id_, expected, only_new=only_new)
    async with context.database.unit(*lock_names([wish.key])) as unit:
        return await _kept(context, unit, caller, wish, issues)


async def update_matching(
    context: Context, caller: Caller, resource: JsonObject, criteria: str, expected: int | None
) -> Written:
    """Conditional update (#cond-update): of the one match, or a create where nothing matches.

    A body without an id takes the id of what it matches, or a new one. Refused: ambiguous, malformed when the
    body's id is not that of the match.
    """
    type_ = resource["resourceType"]
    spec_of(type_, "update")
    caller.require(type_, "u")
    issues = checked(context, resource)
    async with context.database.unit(condition_lock(type_, criteria)) as unit:
        found = await the_one(context, unit, caller, type_, criteria)
        wish = meant(resource, found.id if found else None, expected)
        await unit.lock(*lock_names([wish.key]))
        return await _kept(context, unit, caller, wish, issues)


def meant(resource: JsonObject, found: str | None, expected: int | None) -> Wish:
    """The id that a conditional update writes to: the match's, else the body's own, else a new one."""
    own = resource.get("id")
    if found is not None:
        if own is not None:
            expect_own_id(resource, found)
        return Wish({**resource, "id": found}, found, expected)
    if own is not None:
        expect_id(own if isinstance(own, str) else "")
        return Wish(resource, own, expected)
    given = new_id()
    return Wish({**resource, "id": given}, given, expected, fresh=True)


def expect_own_id(resource: JsonObject, id_: str) -> None:
    """The body must say the id it is put under."""
    if resource.get("id") != id_:
        text = f"the body's id must be {id_}, the id of the resource to be updated"
        raise Refused("malformed", text, [Issue("error", "invalid", text, f"{resource['resourceType']}.id")])


async def _kept(context: Context, unit: Unit, caller: Caller, wish: Wish, issues: list[Issue]) -> Written:
    type_, id_ = wish.key
    await expect_known(context, unit, caller, [wish.resource])
    [kept] = await keep(context, unit, caller, [wish], context.clock())
    if kept.created and not spec_of(type_, "update").upsert:
        raise absent(type_, id_)
    return Written(kept, issues)
