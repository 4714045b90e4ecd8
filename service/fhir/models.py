"""Resources we author, checked against the typed models as they are built. The only import of fhir.resources.

The models are R4B's, which are R4's for every type we speak; on the wire we say 4.0.1. They check shape
(names, types, cardinality of required elements), so that a mistake in a mapping fails where it is made;
the validator checks the rest. What comes back is the JSON that went in, never a dump of the model: digits
and dates stay.
"""

from functools import cache
from typing import Any

from fhir.resources.R4B import get_fhir_model_class
from pydantic import BaseModel, ValidationError

from service.fhir.json import JsonObject


class ShapeMistake(ValueError):
    """A mapping built something that is not the resource it claims to be. The message quotes no content."""


def build(resource_type: str, **elements: Any) -> JsonObject:
    """A resource of this type with its elements by FHIR name (`for_`, `class_` where Python forbids the
    name).

    None, empty arrays and empty objects are left out at every depth. Raises ShapeMistake.
    """
    resource: JsonObject = {"resourceType": resource_type}
    for name, value in elements.items():
        kept = said(value)
        if kept is not None:
            resource[name.rstrip("_")] = kept
    check(resource)
    return resource


def check(resource: JsonObject) -> None:
    """Refuse, with ShapeMistake, what the typed model of its resourceType refuses."""
    try:
        _model(resource["resourceType"]).model_validate(resource)
    except ValidationError as error:
        places = "; ".join(
            ".".join(map(str, e["loc"])) + ": " + e["msg"] for e in error.errors(include_input=False)
        )
        raise ShapeMistake(f"{resource['resourceType']}: {places}") from None


def said(value: Any) -> Any:
    """The value without None and emptiness inside; None if nothing is left."""
    if isinstance(value, dict):
        members = {key: kept for key, member in value.items() if (kept := said(member)) is not None}
        return members or None
    if isinstance(value, (list, tuple)):
        return [kept for member in value if (kept := said(member)) is not None] or None
    return None if value == "" else value


@cache
def _model(resource_type: str) -> type[BaseModel]:
    model: type[BaseModel] = get_fhir_model_class(resource_type)
    return model
