"""Whoever changes the trail is found, and told where."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from parts import Service, running

from service.flows.audit.seal import seal
from service.flows.audit.verify import verify
from service.kernel.clock import system_clock
from service.store import anchor, seals


@pytest.fixture
async def admin(database_url: str) -> AsyncIterator[Any]:
    """Somebody with all rights on the database, whom no trigger stops."""
    connection = await asyncpg.connect(database_url)
    await connection.execute("SET session_replication_role = replica")
    yield connection
    await connection.close()


@pytest.fixture
async def told(service: Service) -> Service:
    """A service with a sealed trail of a dozen rows."""
    await service.partner("Clinic", "ehr")
    async with await service.client("Clinic") as client:
        patient = (await client.post("/fhir/Patient", json={"resourceType": "Patient"})).json()["id"]
        for _ in range(10):
            await client.get(f"/fhir/Patient/{patient}")
        await client.get("/fhir/Patient?family=Somebody")
    await seal(service.wiring.context)
    return service


async def findings(service: Service) -> list[str]:
    return (await verify(service.wiring.context)).findings


async def id_of(admin: Any, seq: int) -> str:
    return str(await admin.fetchval("SELECT id::text FROM audit_seal WHERE seq = $1", seq))


async def test_an_untouched_trail_is_whole_without_gaps(told: Service, admin: Any) -> None:
    verdict = await verify(told.wiring.context)
    assert verdict.findings == []
    assert verdict.rows == await admin.fetchval("SELECT count(*) FROM audit") >= 12
    assert verdict.checkpoints == 1
    assert await admin.fetchval("SELECT max(seq) = count(*) FROM audit_seal")


async def test_the_trail_goes_on_after_it_was_verified(told: Service) -> None:
    before = (await verify(told.wiring.context)).rows
    await told.partner("Another", "ehr")
    after = await verify(told.wiring.context)
    assert (after.findings, after.rows > before) == ([], True)


async def test_a_flipped_byte_is_found_and_named(told: Service, admin: Any) -> None:
    id_ = await id_of(admin, 5)
    await admin.execute("UPDATE audit SET address = '127.0.0.2' WHERE id = $1", id_)
    assert await findings(told) == [f"row {id_} (seal 5): the row was changed"]


@pytest.mark.parametrize(
    "change",
    ["client = 'x'", "at = at + interval '1 microsecond'", "about = '{}'", "rule = '1'", "consents = '{a}'",
     "version = 9", "outcome = '8'", "query_mac = 'x'"],
)  # fmt: skip
async def test_a_change_in_any_column_is_found(told: Service, admin: Any, change: str) -> None:
    id_ = await id_of(admin, 3)
    await admin.execute(f"UPDATE audit SET {change} WHERE id = $1", id_)
    assert await findings(told) == [f"row {id_} (seal 3): the row was changed"]


async def test_a_deleted_row_is_found_and_named(told: Service, admin: Any) -> None:
    id_ = await id_of(admin, 4)
    await admin.execute("DELETE FROM audit WHERE id = $1", id_)
    assert await findings(told) == [f"row {id_} (seal 4): the row was deleted"]


async def test_a_row_deleted_with_its_seal_leaves_a_gap(told: Service, admin: Any) -> None:
    await admin.execute("DELETE FROM audit WHERE id = $1", await id_of(admin, 4))
    await admin.execute("DELETE FROM audit_seal WHERE seq = 4")
    assert await findings(told) == ["seal 4 is missing"]


async def test_two_exchanged_rows_are_found_and_named(told: Service, admin: Any) -> None:
    first, second = await id_of(admin, 3), await id_of(admin, 7)
    spare = "00000000-0000-0000-0000-000000000000"
    for old, new in ((first, spare), (second, first), (spare, second)):
        await admin.execute("UPDATE audit SET id = $2::uuid WHERE id = $1::uuid", old, new)
    assert await findings(told) == [
        f"row {first} (seal 3) and row {second} (seal 7): the rows were exchanged"
    ]


async def test_two_exchanged_seals_are_found_and_named(told: Service, admin: Any) -> None:
    for old, new in ((3, 1000), (7, 3), (1000, 7)):
        await admin.execute("UPDATE audit_seal SET seq = $2 WHERE seq = $1", old, new)
    assert await findings(told) == ["seals 3 and 7 were exchanged"]


async def test_a_tail_cut_off_is_found(told: Service, admin: Any) -> None:
    head = await admin.fetchval("SELECT max(seq) FROM audit_seal")
    await admin.execute("DELETE FROM audit WHERE id IN (SELECT id FROM audit_seal WHERE seq > 6)")
    await admin.execute("DELETE FROM audit_seal WHERE seq > 6")
    await admin.execute("DELETE FROM audit_checkpoint")
    assert await findings(told) == [
        f"the tail was cut off: audit-anchor knows seal {head}, the chain ends at 6",
        f"the checkpoint at seal {head} is missing",
    ]


async def test_a_tail_cut_off_is_found_although_the_trail_went_on(told: Service, admin: Any) -> None:
    await admin.execute("DELETE FROM audit WHERE id IN (SELECT id FROM audit_seal WHERE seq > 6)")
    await admin.execute("DELETE FROM audit_seal WHERE seq > 6")
    for number in range(20):
        await told.partner(f"Later {number}", "ehr")
    await seal(told.wiring.context)
    assert any("the chain was written anew" in each for each in await findings(told))


async def test_a_chain_written_anew_is_found_by_its_checkpoint_and_the_anchor(
    told: Service, admin: Any
) -> None:
    await admin.execute("UPDATE audit SET client = 'innocent'")
    await admin.execute("DELETE FROM audit_seal")
    await admin.execute("INSERT INTO audit_unsealed SELECT id FROM audit")
    found = await findings(told)
    assert any("written anew" in each and "audit-anchor" in each for each in found)
    assert any("checkpoint" in each for each in found)


async def test_a_row_put_in_beside_the_service_is_found(told: Service, admin: Any) -> None:
    await admin.execute(
        """INSERT INTO audit SELECT (jsonb_populate_record(a, '{"id":"00000000-0000-7000-8000-000000000001"}')).*
           FROM audit a LIMIT 1"""
    )
    [one] = await findings(told)
    assert "00000000-0000-7000-8000-000000000001: not in the chain" in one


async def test_a_row_deleted_before_it_was_sealed_is_found(told: Service, admin: Any) -> None:
    await told.partner("Another", "ehr")
    await admin.execute("DELETE FROM audit WHERE id IN (SELECT id FROM audit_unsealed)")
    assert any("deleted before it was sealed" in each for each in await findings(told))


async def test_shredding_the_words_of_a_search_leaves_the_chain_whole(told: Service, admin: Any) -> None:
    await admin.execute("DELETE FROM audit_query")
    assert await findings(told) == []


async def test_other_words_for_a_search_are_found(told: Service, admin: Any) -> None:
    await admin.execute("UPDATE audit_query SET text = 'family=Other'")
    [one] = await findings(told)
    assert "the words kept of its search are not those that were asked" in one


@pytest.mark.parametrize("text", ['{"seq": 1}', "", "[]", '{"seq":2,"hash":"00","at":"x","signature":"00"}'])
async def test_an_anchor_that_is_not_ours_is_found_and_left_as_it_is(told: Service, text: str) -> None:
    path = told.wiring.settings.data_dir / anchor.FILE
    path.write_text(text)
    await told.partner("Another", "ehr")
    [one] = await findings(told)
    assert "does not bear our signature" in one
    assert path.read_text() == text


async def test_a_missing_anchor_is_found(told: Service) -> None:
    (told.wiring.settings.data_dir / anchor.FILE).unlink()
    await told.partner("Another", "ehr")
    assert "there is no audit-anchor file" in (await findings(told))[0]


async def test_a_forged_checkpoint_is_found(told: Service, admin: Any) -> None:
    await admin.execute(
        "UPDATE audit_checkpoint SET hash = (SELECT hash FROM audit_seal WHERE seq = 2), seq = 2"
    )
    first, forged = await findings(told)
    assert first.endswith("is missing")
    assert forged == "the checkpoint at seal 2 does not bear our signature"


async def test_a_deleted_checkpoint_is_found_however_the_trail_goes_on(
    database_url: str, tmp_path: Path, admin: Any
) -> None:
    ahead = [timedelta()]
    async with running(database_url, tmp_path, lambda: system_clock() + ahead[0]) as service:
        for hours in range(4):
            ahead[0] = timedelta(hours=2 * hours)
            await service.partner(f"Agency {hours}", "ehr")
            await seal(service.wiring.context)
        marks = [row[0] for row in await admin.fetch("SELECT seq FROM audit_checkpoint ORDER BY seq")]
        assert (len(marks), await findings(service)) == (4, [])
        for gone in (marks[1], marks[3]):
            await admin.execute("DELETE FROM audit_checkpoint WHERE seq = $1", gone)
        expected = [f"the checkpoint at seal {gone} is missing" for gone in (marks[1], marks[3])]
        assert await findings(service) == expected
        for hours in (1, 3, 5):
            ahead[0] = timedelta(hours=8 + hours)
            await service.partner(f"Later {hours}", "ehr")
            await seal(service.wiring.context)
        assert await findings(service) == expected
        await admin.execute(
            "UPDATE audit_checkpoint SET previous = NULL WHERE previous = ANY($1)", [marks[1]]
        )
        assert f"the checkpoint at seal {marks[2]} does not bear our signature" in await findings(service)


async def test_a_row_that_commits_late_is_sealed_late_and_not_lost(told: Service, database_url: str) -> None:
    slow = await asyncpg.connect(database_url)
    transaction = slow.transaction()
    await transaction.start()
    await slow.execute(
        """WITH a AS (INSERT INTO audit SELECT
             (jsonb_populate_record(a, '{"id":"00000000-0000-7000-8000-000000000002"}')).* FROM audit a LIMIT 1 RETURNING id)
           INSERT INTO audit_unsealed SELECT id FROM a"""
    )
    await told.partner("Meanwhile", "ehr")
    before = await verify(told.wiring.context)
    await transaction.commit()
    await slow.close()
    after = await verify(told.wiring.context)
    assert (before.findings, after.findings, after.rows - before.rows) == ([], [], 1)


async def test_two_sealers_at_once_make_one_chain(told: Service) -> None:
    for number in range(5):
        await told.partner(f"Agency {number}", "ehr")
        await asyncio.gather(*(seal(told.wiring.context) for _ in range(4)))
    assert await findings(told) == []
    async with told.wiring.context.database.reading() as connection:
        assert not await seals.waiting(connection)
