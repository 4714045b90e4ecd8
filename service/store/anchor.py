"""Where the chain stood, kept outside the database and signed with a key that is not in it.

The key is derived (HKDF) from the secret that encrypts our stored keys: `secret.key` in the data directory or
CASEBRIDGE_SECRET_KEY. Who holds the database alone can neither move the anchor nor make a checkpoint.
"""

import os
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from service.fhir.json import BadJson, decode_object, encode
from service.kernel.clock import instant
from service.kernel.failures import Unavailable
from service.settings import Settings
from service.store.keys import secret
from service.store.seals import Checkpoint

FILE = "audit-anchor"


@dataclass(frozen=True, slots=True)
class Anchor:
    """What the file says: a head of the chain. `genuine`: it bears our signature."""

    seq: int
    hash: bytes
    genuine: bool


@lru_cache(maxsize=4)
def _key(settings: Settings) -> Ed25519PrivateKey:
    derive = HKDF(algorithm=SHA256(), length=32, salt=None, info=b"casebridge audit anchor")
    return Ed25519PrivateKey.from_private_bytes(derive.derive(secret(settings)))


def _said(seq: int, hash_: bytes, at: str) -> bytes:
    return b"casebridge audit head|%d|%s|%s" % (seq, hash_.hex().encode(), at.encode())


def signed(settings: Settings, seq: int, hash_: bytes, at: datetime) -> Checkpoint:
    """A checkpoint of the head."""
    return Checkpoint(seq, hash_, at, _key(settings).sign(_said(seq, hash_, instant(at))))


def genuine(settings: Settings, made: Checkpoint) -> bool:
    """Did we sign it?"""
    return _verified(settings, made.seq, made.hash, instant(made.at), made.signature)


def _verified(settings: Settings, seq: int, hash_: bytes, at: str, signature: bytes) -> bool:
    try:
        _key(settings).public_key().verify(signature, _said(seq, hash_, at))
    except InvalidSignature:
        return False
    return True


def place(settings: Settings, made: Checkpoint) -> None:
    """Move the anchor: the file is replaced whole. Raises Unavailable when it cannot be written."""
    path = settings.data_dir / FILE
    draft = path.with_name(f".{FILE}.{os.getpid()}")
    at = instant(made.at)
    said = {"seq": made.seq, "hash": made.hash.hex(), "at": at, "signature": made.signature.hex()}
    try:
        settings.data_dir.mkdir(parents=True, exist_ok=True)
        with draft.open("wb") as file:
            file.write(encode(said) + b"\n")
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
    except OSError as error:
        raise Unavailable(f"the audit anchor {path} cannot be written: {error.strerror}") from error


def found(settings: Settings) -> Anchor | None:
    """The anchor; None where there is no file. A file that is not one of ours is an Anchor that is not genuine."""
    path: Path = settings.data_dir / FILE
    try:
        said = decode_object(path.read_bytes())
        seq, hash_, at = int(said["seq"]), bytes.fromhex(said["hash"]), str(said["at"])
        return Anchor(seq, hash_, _verified(settings, seq, hash_, at, bytes.fromhex(said["signature"])))
    except FileNotFoundError:
        return None
    except (OSError, BadJson, KeyError, TypeError, ValueError):
        return Anchor(0, b"", genuine=False)
