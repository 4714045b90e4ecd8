"""A partner has filed something beside a referral: the case-management system hears of it in its own words.

Told in the commit of what was filed. What no record has a place for is named in the event and stays in the resource.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from service.fhir.json import JsonObject, decode_object, encode
from service.fhir.references import local, texts
from service.fhir.row import Row
from service.flows.caller import Caller
from service.flows.context import Context
from service.kernel.clock import instant
from service.mapping import inbound
from service.mapping.context import MappingContext, Source
from service.mapping.received import KINDS, NEWS, result, told
from service.store import partners, records, resources
from service.store.partners import Partner
from service.store.unit import Told, Unit


async def tell_received(
    context: Context, unit: Unit, caller: Caller, filed: Sequence[Row], now: datetime
) -> None:
    """One event for each care plan, encounter, response, service or result among the new versions of a partner."""
    news = [row for row in filed if row.type in NEWS and row.body]
    home = await partners.home(unit) if news and not caller.custodian else None
    if home is None:
        return
    contents = {row.reference: decode_object(row.body) for row in filed if row.body}
    for row in news:
        body = await _body(context, unit, home, caller, row, contents, now)
        if body is not None:
            unit.tell(Told(home.client_id, NEWS[row.type], now, encode(body)))


async def _body(
    context: Context, unit: Unit, home: Partner, caller: Caller, row: Row, contents: dict[str, JsonObject],
    now: datetime,
) -> JsonObject | None:  # fmt: skip
    resource = contents[row.reference]
    client = await records.becoming(unit, home.client_id, row.patient) if row.patient else None
    said: JsonObject = {
        "kind": NEWS[row.type],
        "at": instant(now),
        "partner": caller.name,
        "version": row.version,
    }
    if client is not None:
        said["client"] = client.id
    if row.type not in KINDS:
        found = result(resource)
        return {**said, "resource": row.reference, "result": found} if found is not None else None
    said["record"] = f"{KINDS[row.type]}/{row.id}"
    others = [other for reference, other in contents.items() if reference != row.reference]
    missing = await around(unit, resource, contents)
    try:
        notes = [note.text for note in told(resource, [*others, *missing], mapping_of(context, home)).notes]
    except LookupError as error:
        notes = [str(error)]
    return {**said, "notCarried": notes} if notes else said


def mapping_of(context: Context, home: Partner) -> MappingContext:
    """What the mapping is told when a partner's resource is read for the case-management system."""
    source = Source(home.client_id, home.organization, None, home.name)
    return MappingContext(context.base, context.clock(), source)


async def around(connection: Any, resource: JsonObject, known: dict[str, JsonObject]) -> list[JsonObject]:
    """The stored resources that a resource names and `known` does not hold."""
    keys = {key for text in texts(resource) if (key := local(text)) is not None}
    wanted = sorted(key for key in keys if f"{key[0]}/{key[1]}" not in known)
    found = await resources.known(connection, wanted, None) if wanted else []
    return [decode_object(row.body) for row in found if row.body]


async def not_carried(
    context: Context, unit: Unit, home: Partner, task: JsonObject, filed: Sequence[Row]
) -> list[str]:
    """What the records made of a partner's referral have no place for."""
    contents = {row.reference: decode_object(row.body) for row in filed if row.body}
    beside = [*contents.values(), *await around(unit, task, contents)]
    for each in await around(
        unit, {"all": beside}, {f"{r['resourceType']}/{r.get('id')}": r for r in beside}
    ):
        beside.append(each)
    found = inbound.read(beside, mapping_of(context, home))
    notes = [note.text for each in found if each.task == task.get("id") for note in each.referral.notes]
    notes += [
        note.text
        for each in found
        if each.client and each.task == task.get("id")
        for note in each.client.notes
    ]
    return list(dict.fromkeys(notes))
