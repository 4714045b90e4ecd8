"""From an access token to the Caller it was given to: one statement, nothing remembered between requests."""

from service.flows.access.scopes import parse_all
from service.flows.caller import Caller
from service.flows.context import Context
from service.store import tokens


async def identify_caller(context: Context, token: str) -> Caller | None:
    """None for a token that is unknown, expired, withdrawn, or of a partner that was disabled."""
    async with context.database.reading() as connection:
        living = await tokens.living(connection, token, context.clock())
    if living is None:
        return None
    return Caller(
        client_id=living.client_id,
        name=living.name,
        organization=living.organization,
        roles=frozenset(living.roles),
        scopes=parse_all(living.scopes),
    )
