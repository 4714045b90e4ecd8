"""The same need served twice: found, told to whom the client's consents let, a Task to the primary, and what came of it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import pytest
from flows.test_recount import Fresh
from parts import Service, running

from service.coordination.measures.counting import Asked
from service.fhir.json import decode_object, encode
from service.flows.duplicates.look import look
from service.flows.duplicates.report import duplicates_report
from service.flows.measures.tell import told as measured

JSON = {"Content-Type": "application/json"}
KIND = "https://casebridge.example/fhir/CodeSystem/due-task|possible-duplicate"
BUDGETING = {
    "coding": [{"system": "http://snomed.info/sct", "code": "662881000124103"}],
    "text": "Budgeting course",
}


class Town:
    """Harbor with Victoria, who leads Leslie's case; Northside and Lakeview. `at` is what the service believes."""

    def __init__(self, service: Service) -> None:
        self.service, self.at = service, datetime(2026, 4, 14, 15, tzinfo=UTC)
        self.harbor: httpx.AsyncClient
        self.northside: httpx.AsyncClient
        self.organizations: dict[str, str] = {}
        self.patient = ""

    async def file(self, kind: str, id_: str, **record: Any) -> dict[str, Any]:
        answer = await self.harbor.put(f"/casework/v1/{kind}/{id_}", content=encode(record), headers=JSON)
        assert answer.status_code in (200, 201), answer.text
        return decode_object(answer.content)

    async def compared(self) -> None:
        """The worker has looked at everybody it had to."""
        for _ in range(20):
            if not await look(self.service.wiring.context):
                return
        raise AssertionError("the worker never comes to rest")

    async def found(self, client: httpx.AsyncClient, path: str) -> list[dict[str, Any]]:
        answer = await client.get(f"/fhir/{path}")
        assert answer.status_code == 200, answer.text
        return [each["resource"] for each in decode_object(answer.content).get("entry", [])]

    async def tasks(self) -> list[dict[str, Any]]:
        return await self.found(self.harbor, f"Task?code={KIND}")

    async def events(self) -> list[dict[str, Any]]:
        found = await self.harbor.get("/casework/v1/events", params={"limit": "1000"})
        return [e for e in decode_object(found.content)["events"] if e["kind"].startswith("duplicate-")]

    async def course(self, **more: Any) -> dict[str, Any]:
        """Victoria asks Lakeview for a budgeting course; what the record's answer says."""
        said = {"client": "leslie", "service": "budgeting", "requested": "2026-04-01", "recipient": "lakeview",
                "requester": "victoria-chen", "period": {"start": "2026-04-06", "end": "2026-06-15"},
                "timing": "twice a week", **more}  # fmt: skip
        return await self.file("referrals", "course", **said)

    async def theirs(self, **more: Any) -> dict[str, Any]:
        """Marcus asks for one too, in Northside's own system."""
        body = {
            "resourceType": "ServiceRequest", "status": "active", "intent": "order", "code": BUDGETING,
            "subject": {"reference": self.patient}, "requester": {"reference": self.organizations["Northside"]},
            "authoredOn": "2026-04-10",
            "occurrenceTiming": {"repeat": {"boundsPeriod": {"start": "2026-04-13", "end": "2026-06-30"},
                                            "frequency": 2, "period": 1, "periodUnit": "wk"}}, **more,
        }  # fmt: skip
        answer = await self.northside.post("/fhir/ServiceRequest", content=encode(body))
        assert answer.status_code == 201, answer.text
        return decode_object(answer.content)

    async def consent(self, recipient: str = "northside", **more: Any) -> None:
        """Leslie lets an agency receive everything that her care needs."""
        await self.file("consents", f"to-{recipient}", **{
            "client": "leslie", "discloser": "harbor", "expires": "2027-03-05", "explained": "2026-03-05",
            "permissions": [{"recipients": [{"agency": recipient}], "information": ["everything"],
                             "purposes": ["treatment", "coordination-of-care"]}],
            "signature": {"by": "client", "name": "Leslie Moreno", "at": "2026-03-05T14:20:00-05:00"},
            "statements": ["right-to-revoke", "redisclosure", "consequence-of-refusal"], **more,
        })  # fmt: skip


