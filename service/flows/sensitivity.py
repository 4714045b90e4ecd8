"""Which codes reveal something sensitive here: our own value sets, the operator's, and those of Consent2Share.

The operator loads packages with `CASEBRIDGE_GUIDES` and names their value sets by sensitivity with
`CASEBRIDGE_SENSITIVE_VALUE_SETS`. The Consent2Share categories of VSAC (UMLS licence, so not shipped) need no naming:
where the package is loaded they count.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence

from service.consent import terms
from service.consent.sensitive import Categories, joined
from service.fhir.artefacts import shelf
from service.fhir.json import JsonObject
from service.kernel.failures import Unavailable

Codes = Mapping[str, frozenset[str]]
Lookup = Callable[[str], Codes | None]
"""A value set's codes by system; None for one that is not loaded, or of which not every code can be told."""

OURS = {"sensitive-sud": "SUD", "sensitive-mh": "MH", "sensitive-sdv": "SDV"}
_VSAC = "http://cts.nlm.nih.gov/fhir/ValueSet/"
_C2S = f"{_VSAC}2.16.840.1.113762.1.4.1142."
_NUMBERED: Sequence[tuple[str, Sequence[int]]] = (
    ("SUD", (*range(1, 23), *range(28, 31), *range(43, 49), 55, 56)),
    ("OPIOIDUD", (*range(38, 43), 59)),
    ("HIV", (*range(23, 28), 60)),
    ("MH", range(32, 37)),
    ("SEX", (49,)),
)
"""Consent2Share categories by the last arc of their OID (VSAC). Tobacco (.51 to .54) is no SUD in 42 CFR 2.11."""


def usual() -> Iterator[tuple[str, str]]:
    """(sensitivity, canonical) of what counts wherever it is loaded."""
    for code, numbers in _NUMBERED:
        for number in numbers:
            yield code, f"{_C2S}{number}"
    yield "SUD", f"{_VSAC}2.16.840.1.113883.3.464.1003.106.12.1001"
    yield "OPIOIDUD", f"{_VSAC}2.16.840.1.113762.1.4.1046.269"


def categories(chosen: Sequence[str], lookup: Lookup | None) -> Categories:
    """Everything together. `lookup` None: no package is loaded. Raises Unavailable for a setting that cannot be met:
    a value set that silently protects nothing would be worse than a service that does not start."""
    found = [_own()]
    for code, canonical in map(_named, chosen):
        codes = lookup(canonical) if lookup else None
        if not codes or not any(codes.values()):
            text = (
                f"{canonical} is in no package of CASEBRIDGE_GUIDES, or its codes cannot all be told from it"
            )
            raise Unavailable(f"CASEBRIDGE_SENSITIVE_VALUE_SETS: {text}")
        found.append(_table(code, codes))
    if lookup:
        found += [_table(code, codes) for code, canonical in usual() if (codes := lookup(canonical))]
    return joined(*found)


def _named(text: str) -> tuple[str, str]:
    code, _, canonical = text.partition("=")
    if code not in terms.SENSITIVITIES or not canonical:
        known = ", ".join(sorted(terms.SENSITIVITIES))
        raise Unavailable(
            f"CASEBRIDGE_SENSITIVE_VALUE_SETS: {text!r} is not CODE=canonical with CODE one of {known}"
        )
    return code, canonical


def _table(code: str, codes: Codes) -> Categories:
    return {code: frozenset((system, one) for system, listed in codes.items() for one in listed)}


def _own() -> Categories:
    sets = shelf("ValueSet")
    return {code: frozenset(_listed(sets[name].resource)) for name, code in OURS.items()}


def _listed(value_set: JsonObject) -> Iterator[tuple[str, str]]:
    for part in value_set["compose"]["include"]:
        for concept in part["concept"]:
            yield part["system"], concept["code"]
