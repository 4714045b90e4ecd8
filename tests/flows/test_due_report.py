"""Timeliness and caseloads of a thousand invented clients are what a second calculation says: plain SQL over the records,
which shares nothing with the service but the table of holidays."""

from collections.abc import AsyncIterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from parts import Service, running

from service.flows.due import calendars, report
from service.store.records import Kept
from tests.flows.due_crowd import crowd

NOW = datetime(2026, 7, 1, 17, tzinfo=UTC)
HOLIDAYS = ["2025-05-26", "2025-07-04", "2025-11-27", "2025-12-25", "2026-01-01", "2026-05-25"]
MONTH = "2026-05"
DAYS = """
CREATE FUNCTION pg_temp.wd(day date, count int) RETURNS date LANGUAGE sql AS $$
  SELECT d::date FROM generate_series(day + 1, day + 200, '1 day') d
  WHERE extract(isodow FROM d) < 6 AND NOT d::date = ANY ($HOLIDAYS) ORDER BY d OFFSET count - 1 LIMIT 1 $$"""
FACTS = """
WITH r AS (
  SELECT kind, id, convert_from(body, 'UTF8')::jsonb AS j FROM record WHERE NOT deleted
), client AS (
  SELECT id, (j #>> '{episode,start}')::date AS opened, (j #>> '{episode,end}')::date AS ended,
         j #>> '{episode,intensity}' AS tier, j #>> '{episode,primaryCaseManager}' AS worker
  FROM r WHERE kind = 'clients'
), assessed AS (
  SELECT DISTINCT j ->> 'client' AS client, (j ->> 'taken')::date AS day FROM r
  WHERE kind = 'assessments' AND j ->> 'instrument' = 'prapare'
), plan AS (
  SELECT j ->> 'client' AS client, (j ->> 'created')::date AS day, j FROM r WHERE kind = 'care-plans'
), reviewed AS (
  SELECT DISTINCT p.client, (x ->> 'on')::date AS day, p.day AS planned
  FROM plan p, jsonb_array_elements(p.j -> 'reviews') x
), signed AS (
  SELECT client, max((x ->> 'at')::timestamptz AT TIME ZONE 'America/Chicago')::date AS day
  FROM plan, jsonb_array_elements(j -> 'signatures') x GROUP BY client HAVING count(*) = 2
), started AS (
  SELECT j ->> 'client' AS client, j ->> 'referral' AS about, (j #>> '{period,start}')::date AS day
  FROM r WHERE kind = 'service-outcomes'
), asked AS (
  SELECT j ->> 'client' AS client, j ->> 'referral' AS about, (j ->> 'asked')::date AS day
  FROM r WHERE kind = 'satisfactions'
), contact AS (
  SELECT j ->> 'client' AS client, ((j ->> 'start')::timestamptz AT TIME ZONE 'America/Chicago')::date AS day,
         j ->> 'mode' AS mode
  FROM r WHERE kind = 'encounters' AND j ->> 'status' = 'finished' AND j ->> 'direct' = 'true'
)"""
TIMELINESS = (
    FACTS
    + """, complaint AS (
  SELECT j ->> 'client' AS client, ((j ->> 'received')::timestamptz AT TIME ZONE 'America/Chicago')::date AS day,
         CASE WHEN (j #>> '{replies,0,at}')::timestamptz <= $2
           THEN ((j #>> '{replies,0,at}')::timestamptz AT TIME ZONE 'America/Chicago')::date END AS answered
  FROM r WHERE kind = 'complaints'
), met AS MATERIALIZED (
  SELECT client, day, date_trunc('month', day::timestamp) AS m,
         row_number() OVER (PARTITION BY client, date_trunc('month', day::timestamp) ORDER BY day) AS number
  FROM contact
), gpra AS (
  SELECT j ->> 'client' AS client, j ->> 'type' AS type, (j ->> 'date')::date AS day,
         (SELECT (updated AT TIME ZONE 'America/Chicago')::date FROM record k
          WHERE k.kind = r.kind AND k.id = r.id) AS entered
  FROM r WHERE kind = 'gpra-interviews'
), month AS (
  SELECT c.id AS client, (g.m + interval '1 month - 1 day')::date AS last, met.day AS done
  FROM client c CROSS JOIN LATERAL generate_series(date_trunc('month', c.opened::timestamp) + interval '1 month',
    coalesce(date_trunc('month', c.ended::timestamp) - interval '1 day', $1::date::timestamp), '1 month') AS g(m)
  LEFT JOIN met ON met.client = c.id AND met.m = g.m AND met.number = 4
  WHERE c.tier = 'intensive'
), due (timer, client, last, done) AS (
  SELECT 'T1', j ->> 'client', pg_temp.wd((j #>> '{period,start}')::date, 2),
         (SELECT min(day) FROM started s WHERE s.about = r.id)
  FROM r WHERE kind = 'referrals'
  UNION ALL SELECT 'T2', client, pg_temp.wd(day, 15),
         (SELECT min(a.day) FROM asked a WHERE a.about = s.about AND a.day >= s.day) FROM started s
  UNION ALL SELECT 'T3', client, (day + interval '3 months')::date, next FROM (
    SELECT client, day, lead(day) OVER (PARTITION BY about ORDER BY day) AS next FROM (
      SELECT client, about, day FROM started
      UNION SELECT a.client, a.about, a.day FROM asked a JOIN started s USING (about) WHERE a.day > s.day) x) y
  UNION ALL SELECT 'T4', client, (day + interval '3 months')::date, next FROM (
    SELECT client, day, lead(day) OVER (PARTITION BY client ORDER BY day) AS next FROM (
      SELECT client, day FROM plan UNION SELECT client, day FROM reviewed WHERE day > planned) x) y
  UNION ALL SELECT 'T5', client, pg_temp.wd(min(day), 10), NULL FROM reviewed GROUP BY client
  UNION ALL SELECT 'T6', client, (day + interval '12 months')::date,
         lead(day) OVER (PARTITION BY client ORDER BY day) FROM assessed
  UNION ALL SELECT 'T10', client, last, done FROM month
  UNION ALL SELECT 'T17', client, (day + interval '8 months')::date,
         (SELECT s.day FROM gpra s WHERE s.client = i.client AND s.type = 'six-month' AND s.day >= i.day)
    FROM gpra i WHERE type = 'intake'
  UNION ALL SELECT 'T20', i.client, c.ended,
         (SELECT s.day FROM gpra s WHERE s.client = i.client AND s.type = 'discharge')
    FROM gpra i JOIN client c ON c.id = i.client WHERE type = 'intake' AND c.ended IS NOT NULL
  UNION ALL SELECT 'T22', client, pg_temp.wd(day, 7), CASE WHEN entered >= day THEN entered END FROM gpra
  UNION ALL SELECT 'T13', client, pg_temp.wd(day - 1, 1), answered FROM complaint
  UNION ALL SELECT 'T16', id, pg_temp.wd(opened, 10), NULL FROM client
  UNION ALL SELECT 'T18a', id, pg_temp.wd(opened, 10), (SELECT min(day) FROM assessed a WHERE a.client = c.id)
    FROM client c
  UNION ALL SELECT 'T18b', id, pg_temp.wd(opened, 20), (SELECT min(day) FROM plan p WHERE p.client = c.id) FROM client c
  UNION ALL SELECT 'T18c', p.client, pg_temp.wd(p.day, 5),
         (SELECT s.day FROM signed s WHERE s.client = p.client AND s.day >= p.day) FROM plan p
), judged AS (
  SELECT timer, CASE
      WHEN done <= coalesce(CASE WHEN timer IN ('T13', 'T17', 'T20', 'T22') THEN NULL ELSE ended END, done)
        THEN CASE WHEN done <= last THEN 'on_time' ELSE 'late' END
      WHEN ended IS NOT NULL AND timer NOT IN ('T13', 'T17', 'T20', 'T22') THEN CASE WHEN ended >= last THEN 'missed' ELSE 'moot' END
      WHEN last < $1::date THEN 'overdue' ELSE 'open' END AS outcome
  FROM due JOIN client c ON c.id = due.client
)
SELECT timer, outcome, count(*) FROM judged GROUP BY timer, outcome"""
)
CASELOAD = (
    FACTS
    + """, span AS (SELECT $1::date AS first, ($1::date + interval '1 month')::date AS next
), met AS MATERIALIZED (
  SELECT client, count(*) AS met FROM contact, span WHERE day >= first AND day < next GROUP BY client
), led AS (
  SELECT c.*, c.opened < first AND (c.ended IS NULL OR c.ended >= next) AS whole, coalesce(met, 0) AS met
  FROM span CROSS JOIN client c LEFT JOIN met ON met.client = c.id
  WHERE c.opened < next AND (c.ended IS NULL OR c.ended >= first)
)
SELECT worker, count(*), count(*) FILTER (WHERE tier = 'intensive'), sum(met)::int,
       count(*) FILTER (WHERE tier = 'intensive' AND whole),
       count(*) FILTER (WHERE tier = 'intensive' AND whole AND met < 4)
FROM led GROUP BY worker ORDER BY worker COLLATE "C\""""
)
PLACES = (
    FACTS
    + """ SELECT mode, count(*) FROM contact WHERE day >= $1 AND day < $1 + interval '1 month' GROUP BY mode"""
)


