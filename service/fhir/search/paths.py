"""The FHIRPath that search parameters are written in, read once into routes through the JSON.

A route is the list of JSON keys from a root type to a value, with the value's FHIR type: choices are spelled
out (`valueQuantity`), so that walking needs no types. The subset is what R4's parameters use: paths, `as`,
`ofType`, `where(resolve() is X)`, `where(path = 'text')`, `where(hasExtension('url'))`, `extension('url')`,
`where(extension.where(url = 'url' and value = true).exists())` and `|`. https://hl7.org/fhir/R4/search.html and https://hl7.org/fhir/R4/fhirpath.html
"""

import re
from dataclasses import dataclass, replace
from typing import Literal

from service.fhir import r4


class Unreadable(ValueError):
    """The expression is outside the subset."""


@dataclass(frozen=True, slots=True)
class Guard:
    """A condition on a value: `resolve` (Reference to type `text`), `equals` (a value at the path `name` is `text`),
    `extended` (has an extension with url `text`), or `flagged` (has such an extension, and its value is true)."""

    kind: Literal["resolve", "equals", "extended", "flagged"]
    text: str
    name: str = ""


Step = str | Guard


@dataclass(frozen=True, slots=True)
class Route:
    """Steps from the root to values of FHIR type `type`. `binding`: the value set a code must be from.
    `many`: there may be several values."""

    steps: tuple[Step, ...]
    type: str
    binding: str = ""
    many: bool = False


_STEP = re.compile(
    r"""\.?(?:
      (?:as|ofType)\((?P<as>\w+)\)
    | where\(resolve\(\)\ is\ (?P<resolve>\w+)\)
    | where\((?P<name>\w+(?:\.\w+)*)\ *=\ *'(?P<equals>[^']*)'\)
    | where\(extension\.where\(url\ =\ '(?P<flagged>[^']*)'\ and\ value\ =\ true\)\.exists\(\)\)
    | where\(hasExtension\('(?P<extended>[^']*)'\)\)
    | extension\('(?P<extension>[^']*)'\)
    | (?P<field>[A-Za-z]\w*)(?!\w*\()
    )""",
    re.VERBOSE,
)
_CAST = re.compile(r"\(([^()|]+) as (\w+)\)")


def routes(expression: str, root: str) -> tuple[Route, ...]:
    """All routes of an expression from `root`, a type or a nested structure (`Observation.component`).

    A leading root type, `Resource` or `DomainResource` is dropped. Raises Unreadable outside the subset.
    """
    found: list[Route] = []
    for alternative in expression.split("|"):
        found += _alternative(_CAST.sub(r"\1.as(\2)", alternative.strip()), root)
    return tuple(dict.fromkeys(found))


def _alternative(text: str, root: str) -> list[Route]:
    head, _, rest = text.partition(".")
    if head in (root, "Resource", "DomainResource"):
        text = rest
    found = [Route((), root)]
    at = 0
    while at < len(text):
        match = _STEP.match(text, at)
        if match is None:
            raise Unreadable(text)
        found = [after for route in found for after in _step(route, match)]
        at = match.end()
    return found


def _step(route: Route, match: re.Match[str]) -> list[Route]:
    kind = str(match.lastgroup)
    text = match[kind]
    if kind == "field":
        return _field(route, text)
    if kind == "as":
        return [route] if route.type.lower() == text.lower() else []
    if kind == "extension":
        return [_guarded(each, Guard("equals", text, "url")) for each in _field(route, "extension")]
    return [_guarded(route, Guard(kind, text, match["name"] or ""))]  # type: ignore[arg-type]


def _guarded(route: Route, guard: Guard) -> Route:
    return replace(route, steps=(*route.steps, guard))


def _field(route: Route, name: str) -> list[Route]:
    structure = r4.find(route.type)
    element = structure.by_name.get(name) if structure else None
    if element is None:
        return []
    binding = element.facts.get("binding", "") if "code" in element.types else ""
    many = route.many or element.many
    return [Route((*route.steps, element.key(type_)), type_, binding, many) for type_ in element.types]


def single(found: tuple[Route, ...]) -> bool:
    """Whether these routes lead to one value at most: no array on the way, and choices of one element."""
    elements = {tuple(str(step) for step in route.steps[:-1]) for route in found}
    last = {_choice(str(route.steps[-1]), route.type) for route in found if route.steps}
    return len(elements) == len(last) == 1 and not any(
        route.many or route.type == "Timing" for route in found
    )


def _choice(key: str, type_: str) -> str:
    suffix = type_[:1].upper() + type_[1:]
    return key.removesuffix(suffix)
