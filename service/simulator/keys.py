"""The agency's own key pair: signs what it sends, published at its own jwks.json."""

from pathlib import Path

from joserfc import jwt
from joserfc.jwk import ECKey

from service.fhir.json import JsonObject, decode_object, encode
from service.kernel.clock import Clock, system_clock
from service.kernel.ids import new_id

ALGORITHM = "ES384"
JWT_BEARER = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"


class Key:
    """One P-384 key. With a file it is the same key after a restart."""

    def __init__(self, file: Path | None = None, clock: Clock = system_clock) -> None:
        self._clock = clock
        if file is not None and file.exists():
            self._key = ECKey.import_key(decode_object(file.read_bytes()))
        else:
            self._key = ECKey.generate_key("P-384", {"kid": new_id(), "use": "sig", "alg": ALGORITHM})
        if file is not None and not file.exists():
            file.touch(mode=0o600)
            file.write_bytes(encode(self._key.as_dict(private=True)))

    @property
    def public_set(self) -> JsonObject:
        """The JWK Set to publish."""
        return {"keys": [{**self._key.as_dict(private=False), "key_ops": ["verify"]}]}

    def assertion(self, client_id: str, audience: str) -> str:
        """A client assertion for SMART Backend Services: four minutes, a jti of its own."""
        now = int(self._clock().timestamp())
        header = {"alg": ALGORITHM, "kid": self._key.kid, "typ": "JWT"}
        claims = {
            "iss": client_id,
            "sub": client_id,
            "aud": audience,
            "iat": now,
            "exp": now + 240,
            "jti": new_id(),
        }
        return jwt.encode(header, claims, self._key, algorithms=[ALGORITHM])
