"""An open referral is offered to several agencies; the first that claims it has it, and the others know it no more."""

import asyncio
from datetime import timedelta
from pathlib import Path
from typing import Any

from town import Town, town

from service.commands.demo import people
from service.commands.demo.people import COUNTY, LAKEVIEW, NORTHSIDE
from service.flows.sweep import tell_unclaimed
from service.kernel.clock import system_clock
from service.simulator.process import Plan
from tests.flows.subscriptions.ears import Time

OPEN = "a-room"


def offered(*agencies: str) -> dict[str, Any]:
    record = {**people.housing(system_clock), "id": OPEN, "offeredTo": list(agencies)}
    unsaid = ("recipient", "recipientService", "answerBy")
    return {name: value for name, value in record.items() if name not in unsaid}


async def offer(here: Town, *agencies: str) -> str:
    """The open referral's Task."""
    await here.file_everybody()
    consent = people.consent(system_clock)
    [permission] = consent["permissions"]
    named = [{"agency": "northside"}, {"agency": "lakeview"}]
    await here.file(
        "consents", consent["id"], {**consent, "permissions": [{**permission, "recipients": named}]}
    )
    filed = await here.file("referrals", OPEN, offered(*agencies))
    return next(each for each in filed["resources"] if each.startswith("Task/"))


async def claim(here: Town, agency: str, task: str) -> int:
    client = here.agencies[agency].casebridge
    found = await client.ask("GET", f"/fhir/{task}")
    if not found.ok:
        return int(found.status)
    owner = {"reference": here.organizations[agency]}
    taken = {**found.body, "status": "accepted", "owner": owner}
    version = found.body["meta"]["versionId"]
    return int((await client.ask("PUT", f"/fhir/{task}", taken, {"If-Match": f'W/"{version}"'})).status)


PLANS = (
    Plan(NORTHSIDE, pace=600, light=True),
    Plan(LAKEVIEW, pace=600, light=True),
    Plan(COUNTY, pace=600, light=True),
)


async def test_of_two_that_claim_at_once_exactly_one_wins(database_url: str, tmp_path: Path):
    async with town(database_url, tmp_path, *PLANS) as here:
        task = await offer(here, "northside", "lakeview")
        answers = await asyncio.gather(*(claim(here, each, task) for each in (NORTHSIDE, LAKEVIEW) * 4))

        assert answers.count(200) == 1
        assert set(answers) <= {200, 404, 412}
        told = await here.until("referral-accepted", referral=OPEN)
        winner, loser = (NORTHSIDE, LAKEVIEW) if told["partner"] == NORTHSIDE else (LAKEVIEW, NORTHSIDE)
        assert (await here.fhir(task))["owner"]["reference"] == here.organizations[winner]
        gone = await here.agencies[loser].casebridge.ask("GET", f"/fhir/{task}")
        assert gone.status == 404
        assert (await here.agencies[winner].casebridge.ask("GET", f"/fhir/{task}")).ok


async def test_the_claimant_goes_on_as_with_any_referral(database_url: str, tmp_path: Path):
    async with town(database_url, tmp_path, *PLANS) as here:
        task = await offer(here, "northside", "lakeview")
        assert await claim(here, LAKEVIEW, task) == 200
        client = here.agencies[LAKEVIEW].casebridge
        for status in ("in-progress", "completed"):
            found = (await client.ask("GET", f"/fhir/{task}")).body
            answer = await client.ask("PUT", f"/fhir/{task}", {**found, "status": status})
            assert answer.ok, answer.sentence
        await here.until("referral-completed", referral=OPEN)
        shown = await here.casework.ask("GET", f"/casework/v1/referrals/{OPEN}")
        assert shown.body["status"] == "completed"


async def test_open_referrals_are_found_by_those_they_are_offered_to_only(database_url: str, tmp_path: Path):
    async with town(database_url, tmp_path, *PLANS) as here:
        task = await offer(here, "northside")
        query = "/fhir/Task?owner:missing=true&status=requested"
        counts = {
            name: len((await agency.casebridge.ask("GET", query)).body.get("entry", []))
            for name, agency in here.agencies.items()
        }
        assert counts == {NORTHSIDE: 1, LAKEVIEW: 0, COUNTY: 0}
        assert await claim(here, LAKEVIEW, task) == 404


async def test_an_offer_withdrawn_or_changed_can_no_more_be_claimed(database_url: str, tmp_path: Path):
    async with town(database_url, tmp_path, *PLANS) as here:
        task = await offer(here, "northside", "lakeview")
        await here.file("referrals", OPEN, offered("lakeview"))
        assert await claim(here, NORTHSIDE, task) == 404
        withdrawn = {**offered("lakeview"), "status": "cancelled", "statusReason": "no longer needed"}
        await here.file("referrals", OPEN, withdrawn)
        assert await claim(here, LAKEVIEW, task) == 404


