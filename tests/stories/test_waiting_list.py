"""There is no place: said before a referral goes, answered with a waiting list, and told when a place is found."""

from pathlib import Path

from town import Town, eventually, town

from service.commands.demo import people
from service.commands.demo.people import COUNTY, HARBOR, LAKEVIEW
from service.fhir.validate import load
from service.kernel.clock import system_clock
from service.simulator.process import Plan
from service.simulator.staff import WAITS

COURSE = "leslie-course"
CAPACITY = (
    "http://hl7.org/fhir/us/sdoh-clinicalcare/StructureDefinition/"
    "SDOHCC-ExtensionHealthcareServiceCapacityStatus"
)


async def lakeview_offers(here: Town, **course: str) -> None:
    service = {"id": "course", "service": "job-training", "name": "Forklift course", **course}
    record = {"name": LAKEVIEW, "kind": "employment-service", "services": [service]}
    await here.file("agencies", "lakeview", record)


async def refer(here: Town, **changes: object) -> dict:
    """Leslie is referred to Lakeview's course, with her consent; the answer to the filing."""
    consent = people.consent(system_clock)
    [permission] = consent["permissions"]
    everything = {**permission, "recipients": [{"agency": "lakeview"}], "information": ["everything"]}
    await here.file("consents", consent["id"], {**consent, "permissions": [everything]})
    asked = {**people.housing(system_clock), "id": COURSE, "recipient": "lakeview", "service": "job-training"}
    asked = {name: value for name, value in asked.items() if name not in ("recipientService", "need")}
    return await here.file("referrals", COURSE, {**asked, **changes})


async def record(here: Town, id_: str = COURSE) -> dict:
    answer = await here.casework.ask("GET", f"/casework/v1/referrals/{id_}")
    assert answer.ok, answer.sentence
    return dict(answer.body)


async def test_who_refers_is_told_that_there_is_no_room(database_url: str, tmp_path: Path):
    async with town(database_url, tmp_path, Plan(LAKEVIEW, pace=600), worker=False) as here:
        await here.file_everybody()
        await lakeview_offers(here, capacity="waitlist", capacityNotes="about 15 wait, four to six weeks")
        for changes, place in (({}, "/recipient"), ({"recipientService": "course"}, "/recipientService")):
            notes = (await refer(here, **changes))["notes"]
            [told] = [each for each in notes if each["severity"] == "warning"]
            assert told["text"] == "Forklift course has a waiting list: about 15 wait, four to six weeks"
            assert told["pointer"] == place
        await lakeview_offers(here, capacity="capacity")
        assert [each for each in (await refer(here))["notes"] if each["severity"] == "warning"] == []


async def test_a_partner_asks_for_capacity_and_names_nobody(database_url: str, tmp_path: Path):
    async with town(database_url, tmp_path, Plan(COUNTY, pace=600), worker=False) as here:
        await lakeview_offers(here, capacity="no-capacity", capacityNotes="opens again in September")
        county = here.agencies[COUNTY].casebridge
        found = (await county.ask("GET", "/fhir/HealthcareService?name=Forklift")).body
        [entry] = found["entry"]
        one = (await county.ask("GET", f"/fhir/HealthcareService/{entry['resource']['id']}")).body
        [held] = [each for each in one["extension"] if each["url"] == CAPACITY]
        said = {each["url"]: each for each in held["extension"]}
        assert said["capacityStatus"]["valueCodeableConcept"]["coding"][0]["code"] == "no-capacity"
        assert said["capacityNotes"]["valueString"] == "opens again in September"
        assert not [word for word in people.CLIENT_WORDS if word in str(one)]


