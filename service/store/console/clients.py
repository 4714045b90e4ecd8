"""One client's resources, the newest of each type."""

from collections.abc import Sequence
from typing import Any

from service.fhir.row import Row
from service.store.resources import COLUMNS, row

_COLUMNS = ", ".join(f"r.{name}" for name in COLUMNS.split(", "))


async def newest(connection: Any, patient: str, types: Sequence[str], each: int) -> list[Row]:
    """Up to `each` live rows of every type about the client (`Patient/…`), newest first within a type."""
    found = await connection.fetch(
        f"""SELECT {_COLUMNS} FROM unnest($2::text[]) WITH ORDINALITY t(type, place), LATERAL (
              SELECT {COLUMNS} FROM resource x WHERE x.patient = $1 AND x.type = t.type AND NOT x.deleted
              ORDER BY x.updated DESC, x.id LIMIT $3) r
            ORDER BY t.place, r.updated DESC""",  # noqa: S608
        patient, list(types), each,
    )  # fmt: skip
    return [row(found_) for found_ in found]
