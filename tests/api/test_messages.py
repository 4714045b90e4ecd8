"""POST $process-message: what is taken once, what is answered again, and what is refused with its place (BSeR)."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
from parts import Service

from service.fhir.json import JsonObject, decode_object, encode
from service.simulator import letter
from service.simulator.staff import spoken

HARBOR, LAKEVIEW = "Harbor Recovery Services", "Lakeview Employment Center"
BASE = "https://lakeview.example/fhir"
EVENT = {"system": "http://terminology.hl7.org/CodeSystem/v2-0003", "code": "I12"}
WISH = {
    "patient": {"name": [{"family": "Moreno", "given": ["Leslie"]}], "birthDate": "1991-11-23"},
    "service": "Job training",
    "reason": "She asked for work.",
}


@dataclass
class Office:
    """Harbor's service, Lakeview's access to it, and the messages between them."""

    service: Service
    lakeview: httpx.AsyncClient
    harbor: httpx.AsyncClient
    organization: str

    def referral(self, number: str = "1") -> list[JsonObject]:
        return letter.resources(BASE, number, {**WISH, "requester": {"reference": self.organization}})

    async def post(self, message: JsonObject) -> httpx.Response:
        return await self.lakeview.post("/fhir/$process-message", content=encode(message))

    async def send(self, message: JsonObject) -> tuple[str, JsonObject]:
        """(code, first issue) of the answer."""
        answer = await self.post(message)
        assert answer.status_code == 200, answer.text
        return read(answer)

    async def events(self) -> list[str]:
        answer = decode_object((await self.harbor.get("/casework/v1/events")).content)
        return [each["kind"] for each in answer["events"] if each["kind"].startswith("referral-")]

    async def task(self) -> JsonObject:
        answer = await self.harbor.get("/fhir/Task?identifier=" + f"{BASE}/referral|1")
        [entry] = decode_object(answer.content)["entry"]
        return entry["resource"]


def read(answer: httpx.Response) -> tuple[str, JsonObject]:
    bundle = decode_object(answer.content)
    header, *rest = [each["resource"] for each in bundle["entry"]]
    return header["response"]["code"], rest[0]["issue"][0] if rest else {}


def message(id_: str, resources: list[JsonObject], **header: Any) -> JsonObject:
    """About the last of the resources."""
    rows = letter.bundle("1", resources)["entry"]
    entries = [{"fullUrl": each["fullUrl"], "resource": each["resource"]} for each in rows]
    head = {"resourceType": "MessageHeader", "id": id_, "eventCoding": EVENT, "source": {"endpoint": BASE}}
    head |= {"focus": [{"reference": entries[-1]["fullUrl"]}], **header}
    return {
        "resourceType": "Bundle", "type": "message", "timestamp": "2026-03-09T10:00:00Z",
        "entry": [{"fullUrl": f"urn:uuid:{id_}", "resource": head}, *entries],
    }  # fmt: skip


def moved(task: JsonObject, status: str, business: str = "", **more: Any) -> JsonObject:
    changed = {**task, "status": status, **more}
    return changed | spoken(business) if business else changed


@pytest.fixture
async def office(service: Service) -> AsyncIterator[Office]:
    await service.partner(HARBOR, "casework")
    roles = ("referral-source", "referral-recipient")
    found = await service.partner(
        LAKEVIEW, *roles, fhir_base=BASE, dialect="bser", agreed=("transport=message",)
    )
    async with await service.client(LAKEVIEW) as lakeview, await service.client(HARBOR) as harbor:
        yield Office(service, lakeview, harbor, f"{service.base}/{found['organization']}")


async def test_the_same_message_again_is_answered_the_same_and_does_nothing(office: Office) -> None:
    sent = message("m1", office.referral())
    first = await office.post(sent)
    again = await office.post({**sent, "id": "another-envelope", "timestamp": "2026-03-09T11:00:00Z"})

    assert read(first) == ("ok", {})
    assert again.content == first.content
    assert await office.events() == ["referral-received"]


async def test_the_same_message_twice_at_once_is_taken_once(office: Office) -> None:
    sent = message("m1", office.referral())
    answers = await asyncio.gather(*(office.post(sent) for _ in range(4)))

    assert {each.content for each in answers} == {answers[0].content}
    assert read(answers[0]) == ("ok", {})
    assert await office.events() == ["referral-received"]


async def test_another_message_under_the_same_id_is_refused(office: Office) -> None:
    await office.send(message("m1", office.referral()))
    code, issue = await office.send(message("m1", office.referral("2")))
    assert (code, issue["expression"]) == ("fatal-error", ["Bundle.entry[0].resource.id"])


async def test_a_refusal_is_not_remembered(office: Office) -> None:
    patient, request, task = office.referral()
    early = message("m1", [patient, request, moved(task, "accepted", "3.0")])
    assert (await office.send(early))[0] == "fatal-error"
    assert (await office.send(message("m0", [patient, request, task])))[0] == "ok"
    code, issue = await office.send(early)
    assert (code, issue["expression"]) == ("fatal-error", ["Bundle.entry[3].resource.status"]), "not its move"


HEAD = "Bundle.entry[0].resource"
WRONG: dict[str, tuple[dict[str, Any], str]] = {
    "an event we do not know": ({"eventCoding": {**EVENT, "code": "I13"}}, f"{HEAD}.event"),
    "no focus": ({"focus": []}, f"{HEAD}.focus"),
    "a focus that is not in it": ({"focus": [{"reference": "Task/1"}]}, f"{HEAD}.focus"),
    "another address": (
        {"destination": [{"endpoint": "https://elsewhere.example/fhir"}]},
        f"{HEAD}.destination",
    ),
}


@pytest.mark.parametrize("name", WRONG)
async def test_what_is_wrong_with_its_header_is_named(office: Office, name: str) -> None:
    header, place = WRONG[name]
    code, issue = await office.send(message("m1", office.referral(), **header))
    assert (code, issue["expression"]) == ("fatal-error", [place])
    assert await office.events() == []


async def test_nobody_speaks_for_another_agency(office: Office) -> None:
    other = await office.service.partner("Northside Housing Partnership", "referral-source")
    northside = f"{office.service.base}/{other['organization']}"
    code, issue = await office.send(message("m1", office.referral(), sender={"reference": northside}))
    assert (code, issue["expression"]) == ("fatal-error", [f"{HEAD}.sender"])
    patient, request, task = office.referral()
    task = {**task, "requester": {"reference": northside}}
    code, issue = await office.send(message("m2", [patient, request, task]))
    assert (code, issue["expression"]) == ("fatal-error", ["Bundle.entry[3].resource.requester"])


async def test_a_partner_of_another_dialect_is_told_so(office: Office) -> None:
    await office.service.partner("Northside Housing Partnership", "referral-source")
    async with await office.service.client("Northside Housing Partnership") as northside:
        answer = await northside.post(
            "/fhir/$process-message", content=encode(message("m1", office.referral()))
        )
    assert read(answer)[0] == "fatal-error"


@pytest.mark.parametrize("body", [
    {"resourceType": "Patient"},
    {"resourceType": "Bundle", "type": "transaction", "entry": []},
    {"resourceType": "Bundle", "type": "message", "entry": [{"resource": {"resourceType": "Task"}}]},
    {"resourceType": "Bundle", "type": "message", "entry": [{"resource": {"resourceType": "MessageHeader"}}]},
    {"resourceType": "Bundle", "type": "message", "entry": [7]},
    {"resourceType": "Parameters", "parameter": [{"name": "async", "valueBoolean": True}]},
])  # fmt: skip
async def test_what_is_no_message_is_refused_by_status(office: Office, body: JsonObject) -> None:
    answer = await office.post(body)
    assert answer.status_code in (400, 501)
    assert decode_object(answer.content)["resourceType"] == "OperationOutcome"


async def test_a_message_may_be_a_parameter(office: Office) -> None:
    row = {"name": "content", "resource": message("m1", office.referral())}
    assert (await office.send({"resourceType": "Parameters", "parameter": [row]}))[0] == "ok"


async def test_a_token_without_the_scopes_is_refused_by_status(office: Office) -> None:
    await office.service.partner("Mill Street", "referral-source", dialect="bser", scopes=["system/Task.rs"])
    asked = letter.resources(BASE, "1", {**WISH, "requester": {"display": "Mill Street"}})
    async with await office.service.client("Mill Street") as client:
        answer = await client.post("/fhir/$process-message", content=encode(message("m1", asked)))
    assert answer.status_code == 403


async def test_what_we_have_no_type_for_is_kept_as_a_document(office: Office) -> None:
    """BSeR puts documents into its messages, as Bundles of their own."""
    patient, request, task = office.referral()
    sent = message("m1", [patient, request, task])
    paper = {"fullUrl": "urn:uuid:0a", "resource": {"resourceType": "Bundle", "type": "document"}}
    sent["entry"].insert(2, paper)
    sent["entry"][-1]["resource"]["input"] = [
        {"type": {"text": "payload"}, "valueReference": {"reference": "urn:uuid:0a"}}
    ]
    assert (await office.send(sent))[0] == "ok"
    task = await office.task()
    kept = task["input"][0]["valueReference"]["reference"]
    assert kept.startswith("DocumentReference/")
    document = decode_object((await office.harbor.get(f"/fhir/{kept}")).content)
    assert document["subject"] == task["for"]


async def test_a_relative_reference_is_the_senders_own(office: Office) -> None:
    own = {"reference": "Organization/1"}
    patient, request, task = office.referral()
    sent = message("m1", [patient, request, {**task, "requester": own}], sender=own)
    assert (await office.send(sent))[0] == "ok"
    assert (await office.task())["requester"] == {"reference": f"{BASE}/Organization/1"}


async def test_who_asked_asks_to_cancel_and_is_answered(office: Office) -> None:
    patient, request, task = office.referral()
    await office.send(message("m1", [patient, request, task]))
    ours = (await office.task())["id"]
    silent = moved(task, "in-progress", "5.2")
    code, issue = await office.send(message("m2", [patient, request, silent]))
    assert (code, issue["expression"]) == ("fatal-error", ["Bundle.entry[3].resource.status"]), "no reason"

    asked = moved(task, "in-progress", "5.2", statusReason={"text": "Leslie has found work."})
    assert (await office.send(message("m3", [patient, request, asked])))[0] == "ok"
    assert (await office.send(message("m4", [patient, request, task])))[0] == "ok", "came late: no effect"
    answer = await office.harbor.put(
        f"/casework/v1/referrals/{ours}", content=encode({"status": "cancelled", "reason": "We stop."}),
        headers={"Content-Type": "application/json"},
    )  # fmt: skip
    assert answer.status_code == 200, answer.text

    assert await office.events() == [
        "referral-received", "referral-cancellation-requested", "referral-cancelled",
    ]  # fmt: skip
    told = await office.task()
    assert (told["status"], told["businessStatus"]["coding"][0]["code"]) == ("cancelled", "6.0")


async def test_a_message_leaves_its_row_on_the_trail(office: Office) -> None:
    await office.send(message("m1", office.referral()))
    await office.send(message("m2", office.referral("2"), focus=[]))
    await office.service.partner("Auditor", "auditor")
    async with await office.service.client("Auditor") as auditor:
        found = decode_object((await auditor.get("/fhir/AuditEvent?_count=200")).content)
    rows = [each["resource"] for each in found["entry"]]
    seen = [row["outcome"] for row in rows if "process-message" in str(row.get("subtype"))]
    assert sorted(set(seen)) == ["0", "4"]
