"""What a walk over a resource collects."""

from datetime import datetime
from decimal import Decimal


class Found:
    """Sets to add to. `base` is our own URL, so that absolute references to us count as relative."""

    __slots__ = ("base", "dates", "keys", "numbers", "strings")

    def __init__(self, base: str = "") -> None:
        self.base = base
        self.keys: set[str] = set()
        self.dates: set[tuple[str, datetime, datetime]] = set()
        self.strings: set[tuple[str, str, str]] = set()
        self.numbers: set[tuple[str, Decimal, Decimal, str]] = set()
