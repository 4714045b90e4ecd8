"""Rows of the audit trail: written once, never changed (a trigger sees to it), found by client, agent and time.

Whatever writes resources writes its audit rows in the same statement (`unit`). What was only looked at goes through
the Recorder: one INSERT for everything that is waiting at that moment, and nobody is answered before it is durable.
"""

import asyncio
import hmac
import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import asyncpg
import orjson

from service.fhir.audited import FIELDS, Audited
from service.kernel.failures import Unavailable

COLUMNS = ", ".join(FIELDS)


def insert(records: str) -> str:
    """CTEs that write the rows of a JSON parameter (`$1`) and put them in line to be sealed."""
    return f"""audited AS (
  INSERT INTO audit ({COLUMNS})
  SELECT {COLUMNS} FROM json_populate_recordset(NULL::audit, {records}::text::json) RETURNING id
), in_line AS (
  INSERT INTO audit_unsealed (id) SELECT id FROM audited
)"""  # noqa: S608


def rows_json(rows: Iterable[Audited]) -> str:
    """The parameter of `insert`."""
    return orjson.dumps(list(rows)).decode()


@dataclass(frozen=True, slots=True)
class Query:
    """What was asked, word for word, kept beside a row until it is shredded."""

    id: str
    salt: bytes
    text: str

    @property
    def mac(self) -> str:
        """What the row holds of it."""
        return digest(self.salt, self.text)


def query_for(id_: str, text: str) -> Query:
    """With a salt of its own, so that nothing can be guessed back once the salt is gone."""
    return Query(id_, os.urandom(16), text)


def digest(salt: bytes, text: str) -> str:
    """The keyed digest of a query's text."""
    return hmac.digest(salt, text.encode(), "sha256").hex()


_RECORD = f"""
WITH {insert("$1")}, asked AS (
  INSERT INTO audit_query (id, salt, text) SELECT * FROM unnest($2::uuid[], $3::bytea[], $4::text[])
) SELECT 1"""  # noqa: S608

_Waiting = tuple[Sequence[Audited], Sequence[Query], "asyncio.Future[None]"]


GATHER = 0.003
"""Seconds a batch waits for company when rows came in during the commit before it: a commit costs what twenty rows
do. Who comes alone waits for nobody."""


class Recorder:
    """The one writer of a process for rows that belong to no unit."""

    def __init__(self, pool: Any) -> None:
        self._pool = pool
        self._waiting: list[_Waiting] = []
        self._writer: asyncio.Task[None] | None = None

    async def record(self, rows: Sequence[Audited], queries: Sequence[Query] = ()) -> None:
        """Returns when the rows are durable; raises Unavailable when they are not."""
        done = asyncio.get_running_loop().create_future()
        self._waiting.append((rows, queries, done))
        if self._writer is None:
            self._writer = asyncio.create_task(self._write())
        await done

    async def _write(self) -> None:
        try:
            while self._waiting:
                batch, self._waiting = self._waiting, []
                await self._commit(batch)
                if self._waiting:
                    await asyncio.sleep(GATHER)
        finally:
            self._writer = None

    async def _commit(self, batch: list[_Waiting]) -> None:
        rows = rows_json(row for rows, _, _ in batch for row in rows)
        asked = [query for _, queries, _ in batch for query in queries]
        values = [each.id for each in asked], [each.salt for each in asked], [each.text for each in asked]
        failed: Exception | None = None
        try:
            async with self._pool.acquire(timeout=10) as connection:
                await connection.execute(_RECORD, rows, *values)
        except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, TimeoutError):
            failed = Unavailable("what was done cannot be recorded now, so it is not done")
        except BaseException:
            failed = Unavailable("the service is stopping")
            raise
        finally:
            for _, _, done in batch:
                if done.done():
                    continue
                if failed:
                    done.set_exception(failed)
                else:
                    done.set_result(None)


@dataclass(frozen=True, slots=True)
class Sought:
    """A search over the trail: each field narrows it; `before` is where the last page ended."""

    ids: Sequence[str] | None = None
    about: Sequence[str] = ()
    any_about: Sequence[str] = ()
    organizations: Sequence[str] | None = None
    kinds: Sequence[str] | None = None
    actions: Sequence[str] | None = None
    outcomes: Sequence[str] | None = None
    bases: Sequence[str] | None = None
    low: datetime | None = None
    high: datetime | None = None
    before: tuple[datetime, str] | None = None


_WHERE = """
  ($1::uuid[] IS NULL OR id = ANY($1)) AND (cardinality($2::text[]) = 0 OR about @> $2)
  AND (cardinality($3::text[]) = 0 OR about && $3)
  AND ($4::text[] IS NULL OR organization = ANY($4)) AND ($5::text[] IS NULL OR kind = ANY($5))
  AND ($6::text[] IS NULL OR action = ANY($6)) AND ($7::text[] IS NULL OR outcome = ANY($7))
  AND ($8::text[] IS NULL OR basis = ANY($8))
  AND ($9::timestamptz IS NULL OR at >= $9) AND ($10::timestamptz IS NULL OR at < $10)
  AND ($11::timestamptz IS NULL OR (at, id) < ($11, $12::uuid))"""


async def find(connection: Any, sought: Sought, limit: int) -> list[Audited]:
    """Rows, newest first."""
    when, id_ = sought.before or (None, None)
    found = await connection.fetch(
        f"SELECT {COLUMNS} FROM audit WHERE {_WHERE} ORDER BY at DESC, id DESC LIMIT $13",  # noqa: S608
        sought.ids, list(sought.about), list(sought.any_about), sought.organizations, sought.kinds, sought.actions,
        sought.outcomes, sought.bases, sought.low, sought.high, when, id_, limit,
    )  # fmt: skip
    return [audited(each) for each in found]


async def queries(connection: Any, ids: Sequence[str]) -> dict[str, str]:
    """The words of the searches among these rows, where they have not been shredded."""
    found = await connection.fetch("SELECT id::text, text FROM audit_query WHERE id = ANY($1::uuid[])", ids)
    return {each["id"]: each["text"] for each in found}


def audited(record: Any) -> Audited:
    """A database record, whose first columns are COLUMNS, to a row."""
    values = dict(zip(FIELDS, record, strict=False))
    values["id"] = str(values["id"])
    values["about"], values["consents"] = tuple(values["about"]), tuple(values["consents"])
    return Audited(**values)


async def oldest(connection: Any) -> datetime | None:
    """When the first row was written that is still in the database; None where there is none."""
    found: datetime | None = await connection.fetchval("SELECT min(at) FROM audit")
    return found
