"""Resources by identity: current, past and locked. Who may know of a row is part of every question."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from service.fhir.catalogue import DIRECTORY
from service.fhir.row import Row
from service.store.unit import Unit

Viewer = str | None
"""A partner's client_id; None for the custodian (the casework system and the service itself)."""


COLUMNS = "type, id, version, updated, deleted, author, patient, body, rewritten"

_KNOWN = """
  ($3::text IS NULL OR r.author = $3 OR r.type = ANY($4::text[])
   OR EXISTS (SELECT 1 FROM share s WHERE s.party = $3 AND s.type = r.type AND s.id = r.id)
   OR (r.patient IS NOT NULL AND EXISTS (SELECT 1 FROM ground g WHERE g.party = $3 AND g.starts <= now()
         AND (g.ends IS NULL OR now() < g.ends) AND (g.patients IS NULL OR r.patient = ANY(g.patients)))))"""
"""A ground other than consent lets its party know of the clients it is about; consent is asked at each read."""

_READ = f"SELECT {COLUMNS} FROM resource r WHERE r.type = $1 AND r.id = $2 AND {_KNOWN}"  # noqa: S608

_VERSION = f"""
SELECT v.type, v.id, v.version, v.updated, v.deleted, v.author, v.patient, v.body, v.rewritten
FROM resource r JOIN (
  SELECT {COLUMNS} FROM resource WHERE type = $1 AND id = $2 AND version = $5
  UNION ALL SELECT {COLUMNS} FROM resource_version WHERE type = $1 AND id = $2 AND version = $5
) v USING (type, id) WHERE {_KNOWN}"""  # noqa: S608

_CURRENT_AT = """
  ($6::timestamptz IS NULL OR NOT EXISTS (
     SELECT 1 FROM resource n
     WHERE n.type = v.type AND n.id = v.id AND n.version = v.version + 1 AND n.updated <= $6)
   AND NOT EXISTS (
     SELECT 1 FROM resource_version n
     WHERE n.type = v.type AND n.id = v.id AND n.version = v.version + 1 AND n.updated <= $6))"""

_HISTORY = f"""
SELECT v.type, v.id, v.version, v.updated, v.deleted, v.author, v.patient, v.body, v.rewritten
FROM resource r JOIN (
  SELECT {COLUMNS} FROM resource WHERE type = $1 AND id = $2
  UNION ALL SELECT {COLUMNS} FROM resource_version WHERE type = $1 AND id = $2
) v USING (type, id)
WHERE {_KNOWN} AND ($5::timestamptz IS NULL OR v.updated >= $5) AND {_CURRENT_AT}
  AND ($7::timestamptz IS NULL OR v.updated < $7) AND v.version < $8
ORDER BY v.version DESC LIMIT $9"""  # noqa: S608

_PART = """
  SELECT {columns} FROM {table} v JOIN resource r USING (type, id)
  WHERE v.type = t.type AND {known} AND ($5::timestamptz IS NULL OR v.updated >= $5) AND {current}
    AND ($7::timestamptz IS NULL OR v.updated < $7)
    AND ($8::timestamptz IS NULL OR (v.updated, v.type, v.id, v.version) < ($8, $1, $2, $9))
  ORDER BY v.updated DESC, v.id DESC, v.version DESC LIMIT $10"""
_PLACE = "v.updated DESC, v.type DESC, v.id DESC, v.version DESC"
_OF_TYPES = "SELECT {columns} FROM unnest($11::text[]) t(type), LATERAL (({now}) UNION ALL ({past})) v"


def _everywhere() -> str:
    """All versions of some types, newest first: a page of each type by its own index, then one order."""
    columns = ", ".join(f"v.{name}" for name in COLUMNS.split(", "))
    known, current = _KNOWN, _CURRENT_AT
    now, past = (
        _PART.format(columns=columns, table=table, known=known, current=current)
        for table in ("resource", "resource_version")
    )
    return f"{_OF_TYPES.format(columns=columns, now=now, past=past)} ORDER BY {_PLACE} LIMIT $10"


_HISTORIES = _everywhere()


@dataclass(frozen=True, slots=True)
class Span:
    """Versions made at or after `since`, current at some moment of [`low`, `high`); None is no bound."""

    since: datetime | None = None
    low: datetime | None = None
    high: datetime | None = None


ALL_TIME = Span()

Place = tuple[datetime, str, str, int]
"""Where a version is in the order of all histories: updated, type, id, version."""


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
    connection: Any, type_: str, id_: str, viewer: Viewer, before: int, limit: int, span: Span = ALL_TIME
) -> list[Row]:
    """Versions below `before`, newest first, at most `limit`; empty when it does not exist for this viewer."""
    found = await connection.fetch(
        _HISTORY, type_, id_, viewer, DIRECTORY, span.since, span.low, span.high, before, limit
    )
    return [row(each) for each in found]


async def histories(
    connection: Any, types: Sequence[str], viewer: Viewer, behind: Place | None, limit: int, span: Span
) -> list[Row]:
    """Versions of all resources of the types that exist for the viewer, newest first, those `behind` a place."""
    updated, type_, id_, version = behind or (None, "", "", 0)
    found = await connection.fetch(
        _HISTORIES, type_, id_, viewer, DIRECTORY, span.since, span.low, span.high, updated, version, limit, list(types)
    )  # fmt: skip
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


