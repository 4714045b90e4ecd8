"""The one committer: everything that one story changes becomes durable together or not at all.

A unit collects resource versions, events, deliveries, shares and audit rows, and writes them in ONE statement when
it ends; every version has its audit row there, whether the story thought of it or not. A story that only collects (a
plain create) is thereby one round trip and one implicit transaction; a story that reads under locks first gets an
explicit one. Nothing else in the service commits.
"""

from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from types import TracebackType
from typing import Any, Self

import asyncpg
import orjson

from service.fhir.audited import Audited
from service.fhir.search.edition import EDITION
from service.kernel.failures import Refused, Unavailable
from service.store import audit
from service.store.away import AWAY
from service.store.trail import Trail, current


@dataclass(frozen=True, slots=True)
class Put:
    """One new version of a resource. `version` 1 inserts; a higher one replaces `version - 1` under its lock.

    `body` None deletes. `keys`, `dates`, `strings`, `numbers`, `orders` are what fhir.search extracted. `rewritten`:
    somebody else than its author made this version or one before it.
    """

    type: str
    id: str
    version: int
    updated: datetime
    author: str
    patient: str | None
    body: bytes | None
    keys: list[str] = field(default_factory=list)
    dates: list[tuple[str, datetime, datetime]] = field(default_factory=list)
    strings: list[tuple[str, str, str]] = field(default_factory=list)
    numbers: list[tuple[str, Decimal, Decimal, str]] = field(default_factory=list)
    orders: dict[str, str] = field(default_factory=dict)
    rewritten: bool = False


@dataclass(frozen=True, slots=True)
class Told:
    """An event for the casework system `source`."""

    source: str
    kind: str
    at: datetime
    body: bytes


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A row for the outbox."""

    id: str
    partner: str
    loop: str
    kind: str
    refs: list[str]
    due: datetime


@dataclass(frozen=True, slots=True)
class Shared:
    """A resource made known to a partner by a referral loop."""

    party: str
    type: str
    id: str
    loop: str
    since: datetime


_INSERT = f"""
WITH put AS (
  INSERT INTO resource (type, id, version, updated, deleted, author, patient, body, keys, orders, indexed)
  SELECT p.type, p.id, 1, p.updated, false, p.author, p.patient, p.body,
         ARRAY(SELECT hashtextextended(k, 0) FROM unnest(string_to_array(p.keys, E'\\x1e')) k),
         p.orders::jsonb, {EDITION}
  FROM unnest($1::text[], $2::text[], $3::timestamptz[], $4::text[], $5::text[], $6::bytea[], $7::text[],
              $8::text[]) AS p(type, id, updated, author, patient, body, keys, orders)
)"""  # noqa: S608

_REST = """, d AS (
  INSERT INTO search_date (type, param, id, low, high)
  SELECT * FROM unnest($9::text[], $10::text[], $11::text[], $12::timestamptz[], $13::timestamptz[])
), s AS (
  INSERT INTO search_string (type, param, id, value, exact)
  SELECT * FROM unnest($14::text[], $15::text[], $16::text[], $17::text[], $18::text[])
), n AS (
  INSERT INTO search_number (type, param, id, low, high, unit)
  SELECT * FROM unnest($19::text[], $20::text[], $21::text[], $22::numeric[], $23::numeric[], $24::text[])
), e AS (
  INSERT INTO event (source, kind, at, body)
  SELECT * FROM unnest($25::text[], $26::text[], $27::timestamptz[], $28::bytea[])
), o AS (
  INSERT INTO delivery (id, partner, loop, kind, refs, due, created)
  SELECT id, partner, loop, kind, string_to_array(refs, ' '), due, due
  FROM unnest($29::text[], $30::text[], $31::text[], $32::text[], $33::text[], $34::timestamptz[])
    WITH ORDINALITY AS q(id, partner, loop, kind, refs, due, place) ORDER BY place
), h AS (
  INSERT INTO share (party, type, id, loop, since)
  SELECT * FROM unnest($35::text[], $36::text[], $37::text[], $38::text[], $39::timestamptz[])
  ON CONFLICT DO NOTHING
), w AS (
  INSERT INTO newcomer (id, version) SELECT * FROM unnest($40::text[], $41::int[])
), """
_LISTENED = "EXISTS (SELECT 1 FROM subscription l WHERE l.type = ANY($1::text[]) AND l.status <> 'off')"
"""Does anybody subscribe to a type that is written? Only then is the function called that leaves the changes behind:
an INSERT standing here would be made ready at each commit, and that alone costs 50 µs."""
_TOLD = f"""
SELECT pg_notify('deliveries', '') FROM (
  SELECT CASE WHEN {_LISTENED}
    THEN leave_changes($1, $2, array_fill(1, ARRAY[cardinality($1::text[])]), $3, $6) END AS left_behind OFFSET 0) one
