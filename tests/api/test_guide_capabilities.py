"""What US Core and SDOHCC ask of a server, walked: every SHALL interaction, parameter, combination, include, operation.

What is not answered is in docs/conformance.md, word for word; a guide is in `instantiates` only when nothing is.
"""

import json
import re
import tarfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from parts import SHARED, Service

from service.fhir.json import decode_object

PACKAGES = SHARED / "fhir-packages"
pytestmark = pytest.mark.skipif(
    not PACKAGES.is_dir(), reason="the shared FHIR packages are not beside this checkout"
)
LEDGER = Path(__file__).parents[2] / "docs" / "conformance.md"
EXPECTATION = "http://hl7.org/fhir/StructureDefinition/capabilitystatement-expectation"
COMBINATION = "http://hl7.org/fhir/StructureDefinition/capabilitystatement-search-parameter-combination"
VALUES = {
    "token": "x",
    "reference": "Patient/x",
    "date": "2026-03-02",
    "string": "x",
    "uri": "http://x.example",
    "number": "1",
    "quantity": "1",
}
GUIDES = {
    "us-core-server": "hl7.fhir.us.core-7.0.0",
    "SDOHCC-ReferralSource": "hl7.fhir.us.sdoh-clinicalcare-3.0.0",
    "SDOHCC-ReferralRecipient": "hl7.fhir.us.sdoh-clinicalcare-3.0.0",
    "SDOHCC-CoordinationPlatform": "hl7.fhir.us.sdoh-clinicalcare-3.0.0",
}


def asked(name: str) -> dict[str, Any]:
    with tarfile.open(PACKAGES / f"{GUIDES[name]}.tgz") as archive:
        file = archive.extractfile(f"package/CapabilityStatement-{name}.json")
        assert file is not None
        return dict(json.loads(file.read()))


def shall(element: Any) -> bool:
    return any(
        each["url"] == EXPECTATION and each["valueCode"] == "SHALL" for each in element.get("extension", [])
    )


def those(row: dict[str, Any], name: str) -> Iterator[str]:
    """The texts of a list of primitives that SHALL be supported."""
    for text, beside in zip(row.get(name, []), row.get(f"_{name}", []), strict=False):
        if beside and shall(beside):
            yield text


@pytest.fixture
async def client(service: Service) -> AsyncIterator[httpx.AsyncClient]:
    await service.partner("Riverbend", "ehr", scopes=["system/*.cruds"])
    async with await service.client("Riverbend") as found:
        yield found


async def unmet(client: httpx.AsyncClient, guide: dict[str, Any], ours: dict[str, Any]) -> set[str]:
    mine = {row["type"]: row for row in ours["rest"][0]["resource"]}
    [rest] = [each for each in guide["rest"] if each["mode"] == "server"]
    missing = set()
    for row in rest["resource"]:
        type_ = row["type"]
        if type_ not in mine:
            if shall(row):
                missing.add(type_)
            continue
        claimed = {each["code"] for each in mine[type_]["interaction"]}
        missing |= {
            f"{type_} {i['code']}"
            for i in row.get("interaction", [])
            if shall(i) and i["code"] not in claimed
        }
        for query in queries(row, {each["name"]: each["type"] for each in mine[type_]["searchParam"]}):
            if (await client.get(f"/fhir/{type_}?{query}")).status_code != 200:
                missing.add(f"{type_}?{query}")
        for operation in row.get("operation", []):
            if shall(operation):
                answer = await client.get(f"/fhir/{type_}/${operation['name']}?patient=x")
                missing |= {f"{type_}/${operation['name']}"} if answer.status_code == 404 else set()
    missing |= {f"system {each['code']}" for each in rest.get("interaction", [])
                if shall(each) and each["code"] not in {i["code"] for i in ours["rest"][0]["interaction"]}}  # fmt: skip
    missing |= {each for each in those(guide, "format") if not any(each in known for known in ours["format"])}
    clients = [each for each in guide["rest"] if each["mode"] == "client"]
    return missing | ({"the client half"} if clients else set())


def queries(row: dict[str, Any], kinds: dict[str, str]) -> Iterator[str]:
    """Searches that between them use all that SHALL work."""

    def pair(name: str) -> str:
        return f"{name}={VALUES[kinds.get(name, 'token')]}"

    for each in row.get("searchParam", []):
        if shall(each):
            yield pair(each["name"])
    for each in row.get("extension", []):
        if each["url"] == COMBINATION and shall(each):
            yield "&".join(
                pair(part["valueString"]) for part in each["extension"] if part["url"] == "required"
            )
    for include in those(row, "searchInclude"):
        yield f"_include={include.replace('HealthCareService', 'HealthcareService')}"  # SDOHCC 3.0.0's typing error
    for include in those(row, "searchRevInclude"):
        yield f"_revinclude={include}"


@pytest.mark.parametrize("name", list(GUIDES))
async def test_what_a_guide_asks_is_answered_or_on_the_ledger(client: httpx.AsyncClient, name: str) -> None:
    guide, ours = asked(name), decode_object((await client.get("/fhir/metadata")).content)
    found = await unmet(client, guide, ours)
    rows = re.findall(rf"^\| {name} \| `([^`]*)` \|", LEDGER.read_text(encoding="utf-8"), re.MULTILINE)
    assert found == set(rows)
    assert (guide["url"] in ours.get("instantiates", [])) == (not found)


@pytest.mark.parametrize("name", list(GUIDES))
def test_the_walk_asks_for_something(name: str) -> None:
    """So that a change of the packages' shape does not make the walk an empty one."""
    [rest] = [each for each in asked(name)["rest"] if each["mode"] == "server"]
    kinds: dict[str, str] = {}
    assert sum(len(list(queries(row, kinds))) for row in rest["resource"]) >= (60 if "us-core" in name else 5)
