"""A thousand ways to change the trail with all rights on the database and the data directory: each is found and named.

`pytest tests/flows/audit/test_tampered.py` tries 200 of a fixed seed; `CASEBRIDGE_TAMPERINGS=1000` (and
`CASEBRIDGE_TAMPERING_SEED`) tries more. One trail of some hundred rows, put back after each.
"""

import os
import random
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
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
from service.store import anchor
from service.store.audit import COLUMNS

TABLES = (
    "audit",
    "audit_query",
    "audit_unsealed",
    "audit_seal",
    "audit_checkpoint",
    "audit_archive",
    "audit_key",
)
MANY = int(os.environ.get("CASEBRIDGE_TAMPERINGS", "200"))
SEED = int(os.environ.get("CASEBRIDGE_TAMPERING_SEED", "6"))
TEXTS = ("kind", "action", "outcome", "client", "organization", "address", "request", "token", "resource", "purpose",
         "basis", "rule", "detail", "query_mac")  # fmt: skip


@dataclass
class Trail:
    """A sealed trail, who tampers with it, and how to put it back."""

    service: Service
    admin: Any
    folder: Path
    chance: random.Random
    first: int
    head: int
    checkpoints: list[int]
    files: dict[Path, bytes]

    @property
    def anchor(self) -> Path:
        return self.folder / anchor.FILE

    def seq(self, least: int = 0) -> int:
        """Any link."""
        return self.chance.randint(max(self.first, least), self.head)

    async def id_of(self, seq: int) -> str:
        return str(await self.admin.fetchval("SELECT id::text FROM audit_seal WHERE seq = $1", seq))

    async def run(self, sql: str, *values: Any) -> None:
        done = await self.admin.execute(sql, *values)
        assert not done.endswith(" 0"), f"nothing was changed by {sql}"

    async def findings(self) -> list[str]:
        context = self.service.wiring.context
        return [*(await verify(context)).findings, *await verify_files(context)]

    async def restore(self) -> None:
        for path, content in self.files.items():
            path.write_bytes(content)
        async with self.admin.transaction():
            for table in TABLES:
                await self.admin.execute(f"DELETE FROM {table}")
                await self.admin.execute(f"INSERT INTO {table} SELECT * FROM kept.{table}")


Tampering = Callable[[Trail], Awaitable[str]]
"""Changes the trail; gives a regular expression that one of the findings must match."""


def flipped(value: bytes, chance: random.Random) -> bytes:
    at = chance.randrange(len(value))
    return value[:at] + bytes([value[at] ^ 1 << chance.randrange(8)]) + value[at + 1 :]


async def a_text_changed(trail: Trail) -> str:
    seq, column = trail.seq(), trail.chance.choice(TEXTS)
    id_ = await trail.id_of(seq)
    before = await trail.admin.fetchval(f"SELECT {column} FROM audit WHERE id = $1", id_)
    at = trail.chance.randrange(len(before) + 1)
    other = trail.chance.choice([each for each in "abcXYZ019-/ " if each != before[at : at + 1]])
    await trail.run(
        f"UPDATE audit SET {column} = $2 WHERE id = $1", id_, before[:at] + other + before[at + 1 :]
    )
    return rf"row {id_} \(seal {seq}\): the row was changed"


async def a_value_changed(trail: Trail) -> str:
    seq, change = trail.seq(), trail.chance.choice(
        ["version = version + 1", "version = version # 64", "at = at + interval '1 microsecond'",
         "at = at - interval '1 year'", "about = about || ARRAY['Patient/x']", "about = ARRAY['x'] || about[2:]",
         "consents = consents || ARRAY['Consent/x']"])  # fmt: skip
    id_ = await trail.id_of(seq)
    await trail.run(f"UPDATE audit SET {change} WHERE id = $1", id_)
    return rf"row {id_} \(seal {seq}\): the row was changed"


