"""Who leads whose case, for people; transfers that wait; conflicts that nobody has settled."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from service.fhir.row import Row
from service.fhir.search import keys
from service.store.console.named import agency, person
from service.store.resources import COLUMNS, row


@dataclass(frozen=True, slots=True)
class Named:
    """A worker for people: the reference, the person's name and the agency's where they are on record."""

    reference: str
    name: str | None
    agency: str | None


@dataclass(frozen=True, slots=True)
class Led:
    """An open case: who leads since when, who stands in until when, how many have led; the transfer that waits."""

    id: str
    since: datetime
    lead: Named
    cover: Named | None
    until: datetime | None
    workers: int
    task: str | None
    accepted: bool | None
    taker: Named | None
    patient: Row | None


_P = ", ".join(f"p.{name}" for name in COLUMNS.split(", "))


_PAGE = f"""
SELECT c.id, c.since, c.worker, {person("c.worker")}, {agency("c.agency")},
  v.worker, {person("v.worker")}, {agency("v.agency")}, v.ends,
  (SELECT count(DISTINCT who) FROM (
     SELECT coalesce(nullif(x.person, ''), x.worker) AS who FROM lead x JOIN course y ON y.id = x.course
     WHERE y.patient = c.patient
     UNION ALL SELECT coalesce(nullif(x.person, ''), x.worker) FROM cover x JOIN course y ON y.id = x.course
     WHERE y.patient = c.patient) everybody),
  c.task, c.accepted, c.taker, {person("c.taker")}, {agency("c.to_agency")}, {_P}
FROM (
  SELECT c.id, c.patient, l.worker, l.agency, l.starts AS since, t.task, t.accepted, t.worker AS taker,
         t.agency AS to_agency
  FROM lead l JOIN course c ON c.lead = l.id LEFT JOIN transfer t ON t.course = c.id
  WHERE l.ends IS NULL AND ($1::text IS NULL OR l.worker = $1) AND (NOT $2 OR t.task IS NOT NULL)
    AND ($4::timestamptz IS NULL OR (l.starts, c.id) < ($4, $5))
  ORDER BY l.starts DESC, c.id DESC LIMIT $6) c
LEFT JOIN cover v ON v.course = c.id AND v.starts <= $3 AND $3 < v.ends
LEFT JOIN resource p ON p.type = 'Patient' AND p.id = substr(c.patient, 9) AND NOT p.deleted
ORDER BY c.since DESC, c.id DESC"""  # noqa: S608


async def page(
    connection: Any, worker: str | None, now: datetime, before: tuple[datetime, str] | None, limit: int,
    *, transfers: bool = False,
) -> list[Led]:  # fmt: skip
    """Open cases, the newest lead first, before the place where the last page ended; of one worker; with `transfers`
    those alone in which one waits."""
    at, last = before or (None, "")
    return [
        _led(tuple(each)) for each in await connection.fetch(_PAGE, worker, transfers, now, at, last, limit)
    ]


def _led(found: tuple[Any, ...]) -> Led:
    id_, since, *rest = found[:15]
    lead, cover, (until, workers, task, accepted), taker = rest[:3], rest[3:6], rest[6:10], rest[10:13]
    return Led(
        id_, since, Named(*lead), Named(*cover) if cover[0] else None, until, workers, task, accepted,
        Named(*taker) if taker[0] else None, row(found[15:]) if found[15] else None,
    )  # fmt: skip


_WORKERS = f"""
SELECT l.worker, {person("l.worker")}, {agency("l.agency")}, l.cases
FROM (SELECT worker, agency, count(*) AS cases FROM lead WHERE ends IS NULL GROUP BY worker, agency) l
ORDER BY l.cases DESC, l.worker"""  # noqa: S608


async def workers(connection: Any) -> list[tuple[Named, int]]:
    """Who leads how many open cases."""
    return [(Named(*tuple(each)[:3]), each[3]) for each in await connection.fetch(_WORKERS)]


_CONFLICTS = f"""
SELECT t.owner, {person("t.owner")}, {agency("t.owner")}, t.id, t.updated, {_P}
FROM (SELECT r.id, r.updated, r.patient, convert_from(r.body, 'UTF8')::json #>> '{{owner,reference}}' AS owner
      FROM resource r WHERE r.type = 'Task' AND NOT r.deleted
        AND r.keys @> ARRAY(SELECT hashtextextended(k, 0) FROM unnest($1::text[]) k)
      ORDER BY r.updated DESC LIMIT $2) t
LEFT JOIN resource p ON p.type = 'Patient' AND p.id = substr(t.patient, 9) AND NOT p.deleted"""  # noqa: S608


async def conflicts(
    connection: Any, code: str, status: str, limit: int
) -> Sequence[tuple[Named, str, datetime, Row | None]]:
    """Tasks of this code and status with their owner: to whom, which Task, since when, about whom."""
    wanted = [keys.token("Task.code", keys.code_of(code)), keys.token("Task.status", keys.code_of(status))]
    found = [tuple(each) for each in await connection.fetch(_CONFLICTS, wanted, limit)]
    return [(Named(*each[:3]), each[3], each[4], row(each[5:]) if each[5] else None) for each in found]
