"""What the standards publish as examples is stored, served digit for digit, and found."""

import json
import tarfile
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from parts import SHARED, Service

from service.fhir.catalogue import catalogue
from service.fhir.json import decode_object, encode
from service.fhir.meta import content

PACKAGES = SHARED / "fhir-packages"
pytestmark = pytest.mark.skipif(
    not PACKAGES.is_dir(), reason="the shared FHIR packages are not beside this checkout"
)

BREAK_R4_THEMSELVES = {
    "Observation-clinical-gender": "performer points to an Encounter",
    "Questionnaire-qs1": "items without linkId",
    "Observation-example-genetics-brcapat": "carries US Core's ethnicity extension without its text",
}
REFUSED_BY_THE_BACKPORT = {"Subscription-example", "Subscription-example-error"}
"""R4's own Subscriptions, with a query as criteria: a server of the Backport guide must refuse those (75)."""


def examples(package: str) -> Iterator[tuple[str, bytes]]:
    with tarfile.open(PACKAGES / package) as archive:
        for member in archive:
            if member.name.endswith(".json"):
                file = archive.extractfile(member)
                assert file is not None
                raw = file.read()
                type_ = json.loads(raw).get("resourceType")
                name = Path(member.name).stem
                if type_ in catalogue and not name.startswith(("StructureDefinition", "ValueSet")):
                    yield name, raw


async def put_and_read(client: httpx.AsyncClient, name: str, raw: bytes) -> str:
    """Store under the example's own id and read back; the answer says what went wrong, empty for nothing."""
    sent = decode_object(raw)
    type_, id_ = sent["resourceType"], sent["id"]
    stored = await client.put(f"/fhir/{type_}/{id_}", content=raw)
    if stored.status_code not in (200, 201):
        text = decode_object(stored.content)["issue"][0]["details"]["text"]
        return f"{name}: {stored.status_code} {text}"
    back = await client.get(f"/fhir/{type_}/{id_}", headers={"Accept": "application/fhir+json"})
    if encode(content(decode_object(back.content))) != encode(content(sent)):
        return f"{name}: comes back changed"
    found = await client.get(f"/fhir/{type_}", params={"_id": id_})
    entries = decode_object(found.content).get("entry", [])
    if [entry["resource"]["id"] for entry in entries] != [id_]:
        return f"{name}: is not found by _id"
    return ""


@pytest.mark.parametrize(
    "package",
    [
        "hl7.fhir.us.sdoh-clinicalcare-3.0.0.tgz",
        "hl7.fhir.us.core-7.0.0.tgz",
        "hl7.fhir.r4.examples-4.0.1.tgz",
    ],
)
async def test_every_example_is_kept_digit_for_digit_and_found(service: Service, package: str) -> None:
    await service.partner("Harbor", "casework")
    async with await service.client("Harbor") as client:
        said = {
            name: said for name, raw in examples(package) if (said := await put_and_read(client, name, raw))
        }
    known = {*BREAK_R4_THEMSELVES, *REFUSED_BY_THE_BACKPORT}
    assert {name: text for name, text in said.items() if name not in known} == {}


async def test_a_partner_posts_the_sdohcc_tasks_and_requests_with_their_patient(service: Service) -> None:
    await service.partner("Riverbend Family Health", "ehr")
    rows = dict(examples("hl7.fhir.us.sdoh-clinicalcare-3.0.0.tgz"))
    async with await service.client("Riverbend Family Health") as client:
        patient = decode_object(rows["Patient-pat-53234"])
        made = await client.post("/fhir/Patient", content=encode(patient))
        assert made.status_code == 201, made.text
        reference = "Patient/" + decode_object(made.content)["id"]
        tasks = [raw for name, raw in rows.items() if name.startswith(("Task-", "ServiceRequest-"))]
        assert len(tasks) == 15
        for raw in tasks:
            sent = decode_object(raw.replace(b"Patient/pat-53234", reference.encode()))
            stored = await client.post(f"/fhir/{sent['resourceType']}", content=encode(sent))
            assert stored.status_code == 201, stored.text
            back = await client.get(
                stored.headers["location"].removeprefix(service.url).split("/_history")[0]
            )
            assert encode(content(decode_object(back.content))) == encode(content(sent))
            about = sent.get("subject") or sent["for"]
            found = await client.get(
                f"/fhir/{sent['resourceType']}",
                params={"patient": about["reference"], "status": sent["status"]},
            )
            ids = [entry["resource"]["id"] for entry in decode_object(found.content)["entry"]]
            assert decode_object(back.content)["id"] in ids
