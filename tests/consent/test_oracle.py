"""10,000 situations in which two independent readings of the rules must agree."""

import os
from collections import Counter
from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, Phase, given, settings

from service.consent import weigh
from tests.consent.oracle import Situation, verdict
from tests.consent.situations import engine, situations

SITUATIONS = int(os.environ.get("CASEBRIDGE_ORACLE", "10000"))


@settings(max_examples=SITUATIONS, deadline=None, database=None, suppress_health_check=list(HealthCheck))
@given(situations())
def test_the_engine_and_the_oracle_agree(situation: Situation) -> None:
    answer = verdict(situation)
    seen["goes" if answer else "stays"] += 1
    for basis in (answer or {}).values():
        seen[basis] += 1
    assert engine(situation) == answer


seen: Counter[str] = Counter()


def test_the_situations_exercise_every_answer() -> None:
    """A positive control: a generator that only ever makes denials would prove nothing."""
    every = (
        "consent",
        "consent+mask",
        "tpo",
        "author",
        "custodian",
        "directory",
        "emergency",
        "qsoa",
        "court-order",
    )
    assert all(seen[basis] for basis in every), seen
    assert seen["consent"] > SITUATIONS / 30, seen


@settings(max_examples=500, deadline=None, database=None, suppress_health_check=list(HealthCheck))
@given(situations())
def test_without_papers_nothing_goes_by_consent(situation: Situation) -> None:
    answer = engine(replace(situation, papers=()))
    assert not any(basis.startswith("consent") for basis in (answer or {}).values())


MUTANTS: dict[str, tuple[str, Callable[..., object]]] = {
    "an older denial is forgotten": ("_beats", lambda denial, permit: denial.given >= permit.given),
    "the newest wins whatever it says": ("_beats", lambda denial, permit: denial.given > permit.given),
    "a denial must cover": ("_touches", weigh._covers),
    "a permit need only touch": ("_covers", weigh._touches),
    "one shared sensitivity is enough": ("_marks_covered", weigh._marks_touched),
}


@pytest.mark.parametrize("name", MUTANTS)
def test_a_wrong_engine_is_found_out(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The negative control: the same comparison fails when the engine is broken."""
    monkeypatch.setattr(weigh, *MUTANTS[name])

    @settings(max_examples=30_000, derandomize=True, deadline=None, database=None, phases=[Phase.generate])
    @given(situations())
    def compare(situation: Situation) -> None:
        assert engine(situation) == verdict(situation)

    with pytest.raises(AssertionError):
        compare()
