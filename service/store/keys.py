"""Our own signing keys: made at first start, encrypted at rest, published by their public half."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from cryptography.fernet import InvalidToken
from joserfc.jwk import ECKey, RSAKey

from service.fhir.json import JsonObject, decode_object, encode
from service.kernel.failures import Unavailable
from service.store.unit import Unit
from service.store.vault import Vault

ALGORITHMS = ("ES384", "RS384")
AFTERGLOW = timedelta(hours=1)
"""A retired key stays published this long: partners may still hold an assertion it signed."""
LEAD = timedelta(minutes=10)
"""A new key is published this long before it signs: twice as long as our key set may be cached."""
LOCK = "signing-key"


@dataclass(frozen=True, slots=True)
class SigningKey:
    """A key we sign with. `private` is a JWK, never printed."""

    kid: str
    algorithm: str
    private: JsonObject = field(repr=False)


@dataclass(frozen=True, slots=True)
class Held:
    """A key as an operator sees it: it signs from `since` until `retired_at`."""

    kid: str
    algorithm: str
    since: datetime
    retired_at: datetime | None


async def active(connection: Any, vault: Vault, now: datetime) -> list[SigningKey]:
    """The keys we sign with now, newest first. Unavailable when the secret is another one."""
    sql = """SELECT kid, algorithm, private FROM signing_key
             WHERE created_at <= $1 AND (retired_at IS NULL OR retired_at > $1) ORDER BY created_at DESC"""
    try:
        return [
            SigningKey(kid, algorithm, decode_object(vault.decrypt(private)))
            for kid, algorithm, private in await connection.fetch(sql, now)
        ]
    except InvalidToken:
        raise Unavailable(
            "the stored signing keys cannot be decrypted: CASEBRIDGE_SECRET_KEY or secret.key has changed"
        ) from None


async def published(connection: Any, now: datetime) -> JsonObject:
    """Our JWK Set: public halves of the keys that will sign, that sign, and that signed within the hour."""
    sql = "SELECT public FROM signing_key WHERE retired_at IS NULL OR retired_at > $1 ORDER BY kid"
    found = await connection.fetch(sql, now - AFTERGLOW)
    return {"keys": [decode_object(row["public"].encode()) for row in found]}


async def everyone(connection: Any) -> list[Held]:
    """All keys, newest first."""
    sql = "SELECT kid, algorithm, created_at, retired_at FROM signing_key ORDER BY created_at DESC, kid"
    return [Held(*found) for found in await connection.fetch(sql)]


async def ensure(unit: Unit, vault: Vault, now: datetime) -> None:
    """Make the keys that are missing. Take LOCK with the unit: replicas start together."""
    found = await unit.fetch("SELECT algorithm FROM signing_key WHERE retired_at IS NULL")
    held = {row["algorithm"] for row in found}
    for algorithm in ALGORITHMS:
        if algorithm not in held:
            await _make(unit, vault, algorithm, now)


async def rotate(unit: Unit, vault: Vault, now: datetime, since: datetime) -> None:
    """New keys that sign from `since` on, when every key before them retires. Take LOCK with the unit.

    Until then the new ones are published only, so that no partner meets a signature whose key it has not seen.
    """
    await unit.execute("DELETE FROM signing_key WHERE created_at > $1", now)  # planned, never used
    sql = "UPDATE signing_key SET retired_at = $2 WHERE retired_at IS NULL OR retired_at > $1"
    await unit.execute(sql, now, since)
    for algorithm in ALGORITHMS:
        await _make(unit, vault, algorithm, since)


async def retire(unit: Unit, vault: Vault, kid: str, now: datetime, *, compromised: bool) -> bool:
    """Sign no more with this key; False when there is none of this name. Take LOCK with the unit.

    `compromised`: gone from our published set at once, too; else it stays there for AFTERGLOW. What is missing then is
    made, and what was to sign later signs now.
    """
    sql = (
        "DELETE FROM signing_key WHERE kid = $1 AND $2::timestamptz IS NOT NULL RETURNING algorithm"
        if compromised
        else """UPDATE signing_key SET retired_at = LEAST(retired_at, $2), created_at = LEAST(created_at, $2)
                WHERE kid = $1 RETURNING algorithm"""
    )
    found = await unit.fetchrow(sql, kid, now)
    if found is None:
        return False
    await unit.execute(
        "UPDATE signing_key SET created_at = $2 WHERE algorithm = $1 AND retired_at IS NULL AND created_at > $2",
        found["algorithm"], now,
    )  # fmt: skip
    await ensure(unit, vault, now)
    return True


async def sweep(unit: Unit, now: datetime) -> None:
    """Forget keys whose AFTERGLOW is over: nothing they signed is still good anywhere."""
    await unit.execute("DELETE FROM signing_key WHERE retired_at <= $1", now - AFTERGLOW)


async def _make(unit: Unit, vault: Vault, algorithm: str, since: datetime) -> None:
    key = ECKey.generate_key("P-384") if algorithm == "ES384" else RSAKey.generate_key(3072)
    kid = key.thumbprint()
    marks = {"kid": kid, "alg": algorithm, "use": "sig"}
    public = {**key.as_dict(private=False), **marks, "key_ops": ["verify"]}
    private = encode({**key.as_dict(private=True), **marks})
    await unit.execute(
        """INSERT INTO signing_key (kid, algorithm, public, private, created_at)
           VALUES ($1, $2, $3::jsonb, $4, $5)""",
        kid, algorithm, encode(public).decode(), vault.encrypt(private), since,
    )  # fmt: skip
