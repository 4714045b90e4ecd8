"""Never none and never two: in PostgreSQL, with everybody at once, and against whoever writes past the rules."""

import asyncio
import random
from datetime import UTC, datetime, timedelta

import asyncpg
import pytest

from service.coordination.leading import (
    Answer,
    Assign,
    Close,
    Conflict,
    Cover,
    Moved,
    StandIn,
    Transfer,
    Wish,
    Worker,
    decide,
)
from service.kernel.failures import Refused
from service.kernel.ids import new_id
from service.store import leads
from service.store.database import Database
from service.store.leads import Case

HARBOR, NORTHSIDE = "Organization/harbor", "Organization/northside"
WORKERS = (
    Worker("PractitionerRole/victoria", HARBOR, "Practitioner/victoria", "victoria-chen"),
    Worker("PractitionerRole/ana", HARBOR),
    Worker("PractitionerRole/marcus", NORTHSIDE),
)
VICTORIA, ANA, MARCUS = WORKERS
START = datetime(2026, 3, 2, 9, tzinfo=UTC)

FAULTS = """
WITH spans AS (SELECT l.*, lead(starts) OVER (PARTITION BY course ORDER BY starts) AS next FROM lead l)
SELECT 'gap or overlap' FROM spans WHERE next IS NOT NULL AND next IS DISTINCT FROM ends
UNION ALL SELECT 'last one closed' FROM spans JOIN course c ON c.id = course
  WHERE next IS NULL AND ends IS DISTINCT FROM c.closed
UNION ALL SELECT 'open without one' FROM course c WHERE closed IS NULL
  AND (SELECT count(*) FROM lead l WHERE l.course = c.id AND l.ends IS NULL) <> 1
UNION ALL SELECT 'two open cases' FROM course WHERE closed IS NULL GROUP BY patient HAVING count(*) > 1
UNION ALL SELECT 'names another' FROM course c JOIN lead l ON l.id = c.lead WHERE l.course <> c.id OR l.ends IS NOT NULL
"""


@pytest.fixture
async def store(database: Database) -> Database:
    async with database.unit() as unit:
        await unit.execute(
            """INSERT INTO partner (client_id, name, organization, roles, scopes, created_at)
               VALUES ('harbor', 'Harbor', 'Organization/harbor', '{casework}', '{}', $1)""",
            START,
        )
    return database


async def steer(store: Database, patient: str, wish: Wish, now: datetime) -> str:
    """As the flow does it: lock, decide, remember."""
    async with store.unit() as unit:
        case = await leads.lock(unit, patient)
        fresh = case or Case(new_id(), f"episode-of-{patient[8:]}", patient, "harbor")
        verdict = decide(fresh.course, wish, now)
        if not isinstance(verdict, Moved):
            return type(verdict).__name__
        if case is None:
            await leads.open_(unit, leads.moved(fresh, verdict.course))
        else:
            await leads.keep(unit, case, verdict.course)
    return verdict.happened


def wished(dice: random.Random, now: datetime) -> Wish:
    worker, by = dice.choice(WORKERS), dice.choice((HARBOR, NORTHSIDE))
    match dice.randrange(10):
        case 0 | 1:
            return Assign(worker)
        case 2 | 3 | 4:
            return Transfer(worker, by, new_id())
        case 5 | 6 | 7:
            return Answer("", by, dice.choice(("accepted", "completed", "completed", "rejected")))
        case 8:
            start = now + dice.randint(-2, 5) * timedelta(days=1)
            return StandIn(Cover(worker, start, start + timedelta(days=3)), by)
        case _:
            return Close()


async def agent(store: Database, patient: str, seed: int) -> list[str]:
    """Somebody who does as they please, answering whatever waits."""
    dice, seen = random.Random(seed), []
    for step in range(5):
        now = START + timedelta(hours=step * 7 + dice.random())
        wish = wished(dice, now)
        if isinstance(wish, Answer):
            async with store.reading() as connection:
                case = await leads.of_patient(connection, patient)
            wish = Answer(case.course.asked.id if case and case.course.asked else "", wish.by, wish.reply)
        seen.append(await steer(store, patient, wish, now))
    return seen


