"""When two values are equal, equivalent, or one less than the other (N1 sections 6.1 and 6.2).

Texts of unknown type that both read as dates are compared as dates: `2020-01-01T00:00:00Z` equals
`2020-01-01T01:00:00+01:00`. Three-valued: None is "unknown".
"""

from decimal import Decimal
from typing import Any

import orjson

from service.fhir.fhirpath.errors import EvaluationError
from service.fhir.fhirpath.node import Items, Node, plain
from service.fhir.fhirpath.quantity import Quantity, aligned, of_json
from service.fhir.fhirpath.temporal import Temporal, parse, parse_time
from service.fhir.fhirpath.temporal import order as moment_order

_TEMPORAL_TYPES = frozenset(("", "date", "dateTime", "instant", "time"))


def is_number(value: Any) -> bool:
    """True for an int or a Decimal; a bool is no number."""
    return type(value) is int or isinstance(value, Decimal)


def moment(value: Any) -> Temporal | None:
    """The value as a date, dateTime or time if it is or reads as one."""
    if type(value) is Node:
        value = value.value if value.type in _TEMPORAL_TYPES else None
    if type(value) is Temporal:
        return value
    if type(value) is str and value[:2].isdigit():
        return parse(value) or parse_time(value)
    return None


def quantity(value: Any) -> Quantity | None:
    """The value as an amount if it is one: a literal, a Quantity element, a number."""
    value = plain(value)
    if type(value) is Quantity:
        return value
    if type(value) is dict:
        return of_json(value)
    return Quantity(Decimal(value), "1") if is_number(value) else None


def equal(left: Any, right: Any) -> bool | None:
    """`=` of two items."""
    one, other = plain(left), plain(right)
    if type(one) is str and type(other) is str:
        return True if one == other else _equal_moments(left, right) if one[:2].isdigit() else False
    if type(one) is dict and type(other) is dict:
        return _same(one, other) or _equal_quantities(one, other) is True
    if type(one) is Temporal or type(other) is Temporal:
        return _equal_moments(left, right)
    if type(one) is Quantity or type(other) is Quantity:
        return _equal_quantities(one, other)
    return _same(one, other)


def _equal_moments(left: Any, right: Any) -> bool | None:
    one, other = moment(left), moment(right)
    if one is None or other is None or (one.kind == "time") != (other.kind == "time"):
        return False
    decided = moment_order(one, other)
    return None if decided is None else decided == 0


def _equal_quantities(left: Any, right: Any) -> bool | None:
    one, other = quantity(left), quantity(right)
    if one is None or other is None:
        return False
    amounts = aligned(one, other)
    return None if amounts is None else amounts[0] == amounts[1]


def _same(one: Any, other: Any) -> bool:
    if type(one) is dict and type(other) is dict:
        return one.keys() == other.keys() and all(_same(value, other[key]) for key, value in one.items())
    if type(one) is list and type(other) is list:
        return len(one) == len(other) and all(map(_same, one, other))
    if type(one) is bool or type(other) is bool:
        return one is other
    return bool(one == other)


def equal_all(left: Items, right: Items) -> bool | None:
    """`=` of two collections: same items in the same order; None when one is empty."""
    if not left or not right:
        return None
    if len(left) != len(right):
        return False
    answer: bool | None = True
    for one, other in zip(left, right, strict=True):
        decided = equal(one, other)
        if decided is False:
            return False
        answer = None if decided is None else answer
    return answer


def equivalent(left: Any, right: Any) -> bool:
    """`~` of two items."""
    one, other = plain(left), plain(right)
    if type(one) is str and type(other) is str:
        if one[:2].isdigit() and other[:2].isdigit() and moment(left) and moment(right):
            return _equal_moments(left, right) is True
        return _folded(one) == _folded(other)
    if is_number(one) and is_number(other):
        return _equivalent_numbers(Decimal(one), Decimal(other))
    if type(one) is Quantity or type(other) is Quantity:
        amounts = _amounts(one, other)
        return amounts is not None and _equivalent_numbers(*amounts)
    if type(one) is dict and type(other) is dict:
        return _equivalent_objects(one, other)
    return equal(left, right) is True