@asynccontextmanager
async def town_of(database_url: str, home: Path) -> AsyncIterator[Town]:
    clocked: list[Town] = []
    async with running(
        database_url, home, clock=lambda: clocked[0].at if clocked else datetime.now(UTC)
    ) as service:
        town = Town(service)
        clocked.append(town)
        for name, role in (("Harbor", "casework"), ("Northside", "ehr"), ("Lakeview", "ehr")):
            made = await service.partner(name, role, scopes=["system/*.cruds"])
            town.organizations[name] = made["organization"]
        async with await service.client("Harbor") as harbor, await service.client("Northside") as northside:
            town.harbor, town.northside = harbor, northside
            harbor.auth, northside.auth = Fresh(town, "Harbor"), Fresh(town, "Northside")  # type: ignore[arg-type]
            for agency in ("Harbor", "Northside", "Lakeview"):
                await town.file("agencies", agency.lower(), name=agency)
            await town.file("case-managers", "victoria-chen", name={"text": "Victoria Chen"})
            filed = await town.file(
                "clients", "leslie", name={"family": "Moreno", "given": ["Leslie"]},
                episode={"status": "active", "start": "2026-03-02", "primaryCaseManager": "victoria-chen"},
            )  # fmt: skip
            town.patient = next(each for each in filed["resources"] if each.startswith("Patient/"))
            yield town


@pytest.fixture
async def town(database_url: str, tmp_path: Path) -> AsyncIterator[Town]:
    async with town_of(database_url, tmp_path) as found:
        yield found


async def test_a_hidden_match_is_a_task_to_the_primary_and_nothing_to_who_asked(town: Town) -> None:
    await town.course()
    await town.theirs()
    await town.compared()
    [task] = await town.tasks()
    assert task["owner"]["reference"].startswith("PractitionerRole/")
    assert (task["status"], task["for"]["reference"]) == ("requested", town.patient)
    assert {each["valueReference"].get("display") for each in task["input"][:2]} == {"Harbor", "Northside"}
    assert [each["valueReference"]["reference"] for each in task["input"][2:]] == [
        town.organizations["Northside"]
    ]
    for path in ("DetectedIssue", "Task", "DetectedIssue/_history", "Task/_history"):
        answer = await town.northside.get(f"/fhir/{path}")
        assert task["id"].encode() not in answer.content
        assert decode_object(answer.content).get("entry", []) == []
    for path in (f"DetectedIssue/{task['id']}", f"Task/{task['id']}"):
        assert (await town.northside.get(f"/fhir/{path}")).status_code == 404
    [event] = await town.events()
    assert (event["kind"], event["client"], event["service"]) == ("duplicate-found", "leslie", "budgeting")
    assert (event["grade"], event["hiddenFrom"]) == ("certain", ["Northside"])


async def test_with_the_clients_consent_both_are_named_to_who_asked(town: Town) -> None:
    await town.consent()
    await town.course()
    await town.theirs()
    await town.compared()
    [issue] = await town.found(town.northside, "DetectedIssue")
    assert issue["code"]["coding"][0]["code"] == "DUPTHPY"
    assert len(issue["implicated"]) == 2
    assert (issue["status"], issue["severity"]) == ("preliminary", "moderate")
    findings = town.service.wiring.context.check(issue, issue["meta"]["profile"])
    assert [str(each) for each in findings if each.fails] == []
    [task] = await town.tasks()
    assert [each["type"]["coding"][0]["code"] for each in task["input"]] == ["possible-duplicate"] * 2
    assert await town.found(town.northside, f"Task?code={KIND}") == []


