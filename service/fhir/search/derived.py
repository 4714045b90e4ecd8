"""Parameters whose expression is not a path: a named function each."""

from collections.abc import Callable

from service.fhir.json import JsonObject
from service.fhir.search import keys, near, values
from service.fhir.search.found import Found
from service.fhir.search.parameters import Parameter

Derive = Callable[[JsonObject, Found], None]


def _deceased(resource: JsonObject, found: Found) -> None:
    """`Patient.deceased.exists() and Patient.deceased != false`: every Patient is true or false."""
    name = keys.name("Patient", "deceased")
    present = "deceasedBoolean" in resource or "deceasedDateTime" in resource
    dead = present and resource.get("deceasedBoolean") is not False
    found.keys.update(keys.token(name, form) for form in values.tokens(dead, "boolean"))
    found.order("deceased", "true" if dead else "false")
    if present:
        found.keys.add(keys.present(name))


_TABLE: dict[tuple[str, str], Derive] = {
    ("Patient", "deceased"): _deceased,
    ("Location", "near"): near.derive,
}


def knows(parameter: Parameter) -> bool:
    """Whether the parameter is evaluated here."""
    return (parameter.base, parameter.code) in _TABLE


def of(type_: str) -> list[Derive]:
    """What to run for a resource of the type."""
    return [derive for (home, _), derive in _TABLE.items() if home == type_]
