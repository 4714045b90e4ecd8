"""Services received are counted across agencies, and none of them twice."""

from datetime import date

from hypothesis import given as drawn
from hypothesis import strategies as st

from service.coordination.gpra.received import Given, received

HARBOR, NORTHSIDE = "Organization/harbor", "Organization/northside"


def day(number: int) -> date:
    return date(2026, 3, number)


def test_the_same_service_told_by_two_agencies_in_overlapping_periods_counts_once() -> None:
    told = [Given("peer-1", HARBOR, day(1), day(20), 6), Given("peer-1", NORTHSIDE, day(10), day(25), 4)]
    assert received(told) == {"peer-1": 6}


def test_services_one_after_the_other_are_added() -> None:
    told = [Given("peer-1", HARBOR, day(1), day(9), 6), Given("peer-1", NORTHSIDE, day(10), day(25), 4)]
    assert received(told) == {"peer-1": 10}


def test_an_agencys_contacts_and_its_own_summary_are_the_same() -> None:
    told = [Given("treatment-7", HARBOR, day(n), day(n)) for n in (2, 5, 9)]
    assert received([*told, Given("treatment-7", HARBOR, day(1), day(20), 3)]) == {"treatment-7": 3}


def test_other_services_are_other_services() -> None:
    told = [Given("peer-1", HARBOR, day(1), day(1)), Given("modality-1", HARBOR, day(1), day(1))]
    assert received(told) == {"modality-1": 1, "peer-1": 1}


def test_what_ended_before_the_intake_is_not_counted() -> None:
    told = [Given("peer-1", HARBOR, day(1), day(2)), Given("peer-1", HARBOR, day(4), day(4))]
    assert received(told, day(3)) == {"peer-1": 1}


GIVEN = st.builds(
    Given, st.sampled_from(["peer-1", "modality-1"]), st.sampled_from([HARBOR, NORTHSIDE]),
    st.dates(day(1), day(15)), st.dates(day(16), day(28)), st.integers(1, 30),
)  # fmt: skip


@drawn(st.lists(GIVEN, max_size=12))
def test_the_count_is_never_more_than_all_that_was_told_nor_less_than_the_most_of_one(
    told: list[Given],
) -> None:
    assert received(told) == received(list(reversed(told)))
    for code, count in received(told).items():
        own = {each for each in told if each.code == code}
        assert max(each.count for each in own) <= count <= sum(each.count for each in own)
