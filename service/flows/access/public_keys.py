"""Which of a partner's published keys may verify a signature: one key, of the right kind, sound, and public.

The choice follows https://hl7.org/fhir/smart-app-launch/STU2.2/client-confidential-asymmetric.html#signature-verification
"""

import base64
from typing import Any

from joserfc.errors import JoseError
from joserfc.jwk import ECKey, RSAKey

from service.fhir.json import Json, JsonObject

ALGORITHMS = ("RS384", "ES384")
PRIVATE = ("d", "p", "q", "dp", "dq", "qi", "oth", "k")
"""Members of a JWK that nobody publishes."""
_KINDS = {"RS384": ("RSA", ""), "ES384": ("EC", "P-384")}
"""The key type and curve that fit each algorithm."""


class NotBase64url(ValueError):
    """Not base64url in its one canonical form."""


def decoded(part: str) -> bytes:
    """Canonical base64url without padding to bytes; NotBase64url for any other spelling of them."""
    try:
        raw = base64.b64decode(part + "=" * (-len(part) % 4), altchars=b"-_", validate=True)
    except ValueError:
        raise NotBase64url from None
    if base64.urlsafe_b64encode(raw).rstrip(b"=").decode() != part:
        raise NotBase64url
    return raw


def choose_key(key_set: Json, algorithm: str, kid: str) -> JsonObject | None:
    """The one public key of a JWK Set with this kid and of the kty that fits; None if none, two, or unfit.

    Two keys with the same kid and kty make the set ambiguous, so neither is used (SMART 2.2).
    """
    keys = key_set.get("keys") if isinstance(key_set, dict) else None
    if not isinstance(keys, list) or algorithm not in _KINDS:
        return None
    kty, _ = _KINDS[algorithm]
    named = [key for key in keys if isinstance(key, dict) and key.get("kid") == kid and key.get("kty") == kty]
    return named[0] if len(named) == 1 and usable(named[0], algorithm) else None


def usable(key: JsonObject, algorithm: str) -> bool:
    """A public key for verifying signatures of this algorithm, and declared for nothing else."""
    operations = key.get("key_ops", ["verify"])
    return (
        not any(member in key for member in PRIVATE)
        and not roca(key)
        and key.get("alg", algorithm) == algorithm
        and key.get("use", "sig") == "sig"
        and isinstance(operations, list)
        and "verify" in operations
        and public_key(key, algorithm) is not None
    )


_ROCA_PRIMES = (
    3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47, 53, 59, 61, 67, 71, 73, 79, 83, 89, 97, 101, 103,
    107, 109, 113, 127, 131, 137, 139, 149, 151, 157, 163, 167,
)  # fmt: skip
_ROCA = {prime: {pow(65537, power, prime) for power in range(prime)} for prime in _ROCA_PRIMES}


def roca(key: JsonObject) -> bool:
    """True for an RSA key of the smart-card generator whose keys can be factored (CVE-2017-15361)."""
    modulus = key.get("n")
    if key.get("kty") != "RSA" or not isinstance(modulus, str):
        return False
    try:
        number = int.from_bytes(decoded(modulus))
    except NotBase64url:
        return False
    return all(number % prime in residues for prime, residues in _ROCA.items())


def public_key(key: JsonObject, algorithm: str) -> RSAKey | ECKey | None:
    """The key as joserfc knows it, from the members that make it and no others."""
    kty, curve = _KINDS[algorithm]
    names = ("kty", "n", "e") if kty == "RSA" else ("kty", "crv", "x", "y")
    members: dict[str, Any] = {name: key.get(name) for name in names}
    if not all(isinstance(value, str) and 0 < len(value) < 3000 for value in members.values()):
        return None
    try:
        if kty == "EC":
            return ECKey.import_key(members) if members["crv"] == curve else None
        modulus, exponent = (int.from_bytes(decoded(members[name])) for name in ("n", "e"))
        sane = 2048 <= modulus.bit_length() <= 8192 and modulus % 2 and 3 <= exponent < 2**32 and exponent % 2
        return RSAKey.import_key(members) if sane else None
    except (JoseError, ValueError):
        return None
