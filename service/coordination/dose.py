"""How much of a service: from a FHIR timing, or from the words that case managers write (`twice a week`)."""

import re
from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from typing import Final

DAYS: Final = {
    "h": Fraction(1, 24),
    "d": Fraction(1),
    "wk": Fraction(7),
    "mo": Fraction(30),
    "a": Fraction(365),
}
"""A FHIR unit of time in days; a month is thirty, for a dose is no calendar."""
_COUNT: Final = {
    "once": 1,
    "one": 1,
    "twice": 2,
    "two": 2,
    "three": 3,
    "thrice": 3,
    "four": 4,
    "five": 5,
    "six": 6,
}
_UNIT: Final = {"day": "d", "week": "wk", "month": "mo", "year": "a"}
_ADVERB: Final = {"daily": "d", "weekly": "wk", "monthly": "mo"}
_DAY: Final = r"(?:mon|tues|wednes|thurs|fri|satur|sun)day"
_NUMBER: Final = rf"(?P<number>\d{{1,2}}|{'|'.join(_COUNT)})"
_OFTEN: Final = re.compile(
    rf"\b{_NUMBER}(?: times| sessions| hours| evenings)? (?:a|per|each|every) (?P<unit>day|week|month|year)\b"
)
_EVERY: Final = re.compile(r"\b(?:every|each) (?:(?P<other>other|second|2) )?(?P<unit>day|week|month|year)\b")
_TOTAL: Final = re.compile(rf"\b{_NUMBER} (?:sessions|meetings|visits|appointments|lessons|times)\b")
_ONCE: Final = re.compile(r"\b(?:once only|one time|one-time|a single|just once|once)\b")


@dataclass(frozen=True, slots=True)
class Dose:
    """`weekly` times a week, or `total` times in all; neither where nothing is said."""

    weekly: Fraction | None = None
    total: int | None = None

    @property
    def said(self) -> bool:
        """Is anything known of how much?"""
        return self.weekly is not None or self.total is not None

    def differs(self, other: "Dose") -> bool:
        """Do both say how much, and not the same?"""
        return self.said and other.said and (self.weekly, self.total) != (other.weekly, other.total)

    def units(self, start: date, end: date | None) -> Fraction | None:
        """Times in [start, end]; None where that is not known."""
        if self.total is not None:
            return Fraction(self.total)
        if self.weekly is None or end is None:
            return None
        return self.weekly * max(0, (end - start).days) / 7


UNSAID: Final = Dose()


def per(count: int, period: Fraction) -> Dose:
    """So many times in a period of days."""
    return Dose(weekly=Fraction(count) * 7 / period) if period > 0 else UNSAID


def in_words(text: str) -> Dose:
    """What the words say: `twice a week`, `every other day`, `Tuesday and Thursday evenings`, `8 sessions`, `once`."""
    said = text.casefold()
    if found := _OFTEN.search(said):
        return per(_number(found["number"]), DAYS[_UNIT[found["unit"]]])
    if found := _EVERY.search(said):
        return per(1, DAYS[_UNIT[found["unit"]]] * (2 if found["other"] else 1))
    for word, unit in _ADVERB.items():
        if re.search(rf"\b{word}\b", said):
            return per(1, DAYS[unit])
    if days := {each.removesuffix("s") for each in re.findall(rf"\b{_DAY}s?\b", said)}:
        return per(len(days), DAYS["wk"])
    if found := _TOTAL.search(said):
        return Dose(total=_number(found["number"]))
    return Dose(total=1) if _ONCE.search(said) else UNSAID


def _number(word: str) -> int:
    return _COUNT.get(word) or int(word)