def _amounts(left: Any, right: Any) -> tuple[Decimal, Decimal] | None:
    one, other = quantity(left), quantity(right)
    return aligned(one, other) if one is not None and other is not None else None


def _folded(text: str) -> str:
    return " ".join(text.casefold().split())


def _equivalent_numbers(one: Decimal, other: Decimal) -> bool:
    places = max(_exponent(one), _exponent(other))
    try:
        return round(one, -places) == round(other, -places) if -28 < places <= 0 else one == other
    except ArithmeticError:
        return one == other


def _exponent(number: Decimal) -> int:
    exponent = number.as_tuple().exponent
    return exponent if isinstance(exponent, int) else 0


def _equivalent_objects(one: dict[str, Any], other: dict[str, Any]) -> bool:
    if "coding" in one and "coding" in other:
        return any(_equivalent_codings(a, b) for a in one["coding"] for b in other["coding"])
    if "code" in one and "system" in one and "value" not in one:
        return _equivalent_codings(one, other)
    if one.keys() - {"id"} != other.keys() - {"id"}:
        return False
    return all(_equivalent_values(value, other[key]) for key, value in one.items() if key != "id")


def _equivalent_codings(one: Any, other: Any) -> bool:
    if type(one) is not dict or type(other) is not dict:
        return False
    return bool(one.get("code") == other.get("code") and one.get("system") == other.get("system"))


def _equivalent_values(one: Any, other: Any) -> bool:
    if type(one) is list and type(other) is list:
        return equivalent_all(one, other)
    return equivalent(one, other)


def equivalent_all(left: Items, right: Items) -> bool:
    """`~` of two collections: the same items in any order; two empty ones are equivalent."""
    if len(left) != len(right):
        return False
    rest = list(right)
    for one in left:
        at = next((at for at, other in enumerate(rest) if equivalent(one, other)), None)
        if at is None:
            return False
        del rest[at]
    return True


def order(left: Any, right: Any) -> int | None:
    """-1, 0, 1 or None for two items; EvaluationError when they are not of one ordered kind."""
    one, other = plain(left), plain(right)
    if is_number(one) and is_number(other):
        return int(one > other) - int(one < other)
    if type(one) is str and type(other) is str and _alike(one, other):
        return (one > other) - (one < other)
    if type(one) in (dict, Quantity) or type(other) in (dict, Quantity):
        amounts = _amounts(one, other)
        return None if amounts is None else (amounts[0] > amounts[1]) - (amounts[0] < amounts[1])
    first, second = moment(left), moment(right)
    if first is not None and second is not None:
        return moment_order(first, second)
    if type(one) is str and type(other) is str:
        return (one > other) - (one < other)
    if one is None or other is None:
        return None
    raise EvaluationError("these two values have no order")


def _alike(one: str, other: str) -> bool:
    """Two texts whose order as texts is their order as moments too: both days, or both instants in UTC."""
    return len(one) == len(other) and (len(one) == 10 or (one[-1] == "Z" == other[-1] and len(one) >= 20))


def key(item: Any) -> Any:
    """A hashable stand-in: equal items have equal keys (moments in different zones excepted)."""
    value = plain(item)
    if type(value) is dict or type(value) is list:
        return orjson.dumps(value, default=_digits, option=orjson.OPT_SORT_KEYS)
    if type(value) is bool:
        return ("boolean", value)
    if value is None and type(item) is Node:
        return ("element", key(item.element))
    return value


def _digits(value: object) -> orjson.Fragment:
    if isinstance(value, Decimal):
        return orjson.Fragment(str(value.normalize()))
    raise TypeError


def distinct(items: Items) -> Items:
    """The items without repetitions, in their first order."""
    if len(items) < 2:
        return items
    found: dict[Any, Any] = {}
    for item in items:
        found.setdefault(key(item), item)
    return list(found.values())
