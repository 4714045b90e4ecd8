"""Order within a referral, freedom between them, and leases that survive dead workers."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.delivery.outcome import Dead, Delivered, Outcome, Retry, Withheld
from service.delivery.plan import LEASE, Row, available, holds, lease, order_key, ready, settle

NOW = datetime(2026, 3, 11, 12, tzinfo=UTC)
A, B = order_key("north", "r1", "x"), order_key("north", "r2", "x")


def row(id_: str, sequence: int = 1, key: str = A, **more: object) -> Row:
    return Row(**{"id": id_, "key": key, "sequence": sequence, "due": NOW, **more})  # type: ignore[arg-type]


def ids(*rows: Row) -> list[str]:
    return [one.id for one in ready(rows, NOW)]


def test_of_one_referral_only_the_first_open_row_goes() -> None:
    assert ids(row("second", 2), row("first", 1)) == ["first"]


def test_a_failing_row_holds_up_its_own_referral_and_no_other() -> None:
    failing = row("first", 1, status="failing", due=NOW + timedelta(hours=1))
    assert ids(failing, row("second", 2), row("other", 3, B)) == ["other"]


@pytest.mark.parametrize("status", ["delivered", "dead", "withheld"])
def test_a_settled_row_lets_the_next_pass(status: str) -> None:
    assert ids(row("first", 1, status=status), row("second", 2)) == ["second"]


def test_what_belongs_to_no_referral_waits_for_nothing() -> None:
    assert order_key("north", "", "a") != order_key("north", "", "b")
    assert order_key("north", "r", "a") == order_key("north", "r", "b")
    assert order_key("north", "r", "a") != order_key("south", "r", "a")


def test_a_leased_row_is_not_available_until_its_lease_ends() -> None:
    held = lease(row("a"), "token", NOW)
    assert not available(held, NOW + LEASE - timedelta(seconds=1))
    assert available(held, NOW + LEASE)


def test_a_leased_row_still_holds_its_place_in_the_order() -> None:
    assert ids(lease(row("first", 1), "t", NOW), row("second", 2)) == []


def test_only_the_current_token_settles() -> None:
    slept = lease(row("a"), "old", NOW)
    taken = lease(slept, "new", NOW + LEASE)
    assert not holds(taken, "old")
    assert holds(taken, "new")
    assert not holds(row("b"), "")


@pytest.mark.parametrize(
    ("outcome", "status", "attempts"),
    [
        (Delivered(201), "delivered", 3),
        (Retry(timedelta(minutes=5), "503"), "failing", 3),
        (Dead("rejected", "422"), "dead", 3),
        (Withheld("denied-by-client", "no"), "withheld", 2),
    ],
)
def test_each_outcome_has_its_row(outcome: Outcome, status: str, attempts: int) -> None:
    settled = settle(row("a", attempts=2), outcome, NOW)
    assert (settled.status, settled.attempts) == (status, attempts)
    assert settled.due == (NOW + timedelta(minutes=5) if status == "failing" else None)


rows = st.lists(
    st.builds(
        Row,
        id=st.uuids().map(str),
        key=st.sampled_from([A, B]),
        sequence=st.integers(0, 50),
        due=st.integers(-60, 60).map(lambda minutes: NOW + timedelta(minutes=minutes)),
        status=st.sampled_from(["pending", "failing", "delivered", "dead", "withheld"]),
        leased_until=st.none() | st.just(NOW + timedelta(minutes=1)) | st.just(NOW - timedelta(minutes=1)),
    ),
    unique_by=lambda one: (one.key, one.sequence),
)


@given(rows)
def test_never_two_of_one_key_and_never_before_an_open_elder(every: list[Row]) -> None:
    going = ready(every, NOW)
    assert len({one.key for one in going}) == len(going)
    for one in going:
        elders = [each for each in every if each.key == one.key and each.sequence < one.sequence]
        assert all(each.status not in ("pending", "failing") for each in elders)
        assert available(one, NOW)
