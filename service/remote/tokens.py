"""Our side of SMART Backend Services: a token from a partner's token endpoint, kept until near its end.

Authlib writes the assertion (RFC 7523); the request goes through our own door, because Authlib's HTTP client
would follow redirects and resolve names unguarded.
"""

import asyncio
import re
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol
from urllib.parse import urlencode

from authlib.oauth2.rfc7523 import private_key_jwt_sign  # type: ignore[import-untyped]
from joserfc.jwk import ECKey, RSAKey

from service.fhir.json import BadJson, JsonObject, decode_object
from service.kernel.clock import Clock
from service.kernel.ids import new_id
from service.remote.door import Door, Failed

ALGORITHM = "ES384"
SCOPE = "system/*.cruds"
EARLY = timedelta(seconds=20)
"""A token is not used in its last moments: it could end on the way."""
_LIFE = 240
"""Seconds of an assertion: less than the five minutes allowed, for partners whose clock is behind ours."""
_JWT_BEARER = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
_MAX_ANSWER = 65_536
_SAYABLE = re.compile(r"[\x21-\x7e]{1,16384}")


class Signer(Protocol):
    """A private key of ours (store.keys.SigningKey)."""

    @property
    def kid(self) -> str:
        """Its name in our published key set."""

    @property
    def algorithm(self) -> str:
        """ES384 or RS384."""

    @property
    def private(self) -> JsonObject:
        """The private JWK."""


Signers = Callable[[], Awaitable[Sequence[Signer]]]
"""Our active keys, newest first; asked for each new token, so that a rotation needs no restart."""


@dataclass(frozen=True, slots=True)
class TokenFailed:
    """No token, and why; `text` is for an operator. The partner's own words are not kept."""

    text: str
    status: int | None


@dataclass(frozen=True, slots=True)
class _Held:
    token: str = field(repr=False)
    until: datetime


class Tokens:
    """Access tokens at partners, one for each token URL. One a process."""

    def __init__(self, door: Door, clock: Clock, signers: Signers, our_id: str) -> None:
        self._door = door
        self._clock = clock
        self._signers = signers
        self._our_id = our_id
        self._held: dict[str, _Held] = {}
        self._locks: dict[str, asyncio.Lock] = {}

    async def get(
        self, url: str, *, refused: str | None = None, algorithm: str = ALGORITHM, scope: str = SCOPE
    ) -> str | TokenFailed:
        """A token for the partner whose token endpoint is `url`.

        `refused`: a token that the partner has just answered with 401; it is not handed out again. Many
        callers at once make one request.
        """
        async with self._locks.setdefault(url, asyncio.Lock()):
            held = self._held.get(url)
            if held is not None and held.token != refused and self._clock() < held.until:
                return held.token
            self._held.pop(url, None)
            found = await self._ask(url, algorithm, scope)
            if isinstance(found, TokenFailed):
                return found
            self._held[url] = found
            return found.token

    async def trial(self, url: str, algorithm: str) -> timedelta | TokenFailed:
        """Ask for a token that nobody uses, with an assertion signed by `algorithm`: how long it would live."""
        found = await self._ask(url, algorithm, SCOPE)
        return found if isinstance(found, TokenFailed) else found.until + EARLY - self._clock()

    async def _ask(self, url: str, algorithm: str, scope: str) -> _Held | TokenFailed:
        signer = next((one for one in await self._signers() if one.algorithm == algorithm), None)
        if signer is None:
            return TokenFailed(f"we have no {algorithm} key", None)
        now = self._clock()
        form = {
            "grant_type": "client_credentials",
            "scope": scope,
            "client_assertion_type": _JWT_BEARER,
            "client_assertion": assertion(signer, self._our_id, url, now),
        }
        headers = {"Content-Type": "application/x-www-form-urlencoded", "Accept": "application/json"}
        answer = await self._door.ask("POST", url, headers, urlencode(form).encode(), cap=_MAX_ANSWER)
        if isinstance(answer, Failed):
            return TokenFailed(f"the token endpoint does not answer: {answer.text}", None)
        if answer.status != 200:
            return TokenFailed(f"the token endpoint answered {answer.status}", answer.status)
        return _token(answer.body, now)


def assertion(signer: Signer, our_id: str, audience: str, now: datetime) -> str:
    """A client assertion as SMART 2.2 wants it: kid, typ, five-minute life, a jti of its own."""
    kind = ECKey if signer.algorithm == "ES384" else RSAKey
    issued = int(now.timestamp())
    return str(
        private_key_jwt_sign(
            kind.import_key(signer.private),
            our_id,
            audience,
            alg=signer.algorithm,
            claims={"jti": new_id()},
            header={"kid": signer.kid, "typ": "JWT"},
            issued_at=issued,
            expires_at=issued + _LIFE,
        )
    )


def _token(body: bytes, now: datetime) -> _Held | TokenFailed:
    try:
        found = decode_object(body)
    except BadJson as error:
        return TokenFailed(f"the token endpoint's answer is not usable JSON: {error}", 200)
    token, kind, life = found.get("access_token"), found.get("token_type"), found.get("expires_in", 60)
    if not isinstance(token, str) or not _SAYABLE.fullmatch(token) or str(kind).lower() != "bearer":
        return TokenFailed("the token endpoint's answer holds no bearer token", 200)
    seconds = int(life) if isinstance(life, int) and not isinstance(life, bool) and life > 0 else 60
    return _Held(token, now + timedelta(seconds=min(seconds, 86_400)) - EARLY)
