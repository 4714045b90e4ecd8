"""Functions of numbers (N1 section 5.7)."""

import math
from collections.abc import Callable
from decimal import ROUND_CEILING, ROUND_FLOOR, ROUND_HALF_UP, Decimal
from typing import Any

from service.fhir.fhirpath.errors import EvaluationError
from service.fhir.fhirpath.functions.function import Function, of_value
from service.fhir.fhirpath.quantity import Quantity
from service.fhir.fhirpath.reading import is_number

_LARGEST = Decimal(10) ** 30


def _number(value: Any) -> Decimal:
    if not is_number(value):
        raise EvaluationError("a number is expected")
    return Decimal(value)


def _whole(value: Any, rounding: str | None) -> int | None:
    number = _number(value)
    if abs(number) >= _LARGEST:
        return None
    return int(number) if rounding is None else int(number.to_integral_value(rounding))


def _round(value: Any, places: Any = 0) -> int | Decimal:
    number = _number(value)
    if type(places) is not int or not 0 <= places <= 28:
        raise EvaluationError("a precision between 0 and 28 is expected")
    rounded = number.quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP)
    return int(rounded) if places == 0 else rounded


def _power(base: Any, exponent: Any) -> int | Decimal | None:
    result = _number(base) ** _number(exponent)
    if type(base) is int and type(exponent) is int and exponent >= 0 and abs(result) < _LARGEST:
        return int(result)
    return result


def _log(value: Any, base: Any) -> Decimal:
    # Both logarithms are rounded; the last digits of their quotient are noise.
    return round(_number(value).ln() / _number(base).ln(), 20)


def _abs(value: Any) -> Any:
    if type(value) is Quantity:
        return Quantity(abs(value.value), value.unit)
    _number(value)
    return abs(value)


def _math(compute: Callable[..., Any], least: int = 0, most: int | None = None) -> Function:
    """What has no result (a root of a negative, an overflow) is empty."""

    def careful(*values: Any) -> Any:
        try:
            result = compute(*values)
        except (ArithmeticError, ValueError):
            return None
        return None if isinstance(result, Decimal) and not math.isfinite(result) else result

    return of_value(careful, least, most)


FUNCTIONS = {
    "abs": _math(_abs),
    "ceiling": _math(lambda value: _whole(value, ROUND_CEILING)),
    "floor": _math(lambda value: _whole(value, ROUND_FLOOR)),
    "truncate": _math(lambda value: _whole(value, None)),
    "round": _math(_round, 0, 1),
    "sqrt": _math(lambda value: _number(value).sqrt()),
    "exp": _math(lambda value: _number(value).exp()),
    "ln": _math(lambda value: _number(value).ln()),
    "log": _math(_log, 1),
    "power": _math(_power, 1),
}
