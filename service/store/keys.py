"""Our own signing keys: made at first start, encrypted at rest, published by their public half."""

import base64
import os
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from cryptography.fernet import Fernet, InvalidToken
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt
from joserfc.jwk import ECKey, RSAKey

from service.fhir.json import JsonObject, decode_object, encode
from service.kernel.failures import Unavailable
from service.settings import Settings
from service.store.unit import Unit

ALGORITHMS = ("ES384", "RS384")
AFTERGLOW = timedelta(hours=1)
"""A retired key stays published this long: partners may still hold an assertion it signed."""
LOCK = "signing-key"


@dataclass(frozen=True, slots=True)
class SigningKey:
    """A key we sign with. `private` is a JWK, never printed."""

    kid: str
    algorithm: str
    private: JsonObject = field(repr=False)


def vault(settings: Settings) -> Fernet:
    """What encrypts stored secrets."""
    try:
        return Fernet(secret(settings))
    except ValueError:
        raise Unavailable(
            "the key file secret.key is damaged; put the one back that was made with it"
        ) from None


def secret(settings: Settings) -> bytes:
    """The one secret that is not in the database: from `secret_key`, or from a file that only we can read.

    A `secret_key` is stretched with scrypt, so a passphrase will do; the same text gives the same key.
    """
    if settings.secret_key is None:
        return _own_file(settings.data_dir / "secret.key")
    text = settings.secret_key.get_secret_value().encode()
    if len(text) < 16:
        raise Unavailable("CASEBRIDGE_SECRET_KEY is too short: 16 characters at least")
    stretched = Scrypt(salt=b"casebridge signing keys", length=32, n=2**14, r=8, p=1).derive(text)
    return base64.urlsafe_b64encode(stretched)


def _own_file(path: Path) -> bytes:
    """The key in `path`, made if missing; two processes that start together end with the same one."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if not path.exists():
            _place(path, Fernet.generate_key())
        if os.name == "posix" and path.stat().st_mode & 0o077:
            path.chmod(0o600)
        return path.read_bytes().strip()
    except OSError as error:
        raise Unavailable(f"the key file {path} cannot be used: {error.strerror}") from error


def _place(path: Path, content: bytes) -> None:
    """Write whole or not at all, and never over another's: a link fails where the name exists."""
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        try:
            os.link(draft, path)
        except FileExistsError:
            return
    finally:
        draft.unlink(missing_ok=True)


async def active(connection: Any, vault: Fernet) -> list[SigningKey]:
    """The keys we sign with now, newest first. Unavailable when the secret is another one."""
    sql = "SELECT kid, algorithm, private FROM signing_key WHERE retired_at IS NULL ORDER BY created_at DESC"
    try:
        return [
            SigningKey(kid, algorithm, decode_object(vault.decrypt(private)))
            for kid, algorithm, private in await connection.fetch(sql)
        ]
    except InvalidToken:
        raise Unavailable(
            "the stored signing keys cannot be decrypted: CASEBRIDGE_SECRET_KEY or secret.key has changed"
        ) from None


async def published(connection: Any, now: datetime) -> JsonObject:
    """Our JWK Set: public halves of the active keys and of those retired within the hour."""
    sql = "SELECT public FROM signing_key WHERE retired_at IS NULL OR retired_at > $1 ORDER BY kid"
    found = await connection.fetch(sql, now - AFTERGLOW)
    return {"keys": [decode_object(row["public"].encode()) for row in found]}


async def ensure(unit: Unit, vault: Fernet, now: datetime) -> None:
    """Make the keys that are missing. Take LOCK with the unit: replicas start together."""
    found = await unit.fetch("SELECT algorithm FROM signing_key WHERE retired_at IS NULL")
    held = {row["algorithm"] for row in found}
    for algorithm in ALGORITHMS:
        if algorithm not in held:
            await _make(unit, vault, algorithm, now)


async def rotate(unit: Unit, vault: Fernet, now: datetime) -> None:
    """Retire every active key and make new ones. Take LOCK with the unit."""
    await unit.execute("UPDATE signing_key SET retired_at = $1 WHERE retired_at IS NULL", now)
    for algorithm in ALGORITHMS:
        await _make(unit, vault, algorithm, now)


async def _make(unit: Unit, vault: Fernet, algorithm: str, now: datetime) -> None:
    key = ECKey.generate_key("P-384") if algorithm == "ES384" else RSAKey.generate_key(3072)
    kid = key.thumbprint()
    marks = {"kid": kid, "alg": algorithm, "use": "sig"}
    public = {**key.as_dict(private=False), **marks, "key_ops": ["verify"]}
    private = encode({**key.as_dict(private=True), **marks})
    await unit.execute(
        """INSERT INTO signing_key (kid, algorithm, public, private, created_at)
           VALUES ($1, $2, $3::jsonb, $4, $5)""",
        kid, algorithm, encode(public).decode(), vault.encrypt(private), now,
    )  # fmt: skip
