"""A partner's FHIR server: send what was released, read and search what is ours to read.

`send` takes a Released and nothing else, so that what leaves has passed consent. Answers and failures are
values that delivery.outcome judges.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from urllib.parse import urlencode

from service.consent.release import Released
from service.delivery.outcome import Answer, Fault
from service.delivery.retry import retry_after
from service.fhir.json import JsonObject, encode
from service.kernel.clock import Clock
from service.remote.discovery import Discovery
from service.remote.door import Door, Failed, Received
from service.remote.guard import RefusedAddress, same_origin
from service.remote.tokens import TokenFailed, Tokens

FHIR_JSON = "application/fhir+json"
FORM = "application/x-www-form-urlencoded"
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:|//|\\")


@dataclass(frozen=True, slots=True)
class Peer:
    """How to reach a partner. Without `token_url` its SMART configuration is asked; without one, no token.

    `recipient` is the name under which consent releases to it: its Organization reference.
    """

    recipient: str
    fhir_base: str
    token_url: str | None = None


@dataclass(frozen=True, slots=True)
class Reply:
    """What one exchange came to. `headers` have lower-case names. `refreshed`: a second token was needed."""

    result: Answer | Fault
    milliseconds: int
    request_id: str
    headers: Mapping[str, str]
    detail: str = ""
    refreshed: bool = False


@dataclass(frozen=True, slots=True)
class _Ask:
    """One request to a partner, without its token."""

    method: str
    url: str
    request_id: str
    body: bytes | None = None
    kind: str = FHIR_JSON

    def headers(self, token: str | None) -> dict[str, str]:
        found = {"Accept": FHIR_JSON, "X-Request-Id": self.request_id}
        if self.body is not None:
            found["Content-Type"] = self.kind
        if token is not None:
            found["Authorization"] = f"Bearer {token}"
        return found


class Partners:
    """Exchanges with partners' FHIR servers. One a process."""

    def __init__(self, door: Door, tokens: Tokens, clock: Clock) -> None:
        self._door = door
        self._tokens = tokens
        self._clock = clock
        self._discovery = Discovery(door, clock)

    async def send(self, document: Released, peer: Peer, request_id: str, operation: str = "") -> Reply:
        """POST a Bundle to the partner: a transaction to its base, or to an operation of it (`$process-message`).

        ValueError for a document that was released to somebody else: a fault in our own code.
        """
        if document.recipient != peer.recipient:
            raise ValueError("this document was released to another recipient")
        body = document.document if isinstance(document.document, bytes) else encode(document.document)
        url = f"{peer.fhir_base}/{operation}" if operation else peer.fhir_base
        return await self._exchange(peer, _Ask("POST", url, request_id, body))

    async def read(self, url: str, peer: Peer, request_id: str) -> Reply:
        """GET a resource of the partner's: `Task/1`, or an absolute URL on the partner's own server.

        A URL on another server is refused: our token for one partner is never shown to another.
        """
        absolute = url if _SCHEME.match(url) else f"{peer.fhir_base}/{url}"
        if not _inside(absolute, peer.fhir_base):
            return Reply("refused-address", 0, request_id, {}, "the URL is not on the partner's FHIR server")
        return await self._exchange(peer, _Ask("GET", absolute, request_id))

    async def look(self, place: str, peer: Peer, request_id: str) -> Reply:
        """GET what a server shows to anybody, without a token: `metadata`, `.well-known/smart-configuration`."""
        ask = _Ask("GET", f"{peer.fhir_base}/{place}", request_id)
        headers = {**ask.headers(None), "Accept": f"{FHIR_JSON}, application/json"}
        return self._reply(await self._door.ask("GET", ask.url, headers), ask)

    async def token_url(self, peer: Peer) -> str | Failed | None:
        """Where tokens for this partner are fetched; None where none is wanted, or one was given to us for good."""
        if await self._door.has_bearer(peer.fhir_base):
            return None
        return peer.token_url or await self._discovery.token_url(peer.fhir_base)

    async def trial(self, token_url: str, algorithm: str) -> timedelta | TokenFailed:
        """How long a token lives that is bought with an assertion signed by `algorithm`; it is not used."""
        return await self._tokens.trial(token_url, algorithm)

    async def subscribe(self, subscription: JsonObject, peer: Peer, request_id: str) -> Reply:
        """Create our Subscription there, or update it where it has an id: our own words, and nobody's data."""
        if subscription.get("resourceType") != "Subscription":
            raise TypeError("only a Subscription goes to a partner without having been released")
        id_ = subscription.get("id")
        method, place = ("PUT", f"/{id_}") if id_ else ("POST", "")
        url = f"{peer.fhir_base}/Subscription{place}"
        return await self._exchange(peer, _Ask(method, url, request_id, encode(subscription)))

    async def search(self, type_: str, query: Mapping[str, str], peer: Peer, request_id: str) -> Reply:
        """Search a type by POST, so that no parameter ends in somebody's access log."""
        url, body = f"{peer.fhir_base}/{type_}/_search", urlencode(query).encode()
        return await self._exchange(peer, _Ask("POST", url, request_id, body, FORM))

    async def _exchange(self, peer: Peer, ask: _Ask) -> Reply:
        """With a token if the partner wants one; a 401 is answered once, with a new token."""
        token_url = await self.token_url(peer)
        if isinstance(token_url, Failed):
            return self._reply(token_url, ask)
        if token_url is None:
            return self._reply(await self._door.ask(ask.method, ask.url, ask.headers(None), ask.body), ask)
        reply, token = await self._with_token(token_url, ask, None)
        if token and isinstance(reply.result, Answer) and reply.result.status == 401:
            reply, _ = await self._with_token(token_url, ask, token)
        return reply

    async def _with_token(self, token_url: str, ask: _Ask, refused: str | None) -> tuple[Reply, str | None]:
        """One try and the token it was made with; `refused` is the token that did not do."""
        refreshed = refused is not None
        token = await self._tokens.get(token_url, refused=refused)
        if isinstance(token, TokenFailed):
            return Reply("token", 0, ask.request_id, {}, token.text, refreshed), None
        received = await self._door.ask(ask.method, ask.url, ask.headers(token), ask.body)
        return self._reply(received, ask, refreshed), token

    def _reply(self, received: Received | Failed, ask: _Ask, refreshed: bool = False) -> Reply:
        took, id_ = received.milliseconds, ask.request_id
        if isinstance(received, Failed):
            return Reply(received.fault, took, id_, {}, received.text, refreshed)
        wish = retry_after(received.headers.get("retry-after"), self._clock())
        answer = Answer(received.status, wish, received.body)
        return Reply(answer, took, id_, received.headers, "", refreshed)


def _inside(url: str, base: str) -> bool:
    """True for a URL below `base` on the same server, with no way out of it in its path."""
    try:
        below = same_origin(url, base) and url.startswith(f"{base}/")
    except RefusedAddress:
        return False
    path = url.partition("?")[0].lower()
    return below and "/.." not in path and "%2e" not in path and "%2f" not in path and "#" not in url
