"""Each thing due is one Task, whatever happens in whatever order."""

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from parts import Service, running

from service.fhir.json import decode_object, encode
from service.flows import onboard_partner
from service.flows.due import report
from service.flows.due.recount import look_again, recount
from service.flows.lead.turn import turn_covers

CODES = "https://casebridge.example/fhir/CodeSystem/timer"


class Fresh(httpx.Auth):
    """A token that is good at whatever time it is: minted whenever the clock has moved."""

    def __init__(self, office: "Office", name: str) -> None:
        self.office, self.name, self.token, self.at = office, name, "", datetime.min

    async def async_auth_flow(self, request: httpx.Request) -> AsyncGenerator[httpx.Request, httpx.Response]:
        if self.at != self.office.at:
            context = self.office.service.wiring.context
            self.at, self.token = self.office.at, await onboard_partner.mint_token(context, self.name)
        request.headers["Authorization"] = f"Bearer {self.token}"
        yield request


class Office:
    """Harbor on a clock of its own; `at` is the instant that the service believes."""

    def __init__(self) -> None:
        self.at = datetime(2026, 3, 2, 15, tzinfo=UTC)
        self.service: Service
        self.harbor: httpx.AsyncClient
        self.clinic: httpx.AsyncClient

    async def file(self, kind: str, id_: str, **record: Any) -> list[str]:
        answer = await self.harbor.put(
            f"/casework/v1/{kind}/{id_}", content=encode(record), headers={"Content-Type": "application/json"}
        )
        assert answer.status_code in (200, 201), answer.text
        return list(decode_object(answer.content)["resources"])

    async def owner(self, timer: str) -> str:
        """Who owes it, after the worker has looked at the covers and at everybody."""
        await turn_covers(self.service.wiring.context)
        await self.counted()
        [task] = await self.tasks(timer)
        return str(task["owner"]["reference"])

    async def say(self, worker: str, **said: str) -> None:
        """Who is to lead or to stand in."""
        [patient] = [
            each["resource"]["id"]
            for each in decode_object((await self.harbor.get("/fhir/Patient")).content)["entry"]
        ]
        words = [{"name": name, "valueString": value} for name, value in said.items()]
        rows = [{"name": "caseManager", "valueReference": {"reference": worker}}, *words]
        answer = await self.harbor.post(
            f"/fhir/Patient/{patient}/$primary-case-manager",
            content=encode({"resourceType": "Parameters", "parameter": rows}),
        )
        assert answer.status_code == 200, answer.text

    async def sql(self, statement: str) -> None:
        async with self.service.wiring.context.database.unit() as unit:
            await unit.execute(statement)

    async def counted(self, at: datetime | None = None) -> None:
        """The worker has looked at everybody it had to."""
        self.at = at or self.at
        for _ in range(20):
            if not await recount(self.service.wiring.context):
                return
        raise AssertionError("the worker never comes to rest")

    async def tasks(self, timer: str | None = None) -> list[dict[str, Any]]:
        found = await self.harbor.get("/fhir/Task", params={"_count": "200"})
        each = [entry["resource"] for entry in decode_object(found.content).get("entry", [])]
        return [task for task in each if timer in (None, task["reasonCode"]["coding"][0]["code"])]

    async def events(self) -> list[dict[str, Any]]:
        found = await self.harbor.get("/casework/v1/events", params={"limit": "1000"})
        return [each for each in decode_object(found.content)["events"] if "timer" in each]


@asynccontextmanager
async def office_of(database_url: str, home: Path, **settings: Any) -> AsyncIterator[Office]:
    office = Office()
    async with running(database_url, home, clock=lambda: office.at, **settings) as service:
        office.service = service
        await service.partner("Harbor", "casework")
        await service.partner("Riverbend", "ehr", scopes=["system/*.cruds"])
        async with await service.client("Harbor") as harbor, await service.client("Riverbend") as clinic:
            office.harbor, office.clinic = harbor, clinic
            harbor.auth, clinic.auth = Fresh(office, "Harbor"), Fresh(office, "Riverbend")
            yield office


@pytest.fixture
async def office(database_url: str, tmp_path: Path) -> AsyncIterator[Office]:
    async with office_of(database_url, tmp_path, time_zone="America/Chicago") as found:
        await found.file(
            "case-managers", "victoria-chen", name={"text": "Victoria Chen"}, supervisor="samuel-okafor"
        )
        await found.file("clients", "leslie", **leslie())
        yield found


