"""Everything that leaves this process goes through one of these: opened by wiring, closed with it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from service.kernel.clock import Clock
from service.remote.door import Credentials, Door
from service.remote.guard import GuardedTransport, Resolver, system_resolver
from service.remote.jwks import KeySets
from service.remote.partner import Partners
from service.remote.post import Post
from service.remote.tokens import Signers, Tokens
from service.settings import Settings


@dataclass(frozen=True, slots=True)
class Outside:
    """The door, partners' public keys, partners' FHIR servers, and e-mail."""

    door: Door
    key_sets: KeySets
    partners: Partners
    post: Post


@asynccontextmanager
async def outside(
    settings: Settings,
    clock: Clock,
    signers: Signers,
    our_id: str,
    resolver: Resolver = system_resolver,
    credentials: Credentials | None = None,
) -> AsyncIterator[Outside]:
    """Open the way out. `signers` gives our active signing keys; `our_id` is our client_id at partners; `credentials`
    what is shown at a partner's server beside them."""
    transport = GuardedTransport(settings.outbound_allow, resolver, more_ca=settings.outbound_ca)
    door = Door(transport, settings.delivery_timeout_seconds, credentials)
    try:
        tokens = Tokens(door, clock, signers, our_id)
        yield Outside(door, KeySets(door, clock), Partners(door, tokens, clock), Post(settings))
    finally:
        await door.close()
