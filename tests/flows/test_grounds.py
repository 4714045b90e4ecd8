"""Grounds other than consent: nothing is assumed, somebody records it, it ends, and all of it can be read afterwards."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from parts import Service, running

from service.fhir.json import decode_object, encode
from service.flows import grounds
from service.flows.audit.disclosures import listing
from service.flows.grounds import Act
from service.kernel.failures import Refused

HARBOR, RIVERBEND, STATE = "Harbor Recovery Services", "Riverbend Family Health", "State Substance Use Agency"
FACTS = {
    "recipient": "Dr Ines Duarte",
    "affiliation": "Riverbend, emergency department",
    "discloser": "Victoria Chen",
    "nature": "found unconscious",
}
NEED, PATIENT = "/fhir/Condition/need", "/fhir/Patient/leslie"


class Hands:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.now = datetime(2026, 7, 2, 3, 12, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now


class Scene:
    def __init__(self, service: Service, hands: Hands, database_url: str) -> None:
        self.service, self.hands, self.database_url = service, hands, database_url

    async def who(self, name: str) -> httpx.AsyncClient:
        return await self.service.client(name)

    async def get(self, name: str, path: str) -> httpx.Response:
        async with await self.who(name) as client:
            return await client.get(path)

    async def break_glass(self, name: str = RIVERBEND, id_: str = "leslie", **facts: Any) -> httpx.Response:
        said = {**FACTS, **facts}
        parameter = [{"name": key, "valueString": value} for key, value in said.items() if value is not None]
        body = encode({"resourceType": "Parameters", "parameter": parameter})
        async with await self.who(name) as client:
            return await client.post(f"/fhir/Patient/{id_}/$break-glass", content=body)

    async def record(self, **act: Any) -> dict[str, Any]:
        return await grounds.record(self.service.wiring.context, Act(**act))

    async def events(self) -> list[dict[str, Any]]:
        answer = await self.get(HARBOR, "/casework/v1/events")
        return decode_object(answer.content)["events"]


@pytest.fixture
async def scene(database_url: str, tmp_path: Path) -> AsyncIterator[Scene]:
    hands = Hands()
    hands.now = datetime.now(UTC)
    async with running(database_url, tmp_path, clock=hands) as service:
        await service.partner(HARBOR, "casework")
        await service.partner(RIVERBEND, "ehr")
        await service.partner(STATE, "ehr")
        async with await service.client(HARBOR) as harbor:
            for id_, family in (("leslie", "Moreno"), ("jonah", "Alder")):
                body = {"resourceType": "Patient", "id": id_, "name": [{"family": family}]}
                assert (await harbor.put(f"/fhir/Patient/{id_}", content=encode(body))).status_code == 201
            for id_, who in (("need", "leslie"), ("other", "jonah")):
                body = {"resourceType": "Condition", "id": id_, "subject": {"reference": f"Patient/{who}"}}
                body["code"] = {"coding": [{"system": "http://snomed.info/sct", "code": "710911006"}]}
                assert (await harbor.put(f"/fhir/Condition/{id_}", content=encode(body))).status_code == 201
        yield Scene(service, hands, database_url)


async def test_an_emergency_opens_one_clients_data_to_who_declared_it_for_its_time(scene: Scene) -> None:
    assert (await scene.get(RIVERBEND, NEED)).status_code == 404
    answer = await scene.break_glass()
    assert answer.status_code == 200, answer.text
    shown = await scene.get(RIVERBEND, NEED)
    assert shown.status_code == 200
    codes = [label["code"] for label in decode_object(shown.content)["meta"]["security"]]
    assert {"42CFRPart2", "R", "NORDSCLCD"} <= set(codes)
    found = decode_object((await scene.get(RIVERBEND, "/fhir/Condition?_total=accurate")).content)
    assert (found["total"], len(found["entry"])) == (1, 1)
    assert (await scene.get(RIVERBEND, "/fhir/Condition/other")).status_code == 404, "another client's"
    assert (await scene.get(STATE, NEED)).status_code == 404, "another partner"
    scene.hands.now += timedelta(hours=24)
    assert (await scene.get(RIVERBEND, NEED)).status_code == 404, "it is over"
    assert "entry" not in decode_object((await scene.get(RIVERBEND, "/fhir/Condition")).content)


@pytest.mark.parametrize("missing", list(FACTS))
async def test_an_emergency_without_one_of_its_facts_is_refused_and_opens_nothing(
    scene: Scene, missing: str
) -> None:
    for value in (None, "  "):
        answer = await scene.break_glass(**{missing: value})
        assert answer.status_code == 400
        assert missing in answer.text
    assert (await scene.get(RIVERBEND, NEED)).status_code == 404
    assert await scene.events() == []


async def test_only_an_ehr_declares_an_emergency_and_only_about_somebody(scene: Scene) -> None:
    assert (await scene.break_glass(HARBOR)).status_code == 403
    assert (await scene.break_glass(id_="nobody")).status_code == 404


async def test_the_case_management_system_is_told_at_once_with_all_four_facts(scene: Scene) -> None:
    await scene.break_glass()
    [event] = await scene.events()
    assert (event["kind"], event["basis"], event["partner"]) == ("ground-recorded", "emergency", RIVERBEND)
    assert {name: event[name] for name in FACTS} == FACTS


async def test_the_trail_and_the_accounting_tell_who_saw_what_in_the_emergency(scene: Scene) -> None:
    told = decode_object((await scene.break_glass()).content)
    ground = next(one["valueUri"] for one in told["parameter"] if one["name"] == "ground")
    await scene.get(RIVERBEND, NEED)
    lines = await listing(scene.service.wiring.context, "Patient/leslie")
    assert [(one.recipient, one.basis, one.purpose, one.consents) for one in lines] == [
        (RIVERBEND, "emergency", "ETREAT", (ground,))
    ]
    trail = decode_object(
        (
            await scene.get(HARBOR, "/fhir/AuditEvent?patient=Patient/leslie&disclosure-basis=emergency")
        ).content
    )
    texts = [encode(entry["resource"]).decode() for entry in trail["entry"]]
    assert all("found unconscious" in text for text in texts), (
        "the auditor reads the nature, kept beside the trail"
    )
    assert len(texts) == 2, "the act, and the read"


async def test_an_operator_records_what_was_given_on_the_telephone(scene: Scene) -> None:
    made = await scene.record(
        basis="emergency", party=RIVERBEND, clients=["Patient/leslie"], types=["Condition"], **FACTS
    )
    assert (await scene.get(RIVERBEND, NEED)).status_code == 200
    assert (await scene.get(RIVERBEND, PATIENT)).status_code == 404, "only what it needs"
    await grounds.end(scene.service.wiring.context, made["id"])
    assert (await scene.get(RIVERBEND, NEED)).status_code == 404
    with pytest.raises(Refused, match="running"):
        await grounds.end(scene.service.wiring.context, made["id"])
    [listed] = await grounds.listing(scene.service.wiring.context)
    assert (listed["basis"], listed["partner"]) == ("emergency", RIVERBEND)


async def test_an_evaluation_reads_all_clients_until_its_agreement_ends(scene: Scene) -> None:
    until = scene.hands.now + timedelta(days=30)
    await scene.record(basis="audit-evaluation", party=STATE, document="Contract 2026/7", until=until)
    for path in (NEED, "/fhir/Condition/other"):
        assert (await scene.get(STATE, path)).status_code == 200
    lines = await listing(scene.service.wiring.context, "Patient/jonah")
    assert [(one.basis, one.purpose) for one in lines] == [("audit-evaluation", "HPRGRP")]
    scene.hands.now = until
    assert (await scene.get(STATE, NEED)).status_code == 404


async def test_a_court_order_opens_the_clients_it_names(scene: Scene) -> None:
    until = scene.hands.now + timedelta(days=30)
    await scene.record(
        basis="court-order", party=STATE, document="26-CV-118", until=until, clients=["Patient/jonah"]
    )
    assert (await scene.get(STATE, "/fhir/Condition/other")).status_code == 200
    assert (await scene.get(STATE, NEED)).status_code == 404


async def test_a_disabled_partner_has_no_ground(scene: Scene) -> None:
    with pytest.raises(Refused, match="no enabled partner"):
        await scene.record(basis="qsoa", party="Nobody", document="QSOA 3")


SOON = datetime.now(UTC) + timedelta(days=1)


@pytest.mark.parametrize(
    ("act", "why"),
    [
        ({"basis": "because"}, "one of"),
        ({"basis": "qsoa"}, "name the written agreement"),
        ({"basis": "audit-evaluation", "document": "x"}, "until when"),
        ({"basis": "court-order", "document": "x"}, "until when"),
        ({"basis": "court-order", "document": "x", "until": SOON}, "the clients it names"),
        ({"basis": "emergency", **FACTS}, "name the client"),
        ({"basis": "emergency", "clients": ["Patient/leslie"]}, "2.51"),
        (
            {"basis": "emergency", **FACTS, "clients": ["Patient/leslie"], "until": SOON + timedelta(days=3)},
            "72 hours",
        ),
        ({"basis": "emergency", **FACTS, "clients": ["Patient/leslie"], "nature": "x" * 501}, "500"),
        ({"basis": "emergency", **FACTS, "clients": ["nobody"]}, "no client"),
        ({"basis": "emergency", **FACTS, "clients": ["Patient/nobody"]}, "does not exist"),
        ({"basis": "qsoa", "document": "x", "until": SOON - timedelta(days=9)}, "before it begins"),
        ({"basis": "qsoa", "document": "x", "types": ["Spaceship"]}, "not a type"),
        ({"basis": "qsoa", "document": "x", "purposes": ["FUN"]}, "not a purpose"),
    ],
)
async def test_what_is_incomplete_is_not_recorded(scene: Scene, act: dict[str, Any], why: str) -> None:
    with pytest.raises(Refused, match=why):
        await scene.record(party=RIVERBEND, **act)
    assert await grounds.listing(scene.service.wiring.context) == []