async def lock_known(
    unit: Unit, references: list[tuple[str, str]], viewer: Viewer
) -> tuple[dict[tuple[str, str], Row], set[tuple[str, str]]]:
    """As `lock`: the rows that exist for the viewer, and the keys that are taken by what does not.

    One statement either way, so that what is another's costs what nobody has.
    """
    found = await unit.fetch(
        f"""SELECT {COLUMNS}, {_KNOWN} AS known FROM resource r
            WHERE (r.type, r.id) IN (SELECT * FROM unnest($1::text[], $2::text[]))
            ORDER BY r.type, r.id FOR UPDATE OF r""",  # noqa: S608
        [type_ for type_, _ in references],
        [id_ for _, id_ in references],
        viewer,
        DIRECTORY,
    )
    mine = {(each["type"], each["id"]): row(tuple(each)[:-1]) for each in found if each["known"]}
    return mine, {key for each in found if (key := (each["type"], each["id"])) not in mine}


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


_GONE = f"""
SELECT v.type, v.id, v.version, v.updated, v.deleted, v.author, v.patient, v.body
FROM resource r JOIN resource_version v ON v.type = r.type AND v.id = r.id AND v.version = r.version - 1
WHERE r.type = $1 AND r.deleted AND r.updated > $5 AND r.updated <= $6 AND r.id > $7
  AND ($2::text[] IS NULL OR r.id = ANY($2)) AND {_KNOWN}
ORDER BY r.id LIMIT $8"""  # noqa: S608


async def gone(
    connection: Any, type_: str, viewer: Viewer, span: tuple[datetime, datetime], ids: Sequence[str] | None,
    behind: str, limit: int,
) -> list[Row]:  # fmt: skip
    """What was deleted in (after, until] and is still, as it was before: of a type, by id, `limit` of those `behind`,
    only `ids` where given."""
    wanted = None if ids is None else list(ids)
    found = await connection.fetch(_GONE, type_, wanted, viewer, DIRECTORY, *span, behind, limit)
    return [row(each) for each in found]


async def patients_of(connection: Any, references: Sequence[tuple[str, str]]) -> dict[tuple[str, str], str]:
    """Whose data these are, deleted or not; what is about nobody is left out."""
    found = await connection.fetch(
        """SELECT type, id, COALESCE(patient, CASE WHEN type = 'Patient' THEN 'Patient/' || id END) AS patient
           FROM resource WHERE (type, id) IN (SELECT * FROM unnest($1::text[], $2::text[]))""",
        [type_ for type_, _ in references],
        [id_ for _, id_ in references],
    )
    return {(each["type"], each["id"]): each["patient"] for each in found if each["patient"]}


async def carrying(
    connection: Any,
    keys: Sequence[str],
    except_: Sequence[tuple[str, str]],
    viewer: Viewer,
    behind: tuple[str, str],
    limit: int,
) -> list[Row]:
    """Live rows that exist for the viewer and carry one of the search keys, other than those named: by (type, id),
    `limit` of those `behind`."""
    found = await connection.fetch(
        f"""SELECT {COLUMNS} FROM resource r
            WHERE NOT r.deleted AND r.keys && ARRAY(SELECT hashtextextended(k, 0) FROM unnest($1::text[]) k)
              AND (r.type, r.id) NOT IN (SELECT * FROM unnest($2::text[], $5::text[]))
              AND (r.type, r.id) > ($6, $7) AND {_KNOWN}
            ORDER BY r.type, r.id LIMIT $8""",  # noqa: S608
        list(keys),
        [type_ for type_, _ in except_],
        viewer,
        DIRECTORY,
        [id_ for _, id_ in except_],
        *behind,
        limit,
    )  # fmt: skip
    return [row(each) for each in found]


async def metas(connection: Any, types: Sequence[str], viewer: Viewer) -> list[bytes]:
    """Every `meta` there is among the live rows of the types, once, without what differs from version to version: all
    for the custodian, for a partner its own and the directory's."""
    found = await connection.fetch(
        """SELECT DISTINCT (convert_from(body, 'UTF8')::json -> 'meta')::jsonb - 'versionId' - 'lastUpdated' - 'source'
           FROM resource
           WHERE NOT deleted AND type = ANY($1::text[])
             AND ($2::text IS NULL OR author = $2 OR type = ANY($3::text[]))""",
        list(types), viewer, DIRECTORY,
    )  # fmt: skip
    return [each[0].encode() for each in found if each[0]]


async def shared(
    connection: Any, types: Sequence[str], party: str, behind: tuple[str, str], limit: int
) -> list[Row]:
    """Live rows of the types that were made known to a party, by (type, id), `limit` of those `behind`."""
    found = await connection.fetch(
        f"""SELECT {COLUMNS} FROM resource r
            WHERE NOT r.deleted AND r.type = ANY($1::text[]) AND (r.type, r.id) > ($3, $4)
              AND EXISTS (SELECT 1 FROM share s WHERE s.party = $2 AND s.type = r.type AND s.id = r.id)
            ORDER BY r.type, r.id LIMIT $5""",  # noqa: S608
        list(types), party, *behind, limit,
    )  # fmt: skip
    return [row(each) for each in found]


async def all_of_patient(connection: Any, patient: str, limit: int) -> list[Row]:
    """The client and what is about the client, for questions about consent."""
    found = await connection.fetch(
        f"SELECT {COLUMNS} FROM resource WHERE patient = $1 AND NOT deleted ORDER BY type, id LIMIT $2",  # noqa: S608
        patient,
        limit,
    )
    return [row(each) for each in found]


async def of_patients(connection: Any, patients: Sequence[str], types: Sequence[str]) -> list[Row]:
    """Every live resource of these types about these clients, for decisions of our own (consents, above all)."""
    found = await connection.fetch(
        f"SELECT {COLUMNS} FROM resource WHERE patient = ANY($1) AND type = ANY($2) AND NOT deleted",  # noqa: S608
        list(patients),
        list(types),
    )
    return [row(each) for each in found]
