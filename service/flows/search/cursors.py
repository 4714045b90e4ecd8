"""Where a search goes on, sealed: encrypted and signed, bound to the caller and to the question.

The cursor holds the whole question, so a next link says nothing about anybody in clear text, and nothing of
it can be changed: a tampered or borrowed cursor is refused.
"""

from dataclasses import dataclass
from datetime import datetime

import orjson
from cryptography.fernet import InvalidToken

from service.fhir.outcome import Issue
from service.kernel.failures import Refused
from service.settings import Settings
from service.store.vault import vault


@dataclass(frozen=True, slots=True)
class Bookmark:
    """The question as it was first asked, when, by whom, and the place reached."""

    caller: str
    type: str | None
    within: tuple[str, str] | None
    pairs: tuple[tuple[str, str], ...]
    asked: datetime
    place: tuple[str, ...]


def seal(settings: Settings, mark: Bookmark) -> str:
    """The cursor of a bookmark."""
    parts = [mark.caller, mark.type, mark.within, mark.pairs, mark.asked.isoformat(), mark.place]
    return vault(settings).encrypt(b"search" + orjson.dumps(parts)).decode()


def unseal(settings: Settings, cursor: str, caller: str, type_: str | None) -> Bookmark:
    """The bookmark of a cursor of ours for this caller and path; Refused("malformed") for anything else."""
    try:
        opened = vault(settings).decrypt(cursor.encode()).removeprefix(b"search")
        owner, kind, within, pairs, asked, place = orjson.loads(opened)
    except (InvalidToken, ValueError):
        raise _not_ours() from None
    if owner != caller or kind != type_:
        raise _not_ours()
    return Bookmark(
        owner, kind, tuple(within) if within else None, tuple((n, v) for n, v in pairs),
        datetime.fromisoformat(asked), tuple(place),
    )  # fmt: skip


def _not_ours() -> Refused:
    text = "_cursor is not one that this server gave you for this search; start from the first page"
    return Refused("malformed", text, [Issue("error", "invalid", text)])