async def an_id_changed(trail: Trail) -> str:
    seq = trail.seq()
    id_ = await trail.id_of(seq)
    await trail.run("UPDATE audit SET id = gen_random_uuid() WHERE id = $1", id_)
    return rf"row {id_} \(seal {seq}\): the row was deleted"


async def a_row_deleted(trail: Trail) -> str:
    seq = trail.seq()
    id_ = await trail.id_of(seq)
    await trail.run("DELETE FROM audit WHERE id = $1", id_)
    return rf"row {id_} \(seal {seq}\): the row was deleted"


async def rows_deleted_with_their_seals(trail: Trail) -> str:
    seq, many = trail.chance.randint(trail.first, trail.head - 6), trail.chance.randint(1, 5)
    await trail.run(
        "DELETE FROM audit WHERE id IN (SELECT id FROM audit_seal WHERE seq BETWEEN $1 AND $2)",
        seq,
        seq + many - 1,
    )
    await trail.run("DELETE FROM audit_seal WHERE seq BETWEEN $1 AND $2", seq, seq + many - 1)
    return rf"seal {seq} is missing" if many == 1 else rf"seals {seq} to {seq + many - 1} are missing"


async def a_row_deleted_and_the_rest_moved_up(trail: Trail) -> str:
    seq = trail.chance.randint(trail.first, trail.head - 1)
    await trail.run("DELETE FROM audit WHERE id = $1", await trail.id_of(seq))
    await trail.run("DELETE FROM audit_seal WHERE seq = $1", seq)
    await trail.run("UPDATE audit_seal SET seq = -seq WHERE seq > $1", seq)
    await trail.run("UPDATE audit_seal SET seq = -seq - 1 WHERE seq < 0")
    return rf"\(seal {seq}\): the seal does not follow|seals {seq} and|the tail was cut off"


async def two_rows_exchanged(trail: Trail) -> str:
    one, two = sorted(trail.chance.sample(range(trail.first, trail.head + 1), 2))
    first, second = await trail.id_of(one), await trail.id_of(two)
    spare = "00000000-0000-0000-0000-000000000000"
    for old, new in ((first, spare), (second, first), (spare, second)):
        await trail.run("UPDATE audit SET id = $2::uuid WHERE id = $1::uuid", old, new)
    return rf"row {first} \(seal {one}\) and row {second} \(seal {two}\): the rows were exchanged"


async def two_seals_exchanged(trail: Trail) -> str:
    one, two = sorted(trail.chance.sample(range(trail.first, trail.head + 1), 2))
    for old, new in ((one, -1), (two, one), (-1, two)):
        await trail.run("UPDATE audit_seal SET seq = $2 WHERE seq = $1", old, new)
    return rf"seals {one} and {two} were exchanged"


async def two_rows_and_their_seals_exchanged(trail: Trail) -> str:
    """What the two say changes places, leaves and all; only the hashes cannot."""
    one, two = sorted(trail.chance.sample(range(trail.first, trail.head + 1), 2))
    rows = {
        seq: await trail.admin.fetchrow("SELECT id, leaf FROM audit_seal WHERE seq = $1", seq)
        for seq in (one, two)
    }
    await trail.run("UPDATE audit_seal SET id = gen_random_uuid() WHERE seq = $1", one)
    for seq, other in ((two, one), (one, two)):
        await trail.run("UPDATE audit_seal SET id = $2, leaf = $3 WHERE seq = $1", seq, *rows[other])
    return rf"seals {one} and {two} were exchanged"


async def the_tail_cut_off(trail: Trail) -> str:
    end = trail.chance.randint(trail.first, trail.head - 1)
    await trail.run("DELETE FROM audit WHERE id IN (SELECT id FROM audit_seal WHERE seq > $1)", end)
    await trail.run("DELETE FROM audit_seal WHERE seq > $1", end)
    if trail.chance.random() < 0.5:
        await trail.admin.execute("DELETE FROM audit_checkpoint WHERE seq > $1", end)
    return rf"the tail was cut off: audit-anchor knows seal {trail.head}, the chain ends at {end}"


