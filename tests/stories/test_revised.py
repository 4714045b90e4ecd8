"""A referral that is out already is changed or taken back: the partner's copies follow, and stay the partner's."""

from pathlib import Path

from town import Town, eventually, town

from service.commands.demo import people
from service.commands.demo.people import HOUSING, NORTHSIDE
from service.fhir.json import JsonObject
from service.kernel.clock import system_clock
from service.simulator.process import Plan


async def delivered(here: Town) -> None:
    await here.file_everybody()
    await here.file("referrals", HOUSING, people.housing(system_clock))
    await here.until("referral-delivered", referral=HOUSING)


def theirs(here: Town, type_: str) -> JsonObject:
    [only] = here.agencies[NORTHSIDE].store.all(type_)
    return only.resource


async def test_a_changed_referral_changes_request_and_task_and_their_references_stay_theirs(
    database_url: str, tmp_path: Path
):
    async with town(database_url, tmp_path, Plan(NORTHSIDE, pace=60)) as here:
        await delivered(here)
        patient, request = theirs(here, "Patient")["id"], theirs(here, "ServiceRequest")["id"]

        await here.file("referrals", HOUSING, {**people.housing(system_clock), "urgency": "routine"})

        await eventually(lambda: theirs(here, "Task")["priority"] == "routine")
        assert theirs(here, "ServiceRequest")["priority"] == "routine"
        assert theirs(here, "Task")["focus"]["reference"].endswith(f"ServiceRequest/{request}")
        assert theirs(here, "ServiceRequest")["subject"]["reference"].endswith(f"Patient/{patient}")
        base = here.agencies[NORTHSIDE].base
        for reference in (theirs(here, "Task")["for"], theirs(here, "ServiceRequest")["subject"]):
            assert reference["reference"] in (f"Patient/{patient}", f"{base}/Patient/{patient}")


async def test_a_referral_taken_back_says_so_at_the_partner_and_here(database_url: str, tmp_path: Path):
    async with town(database_url, tmp_path, Plan(NORTHSIDE, pace=60)) as here:
        await delivered(here)

        answer = await here.casework.ask("DELETE", f"/casework/v1/referrals/{HOUSING}")

        assert answer.status == 204, answer.sentence
        await here.until("referral-withdrawn", referral=HOUSING)
        await eventually(lambda: theirs(here, "Task")["status"] == "entered-in-error")
        assert theirs(here, "ServiceRequest")["status"] == "entered-in-error"
        assert theirs(here, "Task")["statusReason"]["text"]
