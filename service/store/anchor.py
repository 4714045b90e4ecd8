"""Where the chain stood, kept outside the database and signed with a key that is not in it.

The key is derived (HKDF) from the secret that encrypts our stored keys: `secret.key` in the data directory or
CASEBRIDGE_SECRET_KEY. Who holds the database alone can neither move the anchor nor make a checkpoint. When the secret
changes, the new key vouches for the one before it, so that old checkpoints and archives stay provable.
"""

import os
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from service.fhir.json import BadJson, decode_object, encode
from service.kernel.clock import instant
from service.kernel.failures import Unavailable
from service.settings import Settings
from service.store.seals import Checkpoint
from service.store.vault import accepted

FILE = "audit-anchor"


@dataclass(frozen=True, slots=True)
class Anchor:
    """What the file says: a head of the chain, and the newest checkpoint there was then (None: an older release did not
    say). `genuine`: it bears our signature."""

    seq: int
    hash: bytes
    genuine: bool
    checkpoint: int | None = None


@lru_cache(maxsize=8)
def _derived(secret: bytes) -> Ed25519PrivateKey:
    derive = HKDF(algorithm=SHA256(), length=32, salt=None, info=b"casebridge audit anchor")
    return Ed25519PrivateKey.from_private_bytes(derive.derive(secret))


def _keys(settings: Settings) -> list[Ed25519PrivateKey]:
    """Newest first."""
    return [_derived(each) for each in accepted(settings)]


def sign(settings: Settings, statement: bytes) -> bytes:
    """With the key of the newest secret."""
    return _keys(settings)[0].sign(statement)


def public_keys(settings: Settings) -> list[bytes]:
    """What our signatures are checked with, newest first: one for each accepted secret."""
    return [each.public_key().public_bytes_raw() for each in _keys(settings)]


def holds(settings: Settings, statement: bytes, signature: bytes, former: Collection[bytes] = ()) -> bool:
    """Did we sign it, under a secret that is accepted or with one of the `former` keys?"""
    return any(_made(public, statement, signature) for public in (*public_keys(settings), *former))


def _made(public: bytes, statement: bytes, signature: bytes) -> bool:
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(signature, statement)
    except (InvalidSignature, ValueError):
        return False
    return True


def succession(public: bytes) -> bytes:
    """The statement by which a newer key vouches for one before it."""
    return b"casebridge audit key|" + public.hex().encode()


def former(settings: Settings, vouched: Iterable[tuple[bytes, bytes]]) -> list[bytes]:
    """Keys before ours, of those (key, signature) that ours vouch for."""
    return [public for public, signature in vouched if holds(settings, succession(public), signature)]


def _said(seq: int, hash_: bytes, at: str, previous: int | None) -> bytes:
    head = b"casebridge audit head|%d|%s|%s" % (seq, hash_.hex().encode(), at.encode())
    return head if previous is None else b"%s|%d" % (head, previous)


def signed(settings: Settings, seq: int, hash_: bytes, at: datetime, previous: int) -> Checkpoint:
    """A checkpoint of the head. `previous`: the newest one before it."""
    return Checkpoint(seq, hash_, at, sign(settings, _said(seq, hash_, instant(at), previous)), previous)


def genuine(settings: Settings, made: Checkpoint, former: Collection[bytes] = ()) -> bool:
    """Did we sign it?"""
    said = _said(made.seq, made.hash, instant(made.at), made.previous)
    return holds(settings, said, made.signature, former)


def _written(seq: int, hash_: bytes, at: str, signature: bytes, checkpoint: int | None) -> bytes:
    mark = {} if checkpoint is None else {"checkpoint": checkpoint}
    return encode({"seq": seq, "hash": hash_.hex(), "at": at, "signature": signature.hex(), **mark}) + b"\n"


def place(settings: Settings, made: Checkpoint) -> None:
    """Move the anchor: the file is replaced whole. Raises Unavailable when it cannot be written."""
    path = settings.data_dir / FILE
    draft = path.with_name(f".{FILE}.{os.getpid()}")
    try:
        settings.data_dir.mkdir(parents=True, exist_ok=True)
        with draft.open("wb") as file:
            file.write(_written(made.seq, made.hash, instant(made.at), made.signature, made.previous))
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
    except OSError as error:
        raise Unavailable(f"the audit anchor {path} cannot be written: {error.strerror}") from error


def found(settings: Settings, former: Collection[bytes] = ()) -> Anchor | None:
    """The anchor; None where there is no file. A file that is not one of ours is an Anchor that is not genuine."""
    path: Path = settings.data_dir / FILE
    try:
        content = path.read_bytes()
        said = decode_object(content)
        seq, hash_, at = int(said["seq"]), bytes.fromhex(said["hash"]), str(said["at"])
        signature = bytes.fromhex(said["signature"])
        mark = int(said["checkpoint"]) if "checkpoint" in said else None
        ours = content == _written(
            seq, hash_, at, signature, mark
        )  # to the byte: no other spelling of the same
        genuine = ours and holds(settings, _said(seq, hash_, at, mark), signature, former)
        return Anchor(seq, hash_, genuine, mark)
    except FileNotFoundError:
        return None
    except (OSError, BadJson, KeyError, TypeError, ValueError):
        return Anchor(0, b"", genuine=False)
