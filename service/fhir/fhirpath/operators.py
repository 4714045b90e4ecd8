"""The binary operators: each takes compiled operands and gives compiled code."""

import operator
from collections.abc import Callable
from decimal import Decimal
from typing import Any

from service.fhir.fhirpath.code import Code, Truth, deciding, listing, single
from service.fhir.fhirpath.distinct import distinct
from service.fhir.fhirpath.equality import equal, equal_all, equivalent_all
from service.fhir.fhirpath.errors import EvaluationError
from service.fhir.fhirpath.node import Items, Node, plain
from service.fhir.fhirpath.order import order
from service.fhir.fhirpath.quantity import Quantity, aligned
from service.fhir.fhirpath.reading import is_number, moment, quantity
from service.fhir.fhirpath.scope import MAX_TEXT, Run
from service.fhir.fhirpath.temporal import Temporal
from service.fhir.fhirpath.temporal import add as add_span


def _and(left: Code, right: Code) -> Code:
    first, second = left.truth, right.truth

    def truth(run: Run, this: Items) -> bool | None:
        one = first(run, this)
        if one is False:
            return False
        other = second(run, this)
        return other if one is True or other is False else None

    return deciding(truth)


def _or(left: Code, right: Code) -> Code:
    first, second = left.truth, right.truth

    def truth(run: Run, this: Items) -> bool | None:
        one = first(run, this)
        if one is True:
            return True
        other = second(run, this)
        return other if one is False or other is True else None

    return deciding(truth)


def _xor(left: Code, right: Code) -> Code:
    first, second = left.truth, right.truth

    def truth(run: Run, this: Items) -> bool | None:
        one, other = first(run, this), second(run, this)
        return None if one is None or other is None else one is not other

    return deciding(truth)


def _implies(left: Code, right: Code) -> Code:
    first, second = left.truth, right.truth

    def truth(run: Run, this: Items) -> bool | None:
        one = first(run, this)
        if one is False:
            return True
        other = second(run, this)
        return other if one is True else (True if other is True else None)

    return deciding(truth)


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


def _arithmetic(compute: Callable[[Any, Any], Any]) -> Callable[[Code, Code], Code]:
    def build(left: Code, right: Code) -> Code:
        first, second = left.values, right.values

        def values(run: Run, this: Items) -> Items:
            one, other = single(first(run, this)), single(second(run, this))
            if one is None or other is None:
                return []
            try:
                result = compute(one, other)
            except ArithmeticError:
                return []
            return [] if result is None else [bounded(result, run)]

        return listing(values)

    return build


def bounded(result: Any, run: Run) -> Any:
    """The result itself, paid for; EvaluationError when a text or a number has outgrown reason."""
    if type(result) is str:
        run.charge(len(result) >> 6)
        if len(result) > MAX_TEXT:
            raise EvaluationError("a text has grown too long")
    elif type(result) is int and result.bit_length() > 128:
        raise EvaluationError("a number has grown too large")
    return result


def _numbers(one: Any, other: Any, compute: Callable[[Any, Any], Any]) -> Any:
    if is_number(one) and is_number(other):
        return compute(one, other)
    raise EvaluationError("arithmetic needs two numbers")


def _plus(one: Any, other: Any) -> Any:
    if is_number(one):
        return _numbers(one, other, operator.add)
    if type(one) is str and type(other) is str:
        return one + other
    return _with_quantity(one, other, 1)


def _minus(one: Any, other: Any) -> Any:
    if is_number(one):
        return _numbers(one, other, operator.sub)
    return _with_quantity(one, other, -1)


def _with_quantity(one: Any, other: Any, sign: int) -> Quantity | Temporal | None:
    span = quantity(other)
    if span is None:
        raise EvaluationError("these two values cannot be added")
    start = moment(one)
    if start is not None:
        return add_span(start, span, sign)
    amount = quantity(one)
    if amount is None:
        raise EvaluationError("these two values cannot be added")
    amounts = aligned(amount, span)
    if amounts is None:
        return None
    unit = amount.unit if amount.unit == span.unit else None
    return Quantity(amounts[0] + sign * amounts[1], unit) if unit is not None else None


def _times(one: Any, other: Any) -> Any:
    if is_number(one) and is_number(other):
        return one * other
    return _scaled(one, other, operator.mul)


def _over(one: Any, other: Any) -> Any:
    if is_number(one) and is_number(other):
        return Decimal(one) / Decimal(other)
    return _scaled(one, other, operator.truediv)


def _scaled(one: Any, other: Any, compute: Callable[[Decimal, Decimal], Decimal]) -> Quantity:
    left, right = quantity(one), quantity(other)
    if left is None or right is None:
        raise EvaluationError("arithmetic needs two numbers")
    if right.unit == "1":
        return Quantity(compute(left.value, right.value), left.unit)
    if left.unit == right.unit and compute is operator.truediv:
        return Quantity(compute(left.value, right.value), "1")
    if left.unit == "1" and compute is operator.mul:
        return Quantity(compute(left.value, right.value), right.unit)
    raise EvaluationError("these units do not combine")


def _div(one: Any, other: Any) -> Any:
    quotient = _numbers(one, other, lambda a, b: Decimal(a) // Decimal(b))
    return int(quotient) if abs(quotient) < Decimal(10) ** 30 else None


def _mod(one: Any, other: Any) -> Any:
    # Decimal's remainder has the sign of the dividend, as FHIRPath wants; Python's int % has not.
    remainder = _numbers(one, other, lambda a, b: Decimal(a) % Decimal(b))
    return int(remainder) if type(one) is int and type(other) is int else remainder


def _concatenated(left: Code, right: Code) -> Code:
    def values(run: Run, this: Items) -> Items:
        joined = _text(single(left.values(run, this))) + _text(single(right.values(run, this)))
        return [bounded(joined, run)]

    return listing(values)


def _text(value: Any) -> str:
    if value is None:
        return ""
    if type(value) is str:
        return value
    if type(value) is bool or type(value) is dict:
        raise EvaluationError("& joins texts")
    return str(value)


def negative(operand: Code) -> Code:
    """`-operand`."""

    def values(run: Run, this: Items) -> Items:
        value = single(operand.values(run, this))
        if value is None:
            return []
        if type(value) is Quantity:
            return [Quantity(-value.value, value.unit)]
        if not is_number(value):
            raise EvaluationError("only a number has a sign")
        return [-plain(value)]

    return listing(values)


BINARY: dict[str, Callable[[Code, Code], Code]] = {
    "and": _and,
    "or": _or,
    "xor": _xor,
    "implies": _implies,
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
    "+": _arithmetic(_plus),
    "-": _arithmetic(_minus),
    "*": _arithmetic(_times),
    "/": _arithmetic(_over),
    "div": _arithmetic(_div),
    "mod": _arithmetic(_mod),
    "&": _concatenated,
}
