"""Identifiers: time-ordered for what we create, derived for what must come out the same twice."""

import os
import time
import uuid
from typing import NewType

ClientId = NewType("ClientId", str)
"""The OAuth client_id of a partner."""

_NAMESPACE = uuid.UUID("6f0c7a0e-7f0c-4a53-9a0b-5a1d5b1e9c11")


def new_id() -> str:
    """A UUIDv7 (RFC 9562): unique, and index-friendly because it grows with time."""
    milliseconds = time.time_ns() // 1_000_000
    random = int.from_bytes(os.urandom(10), "big")
    value = (milliseconds & (1 << 48) - 1) << 80
    value |= 0x7 << 76 | (random >> 62 & 0xFFF) << 64
    value |= 0b10 << 62 | (random & (1 << 62) - 1)
    return str(uuid.UUID(int=value))


def derived_id(*parts: str) -> str:
    """The same id for the same parts, for ever: how a record and its resources stay one thing."""
    return str(uuid.uuid5(_NAMESPACE, "\x1f".join(parts)))