@pytest.fixture
async def county(database_url: str, tmp_path: Path) -> AsyncIterator[tuple[Service, Any]]:
    """A service on the first of July 2026, with its crowd, and a connection for whoever calculates again."""
    async with running(database_url, tmp_path, clock=lambda: NOW) as service:
        await service.partner("Harbor", "casework")
        home = await calendars.set_calendar(
            service.wiring.context, "", "America/Chicago", ["mon", "tue", "wed", "thu", "fri"], HOLIDAYS, []
        )
        assert home[0].zone == "America/Chicago"
        connection = await asyncpg.connect(database_url)
        source = await connection.fetchval("SELECT client_id FROM partner")
        names = list(Kept.__dataclass_fields__)
        rows = [tuple(getattr(kept, name) for name in names) for kept in crowd(source, 1000)]
        await connection.copy_records_to_table("record", records=rows, columns=names)
        quoted = ", ".join(f"'{day}'::date" for day in HOLIDAYS)
        await connection.execute(DAYS.replace("$HOLIDAYS", f"ARRAY[{quoted}]"))
        yield service, connection
        await connection.close()


async def test_a_thousand_clients_are_judged_as_a_second_calculation_judges_them(
    county: tuple[Service, Any],
) -> None:
    service, connection = county
    told = await report.timeliness(service.wiring.context)
    names = ("on_time", "late", "overdue", "missed", "open", "moot")
    ours = {(row.timer, name): getattr(row, name) for row in told for name in names if getattr(row, name)}
    again = {
        (timer, outcome): count
        for timer, outcome, count in await connection.fetch(TIMELINESS, NOW.date(), NOW)
    }
    assert ours == again
    assert {name for _, name in again} == set(names), "every outcome occurs"
    assert {timer for timer, _ in again} >= {"T17", "T20", "T22"}, "what is owed to a grant, too"
    assert sum(again.values()) > 5000

    month = date.fromisoformat(f"{MONTH}-01")
    loads = await report.caseloads(service.wiring.context, MONTH)
    assert [
        (load.worker, load.clients, load.intensive, load.contacts, load.expected, load.below)
        for load in loads
    ] == [tuple(row) for row in await connection.fetch(CASELOAD, month)]
    assert {load.standing for load in loads} >= {"mixed"}
    total: dict[str, int] = {}
    for load in loads:
        for place, count in load.places.items():
            total[place] = total.get(place, 0) + count
    assert total == {row[0]: row[1] for row in await connection.fetch(PLACES, month)}
