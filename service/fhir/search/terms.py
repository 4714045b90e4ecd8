"""Tokens by what their codes mean: in a value set, below or above another code.

https://hl7.org/fhir/R4/search.html#token. Answered where we hold the value set or the code system in full, and refused
where we do not: a set that is known in part would find too little, and its opposite too much.
"""

from service.fhir.search import keys
from service.fhir.search.asking import MAX_ALTERNATIVES, Asking, Terms, Wrong
from service.fhir.search.escapes import plain, split
from service.fhir.search.parameters import Parameter
from service.fhir.search.query import Keys

MOST = 10 * MAX_ALTERNATIVES


def members(asking: Asking, parameter: Parameter, modifier: str, values: list[str]) -> Keys:
    """`:in` and `:not-in`: a coding with a system and code of one of the value sets, or none."""
    what = f"{parameter.code}:{modifier}"
    forms = []
    for value in values:
        found = _terms(asking, what).value_set(_canonical(asking, plain(value)))
        if found is None:
            raise Wrong(f"{what}: this value set, or what it is made of, is not known here", "not-supported")
        if found.open:
            systems = ", ".join(sorted(found.open))
            raise Wrong(
                f"{what}: which codes of {systems} this value set holds is not known here", "not-supported"
            )
        forms += [
            keys.coding_of(system, code) for system, codes in found.systems.items() for code in sorted(codes)
        ]
    return _keys(asking, parameter, what, forms, negated=modifier == "not-in")


def _canonical(asking: Asking, text: str) -> str:
    """Without the version; `ValueSet/…` for one of ours that is named by where it is served."""
    return text.partition("|")[0].removeprefix(asking.base + "/")


def kin(asking: Asking, parameter: Parameter, modifier: str, values: list[str]) -> Keys:
    """`:below` and `:above`: a coding that the code asked for subsumes, or that subsumes it; itself among them."""
    what = f"{parameter.code}:{modifier}"
    forms = []
    for value in values:
        system, code = _coding(what, value)
        terms = _terms(asking, what)
        found = (terms.below if modifier == "below" else terms.above)(system, code)
        if found is None:
            text = f"{what}: this code system is not known here in full, or the code is not one of its"
            raise Wrong(text, "not-supported")
        forms += [keys.coding_of(system, each) for each in sorted(found)]
    return _keys(asking, parameter, what, forms)


def _coding(what: str, value: str) -> tuple[str, str]:
    parts = [plain(part) for part in split(value, "|")]
    if len(parts) != 2 or not all(parts):
        raise Wrong(f"{what} needs [system]|[code]: which code stands below another, its system says")
    return parts[0], parts[1]


def _terms(asking: Asking, what: str) -> Terms:
    if asking.terms is None:
        raise Wrong(f"{what} is not offered here", "not-supported")
    return asking.terms()


def _keys(
    asking: Asking, parameter: Parameter, what: str, forms: list[str], *, negated: bool = False
) -> Keys:
    if len(forms) > MOST:
        raise Wrong(f"{what}: more than {MOST} codes", "too-costly")
    names = [keys.name(type_, parameter.code) for type_ in asking.types]
    return Keys(tuple(keys.token(name, form) for name in names for form in dict.fromkeys(forms)), negated)
