"""Is this client assertion good? SMART 2.2 `private_key_jwt` (RFC 7523), stricter than any library's default.

https://hl7.org/fhir/smart-app-launch/STU2.2/client-confidential-asymmetric.html. joserfc does the
cryptography; everything that decides *which* key and *whether* is written here, because libraries have been
wrong about it: algorithm confusion, ignored `crit`, keys taken from the header, lax base64.
"""

import re
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from joserfc.errors import JoseError
from joserfc.jws import JWSRegistry, deserialize_compact

from service.fhir.json import BadJson, JsonObject, decode_object
from service.flows.access.public_keys import ALGORITHMS, NotBase64url, choose_key, decoded, public_key

MAX_BYTES = 8_192
MAX_LIFE = 300
SKEW = 5
"""Seconds: real clients send exp = now + 300 by a clock a little ahead of ours."""
_MAX_JTI = 255
_COMPACT = re.compile(r"([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]+)")


class Unproven(Exception):
    """The assertion proves nothing. The text may be shown to the client."""


@dataclass(frozen=True, slots=True)
class Assertion:
    """An assertion taken apart, not yet believed: `issuer` only says whose keys to try."""

    compact: str
    algorithm: str
    kid: str
    jku: str | None
    issuer: str
    claims: JsonObject


@dataclass(frozen=True, slots=True)
class Proof:
    """What a good assertion leaves: it must be remembered until `expires` (seconds since 1970)."""

    client_id: str
    jti: str
    expires: int


def read(compact: str) -> Assertion:
    """Take an assertion apart, checking form and header. Unproven says what is wrong."""
    if len(compact) > MAX_BYTES:
        raise Unproven(f"the assertion is longer than {MAX_BYTES} bytes")
    match = _COMPACT.fullmatch(compact)
    if not match:
        raise Unproven("the assertion is not a compact JWS: three base64url parts without padding")
    try:
        header, claims = _part(match[1], "header"), _part(match[2], "payload")
        decoded(match[3])
    except NotBase64url:
        raise Unproven("the assertion is not canonical base64url") from None
    algorithm, kid, jku = _header(header)
    issuer = claims.get("iss")
    if not isinstance(issuer, str) or not issuer or claims.get("sub") != issuer:
        raise Unproven("iss and sub must both be the client_id")
    return Assertion(compact, algorithm, kid, jku, issuer, claims)


def _part(part: str, name: str) -> JsonObject:
    try:
        return decode_object(decoded(part), max_depth=8)
    except BadJson as error:
        raise Unproven(f"the assertion's {name} is not usable JSON: {error}") from None


def _header(header: JsonObject) -> tuple[str, str, str | None]:
    algorithm, kid, jku = header.get("alg"), header.get("kid"), header.get("jku")
    if algorithm not in ALGORITHMS:
        raise Unproven("alg must be RS384 or ES384")
    if header.get("typ") != "JWT":
        raise Unproven("typ must be JWT")
    if not isinstance(kid, str) or not kid:
        raise Unproven("kid is required")
    if "crit" in header or "b64" in header:
        raise Unproven("critical header extensions are not understood")
    if "jku" in header and not isinstance(jku, str):
        raise Unproven("jku must be a text")
    return algorithm, kid, jku


class _Registry(JWSRegistry):
    """Our two algorithms. The header was read by `_header`; what is ignored may look as it likes."""

    max_header_length = MAX_BYTES
    max_signature_length = MAX_BYTES

    def check_header(self, header: dict[str, Any]) -> None:
        """Nothing left to check."""


_REGISTRY = _Registry(algorithms=ALGORITHMS)


def verified(assertion: Assertion, key: JsonObject) -> bool:
    """True when `key` (from `choose_key`) made the signature."""
    public = public_key(key, assertion.algorithm)
    if public is None:
        return False
    try:
        deserialize_compact(assertion.compact, public, [assertion.algorithm], _REGISTRY)
    except (JoseError, ValueError):
        return False
    return True


def pretend(assertion: Assertion) -> None:
    """Do the work of a check for nobody, so that an unknown client takes as long as a wrong signature."""
    nobody = {**_NOBODY[assertion.algorithm], "kid": assertion.kid}
    if choose_key({"keys": [nobody]}, assertion.algorithm, assertion.kid):
        verified(assertion, nobody)


_NOBODY: dict[str, JsonObject] = {
    "ES384": {
        "kty": "EC",
        "crv": "P-384",
        "x": "qofKIr6LBTeOscce8yCtdG4dO2KLp5uYWfdB4IJUKjhVAvJdv1UpbDpUXjhydgq3",
        "y": "NhfeSpYmLG9dnpi_kpLcKfj0Hb0omhR86doxE7XwuMAKYLHOHX6BnXpDHXyQ6g5f",
    },
    "RS384": {"kty": "RSA", "n": "w" * 341 + "Q", "e": "AQAB"},
}
"""Keys whose private halves nobody has: the generator of P-384, and a modulus of no known factors."""


def prove(assertion: Assertion, audience: str, now: datetime) -> Proof:
    """Check the claims of an assertion whose signature is verified. Unproven says which is wrong.

    `audience` is our token URL, compared exactly; an array may hold it alone, because an assertion meant
    for several servers can be replayed by one of them at another (CVE-2025-27370).
    """
    claims, at = assertion.claims, now.timestamp()
    if claims.get("aud") not in (audience, [audience]):
        raise Unproven(f"aud must be exactly {audience}")
    expires, jti = claims.get("exp"), claims.get("jti")
    if not isinstance(expires, int) or isinstance(expires, bool):
        raise Unproven("exp must be an integer")
    if expires <= at:
        raise Unproven("the assertion has expired")
    if expires > at + MAX_LIFE + SKEW:
        raise Unproven("exp must be no more than five minutes ahead")
    if not isinstance(jti, str) or not 0 < len(jti) <= _MAX_JTI:
        raise Unproven(f"jti is required: a text of at most {_MAX_JTI} characters, never used before")
    for name in ("nbf", "iat"):
        _not_later(claims, name, at)
    return Proof(assertion.issuer, jti, expires)


def _not_later(claims: JsonObject, name: str, at: float) -> None:
    if name not in claims:
        return
    moment = claims[name]
    if isinstance(moment, bool) or not isinstance(moment, int | Decimal):
        raise Unproven(f"{name} must be a number")
    if moment > at + SKEW:
        raise Unproven(f"{name} is in the future")
