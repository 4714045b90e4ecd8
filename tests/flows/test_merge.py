"""Two Patients are one person, says a case manager: everything of theirs is found together, nothing is rewritten, no partner
learns of it, and it can be taken back."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import pytest
from flows.test_duplicates import Town, town_of
from flows.test_recognise import LESLIE

from service.fhir.json import decode_object, encode
from service.flows.due.recount import recount
from service.flows.recognise import recognise


@pytest.fixture
async def town(database_url: str, tmp_path: Path) -> AsyncIterator[Town]:
    async with town_of(database_url, tmp_path) as found:
        yield found


async def merged(
    client: httpx.AsyncClient, source: str, target: str, *, code: str = "merge", **more: Any
) -> httpx.Response:
    parameters = [{"name": "source-patient", "valueReference": {"reference": source}}]
    if target:
        parameters.append({"name": "target-patient", "valueReference": {"reference": target}})
    parameters += [{"name": name, "valueBoolean": value} for name, value in more.items()]
    body = {"resourceType": "Parameters", "parameter": parameters}
    return await client.post(f"/fhir/Patient/${code}", content=encode(body))


def part(answer: httpx.Response, name: str) -> Any:
    assert answer.status_code == 200, answer.text
    found = [each for each in decode_object(answer.content)["parameter"] if each["name"] == name]
    return found[0].get("resource") or found[0].get("valueReference")


async def second(town: Town, id_: str = "leslie-2", **episode: Any) -> str:
    """Leslie is filed a second time; the Patient that she is there."""
    more = {"episode": episode} if episode else {}
    filed = await town.file("clients", id_, name={"family": "Moreno", "given": ["Lesley"]}, **more)
    return next(str(each) for each in filed["resources"] if each.startswith("Patient/"))


async def brought(town: Town) -> str:
    """Northside's own Patient, and what it asks for her."""
    answer = await town.northside.post("/fhir/Patient", content=encode(LESLIE))
    patient = f"Patient/{decode_object(answer.content)['id']}"
    await town.theirs(subject={"reference": patient})
    return patient


async def referral(town: Town, client: str, id_: str) -> None:
    await town.file(
        "referrals", id_, client=client, service="job-training", requested="2026-04-01", recipient="lakeview"
    )


async def read(client: httpx.AsyncClient, reference: str) -> dict[str, Any]:
    return decode_object((await client.get(f"/fhir/{reference}")).content)


async def test_two_of_our_own_say_it_and_everything_is_found_by_the_target(town: Town) -> None:
    source = await second(town)
    await referral(town, "leslie", "one")
    await referral(town, "leslie-2", "two")
    answer = await merged(town.harbor, source, town.patient)
    assert part(answer, "result")["link"] == [{"other": {"reference": source}, "type": "replaces"}]
    old = await read(town.harbor, source)
    assert old["active"] is False
    assert old["link"] == [{"other": {"reference": town.patient}, "type": "replaced-by"}]
    for patient in (town.patient, source):
        id_ = patient.partition("/")[2]
        for path in (f"ServiceRequest?subject={patient}", f"ServiceRequest?patient={id_}",
                     f"ServiceRequest?subject:Patient={id_}", f"{patient}/ServiceRequest"):  # fmt: skip
            found = await town.found(town.harbor, path)
            assert len({each["id"] for each in found}) == len(found) == 2, path
        whole = await town.found(town.harbor, f"{patient}/$everything?_type=ServiceRequest")
        assert len(whole) == 2
    subjects = {each["subject"]["reference"] for each in await town.found(town.harbor, "ServiceRequest")}
    assert subjects == {source, town.patient}  # digit for digit as they were filed


async def test_a_record_filed_again_for_either_says_it_still(town: Town) -> None:
    source = await second(town)
    await merged(town.harbor, source, town.patient)
    assert await second(town) == source
    await second(town, "leslie-2", status="cancelled")
    old = await read(town.harbor, source)
    assert (old["active"], old["link"][0]["type"]) == (False, "replaced-by")
    await referral(town, "leslie-2", "later")
    assert len(await town.found(town.harbor, f"ServiceRequest?patient={town.patient}")) == 1
    assert len(await town.found(town.harbor, "EpisodeOfCare?status=active")) == 1