async def test_a_consent_that_comes_later_tells_it_and_one_that_goes_takes_it_away(town: Town) -> None:
    await town.course()
    await town.theirs()
    await town.compared()
    assert await town.found(town.northside, "DetectedIssue") == []
    await town.consent()
    await town.compared()
    assert len(await town.found(town.northside, "DetectedIssue")) == 1
    await town.consent(status="inactive", revoked={"at": "2026-04-14T12:00:00Z", "how": "written"})
    assert await town.found(town.northside, "DetectedIssue") == []
    await town.compared()
    connection = await asyncpg.connect(town.service.wiring.url)
    shares = await connection.fetch("SELECT 1 FROM share WHERE type = 'DetectedIssue'")
    await connection.close()
    assert shares == []
    [task] = await town.tasks()
    assert "hidden-from" in [each["type"]["coding"][0]["code"] for each in task["input"]]


async def test_the_answer_to_our_own_record_names_the_other_at_once(town: Town) -> None:
    await town.theirs()
    answer = await town.course()
    [note] = [each for each in answer["notes"] if each["text"].startswith("possible duplicate, certain")]
    assert "Northside" in note["text"]
    assert note["pointer"] == "/service"


async def test_looking_again_changes_nothing(town: Town) -> None:
    await town.course()
    await town.theirs()
    await town.compared()
    before = await town.tasks()
    town.at += timedelta(days=1)
    await town.file("care-plans", "plan", client="leslie", title="A home")
    await town.compared()
    assert await town.tasks() == before
    assert len(await town.events()) == 1


async def test_one_is_withdrawn_and_what_is_not_given_twice_is_counted(town: Town) -> None:
    """STORY.md step 6."""
    await town.consent()
    await town.course()
    theirs = await town.theirs()
    await town.compared()
    answer = await town.northside.put(
        f"/fhir/ServiceRequest/{theirs['id']}", content=encode({**theirs, "status": "revoked"})
    )
    assert answer.status_code == 200, answer.text
    await town.compared()
    [task] = await town.tasks()
    assert task["status"] == "completed"
    assert task["output"][0]["valueReference"]["reference"] == f"ServiceRequest/{theirs['id']}/_history/2"
    [issue] = await town.found(town.northside, "DetectedIssue")
    assert (issue["status"], issue["mitigation"][0]["action"]["coding"][0]["code"]) == ("final", "13")
    told = await town.events()
    assert [each["kind"] for each in told] == ["duplicate-found", "duplicate-resolved"]
    assert (told[1]["how"], told[1]["withdrawn"]) == ("withdrawn", f"ServiceRequest/{theirs['id']}")
    line, total = await duplicates_report(town.service.wiring.context)
    assert (line.service, line.found, line.withdrawn, line.open) == ("budgeting", 1, 1, 0)
    assert line.sessions == 17.7  # 62 days until Victoria's course ends, twice a week
    assert total.found == 1
    [measure] = (await measured(town.service.wiring.context, ["duplicates"], Asked())).results
    whole = measure.rates[0]
    assert (whole.numerator, whole.denominator, whole.typical) == (1, 1, 17.7), "the measure says the same"
    again = {**theirs, "status": "active"}
    await town.northside.put(f"/fhir/ServiceRequest/{theirs['id']}", content=encode(again))
    await town.compared()
    assert [each["status"] for each in await town.tasks()] == ["requested"]
    assert [each["kind"] for each in await town.events()][-1] == "duplicate-found"


async def test_a_person_keeps_both_and_says_why(town: Town) -> None:
    await town.course()
    await town.theirs()
    await town.compared()
    [task] = await town.tasks()
    said = {**task, "status": "rejected", "statusReason": {"text": "one is for her, one for the family"}}
    assert (await town.harbor.put(f"/fhir/Task/{task['id']}", content=encode(said))).status_code == 200
    await town.compared()
    await town.compared()
    [issue] = await town.found(town.harbor, "DetectedIssue")
    assert issue["mitigation"][0]["action"]["coding"][0]["code"] == "1"
    assert issue["mitigation"][0]["action"]["text"] == "kept: one is for her, one for the family"
    assert [each["status"] for each in await town.tasks()] == ["rejected"]
    assert [each.get("how") for each in await town.events()] == [None, "kept"]


