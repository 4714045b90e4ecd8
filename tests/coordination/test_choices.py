"""What an operator chose about timers is checked before it counts."""

from typing import Any

import pytest

from service.coordination.choices import BadTimers, choices
from service.coordination.timers import rows


@pytest.mark.parametrize(
    ("said", "place"),
    [
        ([], "one JSON object"),
        ({"T99": {}}, "T99: there is no such timer"),
        ({"T1": 3}, "T1: say an object"),
        ({"T1": {"days": 3}}, "T1.days: no such choice"),
        ({"T1": {"due": -1}}, "T1.due: a whole number"),
        ({"T1": {"due": True}}, "T1.due: a whole number"),
        ({"T4": {"due": 0}}, "T4.due: at least 1"),
        ({"T1": {"off": "yes"}}, "T1: off is true or false"),
        ({"tiers": {"intensive": {"T0": {}}}}, "tiers.intensive.T0: there is no such timer"),
        ({"tiers": []}, "tiers: say tier"),
        ({"grants": {"TI-1": {"T24": {"days": 90}}}}, "grants.TI-1.T24.days: no such choice"),
        ({"grants": []}, "grants: say grant"),
    ],
)
def test_a_file_that_cannot_be_used_is_refused_naming_the_place(said: Any, place: str) -> None:
    with pytest.raises(BadTimers, match=place.replace(".", r"\.")):
        choices(said)


def test_the_clients_tier_counts_before_what_holds_for_all() -> None:
    chosen = choices({"T4": {"due": 6}, "T5": {"off": True}, "tiers": {"intensive": {"T4": {"due": 1}}}})
    months = [row.due for tier in ("intensive", "general") if (row := chosen.of(rows["T4"], tier))]
    assert months == [1, 6]
    assert chosen.of(rows["T5"], "general") is None


def test_a_timer_of_one_tier_can_be_given_to_every_client() -> None:
    assert choices({}).of(rows["T10"], "general") is None
    assert choices({"T10": {"tier": ""}}).of(rows["T10"], "general") is not None
