"""Access tokens by digest, and the client assertions that bought them: each buys one."""

import hashlib
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from service.kernel.ids import ClientId
from service.store.unit import Unit


@dataclass(frozen=True, slots=True)
class Living:
    """A token that counts at this moment, and whose it is. `certificate`: the x5t#S256 it is bound to, or ''."""

    client_id: ClientId
    name: str
    organization: str
    roles: list[str]
    scopes: list[str]
    expires_at: datetime
    certificate: str


@dataclass(frozen=True, slots=True)
class Issued:
    """A new token in the clear, for the moment between making and answering."""

    client_id: str
    token: str = field(repr=False)
    scopes: list[str]
    expires_at: datetime
    certificate: str = ""


_SPEND = """
WITH spent AS (
  INSERT INTO assertion_seen (client_id, jti, expires_at) VALUES ($1, $2, $3)
  ON CONFLICT DO NOTHING RETURNING client_id
), issued AS (
  INSERT INTO access_token (digest, client_id, scopes, expires_at, certificate)
  SELECT $4, p.client_id, $5, $6, $7 FROM spent JOIN partner p USING (client_id) WHERE p.disabled_at IS NULL
  RETURNING client_id
)
SELECT (SELECT count(*) FROM spent) AS spent, (SELECT count(*) FROM issued) AS issued"""

_ISSUE = """
INSERT INTO access_token (digest, client_id, scopes, expires_at, certificate)
SELECT $1, client_id, $3, $4, $5 FROM partner WHERE client_id = $2 AND disabled_at IS NULL RETURNING client_id"""

_LIVING = """
SELECT p.client_id, p.name, p.organization, p.roles, t.scopes, t.expires_at, t.certificate
FROM access_token t JOIN partner p USING (client_id)
WHERE t.digest = $1 AND t.expires_at > $2 AND p.disabled_at IS NULL
  AND (p.certificate = '' OR t.certificate <> '')"""
"""A partner that must show a certificate has no use for a token that is bound to none."""


def digest(token: str) -> bytes:
    """What is stored instead of a token. Tokens are 256 random bits, so a plain SHA-256 cannot be guessed."""
    return hashlib.sha256(token.encode()).digest()


async def spend(unit: Unit, jti: str, keep_until: datetime, issued: Issued) -> bool:
    """Use up an assertion and issue a token for it, or neither: False when the jti was used before.

    The unique key decides between racing uses, across all replicas.
    """
    token = (digest(issued.token), issued.scopes, issued.expires_at, issued.certificate)
    return bool((await unit.fetchrow(_SPEND, issued.client_id, jti, keep_until, *token))["issued"])


async def use_up(unit: Unit, client_id: str, jti: str, keep_until: datetime) -> bool:
    """Use up an assertion that only proves who calls; False when it was used before."""
    sql = """INSERT INTO assertion_seen (client_id, jti, expires_at) VALUES ($1, $2, $3)
             ON CONFLICT DO NOTHING RETURNING client_id"""
    return await unit.fetchrow(sql, client_id, jti, keep_until) is not None


async def issue(unit: Unit, issued: Issued) -> bool:
    """Issue a token without an assertion (an operator asked for it); False for a disabled partner."""
    values = (digest(issued.token), issued.client_id, issued.scopes, issued.expires_at, issued.certificate)
    return await unit.fetchrow(_ISSUE, *values) is not None


async def living(connection: Any, token: str, now: datetime) -> Living | None:
    """The one statement behind every request: a known, unexpired token of an enabled partner, or None."""
    found = await connection.fetchrow(_LIVING, digest(token), now)
    return Living(*found) if found else None


def mark(token: str) -> str:
    """What the audit trail knows a token by: the beginning of its digest, never a part of the token itself."""
    return digest(token).hex()[:32]


async def owner(connection: Any, token: str) -> str | None:
    """Whose a token was that may no longer count; None for one that we never gave, or have forgotten."""
    sql = "SELECT client_id FROM access_token WHERE digest = $1"
    found = await connection.fetchval(sql, digest(token))
    return str(found) if found else None


async def living_of(connection: Any, client_id: str, now: datetime) -> int:
    """How many tokens of this partner count now."""
    sql = "SELECT count(*) FROM access_token WHERE client_id = $1 AND expires_at > $2"
    return int(await connection.fetchval(sql, client_id, now))


async def revoke(unit: Unit, token: str, client_id: str) -> None:
    """Forget this client's token; another client's stays."""
    sql = "DELETE FROM access_token WHERE digest = $1 AND client_id = $2"
    await unit.execute(sql, digest(token), client_id)


async def revoke_all(unit: Unit, client_id: str) -> int:
    """Forget every token of this client; returns how many."""
    return len(await unit.fetch("DELETE FROM access_token WHERE client_id = $1 RETURNING 1", client_id))


async def sweep(unit: Unit, now: datetime) -> None:
    """Forget what has expired. Safe at any time: expired rows answer nothing."""
    await unit.execute("DELETE FROM access_token WHERE expires_at <= $1", now)
    await unit.execute("DELETE FROM assertion_seen WHERE expires_at <= $1", now)
