"""One emitter for each kind of parameter and FHIR type: puts what a value offers where a search will look."""

from collections.abc import Callable

from service.fhir import r4
from service.fhir.json import Json
from service.fhir.search import keys, values
from service.fhir.search.folding import fold
from service.fhir.search.found import Found
from service.fhir.search.parameters import Parameter
from service.fhir.search.paths import Route

Emit = Callable[[Json, Found], None]

DATES = frozenset({"date", "dateTime", "instant", "Period", "Timing"})
NUMBERS = frozenset({"integer", "decimal", "positiveInt", "unsignedInt", "Range"})
QUANTITIES = frozenset({"Quantity", "Age", "Duration", "Count", "Distance", "Money", "Range"})
REFERENCES = frozenset({"Reference", "canonical", "uri", "url", "oid", "uuid"})
TOKENS = frozenset({"Coding", "CodeableConcept", "Identifier", "ContactPoint"})
STRINGS = frozenset({"HumanName", "Address", "ContactPoint", "CodeableConcept", "Coding", "Annotation"})


def emitter(parameter: Parameter, route: Route) -> Emit | None:
    """The emitter of a parameter's values at the end of a route; None where the type is not of the kind."""
    make = _BY_KIND.get(parameter.type)
    return make(parameter, route) if make and fits(parameter.type, route.type) else None


def fits(kind: str, type_: str) -> bool:
    """Whether a parameter of the kind can look at values of the FHIR type."""
    if kind in ("token", "string", "uri"):
        primitive = r4.is_primitive(type_)
        return primitive or type_ in {"token": TOKENS, "string": STRINGS, "uri": frozenset()}[kind]
    return type_ in {"date": DATES, "number": NUMBERS, "quantity": QUANTITIES, "reference": REFERENCES}[kind]


def _token(parameter: Parameter, route: Route) -> Emit:
    name, code, type_, binding = (
        keys.name(parameter.base, parameter.code),
        parameter.code,
        route.type,
        route.binding,
    )
    here = keys.present(name)

    def emit_token(value: Json, found: Found) -> None:
        found.keys.add(here)
        for form in values.tokens(value, type_, binding):
            found.keys.add(f"{name}={form}")
        for text in values.words(value, type_):
            found.order(code, text)
        if isinstance(value, dict):
            for text in values.captions(value, type_):
                found.strings.add((f"{code}:text", fold(text), text))
            if type_ == "Identifier":
                for kind, number in values.typed_identifiers(value):
                    found.keys.add(keys.typed(name, kind, number))

    return emit_token


def _reference(parameter: Parameter, _: Route) -> Emit:
    name, code = keys.name(parameter.base, parameter.code), parameter.code
    here = keys.present(name)

    def emit_reference(value: Json, found: Found) -> None:
        found.keys.add(here)
        forms = values.references(value, found.base)
        for form in forms:
            found.keys.add(f"{name}={form}")
        if forms:
            found.order(code, forms[0])
        for form in values.identifiers(value):
            found.keys.add(keys.identified(name, form))

    return emit_reference


def _uri(parameter: Parameter, _: Route) -> Emit:
    name, code = keys.name(parameter.base, parameter.code), parameter.code
    here = keys.present(name)

    def emit_uri(value: Json, found: Found) -> None:
        found.keys.add(here)
        if isinstance(value, str):
            found.keys.add(f"{name}={value}")
            found.keys.add(f"{name}={value.partition('|')[0]}")
            found.strings.add((code, value, value))

    return emit_uri


def _string(parameter: Parameter, route: Route) -> Emit:
    here, code, type_ = keys.present(keys.name(parameter.base, parameter.code)), parameter.code, route.type

    def emit_string(value: Json, found: Found) -> None:
        found.keys.add(here)
        for text in values.texts(value, type_):
            found.strings.add((code, fold(text), text))

    return emit_string


def _date(parameter: Parameter, route: Route) -> Emit:
    here, code, type_ = keys.present(keys.name(parameter.base, parameter.code)), parameter.code, route.type

    def emit_date(value: Json, found: Found) -> None:
        found.keys.add(here)
        for low, high in values.intervals(value, type_):
            found.dates.add((code, low, high))

    return emit_date


def _number(parameter: Parameter, route: Route) -> Emit:
    here, code, type_ = keys.present(keys.name(parameter.base, parameter.code)), parameter.code, route.type

    def emit_number(value: Json, found: Found) -> None:
        found.keys.add(here)
        for low, high, unit in values.measures(value, type_):
            found.numbers.add((code, low, high, unit))

    return emit_number


_BY_KIND: dict[str, Callable[[Parameter, Route], Emit]] = {
    "token": _token,
    "reference": _reference,
    "uri": _uri,
    "string": _string,
    "date": _date,
    "number": _number,
    "quantity": _number,
}
