"""1,000 synthetic clients: the follow-up rate and the outcomes equal a second calculation, in SQL over the records."""

import random
from collections.abc import AsyncIterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from service.coordination.gpra.edits import Interview
from service.coordination.gpra.measure import rates
from service.coordination.gpra.standing import standing
from service.fhir.json import encode
from service.flows.gpra.report import measured, owed
from service.kernel.failures import Refused
from service.store import gpra
from tests.coordination.gpra.complete import TOOL, record
from tests.flows.gpra.scene import GRANT, Scene, scene

CLIENTS = 1000
TODAY = date(2027, 6, 30)
DRAWN = {
    "DAUseAlcoholDays": range(4), "DAUseIllegDrugsDays": range(3), "EmployStatus": range(8), "TrainingProgram": range(1, 4),
    "ArrestedDays": range(3), "LivingWhere": range(1, 5), "LivingHoused": range(1, 6), "AttendVoluntary": range(2),
    "AttendReligious": range(2), "AttendOtherOrg": range(2), "InteractFamilyFriends": range(2),
    "ImpactStress": range(1, 6), "ImpactActivity": range(1, 6), "ImpactEmotional": range(1, 6),
}  # fmt: skip


def answers(chance: random.Random) -> dict[str, str]:
    """Some refused, some not asked: nobody is complete."""
    drawn = {link: str(chance.choice(list(of))) for link, of in DRAWN.items()}
    return {
        link: chance.choice([value] * 12 + ["-7"]) for link, value in drawn.items() if chance.random() > 0.02
    }


def crowd() -> list[Interview]:
    chance = random.Random(20261122)
    found = []
    for number in range(CLIENTS):
        client, day = f"HRS-{number:06}", date(2026, 1, 1) + timedelta(days=chance.randrange(500))
        gender = {"GenderCode": chance.choice(["1"] * 50 + ["2"] * 46 + ["3"] * 3 + ["4"])}
        found.append(
            Interview(GRANT, client, "intake", 1, day.isoformat(), True, "", {**answers(chance), **gender})
        )
        if chance.random() < 0.9:
            later = day + timedelta(days=chance.randrange(140, 260))
            status = chance.choice(["11"] * 8 + ["12", "31", "22"])
            held = status in ("11", "12")
            values = answers(chance) if held else {}
            found.append(Interview(GRANT, client, "six-month", 1, later.isoformat(), held, status, values))
    return found


async def file(database_url: str, interviews: list[Interview], source: str) -> None:
    """Straight into the tables: a thousand requests would test something else."""
    connection = await asyncpg.connect(database_url)
    now = datetime.now(UTC)
    rows, clients, records = [], {}, []
    for number, each in enumerate(interviews):
        id_ = f"g{number}"
        body: dict[str, Any] = record(each, id_)
        records.append((source, "gpra-interviews", id_, 1, now, False, encode(body), [], "4"))
        clients[each.client] = (each.grant, each.client, f"Patient/{each.client}")
        rows.append((
            each.grant, each.client, each.type, 1, source, id_, date.fromisoformat(each.day), each.conducted,
            each.follow_up, "",
        ))  # fmt: skip
    async with connection.transaction():
        names = ["source", "kind", "id", "version", "updated", "deleted", "body", "resources", "mapping"]
        await connection.copy_records_to_table("record", records=records, columns=names)
        await connection.copy_records_to_table("gpra_client", records=list(clients.values()))
        columns = [
            "grant_no",
            "gpra_id",
            "type",
            "sequence",
            "source",
            "record",
            "day",
            "conducted",
            "follow_up",
            "gender",
        ]
        await connection.copy_records_to_table("gpra_interview", records=rows, columns=columns)
    await connection.close()


