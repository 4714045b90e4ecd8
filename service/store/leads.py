"""Who leads whose case: read at once, moved in one statement, kept for ever. See schema/leads.py for what holds it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from service.coordination.leading import Asked, Course, Cover, Lead, Worker
from service.kernel.ids import new_id
from service.store import persons
from service.store.unit import Unit


@dataclass(frozen=True, slots=True)
class Case:
    """A course with its identity. `episode` is the id of our EpisodeOfCare, `patient` a reference.

    `client`: the casework system's id of the client, where whoever has the case knows it; it is not stored.
    """

    id: str
    episode: str
    patient: str
    source: str
    course: Course = field(default_factory=Course)
    client: str = ""


@dataclass(frozen=True, slots=True)
class Leading:
    """Who leads a client's case at an instant, and who stands in."""

    case: str
    episode: str
    patient: str
    worker: Worker
    since: datetime
    cover: Cover | None = None

    @property
    def acts(self) -> Worker:
        """Whom to turn to: who stands in, else who leads."""
        return self.cover.worker if self.cover else self.worker


_WORKER = "worker, agency, person, record"
_OF = " WHERE course = $1 ORDER BY starts"
_SELECT = "SELECT id, episode, patient, source, closed FROM course"


def lock_name(patient: str) -> str:
    """The advisory lock under which a client's lead moves. It sorts after all others, so it may be taken last."""
    return f"who-leads/{patient}"


async def lock(unit: Unit, patient: str) -> Case | None:
    """The open case of a client, the caller being the only one that may move its lead until the unit ends."""
    await unit.lock(*map(lock_name, await persons.group(unit, patient)))
    return await of_patient(unit, patient)


async def of_patient(connection: Any, patient: str) -> Case | None:
    """The open case of a client (`Patient/…`): its own, else that of who is the same person."""
    sql = f"{_SELECT} WHERE patient = ANY(same_person($1)) AND closed IS NULL ORDER BY patient <> $1 LIMIT 1"
    return await _case(connection, await connection.fetchrow(sql, patient))


async def of_transfer(connection: Any, task: str) -> Case | None:
    """The case whose transfer waits under this Task."""
    sql = f"{_SELECT} WHERE id = (SELECT course FROM transfer WHERE task = $1)"  # noqa: S608
    return await _case(connection, await connection.fetchrow(sql, task))


async def last_of(connection: Any, patient: str) -> Case | None:
    """The open case of a client, else the one closed last."""
    sql = f"{_SELECT} WHERE patient = ANY(same_person($1)) ORDER BY closed DESC NULLS FIRST, patient <> $1 LIMIT 1"
    return await _case(connection, await connection.fetchrow(sql, patient))


async def last_of_episode(connection: Any, episode: str) -> Case | None:
    """The open case of an EpisodeOfCare's id, else the one closed last."""
    sql = f"{_SELECT} WHERE episode = $1 ORDER BY closed DESC NULLS FIRST LIMIT 1"
    return await _case(connection, await connection.fetchrow(sql, episode))


async def who_leads(connection: Any, patients: Sequence[str], at: datetime) -> dict[str, Leading]:
    """Who leads these clients' open cases (or those of who is the same person), and who stands in at `at`; a client
    without an open case is left out."""
    found = await connection.fetch(
        """SELECT asked, c.id, c.episode, c.patient, l.worker, l.agency, l.person, l.record, l.starts,
             v.worker AS v_worker, v.agency AS v_agency, v.person AS v_person, v.record AS v_record,
             v.starts AS v_starts, v.ends AS v_ends
           FROM unnest($1::text[]) asked JOIN course c ON c.patient = ANY(same_person(asked))
           JOIN lead l ON l.id = c.lead
           LEFT JOIN cover v ON v.course = c.id AND v.starts <= $2 AND $2 < v.ends
           WHERE c.closed IS NULL ORDER BY c.patient = asked""",
        list(patients), at,
    )  # fmt: skip
    return {row["asked"]: _leading(row) for row in found}


async def led(connection: Any, source: str, at: datetime | None = None) -> dict[str, str]:
    """Who led each client's case at an instant (None: now), or led it last before: by `Patient/…`, a record's id or a
    reference."""
    found = await connection.fetch(
        """SELECT DISTINCT ON (c.patient) c.patient, COALESCE(NULLIF(l.record, ''), l.worker) AS who
           FROM lead l JOIN course c ON c.id = l.course
           WHERE c.source = $1 AND ($2::timestamptz IS NULL OR l.starts < $2)
           ORDER BY c.patient, l.starts DESC""",
        source, at,
    )  # fmt: skip
    return {row["patient"]: row["who"] for row in found}


async def workers(connection: Any, patient: str) -> int:
    """How many different people have led or stood in for this client, over all courses (004 2.04(2))."""
    found = await connection.fetchrow(
        """SELECT count(DISTINCT who) FROM (
             SELECT COALESCE(NULLIF(l.person, ''), l.worker) AS who FROM lead l JOIN course c ON c.id = l.course
             WHERE c.patient = ANY(same_person($1))
             UNION ALL
             SELECT COALESCE(NULLIF(v.person, ''), v.worker) FROM cover v JOIN course c ON c.id = v.course
             WHERE c.patient = ANY(same_person($1))) everybody""",
        patient,
    )
    return int(found[0])


