"""Rates and changes by hand, and no small count told or told by what is left."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.coordination.gpra.edits import Interview
from service.coordination.gpra.measure import GENDER, RATE, rates
from service.coordination.gpra.measure_report import URL, definition
from service.coordination.gpra.tool import Tool
from service.coordination.measures.rates import ALL, SMALL, Rate, hidden
from service.coordination.measures.report import report
from service.fhir.json import decode_object, encode
from service.fhir.validate import load
from service.kernel.clock import system_clock
from tests.coordination.gpra.complete import TOOL

SOBER = {"DAUseAlcoholDays": "0", "DAUseIllegDrugsDays": "0"}
USING = {"DAUseAlcoholDays": "9", "DAUseIllegDrugsDays": "0"}


def tool() -> Tool:
    assert TOOL is not None
    return TOOL


def one(client: str, type_: str, day: str, status: str = "", **values: str) -> Interview:
    return Interview("TI-1", client, type_, 1, day, status in ("", "11", "12"), status, values)


def found(
    interviews: list[Interview], today: date = date(2027, 1, 1), small: int = 1
) -> dict[tuple[str, str], Rate]:
    return {(each.measure, each.stratum): each for each in rates(tool(), interviews, today, small=small)}


def test_only_an_interview_inside_the_window_counts_toward_the_follow_up_rate() -> None:
    told = found([
        one("a", "intake", "2026-03-03"), one("a", "six-month", "2026-11-03", "11"),
        one("b", "intake", "2026-03-03"), one("b", "six-month", "2026-11-04", "12"),
        one("c", "intake", "2026-03-03"), one("c", "six-month", "2026-11-03", "31"),
        one("d", "intake", "2026-03-03"),
        one("e", "intake", "2026-06-01"),
    ])  # fmt: skip
    assert (told[RATE, ALL].numerator, told[RATE, ALL].denominator, told[RATE, ALL].rate) == (1, 4, 0.25)


def test_a_window_that_closes_today_is_not_counted_yet() -> None:
    held = [one("a", "intake", "2026-03-03")]
    assert found(held, date(2026, 11, 3))[RATE, ALL].denominator == 0
    assert found(held, date(2026, 11, 4))[RATE, ALL].denominator == 1


def test_an_outcome_is_of_those_who_told_at_both_interviews() -> None:
    told = found([
        one("a", "intake", "2026-03-03", **USING), one("a", "six-month", "2026-10-01", "11", **SOBER),
        one("b", "intake", "2026-03-03", **USING), one("b", "six-month", "2026-10-01", "11", **USING),
        one("c", "intake", "2026-03-03", **SOBER), one("c", "six-month", "2026-10-01", "11", DAUseAlcoholDays="-7"),
    ])  # fmt: skip
    assert told["abstinence-intake", ALL] == Rate("abstinence-intake", ALL, 0, 2)
    assert told["abstinence-follow-up", ALL] == Rate("abstinence-follow-up", ALL, 1, 2)


@pytest.mark.parametrize(
    ("parts", "shown"),
    [
        ([(30, 60), (20, 40)], [True, True, True]),
        ([(30, 60), (3, 40)], [True, False, False]),
        ([(30, 60), (20, 40), (5, 9)], [True, True, False, False]),
        ([(30, 60), (35, 40)], [True, False, False]),
        ([(0, 60), (40, 40)], [True, True, True]),
        ([(1, 5), (2, 7)], [False, False, False]),
    ],
)
def test_small_counts_are_hidden_and_cannot_be_told_from_the_rest(
    parts: list[tuple[int, int]], shown: list[bool]
) -> None:
    whole = Rate("m", ALL, sum(n for n, _ in parts), sum(d for _, d in parts))
    rows = hidden([whole, *(Rate("m", str(place), n, d) for place, (n, d) in enumerate(parts))])
    assert [each.denominator is not None for each in rows] == shown


@given(st.lists(st.tuples(st.integers(0, 60), st.integers(0, 60)), max_size=6))
def test_no_count_below_eleven_is_ever_shown(parts: list[tuple[int, int]]) -> None:
    rows = [Rate("m", str(place), n, n + rest) for place, (n, rest) in enumerate(parts)]
    whole = Rate("m", ALL, sum(n for n, _ in parts), sum(n + rest for n, rest in parts))
    told = hidden([whole, *rows])
    for each in told:
        for count in (each.numerator, each.denominator):
            assert count is None or count == 0 or count >= SMALL
    masked = [each for each in told[1:] if each.denominator is None]
    assert len(masked) != 1 or len(parts) == 1


def test_the_report_and_its_measure_are_valid_fhir_and_hidden_counts_are_said_to_be_masked() -> None:
    told = report(
        URL, [Rate(RATE, ALL, 80, 100), Rate(RATE, "Male", None, None, GENDER), Rate(RATE, "Female", 40, 50, GENDER)],
        (date(2026, 1, 1), date(2026, 12, 31)), system_clock(), "Organization/harbor",
    )  # fmt: skip
    resource = decode_object(encode(told))
    for each in (resource, definition(tool())):
        assert [issue.text for issue in load().validate(each) if issue.fails] == []
    [group] = resource["group"]
    male = next(each for each in group["stratifier"][0]["stratum"] if each["value"]["text"] == "Male")
    assert "count" not in male["population"][0]
    assert "measureScore" not in male
    assert str(group["measureScore"]["value"]) == "0.8"
