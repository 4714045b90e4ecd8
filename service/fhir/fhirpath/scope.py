"""What an evaluation may know besides its focus, and how much work it may do."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from service.fhir.fhirpath.errors import EvaluationError
from service.fhir.fhirpath.node import Items
from service.fhir.json import Json, JsonObject

WORK = 500_000
"""Items one evaluation may touch: about half a second, never reached by honest expressions."""
PATIENCE = 0.3
"""Seconds the patterns of one evaluation may search: strangers' patterns can explode."""
Charge = Callable[[int], None]
MAX_TEXT = 1_000_000


def known_by_type(reference: str) -> JsonObject | None:
    """The resource a reference names, as far as `Type/id` tells: enough for `resolve() is Patient`."""
    parts = reference.partition("/_history/")[0].rsplit("/", 2)
    if len(parts) < 2 or not parts[-2].isalpha() or not parts[-2][:1].isupper():
        return None
    return {"resourceType": parts[-2], "id": parts[-1]}


def _undecided(_value: Json, _value_set: str) -> bool | None:
    return None


@dataclass(frozen=True, slots=True)
class Scope:
    """The surroundings of an evaluation; all of it optional.

    `resource` is `%resource`, the nearest resource around the focus; `root_resource` the container of a
    contained one (defaults to `resource`). `resolve` answers a reference that is not `#local`. `member_of`
    answers (Coding, CodeableConcept or code, value set URL), None when undecidable. `type_of_root` is the
    FHIR type, or path of a nested structure, of the focus where JSON does not tell. `now` feeds `now()` and
    `today()`. `variables` are further `%names`, each a value or a list of values.
    """

    resource: JsonObject | None = None
    root_resource: JsonObject | None = None
    resolve: Callable[[str], JsonObject | None] = known_by_type
    member_of: Callable[[Json, str], bool | None] = _undecided
    type_of_root: str = ""
    now: datetime | None = None
    variables: Mapping[str, Any] = field(default_factory=dict)
    conforms_to: Callable[[JsonObject, str], bool] | None = None
    html_is_safe: Callable[[str], bool] | None = None


class Run:
    """One evaluation on its way: the scope, `%context`, `$index`, `$total`, and the work left."""

    __slots__ = ("context", "index", "patience", "scope", "total", "work")

    def __init__(self, scope: Scope, context: Items) -> None:
        self.scope = scope
        self.context = context
        self.index = 0
        self.total: Items = []
        self.work = WORK
        self.patience = PATIENCE

    def charge(self, items: int) -> None:
        """Pay for touching this many items; EvaluationError when the budget is spent."""
        self.work -= items
        if self.work < 0:
            raise EvaluationError("the expression asks for too much work on this resource")
