"""Terms agreed with a partner: written by an operator, kept as JSON, read back the same."""

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.delivery.plan import NOTHING, Reach, allowance
from service.delivery.terms import STANDARD, UNREADABLE, BadTerms, Quiet, Terms, changed, quiet, read, written

NIGHT = quiet("22:00-06:00 America/Denver")
ZONES = st.sampled_from(["America/Denver", "UTC", "Asia/Kolkata"])
TIMES = st.times().map(lambda time: time.replace(second=0, microsecond=0))


@given(
    st.builds(
        Terms,
        at_once=st.integers(1, 16),
        rate=st.none() | st.integers(1, 1000),
        quiet=st.none() | st.builds(Quiet, TIMES, TIMES, ZONES).filter(lambda each: each.begins != each.ends),
        payload=st.sampled_from(["empty", "id-only", "full"]),
        types=st.lists(st.sampled_from(["Task", "Goal"]), max_size=2).map(tuple),
        poll=st.none() | st.integers(60, 86_400),
        contact=st.text(max_size=20),
    )
)
def test_terms_survive_being_kept(terms: Terms) -> None:
    assert read(written(terms)) == terms


def test_what_was_not_agreed_is_not_kept() -> None:
    assert written(STANDARD) == {}


def test_an_operator_names_what_changes_and_the_rest_stays() -> None:
    before = changed(STANDARD, ["rate=60", "types=Task, ServiceRequest", "contact=desk@northside.example"])
    after = changed(before, ["rate=", "quiet=22:00-06:00 America/Denver"])
    assert after == Terms(
        quiet=NIGHT, types=("Task", "ServiceRequest"), contact="desk@northside.example", rate=None
    )


@pytest.mark.parametrize(
    ("said", "named"),
    [
        ("speed=3", "NAME=VALUE"),
        ("rate", "NAME=VALUE"),
        ("rate=fast", "number"),
        ("rate=0", "rate"),
        ("at_once=17", "16"),
        ("poll=5", "poll"),
        ("payload=some", "payload"),
        ("transport=pigeon", "transport"),
        ("quiet=22-6", "quiet hours"),
        ("quiet=22:00-06:00 Denver/America", "time zone"),
        ("quiet=22:00-22:00 UTC", "all day"),
        ("quiet=22:00-06:00 ../../etc/passwd", "time zone"),
    ],
)
def test_terms_that_make_no_sense_are_refused_with_the_reason(said: str, named: str) -> None:
    with pytest.raises(BadTerms, match=named):
        changed(STANDARD, [said])


@pytest.mark.parametrize(("hour", "holds"), [(4, False), (5, True), (12, True), (13, False), (20, False)])
def test_quiet_hours_are_the_partners_own_and_span_midnight(hour: int, *, holds: bool) -> None:
    """In March 2026 Denver is six hours behind UTC from the 8th on."""
    assert NIGHT.holds(datetime(2026, 3, 11, hour - 1, 30, tzinfo=UTC)) is holds


def test_quiet_hours_within_a_day() -> None:
    noon = quiet("12:00-13:00 UTC")
    assert [noon.holds(datetime(2026, 3, 11, hour, tzinfo=UTC)) for hour in (11, 12, 13)] == [
        False,
        True,
        False,
    ]


@pytest.mark.parametrize(
    "stored",
    [[], {"speed": 3}, {"rate": "60"}, {"at_once": True}, {"types": "Task"}, {"quiet": None}, {"rate": 0}, {"at_once": 0}],
)  # fmt: skip
def test_what_we_never_wrote_is_not_read(stored: Any) -> None:
    with pytest.raises(BadTerms):
        read(stored)


def test_terms_that_cannot_be_read_let_nothing_begin_and_are_agreed_anew() -> None:
    assert not UNREADABLE.readable
    assert allowance(Reach(), UNREADABLE, datetime(2026, 3, 2, tzinfo=UTC)) == NOTHING
    assert changed(UNREADABLE, ["rate=60"]) == Terms(rate=60)
