"""An agency sends a referral; the case manager answers; the agency learns of it on both servers."""

from pathlib import Path

from town import Town, eventually, town

from service.commands.demo import people
from service.commands.demo.people import COUNTY, HARBOR
from service.simulator import letter
from service.simulator.process import Plan


async def receives(here: Town) -> tuple[dict, dict]:
    """What County sent, and the event Harbor got."""
    wish = {**people.call(), "owner": {"reference": here.organizations[HARBOR]}}
    sent = await here.agencies[COUNTY].refer(wish)
    return sent, await here.until("referral-received", partner=COUNTY)


async def knows(here: Town, sent: dict, status: str) -> dict:
    """County's own Task, once County was notified and has read the status on our server too."""
    county = here.agencies[COUNTY]

    def own() -> dict:
        return county.store.current("Task", sent["task"].removeprefix("Task/")).resource

    await eventually(lambda: own()["status"] == status and status in sent["seen"])
    return own()


async def test_an_accepted_referral_is_known_to_its_sender_until_it_is_completed(
    database_url: str, tmp_path: Path
):
    async with town(database_url, tmp_path, Plan(COUNTY, pace=0.1)) as here:
        sent, event = await receives(here)

        await here.file(
            "referrals", event["referral"], {"status": "accepted", "note": "Victoria calls today."}
        )
        await knows(here, sent, "accepted")
        await here.file("referrals", event["referral"], {"status": "completed", "outcome": "Case opened."})
        own = await knows(here, sent, "completed")

        assert sent["seen"] == ["requested", "accepted", "completed"]
        assert own["identifier"][0]["value"] == sent["identifier"].partition("|")[2]
        assert len(list(here.agencies[COUNTY].store.all("Task"))) == 1


async def test_a_rejection_reaches_the_sender_with_its_reason(database_url: str, tmp_path: Path):
    async with town(database_url, tmp_path, Plan(COUNTY, pace=0.1)) as here:
        sent, event = await receives(here)
        silent = await here.casework.ask(
            "PUT", f"/casework/v1/referrals/{event['referral']}", {"status": "rejected"}
        )
        assert silent.status == 422, "a rejection needs a reason"

        answer = {"status": "rejected", "reason": "We serve adults of the county only."}
        await here.file("referrals", event["referral"], answer)

        own = await knows(here, sent, "rejected")
        assert own["statusReason"]["text"] == answer["reason"]


async def test_a_referral_sent_twice_is_one_referral(database_url: str, tmp_path: Path):
    async with town(database_url, tmp_path, Plan(COUNTY, pace=0.1)) as here:
        county = here.agencies[COUNTY]
        sent, first = await receives(here)
        number = sent["identifier"].partition("|")[2]
        asking = {"reference": county.organization}
        again = letter.resources(county.base, number, {**people.call(), "requester": asking})

        answer = await county.casebridge.ask("POST", "/fhir", letter.bundle(number, again))

        assert answer.ok, answer.sentence
        assert (
            answer.body["entry"][2]["response"]["location"].split("/_history/")[0].endswith(first["referral"])
        )
        found = await here.fhir("Task?_summary=count")
        assert found["total"] == 1


async def test_a_status_that_may_not_follow_is_refused_with_those_that_may(database_url: str, tmp_path: Path):
    async with town(database_url, tmp_path, Plan(COUNTY, pace=0.1)) as here:
        _, event = await receives(here)

        answer = await here.casework.ask(
            "PUT", f"/casework/v1/referrals/{event['referral']}", {"status": "completed"}
        )

        assert answer.status == 422
        assert "accepted" in answer.sentence
