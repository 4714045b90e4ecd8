"""A whole says what its parts say; the rule as sentences, and held against every combination."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.referral.dialects import TERMINAL, Dialect
from service.referral.forwarding import all_refused, called_off, next_step, rolled_up
from service.referral.lifecycle import Illegal, State, check

STATUSES = ["requested", "accepted", "in-progress", "on-hold", "completed", "rejected", "cancelled", "failed"]
STATES = st.sampled_from(STATUSES).map(State)


def states(text: str) -> list[State]:
    return [State(status) for status in text.split()]


@pytest.mark.parametrize(
    ("parts", "whole"),
    [
        ("requested requested", None),
        ("accepted requested", "accepted"),
        ("on-hold", "accepted"),
        ("accepted in-progress", "in-progress"),
        ("completed requested", "in-progress"),
        ("completed rejected", "completed"),
        ("completed completed", "completed"),
        ("rejected accepted", "accepted"),
        ("rejected", None),
        ("rejected failed cancelled", None),
        ("", None),
    ],
)
def test_the_whole_is_as_far_as_its_parts(parts: str, whole: str | None) -> None:
    assert rolled_up(states(parts)) == whole


def test_when_everybody_has_refused_a_person_decides() -> None:
    assert all_refused(states("rejected failed"))
    assert not all_refused(states("rejected requested"))
    assert not all_refused(states("rejected completed"))
    assert not all_refused([])


def test_a_part_is_called_off_when_its_whole_has_ended_without_it() -> None:
    move = called_off("sdohcc", State("cancelled"), State("accepted"))
    assert move is not None
    assert move.after.status == "cancelled"
    assert called_off("sdohcc", State("cancelled"), State("completed")) is None
    assert called_off("sdohcc", State("completed"), State("requested")) is None, "what helps may still help"
    assert called_off("sdohcc", State("in-progress"), State("requested")) is None


def test_where_cancelling_is_asked_for_the_part_is_asked_to_be_cancelled() -> None:
    """BSeR: once in progress the initiator asks, the recipient confirms."""
    move = called_off("bser", State("rejected", "4.0"), State("in-progress", "5.1.4"))
    assert move is not None
    assert (move.after.status, move.after.business) == ("in-progress", "5.2")


@given(
    st.sampled_from(["sdohcc", "bser", "cow"]),
    st.sampled_from(["requested", "received"]),
    st.lists(STATES, max_size=4),
)
def test_every_step_of_a_whole_is_legal_and_the_steps_end(
    dialect: Dialect, begun: str, parts: list[State]
) -> None:
    whole = State(begun)
    for _ in range(6):
        step = next_step(dialect, whole, parts)
        if step is None:
            break
        assert not isinstance(check(dialect, whole, step.after, "target"), Illegal)
        whole = step.after
    assert next_step(dialect, whole, parts) is None
    if whole.status in TERMINAL:
        assert whole.status == "completed"
        assert all(part.terminal for part in parts)
