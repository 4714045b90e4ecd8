"""The OpenID Connect issuer that signs people in: authorization code with PKCE, and word that a session is over.

https://openid.net/specs/openid-connect-core-1_0.html; RFC 7636 (S256 only), RFC 9207, Back-Channel Logout 1.0.
Authlib builds the requests and checks the claims, joserfc the signature; requests go through our own door.
"""

import base64
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import quote

from authlib.oauth2.rfc6749.parameters import (  # type: ignore[import-untyped]
    prepare_grant_uri,
    prepare_token_request,
)
from authlib.oauth2.rfc7636 import create_s256_code_challenge  # type: ignore[import-untyped]
from authlib.oidc.core import CodeIDToken  # type: ignore[import-untyped]
from joserfc import jws, jwt
from joserfc.errors import JoseError
from joserfc.jwk import import_key

from service.fhir.json import BadJson, JsonObject, decode_object
from service.kernel.clock import Clock
from service.remote.door import Door, Failed
from service.remote.guard import RefusedAddress, check_url
from service.remote.jwks import KeySets, NoKeys

ALGORITHMS: Final[Mapping[str, tuple[str, ...]]] = {
    "RS256": ("RSA",), "RS384": ("RSA",), "RS512": ("RSA",), "PS256": ("RSA",), "PS384": ("RSA",), "PS512": ("RSA",),
    "ES256": ("EC",), "ES384": ("EC",), "ES512": ("EC",),
}  # fmt: skip
"""Signatures we verify, and the key type of each. Never `none`, never a shared secret."""

LEEWAY = 60
"""Seconds by which an issuer's clock may differ from ours."""
LOGOUT = "http://schemas.openid.net/event/backchannel-logout"
_KEPT = 3600.0
_MAX = 262_144


class NotProven(Exception):
    """Nobody is signed in. The text is for an operator's log and holds nothing that the issuer or browser sent."""


@dataclass(frozen=True, slots=True)
class Client:
    """What we are at the issuer. `back` is where it sends the browser afterwards."""

    issuer: str
    client_id: str
    secret: str | None = field(repr=False)
    scopes: str
    back: str


@dataclass(frozen=True, slots=True)
class Ended:
    """The issuer ended a session: of this subject, or the one it calls `sid`."""

    subject: str | None
    sid: str | None
    jti: str
    expires: int


