"""Composite parameters: values that belong together, found together (`code-value-quantity`).

The first component is a token; the second may be a token or a reference (one key for both), or a date, string
or quantity, which is kept under a name that the token is part of. https://hl7.org/fhir/R4/search.html#composite
"""

from collections.abc import Callable

from service.fhir.json import Json
from service.fhir.search import keys, values
from service.fhir.search.emit import REFERENCES, fits
from service.fhir.search.folding import fold
from service.fhir.search.found import Found
from service.fhir.search.parameters import Component, Parameter
from service.fhir.search.paths import Route, routes

Emit = Callable[[Json, Found], None]


def emitters(parameter: Parameter) -> list[tuple[Route, Emit]]:
    """For every element that holds the parts: its route, and what to emit there. Empty if not offered."""
    if len(parameter.components) != 2 or parameter.components[0].type != "token":
        return []
    found = []
    for route in routes(parameter.expression, parameter.base):
        first, second = (_below(component, route.type) for component in parameter.components)
        if first and second:
            found.append((route, _emit(parameter, first, second)))
    return found


def _below(component: Component, root: str) -> list[Route]:
    return [route for route in routes(component.expression, root) if fits(component.type, route.type)]


def _emit(parameter: Parameter, first: list[Route], second: list[Route]) -> Emit:
    name = keys.name(parameter.base, parameter.code)
    here, put = keys.present(name), _PUT[parameter.components[1].type]

    def emit_composite(element: Json, found: Found) -> None:
        tokens = [f for r in first for v in reach(element, r) for f in values.tokens(v, r.type, r.binding)]
        parts = [(r, v) for r in second for v in reach(element, r)]
        if tokens and parts:
            found.keys.add(here)
        for form in dict.fromkeys(tokens):
            for route, value in parts:
                put(parameter, form, route, value, found)

    return emit_composite


def reach(value: Json, route: Route) -> list[Json]:
    """The values at the end of a route of plain keys."""
    reached = [value]
    for step in route.steps:
        below = (v.get(step) for v in reached if isinstance(v, dict))
        reached = [each for member in below if member is not None for each in values.each(member)]
    return reached


def _put_key(parameter: Parameter, form: str, route: Route, value: Json, found: Found) -> None:
    name = keys.name(parameter.base, parameter.code)
    forms = values.references(value, found.base) if route.type in REFERENCES else []
    for other in forms or values.tokens(value, route.type, route.binding):
        found.keys.add(keys.pair(name, form, other))


def _put_date(parameter: Parameter, form: str, route: Route, value: Json, found: Found) -> None:
    for low, high in values.intervals(value, route.type):
        found.dates.add((keys.pair(parameter.code, form), low, high))


def _put_string(parameter: Parameter, form: str, route: Route, value: Json, found: Found) -> None:
    for text in values.texts(value, route.type):
        found.strings.add((keys.pair(parameter.code, form), fold(text), text))


def _put_number(parameter: Parameter, form: str, route: Route, value: Json, found: Found) -> None:
    for low, high, unit in values.measures(value, route.type):
        found.numbers.add((keys.pair(parameter.code, form), low, high, unit))


_PUT: dict[str, Callable[[Parameter, str, Route, Json, Found], None]] = {
    "token": _put_key,
    "reference": _put_key,
    "date": _put_date,
    "string": _put_string,
    "quantity": _put_number,
    "number": _put_number,
}
