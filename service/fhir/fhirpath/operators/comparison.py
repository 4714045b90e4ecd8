"""Equality, order, membership and union (N1 sections 6.1 to 6.4)."""

import operator
from collections.abc import Callable
from typing import Any

from service.fhir.fhirpath.code import Code, Truth, deciding, listing, single
from service.fhir.fhirpath.distinct import distinct
from service.fhir.fhirpath.equality import equal, equal_all, equivalent_all
from service.fhir.fhirpath.errors import EvaluationError
from service.fhir.fhirpath.node import Items, Node
from service.fhir.fhirpath.order import order
from service.fhir.fhirpath.scope import Run


def _equality(left: Code, right: Code) -> Truth:
    if right.constant is not None and len(right.constant) == 1 and _is_plain_text(right.constant[0]):
        return _equals_text(left, right.constant[0])
    first, second = left.values, right.values

    def truth(run: Run, this: Items) -> bool | None:
        return equal_all(first(run, this), second(run, this), run.charge)

    return truth


def _is_plain_text(value: Any) -> bool:
    return type(value) is str and not value[:2].isdigit()


def _equals_text(left: Code, text: str) -> Truth:
    """The commonest test of all, `path = 'code'`."""
    values = left.values

    def truth(run: Run, this: Items) -> bool | None:
        items = values(run, this)
        if len(items) != 1:
            return False if items else None
        value = items[0]
        if type(value) is Node:
            value = value.value
            return None if value is None else bool(value == text)
        return bool(value == text)

    return truth


def _negated(truth: Truth) -> Code:
    def negated(run: Run, this: Items) -> bool | None:
        decided = truth(run, this)
        return None if decided is None else not decided

    return deciding(negated)


def _equal(left: Code, right: Code) -> Code:
    return deciding(_equality(left, right))


def _unequal(left: Code, right: Code) -> Code:
    return _negated(_equality(left, right))


def _equivalence(left: Code, right: Code) -> Truth:
    def truth(run: Run, this: Items) -> bool | None:
        return equivalent_all(left.values(run, this), right.values(run, this), run.charge)

    return truth


def _ordering(decide: Callable[[int, int], bool]) -> Callable[[Code, Code], Code]:
    def build(left: Code, right: Code) -> Code:
        first, second = left.values, right.values

        def truth(run: Run, this: Items) -> bool | None:
            one, other = first(run, this), second(run, this)
            if not one or not other:
                return None
            if len(one) > 1 or len(other) > 1:
                raise EvaluationError("several items where one is expected")
            decided = order(one[0], other[0])
            return None if decided is None else decide(decided, 0)

        return deciding(truth)

    return build


def _in(left: Code, right: Code) -> Code:
    if right.constant is not None and all(map(_is_plain_text, right.constant)):
        return _among(left, frozenset(right.constant))
    return _membership(left, right)


def _among(left: Code, texts: frozenset[str]) -> Code:
    values = left.values

    def truth(run: Run, this: Items) -> bool | None:
        value = single(values(run, this))
        return None if value is None else type(value) is str and value in texts

    return deciding(truth)


def _membership(element: Code, collection: Code) -> Code:
    def truth(run: Run, this: Items) -> bool | None:
        sought, items = element.values(run, this), collection.values(run, this)
        if not sought:
            return None
        if len(sought) > 1:
            raise EvaluationError("several items where one is expected")
        run.charge(len(items))
        return any(equal(sought[0], item, run.charge) for item in items)

    return deciding(truth)


def _union(left: Code, right: Code) -> Code:
    def values(run: Run, this: Items) -> Items:
        one, other = left.values(run, this), right.values(run, this)
        if not other and len(one) < 2:
            return one
        if not one and len(other) < 2:
            return other
        return distinct(one + other, run.charge)

    return listing(values)


COMPARISON: dict[str, Callable[[Code, Code], Code]] = {
    "=": _equal,
    "!=": _unequal,
    "~": lambda left, right: deciding(_equivalence(left, right)),
    "!~": lambda left, right: _negated(_equivalence(left, right)),
    "<": _ordering(operator.lt),
    "<=": _ordering(operator.le),
    ">": _ordering(operator.gt),
    ">=": _ordering(operator.ge),
    "in": _in,
    "contains": lambda left, right: _membership(right, left),
    "|": _union,
}
