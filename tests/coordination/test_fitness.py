"""Who may lead: what is not on record is said, and stops what the operator wants stopped."""

from datetime import date

import pytest

from service.coordination.fitness import RULES, Facts, findings, populations, severities

TODAY = date(2026, 11, 22)
FIT = Facts(
    True, frozenset({"bachelor-equivalent"}), True, "cleared", date(2027, 1, 1), frozenset({"minors"})
)


def broken(worker: Facts | None, client: frozenset[str] = frozenset(), *said: str) -> list[tuple[str, bool]]:
    return [(each.rule, each.blocks) for each in findings(worker, client, TODAY, severities(said))]


def test_who_has_everything_may_lead_anybody_they_are_cleared_for() -> None:
    assert broken(FIT, frozenset({"minor"})) == []
    assert broken(FIT, frozenset({"minor", "elderly"})) == [("check-missing", False)]


def test_what_is_not_on_record_warns_unless_the_operator_blocks() -> None:
    assert broken(Facts()) == [("qualification", False), ("supervisor", False)]
    assert broken(Facts(), frozenset(), "supervisor=block", "qualification=off") == [("supervisor", True)]
    assert broken(None) == [("unknown", False)]


@pytest.mark.parametrize(
    ("worker", "found"),
    [
        (Facts(True, FIT.qualifications, True, "cleared", date(2026, 11, 21)), [("check-failed", True)]),
        (Facts(True, FIT.qualifications, True, "cleared", TODAY), []),
        (Facts(True, FIT.qualifications, True, "not-cleared"), [("check-failed", True)]),
        (Facts(True, FIT.qualifications, True, "pending"), [("check-missing", False)]),
        (Facts(True, FIT.qualifications, True), [("check-missing", False)]),
    ],
)
def test_a_check_is_asked_for_where_the_client_needs_one(
    worker: Facts, found: list[tuple[str, bool]]
) -> None:
    assert broken(worker, frozenset({"elderly"})) == found
    assert broken(worker) == []


def test_who_has_left_may_not_lead() -> None:
    assert broken(Facts(False, FIT.qualifications, True)) == [("inactive", True)]


@pytest.mark.parametrize(
    ("born", "whose"),
    [("2008-11-22", set()), ("2008-11-23", {"minor"}), ("1961-11-22", {"elderly"}), ("1961-11-23", set())],
)
def test_age_is_counted_to_the_day(born: str, whose: set[str]) -> None:
    assert populations(["other"], date.fromisoformat(born), TODAY) == whose


@pytest.mark.parametrize("said", ["supervisor", "supervisor=maybe", "colour=warn", ""])
def test_a_rule_that_is_none_is_refused(said: str) -> None:
    with pytest.raises(ValueError, match=next(iter(RULES))):
        severities([said])