SQL = """
WITH told AS (
  SELECT b->>'gpraClient' AS client, b->>'type' AS type, (b->>'date')::date AS day, (b->>'conducted')::bool AS conducted,
         b->>'followUp' AS status, (
           SELECT jsonb_object_agg(a->>'question', COALESCE((a->'choices'->0->>'code')::int, (a->>'number')::int))
                    FILTER (WHERE a->>'missing' IS NULL)
           FROM jsonb_array_elements(b->'answers') a) AS said
  FROM (SELECT convert_from(body, 'UTF8')::jsonb AS b FROM record WHERE kind = 'gpra-interviews' AND NOT deleted) r
), episode AS (
  SELECT i.client, i.day + interval '8 months' < $1::date AS closed, i.said AS before, f.said AS after,
         COALESCE(f.conducted AND f.status = '11' AND f.day BETWEEN (i.day + interval '5 months')::date
                  AND (i.day + interval '8 months')::date, false) AS inside,
         CASE (i.said->>'GenderCode')::int WHEN 1 THEN 'Male' WHEN 2 THEN 'Female' WHEN 3 THEN 'Transgender'
              ELSE 'Other (specify)' END AS gender
  FROM told i LEFT JOIN told f ON f.client = i.client AND f.type = 'six-month'
  WHERE i.type = 'intake'
), outcome AS (
  SELECT e.client, e.gender, o.key, o.at, CASE o.key
    WHEN 'abstinence' THEN (o.s->>'DAUseAlcoholDays')::int = 0 AND (o.s->>'DAUseIllegDrugsDays')::int = 0
    WHEN 'employment-education' THEN (o.s->>'EmployStatus')::int IN (1, 2) OR (o.s->>'TrainingProgram')::int IN (2, 3)
    WHEN 'no-arrest' THEN (o.s->>'ArrestedDays')::int = 0
    WHEN 'stable-housing' THEN (o.s->>'LivingWhere')::int = 4 AND (o.s->>'LivingHoused')::int = 1
    WHEN 'social-connectedness' THEN (o.s->>'AttendVoluntary')::int = 1 OR (o.s->>'AttendReligious')::int = 1
      OR (o.s->>'AttendOtherOrg')::int = 1 OR (o.s->>'InteractFamilyFriends')::int = 1
    WHEN 'no-consequences' THEN (o.s->>'ImpactStress')::int IN (1, 5) AND (o.s->>'ImpactActivity')::int IN (1, 5)
      AND (o.s->>'ImpactEmotional')::int IN (1, 5) END AS holds
  FROM episode e, LATERAL (
    SELECT key, at, CASE at WHEN 'intake' THEN e.before ELSE e.after END AS s
    FROM unnest(ARRAY['abstinence','employment-education','no-arrest','stable-housing','social-connectedness',
                      'no-consequences']) key, unnest(ARRAY['intake','follow-up']) at) o
  WHERE e.inside
), told_both AS (
  SELECT o.*, bool_and(holds IS NOT NULL) OVER (PARTITION BY client, key) AS counted FROM outcome o
)
SELECT 'follow-up-rate' AS measure, COALESCE(gender, 'all') AS stratum, count(*) FILTER (WHERE inside) AS n, count(*) AS d
FROM episode WHERE closed GROUP BY ROLLUP (gender)
UNION ALL
SELECT key || '-' || at, COALESCE(gender, 'all'), count(*) FILTER (WHERE holds), count(*)
FROM told_both WHERE counted GROUP BY key, at, ROLLUP (gender)
"""


@pytest.fixture
async def stage(database_url: str, tmp_path: Path) -> AsyncIterator[Scene]:
    async with scene(database_url, tmp_path) as made:
        made.now = datetime(2027, 6, 30, 12, tzinfo=UTC)
        yield made


async def source_of(stage: Scene) -> str:
    connection = await asyncpg.connect(stage.database_url)
    found = await connection.fetchval("SELECT client_id FROM partner WHERE 'casework' = ANY(roles)")
    await connection.close()
    return str(found)


async def test_rates_of_a_thousand_clients_equal_a_second_calculation_in_sql(stage: Scene) -> None:
    assert TOOL is not None
    interviews = crowd()
    await file(stage.database_url, interviews, await source_of(stage))
    connection = await asyncpg.connect(stage.database_url)
    counted = {
        (row["measure"], row["stratum"]): (row["n"], row["d"]) for row in await connection.fetch(SQL, TODAY)
    }
    await connection.close()
    bare = rates(TOOL, interviews, TODAY, small=1)
    assert {(each.measure, each.stratum): (each.numerator, each.denominator) for each in bare} == counted
    assert counted["follow-up-rate", "all"][1] > 500
    assert len(counted) == 13 * 5
    told, report = await measured(stage.context, GRANT)
    shown = {(each.measure, each.stratum): (each.numerator, each.denominator) for each in told}
    assert shown.keys() == counted.keys()
    assert all(each in (counted[key], (None, None)) for key, each in shown.items())
    assert shown["follow-up-rate", "all"] == counted["follow-up-rate", "all"]
    assert shown["follow-up-rate", "Other (specify)"] == (None, None)
    assert len(report["group"]) == 13
    async with stage.context.database.reading() as connection:
        [grant] = standing(await gpra.of_grant(connection, None), TODAY)
    assert (grant.inside, grant.closed) == counted["follow-up-rate", "all"], "the console says the same"


async def test_who_owes_which_interview_is_told_with_the_primary_case_manager(stage: Scene) -> None:
    await stage.person()
    await stage.held("g1", "intake", "2026-12-01")
    [one] = await owed(stage.context, GRANT)
    assert (one.due.opens, one.due.closes, one.state) == (date(2027, 5, 1), date(2027, 8, 1), "open")
    assert one.due.patient.startswith("Patient/")


async def test_a_grant_without_interviews_is_not_reported(stage: Scene) -> None:
    with pytest.raises(Refused, match="no interviews"):
        await measured(stage.context, "TI-000000")
