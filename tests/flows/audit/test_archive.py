"""What is old leaves the database for a signed file, and whoever touches either is found."""

import gzip
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from parts import Service, running

from service.flows.audit.archive import archive, verify_files
from service.flows.audit.seal import seal
from service.flows.audit.verify import verify
from service.kernel.clock import system_clock
from service.kernel.failures import Refused


class Hands:
    def __init__(self) -> None:
        self.ahead = timedelta()

    def __call__(self) -> Any:
        return system_clock() + self.ahead


@pytest.fixture
async def aged(database_url: str, tmp_path: Path) -> AsyncIterator[Service]:
    """A service with a dozen rows of seven years ago and a few of today."""
    hands = Hands()
    async with running(database_url, tmp_path, hands) as service:
        for number in range(6):
            await service.partner(f"Old {number}", "ehr")
        async with await service.client("Old 0") as client:
            await client.get("/fhir/Patient?family=Somebody")
        await seal(service.wiring.context)
        hands.ahead = timedelta(days=7 * 366)
        await service.partner("New", "ehr")
        await seal(service.wiring.context)
        yield service


@pytest.fixture
async def admin(database_url: str) -> AsyncIterator[Any]:
    connection = await asyncpg.connect(database_url)
    await connection.execute("SET session_replication_role = replica")
    yield connection
    await connection.close()


async def findings(service: Service) -> list[str]:
    context = service.wiring.context
    return [*(await verify(context)).findings, *await verify_files(context)]


async def test_old_rows_leave_and_the_chain_still_holds(aged: Service, admin: Any) -> None:
    context = aged.wiring.context
    before = await admin.fetchval("SELECT count(*) FROM audit")
    done = await archive(context)
    assert done.file and done.rows >= 8
    assert (
        await admin.fetchval("SELECT count(*) FROM audit WHERE action <> 'audit-archived'")
        == before - done.rows
    )
    assert await admin.fetchval("SELECT count(*) FROM audit_query") == 0
    assert await findings(aged) == []
    await aged.partner("Later", "ehr")
    assert await findings(aged) == []
    lines = gzip.decompress(done.file.read_bytes()).splitlines()
    assert len(lines) == done.rows
    assert b"Somebody" not in b"".join(lines)  # the words of a search end here
    assert done.file.stat().st_mode & 0o077 == 0


async def test_nothing_young_is_archived(service: Service) -> None:
    await service.partner("New", "ehr")
    assert (await archive(service.wiring.context)).rows == 0


async def test_archives_follow_one_another(aged: Service) -> None:
    context = aged.wiring.context
    first = await archive(context)
    context.clock.ahead = timedelta(days=20 * 366)  # type: ignore[attr-defined]
    await aged.partner("Still later", "ehr")
    second = await archive(context)
    assert first.rows and second.rows
    assert await findings(aged) == []


async def test_accountings_of_disclosures_keep_what_they_need(database_url: str, tmp_path: Path) -> None:
    hands = Hands()
    async with running(database_url, tmp_path, hands, audit_keep_years=1, disclosure_years=10) as service:
        await service.partner("Old", "ehr")
        await seal(service.wiring.context)
        hands.ahead = timedelta(days=9 * 366)
        await service.partner("New", "ehr")
        assert (await archive(service.wiring.context)).rows == 0


async def test_a_broken_chain_is_not_archived(aged: Service, admin: Any) -> None:
    await admin.execute("UPDATE audit SET detail = 'x' WHERE action = 'partner-added'")
    with pytest.raises(Refused, match="does not hold"):
        await archive(aged.wiring.context)
    assert await admin.fetchval("SELECT count(*) FROM audit_archive") == 0


async def test_a_changed_file_is_found_and_named(aged: Service) -> None:
    done = await archive(aged.wiring.context)
    assert done.file
    whole = gzip.decompress(done.file.read_bytes())
    done.file.write_bytes(gzip.compress(whole.replace(b"partner-added", b"partner-addeb", 1), mtime=0))
    assert await findings(aged) == [f"{done.file.name} is not what was archived: it was changed"]
    done.file.write_bytes(b"\x1f\x8b no gzip")
    assert await findings(aged) == [f"{done.file.name} is not what was archived: it was changed"]
    done.file.unlink()
    assert await findings(aged) == [f"{done.file.name} is not in {done.file.parent}"]


async def test_a_statement_that_is_not_ours_is_found(aged: Service, admin: Any) -> None:
    await archive(aged.wiring.context)
    await admin.execute("UPDATE audit_archive SET digest = decode('00', 'hex')")
    assert any("does not bear our signature" in each for each in await findings(aged))


async def test_rows_deleted_under_a_false_statement_are_found(aged: Service, admin: Any) -> None:
    await admin.execute(
        """INSERT INTO audit_archive (last, first, hash, digest, file, at, signature)
           SELECT 3, 1, hash, '', 'gone', now(), '' FROM audit_seal WHERE seq = 3"""
    )
    await admin.execute("DELETE FROM audit WHERE id IN (SELECT id FROM audit_seal WHERE seq <= 3)")
    await admin.execute("DELETE FROM audit_seal WHERE seq <= 3")
    assert (
        "the statement about gone does not bear our signature" in (await verify(aged.wiring.context)).findings
    )


async def test_a_statement_that_is_removed_leaves_a_gap(aged: Service, admin: Any) -> None:
    done = await archive(aged.wiring.context)
    await admin.execute("DELETE FROM audit_archive")
    assert f"seals 1 to {done.rows} are missing" in (await verify(aged.wiring.context)).findings


async def test_nobody_deletes_rows_or_statements_without_saying_archive(
    aged: Service, database_url: str
) -> None:
    await archive(aged.wiring.context)
    connection = await asyncpg.connect(database_url)
    for table in ("audit", "audit_seal", "audit_checkpoint", "audit_archive"):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await connection.execute(f"DELETE FROM {table}")
    await connection.close()