async def test_lakeview_puts_leslie_on_its_waiting_list_and_later_finds_a_place(
    database_url: str, tmp_path: Path
):
    async with town(database_url, tmp_path, Plan(LAKEVIEW, "waitlist", pace=0.1)) as here:
        await here.file_everybody()
        await lakeview_offers(here)
        await refer(here)
        told = await here.until("referral-on-hold", referral=COURSE)
        assert told["reason"] == WAITS
        assert {"kind": "program-enrollment", "code": "not-enrolled-on-waitlist"} in told["outputs"]
        held = await record(here)
        assert (held["status"], held["statusReason"]) == ("on-hold", WAITS)
        assert held["outcome"]["enrolment"] == "not-enrolled-on-waitlist"

        here.agencies[LAKEVIEW].manner.change("linger")
        await here.until("referral-in-progress", referral=COURSE)
        held = await record(here)
        assert (held["status"], held["outcome"]["enrolment"]) == ("in-progress", "enrolled")


async def test_an_agency_that_works_on_our_server_says_it_there(database_url: str, tmp_path: Path):
    async with town(database_url, tmp_path, Plan(LAKEVIEW, "waitlist", pace=0.1, light=True)) as here:
        await here.file_everybody()
        await lakeview_offers(here)
        await refer(here)
        await here.until("referral-on-hold", referral=COURSE)
        assert (await record(here))["outcome"]["enrolment"] == "not-enrolled-on-waitlist"


async def test_who_asks_us_is_told_of_our_waiting_list_and_of_the_place(database_url: str, tmp_path: Path):
    async with town(database_url, tmp_path, Plan(COUNTY, pace=0.1)) as here:
        wish = {**people.call(), "owner": {"reference": here.organizations[HARBOR]}}
        sent = await here.agencies[COUNTY].refer(wish)
        event = await here.until("referral-received", partner=COUNTY)
        answer = {"status": "on-hold", "reason": "No place before September."}
        answer["waiting"] = {"position": 4, "estimate": "about six weeks"}
        await here.file("referrals", event["referral"], answer)

        async def theirs(status: str) -> dict:
            county = here.agencies[COUNTY]

            def own() -> dict:
                return county.store.current("Task", sent["task"].removeprefix("Task/")).resource

            await eventually(lambda: own()["status"] == status)
            return dict(own())

        task = await theirs("on-hold")
        assert task["statusReason"]["text"] == "No place before September."
        assert task["statusReason"]["coding"][0]["code"] == "waitlist"
        assert task["businessStatus"]["text"] == "place 4 on the waiting list, about six weeks"
        codes = [each["valueCodeableConcept"]["coding"][0]["code"] for each in task["output"]
                 if "valueCodeableConcept" in each]  # fmt: skip
        assert codes == ["not-enrolled-on-waitlist"]
        named = next(
            each["valueReference"]["reference"] for each in task["output"] if "valueReference" in each
        )
        reference = named.removeprefix(f"{here.url}/fhir/")
        observation = await here.fhir(reference)
        assert observation["valueCodeableConcept"]["coding"][0]["code"] == "not-enrolled-on-waitlist"
        assert [issue for issue in load().validate(observation) if issue.fails] == []
        assert (await record(here, event["referral"]))["outcome"]["enrolment"] == "not-enrolled-on-waitlist"

        await here.file("referrals", event["referral"], answer)
        assert (await here.fhir(reference))["meta"]["versionId"] == "1", "said before"

        place = {"status": "in-progress", "outcome": {"enrolment": "enrolled"}}
        await here.file("referrals", event["referral"], place)
        task = await theirs("in-progress")
        assert "businessStatus" not in task
        observation = await here.fhir(reference)
        assert observation["status"] == "amended"
        assert observation["valueCodeableConcept"]["coding"][0]["code"] == "enrolled"
        assert observation["meta"]["versionId"] == "2"
        assert (await record(here, event["referral"]))["outcome"]["enrolment"] == "enrolled"


async def test_a_place_on_the_list_goes_with_being_on_hold(database_url: str, tmp_path: Path):
    async with town(database_url, tmp_path, Plan(COUNTY, pace=600)) as here:
        wish = {**people.call(), "owner": {"reference": here.organizations[HARBOR]}}
        await here.agencies[COUNTY].refer(wish)
        event = await here.until("referral-received", partner=COUNTY)
        wrong = {"status": "accepted", "waiting": {"position": 1}}
        refused = await here.casework.ask("PUT", f"/casework/v1/referrals/{event['referral']}", wrong)
        assert refused.status == 422
