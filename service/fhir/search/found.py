"""What a walk over a resource collects."""

from datetime import datetime
from decimal import Decimal

ORDERED = 200
"""Characters of a text that decide an order."""


class Found:
    """Sets to add to. `base` is our own URL, so that absolute references to us count as relative.

    `orders`: the first and last text of a token or reference, by which `_sort` orders.
    """

    __slots__ = ("base", "dates", "keys", "numbers", "orders", "strings")

    def __init__(self, base: str = "") -> None:
        self.base = base
        self.keys: set[str] = set()
        self.dates: set[tuple[str, datetime, datetime]] = set()
        self.strings: set[tuple[str, str, str]] = set()
        self.numbers: set[tuple[str, Decimal, Decimal, str]] = set()
        self.orders: dict[str, tuple[str, str]] = {}

    def order(self, code: str, text: str) -> None:
        """One more text that the parameter may be ordered by; only the first and the last of them count."""
        text = text[:ORDERED]
        first, last = self.orders.get(code, (text, text))
        self.orders[code] = (min(first, text), max(last, text))
