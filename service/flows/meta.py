"""$meta, $meta-add, $meta-delete: https://hl7.org/fhir/R4/resource-operations.html

Profiles, tags and security labels of one resource. Adding and taking away makes a new version, like any other
change: what a version said about itself stays true.
"""

from functools import partial

from service.fhir.catalogue import catalogue
from service.fhir.json import Json, JsonObject, decode_object
from service.flows.caller import Caller
from service.flows.context import Context
from service.flows.patch import patch
from service.flows.permit import visible
from service.flows.read import read
from service.flows.writing import spec_of
from service.kernel.failures import Refused
from service.store import resources

_LISTS = ("profile", "security", "tag")
PAGE = 200


async def meta(
    context: Context, caller: Caller, type_: str, id_: str, version: int | None = None
) -> JsonObject:
    """Parameters with `return`, the meta of a version."""
    row = await read(context, caller, type_, id_, version)
    return _answer(decode_object(row.body or b"").get("meta"))


async def meta_of_all(context: Context, caller: Caller, type_: str | None) -> JsonObject:
    """Parameters with `return`: every profile, label and tag that is in use in a type or in all of them, as far as
    the caller may see them."""
    if type_ is not None:
        spec_of(type_, "search")
        caller.require(type_, "s")
    types = [type_] if type_ is not None else [each for each in catalogue if caller.allows(each, "s")]
    found: dict[str, dict[object, Json]] = {name: {} for name in _LISTS}

    def take(given: Json) -> None:
        for name in _LISTS:
            rows = given.get(name) if isinstance(given, dict) else None
            for row in rows if isinstance(rows, list) else []:
                found[name].setdefault(_name(row), row)

    async with context.database.reading() as connection:
        for body in await resources.metas(connection, types, caller.viewer):
            take(decode_object(body))
        behind = ("", "")
        while not caller.custodian and (
            page := await resources.shared(connection, types, caller.client_id, behind, PAGE)
        ):
            for row in await visible(context, connection, caller, page):
                take(decode_object(row.body or b"{}").get("meta"))
            behind = (page[-1].type, page[-1].id)
    whole = {name: [rows[key] for key in sorted(rows, key=str)] for name, rows in found.items() if rows}
    return _answer(whole)


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
