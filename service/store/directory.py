"""The directory as decisions need it: who an organisation is, and who is meant by what a consent names.

Only entries that the service itself or the casework system wrote count: a partner that could say who works for it
could put itself into a class that a client's consent names.
"""

from collections.abc import Sequence
from typing import Any

from service.fhir.row import Row
from service.fhir.search import keys
from service.store.resources import COLUMNS, row

_AROUND = f"""
WITH RECURSIVE above AS (
  SELECT r.id, substring(convert_from(r.body, 'UTF8')::json #>> '{{partOf,reference}}'
                         FROM 'Organization/([A-Za-z0-9.-]+)$') AS up
  FROM resource r WHERE r.type = 'Organization' AND r.id = ANY($1) AND NOT r.deleted AND r.author = ANY($2)
  UNION
  SELECT r.id, substring(convert_from(r.body, 'UTF8')::json #>> '{{partOf,reference}}'
                         FROM 'Organization/([A-Za-z0-9.-]+)$')
  FROM above a JOIN resource r ON r.type = 'Organization' AND r.id = a.up AND NOT r.deleted AND r.author = ANY($2)
)
SELECT {COLUMNS} FROM resource WHERE type = 'Organization' AND id IN (SELECT id FROM above)
UNION ALL
SELECT {COLUMNS} FROM resource r
WHERE NOT r.deleted AND r.author = ANY($2) AND (r.type, r.id) IN (SELECT * FROM unnest($3::text[], $4::text[]))
UNION ALL
SELECT {COLUMNS} FROM resource r
WHERE NOT r.deleted AND r.author = ANY($2)
  AND r.keys && ARRAY(SELECT hashtextextended(k, 0) FROM unnest($5::text[]) k)"""  # noqa: S608
"""partOf is read in the statement, because the way up is as long as it is."""


async def around(
    connection: Any,
    organizations: Sequence[str],
    named: Sequence[tuple[str, str]],
    people: Sequence[str],
    authors: Sequence[str],
) -> list[Row]:
    """One statement: the organisations (ids) and what they are part of; the entries `named`; the roles of `people`
    (`Practitioner/…`); the networks that the organisations take part in. Written by one of `authors` only."""
    wanted = [keys.target("PractitionerRole.practitioner", each) for each in people]
    if people or named:
        wanted += [
            keys.target("OrganizationAffiliation.participating-organization", f"Organization/{each}")
            for each in organizations
        ]
    types, ids = [type_ for type_, _ in named], [id_ for _, id_ in named]
    found = await connection.fetch(_AROUND, list(organizations), list(authors), types, ids, wanted)
    return [row(each) for each in found]
