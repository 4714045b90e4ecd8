"""Who arrives is compared with who is here: told to the case manager, never to a sender, never merged by itself."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from typing import Any

import httpx
import pytest
from parts import Service

from service.casework.records import example, write
from service.fhir.json import decode_object, encode
from service.flows.recognise import recognise

LESLIE = {
    "resourceType": "Patient",
    "identifier": [{"system": "http://hl7.org/fhir/sid/us-medicaid", "value": "TX-0142"}],
    "name": [{"family": "Moreno", "given": ["Leslie"]}],
    "birthDate": "1991-11-23",
    "gender": "female",
}
HOME = [{"line": ["12 Mill Lane"], "city": "Riverbend", "postalCode": "78701"}]


class Town:
    """Harbor's casework system and two agencies that do not know of each other."""

    def __init__(
        self, service: Service, harbor: httpx.AsyncClient, one: httpx.AsyncClient, two: httpx.AsyncClient
    ):
        self.service, self.harbor, self.one, self.two = service, harbor, one, two

    async def compared(self) -> int:
        """The worker has looked at everybody who arrived; how many."""
        looked = 0
        while now := await recognise(self.service.wiring.context):
            looked += now
        return looked

    async def asked(self) -> list[dict[str, Any]]:
        """The questions that Harbor's case managers have."""
        kind = "https://casebridge.example/fhir/CodeSystem/due-task|same-person"
        found = await self.harbor.get("/fhir/Task", params={"code": kind, "_count": "100"})
        return [each["resource"] for each in decode_object(found.content).get("entry", [])]

    async def events(self) -> list[dict[str, Any]]:
        found = await self.harbor.get("/casework/v1/events")
        return [e for e in decode_object(found.content)["events"] if e["kind"] == "possible-same-person"]


@pytest.fixture
async def town(service: Service) -> AsyncIterator[Town]:
    everything = ["system/*.cruds"]
    await service.partner("Harbor", "casework")
    await service.partner("Northside", "ehr", scopes=everything)
    await service.partner("Lakeview", "ehr", scopes=everything)
    async with AsyncExitStack() as stack:
        clients = [
            await stack.enter_async_context(await service.client(name))
            for name in ("Harbor", "Northside", "Lakeview")
        ]
        yield Town(service, *clients)


async def brought(client: httpx.AsyncClient, **more: Any) -> dict[str, Any]:
    answer = await client.post("/fhir/Patient", content=encode({**LESLIE, **more}))
    assert answer.status_code == 201, answer.text
    return decode_object(answer.content)


def pair(task: dict[str, Any]) -> set[str]:
    said = [task["focus"], task["input"][0]["valueReference"]]
    return {each["reference"].split("/_history/")[0].removeprefix("Patient/") for each in said}


async def test_two_agencies_that_know_one_person_are_a_question_for_the_case_manager(town: Town) -> None:
    first, second = await brought(town.one), await brought(town.two)
    assert await town.compared() == 2
    [task] = await town.asked()
    assert pair(task) == {first["id"], second["id"]}
    assert (task["status"], task["focus"]["reference"].endswith("/_history/1")) == ("requested", True)
    [event] = await town.events()
    assert event["task"] == f"Task/{task['id']}"
    assert (event["partners"], event["clients"]) == (["Lakeview", "Northside"], [])
    for each in (first, second):
        assert "link" not in decode_object((await town.harbor.get(f"/fhir/Patient/{each['id']}")).content)


async def test_a_client_of_ours_is_named_by_the_id_of_its_record(town: Town) -> None:
    record = {name: value for name, value in write(example("clients")).items() if name != "id"}
    for id_ in ("leslie-1", "leslie-2"):
        filed = await town.harbor.put(
            f"/casework/v1/clients/{id_}",
            content=encode(record),
            headers={"Content-Type": "application/json"},
        )
        assert filed.status_code == 201, filed.text
    await brought(town.one, address=[{"line": ["14 Mill Lane"], "postalCode": "43215"}])
    await town.compared()
    told = await town.events()
    assert {tuple(sorted(each["clients"])) for each in told} >= {("leslie-1", "leslie-2")}
    assert [each["partners"] for each in told if len(each["clients"]) == 1] == [["Northside"]]


PROBES = [
    ("GET", "Patient/$id"), ("GET", "Patient/$id/_history"), ("GET", "Patient/$id/$everything"),
    ("GET", "Task?patient=Patient/$id"), ("GET", "Patient/$id/Task"), ("GET", "_history"), ("GET", "Patient?_revinclude=*"),
    ("GET", "Patient?_has:Task:patient:status=requested"), ("GET", "Task?_summary=count"), ("GET", "?_id=$id"),
    ("POST", "Patient/$match"), ("POST", "Patient/$id/$validate?mode=delete"),
    ("PUT", "Patient/$id"), ("DELETE", "Patient/$id"), ("GET", "Patient/$id"),
]  # fmt: skip