async def test_what_ends_by_itself_is_over_on_the_next_day(town: Town) -> None:
    await town.course(period={"start": "2026-04-06", "end": "2026-04-20"})
    await town.theirs()
    await town.compared()
    town.at = datetime(2026, 4, 20, 20, tzinfo=UTC)
    await town.compared()
    assert [each["status"] for each in await town.tasks()] == ["requested"]
    town.at = datetime(2026, 4, 21, 20, tzinfo=UTC)
    await town.compared()
    assert [each["status"] for each in await town.tasks()] == ["cancelled"]
    assert [each.get("how") for each in await town.events()] == [None, "over"]


async def test_a_plan_of_a_partner_counts_as_a_request_does(town: Town) -> None:
    await town.course()
    plan = {
        "resourceType": "CarePlan", "status": "active", "intent": "plan", "subject": {"reference": town.patient},
        "period": {"start": "2026-04-10"},
        "activity": [{"detail": {"status": "in-progress", "code": BUDGETING, "description": "weekly"}}],
    }  # fmt: skip
    assert (await town.northside.post("/fhir/CarePlan", content=encode(plan))).status_code == 201
    await town.compared()
    [issue] = await town.found(town.harbor, "DetectedIssue")
    assert issue["detail"].endswith("but not equally often: they may complement each other")


async def test_what_is_found_keeps_nothing_from_being_deleted(town: Town) -> None:
    await town.course()
    theirs = await town.theirs()
    await town.compared()
    assert (await town.northside.delete(f"/fhir/ServiceRequest/{theirs['id']}")).status_code == 204
    await town.compared()
    assert [each.get("how") for each in await town.events()] == [None, "withdrawn"]


async def test_a_primary_at_a_partner_is_asked_only_where_consent_lets_it_see_both(town: Town) -> None:
    role = {
        "resourceType": "PractitionerRole",
        "organization": {"reference": town.organizations["Northside"]},
    }
    answer = await town.harbor.post("/fhir/PractitionerRole", content=encode(role))
    marcus = f"PractitionerRole/{decode_object(answer.content)['id']}"
    await town.consent()
    path = f"/fhir/{town.patient}/$primary-case-manager"
    said = {"resourceType": "Parameters", "parameter": [
        {"name": "caseManager", "valueReference": {"reference": marcus}}]}  # fmt: skip
    assert (await town.harbor.post(path, content=encode(said))).status_code == 200
    transfer = "https://casebridge.example/fhir/CodeSystem/due-task|confirm-transfer"
    [asked] = await town.found(town.northside, f"Task?code={transfer}")
    answer = await town.northside.put(
        f"/fhir/Task/{asked['id']}", content=encode({**asked, "status": "completed"})
    )
    assert answer.status_code == 200, answer.text
    await town.course()
    await town.theirs()
    await town.compared()
    [task] = await town.found(town.northside, f"Task?code={KIND}")
    assert task["owner"]["reference"] == marcus
    wrong = await town.northside.put(
        f"/fhir/Task/{task['id']}", content=encode({**task, "status": "rejected", "description": "nothing"})
    )
    assert wrong.status_code == 422
    said = {**task, "status": "rejected", "note": [{"text": "both, on purpose"}]}
    answer = await town.northside.put(f"/fhir/Task/{task['id']}", content=encode(said))
    assert answer.status_code == 200, answer.text
    await town.compared()
    assert [(each.get("how"), each.get("reason")) for each in await town.events()] == [
        (None, None), ("kept", "both, on purpose")
    ]  # fmt: skip
    await town.consent(status="inactive", revoked={"at": "2026-04-14T12:00:00Z", "how": "written"})
    await town.theirs(authoredOn="2026-04-11")
    await town.compared()
    [other] = [each for each in await town.tasks() if each["id"] != task["id"]]
    assert other["owner"]["reference"] == town.organizations["Harbor"]
    assert await town.found(town.northside, f"Task?code={KIND}") == []
