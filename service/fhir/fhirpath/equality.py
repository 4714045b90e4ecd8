"""When two values are equal or equivalent (N1 section 6.1).

Texts of unknown type that both read as dates are compared as dates: `2020-01-01T00:00:00Z` equals
`2020-01-01T01:00:00+01:00`. Three-valued: None is "unknown". Every element visited is charged for.
"""

from decimal import Decimal
from typing import Any

from service.fhir.fhirpath.node import Items, plain
from service.fhir.fhirpath.quantity import Quantity, aligned
from service.fhir.fhirpath.reading import amounts, is_number, moment, quantity
from service.fhir.fhirpath.scope import Charge
from service.fhir.fhirpath.temporal import Temporal
from service.fhir.fhirpath.temporal import order as moment_order


def equal(left: Any, right: Any, charge: Charge) -> bool | None:
    """`=` of two items."""
    one, other = plain(left), plain(right)
    if type(one) is str and type(other) is str:
        return True if one == other else _equal_moments(left, right) if one[:2].isdigit() else False
    if type(one) is dict and type(other) is dict:
        return _same(one, other, charge) or _equal_quantities(one, other) is True
    if type(one) is Temporal or type(other) is Temporal:
        return _equal_moments(left, right)
    if type(one) is Quantity or type(other) is Quantity:
        return _equal_quantities(one, other)
    # A primitive with extensions only has no value to compare.
    return None if one is None or other is None else _same(one, other, charge)


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
    both = aligned(one, other)
    return None if both is None else both[0] == both[1]


def _same(one: Any, other: Any, charge: Charge) -> bool:
    if type(one) is dict and type(other) is dict:
        charge(len(one))
        return one.keys() == other.keys() and all(_same(v, other[key], charge) for key, v in one.items())
    if type(one) is list and type(other) is list:
        charge(len(one))
        return len(one) == len(other) and all(_same(a, b, charge) for a, b in zip(one, other, strict=True))
    if type(one) is bool or type(other) is bool:
        return one is other
    return bool(one == other)


def equal_all(left: Items, right: Items, charge: Charge) -> bool | None:
    """`=` of two collections: same items in the same order; None when one is empty."""
    if not left or not right:
        return None
    if len(left) != len(right):
        return False
    charge(len(left) >> 4)
    answer: bool | None = True
    for one, other in zip(left, right, strict=True):
        decided = equal(one, other, charge)
        if decided is False:
            return False
        answer = None if decided is None else answer
    return answer


def equivalent(left: Any, right: Any, charge: Charge) -> bool:
    """`~` of two items."""
    one, other = plain(left), plain(right)
    if type(one) is str and type(other) is str:
        if one[:2].isdigit() and other[:2].isdigit() and moment(left) and moment(right):
            return _equal_moments(left, right) is True
        return _folded(one) == _folded(other)
    if is_number(one) and is_number(other):
        return _equivalent_numbers(Decimal(one), Decimal(other))
    if type(one) is Quantity or type(other) is Quantity:
        both = amounts(one, other)
        return both is not None and _equivalent_numbers(*both)
    if type(one) is dict and type(other) is dict:
        return _equivalent_objects(one, other, charge)
    return equal(left, right, charge) is True


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


def _equivalent_objects(one: dict[str, Any], other: dict[str, Any], charge: Charge) -> bool:
    charge(len(one))
    if "coding" in one and "coding" in other:
        return any(_equivalent_codings(a, b) for a in one["coding"] for b in other["coding"])
    if "code" in one and "system" in one and "value" not in one:
        return _equivalent_codings(one, other)
    if one.keys() - {"id"} != other.keys() - {"id"}:
        return False
    return all(_equivalent_values(value, other[key], charge) for key, value in one.items() if key != "id")


def _equivalent_codings(one: Any, other: Any) -> bool:
    if type(one) is not dict or type(other) is not dict:
        return False
    return bool(one.get("code") == other.get("code") and one.get("system") == other.get("system"))


def _equivalent_values(one: Any, other: Any, charge: Charge) -> bool:
    if type(one) is list and type(other) is list:
        return equivalent_all(one, other, charge)
    return equivalent(one, other, charge)


def equivalent_all(left: Items, right: Items, charge: Charge) -> bool:
    """`~` of two collections: the same items in any order; two empty ones are equivalent."""
    if len(left) != len(right):
        return False
    charge(len(left) * len(right))
    rest = list(right)
    for one in left:
        at = next((at for at, other in enumerate(rest) if equivalent(one, other, charge)), None)
        if at is None:
            return False
        del rest[at]
    return True