async def an_old_dump_replayed(trail: Trail) -> str:
    """The trail as it was some rows ago, and the service goes on as if nothing had been."""
    end = trail.chance.randint(trail.first, trail.head - 1)
    await trail.run("DELETE FROM audit WHERE id IN (SELECT id FROM audit_seal WHERE seq > $1)", end)
    await trail.run("DELETE FROM audit_seal WHERE seq > $1", end)
    await trail.admin.execute("DELETE FROM audit_checkpoint WHERE seq > $1", end)
    await trail.run(
        f"INSERT INTO audit ({COLUMNS}) SELECT {COLUMNS.replace('id', 'gen_random_uuid()', 1)} FROM kept.audit"
    )
    await trail.run("INSERT INTO audit_unsealed SELECT id FROM audit EXCEPT SELECT id FROM audit_seal")
    await seal(trail.service.wiring.context)
    return rf"seal {trail.head} is not the one that audit-anchor knows: the chain was written anew"


async def a_row_put_in(trail: Trail) -> str:
    id_ = f"00000000-0000-7000-8000-{trail.chance.randrange(1 << 48):012x}"
    await trail.run(
        f"INSERT INTO audit ({COLUMNS}) SELECT {COLUMNS.replace('id', '$1::uuid', 1)} FROM audit LIMIT 1", id_
    )
    return rf"row {id_}: not in the chain"


async def a_row_put_in_with_a_seal(trail: Trail) -> str:
    """In the middle of the chain, and everything behind it moves on."""
    seq, id_ = trail.seq(), f"00000000-0000-7000-8000-{trail.chance.randrange(1 << 48):012x}"
    await trail.run(
        f"INSERT INTO audit ({COLUMNS}) SELECT {COLUMNS.replace('id', '$1::uuid', 1)} FROM audit LIMIT 1", id_
    )
    await trail.run("UPDATE audit_seal SET seq = -seq WHERE seq >= $1", seq)
    await trail.run("UPDATE audit_seal SET seq = 1 - seq WHERE seq < 0")
    await trail.run("INSERT INTO audit_seal SELECT $1, $2, leaf, hash FROM audit_seal LIMIT 1", seq, id_)
    return rf"\(seal {seq}\): the seal does not follow|seals {seq} and|row {id_} \(seal {seq}\)"


async def a_seal_changed(trail: Trail) -> str:
    seq, column = trail.seq(), trail.chance.choice(["leaf", "hash"])
    value = await trail.admin.fetchval(f"SELECT {column} FROM audit_seal WHERE seq = $1", seq)
    await trail.run(f"UPDATE audit_seal SET {column} = $2 WHERE seq = $1", seq, flipped(value, trail.chance))
    return rf"\(seal {seq}\): (the row was changed|the seal does not follow)|seal {seq} is not the one that|seals {seq} and"


async def a_seal_renamed(trail: Trail) -> str:
    seq = trail.seq()
    await trail.run("UPDATE audit_seal SET id = gen_random_uuid() WHERE seq = $1", seq)
    return rf"\(seal {seq}\): the row was deleted"


async def a_seal_renumbered(trail: Trail) -> str:
    seq = trail.seq()
    await trail.run(
        "UPDATE audit_seal SET seq = $2 WHERE seq = $1", seq, trail.head + trail.chance.randint(2, 9)
    )
    return rf"seals? {seq} (is|to \d+ are) missing"


