"""Units brought to one of their kind, exactly or not at all."""

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.fhir.search.ucum import EXACT, canonical


@pytest.mark.parametrize(
    ("one", "other", "times"),
    [
        ("h", "min", "60"), ("d", "h", "24"), ("wk", "d", "7"), ("a", "d", "365.25"), ("kg", "g", "1000"),
        ("g", "mg", "1000"), ("mg", "ug", "1000"), ("[lb_av]", "g", "453.59237"), ("mmol", "umol", "1000"),
        ("mmol/L", "mol/m3", "1"), ("mg/dL", "g/L", "0.01"), ("/d", "/wk", "7"), ("/min", "/h", "60"),
        ("1/d", "/d", "1"), ("d-1", "/d", "1"), ("kg/m2", "g/m2", "1000"), ("L", "mL", "1000"), ("l", "dL", "10"),
        ("[mi_i]", "m", "1609.344"), ("%", "1", "0.01"), ("mm[Hg]", "Pa", "133.322"), ("mg.h", "mg.min", "60"),
        ("kg/wk", "g/wk", "1000"), ("10*3/uL", "10*9/L", "1"), ("meq/L", "eq/L", "0.001"),
    ],
)  # fmt: skip
def test_units_of_a_kind_meet_in_one(one: str, other: str, times: str) -> None:
    first, second = canonical(one), canonical(other)
    assert first and second and first[1] == second[1]
    assert Fraction(first[0]) == Fraction(second[0]) * Fraction(times)


@pytest.mark.parametrize(
    "unit",
    [
        "", "Cel", "[degF]", "[pH]", "{score}", "mg{creat}", "mmol/(24.h)", "lb", "hours", "min ", ".h", "h.", "h/",
        "h//d", "/mo", "10", "kg.[in_us]", "kg2.", "H", "MIN", "g" * 41, "x|y", "=g", "s100", "é", "h d",
    ],
)  # fmt: skip
def test_what_is_not_understood_exactly_is_left_as_it_is_written(unit: str) -> None:
    assert canonical(unit) is None


@pytest.mark.parametrize(
    ("one", "other"), [("g", "mol"), ("[iU]", "mg"), ("h", "/h"), ("m", "m2"), ("m", "min")]
)
def test_kinds_do_not_mix(one: str, other: str) -> None:
    first, second = canonical(one), canonical(other)
    assert first and second and first[1] != second[1]


@given(st.text(max_size=12))
def test_any_text_is_answered(text: str) -> None:
    found = canonical(text)
    assert found is None or found[0] > 0


@given(
    st.decimals(allow_nan=False, allow_infinity=False, places=20),
    st.sampled_from(["min", "[lb_av]", "ug", "/s"]),
)
def test_no_digit_is_lost(value: Decimal, unit: str) -> None:
    factor = canonical(unit)
    assert factor and Fraction(EXACT.multiply(value, factor[0])) == Fraction(value) * Fraction(factor[0])