async def test_what_a_partner_wrote_stays_as_it_is_and_the_partner_learns_nothing(town: Town) -> None:
    source = await brought(town)
    paths = (source, f"{source}/_history", f"{source}/$everything", "Patient", "Patient?_total=accurate", "_history",
             f"ServiceRequest?patient={source}&_include=*", f"ServiceRequest?patient={town.patient}", town.patient,
             "Task?_summary=count", "DetectedIssue", f"Patient?link={town.patient}")  # fmt: skip

    async def told() -> list[tuple[int, Any]]:
        found = []
        for path in paths:
            answer = await town.northside.get(f"/fhir/{path}")
            body = decode_object(answer.content)
            found.append((answer.status_code, body.get("entry", body.get("issue", body))))
        return found

    before = await told()
    answer = await merged(town.harbor, source, town.patient)
    assert part(answer, "result")["id"] == town.patient.partition("/")[2]
    assert "link" not in part(answer, "result")
    await town.compared()
    assert await told() == before
    assert len(await town.found(town.harbor, f"ServiceRequest?patient={town.patient}")) == 1
    refused = [
        await merged(town.northside, one, two)
        for one, two in ((source, town.patient), (source, "Patient/none"))
    ]
    assert [each.status_code for each in refused] == [403, 403]
    assert refused[0].content == refused[1].content


async def test_the_same_need_under_two_patients_is_found_once_they_are_one(town: Town) -> None:
    source = await brought(town)
    await town.course()
    await town.compared()
    assert await town.tasks() == []
    await merged(town.harbor, source, town.patient)
    await town.compared()
    [task] = await town.tasks()
    assert (task["for"]["reference"], task["status"]) == (town.patient, "requested")
    assert (
        part(await merged(town.harbor, source, "", code="unmerge"), "result")["id"]
        == source.partition("/")[2]
    )
    await town.compared()
    assert [each["status"] for each in await town.tasks()] == ["cancelled"]
    assert [each.get("how") for each in await town.events()] == [None, "over"]


async def test_that_two_are_one_is_told_to_nobody_who_may_not_see_both(town: Town) -> None:
    """Northside asks under our first Patient, which it may see; the same course stands under our second."""
    source = await second(town)
    await town.consent()
    await town.theirs()
    await town.course(client="leslie-2")
    await merged(town.harbor, source, town.patient)
    await town.compared()
    [task] = await town.tasks()
    assert "hidden-from" in [each["type"]["coding"][0]["code"] for each in task["input"]]
    assert await town.found(town.northside, "DetectedIssue") == []


async def test_consent_for_one_is_none_for_the_other_and_a_denial_of_one_holds_for_both(town: Town) -> None:
    source = await second(town)
    for client, id_ in (("leslie", "room-1"), ("leslie-2", "room-2")):
        await town.file("referrals", id_, client=client, service="transitional-housing", requested="2026-04-01",
                        recipient="northside")  # fmt: skip
    await town.consent()

    async def seen() -> set[str]:
        return {each["subject"]["reference"] for each in await town.found(town.northside, "ServiceRequest")}

    assert await seen() == {town.patient}
    await merged(town.harbor, source, town.patient)
    assert await seen() == {town.patient}
    scopes = "http://terminology.hl7.org/CodeSystem"
    denial = {
        "resourceType": "Consent", "status": "active", "patient": {"reference": source}, "dateTime": "2026-03-01",
        "scope": {"coding": [{"system": f"{scopes}/consentscope", "code": "patient-privacy"}]},
        "category": [{"coding": [{"system": "http://loinc.org", "code": "59284-0"}]}],
        "policyRule": {"coding": [{"system": f"{scopes}/v3-ActCode", "code": "OPTIN"}]},
        "provision": {"type": "deny", "actor": [{
            "role": {"coding": [{"system": f"{scopes}/v3-ParticipationType", "code": "IRCP"}]},
            "reference": {"reference": town.organizations["Northside"]},
        }]},
    }  # fmt: skip
    assert (await town.harbor.post("/fhir/Consent", content=encode(denial))).status_code == 201
    assert await seen() == set()
    await merged(town.harbor, source, "", code="unmerge")
    assert await seen() == {town.patient}


