"""The input of an operation: a Parameters resource, a plain resource, or URL parameters, read alike.

https://hl7.org/fhir/R4/operations.html#request
"""

from collections.abc import Iterable
from dataclasses import dataclass, field

from service.fhir.json import Json, JsonObject
from service.kernel.failures import Refused


@dataclass(frozen=True, slots=True)
class Arguments:
    """Values by name, in order. `resource` is the parameter of that name, or the body itself."""

    values: dict[str, list[Json]] = field(default_factory=dict)
    resource: JsonObject | None = None

    def text(self, name: str) -> str:
        """The one text of a parameter, empty when it is not given. Refused when it is something else."""
        found = self.values.get(name, [])
        if len(found) > 1 or not all(isinstance(each, str) for each in found):
            raise Refused("malformed", f"the parameter {name} is one text")
        return found[0] if found else ""

    def texts(self, name: str) -> list[str]:
        """All texts of a parameter; commas separate them too."""
        found = self.values.get(name, [])
        if not all(isinstance(each, str) for each in found):
            raise Refused("malformed", f"the parameter {name} is a text")
        return [part for each in found for part in each.split(",") if part]

    def flag(self, name: str) -> bool:
        """A boolean; False when it is not given."""
        found = self.values.get(name, [False])
        if len(found) != 1 or found[0] not in (True, False, "true", "false"):
            raise Refused("malformed", f"the parameter {name} is true or false")
        return found[0] in (True, "true")

    def number(self, name: str, most: int) -> int | None:
        """A positive whole number up to `most`; None when it is not given."""
        found = self.values.get(name)
        if found is None:
            return None
        text = str(found[0]) if len(found) == 1 and type(found[0]) in (int, str) else ""
        if not (text.isascii() and text.isdecimal()) or len(text) > 9 or int(text) == 0:
            raise Refused("malformed", f"the parameter {name} is a positive whole number")
        return min(int(text), most)


def arguments(body: JsonObject | None, query: Iterable[tuple[str, str]], known: Iterable[str]) -> Arguments:
    """What an operation was given. Refused("malformed") naming the first parameter it does not have."""
    allowed = set(known)
    values: dict[str, list[Json]] = {}
    resource = body
    for name, text in query:
        if name not in ("_format", "_pretty"):
            values.setdefault(name, []).append(text)
    if body is not None and body["resourceType"] == "Parameters":
        resource = None
        for name, value in _rows(body):
            if name == "resource" and "resource" in allowed:
                if resource is not None or not _is_resource(value):
                    raise Refused("malformed", "the parameter resource is one resource")
                resource = value
            else:
                values.setdefault(name, []).append(value)
    unknown = sorted(values.keys() - allowed)
    if unknown:
        shown = unknown[0] if unknown[0].replace("-", "").replace("_", "").isalnum() else "one of them"
        raise Refused("malformed", f"there is a parameter that this operation does not have: {shown[:40]}")
    return Arguments(values, resource)


def _rows(parameters: JsonObject) -> Iterable[tuple[str, Json]]:
    rows = parameters.get("parameter", [])
    if not isinstance(rows, list):
        raise Refused("malformed", "Parameters.parameter is an array")
    for number, row in enumerate(rows):
        name = row.get("name") if isinstance(row, dict) else None
        held = (
            [key for key in row if key == "resource" or key.startswith("value")]
            if isinstance(row, dict)
            else []
        )
        if not isinstance(name, str) or len(held) != 1:
            raise Refused("malformed", f"Parameters.parameter[{number}] has a name and one value or resource")
        yield name, row[held[0]]


def _is_resource(value: Json) -> bool:
    return isinstance(value, dict) and isinstance(value.get("resourceType"), str)
