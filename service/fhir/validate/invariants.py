"""The seam to the FHIRPath engine: does an invariant hold here?"""

from collections.abc import Callable
from typing import Any

from service.fhir.fhirpath import Scope, compile, known_by_type
from service.fhir.json import Json, JsonObject

Resolve = Callable[[str], JsonObject | None]


def surroundings(
    root: JsonObject,
    resource: JsonObject,
    resolve: Resolve,
    member_of: Callable[[Any, str], bool | None],
    conforms_to: Callable[[JsonObject, str], bool],
) -> Scope:
    """What the invariants of one resource may look at besides their own value."""

    def find(reference: str) -> JsonObject | None:
        return resolve(reference) or known_by_type(reference)

    return Scope(
        resource=resource, root_resource=root, resolve=find, member_of=member_of, conforms_to=conforms_to
    )


def holds(expression: str, value: Json, scope: Scope, type_: str) -> bool:
    """True when the expression yields true; empty, false and anything else do not hold."""
    return compile(expression).holds(value, scope, type_)