def leslie(**more: Any) -> dict[str, Any]:
    episode = {"status": "active", "start": "2026-03-02", "primaryCaseManager": "victoria-chen", **more}
    return {"name": {"family": "Moreno", "given": ["Leslie"]}, "episode": episode}


def end(task: dict[str, Any]) -> str:
    return str(task["restriction"]["period"]["end"])


async def test_an_opened_case_has_its_tasks_and_counting_again_changes_nothing(office: Office) -> None:
    await office.counted()
    first = await office.tasks()
    assert {t["reasonCode"]["coding"][0]["code"] for t in first} == {"T16", "T18a", "T18b"}
    assert {t["status"] for t in first} == {"requested"}
    await office.file("clients", "leslie", **leslie())
    await office.counted(office.at + timedelta(minutes=5))
    assert await office.tasks() == first
    for task in first:
        findings = office.service.wiring.context.check(task, task["meta"]["profile"])
        assert [str(each) for each in findings if each.fails] == []


async def test_a_revised_date_moves_the_task_and_makes_no_second(office: Office) -> None:
    referral = {"client": "leslie", "service": "transitional-housing", "requested": "2026-03-09"}
    for start, expected in (("2026-03-11", "2026-03-14T05:00"), ("2026-03-18", "2026-03-21T05:00")):
        await office.file("referrals", "room", **referral, period={"start": start})
        await office.counted()
        [task] = await office.tasks("T1")
        assert end(task).startswith(expected)
    assert task["meta"]["versionId"] == "2"
    assert task["focus"]["reference"].startswith("ServiceRequest/")


async def test_what_is_late_goes_to_the_supervisor_and_is_told_at_each_step(office: Office) -> None:
    complaint = {"client": "leslie", "received": "2026-03-06T16:00:00-06:00", "words": "No bus after six."}
    office.at = datetime(2026, 3, 6, 22, 5, tzinfo=UTC)
    await office.file("complaints", "bus", **complaint)
    await office.counted()
    [task] = await office.tasks("T13")
    assert (task["priority"], end(task)) == ("stat", "2026-03-07T06:00:00.000Z")
    await office.counted(datetime(2026, 3, 7, 6, tzinfo=UTC))
    [late] = await office.tasks("T13")
    assert late["owner"] != task["owner"]
    reply = {"text": "A ride is asked for.", "at": "2026-03-09T09:00:00-05:00"}
    office.at = datetime(2026, 3, 9, 14, tzinfo=UTC)
    await office.file("complaints", "bus", **complaint, status="answered", replies=[reply])
    await office.counted()
    [done] = await office.tasks("T13")
    assert (done["status"], done["id"]) == ("completed", task["id"])
    told = [each for each in await office.events() if each["timer"] == "T13"]
    assert [(each["kind"], each["owner"]) for each in told] == [
        ("due", "victoria-chen"), ("escalated", "samuel-okafor"), ("due-closed", "samuel-okafor"),
    ]  # fmt: skip


async def test_a_clock_set_back_untells_nothing_and_doubles_nothing(office: Office) -> None:
    late = datetime(2026, 4, 20, 12, tzinfo=UTC)
    await office.counted(late)
    tasks, events = await office.tasks(), await office.events()
    await office.file("encounters", "call", client="leslie", mode="phone", start="2026-03-03T10:00:00-06:00")
    await office.counted(late - timedelta(days=30))
    assert (await office.tasks(), await office.events()) == (tasks, events)


async def test_a_fact_that_comes_late_completes_the_task_and_one_taken_back_opens_it_again(
    office: Office,
) -> None:
    await office.counted(datetime(2026, 4, 20, 12, tzinfo=UTC))
    assessment = {"client": "leslie", "instrument": "prapare", "taken": "2026-03-10T10:00:00-05:00"}
    await office.file("assessments", "first", **assessment)
    await office.counted()
    [task] = await office.tasks("T18a")
    assert (task["status"], task["output"][0]["valueReference"]["reference"].split("/")[0]) == (
        "completed", "QuestionnaireResponse",
    )  # fmt: skip
    await office.file("assessments", "first", **assessment, status="entered-in-error")
    await office.counted()
    [task] = await office.tasks("T18a")
    assert (task["status"], "output" in task) == ("requested", False)


def role(resources: list[str]) -> str:
    return next(each for each in resources if each.startswith("PractitionerRole/"))


async def colleagues(office: Office) -> tuple[str, str]:
    """Victoria and Ana, as they are referred to."""
    filed = [
        await office.file("case-managers", id_, name={"text": id_}, supervisor="samuel-okafor")
        for id_ in ("victoria-chen", "ana-ruiz")
    ]
    return role(filed[0]), role(filed[1])


