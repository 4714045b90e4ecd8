"""Measures of a thousand invented clients are what a second calculation in plain SQL over the records says."""

from collections.abc import AsyncIterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from parts import Service, running

from service.coordination.measures.counting import Asked
from service.coordination.measures.rates import Rate
from service.flows.due import calendars, report
from service.flows.measures.tell import told
from service.kernel.failures import Refused
from service.store.records import Kept
from tests.flows.due_crowd import crowd

NOW = datetime(2026, 7, 1, 17, tzinfo=UTC)
WEEK = ["mon", "tue", "wed", "thu", "fri"]
RECORDS = """
WITH r AS (
  SELECT kind, id, convert_from(body, 'UTF8')::jsonb AS j FROM record WHERE NOT deleted
), client AS (
  SELECT id, j #>> '{episode,primaryCaseManager}' AS worker, (j #>> '{episode,start}')::date AS opened,
         (j #>> '{episode,end}')::date AS ended, j #>> '{episode,intensity}' AS tier FROM r WHERE kind = 'clients'
), plan AS (
  SELECT r.id, j ->> 'client' AS client, worker, (j ->> 'created')::date AS day, (
    SELECT count(DISTINCT x ->> 'role') FROM jsonb_array_elements(j -> 'signatures') x) = 2 AS signed
  FROM r JOIN client c ON c.id = j ->> 'client' WHERE kind = 'care-plans'
), contact AS (
  SELECT j ->> 'client' AS client, ((j ->> 'start')::timestamptz AT TIME ZONE 'America/Chicago')::date AS day,
         j ->> 'mode' AS mode
  FROM r WHERE kind = 'encounters' AND j ->> 'status' = 'finished' AND j ->> 'direct' = 'true'
), month AS (
  SELECT c.id, c.worker, g.m::date AS m,
         (SELECT count(*) FROM contact k WHERE k.client = c.id AND date_trunc('month', k.day::timestamp) = g.m) AS met
  FROM client c CROSS JOIN LATERAL generate_series(date_trunc('month', c.opened::timestamp) + interval '1 month',
    coalesce(date_trunc('month', c.ended::timestamp), '2026-07-01') - interval '1 month', '1 month') AS g(m)
  WHERE c.tier = 'intensive'
), counted (measure, by, stratum, held) AS (
  SELECT 'linkage', '', 'all', EXISTS (
    SELECT 1 FROM r o WHERE o.kind IN ('service-outcomes', 'satisfactions') AND o.j ->> 'referral' = r.id)
  FROM r WHERE kind = 'referrals'
  UNION ALL SELECT 'signatures', '', 'all', signed FROM plan
  UNION ALL SELECT 'signatures', 'case manager', worker, signed FROM plan
  UNION ALL SELECT 'plan-parts', 'part', 'signed by client and case manager', signed FROM plan
  UNION ALL SELECT 'plan-parts', 'part', 'goals', false FROM plan
  UNION ALL SELECT 'places', '', 'all', mode IN ('home', 'community') FROM contact
  UNION ALL SELECT 'places', 'place', mode, mode IN ('home', 'community') FROM contact
  UNION ALL SELECT 'satisfaction', '', 'all', true FROM r WHERE kind = 'satisfactions'
  UNION ALL SELECT 'contacts', '', 'all', met >= 4 FROM month
  UNION ALL SELECT 'contacts', 'month', to_char(m, 'YYYY-MM'), met >= 4 FROM month
)
SELECT measure, by, stratum, count(*) FILTER (WHERE held) AS n, count(*) AS d FROM counted GROUP BY 1, 2, 3"""


@pytest.fixture
async def county(database_url: str, tmp_path: Path) -> AsyncIterator[tuple[Service, Any]]:
    async with running(database_url, tmp_path, clock=lambda: NOW) as service:
        await service.partner("Harbor", "casework")
        await calendars.set_calendar(service.wiring.context, "", "America/Chicago", WEEK, [], [])
        connection = await asyncpg.connect(database_url)
        source = await connection.fetchval("SELECT client_id FROM partner")
        names = list(Kept.__dataclass_fields__)
        rows = [tuple(getattr(kept, name) for name in names) for kept in crowd(source, 1000)]
        await connection.copy_records_to_table("record", records=rows, columns=names)
        yield service, connection
        await connection.close()


def by_place(rates: list[Rate]) -> dict[tuple[str, str, str], tuple[int | None, int | None]]:
    return {
        (each.measure, each.stratifier, each.stratum): (each.numerator, each.denominator) for each in rates
    }


async def test_measures_of_a_thousand_clients_equal_a_second_calculation_in_sql(
    county: tuple[Service, Any],
) -> None:
    service, connection = county
    context = service.wiring.context
    found = await told(context, [], Asked())
    ours = by_place([rate for result in found.results for rate in result.rates])
    again = {tuple(row[:3]): (row[3], row[4]) for row in await connection.fetch(RECORDS)}
    assert {place: ours.get(place) for place in again} == again
    assert sum(count for _, count in again.values()) > 20_000

    judged = await report.timeliness(context)
    for line in judged:
        owed = line.on_time + line.late + line.overdue + line.missed
        if owed:
            assert ours["timeliness", "timer", line.timer] == (line.on_time, owed)

    [linkage] = [result for result in found.results if result.measure.name == "linkage"]
    numerator, denominator = again["linkage", "", "all"]
    assert len(linkage.open) == denominator - numerator, "everything that does not count is listed"
    assert [each.on for each in linkage.open] == sorted(each.on for each in linkage.open)


async def test_a_period_and_a_choice_of_clients_narrow_what_is_counted(county: tuple[Service, Any]) -> None:
    service, connection = county
    since, until = date(2026, 1, 1), date(2026, 3, 31)
    sql = """SELECT count(*) FROM record WHERE kind = 'referrals'
               AND (convert_from(body, 'UTF8')::jsonb ->> 'requested')::date BETWEEN $1 AND $2
               AND ($3::text[] IS NULL OR convert_from(body, 'UTF8')::jsonb ->> 'client' = ANY($3))"""
    some = [f"c{number}" for number in range(200)]
    for clients in (None, frozenset(some)):
        asked = Asked(since, until, clients)
        [result] = (await told(service.wiring.context, ["linkage"], asked)).results
        expected = await connection.fetchval(sql, since, until, sorted(clients) if clients else None)
        assert result.rates[0].denominator == expected > 0


async def test_what_is_told_outside_hides_small_counts_and_who_works_here(
    county: tuple[Service, Any],
) -> None:
    service, _ = county
    inside = await told(service.wiring.context, [], Asked())
    outside = await told(service.wiring.context, [], Asked(small=11, outside=True))
    whole = by_place([rate for result in inside.results for rate in result.rates])
    shown = by_place([rate for result in outside.results for rate in result.rates])
    assert {place for place in whole if place[1] != "case manager"} == set(shown)
    assert any(None in counts for counts in shown.values())
    for (measure, *_), (numerator, denominator) in shown.items():
        if denominator is not None and numerator is not None and measure != "coverage":
            assert all(
                count == 0 or count >= 11 for count in (numerator, denominator, denominator - numerator)
            )
    assert not any(result.open for result in outside.results)


async def test_a_measure_that_there_is_not_is_refused(county: tuple[Service, Any]) -> None:
    with pytest.raises(Refused, match="there is no measure"):
        await told(county[0].wiring.context, ["happiness"], Asked())
