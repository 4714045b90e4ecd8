"""Partners that say less than FHIR would have them say: the loop closes all the same."""

from pathlib import Path
from typing import Any

import pytest
from town import town

from service.commands.demo import people
from service.commands.demo.people import HOUSING, NORTHSIDE
from service.kernel.clock import system_clock
from service.simulator import fhir_door
from service.simulator.process import Plan

STEPS = ["referral-delivered", "referral-accepted", "referral-in-progress", "referral-completed"]


def answering(change: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every transaction is done, and answered as `change` has it."""
    done = fhir_door.transaction

    def taciturn(store: Any, bundle: Any) -> Any:
        answer, made = done(store, bundle)
        return change(answer), made

    monkeypatch.setattr(fhir_door, "transaction", taciturn)


def without_location(answer: dict[str, Any]) -> dict[str, Any]:
    rows = [{"response": {"status": row["response"]["status"]}} for row in answer["entry"]]
    return {**answer, "entry": rows}


async def test_a_partner_that_does_not_say_where_the_task_is_is_searched(
    database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    answering(without_location, monkeypatch)
    async with town(database_url, tmp_path, Plan(NORTHSIDE, pace=0.1)) as here:
        await here.file_everybody()
        await here.file("referrals", HOUSING, people.housing(system_clock))

        await here.until("referral-completed", referral=HOUSING)

        assert [each["kind"] for each in here.events] == STEPS


async def test_a_200_that_is_no_receipt_is_not_told_as_delivered_and_makes_nothing_twice(
    database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    answers: list[Any] = [{"hello": "this is a log-in page"}]
    answering(lambda answer: answers.pop() if answers else answer, monkeypatch)
    async with town(database_url, tmp_path, Plan(NORTHSIDE, pace=0.1)) as here:
        await here.file_everybody()
        await here.file("referrals", HOUSING, people.housing(system_clock))

        await here.until("referral-completed", referral=HOUSING, seconds=20)

        assert [each["kind"] for each in here.events] == STEPS
        assert len(list(here.agencies[NORTHSIDE].store.all("Task"))) == 1
        [row] = await here.sql("SELECT attempts FROM delivery")
        assert row["attempts"] == 2
