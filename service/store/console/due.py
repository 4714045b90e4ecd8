"""What is due, for people: with the client and the case manager who owes it."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from service.fhir.row import Row
from service.store.console.named import person
from service.store.resources import COLUMNS, row

OPEN = ("soon", "due", "overdue", "escalated")
"""Stages in which somebody is asked."""


@dataclass(frozen=True, slots=True)
class Owed:
    """One thing that is due. `owner` is a case manager's record id or reference, empty for the agency; `worker` that
    record's body, `name` what the reference is called; `patient` None where the resource is not here."""

    id: str
    timer: str
    subject: str
    due: datetime
    stage: str
    owner: str
    worker: bytes | None
    name: str | None
    client: str
    patient: Row | None


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which; None does not narrow. `patient` is `Patient/…`; an empty `owner` is the agency."""

    owner: str | None = None
    stage: str | None = None
    timer: str | None = None
    patient: str | None = None


_STAGES = ", ".join(f"'{each}'" for each in OPEN)
_P = ", ".join(f"p.{name}" for name in COLUMNS.split(", "))
_PAGE = f"""
SELECT i.id, i.timer, i.subject, i.due, i.stage, i.owner, w.body, {person("i.owner")}, d.client, {_P}
FROM due_item i JOIN due_client d ON d.patient = i.patient
LEFT JOIN record w ON w.source = d.source AND w.kind = 'case-managers' AND w.id = i.owner AND NOT w.deleted
LEFT JOIN resource p ON p.type = 'Patient' AND p.id = substr(i.patient, 9) AND NOT p.deleted
WHERE i.stage IN ({_STAGES}) AND ($1::text IS NULL OR i.owner = $1) AND ($2::text IS NULL OR i.stage = $2)
  AND ($3::text IS NULL OR i.timer = $3) AND ($4::text IS NULL OR i.patient = $4)
  AND ($5::timestamptz IS NULL OR (i.due, i.id) > ($5, $6))
ORDER BY i.due, i.id LIMIT $7"""  # noqa: S608


async def page(connection: Any, wanted: Wanted, after: tuple[datetime, str] | None, limit: int) -> list[Owed]:
    """What is asked of somebody now, the longest due first, behind the place where the last page ended."""
    at, last = after or (None, "")
    found = await connection.fetch(
        _PAGE, wanted.owner, wanted.stage, wanted.timer, wanted.patient, at, last, limit
    )
    return [_owed(tuple(each)) for each in found]


def _owed(found: tuple[Any, ...]) -> Owed:
    about: Row | None = row(found[9:]) if found[9] else None
    return Owed(*(*found[:9], about))


_LOADS = f"""
SELECT i.owner, (SELECT w.body FROM record w
    WHERE w.kind = 'case-managers' AND w.id = i.owner AND NOT w.deleted LIMIT 1),
  {person("i.owner")}, count(*) FILTER (WHERE stage = 'escalated'), count(*) FILTER (WHERE stage = 'overdue'),
  count(*) FILTER (WHERE stage = 'due'), count(*) FILTER (WHERE stage = 'soon')
FROM due_item i WHERE stage IN ({_STAGES}) GROUP BY i.owner ORDER BY 4 DESC, 5 DESC, i.owner"""  # noqa: S608


async def loads(connection: Any) -> list[tuple[str, bytes | None, str | None, int, int, int, int]]:
    """By who owes: record id, record, name, how much has gone to the supervisor, is overdue, due today, due soon."""
    return [tuple(each) for each in await connection.fetch(_LOADS)]
