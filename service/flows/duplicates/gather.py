"""The services of one client, from everything that is filed of the client by whomever."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from service.coordination.duplicates import Served
from service.fhir.json import JsonObject, decode_object
from service.fhir.references import local
from service.fhir.row import Row
from service.flows.context import Context
from service.mapping import served
from service.store import partners, resources

TYPES = (*served.KINDS, "Task")


@dataclass(frozen=True, slots=True)
class Caseload:
    """`services` by id, over or not; `rows`: resource → its row."""

    services: dict[str, Served]
    rows: dict[str, Row]

    def row(self, id_: str) -> Row | None:
        """The row that a service stands in; None when it is gone."""
        return self.rows.get(id_.partition("#")[0])


def today(context: Context) -> date:
    """The day where the agency is."""
    return context.clock().astimezone(context.settings.zone).date()


async def services_of(
    context: Context, connection: Any, patients: Sequence[str], instead: Sequence[tuple[JsonObject, str]] = ()
) -> Caseload:
    """What is asked for, planned and given for a client, under every Patient that is this person. `instead`: resources
    about to be written, each with the Organization that writes it."""
    rows = {row.reference: row for row in await resources.of_patients(connection, patients, TYPES)}
    held = {reference: decode_object(row.body or b"{}") for reference, row in rows.items()}
    fresh = {f"{each['resourceType']}/{each['id']}": each for each, _ in instead}
    held |= fresh
    authors = await _organizations(connection, rows)
    authors |= {f"{each['resourceType']}/{each['id']}": who for each, who in instead}
    known = served.Known(
        await _agencies(connection, context.base, list(held.values())), authors, context.base, today(context)
    )
    found = served.served(held.values(), known)
    return Caseload({each.id: each for each in found}, rows)


async def _organizations(connection: Any, rows: dict[str, Row]) -> dict[str, str]:
    """Resource → the Organization of its author."""
    authors = {row.author for row in rows.values()}
    if not authors:
        return {}
    known: dict[str, str] = {
        each.client_id: each.organization for each in await partners.everyone(connection)
    }
    home = await partners.home(connection)
    ours = home.organization if home else ""
    return {reference: known.get(row.author, ours) for reference, row in rows.items()}


async def _agencies(connection: Any, base: str, held: Sequence[JsonObject]) -> dict[str, str]:
    """Roles and programmes → the Organization they are of."""
    named = {key for each in held for text in served.mentions(each) if (key := local(text, base))}
    found: dict[str, str] = {}
    for row in await resources.known(connection, sorted(named), None) if named else []:
        body = decode_object(row.body or b"{}")
        said = body.get("organization") or body.get("providedBy") or {}
        key = local(str(said.get("reference", "")), base)
        if key:
            found[row.reference] = "/".join(key)
    return found