async def test_with_everybody_at_once_never_none_and_never_two(store: Database) -> None:
    done: list[str] = []
    for block in range(0, 300, 20):
        found = await asyncio.gather(
            *(
                agent(store, f"Patient/{n}", n * 10 + who)
                for n in range(block, block + 20)
                for who in range(3)
            )
        )
        done += [each for seen in found for each in seen]
    async with store.reading() as connection:
        assert [row[0] for row in await connection.fetch(FAULTS)] == []
        assert (await connection.fetchrow("SELECT count(*) FROM lead"))[0] > 500
    for happened in ("lead-assigned", "lead-transferred", "lead-closed", "cover-planned", Conflict.__name__):
        assert done.count(happened) > 50, happened


async def test_two_first_assignments_at_once_make_one_lead_and_one_conflict(store: Database) -> None:
    for n in range(20):
        both = [steer(store, f"Patient/{n}", Assign(worker), START) for worker in (VICTORIA, MARCUS)]
        assert sorted(await asyncio.gather(*both)) == ["Conflict", "lead-assigned"]


async def test_what_was_remembered_is_what_was_decided(store: Database) -> None:
    await steer(store, "Patient/1", Assign(VICTORIA), START)
    await steer(store, "Patient/1", Transfer(MARCUS, HARBOR, "t1"), START + timedelta(days=1))
    await steer(store, "Patient/1", StandIn(Cover(ANA, START, START + timedelta(days=9)), HARBOR), START)
    at = START + timedelta(days=2)
    async with store.reading() as connection:
        case = await leads.of_transfer(connection, "t1")
        leading = (await leads.who_leads(connection, ["Patient/1", "Patient/2"], at))["Patient/1"]
    assert case is not None
    assert case.course.asked is not None
    assert (case.patient, case.course.asked.taker, case.course.lead) == (
        "Patient/1",
        MARCUS,
        case.course.leads[0],
    )
    assert (leading.worker, leading.acts, leading.worker.record) == (VICTORIA, ANA, "victoria-chen")
    await steer(store, "Patient/1", Answer("t1", NORTHSIDE, "completed"), at)
    async with store.reading() as connection:
        leading = (await leads.who_leads(connection, ["Patient/1"], at))["Patient/1"]
        assert await leads.workers(connection, "Patient/1") == 3
    assert (leading.worker, leading.since, leading.cover) == (MARCUS, at, None)


async def test_a_case_that_was_closed_can_begin_again(store: Database) -> None:
    for wish in (Assign(VICTORIA), Close(), Assign(MARCUS)):
        await steer(store, "Patient/1", wish, START)
    async with store.reading() as connection:
        leading = await leads.who_leads(connection, ["Patient/1"], START + timedelta(days=1))
        assert [row[0] for row in await connection.fetch(FAULTS)] == []
    assert leading["Patient/1"].worker == MARCUS


@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE lead SET ends = starts + interval '1 day', open = false",  # nobody leads
        "UPDATE course SET lead = NULL, led = NULL",
        "DELETE FROM lead",
        "INSERT INTO lead (id, course, worker, agency, starts, open) SELECT 'x', id, 'w', 'a', now(), true FROM course",
        """WITH gone AS (UPDATE lead SET ends = starts + interval '1 day', open = false RETURNING course, ends),
             next AS (INSERT INTO lead (id, course, worker, agency, starts, previous, open)
               SELECT 'x', course, 'w', 'a', ends + interval '1 hour', ends + interval '1 hour', true FROM gone)
           UPDATE course SET lead = 'x'""",  # a gap
        """INSERT INTO lead (id, course, worker, agency, starts, ends, previous, open)
           SELECT 'x', course, 'w', 'a', starts, starts + interval '1 hour', starts, false FROM lead""",  # beside
    ],
)
async def test_the_database_itself_refuses_none_two_and_gaps(store: Database, sql: str) -> None:
    await steer(store, "Patient/1", Assign(VICTORIA), START)
    with pytest.raises((asyncpg.IntegrityConstraintViolationError, Refused)):
        async with store.unit() as unit:
            await unit.execute(sql)
