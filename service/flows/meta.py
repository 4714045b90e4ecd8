"""$meta, $meta-add, $meta-delete: https://hl7.org/fhir/R4/resource-operations.html

Profiles, tags and security labels of one resource. Adding and taking away makes a new version, like any other
change: what a version said about itself stays true.
"""

from functools import partial

from service.fhir.json import Json, JsonObject, decode_object
from service.flows.caller import Caller
from service.flows.context import Context
from service.flows.patch import patch
from service.flows.read import read
from service.kernel.failures import Refused

_LISTS = ("profile", "security", "tag")


async def meta(
    context: Context, caller: Caller, type_: str, id_: str, version: int | None = None
) -> JsonObject:
    """Parameters with `return`, the meta of a version."""
    row = await read(context, caller, type_, id_, version)
    return _answer(decode_object(row.body or b"").get("meta"))


async def meta_add(
    context: Context, caller: Caller, type_: str, id_: str, given: Json, expected: int | None
) -> JsonObject:
    """Add what is not there yet."""
    change = partial(_changed, given=_expect_meta(given), add=True)
    done = await patch(context, caller, type_, id_, change, expected)
    return _answer(decode_object(done.kept.row.body or b"").get("meta"))


async def meta_delete(
    context: Context, caller: Caller, type_: str, id_: str, given: Json, expected: int | None
) -> JsonObject:
    """Take away what is there; what is not is no error."""
    change = partial(_changed, given=_expect_meta(given), add=False)
    done = await patch(context, caller, type_, id_, change, expected)
    return _answer(decode_object(done.kept.row.body or b"").get("meta"))


def _answer(found: Json) -> JsonObject:
    return {"resourceType": "Parameters", "parameter": [{"name": "return", "valueMeta": found or {}}]}


def _expect_meta(given: Json) -> dict[str, list[Json]]:
    lists = {name: given.get(name, []) for name in _LISTS} if isinstance(given, dict) else {}
    if not lists or not all(isinstance(each, list) for each in lists.values()):
        raise Refused("malformed", "the parameter meta is one Meta with profiles, security labels or tags")
    return lists


def _changed(resource: JsonObject, given: dict[str, list[Json]], add: bool) -> JsonObject:
    meta = dict(resource.get("meta") or {})
    for name, rows in given.items():
        names = {_name(row) for row in rows}
        held = meta.get(name, [])
        if add:
            known = {_name(row) for row in held}
            kept = [*held, *(row for row in rows if _name(row) not in known)]
        else:
            kept = [row for row in held if _name(row) not in names]
        meta = {**meta, name: kept} if kept else {key: value for key, value in meta.items() if key != name}
    return {**resource, "meta": meta}


def _name(row: Json) -> object:
    """Two codings are the same by system and code, two profiles by their URL."""
    return (str(row.get("system")), str(row.get("code"))) if isinstance(row, dict) else str(row)
