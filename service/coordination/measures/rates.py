"""A share of a population, as a whole and by stratum; small counts hidden so that nobody can be found or subtracted."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

SMALL: Final = 11
"""Counts below this are hidden, 0 apart."""
ALL: Final = "all"


@dataclass(frozen=True, slots=True)
class Rate:
    """`stratum` is `all`, or a value of `stratifier` in words. `typical`: the median, of a measure of time or number.

    Hidden counts are None, and so are their rate and median.
    """

    measure: str
    stratum: str
    numerator: int | None
    denominator: int | None
    stratifier: str = ""
    typical: float | None = None

    @property
    def rate(self) -> float | None:
        """Rounded to four places; None where there is nothing to divide, or nothing to show."""
        if not self.denominator or self.numerator is None:
            return None
        return round(self.numerator / self.denominator, 4)


def hidden(rows: Sequence[Rate], small: int = SMALL) -> list[Rate]:
    """The whole and its parts, small counts hidden: a row is, when its count, its rest or their sum is below `small`
    and not 0. One hidden part alone could be told from the others, so the smallest other part is hidden with it; the
    whole is hidden only for itself."""
    whole, *parts = rows
    shown = [each for each in parts if not _small(each, small)]
    if len(parts) - len(shown) == 1 and shown:
        shown.remove(min(shown, key=lambda each: each.denominator or 0))
    kept = [each if each in shown else _masked(each) for each in parts]
    return [_masked(whole) if _small(whole, small) else whole, *kept]


def _small(row: Rate, small: int) -> bool:
    count, of = row.numerator or 0, row.denominator or 0
    return any(0 < each < small for each in (count, of - count, of))


def _masked(row: Rate) -> Rate:
    return replace(row, numerator=None, denominator=None, typical=None)
