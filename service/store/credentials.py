"""What we show at partners' servers beside a SMART token, by the server's origin; secrets under the vault."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from cryptography.fernet import InvalidToken

from service.kernel.failures import Unavailable
from service.store.unit import Unit
from service.store.vault import Vault


@dataclass(frozen=True, slots=True)
class Credential:
    """A certificate with its key (PEM), or a bearer token, for one origin."""

    origin: str
    client_id: str
    certificate: str
    private: bytes | None = field(repr=False)
    bearer: str | None = field(repr=False)
    created_at: datetime


_NAMES = "origin, client_id, certificate, private, bearer, created_at"


async def at(connection: Any, vault: Vault, origin: str) -> Credential | None:
    """What to show at this origin. Unavailable when it cannot be decrypted."""
    found = await connection.fetchrow(f"SELECT {_NAMES} FROM credential WHERE origin = $1", origin)  # noqa: S608
    if found is None:
        return None
    try:
        private = vault.decrypt(found["private"]) if found["private"] else None
        bearer = vault.decrypt(found["bearer"]).decode() if found["bearer"] else None
    except InvalidToken:
        raise Unavailable(
            "a partner's credential cannot be decrypted: CASEBRIDGE_SECRET_KEY or secret.key has changed"
        ) from None
    return Credential(origin, found["client_id"], found["certificate"], private, bearer, found["created_at"])


async def keep(unit: Unit, vault: Vault, made: Credential) -> bool:
    """Keep it in place of the partner's own earlier one; False when another partner has one at this origin."""
    done = await unit.fetchrow(
        f"""INSERT INTO credential ({_NAMES}) VALUES ($1, $2, $3, $4, $5, $6)
            ON CONFLICT (origin) DO UPDATE SET certificate = EXCLUDED.certificate, private = EXCLUDED.private,
              bearer = EXCLUDED.bearer, created_at = EXCLUDED.created_at
            WHERE credential.client_id = EXCLUDED.client_id RETURNING origin""",  # noqa: S608
        made.origin, made.client_id, made.certificate, vault.encrypt(made.private) if made.private else None,
        vault.encrypt(made.bearer.encode()) if made.bearer else None, made.created_at,
    )  # fmt: skip
    return done is not None


async def drop(unit: Unit, origin: str, client_id: str) -> bool:
    """Show nothing there any more; False when there was nothing of this partner's."""
    sql = "DELETE FROM credential WHERE origin = $1 AND client_id = $2 RETURNING origin"
    return await unit.fetchrow(sql, origin, client_id) is not None


async def of_partner(connection: Any, client_id: str) -> list[str]:
    """The origins at which we show something of this partner's."""
    sql = "SELECT origin FROM credential WHERE client_id = $1 ORDER BY origin"
    return [row["origin"] for row in await connection.fetch(sql, client_id)]
