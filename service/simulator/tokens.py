"""The agency's token endpoint: SMART Backend Services seen from the other side.

It knows one client, Casebridge, by the URL of its key set, and checks signature, issuer, audience, age and
that no assertion is used twice.
"""

import secrets
from collections.abc import Mapping
from datetime import datetime, timedelta

import httpx
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from service.fhir.json import BadJson, JsonObject, decode_object
from service.kernel.clock import Clock, system_clock
from service.simulator.keys import JWT_BEARER

LIFE = 300
_ALGORITHMS = ["ES384", "RS384"]


class Unproven(Exception):
    """Why no token is given; the text is an OAuth error_description."""


class TokenDesk:
    """Issues tokens to Casebridge, and one to the agency's own staff. `url` is the only audience."""

    def __init__(self, url: str, clock: Clock = system_clock) -> None:
        self.url = url
        self.jwks_url: str | None = None
        self.client_id: str | None = None
        self.staff = secrets.token_urlsafe(24)
        self._clock = clock
        self._keys: KeySet | None = None
        self._used: set[str] = set()
        self._given: dict[str, datetime] = {}

    def trust(self, origin: str, client_id: str | None = None) -> None:
        """Casebridge is at this origin; its client_id here is its FHIR base unless given."""
        self.jwks_url = f"{origin}/.well-known/jwks.json"
        self.client_id = client_id or f"{origin}/fhir"
        self._keys = None

    def accepts(self, authorization: str) -> bool:
        """Is this header a living token of ours?"""
        scheme, _, token = authorization.partition(" ")
        until = self._given.get(token)
        living = until is not None and self._clock() < until
        return scheme.lower() == "bearer" and (
            living or secrets.compare_digest(token.encode(), self.staff.encode())
        )

    async def grant(self, form: Mapping[str, str]) -> JsonObject:
        """The token response to a client_credentials request, or Unproven."""
        if form.get("grant_type") != "client_credentials" or form.get("client_assertion_type") != JWT_BEARER:
            raise Unproven("client_credentials with a JWT assertion is the only grant here")
        await self._prove(form.get("client_assertion", ""))
        token = secrets.token_urlsafe(24)
        self._given[token] = self._clock() + timedelta(seconds=LIFE)
        return {
            "access_token": token,
            "token_type": "bearer",
            "expires_in": LIFE,
            "scope": form.get("scope", "system/*.cruds"),
        }

    async def _prove(self, assertion: str) -> None:
        claims = await self._claims(assertion)
        now = self._clock().timestamp()
        expires, jti = claims.get("exp"), claims.get("jti")
        if claims.get("iss") != self.client_id or claims.get("sub") != self.client_id:
            raise Unproven("iss and sub must be the registered client")
        if claims.get("aud") != self.url:
            raise Unproven("aud must be this token endpoint")
        if not isinstance(expires, int) or not now < expires <= now + 300:
            raise Unproven("the assertion is over, or lives longer than five minutes")
        if not isinstance(jti, str) or jti in self._used:
            raise Unproven("the assertion was used before")
        self._used.add(jti)

    async def _claims(self, assertion: str) -> JsonObject:
        for fresh in (False, True):
            keys = await self._key_set(fresh=fresh)
            try:
                return jwt.decode(assertion, keys, algorithms=_ALGORITHMS).claims
            except (JoseError, ValueError):
                continue
        raise Unproven("the signature is not one of the client's keys'")

    async def _key_set(self, *, fresh: bool) -> KeySet:
        """The client's keys; read again once when a signature fits none of them (a rotation)."""
        if self._keys is not None and not fresh:
            return self._keys
        if self.jwks_url is None:
            raise Unproven("no client is registered here yet")
        try:
            async with httpx.AsyncClient(trust_env=False, timeout=5) as client:
                answer = await client.get(self.jwks_url)
            self._keys = KeySet.import_key_set(decode_object(answer.content))  # type: ignore[arg-type]
        except (httpx.HTTPError, BadJson, JoseError, KeyError, ValueError):
            raise Unproven("the client's key set cannot be read") from None
        return self._keys