async def test_a_sender_learns_nothing_of_it(service: Service, town: Town) -> None:
    """Northside asks everything it may about its Patient; the answers are those of a person nobody else knows."""

    async def answers(own: dict[str, Any]) -> list[tuple[int, int, str]]:
        found = []
        changed = {**own, "active": True}
        for method, path in PROBES:
            match = {"resourceType": "Parameters", "parameter": [{"name": "resource", "resource": LESLIE}]}
            content = {"PUT": encode(changed), "POST": encode(match) if "match" in path else b""}.get(
                method, b""
            )
            answer = await town.one.request(
                method, f"/fhir/{path.replace('$id', own['id'])}", content=content
            )
            body = decode_object(answer.content) if answer.content else {}
            issue = body.get("issue", [{}])[0].get("code", "")
            found.append((answer.status_code, len(body.get("entry", [])), f"{body.get('total')} {issue}"))
        return found

    own = await brought(town.one)
    await town.compared()
    alone = await answers(own)
    again = await brought(town.one)
    await brought(town.two)
    await town.compared()
    [_] = await town.asked()
    # the history of everything has grown by what Northside did meanwhile, so that one is asked about by itself
    known = await answers(again)
    assert [
        each
        for each in zip(PROBES, alone, known, strict=True)
        if each[1] != each[2] and each[0][1] != "_history"
    ] == []
    history = decode_object((await town.one.get("/fhir/_history")).content)
    assert {each["resource"]["resourceType"] for each in history["entry"] if "resource" in each} == {
        "Organization", "Patient"
    }  # fmt: skip


async def test_nobody_is_asked_twice_about_a_pair(town: Town) -> None:
    first = await brought(town.one)
    await brought(town.two)
    await town.compared()
    [task] = await town.asked()
    await town.one.put(f"/fhir/Patient/{first['id']}", content=encode({**first, "active": True}))
    assert await town.compared() == 1
    answer = await town.harbor.put(f"/fhir/Task/{task['id']}", content=encode({**task, "status": "rejected"}))
    assert answer.status_code == 200, answer.text
    await town.one.put(f"/fhir/Patient/{first['id']}", content=encode({**first, "active": False}))
    assert await town.compared() == 1
    assert [each["status"] for each in await town.asked()] == ["rejected"]
    assert len(await town.events()) == 1


async def test_whoever_was_told_apart_from_one_is_still_compared_with_others(town: Town) -> None:
    first, second = await brought(town.one), await brought(town.two)
    await town.compared()
    [task] = await town.asked()
    await town.harbor.put(f"/fhir/Task/{task['id']}", content=encode({**task, "status": "rejected"}))
    third = await brought(town.two, address=HOME)
    await town.one.put(f"/fhir/Patient/{first['id']}", content=encode({**first, "address": HOME}))
    await town.compared()
    pairs = [pair(each) for each in await town.asked()]
    assert {first["id"], third["id"]} in pairs
    assert {first["id"], second["id"]} in pairs


OTHER = {"identifier": [{"system": "http://hl7.org/fhir/sid/us-medicaid", "value": "TX-0999"}]}


@pytest.mark.parametrize(
    ("difference", "asked"),
    [
        ({**OTHER, "address": HOME}, 1),  # name, birth date and address are as sure as a number
        (OTHER, 0),  # a name and a birth date are shared by too many
        ({**OTHER, "name": [{"family": "Moreno", "given": ["Luz"]}], "address": HOME}, 0),  # her twin
        ({"birthDate": "1961-11-23"}, 0),  # her mother's number
    ],
)
async def test_only_what_is_certain_is_asked_about(
    town: Town, difference: dict[str, Any], asked: int
) -> None:
    await brought(town.one, address=HOME)
    await brought(town.two, **difference)
    await town.compared()
    assert len(await town.asked()) == asked


async def test_patients_that_name_each_other_are_no_question(town: Town) -> None:
    first = await brought(town.one)
    await brought(town.one, link=[{"other": {"reference": f"Patient/{first['id']}"}, "type": "seealso"}])
    await town.compared()
    assert await town.asked() == []


async def test_twenty_at_once_compared_by_four_workers_are_nineteen_questions(town: Town) -> None:
    people = await asyncio.gather(*(brought(town.one if n % 2 else town.two) for n in range(20)))
    await asyncio.gather(*(town.compared() for _ in range(4)))
    await town.compared()
    pairs = [frozenset(pair(each)) for each in await town.asked()]
    oldest = min(each["id"] for each in people)
    assert len(pairs) == len(set(pairs)) == 19
    assert all(oldest in each for each in pairs)


async def test_a_patient_that_went_meanwhile_is_not_asked_about(town: Town) -> None:
    first = await brought(town.one)
    await brought(town.two)
    assert (await town.one.delete(f"/fhir/Patient/{first['id']}")).status_code == 204
    await town.compared()
    assert await town.asked() == []
