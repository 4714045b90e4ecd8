"""In whatever form Part 2 data leaves with consent, the statement of 42 CFR 2.32 and the consent's scope go along, and
a Bundle says how confidential the most confidential thing in it is."""

from typing import Any

import httpx
import pytest

from service.consent.terms import NOTICE, SHORT_NOTICE
from service.fhir.json import decode_object, encode
from tests.flows.test_shown import Scene, file, record, scene

__all__ = ["scene"]
CONFIDENTIALITY = "http://terminology.hl7.org/CodeSystem/v3-Confidentiality"
REASON = "http://terminology.hl7.org/CodeSystem/v3-ActReason"


def codes(resource: dict[str, Any]) -> list[str]:
    return [label["code"] for label in resource["meta"]["security"]]


def policy(resource: dict[str, Any]) -> dict[str, Any]:
    """The related artifact of the 42CFRPart2 label."""
    [label] = [each for each in resource["meta"]["security"] if each["code"] == "42CFRPart2"]
    artifact: dict[str, Any] = label["extension"][0]["valueRelatedArtifact"]
    return artifact


def expect_labelled(resource: dict[str, Any]) -> None:
    levels = [each["code"] for each in resource["meta"]["security"] if each["system"] == CONFIDENTIALITY]
    assert levels in (["R"], ["V"])
    assert {"42CFRPart2", "NORDSCLCD", "PERSISTLABEL"} <= set(codes(resource))
    assert {"system": REASON, "code": "COC"} in resource["meta"]["security"]


def expect_noticed(resource: dict[str, Any]) -> None:
    """One resource as it may leave: labels, statement, explanation."""
    expect_labelled(resource)
    said = policy(resource)
    assert said["citation"] in (NOTICE, SHORT_NOTICE)
    assert "with the client's written consent of" in said["display"]
    assert "(Consent/" in said["display"]


def expect_bundle(bundle: dict[str, Any], *types: str) -> None:
    """A Bundle with these types in it, each as it may leave, and its own label above them."""
    inside = [each["resource"] for each in bundle["entry"] if each["resource"]["resourceType"] in types]
    assert {each["resourceType"] for each in inside} == set(types)
    for each in inside:
        expect_noticed(each)
    expect_labelled(bundle)
    assert policy(bundle)["citation"] == NOTICE


async def get(client: httpx.AsyncClient, path: str) -> dict[str, Any]:
    answer = await client.get(f"/fhir/{path}")
    assert answer.status_code == 200, answer.text
    return decode_object(answer.content)


async def test_a_read_carries_the_notice(scene: Scene) -> None:
    expect_noticed(await scene.read())


async def test_a_version_read_carries_the_notice(scene: Scene) -> None:
    expect_noticed(await get(scene.northside, f"{scene.task}/_history/1"))


async def test_a_search_with_what_it_includes_carries_the_notice(scene: Scene) -> None:
    expect_bundle(
        await get(scene.northside, "Task?_include=Task:focus&_include=Task:patient"),
        *("Task", "ServiceRequest", "Patient"),
    )


@pytest.mark.parametrize("part", ["_elements=status", "_summary=true", "_summary=text", "_summary=data"])
async def test_a_part_of_a_resource_carries_the_notice(scene: Scene, part: str) -> None:
    expect_bundle(await get(scene.northside, f"Task?{part}"), "Task")


@pytest.mark.parametrize("of", ["instance", "type", "system"])
async def test_a_history_carries_the_notice(scene: Scene, of: str) -> None:
    path = {"instance": f"{scene.task}/_history", "type": "Task/_history", "system": "_history"}[of]
    expect_bundle(await get(scene.northside, path), "Task")


async def test_everything_about_a_client_carries_the_notice(scene: Scene) -> None:
    patient = (await scene.read())["for"]["reference"]
    expect_bundle(await get(scene.northside, f"{patient}/$everything"), "Patient", "ServiceRequest")


async def test_a_client_that_is_matched_carries_the_notice(scene: Scene) -> None:
    patient = await get(scene.northside, (await scene.read())["for"]["reference"])
    sought = {name: patient[name] for name in ("resourceType", "name", "birthDate") if name in patient}
    asked = {"resourceType": "Parameters", "parameter": [{"name": "resource", "resource": sought}]}
    answer = await scene.northside.post("/fhir/Patient/$match", content=encode(asked))
    expect_bundle(decode_object(answer.content), "Patient")


async def test_the_answer_to_a_batch_carries_the_notice_in_what_it_reads_and_finds(scene: Scene) -> None:
    for kind in ("batch", "transaction"):
        asked = {
            "resourceType": "Bundle",
            "type": kind,
            "entry": [
                {"request": {"method": "GET", "url": scene.task}},
                {"request": {"method": "GET", "url": "ServiceRequest"}},
            ],
        }
        answer = await scene.northside.post("/fhir", content=encode(asked))
        bundle = decode_object(answer.content)
        expect_labelled(bundle)
        assert policy(bundle)["citation"] == NOTICE
        read, found = (each["resource"] for each in bundle["entry"])
        expect_noticed(read)
        expect_bundle(found, "ServiceRequest")


async def test_the_answer_to_a_transaction_that_writes_carries_the_notice(scene: Scene) -> None:
    moved = {**await scene.read(), "status": "accepted"}
    asked = {
        "resourceType": "Bundle",
        "type": "transaction",
        "entry": [{"resource": moved, "request": {"method": "PUT", "url": scene.task}}],
    }
    wanted = {"Prefer": "return=representation"}
    answer = await scene.northside.post("/fhir", content=encode(asked), headers=wanted)
    expect_bundle(decode_object(answer.content), "Task")


async def test_a_bundle_of_what_nobody_labelled_says_nothing(scene: Scene) -> None:
    """The home agency reads its own; the directory concerns no client."""
    assert "meta" not in await get(scene.harbor, "Task")
    assert "meta" not in await get(scene.northside, "Organization")


async def test_one_very_confidential_entry_makes_the_whole_bundle_so(scene: Scene) -> None:
    """Northside reads back what it labelled itself, beside what it is shown."""
    label = {"system": CONFIDENTIALITY, "code": "V"}
    mine = {**record_task(), "meta": {"security": [label]}}
    answer = await scene.northside.post("/fhir/Task", content=encode(mine))
    assert answer.status_code == 201, answer.text
    bundle = await get(scene.northside, "Task")
    assert len(bundle["entry"]) == 2
    assert [each["code"] for each in bundle["meta"]["security"] if each["system"] == CONFIDENTIALITY] == ["V"]
    assert len(codes(bundle)) == len(set(codes(bundle)))


def record_task() -> dict[str, Any]:
    return {"resourceType": "Task", "status": "draft", "intent": "plan", "code": {"text": "our own"}}


async def test_two_clients_consents_are_each_explained_on_their_own_and_the_bundle_names_neither(
    scene: Scene,
) -> None:
    other = {**record("clients"), "id": "amir-haddad", "identifiers": []}
    consent = {**record("consents", expires="2099-12-31"), "id": "amir-consent", "client": "amir-haddad"}
    referral = {**record("referrals"), "id": "amir-housing", "client": "amir-haddad", "forwards": None}
    for kind, body in (("clients", other), ("consents", consent), ("referrals", referral)):
        await file(scene.harbor, kind, {name: value for name, value in body.items() if value is not None})
    bundle = await get(scene.northside, "Task")
    expect_bundle(bundle, "Task")
    assert len({policy(each["resource"])["display"] for each in bundle["entry"]}) == 2
    assert "display" not in policy(bundle)