WHERE one.left_behind OR cardinality($29::text[]) > 0"""  # noqa: S608

_COLLECTED = _INSERT + _REST + audit.insert("$42") + _TOLD

_RETIRE = f"""
WITH gone AS (
  SELECT type, id FROM unnest($1::text[], $2::text[]) AS g(type, id)
), history AS (
  INSERT INTO resource_version (type, id, version, updated, deleted, author, patient, body, rewritten)
  SELECT r.type, r.id, r.version, r.updated, r.deleted, r.author, r.patient, r.body, r.rewritten
  FROM resource r JOIN gone USING (type, id)
), d AS (DELETE FROM search_date x USING gone g WHERE x.type = g.type AND x.id = g.id
), s AS (DELETE FROM search_string x USING gone g WHERE x.type = g.type AND x.id = g.id
), n AS (DELETE FROM search_number x USING gone g WHERE x.type = g.type AND x.id = g.id
), c AS MATERIALIZED (
  SELECT CASE WHEN {_LISTENED} THEN leave_changes($1, $2, $3, $4, $6) END AS left_behind
)
UPDATE resource r SET
  version = p.version, updated = p.updated, deleted = p.body IS NULL, patient = p.patient, body = p.body,
  keys = ARRAY(SELECT hashtextextended(k, 0) FROM unnest(string_to_array(p.keys, E'\\x1e')) k),
  orders = p.orders::jsonb, indexed = {EDITION}, rewritten = p.rewritten
FROM unnest($1::text[], $2::text[], $3::int[], $4::timestamptz[], $5::text[], $6::bytea[], $7::text[], $8::text[],
            $9::boolean[])
  AS p(type, id, version, updated, patient, body, keys, orders, rewritten) CROSS JOIN c
