"""The directory as HSDS-FHIR, and the entries that nobody has vouched for in a long time."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import date

from service.fhir.json import JsonObject, decode_object
from service.fhir.row import Row
from service.flows.audit.witness import act
from service.flows.context import Context
from service.mapping.hsds.told import TYPES, told
from service.mapping.names import ASSURED_ON
from service.mapping.parts import extension
from service.store import programmes

PROGRAMME = "HealthcareService"


async def export(context: Context) -> AsyncIterator[JsonObject]:
    """Every active Organization, Location and HealthcareService that the service, the case-management system or a
    list wrote, as HSDS-FHIR 1.0 has it. Nothing about clients is read."""
    await context.database.record([act(context, "administration", "directory-exported")])
    for type_ in TYPES:
        async for row in _rows(context, type_):
            made = told(decode_object(row.body or b""))
            if made is not None:
                yield made


@dataclass(frozen=True, slots=True)
class Stale:
    """An active programme that nobody vouched for since `assured`. `source`: the list it came from, or ''."""

    reference: str
    name: str
    agency: str
    source: str
    assured: date
    days: int


async def stale(context: Context, days: int) -> list[Stale]:
    """Active programmes last assured (or, where that is not said, last changed) more than `days` days ago, oldest
    first."""
    today = context.clock().astimezone(context.settings.zone).date()
    found = []
    async for row in _rows(context, PROGRAMME):
        service = decode_object(row.body or b"")
        one = _aged(row, service, today)
        if service.get("active", True) is True and one.days > days:
            found.append(one)
    return sorted(found, key=lambda each: (each.assured, each.name))


def _aged(row: Row, service: JsonObject, today: date) -> Stale:
    said = extension(service, ASSURED_ON, "valueDate")
    assured = date.fromisoformat(said) if isinstance(said, str) and len(said) == 10 else row.updated.date()
    agency = service.get("providedBy", {}).get("display", "")
    source = row.author.removeprefix("list:") if row.author.startswith("list:") else ""
    return Stale(row.reference, service.get("name", ""), agency, source, assured, (today - assured).days)


async def _rows(context: Context, type_: str) -> AsyncIterator[Row]:
    after = ""
    while True:
        async with context.database.reading() as connection:
            rows = await programmes.page(connection, type_, after)
        for row in rows:
            yield row
        if not rows:
            return
        after = rows[-1].id
