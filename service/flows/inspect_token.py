"""What a token is good for (RFC 7662), and the end of one (RFC 7009)."""

from collections.abc import Collection
from datetime import datetime

from service.fhir.json import JsonObject
from service.flows.access.roles import AUDITOR, CASEWORK
from service.store import tokens
from service.store.database import Database


async def inspect_token(
    database: Database, now: datetime, asker: str, roles: Collection[str], token: str
) -> JsonObject:
    """The introspection response. The casework system and auditors may ask about any token, others of theirs.

    Unknown, expired, revoked and not yours look alike: `{"active": false}`.
    """
    async with database.reading() as connection:
        living = await tokens.living(connection, token, now)
    if living is None or not (asker == living.client_id or {CASEWORK, AUDITOR} & set(roles)):
        return {"active": False}
    return {
        "active": True,
        "scope": " ".join(living.scopes),
        "client_id": living.client_id,
        "exp": int(living.expires_at.timestamp()),
        "token_type": "bearer",
        **({"cnf": {"x5t#S256": living.certificate}} if living.certificate else {}),
    }


async def revoke_token(database: Database, asker: str, token: str) -> None:
    """End the asker's own token from the commit on; nothing happens for any other text."""
    async with database.unit() as unit:
        await tokens.revoke(unit, token, asker)