class Issuer:
    """One issuer. One a process."""

    def __init__(self, door: Door, keys: KeySets, clock: Clock, client: Client) -> None:
        self._door = door
        self._keys = keys
        self._clock = clock
        self.client = client
        self._known: tuple[float, JsonObject] | None = None

    async def leave(self, state: str, nonce: str, verifier: str) -> str:
        """Where to send the browser."""
        about = await self._about()
        url: str = prepare_grant_uri(
            about["authorization_endpoint"], self.client.client_id, "code", self.client.back, self.client.scopes,
            state, nonce=nonce, code_challenge=create_s256_code_challenge(verifier), code_challenge_method="S256",
        )  # fmt: skip
        return url

    async def come_back(self, code: str, nonce: str, verifier: str, said_issuer: str | None) -> JsonObject:
        """The claims of the ID token that the code buys. NotProven otherwise."""
        about = await self._about()
        promised = about.get("authorization_response_iss_parameter_supported") is True
        if said_issuer != self.client.issuer and (said_issuer is not None or promised):
            raise NotProven("another issuer answered (RFC 9207)")
        answer = await self._buy(about, code, verifier)
        token = answer.get("id_token")
        if not isinstance(token, str):
            raise NotProven("the token endpoint gave no ID token")
        header, claims = await self._read(about, token)
        return self._checked(header, claims, nonce, answer.get("access_token"))

    async def ended(self, token: str) -> Ended:
        """A logout token, verified. The caller uses up its `jti`. NotProven otherwise."""
        header, claims = await self._read(await self._about(), token)
        events = claims.get("events")
        if not isinstance(events, dict) or not isinstance(events.get(LOGOUT), dict) or "nonce" in claims:
            raise NotProven("this is no logout token")
        subject, sid, jti = claims.get("sub"), claims.get("sid"), claims.get("jti")
        if not (isinstance(subject, str) or isinstance(sid, str)) or not isinstance(jti, str):
            raise NotProven("the logout token names no session")
        self._checked(header, {"sub": "-", **claims, "events": None}, None, None)
        return Ended(
            subject if isinstance(subject, str) else None,
            sid if isinstance(sid, str) else None,
            jti,
            int(claims["exp"]),
        )

    def _checked(
        self, header: Mapping[str, Any], claims: JsonObject, nonce: str | None, access_token: object
    ) -> JsonObject:
        """OpenID Connect Core 3.1.3.7."""
        ours = self.client
        options = {
            "iss": {"essential": True, "value": ours.issuer},
            "aud": {"essential": True, "value": ours.client_id},
            "sub": {"essential": True},
        }
        params = {"nonce": nonce, "client_id": ours.client_id, "access_token": access_token}
        try:
            token = CodeIDToken(claims, dict(header), options, params)
            token.validate(now=int(self._clock().timestamp()), leeway=LEEWAY)
        except (JoseError, ValueError, TypeError) as error:
            raise NotProven(f"the token does not hold: {type(error).__name__} {_claim(error)}") from None
        if not isinstance(claims["sub"], str) or not 0 < len(claims["sub"]) <= 255:
            raise NotProven("the token's subject is no identifier")
        return claims

    async def _buy(self, about: JsonObject, code: str, verifier: str) -> JsonObject:
        ours = self.client
        headers = {"Content-Type": "application/x-www-form-urlencoded", "Accept": "application/json"}
        more: dict[str, str] = {}
        if ours.secret is None:
            more = {"client_id": ours.client_id}
        elif "client_secret_basic" in about.get(
            "token_endpoint_auth_methods_supported", ["client_secret_basic"]
        ):
            pair = ":".join(quote(each, safe="") for each in (ours.client_id, ours.secret))
            headers["Authorization"] = f"Basic {base64.b64encode(pair.encode()).decode()}"
        else:
            more = {"client_id": ours.client_id, "client_secret": ours.secret}
        body = prepare_token_request(
            "authorization_code", "", ours.back, code=code, code_verifier=verifier, **more
        )
        answer = await self._door.ask("POST", about["token_endpoint"], headers, body.encode(), cap=_MAX)
        if isinstance(answer, Failed):
            raise NotProven(f"the token endpoint does not answer: {answer.text}")
        if answer.status != 200:
            raise NotProven(f"the token endpoint answered {answer.status}")
        return _object(answer.body, "the token endpoint's answer")

    async def _read(self, about: JsonObject, token: str) -> tuple[Mapping[str, Any], JsonObject]:
        """Header and claims of a signed token of the issuer."""
        try:
            header = jws.extract_compact(token.encode()).headers()
        except (JoseError, ValueError, TypeError):
            raise NotProven("the token cannot be read") from None
        algorithm = header.get("alg")
        if not isinstance(algorithm, str) or algorithm not in ALGORITHMS or "crit" in header:
            raise NotProven("the token's algorithm is not one that we verify")
        key = await self._key(about["jwks_uri"], header.get("kid"), ALGORITHMS[algorithm])
        try:
            found = jwt.decode(token, import_key(key), algorithms=[algorithm])
        except (JoseError, ValueError, TypeError):
            raise NotProven("the signature is not the issuer's") from None
        return header, found.claims

    async def _key(self, url: str, kid: object, kinds: tuple[str, ...]) -> JsonObject:
        try:
            key = _chosen(await self._keys.get(url), kid, kinds)
            if key is None and (anew := await self._keys.again(url)):
                key = _chosen(anew, kid, kinds)
        except NoKeys as error:
            raise NotProven(str(error)) from None
        if key is None:
            raise NotProven("the issuer publishes no one key that fits the token")
        return key

    async def _about(self) -> JsonObject:
        """What the issuer says of itself (OpenID Connect Discovery 1.0), kept for an hour."""
        if self._known and time.monotonic() - self._known[0] < _KEPT:
            return self._known[1]
        url = f"{self.client.issuer.rstrip('/')}/.well-known/openid-configuration"
        answer = await self._door.ask("GET", url, {"Accept": "application/json"}, cap=_MAX)
        if isinstance(answer, Failed):
            raise NotProven(f"the issuer does not answer: {answer.text}")
        if answer.status != 200:
            raise NotProven(f"the issuer's discovery document was answered {answer.status}")
        about = _object(answer.body, "the discovery document")
        if about.get("issuer") != self.client.issuer:
            raise NotProven("the discovery document is another issuer's")
        for name in ("authorization_endpoint", "token_endpoint", "jwks_uri"):
            _expect_url(about.get(name), name)
        if "S256" not in about.get("code_challenge_methods_supported", ["S256"]):
            raise NotProven("the issuer does not offer PKCE with S256")
        self._known = (time.monotonic(), about)
        return about


def _expect_url(value: object, name: str) -> None:
    try:
        check_url(value if isinstance(value, str) else "")
    except (RefusedAddress, ValueError):
        raise NotProven(f"the discovery document's {name} cannot be used") from None


def _chosen(keys: JsonObject, kid: object, kinds: tuple[str, ...]) -> JsonObject | None:
    """The one key that fits; none when there are several."""
    listed = keys.get("keys")
    fitting = [
        each
        for each in (listed if isinstance(listed, list) else [])
        if isinstance(each, dict)
        and each.get("kty") in kinds
        and each.get("use", "sig") == "sig"
        and (kid is None or each.get("kid") == kid)
    ]
    return fitting[0] if len(fitting) == 1 else None


def _claim(error: Exception) -> str:
    """Which claim, never what it said."""
    claim = getattr(error, "claim", "")
    return claim if isinstance(claim, str) else ""


def _object(body: bytes, what: str) -> JsonObject:
    try:
        return decode_object(body)
    except BadJson:
        raise NotProven(f"{what} is not usable JSON") from None