async def open_(unit: Unit, case: Case) -> None:
    """A new case with its first lead. Refused("conflict") when the client has an open one."""
    [lead] = case.course.leads
    id_ = new_id()
    await unit.execute(
        """WITH course AS (
             INSERT INTO course (id, episode, patient, source, lead, led)
             VALUES ($1, $2, $3, $4, $5, true) RETURNING id)
           INSERT INTO lead (id, course, worker, agency, person, record, starts, open)
           SELECT $5, id, $6, $7, $8, $9, $10, true FROM course""",
        case.id, case.episode, case.patient, case.source, id_, *_facts(lead.worker), lead.starts,
    )  # fmt: skip


async def keep(unit: Unit, case: Case, after: Course) -> None:
    """Remember what a decision made of the case, which is locked."""
    before = case.course
    if len(after.leads) > len(before.leads):
        await _hand(unit, case.id, after.leads[-1])
    elif after.closed != before.closed and after.closed is not None:
        await _close(unit, case.id, after.closed)
    for gone in set(before.covers) - set(after.covers):
        await unit.execute("DELETE FROM cover WHERE course = $1 AND starts = $2", case.id, gone.starts)
    for cover in sorted(set(after.covers) - set(before.covers), key=lambda each: each.starts):
        # what has begun and ends sooner is known to have begun
        begun = any(old.starts == cover.starts for old in before.covers)
        await unit.execute(
            """INSERT INTO cover (course, starts, ends, worker, agency, person, record, began, ended)
               VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $8)""",
            case.id, cover.starts, cover.ends, *_facts(cover.worker), begun,
        )  # fmt: skip
    if before.asked != after.asked:
        await _ask(unit, case.id, after.asked)


async def _hand(unit: Unit, case: str, lead: Lead) -> None:
    """The lead moves: one ends, the next begins, the course names the next, in one statement."""
    await unit.execute(
        """WITH gone AS (
             UPDATE lead SET ends = $3, open = false WHERE course = $1 AND ends IS NULL RETURNING course, ends),
           next AS (
             INSERT INTO lead (id, course, worker, agency, person, record, starts, previous, open)
             SELECT $2, course, $4, $5, $6, $7, ends, ends, true FROM gone RETURNING id)
           UPDATE course SET lead = next.id FROM next WHERE course.id = $1""",
        case, new_id(), lead.starts, *_facts(lead.worker),
    )  # fmt: skip


async def _close(unit: Unit, case: str, at: datetime) -> None:
    await unit.execute(
        """WITH gone AS (UPDATE lead SET ends = $2, open = false WHERE course = $1 AND ends IS NULL)
           UPDATE course SET lead = NULL, led = NULL, closed = $2 WHERE id = $1""",
        case, at,
    )  # fmt: skip


async def _ask(unit: Unit, case: str, asked: Asked | None) -> None:
    if asked is None:
        await unit.execute("DELETE FROM transfer WHERE course = $1", case)
        return
    await unit.execute(
        """INSERT INTO transfer (task, course, asked_by, worker, agency, person, record, accepted)
           VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (task) DO UPDATE SET accepted = EXCLUDED.accepted""",
        asked.id, case, asked.by, *_facts(asked.taker), asked.accepted,
    )  # fmt: skip


async def turned(unit: Unit, now: datetime, limit: int = 100) -> list[tuple[Case, Cover, bool]]:
    """Covers that have begun (True) or ended (False) and of which nobody was told; they are now."""
    found = await unit.fetch(
        f"""UPDATE cover SET began = began OR starts <= $1, ended = ends <= $1 WHERE (course, starts) IN (
              SELECT course, starts FROM cover WHERE (NOT began AND starts <= $1) OR (NOT ended AND ends <= $1)
              ORDER BY starts LIMIT $2 FOR UPDATE SKIP LOCKED)
            RETURNING course, {_WORKER}, starts, ends, ended""",  # noqa: S608
        now, limit,
    )  # fmt: skip
    turns = []
    for row in sorted(found, key=lambda each: each["starts"]):
        case = await _case(unit, await unit.fetchrow(f"{_SELECT} WHERE id = $1", row["course"]))
        if case is not None:
            turns.append((case, Cover(_worker(row), row["starts"], row["ends"]), not row["ended"]))
    return turns


async def _case(connection: Any, found: Any) -> Case | None:
    if found is None:
        return None
    id_ = found["id"]
    leads = await connection.fetch(f"SELECT {_WORKER}, starts, ends FROM lead{_OF}", id_)  # noqa: S608
    covers = await connection.fetch(f"SELECT {_WORKER}, starts, ends FROM cover{_OF}", id_)  # noqa: S608
    sql = f"SELECT task, asked_by, {_WORKER}, accepted FROM transfer WHERE course = $1"  # noqa: S608
    asked = await connection.fetchrow(sql, id_)
    course = Course(
        tuple(Lead(_worker(row), row["starts"], row["ends"]) for row in leads),
        tuple(Cover(_worker(row), row["starts"], row["ends"]) for row in covers),
        Asked(asked["task"], asked["asked_by"], _worker(asked), asked["accepted"]) if asked else None,
        found["closed"],
    )
    return Case(id_, found["episode"], found["patient"], found["source"], course)


def _worker(row: Any) -> Worker:
    return Worker(row["worker"], row["agency"], row["person"], row["record"])


def _facts(worker: Worker) -> Iterator[str]:
    yield from (worker.reference, worker.agency, worker.person, worker.record)


def _leading(row: Any) -> Leading:
    cover = None
    if row["v_worker"] is not None:
        standing = Worker(row["v_worker"], row["v_agency"], row["v_person"], row["v_record"])
        cover = Cover(standing, row["v_starts"], row["v_ends"])
    return Leading(row["id"], row["episode"], row["patient"], _worker(row), row["starts"], cover)


def moved(case: Case, course: Course) -> Case:
    """The case as it is after a decision."""
    return replace(case, course=course)