async def test_during_a_cover_what_is_due_goes_to_who_stands_in_and_then_back(office: Office) -> None:
    victoria, ana = await colleagues(office)
    assert await office.owner("T16") == victoria
    await office.say(ana, **{"as": "cover", "start": "2026-03-04", "end": "2026-03-09"})
    found = []
    for day in (3, 4, 8, 9):
        office.at = datetime(2026, 3, day, 18, tzinfo=UTC)
        found.append(await office.owner("T16"))
    assert found == [victoria, ana, ana, victoria]
    await office.say(ana, **{"as": "cover", "start": "2026-03-09", "end": "2026-03-12"})
    assert await office.owner("T16") == ana
    await office.say(ana, **{"as": "cover", "end": "2026-03-09"})
    assert await office.owner("T16") == victoria, "a cover that is ended early has ended"
    told = [each["timer"] for each in await office.events() if each["timer"] == "T16"]
    assert told == [], "whose it is tells no stage anew"


async def test_what_is_due_is_owed_by_who_leads_whatever_the_record_says(office: Office) -> None:
    victoria, ana = await colleagues(office)
    assert await office.owner("T16") == victoria
    await office.say(ana, instead=victoria)
    await office.file("clients", "leslie", **leslie(intensity="standard"))
    assert await office.owner("T16") == ana
    await office.sql(
        "UPDATE lead SET worker = 'PractitionerRole/abroad', agency = 'Organization/abroad', record = ''"
    )
    await office.sql("UPDATE due_client SET look = '-infinity'")
    assert await office.owner("T16") == "PractitionerRole/abroad"
    office.at = datetime(2026, 6, 1, 12, tzinfo=UTC)
    assert await office.owner("T16") == "Organization/abroad", "late, and nobody there is known to supervise"


async def test_a_person_may_close_the_task_by_hand(office: Office) -> None:
    await office.counted()
    [task] = await office.tasks("T16")
    answer = await office.harbor.put(
        f"/fhir/Task/{task['id']}", content=encode({**task, "status": "completed"})
    )
    assert answer.status_code == 200, answer.text
    for hours in (1, 2, 3000):
        await office.counted(office.at + timedelta(hours=hours))
        [task] = await office.tasks("T16")
        assert (task["status"], task["meta"]["versionId"]) == ("completed", "2")


async def test_a_closed_case_owes_nothing_more(office: Office) -> None:
    await office.counted()
    closed = leslie(status="finished", end="2026-03-05")
    office.at = datetime(2026, 3, 6, 12, tzinfo=UTC)
    await office.file("clients", "leslie", **closed)
    await office.counted()
    assert {task["status"] for task in await office.tasks()} == {"cancelled"}


async def test_a_withdrawn_client_owes_nothing_more(office: Office) -> None:
    await office.counted()
    gone = await office.harbor.delete("/casework/v1/clients/leslie")
    assert gone.status_code == 204, gone.text
    await office.counted()
    assert {task["status"] for task in await office.tasks()} == {"cancelled"}


