"""Our own public keys, as partners read them at `/.well-known/jwks.json`."""

from service.fhir.json import JsonObject
from service.flows.context import Context
from service.store import keys


async def publish_keys(context: Context) -> JsonObject:
    """A JWK Set: the active keys, and those retired within the hour."""
    async with context.database.reading() as connection:
        return await keys.published(connection, context.clock())