async def test_who_loses_an_offer_keeps_the_client_it_knows_by_another_referral(
    database_url: str, tmp_path: Path
):
    async with town(database_url, tmp_path, *PLANS) as here:
        task = await offer(here, "northside", "lakeview")
        await here.file("referrals", "a-bed", {**offered("northside"), "id": "a-bed"})
        [patient] = [row["id"] for row in await here.sql("SELECT id FROM resource WHERE type = 'Patient'")]
        client = here.agencies[NORTHSIDE].casebridge

        async def knows() -> int:
            return int((await client.ask("GET", f"/fhir/Patient/{patient}")).status)

        assert await claim(here, LAKEVIEW, task) == 200
        assert await knows() == 200, "it is still offered a bed"
        own = {**people.housing(system_clock), "id": "a-room-too", "recipient": "northside"}
        await here.file("referrals", own["id"], own)
        await here.file("referrals", "a-bed", {**offered("lakeview"), "id": "a-bed"})
        assert await knows() == 200, "it has a referral of its own"


async def test_who_loses_the_last_offer_knows_the_client_no_more(database_url: str, tmp_path: Path):
    async with town(database_url, tmp_path, *PLANS) as here:
        task = await offer(here, "northside", "lakeview")
        await here.file("referrals", "a-bed", {**offered("northside"), "id": "a-bed"})
        [patient] = [row["id"] for row in await here.sql("SELECT id FROM resource WHERE type = 'Patient'")]
        await here.file("referrals", "a-bed", {**offered("lakeview"), "id": "a-bed"})
        client = here.agencies[NORTHSIDE].casebridge
        assert (await client.ask("GET", f"/fhir/Patient/{patient}")).ok
        assert await claim(here, LAKEVIEW, task) == 200
        assert (await client.ask("GET", f"/fhir/Patient/{patient}")).status == 404


async def test_nobody_claims_in_another_agencys_name(database_url: str, tmp_path: Path):
    async with town(database_url, tmp_path, *PLANS) as here:
        task = await offer(here, "northside", "lakeview")
        client = here.agencies[NORTHSIDE].casebridge
        found = (await client.ask("GET", f"/fhir/{task}")).body
        for owner in ({"reference": here.organizations[LAKEVIEW]}, {"display": "us"}):
            answer = await client.ask("PUT", f"/fhir/{task}", {**found, "status": "accepted", "owner": owner})
            assert answer.status == 422
            assert answer.body["issue"][0]["expression"] == ["Task.owner"]
        assert "owner" not in await here.fhir(task)


async def test_the_case_manager_is_told_once_that_nobody_claims_an_offer(database_url: str, tmp_path: Path):
    time = Time()
    async with town(database_url, tmp_path, *PLANS, clock=time, worker=False) as here:
        await offer(here, "northside", "lakeview")
        assert await tell_unclaimed(here.context) == 0
        time.ahead = timedelta(days=15)
        assert await tell_unclaimed(here.context) == 1
        assert await tell_unclaimed(here.context) == 0
        told = await here.until("referral-unclaimed", referral=OPEN)
        assert told["offeredTo"] == [LAKEVIEW, NORTHSIDE]
        assert (told["client"], told["status"]) == ("leslie-moreno", "requested")


async def test_an_offer_has_the_term_that_its_record_says(database_url: str, tmp_path: Path):
    time = Time()
    async with town(database_url, tmp_path, *PLANS, clock=time, worker=False) as here:
        await offer(here, "northside")
        day = time().date()
        due = {**offered("northside"), "answerBy": (day + timedelta(days=2)).isoformat()}
        await here.file("referrals", OPEN, due)
        time.ahead = timedelta(days=1)
        assert await tell_unclaimed(here.context) == 0
        time.ahead = timedelta(days=4)
        assert await tell_unclaimed(here.context) == 1


async def test_an_offer_that_nobody_claimed_is_made_to_another_or_withdrawn(
    database_url: str, tmp_path: Path
):
    time = Time()
    async with town(database_url, tmp_path, *PLANS, clock=time, worker=False) as here:
        task = await offer(here, "northside")
        time.ahead = timedelta(days=15)
        assert await tell_unclaimed(here.context) == 1
        await here.file("referrals", OPEN, offered("lakeview"))
        assert await tell_unclaimed(here.context) == 0, "the new one has its own term"
        time.ahead = timedelta(days=30)
        assert await tell_unclaimed(here.context) == 1

        gone = await here.casework.ask("DELETE", f"/casework/v1/referrals/{OPEN}")
        assert gone.ok, gone.sentence
        assert await here.sql("SELECT 1 FROM offer") == []
        assert await claim(here, LAKEVIEW, task) == 404