async def test_a_hospitals_notice_asks_for_a_reassessment_within_48_hours(office: Office) -> None:
    await office.counted()
    episodes = await office.harbor.get("/fhir/Patient")
    [patient] = [entry["resource"] for entry in decode_object(episodes.content)["entry"]]
    office.at = datetime(2026, 7, 14, 19, 30, tzinfo=UTC)
    stay = {
        "resourceType": "Encounter", "status": "in-progress", "subject": {"reference": f"Patient/{patient['id']}"},
        "class": {"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "IMP"},
        "type": [{"text": "Inpatient stay"}], "period": {"start": "2026-07-10"},
    }  # fmt: skip
    made = await office.clinic.post("/fhir/Encounter", content=encode(stay))
    assert made.status_code == 201, made.text
    await office.counted()
    assert await office.tasks("T9") == []
    office.at += timedelta(hours=2)
    leaving = {**decode_object(made.content), "period": {"start": "2026-07-10", "end": "2026-07-16"}}
    told = await office.clinic.put(f"/fhir/Encounter/{leaving['id']}", content=encode(leaving))
    assert told.status_code == 200, told.text
    await office.counted()
    [task] = await office.tasks("T9")
    assert (task["priority"], end(task)) == ("asap", "2026-07-16T21:30:00.000Z")
    gone = await office.clinic.delete(f"/fhir/Encounter/{leaving['id']}")
    assert gone.status_code in (200, 204), "our Task does not keep the clinic's Encounter from deletion"
    await office.counted()
    [task] = await office.tasks("T9")
    assert task["status"] == "cancelled"


async def test_other_limits_count_for_every_case_within_a_day_of_the_start(
    database_url: str, tmp_path: Path
) -> None:
    choice = tmp_path / "timers.json"
    choice.write_bytes(encode({"T16": {"due": 5}}))
    async with office_of(database_url, tmp_path, time_zone="America/Chicago") as office:
        await office.file("clients", "leslie", **leslie())
        await office.counted(datetime(2026, 3, 3, 15, tzinfo=UTC))
        [before] = await office.tasks("T16")
    async with running(
        database_url, tmp_path, clock=lambda: office.at, time_zone="America/Chicago", timers=str(choice)
    ) as service:
        office.service = service
        async with await service.client("Harbor") as harbor:
            office.harbor, harbor.auth = harbor, Fresh(office, "Harbor")
            await look_again(service.wiring.context)
            await office.counted(office.at + timedelta(days=1))
            [after] = await office.tasks("T16")
    assert (end(before)[:10], end(after)[:10]) == ("2026-03-17", "2026-03-10")


async def test_who_comes_off_the_waiting_list_was_served(office: Office) -> None:
    person = {"name": {"family": "Bell"}}
    await office.file("clients", "kim", **person, episode={"status": "waitlist", "start": "2026-03-02"})
    await office.counted()
    [task] = await office.tasks("T12")
    assert end(task).startswith("2026-04-03T05:00")
    office.at = datetime(2026, 4, 1, 15, tzinfo=UTC)
    served = {"status": "active", "start": "2026-04-01", "primaryCaseManager": "victoria-chen"}
    await office.file("clients", "kim", **person, episode=served)
    await office.counted()
    [task] = await office.tasks("T12")
    assert (task["status"], "output" in task) == ("completed", True)


async def test_what_is_said_to_be_done_today_is_done_at_once_however_early_the_hour(office: Office) -> None:
    await office.file("care-plans", "plan", client="leslie", created="2026-03-02")
    await office.counted(datetime(2026, 6, 1, 14, tzinfo=UTC))
    review = {"on": "2026-06-01", "found": "On the way."}
    await office.file("care-plans", "plan", client="leslie", created="2026-03-02", reviews=[review])
    await office.counted()
    statuses = {task["identifier"][0]["value"][-1]: task["status"] for task in await office.tasks("T4")}
    assert statuses == {"1": "completed", "2": "requested"}


async def test_four_contacts_are_asked_of_months_that_were_intensive_throughout(office: Office) -> None:
    await office.file("clients", "leslie", **leslie(intensity="intensive"))
    for day in ("2026-04-01", "2026-05-01", "2026-06-01"):
        await office.counted(datetime.fromisoformat(f"{day}T15:00:00+00:00"))
    office.at = datetime(2026, 6, 10, 15, tzinfo=UTC)
    await office.file("clients", "leslie", **leslie(intensity="general"))
    await office.counted(datetime(2026, 8, 3, 15, tzinfo=UTC))
    found = {task["identifier"][0]["value"][-7:]: task["status"] for task in await office.tasks("T10")}
    assert found == {"2026-04": "requested", "2026-05": "requested", "2026-06": "cancelled"}
    may, july = [
        (await report.caseloads(office.service.wiring.context, month))[0] for month in ("2026-05", "2026-07")
    ]
    assert (may.intensive, may.below, july.intensive, july.expected) == (1, 1, 0, 0)


async def test_a_contact_with_the_family_counts_and_one_with_an_agency_does_not(office: Office) -> None:
    rosa = {"id": "rosa", "relationship": "mother"}
    await office.file("clients", "leslie", **leslie(intensity="intensive"), supports=[rosa])
    await office.counted(datetime(2026, 4, 1, 14, tzinfo=UTC))
    for day in range(1, 9):
        family = (
            {"direct": False, "supports": ["rosa"]} if day % 2 else {"direct": False, "others": ["landlord"]}
        )
        start = f"2026-04-0{day}T15:00:00Z"
        office.at = datetime.fromisoformat(start)
        await office.file("encounters", f"call-{day}", client="leslie", mode="phone", start=start, **family)
    await office.counted()
    [load] = await report.caseloads(office.service.wiring.context, "2026-04")
    assert (load.contacts, load.below) == (4, 0)
    [april] = await office.tasks("T10")
    assert april["status"] == "completed"
