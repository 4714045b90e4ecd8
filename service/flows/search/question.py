"""A search as it came in."""

from dataclasses import dataclass

Pairs = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Question:
    """`type` is None for the whole system; `within` a compartment, `also` the ids of others that count as its own."""

    type: str | None
    pairs: Pairs
    lenient: bool = False
    within: tuple[str, str] | None = None
    also: tuple[str, ...] = ()