async def test_it_is_taken_back_and_what_came_since_is_listed(town: Town) -> None:
    source = await second(town)
    before = await read(town.harbor, source), await read(town.harbor, town.patient)
    await merged(town.harbor, source, town.patient)
    town.at += timedelta(minutes=1)
    await referral(town, "leslie", "since")
    answer = await merged(town.harbor, source, town.patient, code="unmerge")
    filed = [each["valueReference"]["reference"] for each in decode_object(answer.content)["parameter"]
             if each["name"] == "filed"]  # fmt: skip
    assert {each.partition("/")[0] for each in filed} >= {"ServiceRequest", "Task"}
    after = await read(town.harbor, source), await read(town.harbor, town.patient)
    for one, two in zip(before, after, strict=True):
        assert {**one, "meta": {}, "text": {}} == {**two, "meta": {}, "text": {}}
    assert await town.found(town.harbor, f"ServiceRequest?patient={source}") == []
    assert (await merged(town.harbor, source, "", code="unmerge")).status_code == 422


async def test_a_preview_says_it_and_does_nothing(town: Town) -> None:
    source = await second(town, status="active", start="2026-04-01", primaryCaseManager="victoria-chen")
    answer = await merged(town.harbor, source, town.patient, preview=True)
    texts = [each["details"]["text"] for each in part(answer, "outcome")["issue"]]
    assert texts[0].startswith(f"{source} would be merged into {town.patient}: 1 to be settled")
    assert texts[2].startswith("2 cases are open")
    assert "link" not in await read(town.harbor, source)
    assert "task" not in {each["name"] for each in decode_object(answer.content)["parameter"]}


async def test_two_who_lead_are_a_question_to_both_supervisors_and_what_is_due_is_due_once(
    town: Town,
) -> None:
    await town.file("case-managers", "ana-ruiz", name={"text": "Ana Ruiz"})
    source = await second(town, status="active", start="2026-04-01", primaryCaseManager="ana-ruiz")

    async def counted() -> dict[str, set[str]]:
        while await recount(town.service.wiring.context):
            pass
        tasks = await town.found(town.harbor, "Task?_count=200")
        due = [each for each in tasks if "casebridge-due-task" in str(each.get("meta"))]
        return {status: {each["for"]["reference"] for each in due if each["status"] == status}
                for status in ("requested", "cancelled")}  # fmt: skip

    assert await counted() == {"requested": {source, town.patient}, "cancelled": set()}
    answer = await merged(town.harbor, source, town.patient)
    assert {"two lead" in each["details"]["text"] for each in part(answer, "outcome")["issue"]} == {
        True,
        False,
    }
    conflict = "https://casebridge.example/fhir/CodeSystem/due-task|resolve-lead-conflict"
    assert len(await town.found(town.harbor, f"Task?code={conflict}")) == 2
    assert await counted() == {"requested": {town.patient}, "cancelled": {source}}
    await second(town, status="finished", start="2026-04-01", end="2026-04-14", primaryCaseManager="ana-ruiz")
    led = await read(town.harbor, f"{source}/$primary-case-manager")
    assert "victoria-chen" in str(led)
    await merged(town.harbor, source, "", code="unmerge")
    assert source not in (await counted())["requested"]


