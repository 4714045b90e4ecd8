"""What an expression becomes: closures, in two forms that say the same.

`values` answers a collection, `truth` a three-valued boolean. Whoever asks for a boolean (`where`, `and`, an
invariant) calls `truth`, so the usual invariant never builds a list to hold one True.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from service.fhir.fhirpath.errors import EvaluationError
from service.fhir.fhirpath.node import Items, plain
from service.fhir.fhirpath.scope import Run

Values = Callable[[Run, Items], Items]
Truth = Callable[[Run, Items], bool | None]


@dataclass(frozen=True, slots=True)
class Code:
    """A compiled expression. `constant` holds its items when they depend on nothing."""

    values: Values
    truth: Truth
    constant: Items | None = None


def listing(values: Values) -> Code:
    """Code that naturally yields a collection."""

    def truth(run: Run, this: Items) -> bool | None:
        return truth_of(values(run, this))

    return Code(values, truth)


def deciding(truth: Truth) -> Code:
    """Code that naturally decides."""

    def values(run: Run, this: Items) -> Items:
        decided = truth(run, this)
        return [] if decided is None else [decided]

    return Code(values, truth)


def constant(items: Items) -> Code:
    """Code that always yields these items."""
    if len(items) > 1:
        return Code(lambda _run, _this: items, lambda _run, _this: truth_of(items), items)
    decided = truth_of(items)
    return Code(lambda _run, _this: items, lambda _run, _this: decided, items)


def truth_of(items: Items) -> bool | None:
    """Singleton evaluation (N1 section 4.5): one boolean is itself, one other item is true, none unknown."""
    if not items:
        return None
    if len(items) > 1:
        raise EvaluationError("several items where one is expected")
    value = plain(items[0])
    return value if type(value) is bool else True


def single(items: Items) -> Any:
    """The one value of a collection without its wrapping, None when empty; EvaluationError for several."""
    if not items:
        return None
    if len(items) > 1:
        raise EvaluationError("several items where one is expected")
    return plain(items[0])
