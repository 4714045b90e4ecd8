"""From an access token to the Caller it was given to: one statement, nothing remembered between requests."""

from service.flows.access.certificates import thumbprint
from service.flows.access.roles import CASEWORK
from service.flows.access.scopes import parse_all
from service.flows.caller import Caller
from service.flows.context import Context
from service.store import tokens
from service.store.trail import current


async def identify_caller(context: Context, token: str, certificate: bytes | None = None) -> Caller | None:
    """None for a token that is unknown, expired, withdrawn, or of a partner that was disabled; also for one that is
    bound to another certificate than the connection has shown (DER): RFC 8705 §3.

    The trail of the moment learns who it is, also by a token that no longer counts.
    """
    trail = current()
    async with context.database.reading() as connection:
        living = await tokens.living(connection, token, context.clock())
        if living is None:
            trail.client = await tokens.owner(connection, token) or ""
            return None
    if living.certificate and (certificate is None or thumbprint(certificate) != living.certificate):
        trail.client = living.client_id
        return None
    trail.client, trail.organization, trail.token = living.client_id, living.organization, tokens.mark(token)
    trail.custodian = CASEWORK in living.roles
    return Caller(
        client_id=living.client_id,
        name=living.name,
        organization=living.organization,
        roles=frozenset(living.roles),
        scopes=parse_all(living.scopes),
    )