async def the_chain_written_anew(trail: Trail) -> str:
    """Whoever knows the arithmetic changes a row and makes every link behind it again."""
    seq = trail.seq()
    await trail.run("UPDATE audit SET client = client || 'x' WHERE id = $1", await trail.id_of(seq))
    await trail.admin.execute("INSERT INTO audit_unsealed SELECT id FROM audit_seal WHERE seq >= $1", seq)
    await trail.run("DELETE FROM audit_seal WHERE seq >= $1", seq)
    if trail.chance.random() < 0.5:
        await trail.admin.execute("DELETE FROM audit_checkpoint WHERE seq >= $1", seq)
    await seal(trail.service.wiring.context)
    return rf"seal {trail.head} is not the one that audit-anchor knows: the chain was written anew"


async def the_words_of_a_search_changed(trail: Trail) -> str:
    id_, salt, text = await trail.admin.fetchrow(
        "SELECT id::text, salt, text FROM audit_query ORDER BY random() LIMIT 1"
    )
    if trail.chance.random() < 0.5:
        await trail.run("UPDATE audit_query SET salt = $2 WHERE id = $1", id_, flipped(salt, trail.chance))
    else:
        await trail.run(
            "UPDATE audit_query SET text = $2 WHERE id = $1", id_, f"{text}{trail.chance.choice('&x1')}"
        )
    return rf"row {id_} \(seal \d+\): the words kept of its search"


async def a_checkpoint_changed(trail: Trail) -> str:
    seq, column = (
        trail.chance.choice(trail.checkpoints),
        trail.chance.choice(["seq", "hash", "at", "signature"]),
    )
    if column in ("hash", "signature"):
        value = await trail.admin.fetchval(f"SELECT {column} FROM audit_checkpoint WHERE seq = $1", seq)
        value = flipped(value, trail.chance)
        await trail.run(f"UPDATE audit_checkpoint SET {column} = $2 WHERE seq = $1", seq, value)
    elif column == "at":
        await trail.run("UPDATE audit_checkpoint SET at = at + interval '1 millisecond' WHERE seq = $1", seq)
    else:
        other = trail.chance.choice(
            [each for each in range(trail.first, trail.head) if each not in trail.checkpoints]
        )
        await trail.run("UPDATE audit_checkpoint SET seq = $2 WHERE seq = $1", seq, other)
        seq = other
    return rf"the checkpoint at seal {seq} does not bear our signature"


async def a_checkpoint_taken_away(trail: Trail) -> str:
    seq = trail.chance.choice(trail.checkpoints)
    await trail.run("DELETE FROM audit_checkpoint WHERE seq = $1", seq)
    return rf"the checkpoint at seal {seq} is missing"


async def the_anchor_changed(trail: Trail) -> str:
    trail.anchor.write_bytes(flipped(trail.anchor.read_bytes(), trail.chance))
    return r"audit-anchor does not bear our signature"


async def the_anchor_taken_away(trail: Trail) -> str:
    trail.anchor.unlink()
    return r"there is no audit-anchor file"


async def the_anchor_forged(trail: Trail) -> str:
    """A genuine checkpoint's signature under another number."""
    seq = trail.seq()
    text = re.sub(rb'"seq":\d+', b'"seq":%d' % seq, trail.anchor.read_bytes()) if seq != trail.head else b"{}"
    trail.anchor.write_bytes(text)
    return r"audit-anchor does not bear our signature"


async def an_archive_changed(trail: Trail) -> str:
    """The signed statement, or the file of which it speaks."""
    [path] = [each for each in trail.files if each.suffix == ".gz"]
    what = trail.chance.choice(["hash", "digest", "signature", "first", "at", "file", "the file", "the file"])
    if what == "the file":
        path.write_bytes(flipped(path.read_bytes(), trail.chance))
    elif what in ("hash", "digest", "signature"):
        value = flipped(await trail.admin.fetchval(f"SELECT {what} FROM audit_archive"), trail.chance)
        await trail.run(f"UPDATE audit_archive SET {what} = $1", value)
    else:
        to = {"first": "first + 1", "at": "at + interval '1 second'", "file": "file || 'x'"}[what]
        await trail.run(f"UPDATE audit_archive SET {what} = {to}")
    return rf"{re.escape(path.name)}"


