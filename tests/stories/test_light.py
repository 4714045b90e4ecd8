"""Direct light: an agency without a FHIR server finds its referral on ours and works on it there."""

from pathlib import Path

from town import eventually, town

from service.commands.demo import people
from service.commands.demo.people import COUNTY, HARBOR, HOUSING, LAKEVIEW, NORTHSIDE
from service.kernel.clock import system_clock
from service.simulator.process import Plan


async def test_an_agency_without_a_server_answers_on_ours(database_url: str, tmp_path: Path):
    plans = Plan(NORTHSIDE, pace=0.1, light=True), Plan(LAKEVIEW, pace=0.1, light=True)
    async with town(database_url, tmp_path, *plans) as here:
        await here.file_everybody()
        filed = await here.file("referrals", HOUSING, people.housing(system_clock))

        told = await here.until("referral-completed", referral=HOUSING)

        assert [each["kind"] for each in here.events] == [
            "referral-accepted", "referral-in-progress", "service-outcome-received", "referral-completed",
        ]  # fmt: skip
        [output] = told["outputs"]
        procedure = await here.fhir(output["reference"])
        asked = next(each for each in filed["resources"] if each.startswith("ServiceRequest/"))
        assert procedure["basedOn"] == [{"reference": asked}]
        lakeview = here.agencies[LAKEVIEW]
        answer = await lakeview.casebridge.ask("GET", "/fhir/Task")
        assert answer.body.get("total", 0) == 0, "another agency's referral does not exist for this one"
        task = next(each for each in filed["resources"] if each.startswith("Task/"))
        assert (await lakeview.casebridge.ask("GET", f"/fhir/{task}")).status == 404


async def test_a_sender_without_a_server_reads_the_answer_on_ours(database_url: str, tmp_path: Path):
    async with town(database_url, tmp_path, Plan(COUNTY, pace=0.1, light=True)) as here:
        wish = {**people.call(), "owner": {"reference": here.organizations[HARBOR]}}
        sent = await here.agencies[COUNTY].refer(wish)
        event = await here.until("referral-received", partner=COUNTY)

        await here.file("referrals", event["referral"], {"status": "accepted"})

        await eventually(lambda: "accepted" in sent["seen"])
        assert await here.sql("SELECT 1 FROM delivery") == [], "there is nowhere to bring the news to"
