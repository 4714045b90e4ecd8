"""What a code reveals: the operator's value sets, ours, and the chapters of ICD-10-CM, which need no licence.

42 CFR 2.11 leaves tobacco and caffeine out of substance use disorder, so F17 reveals none.
"""

from collections.abc import Mapping
from types import MappingProxyType

from service.consent.model import Token

Categories = Mapping[str, frozenset[Token]]
"""Sensitivity code → the (system, code) pairs that reveal it."""

CANONICAL = "urn:ietf:rfc:3986"
"""The system of canonicals: a QuestionnaireResponse reveals what its instrument asks, a profile what it is for."""

_SUBSTANCES = ("F10", "F11", "F12", "F13", "F14", "F15", "F16", "F18", "F19", "O99.31", "O99.32")
_MIND = tuple(f"F{number}" for number in range(20, 70))
_VENEREAL = tuple(f"A{number}" for number in range(50, 65))

CHAPTERS: Mapping[str, Mapping[str, str]] = MappingProxyType(
    {
        "http://hl7.org/fhir/sid/icd-10-cm": MappingProxyType(
            {
                **dict.fromkeys(_SUBSTANCES, "SUD"),
                "F11": "OPIOIDUD",
                **dict.fromkeys(_MIND, "MH"),
                **dict.fromkeys(("B20", "B97.35", "O98.7", "R75", "Z21"), "HIV"),
                **dict.fromkeys(_VENEREAL, "STD"),
                **dict.fromkeys(("T74", "T76", "Y07"), "SDV"),
                **dict.fromkeys(("Z30", "Z31", "Z33.2", "O04"), "SEX"),
            }
        )
    }
)
"""System → beginning of a code → the sensitivity of every code that begins so."""

_LENGTHS = sorted({len(stem) for table in CHAPTERS.values() for stem in table})


def revealed(token: Token, categories: Categories) -> frozenset[str]:
    """The sensitivities of one code."""
    found = {mark for mark, tokens in categories.items() if token in tokens}
    table = CHAPTERS.get(token[0])
    if table is not None:
        found |= {table[stem] for length in _LENGTHS if (stem := token[1][:length]) in table}
    return frozenset(found)


def joined(*tables: Categories) -> Categories:
    """One table of several."""
    codes = {code for table in tables for code in table}
    return {code: frozenset().union(*(table.get(code, frozenset()) for table in tables)) for code in codes}
