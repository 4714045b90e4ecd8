"""Patch: a description of a change instead of the whole. https://hl7.org/fhir/R4/http.html#patch

JSON Patch and FHIRPath Patch, applied under the row's lock to the version that the caller may see; the result
goes the way of an update: checked, weighed, kept.
"""

import base64
import binascii
from collections.abc import Callable
from functools import partial

from service.consent.security import lowered
from service.fhir.json import BadJson, Json, JsonObject, decode, decode_object
from service.fhir.patch import fhirpath_patch, json_patch
from service.fhir.row import Row
from service.flows.caller import Caller
from service.flows.conditional import condition_lock, the_one
from service.flows.context import Context
from service.flows.create import Written
from service.flows.integrity import expect_known
from service.flows.keep import Wish, absent, keep, lock_names, may_know
from service.flows.permit import visible
from service.flows.writing import checked, expect_id, spec_of
from service.kernel.failures import Refused
from service.store import resources
from service.store.unit import Unit

Change = Callable[[JsonObject], JsonObject]
"""A resource to the resource as it is wanted; Refused when the change does not apply to it."""

JSON_PATCH = "application/json-patch+json"


def by_json_patch(operations: Json) -> Change:
    """RFC 6902."""
    return lambda resource: json_patch(resource, operations)


def by_parameters(parameters: JsonObject) -> Change:
    """FHIRPath Patch."""
    return partial(_with_parameters, parameters=parameters)


def _with_parameters(resource: JsonObject, parameters: JsonObject) -> JsonObject:
    return fhirpath_patch(resource, parameters)


def in_bundle(resource: JsonObject) -> Change:
    """The patch of a Bundle entry: FHIRPath Patch as Parameters, JSON Patch inside a Binary."""
    read = {"Parameters": by_parameters, "Binary": _from_binary}.get(resource["resourceType"])
    if read is None:
        raise Refused("malformed", "a PATCH entry holds Parameters, or a Binary with a JSON Patch")
    return read(resource)


def _from_binary(binary: JsonObject) -> Change:
    kind, data = binary.get("contentType"), binary.get("data")
    if (
        not isinstance(kind, str)
        or kind.partition(";")[0].strip().lower() != JSON_PATCH
        or not isinstance(data, str)
    ):
        raise Refused("malformed", f"the Binary of a PATCH entry has contentType {JSON_PATCH} and data")
    try:
        return by_json_patch(decode(base64.b64decode(data, validate=True)))
    except (binascii.Error, ValueError, BadJson):
        raise Refused("malformed", "the data of the Binary is not a JSON Patch in base64") from None


async def patch(
    context: Context, caller: Caller, type_: str, id_: str, change: Change, expected: int | None
) -> Written:
    """The next version of `type/id`. Refused: absent, gone, stale, unprocessable (does not apply), invalid."""
    _expect_allowed(caller, type_)
    expect_id(id_)
    async with context.database.unit(*lock_names([(type_, id_)])) as unit:
        return await _kept(context, unit, caller, (type_, id_), change, expected)


async def patch_matching(
    context: Context, caller: Caller, type_: str, criteria: str, change: Change, expected: int | None
) -> Written:
    """Conditional patch: of the one match. Refused: absent when there is none, ambiguous for several."""
    _expect_allowed(caller, type_)
    async with context.database.unit(condition_lock(type_, criteria)) as unit:
        found = await the_one(context, unit, caller, type_, criteria)
        if found is None:
            raise Refused("absent", f"no resource of type {type_} matches")
        await unit.lock(*lock_names([(type_, found.id)]))
        return await _kept(context, unit, caller, (type_, found.id), change, expected)


def _expect_allowed(caller: Caller, type_: str) -> None:
    spec_of(type_, "patch")
    caller.require(type_, "u")


async def _kept(
    context: Context, unit: Unit, caller: Caller, key: tuple[str, str], change: Change, expected: int | None
) -> Written:
    held, _ = await resources.lock_known(unit, [key], caller.viewer)
    resource = await patched(context, unit, caller, key, held.get(key), change, expected)
    issues = checked(context, resource)
    await expect_known(context, unit, caller, [resource])
    wish = Wish(resource, key[1], expected, relabels=caller.custodian)
    [kept] = await keep(context, unit, caller, [wish], context.clock())
    return Written(kept, issues)


async def patched(
    context: Context, unit: Unit, caller: Caller, key: tuple[str, str], row: Row | None, change: Change,
    expected: int | None,
) -> JsonObject:  # fmt: skip
    """The changed content of a locked row. What the caller may not see cannot be tried out with a patch."""
    known = row is not None and await may_know(context, unit, caller, row)
    seen = await visible(context, unit, caller, [row]) if row is not None and known else []
    if not seen:
        raise absent(*key)
    [shown] = seen
    if shown.deleted:
        raise Refused("gone", f"{shown.reference} was deleted")
    if expected not in (None, shown.version):
        raise Refused("stale", f"If-Match names version {expected}, which is not the current one")
    before = decode_object(shown.body or b"")
    after = change(before)
    if lowered(before, after) and not caller.custodian:
        text = f"the security labels of {shown.reference} stay: only the custodian may take one away"
        raise Refused("forbidden", text)
    return after
