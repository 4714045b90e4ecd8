"""What a later version does not lose: security labels, and what its writer was not shown."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import asyncpg
import httpx
import pytest
from parts import Service

from service.fhir.json import decode_object, encode

HARBOR, NORTHSIDE = "Harbor Recovery Services", "Northside Housing Partnership"
CONFIDENTIALITY = "http://terminology.hl7.org/CodeSystem/v3-Confidentiality"
ACT = "http://terminology.hl7.org/CodeSystem/v3-ActCode"
RESTRICTED, NORMAL = ({"system": CONFIDENTIALITY, "code": code} for code in "RN")
SUD = {"system": ACT, "code": "SUD"}
ALCOHOL = {"system": "http://hl7.org/fhir/sid/icd-10-cm", "code": "F10.20", "display": "Alcohol dependence"}
PATCH = {"Content-Type": "application/json-patch+json"}


@dataclass
class Agencies:
    """Northside wrote a Patient here, and writes about it; Harbor is the custodian."""

    harbor: httpx.AsyncClient
    northside: httpx.AsyncClient
    organizations: tuple[str, str]
    patient: str
    database_url: str

    async def make(self, **more: Any) -> str:
        """Northside asks for a service; answers `ServiceRequest/[id]`."""
        request = {
            "resourceType": "ServiceRequest",
            "status": "active",
            "intent": "order",
            "subject": {"reference": self.patient},
            "code": {"text": "A room"},
            **more,
        }
        return f"ServiceRequest/{(await ok(self.northside.post('/fhir/ServiceRequest', content=encode(request))))['id']}"

    async def touched(self, reference: str) -> None:
        """Harbor changes it."""
        change = [{"op": "add", "path": "/priority", "value": "urgent"}]
        await ok(self.harbor.patch(f"/fhir/{reference}", content=encode(change), headers=PATCH))

    async def agreed(self, *denied: dict[str, Any]) -> None:
        """The client agrees that Harbor tells Northside, but for what is denied."""
        home, them = self.organizations
        actor = {"role": {"coding": [{"code": "IRCP"}]}, "reference": {"reference": them}}
        provision = {
            "type": "permit",
            "actor": [actor],
            "purpose": [{"system": "http://terminology.hl7.org/CodeSystem/v3-ActReason", "code": "TREAT"}],
            **({"provision": list(denied)} if denied else {}),
        }
        consent = {
            "resourceType": "Consent",
            "status": "active",
            "scope": {"coding": [{"code": "patient-privacy"}]},
            "category": [{"text": "42 CFR Part 2"}],
            "patient": {"reference": self.patient},
            "dateTime": "2026-03-05",
            "organization": [{"reference": home}],
            "sourceAttachment": {"title": "the signed form"},
            "policyRule": {"text": "42 CFR Part 2"},
            "provision": provision,
        }
        await ok(self.harbor.post("/fhir/Consent", content=encode(consent)))

    async def stored(self, reference: str) -> dict[str, Any]:
        """As the custodian reads it."""
        return await ok(self.harbor.get(f"/fhir/{reference}"))


async def ok(sent: Any) -> dict[str, Any]:
    answer = await sent
    assert answer.status_code in (200, 201), answer.text
    return decode_object(answer.content)


@pytest.fixture
async def agencies(service: Service, database_url: str) -> AsyncIterator[Agencies]:
    home = await service.partner(HARBOR, "casework")
    them = await service.partner(NORTHSIDE, "referral-source", scopes=["system/*.cruds"])
    async with await service.client(HARBOR) as harbor, await service.client(NORTHSIDE) as northside:
        made = await ok(northside.post("/fhir/Patient", content=encode({"resourceType": "Patient"})))
        names = home["organization"], them["organization"]
        yield Agencies(harbor, northside, names, f"Patient/{made['id']}", database_url)


def security(resource: dict[str, Any]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = resource["meta"].get("security", [])
    return found


def without_labels(resource: dict[str, Any], *labels: dict[str, Any], **more: Any) -> dict[str, Any]:
    meta = {name: value for name, value in resource["meta"].items() if name != "security"}
    return {**resource, "meta": meta | ({"security": list(labels)} if labels else {}), **more}


# whose word it is


async def test_what_a_partner_alone_wrote_it_reads_without_anybodys_consent(agencies: Agencies) -> None:
    request = await agencies.make()
    mine = await ok(agencies.northside.get(f"/fhir/{request}"))
    await ok(agencies.northside.put(f"/fhir/{request}", content=encode({**mine, "priority": "stat"})))
    again = await ok(agencies.northside.get(f"/fhir/{request}"))
    assert (again["meta"]["versionId"], security(again)) == ("2", [])


async def test_what_the_custodian_changed_is_not_its_authors_own_any_more(agencies: Agencies) -> None:
    request = await agencies.make()
    await agencies.touched(request)
    shown = await agencies.stored(request)

    assert (await agencies.northside.get(f"/fhir/{request}")).status_code == 404
    assert (await agencies.northside.put(f"/fhir/{request}", content=encode(shown))).status_code == 404
    found = await ok(agencies.northside.get("/fhir/ServiceRequest"))
    assert found.get("entry", []) == []
    assert (await ok(agencies.northside.get(f"/fhir/{request}/_history/1")))["meta"]["versionId"] == "1"
    past = await ok(agencies.northside.get(f"/fhir/{request}/_history"))
    assert [each["resource"]["meta"]["versionId"] for each in past["entry"]] == ["1"], "what it wrote itself"


async def test_its_author_reads_it_with_the_clients_consent_labelled_like_anybody(agencies: Agencies) -> None:
    request = await agencies.make()
    await agencies.touched(request)
    await agencies.agreed()
    shown = await ok(agencies.northside.get(f"/fhir/{request}"))
    assert shown["priority"] == "urgent"
    assert {"R", "42CFRPart2"} <= {each["code"] for each in security(shown)}


async def test_once_changed_by_others_it_stays_so_when_its_author_writes_again(agencies: Agencies) -> None:
    request = await agencies.make()
    await agencies.touched(request)
    await agencies.agreed()
    shown = await ok(agencies.northside.get(f"/fhir/{request}"))
    answer = await ok(
        agencies.northside.put(f"/fhir/{request}", content=encode({**shown, "priority": "stat"}))
    )
    assert answer["meta"]["versionId"] == "3"
    assert "42CFRPart2" in {each["code"] for each in security(answer)}
    assert security(await agencies.stored(request)) == [], "labels made for the showing are not its author's"


async def test_what_was_masked_for_its_author_is_not_lost_by_what_the_author_writes(
    agencies: Agencies,
) -> None:
    reason = [{"coding": [ALCOHOL]}]
    request = await agencies.make(reasonCode=reason, note=[{"text": "drinks"}])
    await agencies.touched(request)
    await agencies.agreed({"type": "deny", "securityLabel": [SUD]})
    shown = await ok(agencies.northside.get(f"/fhir/{request}"))
    assert "reasonCode" not in shown

    await ok(agencies.northside.put(f"/fhir/{request}", content=encode({**shown, "priority": "stat"})))
    change = [{"op": "replace", "path": "/status", "value": "on-hold"}]
    await ok(agencies.northside.patch(f"/fhir/{request}", content=encode(change), headers=PATCH))

    kept = await agencies.stored(request)
    assert (kept["reasonCode"], kept["note"]) == (reason, [{"text": "drinks"}])
    assert (kept["priority"], kept["status"]) == ("stat", "on-hold")
    assert security(kept) == []


# labels


@pytest.mark.parametrize("labels", [[], [NORMAL], [NORMAL, SUD]])
async def test_a_later_put_of_a_partner_lowers_no_label(
    agencies: Agencies, labels: list[dict[str, Any]]
) -> None:
    request = await agencies.make(meta={"security": [RESTRICTED, SUD]})
    mine = await ok(agencies.northside.get(f"/fhir/{request}"))
    lower = without_labels(mine, *labels, priority="stat")
    await ok(agencies.northside.put(f"/fhir/{request}", content=encode(lower)))
    kept = await agencies.stored(request)
    assert kept["priority"] == "stat"
    assert sorted(each["code"] for each in security(kept)) == ["R", "SUD"]


async def test_a_later_put_of_a_partner_may_raise_a_label(agencies: Agencies) -> None:
    request = await agencies.make(meta={"security": [NORMAL]})
    mine = await ok(agencies.northside.get(f"/fhir/{request}"))
    raised = without_labels(mine, RESTRICTED, SUD)
    await ok(agencies.northside.put(f"/fhir/{request}", content=encode(raised)))
    assert security(await agencies.stored(request)) == [RESTRICTED, SUD]


async def test_an_entry_of_a_transaction_lowers_no_label(agencies: Agencies) -> None:
    request = await agencies.make(meta={"security": [RESTRICTED, SUD]})
    mine = await ok(agencies.northside.get(f"/fhir/{request}"))
    entry = {
        "resource": without_labels(mine, priority="stat"),
        "request": {"method": "PUT", "url": request},
    }
    bundle = {"resourceType": "Bundle", "type": "transaction", "entry": [entry]}
    await ok(agencies.northside.post("/fhir", content=encode(bundle)))
    assert security(await agencies.stored(request)) == [RESTRICTED, SUD]


@pytest.mark.parametrize("how", ["patch", "meta-delete"])
async def test_a_partner_cannot_take_a_label_away_and_is_told_so(agencies: Agencies, how: str) -> None:
    request = await agencies.make(meta={"security": [RESTRICTED, SUD]})
    answer = await take_away(agencies.northside, request, how)
    assert answer.status_code == 403
    assert "only the custodian" in answer.text
    kept = await agencies.stored(request)
    assert (security(kept), kept["meta"]["versionId"]) == ([RESTRICTED, SUD], "1")


@pytest.mark.parametrize("how", ["patch", "meta-delete"])
async def test_the_custodian_may_take_a_label_away_and_it_is_on_the_audit_trail(
    agencies: Agencies, how: str
) -> None:
    request = await agencies.make(meta={"security": [RESTRICTED, SUD]})
    answer = await take_away(agencies.harbor, request, how)
    assert answer.status_code == 200, answer.text
    assert security(await agencies.stored(request)) == [RESTRICTED]
    connection = await asyncpg.connect(agencies.database_url)
    rows = await connection.fetch("SELECT resource, about FROM audit WHERE action = 'labels-taken-away'")
    await connection.close()
    assert [row["resource"] for row in rows] == [request]
    assert agencies.patient in rows[0]["about"]


async def test_the_custodian_who_only_leaves_labels_out_of_a_put_takes_none_away(agencies: Agencies) -> None:
    request = await agencies.make(meta={"security": [RESTRICTED, SUD]})
    kept = await agencies.stored(request)
    await ok(agencies.harbor.put(f"/fhir/{request}", content=encode(without_labels(kept, priority="stat"))))
    assert security(await agencies.stored(request)) == [RESTRICTED, SUD]


async def test_what_is_deleted_and_made_again_has_the_labels_it_had(agencies: Agencies) -> None:
    request = await agencies.make(meta={"security": [RESTRICTED, SUD]})
    mine = await ok(agencies.northside.get(f"/fhir/{request}"))
    assert (await agencies.northside.delete(f"/fhir/{request}")).status_code in (200, 204)
    await ok(agencies.northside.put(f"/fhir/{request}", content=encode(without_labels(mine))))
    assert security(await agencies.stored(request)) == [RESTRICTED, SUD]


async def take_away(client: httpx.AsyncClient, reference: str, how: str) -> httpx.Response:
    """SUD, by a patch or by $meta-delete."""
    if how == "patch":
        change = [{"op": "remove", "path": "/meta/security/1"}]
        return await client.patch(f"/fhir/{reference}", content=encode(change), headers=PATCH)
    given = {
        "resourceType": "Parameters",
        "parameter": [{"name": "meta", "valueMeta": {"security": [SUD]}}],
    }
    return await client.post(f"/fhir/{reference}/$meta-delete", content=encode(given))
