"""What is counted, by hand; and nobody can be found in what others see."""

from datetime import date

from hypothesis import given
from hypothesis import strategies as st

from service.coordination.measures.counting import Asked, Counted, rates
from service.coordination.measures.rates import ALL, SMALL
from service.coordination.measures.table import measures

DAY = date(2026, 4, 1)
LOOPS = measures["loops"]


def one(
    number: int, partner: str, *, held: bool = True, value: float | None = None, day: date = DAY
) -> Counted:
    return Counted(held, day, f"r{number}", f"c{number}", {"partner": partner}, value)


def test_a_share_and_a_median_of_the_whole_and_of_each_stratum() -> None:
    counted = [
        one(1, "Northside", value=3), one(2, "Northside", value=10), one(3, "Lakeview", held=False), one(4, "", value=5),
        one(5, "Lakeview", day=date(2026, 7, 1)),
    ]  # fmt: skip
    found = {
        (each.stratifier, each.stratum): each
        for each in rates(LOOPS, counted, Asked(until=date(2026, 6, 30)))
    }
    whole = found["", ALL]
    assert (whole.numerator, whole.denominator, whole.rate, whole.typical) == (3, 4, 0.75, 5)
    northside, lakeview = found["partner", "Northside"], found["partner", "Lakeview"]
    assert (northside.numerator, northside.denominator, northside.typical) == (2, 2, 6.5)
    assert (lakeview.numerator, lakeview.denominator, lakeview.typical) == (0, 1, None)
    assert found["partner", "not known"].denominator == 1


@given(st.lists(st.tuples(st.sampled_from("abcd"), st.booleans(), st.booleans()), max_size=120))
def test_outside_no_count_below_eleven_is_told_nor_what_is_left_when_shown_ones_are_taken_away(
    drawn: list[tuple[str, bool, bool]],
) -> None:
    counted = [one(n, p, held=held, value=1.0 if told else None) for n, (p, held, told) in enumerate(drawn)]
    found = rates(LOOPS, counted, Asked(small=SMALL, outside=True))
    [whole] = [each for each in found if not each.stratifier]
    for stratifier in LOOPS.stratifiers:
        parts = [each for each in found if each.stratifier == stratifier]
        hidden = [each for each in parts if each.denominator is None]
        assert len(hidden) != 1 or len(parts) == 1
    for each in (whole, *found):
        counts = (each.numerator, each.denominator, (each.denominator or 0) - (each.numerator or 0))
        assert all(count is None or count == 0 or count >= SMALL for count in counts)
        here = [c for c in counted if each.stratifier == "" or c.strata.get(each.stratifier) == each.stratum]
        assert (
            each.typical is None
            or sum(c.value is not None for c in here) >= SMALL
            or each.stratum == "not known"
        )