async def the_archive_s_statement_taken_away(trail: Trail) -> str:
    await trail.run("DELETE FROM audit_archive")
    return rf"seals 1 to {trail.first - 1} are missing"


ALL: list[tuple[Tampering, int]] = [
    (a_text_changed, 14), (a_value_changed, 7), (an_id_changed, 3), (a_row_deleted, 8), (rows_deleted_with_their_seals, 8),
    (a_row_deleted_and_the_rest_moved_up, 4), (two_rows_exchanged, 8), (two_seals_exchanged, 6),
    (two_rows_and_their_seals_exchanged, 4), (the_tail_cut_off, 8), (an_old_dump_replayed, 5), (a_row_put_in, 5),
    (a_row_put_in_with_a_seal, 4), (a_seal_changed, 8), (a_seal_renamed, 3), (a_seal_renumbered, 3),
    (the_chain_written_anew, 6), (the_words_of_a_search_changed, 4), (a_checkpoint_changed, 8), (a_checkpoint_taken_away, 4), (the_anchor_changed, 8),
    (the_anchor_taken_away, 1), (the_anchor_forged, 3), (an_archive_changed, 6), (the_archive_s_statement_taken_away, 1),
]  # fmt: skip
"""Each with its weight."""


def kept(folder: Path) -> dict[Path, bytes]:
    """The anchor, the archive and its statement."""
    return {path: path.read_bytes() for path in folder.rglob("audit-*") if path.is_file()}


@pytest.fixture
async def trail(database_url: str, tmp_path: Path) -> AsyncIterator[Trail]:
    """Two hundred rows and more, of which some of seven years ago are archived."""
    ahead = [timedelta()]
    async with running(database_url, tmp_path, lambda: system_clock() + ahead[0]) as service:
        context = service.wiring.context
        for number in range(6):
            await service.partner(f"Old {number}", "ehr")
        await seal(context)
        ahead[0] = timedelta(days=7 * 366)
        await service.partner("Clinic", "ehr")
        for _ in range(3):
            async with await service.client("Clinic") as client:
                for number in range(20):
                    made = await client.post("/fhir/Patient", json={"resourceType": "Patient"})
                    await client.get(f"/fhir/Patient/{made.json()['id']}")
                    await client.get(f"/fhir/Patient?family=Somebody{number}")
            ahead[0] += timedelta(hours=2)
            await seal(context)
        await archive(context)
        await seal(context)
        admin = await asyncpg.connect(database_url)
        await admin.execute(
            "SET session_replication_role = replica; SET synchronous_commit = off; CREATE SCHEMA kept"
        )
        for table in TABLES:
            await admin.execute(f"CREATE TABLE kept.{table} AS TABLE {table}")
        first, head = await admin.fetchrow("SELECT min(seq), max(seq) FROM audit_seal")
        marks = [row[0] for row in await admin.fetch("SELECT seq FROM audit_checkpoint ORDER BY seq")]
        files = kept(tmp_path)
        yield Trail(service, admin, tmp_path, random.Random(SEED), first, head, marks, files)
        await admin.close()


async def test_every_tampering_is_found_and_named(trail: Trail) -> None:
    assert await trail.findings() == []
    assert trail.head - trail.first >= 180
    assert len(trail.checkpoints) >= 3
    plan = [each for each, _ in ALL]
    plan += trail.chance.choices(plan, [weight for _, weight in ALL], k=MANY - len(plan))
    missed = []
    for number, tampering in enumerate(plan):
        expected = await tampering(trail)
        found = await trail.findings()
        if not any(re.search(expected, each) for each in found):
            missed.append(f"{number} {tampering.__name__}: wanted {expected}, found {found}")
        await trail.restore()
    assert not missed, "\n".join(missed)
    assert await trail.findings() == [], "and what was put back is whole"
