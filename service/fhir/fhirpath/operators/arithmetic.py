"""Arithmetic of numbers, amounts, moments and texts (N1 section 6.6). Division by zero is empty."""

import operator
from collections.abc import Callable
from decimal import Decimal
from typing import Any

from service.fhir.fhirpath.code import Code, listing, single
from service.fhir.fhirpath.errors import EvaluationError
from service.fhir.fhirpath.node import Items, plain
from service.fhir.fhirpath.quantity import Quantity, aligned
from service.fhir.fhirpath.reading import is_number, moment, quantity
from service.fhir.fhirpath.scope import MAX_TEXT, Run
from service.fhir.fhirpath.temporal import Temporal
from service.fhir.fhirpath.temporal import add as add_span


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


ARITHMETIC: dict[str, Callable[[Code, Code], Code]] = {
    "+": _arithmetic(_plus),
    "-": _arithmetic(_minus),
    "*": _arithmetic(_times),
    "/": _arithmetic(_over),
    "div": _arithmetic(_div),
    "mod": _arithmetic(_mod),
    "&": _concatenated,
}
