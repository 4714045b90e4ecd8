"""UCUM units brought to one unit of their kind, exactly: 90 min, 1.5 h and 5400 s are the same amount.

https://ucum.org/ucum. A unit is converted only when its factor is an exact decimal and its meaning is a ratio; what
is not (`Cel`, `{score}`, `[IU]` against mass, parentheses, names we do not know) is compared as it is written.
"""

import re
from decimal import Context, Decimal
from fractions import Fraction
from functools import lru_cache

SYSTEM = "http://unitsofmeasure.org"

_PREFIXES = {
    "T": 12, "G": 9, "M": 6, "k": 3, "h": 2, "da": 1, "d": -1, "c": -2, "m": -3, "u": -6, "n": -9, "p": -12, "f": -15,
}  # fmt: skip

_METRIC: dict[str, tuple[Fraction, str, int]] = {
    "g": (Fraction(1), "g", 1), "m": (Fraction(1), "m", 1), "s": (Fraction(1), "s", 1), "mol": (Fraction(1), "mol", 1),
    "L": (Fraction(1, 1000), "m", 3), "l": (Fraction(1, 1000), "m", 3), "eq": (Fraction(1), "eq", 1),
    "[iU]": (Fraction(1), "[iU]", 1), "[IU]": (Fraction(1), "[iU]", 1), "cal": (Fraction("4.184"), "J", 1),
    "J": (Fraction(1), "J", 1), "Pa": (Fraction(1), "Pa", 1), "m[Hg]": (Fraction("133322"), "Pa", 1),
    "bar": (Fraction(100000), "Pa", 1), "Hz": (Fraction(1), "s", -1),
}  # fmt: skip
"""Units that take a prefix: factor, dimension and its power."""

_DAY, _YEAR = 86400, Fraction("365.25") * 86400
_PLAIN: dict[str, tuple[Fraction, str, int]] = {
    "min": (Fraction(60), "s", 1), "h": (Fraction(3600), "s", 1), "d": (Fraction(_DAY), "s", 1),
    "wk": (Fraction(7 * _DAY), "s", 1), "mo": (_YEAR / 12, "s", 1), "mo_j": (_YEAR / 12, "s", 1),
    "a": (_YEAR, "s", 1), "a_j": (_YEAR, "s", 1), "t": (Fraction(1000000), "g", 1),
    "[lb_av]": (Fraction("453.59237"), "g", 1), "[oz_av]": (Fraction("28.349523125"), "g", 1),
    "[stone_av]": (Fraction("6350.29318"), "g", 1), "[gr]": (Fraction("0.06479891"), "g", 1),
    "[in_i]": (Fraction("0.0254"), "m", 1), "[in_us]": (Fraction(100, 3937), "m", 1),
    "[ft_i]": (Fraction("0.3048"), "m", 1), "[yd_i]": (Fraction("0.9144"), "m", 1),
    "[mi_i]": (Fraction("1609.344"), "m", 1), "%": (Fraction(1, 100), "", 0), "[ppm]": (Fraction(1, 10**6), "", 0),
    "[gal_us]": (Fraction("0.003785411784"), "m", 3), "[foz_us]": (Fraction("0.0000295735295625"), "m", 3),
}  # fmt: skip

_PART = re.compile(r"([./]?)(10[*^]|[^./0-9*^(){}+-]+|(?:\[[^\]]*\])|1(?!\d))([+-]?\d{1,2})?")
_WEEK = 7 * _DAY
"""Rates are kept by the week: the common units of time divide it, so that `2 /d` has an exact factor."""

EXACT = Context(prec=400)


@lru_cache(maxsize=2048)
def canonical(code: str) -> tuple[Decimal, str] | None:
    """The exact factor of a UCUM code and the unit it leads to (`g`, `s`, `g.m-3`); None to take it as written."""
    if not 0 < len(code) <= 40:
        return None
    scale, powers, at = Fraction(1), dict[str, int](), 0
    while at < len(code):
        match = _PART.match(code, at)
        if match is None or (at == 0 and match[1] == ".") or (at > 0 and not match[1]):
            return None
        unit = _unit(match[2])
        if unit is None:
            return None
        power = int(match[3] or 1) * (-1 if match[1] == "/" else 1)
        factor, dimension, of = unit
        scale *= factor**power
        powers[dimension] = powers.get(dimension, 0) + of * power
        at = match.end()
    if powers.get("s", 0) < 0:
        scale *= Fraction(_WEEK) ** -powers["s"]
    return _told(scale, powers)


def _unit(text: str) -> tuple[Fraction, str, int] | None:
    if text in ("10*", "10^"):
        return Fraction(10), "", 0
    if text == "1":
        return Fraction(1), "", 0
    found = _PLAIN.get(text) or _METRIC.get(text)
    if found:
        return found
    for prefix, power in _PREFIXES.items():
        if text.startswith(prefix) and (root := _METRIC.get(text.removeprefix(prefix))):
            return root[0] * Fraction(10) ** power, root[1], root[2]
    return None


def _told(scale: Fraction, powers: dict[str, int]) -> tuple[Decimal, str] | None:
    rest = scale.denominator
    for prime in (2, 5):
        while rest % prime == 0:
            rest //= prime
    if rest != 1 or not Fraction(1, 10**40) <= scale <= 10**40:
        return None
    names = sorted((name, power) for name, power in powers.items() if name and power)
    unit = ".".join(name if power == 1 else f"{name}{power}" for name, power in names)
    return EXACT.divide(Decimal(scale.numerator), Decimal(scale.denominator)), unit or "1"
