"""Entries of the directory by who wrote them: the service and the case-management systems, or a list (`list:NAME`)."""

from typing import Any

from service.fhir.row import Row
from service.store.resources import COLUMNS, row

_TYPES = ["Organization", "Location", "HealthcareService"]


async def active_of(connection: Any, author: str) -> list[tuple[str, str]]:
    """(type, id) of the entries of one author that are active."""
    found = await connection.fetch(
        """SELECT type, id FROM resource WHERE type = ANY($1::text[]) AND author = $2 AND NOT deleted
           AND convert_from(body, 'UTF8')::json ->> 'active' IS DISTINCT FROM 'false'
           AND convert_from(body, 'UTF8')::json ->> 'status' IS DISTINCT FROM 'inactive' ORDER BY type, id""",
        _TYPES, author,
    )  # fmt: skip
    return [(each["type"], each["id"]) for each in found]


async def page(connection: Any, type_: str, after: str, limit: int = 500) -> list[Row]:
    """Entries of a type after an id that no partner wrote: what partners say of themselves is not our directory."""
    found = await connection.fetch(
        f"""SELECT {COLUMNS} FROM resource r WHERE type = $1 AND id > $2 AND NOT deleted
            AND (author = '' OR author LIKE 'list:%' OR EXISTS (
              SELECT 1 FROM partner p WHERE p.client_id = r.author AND 'casework' = ANY(p.roles)))
            ORDER BY id LIMIT $3""",  # noqa: S608
        type_, after, limit,
    )  # fmt: skip
    return [row(each) for each in found]