WHERE r.type = p.type AND r.id = p.id AND r.version = p.version - 1"""  # noqa: S608


class Unit:
    """`async with database.unit(…) as unit:` commits on a clean exit and rolls back on any exception."""

    def __init__(self, pool: Any, locks: tuple[str, ...] = ()) -> None:
        self._pool = pool
        self._locks = sorted(set(locks))
        self._connection: Any = None
        self._transaction: Any = None
        self._trail: Trail | None = None
        self._puts: list[Put] = []
        self._told: list[Told] = []
        self._outgoing: list[Outgoing] = []
        self._shared: list[Shared] = []
        self._audited: list[Audited] = []
        self._newcomers: list[tuple[str, int]] = []

    def put(self, put: Put) -> None:
        """Collect a resource version."""
        self._puts.append(put)

    def collects(self, type_: str, id_: str) -> bool:
        """True when a version of this resource is collected already: a unit writes one version of each."""
        return any((put.type, put.id) == (type_, id_) for put in self._puts)

    def collected(self) -> list[Put]:
        """The resource versions collected so far, in order."""
        return list(self._puts)

    def tell(self, event: Told) -> None:
        """Collect an event for the casework system."""
        self._told.append(event)

    def send(self, outgoing: Outgoing) -> None:
        """Collect a delivery; it is due as soon as it is committed."""
        self._outgoing.append(outgoing)

    def share(self, shared: Shared) -> None:
        """Collect a share; one by the same loop stays as it is."""
        self._shared.append(shared)

    def introduce(self, id_: str, version: int) -> None:
        """Collect a version of a person that has yet to be compared with those who are here."""
        self._newcomers.append((id_, version))

    def audit(self, row: Audited) -> None:
        """Collect a row of the audit trail for what this unit does beside its resource versions."""
        self._audited.append(row)

    async def fetch(self, sql: str, *values: Any) -> list[Any]:
        """Rows of a statement run inside this transaction."""
        return list(await (await self._begun()).fetch(sql, *values))

    async def fetchrow(self, sql: str, *values: Any) -> Any:
        """One row or None."""
        return await (await self._begun()).fetchrow(sql, *values)

    async def execute(self, sql: str, *values: Any) -> str:
        """Run a statement inside this transaction; returns PostgreSQL's command tag."""
        return str(await (await self._begun()).execute(sql, *values))

    async def lock(self, *names: str) -> None:
        """Take more advisory locks. Only names that sort after those already held keep deadlocks impossible."""
        connection = await self._begun()
        for name in sorted(set(names)):
            await connection.execute("SELECT pg_advisory_xact_lock(hashtextextended($1, 1))", name)

    async def _begun(self) -> Any:
        if self._transaction is None:
            self._transaction = self._connection.transaction()
            await self._transaction.start()
        return self._connection

    async def __aenter__(self) -> Self:
        try:
            self._connection = await self._pool.acquire(timeout=10)
        except (*AWAY, asyncpg.PostgresError, TimeoutError) as error:
            raise Unavailable("the database is not reachable or has no free connection") from error
        try:
            if self._locks:
                await self.lock(*self._locks)
        except BaseException as trouble:
            await self._leave()
            meant = _meant(trouble)
            if meant is trouble:
                raise
            raise meant from trouble
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if error is not None:
                raise error
            await self._write()
            if self._transaction is not None:
                await self._transaction.commit()
                self._transaction = None
            if self._trail is not None:
                self._trail.written = True
        except BaseException as trouble:
            meant = _meant(trouble)
            if meant is trouble:
                raise
            raise meant from trouble
        finally:
            await self._leave()

    async def _leave(self) -> None:
        try:
            if self._transaction is not None and not self._connection.is_closed():
                await self._transaction.rollback()
        except AWAY:
            pass  # it is away: there is nothing left to roll back
        finally:
            self._transaction = None
            await self._pool.release(self._connection)

    async def _write(self) -> None:
        trail = current()
        later = [put for put in self._puts if put.version > 1]
        if later:
            await self._replace(later)
        rows = [*self._audited, *(_written(trail, put) for put in self._puts)]
        if rows or self._told or self._outgoing or self._shared:
            await self._connection.execute(_COLLECTED, *self._columns(), audit.rows_json(rows))
            self._trail = trail if rows else None

    async def _replace(self, puts: list[Put]) -> None:
        done = await self.execute(
            _RETIRE,
            [p.type for p in puts], [p.id for p in puts], [p.version for p in puts], [p.updated for p in puts],
            [p.patient for p in puts], [p.body for p in puts], ["\x1e".join(p.keys) for p in puts],
            [_json(p.orders) for p in puts], [p.rewritten for p in puts],
        )  # fmt: skip
        if done != f"UPDATE {len(puts)}":
            raise Refused("stale", "the resource was changed by somebody else meanwhile")

    def _columns(self) -> list[Any]:
        new = [put for put in self._puts if put.version == 1]
        dates = [(p.type, d[0], p.id, d[1], d[2]) for p in self._puts for d in p.dates]
        strings = [(p.type, s[0], p.id, s[1], s[2]) for p in self._puts for s in p.strings]
        numbers = [(p.type, n[0], p.id, n[1], n[2], n[3]) for p in self._puts for n in p.numbers]
        rows: list[tuple[int, list[Any]]] = [
            (8, [_row(p) for p in new]),
            (5, dates),
            (5, strings),
            (6, numbers),
            (4, [(t.source, t.kind, t.at, t.body) for t in self._told]),
            (6, [(o.id, o.partner, o.loop, o.kind, " ".join(o.refs), o.due) for o in self._outgoing]),
            (5, [(h.party, h.type, h.id, h.loop, h.since) for h in self._shared]),
            (2, self._newcomers),
        ]
        return [[row[place] for row in table] for width, table in rows for place in range(width)]


def _row(put: Put) -> tuple[Any, ...]:
    keys = "\x1e".join(put.keys)
    return put.type, put.id, put.updated, put.author, put.patient, put.body, keys, _json(put.orders)


def _json(orders: dict[str, str]) -> str:
    return orjson.dumps(orders).decode()


def _written(trail: Trail, put: Put) -> Audited:
    """Every version is audited by whoever's trail it is, in the statement that writes it."""
    word = "delete" if put.body is None else "create" if put.version == 1 else "update"
    word = "patch" if word == "update" and trail.action == "patch" else word
    return trail.row(put.updated, word, f"{put.type}/{put.id}", put.version, put.patient)


def _meant(error: BaseException) -> BaseException:
    """What a database error means to a caller; anything else is what it is."""
    match error:
        case asyncpg.UniqueViolationError():
            return _clash(error)
        case asyncpg.DeadlockDetectedError():
            return Refused("conflict", "others are changing the same resources; please try again")
        case asyncpg.QueryCanceledError():
            return Unavailable("the database took too long; please try again")
        case asyncpg.PostgresConnectionError() | asyncpg.InsufficientResourcesError() | OSError():
            return Unavailable("the database cannot write now")
    return error


def _clash(error: asyncpg.UniqueViolationError) -> Refused:
    if error.table_name == "resource":
        return Refused("conflict", "a resource with this type and id was created by somebody else meanwhile")
    if error.table_name == "resource_version":
        return Refused("stale", "the resource was changed by somebody else meanwhile")
    return Refused("conflict", "this was done by somebody else meanwhile; please read it and try again")