async def test_nobody_is_merged_twice_or_in_a_circle(town: Town) -> None:
    two, three = await second(town), await second(town, "leslie-3")
    one = town.patient
    assert (await merged(town.harbor, one, one)).status_code == 422
    assert (await merged(town.harbor, "Patient/none", one)).status_code == 404
    assert (await merged(town.harbor, "Practitioner/x", one)).status_code == 400
    assert (await merged(town.harbor, two, one)).status_code == 200
    for source, target in ((two, one), (two, three), (one, two), (three, two)):
        assert (await merged(town.harbor, source, target)).status_code == 422
    assert (await merged(town.harbor, one, three)).status_code == 200
    await referral(town, "leslie-2", "room")
    assert len(await town.found(town.harbor, f"ServiceRequest?patient={three}")) == 1
    assert (await merged(town.harbor, one, "", code="unmerge")).status_code == 200
    assert await town.found(town.harbor, f"ServiceRequest?patient={three}") == []
    assert len(await town.found(town.harbor, f"ServiceRequest?patient={one}")) == 1


@pytest.mark.parametrize("turn", range(3))
async def test_of_merges_at_once_those_that_fit_together_happen(town: Town, turn: int) -> None:
    two, three = await second(town), await second(town, "leslie-3")
    wanted = [(town.patient, two), (two, town.patient), (two, three), (three, two), (town.patient, three)] * 2
    answers = await asyncio.gather(*(merged(town.harbor, *each) for each in wanted[turn:]))
    assert {each.status_code for each in answers} <= {200, 409, 422}
    done = [pair for pair, each in zip(wanted[turn:], answers, strict=True) if each.status_code == 200]
    assert len(done) == 2
    assert len({source for source, _ in done}) == 2  # three Patients, two merges, one root
    rows = await _sql(town, "SELECT DISTINCT root FROM one_person")
    assert len(rows) == 1


async def test_it_is_told_and_on_the_trail_and_nobody_is_asked_about_it_again(town: Town) -> None:
    source = await brought(town)
    answer = await town.harbor.post("/fhir/Patient", content=encode(LESLIE))
    target = f"Patient/{decode_object(answer.content)['id']}"
    while await recognise(town.service.wiring.context):
        pass
    kind = "https://casebridge.example/fhir/CodeSystem/due-task|same-person"
    [asked] = await town.found(town.harbor, f"Task?code={kind}")
    answer = await merged(town.harbor, source, target)
    assert part(answer, "task") == {"reference": f"Task/{asked['id']}"}
    await town.northside.put(
        f"/fhir/{source}", content=encode({**LESLIE, "id": source.partition("/")[2], "active": True})
    )
    while await recognise(town.service.wiring.context):
        pass
    assert [each["status"] for each in await town.found(town.harbor, f"Task?code={kind}")] == ["completed"]
    await merged(town.harbor, source, "", code="unmerge")
    assert [each["status"] for each in await town.found(town.harbor, f"Task?code={kind}")] == ["rejected"]
    found = decode_object((await town.harbor.get("/casework/v1/events", params={"limit": "1000"})).content)[
        "events"
    ]
    told = [each for each in found if each["kind"].startswith("patients-")]
    assert [(each["kind"], each["source"], each["target"]) for each in told] == [
        ("patients-merged", source, target), ("patients-unmerged", source, target)
    ]  # fmt: skip
    trail = await _sql(
        town, "SELECT action, resource FROM audit WHERE action LIKE 'patients-%' ORDER BY 1, 2"
    )
    assert {tuple(each) for each in trail} == {
        (action, each) for action in ("patients-merged", "patients-unmerged") for each in (source, target)
    }


async def test_two_gpra_ids_are_told_and_a_second_one_for_the_person_is_refused(town: Town) -> None:
    source = await second(town)
    for patient, id_ in ((town.patient, "G1"), (source, "G2")):
        await _sql(
            town, "INSERT INTO gpra_client (grant_no, gpra_id, patient) VALUES ('TI1', $1, $2)", id_, patient
        )
    answer = await merged(town.harbor, source, town.patient, preview=True)
    assert "G1 and G2" in str(part(answer, "outcome"))


async def _sql(town: Town, statement: str, *values: Any) -> list[Any]:
    connection = await asyncpg.connect(town.service.wiring.url)
    try:
        return list(await connection.fetch(statement, *values))
    finally:
        await connection.close()
