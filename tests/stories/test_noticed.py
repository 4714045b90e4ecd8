"""What is pushed to an agency carries the notice of 42 CFR 2.32: the referral, and what is said of it later."""

from pathlib import Path
from typing import Any

from test_revised import delivered, theirs
from town import Town, eventually, town

from service.commands.demo import people
from service.commands.demo.people import HOUSING, NORTHSIDE
from service.consent.terms import NOTICE
from service.fhir.json import decode_object
from service.kernel.clock import system_clock
from service.simulator.process import Plan
from tests.flows.test_notices import expect_bundle


def pushed(here: Town) -> list[dict[str, Any]]:
    """Every Bundle that reached Northside, in order."""
    bodies = [each.body for each in here.agencies[NORTHSIDE].notebook.heard if b'"transaction"' in each.body]
    return [decode_object(body) for body in bodies]


async def test_the_referral_and_its_change_are_pushed_with_labels_and_notice(
    database_url: str, tmp_path: Path
):
    async with town(database_url, tmp_path, Plan(NORTHSIDE, pace=60)) as here:
        await delivered(here)
        [referral] = pushed(here)
        expect_bundle(referral, "Patient", "ServiceRequest", "Task")
        full = [each for each in referral["entry"] if NOTICE in str(each["resource"].get("meta"))]
        assert len(full) == 1, "the first has the full statement, each other the short one"
        assert theirs(here, "Task")["meta"]["security"], "and the partner keeps it with the resource"

        await here.file("referrals", HOUSING, {**people.housing(system_clock), "urgency": "routine"})
        await eventually(lambda: theirs(here, "Task")["priority"] == "routine")

        [_, news] = pushed(here)
        expect_bundle(news, "Task", "ServiceRequest")
