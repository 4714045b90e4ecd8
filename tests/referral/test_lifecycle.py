"""The guides' state machines as rows, and what asking, observing and repeating do with them."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.referral.dialects import ROWS, TERMINAL, Dialect, Row
from service.referral.lifecycle import (
    START,
    Advanced,
    Illegal,
    Late,
    Move,
    Party,
    Repeated,
    State,
    check,
    first,
    intend,
    moves,
    path,
    settle,
)  # fmt: skip

DIALECTS = get_args(Dialect)
ZERO = datetime(2026, 3, 2, tzinfo=UTC)

# transcribed from the SDOHCC 3.0 state diagrams and the BSeR picture (see EXCHANGE.md 1.3, 2.1)
SDOHCC: dict[str, dict[str, str]] = {
    "": {"draft": "R", "requested": "R"},
    "draft": {"requested": "R"},
    "requested": {"accepted": "T", "rejected": "T", "cancelled": "RT"},
    "accepted": {"in-progress": "T", "on-hold": "T", "completed": "T", "failed": "T", "cancelled": "RT"},
    "in-progress": {"on-hold": "T", "completed": "T", "failed": "T", "cancelled": "RT"},
    "on-hold": {"in-progress": "T", "completed": "T", "failed": "T", "cancelled": "RT"},
}
PATIENT: dict[str, dict[str, str]] = {
    "": {"ready": "R"},
    "ready": {"in-progress": "T", "on-hold": "T", "completed": "T", "failed": "T", "cancelled": "RT"},
    "in-progress": {"on-hold": "T", "completed": "T", "failed": "T", "cancelled": "RT"},
    "on-hold": {"in-progress": "T", "completed": "T", "failed": "T", "cancelled": "RT"},
}
STATUSES = [
    "draft",
    "requested",
    "received",
    "accepted",
    "rejected",
    "ready",
    "cancelled",
    "in-progress",
    "on-hold",
    "failed",
    "completed",
    "entered-in-error",
]


@pytest.mark.parametrize(("dialect", "table"), [("sdohcc", SDOHCC), ("patient-task", PATIENT)])
@pytest.mark.parametrize("party", ["requester", "target"])
def test_exactly_the_guides_moves_are_legal(
    dialect: Dialect, table: dict[str, dict[str, str]], party: Party
) -> None:
    reachable = {status for row in table.values() for status in row}
    for before in ["", *STATUSES]:
        for after in STATUSES:
            if after == before:
                continue
            allowed = party[0].upper() in table.get(before, {}).get(after, "")
            allowed |= (
                after == "entered-in-error"
                and party == "requester"
                and before in reachable - {"entered-in-error"}
            )
            answer = check(dialect, State(before), State(after), party, "because")
            assert isinstance(answer, Move) == allowed, (before, after, party)


def test_all_34_bser_rows_are_there_with_their_actors() -> None:
    numbers = [row.number for row in ROWS["bser"] if row.number]
    assert numbers == [f"{number:02}" for number in range(1, 35)]
    initiator = {row.number for row in ROWS["bser"] if row.by == "requester" and row.number}
    assert initiator == {"01", "04", "07", "14", "20", "22", "28", "34"}


def test_the_bser_rows_equal_the_transcribed_table(request: pytest.FixtureRequest) -> None:
    source = request.config.rootpath / "tests/referral/bser_transitions.json"
    for line in json.loads(source.read_text())["rows"]:
        row = next(one for one in ROWS["bser"] if one.number == line["tid"])
        told = (row.before, row.before_business, row.after, row.after_business, row.by)
        by = {"I": "requester", "R": "target"}[line["actor"]]
        assert told == (line["from"], line["fromBusiness"], line["to"], line["toBusiness"], by)


def test_an_illegal_move_names_the_legal_ones_and_the_reasons_they_need() -> None:
    answer = check("sdohcc", State("requested"), State("completed"), "target")
    assert isinstance(answer, Illegal)
    assert answer.text == (
        "a referral that is 'requested' cannot become 'completed' by the target; "
        "the target may set 'accepted', 'rejected' with a reason, 'cancelled' with a reason"
    )


def test_a_finished_referral_has_no_further_move_for_the_target() -> None:
    answer = check("sdohcc", State("completed"), State("in-progress"), "target")
    assert isinstance(answer, Illegal)
    assert answer.text.endswith("the target has no further move")


def test_a_rejection_needs_a_reason() -> None:
    answer = check("sdohcc", State("requested"), State("rejected"), "target", "  ")
    assert isinstance(answer, Illegal)
    assert answer.missing_reason
    assert isinstance(check("sdohcc", State("requested"), State("rejected"), "target", "no place"), Move)


def test_the_requester_cannot_accept_its_own_referral_unless_it_is_both() -> None:
    assert isinstance(check("sdohcc", State("requested"), State("accepted"), "requester"), Illegal)
    assert isinstance(check("sdohcc", State("requested"), State("accepted"), "both"), Move)


@pytest.mark.parametrize("dialect", DIALECTS)
def test_an_identical_repetition_is_no_change_for_anybody(dialect: Dialect) -> None:
    for row in ROWS[dialect]:
        state = State(row.after, "" if row.after_business == "*" else row.after_business)
        for party in get_args(Party):
            answer = check(dialect, state, state, party)
            assert isinstance(answer, Move)
            assert not answer.changes


def test_a_waiting_list_is_a_business_status_the_target_may_set() -> None:
    on_list = State("accepted", "waitlist")
    assert isinstance(check("sdohcc", State("accepted"), on_list, "target"), Move)
    assert isinstance(check("sdohcc", State("accepted"), on_list, "requester"), Illegal)
    assert isinstance(check("sdohcc", State("completed"), State("completed", "late"), "target"), Illegal)


def test_cancelling_means_asking_in_bser_an_abort_task_in_cow_and_doing_in_sdohcc() -> None:
    asked = intend("bser", State("in-progress", "5.1.1"), "cancel", "requester")
    assert isinstance(asked, Move)
    assert (asked.after, asked.needs_reason) == (State("in-progress", "5.2"), True)
    done = intend("sdohcc", State("in-progress"), "cancel", "requester")
    assert isinstance(done, Move)
    assert done.after.status == "cancelled"
    assert isinstance(intend("cow", State("in-progress"), "cancel", "requester"), Illegal)
    assert isinstance(intend("cow", State("accepted"), "cancel", "requester"), Move)
    assert isinstance(intend("cow-cancellation", State("requested"), "accept", "target"), Move)


def test_a_bser_partner_may_leave_out_the_business_status() -> None:
    answer = check("bser", State("received"), State("accepted"), "target")
    assert isinstance(answer, Move)
    assert answer.after == State("accepted", "3.0")


def test_polling_that_saw_only_the_end_tells_the_steps_between() -> None:
    steps = path("sdohcc", State("requested"), State("completed"), "target")
    assert steps is not None
    assert [step.after.status for step in steps] == ["accepted", "completed"]
    assert path("sdohcc", State("requested"), State("completed"), "requester") is None
    assert path("bser", first("bser"), State("completed", "7.0"), "target") is not None


def test_what_the_target_did_in_one_go_is_accepted_without_a_reason_when_observed() -> None:
    answer = settle("sdohcc", State("requested"), State("failed"), "target")
    assert isinstance(answer, Advanced)
    assert [step.after.status for step in answer.steps] == ["accepted", "failed"]


def test_a_late_report_without_a_time_is_known_by_its_place_in_the_order() -> None:
    assert isinstance(settle("sdohcc", State("completed"), State("accepted"), "target"), Late)
    assert isinstance(settle("sdohcc", State("rejected"), State("accepted"), "target"), Illegal)


def test_an_older_report_changes_nothing_and_a_repeated_one_is_known() -> None:
    known = State("on-hold", at=ZERO)
    assert isinstance(
        settle("sdohcc", known, State("in-progress", at=ZERO - timedelta(hours=1)), "target"), Late
    )
    assert isinstance(settle("sdohcc", known, State("on-hold", at=ZERO), "target"), Repeated)
    assert isinstance(
        settle("sdohcc", known, State("in-progress", at=ZERO + timedelta(hours=1)), "target"), Advanced
    )


@st.composite
def histories(draw: st.DrawFn) -> tuple[Dialect, list[State]]:
    """A legal history in some dialect, with rising times."""
    dialect = draw(st.sampled_from(DIALECTS))
    here, told = START, []
    for step in range(draw(st.integers(1, 8))):
        legal = [move for move in moves(dialect, here.status, here.business, "both") if move.after.status]
        if not legal:
            break
        after = draw(st.sampled_from(legal)).after
        here = State(after.status, after.business, ZERO + timedelta(minutes=step))
        told.append(here)
    return dialect, told


@given(histories(), st.data())
def test_reports_in_any_order_and_number_converge_on_the_last_state(
    history: tuple[Dialect, list[State]], data: Any
) -> None:
    dialect, told = history
    reports = data.draw(st.permutations(told + data.draw(st.lists(st.sampled_from(told), max_size=4))))
    known = START
    for seen in reports:
        answer = settle(dialect, known, seen, "both")
        assert not isinstance(answer, Illegal)
        known = answer.state
    assert (known.status, known.business) == (told[-1].status, told[-1].business)


@given(histories())
def test_the_path_told_is_made_of_legal_moves_and_ends_where_it_should(
    history: tuple[Dialect, list[State]],
) -> None:
    dialect, told = history
    steps = path(dialect, START, told[-1], "both")
    assert steps is not None
    here = START
    for step in steps:
        assert isinstance(check(dialect, here, step.after, "both", "because"), Move)
        here = step.after
    assert (here.status, here.business) == (told[-1].status, told[-1].business)


@pytest.mark.parametrize("dialect", DIALECTS)
def test_every_dialect_can_end_and_nothing_but_error_follows_an_end(dialect: Dialect) -> None:
    rows: tuple[Row, ...] = ROWS[dialect]
    assert {row.after for row in rows} & TERMINAL
    assert {row.after for row in rows if row.before in TERMINAL} <= {"entered-in-error"}
    for row in rows:
        start = State(row.before, "" if row.before_business == "*" else row.before_business)
        assert row.before in TERMINAL or any(
            path(dialect, start, State(end), "both") for end in ("completed", "rejected", "cancelled")
        )
