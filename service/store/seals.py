"""The chain's links and checkpoints, and the line of rows that wait for theirs."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from service.fhir.audited import Audited, record_of
from service.store.audit import COLUMNS, audited, digest
from service.store.unit import Unit

LOCK = 4_215_300_002


@dataclass(frozen=True, slots=True)
class Seal:
    """One link."""

    seq: int
    id: str
    leaf: bytes
    hash: bytes


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """The head at a moment, signed. `previous`: the number of the checkpoint before it, 0 for the first; None where an
    older release did not say."""

    seq: int
    hash: bytes
    at: datetime
    signature: bytes
    previous: int | None = None


@dataclass(frozen=True, slots=True)
class Archive:
    """The signed statement that links `first` to `last` are in a file, and the hash of the last of them."""

    last: int
    first: int
    hash: bytes
    digest: bytes
    file: str
    at: datetime
    signature: bytes


@dataclass(frozen=True, slots=True)
class Sealed:
    """A link with the row it seals (None: it is gone), and whether the words of its search, if kept, are its own."""

    seal: Seal
    row: Audited | None
    words_match: bool


async def waiting(connection: Any) -> bool:
    """Is anything committed and not yet sealed?"""
    return bool(await connection.fetchval("SELECT EXISTS (SELECT FROM audit_unsealed)"))


async def alone(unit: Unit) -> bool:
    """One sealer at a time, across all processes; False when another one is at it."""
    return bool((await unit.fetchrow("SELECT pg_try_advisory_xact_lock($1)", LOCK))[0])


async def head(connection: Any) -> Seal | None:
    """The last link."""
    found = await connection.fetchrow(
        "SELECT seq, id::text, leaf, hash FROM audit_seal ORDER BY seq DESC LIMIT 1"
    )
    return Seal(*found) if found else None


async def hash_at(connection: Any, seq: int) -> bytes | None:
    """The hash of a link, None where there is none."""
    found = await connection.fetchrow("SELECT hash FROM audit_seal WHERE seq = $1", seq)
    return bytes(found["hash"]) if found else None


async def take_line(unit: Unit, limit: int) -> list[tuple[str, Audited | None]]:
    """Up to `limit` rows out of the line, in the order of their making: what is visible here is committed.

    A row that commits later than one with a higher id is simply taken later: none is lost, whatever the order.
    """
    found = await unit.fetch(
        f"""WITH taken AS (
              DELETE FROM audit_unsealed WHERE id IN (SELECT id FROM audit_unsealed ORDER BY id LIMIT $1) RETURNING id)
            SELECT {_OF_ROW}, t.id::text AS line FROM taken t LEFT JOIN audit a USING (id) ORDER BY t.id""",  # noqa: S608
        limit,
    )
    return [(each["line"], audited(each) if each[1] is not None else None) for each in found]


async def add(unit: Unit, seals: Sequence[Seal]) -> None:
    """Append links."""
    await unit.execute(
        "INSERT INTO audit_seal (seq, id, leaf, hash)"
        " SELECT * FROM unnest($1::bigint[], $2::uuid[], $3::bytea[], $4::bytea[])",
        [each.seq for each in seals], [each.id for each in seals], [each.leaf for each in seals],
        [each.hash for each in seals],
    )  # fmt: skip


async def last_checkpoint(connection: Any) -> Checkpoint | None:
    """The newest one."""
    sql = "SELECT seq, hash, at, signature, previous FROM audit_checkpoint ORDER BY seq DESC LIMIT 1"
    found = await connection.fetchrow(sql)
    return Checkpoint(*found) if found else None


async def checkpoints(connection: Any) -> list[Checkpoint]:
    """All of them, oldest first."""
    found = await connection.fetch(
        "SELECT seq, hash, at, signature, previous FROM audit_checkpoint ORDER BY seq"
    )
    return [Checkpoint(*each) for each in found]


async def add_checkpoint(unit: Unit, made: Checkpoint) -> None:
    """Keep one."""
    await unit.execute(
        "INSERT INTO audit_checkpoint (seq, hash, at, signature, previous) VALUES ($1, $2, $3, $4, $5)",
        made.seq, made.hash, made.at, made.signature, made.previous,
    )  # fmt: skip


_OF_ROW = ", ".join(f"a.{name}" for name in COLUMNS.split(", "))


async def links(connection: Any, after: int, limit: int) -> list[Sealed]:
    """Links in order with what they seal."""
    found = await connection.fetch(
        f"""SELECT {_OF_ROW}, s.seq, s.id::text AS sealed, s.leaf, s.hash, q.salt, q.text
            FROM audit_seal s LEFT JOIN audit a ON a.id = s.id LEFT JOIN audit_query q ON q.id = s.id
            WHERE s.seq > $1 ORDER BY s.seq LIMIT $2""",  # noqa: S608
        after, limit,
    )  # fmt: skip
    return [_sealed(each) for each in found]


def _sealed(record: Any) -> Sealed:
    row = audited(record) if record[1] is not None else None
    words = record["salt"] is None or (
        row is not None and digest(record["salt"], record["text"]) == row.query_mac
    )
    return Sealed(
        Seal(record["seq"], record["sealed"], bytes(record["leaf"]), bytes(record["hash"])), row, words
    )


async def strays(connection: Any, limit: int) -> list[str]:
    """Rows of the trail that are neither sealed nor waiting: nobody of ours wrote them."""
    found = await connection.fetch(
        """SELECT a.id::text FROM audit a WHERE NOT EXISTS (SELECT FROM audit_seal s WHERE s.id = a.id)
           AND NOT EXISTS (SELECT FROM audit_unsealed u WHERE u.id = a.id) LIMIT $1""",
        limit,
    )
    return [each[0] for each in found]


async def former_keys(connection: Any) -> list[tuple[bytes, bytes]]:
    """Keys that signed before, each with the signature that vouches for it."""
    found = await connection.fetch("SELECT public, signature FROM audit_key ORDER BY at")
    return [(bytes(public), bytes(signature)) for public, signature in found]


async def vouch(unit: Unit, public: bytes, signature: bytes, at: datetime) -> None:
    """Keep a key before ours, or our newer word for it."""
    await unit.execute(
        """INSERT INTO audit_key (public, at, signature) VALUES ($1, $2, $3)
           ON CONFLICT (public) DO UPDATE SET signature = EXCLUDED.signature""",
        public, at, signature,
    )  # fmt: skip


def record_text(sealed: Sealed) -> str:
    """The canonical record a link seals, as text; '' for a row that was lost before it was sealed."""
    return record_of(sealed.row).decode() if sealed.row else ""


_ARCHIVE = "last, first, hash, digest, file, at, signature"


async def archives(connection: Any) -> list[Archive]:
    """All statements, oldest first."""
    found = await connection.fetch(f"SELECT {_ARCHIVE} FROM audit_archive ORDER BY last")  # noqa: S608
    return [Archive(*each) for each in found]


async def last_archive(connection: Any) -> Archive | None:
    """The newest statement: behind it the chain in the database begins."""
    found = await archives(connection)
    return found[-1] if found else None


async def last_before(connection: Any, moment: datetime) -> int:
    """The last link of the oldest stretch in which every row is older than `moment`; 0 for none. Never the head."""
    found = await connection.fetchval(
        """SELECT COALESCE(
             (SELECT min(s.seq) - 1 FROM audit_seal s JOIN audit a ON a.id = s.id WHERE a.at >= $1),
             (SELECT max(seq) - 1 FROM audit_seal), 0)""",
        moment,
    )
    return int(found)


async def move_out(unit: Unit, made: Archive) -> None:
    """Keep the statement and delete what it speaks of: rows, links, checkpoints, and the words of searches."""
    await unit.execute("SET LOCAL casebridge.archiving = 'on'")
    await unit.execute(
        f"INSERT INTO audit_archive ({_ARCHIVE}) VALUES ($1, $2, $3, $4, $5, $6, $7)",  # noqa: S608
        made.last, made.first, made.hash, made.digest, made.file, made.at, made.signature,
    )  # fmt: skip
    ids = "SELECT id FROM audit_seal WHERE seq <= $1"
    await unit.execute(f"DELETE FROM audit_query WHERE id IN ({ids})", made.last)  # noqa: S608
    await unit.execute(f"DELETE FROM audit WHERE id IN ({ids})", made.last)  # noqa: S608
    await unit.execute("DELETE FROM audit_seal WHERE seq <= $1", made.last)
    await unit.execute("DELETE FROM audit_checkpoint WHERE seq <= $1", made.last)
    await unit.execute("SET LOCAL casebridge.archiving = 'off'")
