"""Lakeview Employment Center speaks by message Bundles: what is asked of it, and what it asks, goes round in messages."""

from pathlib import Path
from typing import Any

from town import Town, eventually, town

from service.commands.demo import people
from service.commands.demo.people import HARBOR, HOUSING, LAKEVIEW
from service.fhir.json import JsonObject, decode_object
from service.kernel.clock import system_clock
from service.simulator.process import Plan
from service.simulator.staff import REASON

MESSAGES = "/fhir/$process-message"


def lakeview(behaviour: Any = "accept-complete") -> Plan:
    return Plan(LAKEVIEW, behaviour, pace=0.1, dialect="bser", by_message=True)


async def referred(here: Town) -> str:
    """Leslie's housing referral, to Lakeview this time, with a consent that names it; its Task."""
    await here.file_everybody()
    consent = people.consent(system_clock)
    [permission] = consent["permissions"]
    consent["permissions"] = [{**permission, "recipients": [{"agency": "lakeview"}]}]
    await here.file("consents", "leslie-consent-2026", consent)
    record = {**people.housing(system_clock), "recipient": "lakeview"}
    record.pop("recipientService")
    filed = await here.file("referrals", HOUSING, record)
    return next(str(each) for each in filed["resources"] if each.startswith("Task/"))


def sent_to(here: Town) -> list[JsonObject]:
    heard = here.agencies[LAKEVIEW].notebook.heard
    assert not [each for each in heard if each.target == "/fhir"], "messages, and no transaction"
    return [decode_object(each.body) for each in heard if each.target == MESSAGES]


async def test_a_referral_goes_out_as_a_message_and_comes_back_in_messages(
    database_url: str, tmp_path: Path
) -> None:
    async with town(database_url, tmp_path, lakeview()) as here:
        task_here = await referred(here)
        await here.until_told("referral-completed", HOUSING)

        [first, *_] = sent_to(here)
        header, task, request, *rest = [each["resource"] for each in first["entry"]]
        assert header["eventCoding"]["code"] == "I12"
        assert header["focus"] == [{"reference": first["entry"][1]["fullUrl"]}]
        assert (task["resourceType"], task["status"]) == ("Task", "received")
        assert task["businessStatus"]["coding"][0]["code"] == "2.0"
        for each in (task, request):
            assert each["identifier"][0]["type"]["coding"][0]["code"] == "PLAC"
        assert task["focus"] == {"reference": first["entry"][2]["fullUrl"]}
        assert [each["resourceType"] for each in rest] == ["Patient"]
        kinds = [each["kind"] for each in here.events]
        assert kinds == [
            "referral-delivered", "referral-accepted", "referral-scheduled", "service-outcome-received",
            "referral-completed",
        ]  # fmt: skip
        [theirs] = here.agencies[LAKEVIEW].store.all("Task")
        ours = await here.fhir(task_here)
        assert ours["businessStatus"]["coding"][0]["code"] == "7.0"
        procedure = await here.fhir(ours["output"][0]["valueReference"]["reference"])
        assert procedure["subject"] == ours["for"], "what was done, for the same client"
        assert theirs.resource["status"] == "completed"


async def test_a_refusal_in_a_message_has_its_reason(database_url: str, tmp_path: Path) -> None:
    async with town(database_url, tmp_path, lakeview("reject")) as here:
        await referred(here)
        told = await here.until_told("referral-rejected", HOUSING)
        assert told["reason"] == REASON


async def test_a_referral_that_came_in_a_message_is_answered_in_messages(
    database_url: str, tmp_path: Path
) -> None:
    async with town(database_url, tmp_path, lakeview()) as here:
        agency = here.agencies[LAKEVIEW]
        sent = await agency.refer({**people.call(), "owner": {"reference": here.organizations[HARBOR]}})
        received = await here.until("referral-received", partner=LAKEVIEW)
        for answer in (
            {"status": "accepted", "note": "Victoria calls today."},
            {"status": "in-progress"},
            {"status": "completed", "outcome": "Case opened."},
        ):
            await here.file("referrals", received["referral"], answer)

        await eventually(lambda: "completed" in sent["seen"])

        own = agency.store.current("Task", sent["task"].removeprefix("Task/")).resource
        assert own["businessStatus"]["coding"][0]["code"] == "7.0"
        told = sent_to(here)[-1]["entry"][1]["resource"]
        placer, filler = told["identifier"]
        assert placer["value"] == sent["identifier"].partition("|")[2]
        assert filler["type"]["coding"][0]["code"] == "FILL"
        assert filler["assigner"]["display"] == HARBOR
        assert len(list(agency.store.all("Task"))) == 1


async def test_an_answer_that_is_lost_brings_the_same_message_again(
    database_url: str, tmp_path: Path
) -> None:
    async with town(database_url, tmp_path, lakeview()) as here:
        faults = iter([None, "reset-after"])  # the token is given; the message is taken, its answer is lost
        here.agencies[LAKEVIEW].manner.fault = lambda: next(faults, None)  # type: ignore[method-assign]
        await referred(here)
        await eventually(lambda: here.sql("SELECT 1 FROM attempt WHERE outcome = 'retry'"))
        await here.until_told("referral-accepted", HOUSING)  # before we know that it arrived
        await here.time_passes()

        await here.until_told("referral-completed", HOUSING)
        await here.until_told("referral-delivered", HOUSING)
        assert len(list(here.agencies[LAKEVIEW].store.all("Task"))) == 1
        kinds = [each["kind"] for each in here.events]
        assert len(kinds) == len(set(kinds))


async def test_without_consent_no_message_leaves(database_url: str, tmp_path: Path) -> None:
    async with town(database_url, tmp_path, lakeview()) as here:
        await referred(here)
        await here.until_told("referral-accepted", HOUSING)
        before = len(sent_to(here))
        consent = people.consent(system_clock)
        await here.file("consents", "leslie-consent-2026", consent)  # it names Lakeview no more
        record = {**people.housing(system_clock), "recipient": "lakeview", "urgency": "routine"}
        record.pop("recipientService")

        await here.file("referrals", HOUSING, record)

        await here.until_told("referral-withheld", HOUSING)
        assert len(sent_to(here)) == before
