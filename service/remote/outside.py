"""Everything that leaves this process goes through one of these: opened by wiring, closed with it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from service.kernel.clock import Clock
from service.remote.door import Credentials, Door
from service.remote.guard import GuardedTransport, Resolver, system_resolver
from service.remote.issuer import Client, Issuer
from service.remote.jwks import KeySets
from service.remote.partner import Partners
from service.remote.post import Post
from service.remote.tokens import Signers, Tokens
from service.settings import Settings


@dataclass(frozen=True, slots=True)
class Outside:
    """The door, partners' public keys, partners' FHIR servers, e-mail, and who signs people in (None: nobody does)."""

    door: Door
    key_sets: KeySets
    partners: Partners
    post: Post
    issuer: Issuer | None = None


@asynccontextmanager
async def outside(
    settings: Settings,
    clock: Clock,
    signers: Signers,
    our_id: str,
    resolver: Resolver = system_resolver,
    credentials: Credentials | None = None,
    back: str = "",
) -> AsyncIterator[Outside]:
    """Open the way out. `signers` gives our active signing keys; `our_id` is our client_id at partners; `credentials`
    what is shown at a partner's server beside them; `back` is where people return to from the issuer that signs
    them in."""
    transport = GuardedTransport(settings.outbound_allow, resolver, more_ca=settings.outbound_ca)
    door = Door(transport, settings.delivery_timeout_seconds, credentials)
    try:
        tokens = Tokens(door, clock, signers, our_id)
        key_sets = KeySets(door, clock)
        issuer = _issuer(settings, door, key_sets, clock, back)
        yield Outside(door, key_sets, Partners(door, tokens, clock), Post(settings), issuer)
    finally:
        await door.close()


def _issuer(settings: Settings, door: Door, keys: KeySets, clock: Clock, back: str) -> Issuer | None:
    if not (settings.oidc_issuer and settings.oidc_client_id and back):
        return None
    secret = settings.oidc_client_secret.get_secret_value() if settings.oidc_client_secret else None
    client = Client(settings.oidc_issuer, settings.oidc_client_id, secret, settings.oidc_scopes, back)
    return Issuer(door, keys, clock, client)
