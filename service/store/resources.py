"""Resources by identity: current, past and locked. Who may know of a row is part of every question."""

from typing import Any

from service.fhir.catalogue import DIRECTORY
from service.fhir.row import Row
from service.store.unit import Unit

Viewer = str | None
"""A partner's client_id; None for the custodian (the casework system and the service itself)."""


COLUMNS = "type, id, version, updated, deleted, author, patient, body"

_KNOWN = """
  ($3::text IS NULL OR r.author = $3 OR r.type = ANY($4::text[])
   OR EXISTS (SELECT 1 FROM share s WHERE s.party = $3 AND s.type = r.type AND s.id = r.id))"""

_READ = f"SELECT {COLUMNS} FROM resource r WHERE r.type = $1 AND r.id = $2 AND {_KNOWN}"  # noqa: S608

_VERSION = f"""
SELECT v.type, v.id, v.version, v.updated, v.deleted, v.author, v.patient, v.body
FROM resource r JOIN (
  SELECT {COLUMNS} FROM resource WHERE type = $1 AND id = $2 AND version = $5
  UNION ALL SELECT {COLUMNS} FROM resource_version WHERE type = $1 AND id = $2 AND version = $5
) v USING (type, id) WHERE {_KNOWN}"""  # noqa: S608

_HISTORY = f"""
SELECT v.type, v.id, v.version, v.updated, v.deleted, v.author, v.patient, v.body
FROM resource r JOIN (
  SELECT {COLUMNS} FROM resource WHERE type = $1 AND id = $2
  UNION ALL SELECT {COLUMNS} FROM resource_version WHERE type = $1 AND id = $2
) v USING (type, id) WHERE {_KNOWN} AND v.version < $5 ORDER BY v.version DESC LIMIT $6"""  # noqa: S608


def row(record: Any) -> Row:
    """A database record to a Row."""
    return Row(*record)


async def read(connection: Any, type_: str, id_: str, viewer: Viewer) -> Row | None:
    """The current version, deleted or not; None when it does not exist for this viewer."""
    found = await connection.fetchrow(_READ, type_, id_, viewer, DIRECTORY)
    return row(found) if found else None


async def read_version(connection: Any, type_: str, id_: str, version: int, viewer: Viewer) -> Row | None:
    """One version, current or past; None when it does not exist for this viewer."""
    found = await connection.fetchrow(_VERSION, type_, id_, viewer, DIRECTORY, version)
    return row(found) if found else None


async def history(
    connection: Any, type_: str, id_: str, viewer: Viewer, before: int, limit: int
) -> list[Row]:
    """Versions below `before`, newest first, at most `limit`; empty when it does not exist for this viewer."""
    found = await connection.fetch(_HISTORY, type_, id_, viewer, DIRECTORY, before, limit)
    return [row(each) for each in found]


async def lock(unit: Unit, references: list[tuple[str, str]]) -> dict[tuple[str, str], Row]:
    """Lock existing rows (in one order, so that no two units wait for each other) and return them."""
    found = await unit.fetch(
        f"""SELECT {COLUMNS} FROM resource
            WHERE (type, id) IN (SELECT * FROM unnest($1::text[], $2::text[]))
            ORDER BY type, id FOR UPDATE""",  # noqa: S608
        [type_ for type_, _ in references],
        [id_ for _, id_ in references],
    )
    return {(each["type"], each["id"]): row(each) for each in found}


async def known(connection: Any, references: list[tuple[str, str]], viewer: Viewer) -> list[Row]:
    """The live rows of these references that exist for the viewer, in no order."""
    found = await connection.fetch(
        f"""SELECT {COLUMNS} FROM resource r
            WHERE NOT r.deleted AND (r.type, r.id) IN (SELECT * FROM unnest($1::text[], $2::text[]))
              AND {_KNOWN}""",  # noqa: S608
        [type_ for type_, _ in references],
        [id_ for _, id_ in references],
        viewer,
        DIRECTORY,
    )
    return [row(each) for each in found]


async def of_patient(connection: Any, patient: str, type_: str) -> list[Row]:
    """Every live resource of a type about one client, for decisions of our own (consents, above all)."""
    found = await connection.fetch(
        f"SELECT {COLUMNS} FROM resource WHERE patient = $1 AND type = $2 AND NOT deleted",  # noqa: S608
        patient,
        type_,
    )
    return [row(each) for each in found]
