"""What a consent masks cannot be found out by searching for it: to be found would tell it.

Harbor keeps a visit of Leslie's whose reason is alcohol. Riverbend may see the visit; the consent masks the reason.
"""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from service.fhir.json import decode_object
from service.flows.advance_referral import share_all
from service.kernel.clock import system_clock
from tests.flows.test_standing import CODES, Scene, scene

__all__ = ["scene"]

ICD = "http://hl7.org/fhir/sid/icd-10-cm"
ALCOHOL = {"coding": [{"system": ICD, "code": "F10.20"}], "text": "alcohol dependence"}
KNEE = {"coding": [{"system": ICD, "code": "M17.0"}], "text": "knee"}
SECRET = [
    f"Encounter?reason-code={ICD}|F10.20", "Encounter?reason-code=F10.20", "Encounter?reason-code:text=alcohol",
    "Encounter?reason-code:missing=false", f"Encounter?reason-code:not={ICD}|M17.0&_id=visit",
    f"Encounter?reason-code={ICD}|F10.20,{ICD}|M17.0&_id=visit",
    "Patient?_has:Encounter:subject:reason-code=F10.20", f"Patient?_has:Encounter:patient:reason-code={ICD}|F10.20",
    "Procedure?encounter.reason-code=F10.20", "Procedure?encounter:Encounter.reason-code=F10.20",
    "Encounter?diagnosis:Condition.code=710911006", "Condition?_has:Encounter:diagnosis:status=finished",
    "Encounter?diagnosis=Condition/need",
]  # fmt: skip
"""Ways of asking for what is masked."""

OPEN = [
    "Encounter?_id=visit", f"Encounter?class={CODES}/v3-ActCode|HH", "Encounter?status=finished&_id=visit",
    "Patient?_has:Encounter:subject:status=finished", "Procedure?encounter.status=finished",
]  # fmt: skip
"""And for what is shown, by the same means."""


def found(answer: Any) -> list[str]:
    """What is said of Leslie but her knee."""
    assert answer.status_code == 200, answer.text
    ids = [each["resource"]["id"] for each in decode_object(answer.content).get("entry", [])]
    return [each for each in ids if each in ("visit", "act", "leslie", "need")]


@pytest.fixture
async def masked(scene: Scene) -> AsyncIterator[Scene]:
    deny = {"type": "deny", "securityLabel": [{"system": f"{CODES}/v3-ActCode", "code": "SUD"}]}
    who = {
        "role": {"coding": [{"system": f"{CODES}/v3-ParticipationType", "code": "IRCP"}]},
        "reference": {"reference": scene.clinic},
    }
    purpose = {"system": f"{CODES}/v3-ActReason", "code": "TREAT"}
    await scene.consent(
        "k", provision={"type": "permit", "actor": [who], "purpose": [purpose], "provision": [deny]}
    )
    home = {"system": f"{CODES}/v3-ActCode", "code": "HH"}
    subject = {"reference": scene.leslie}
    for id_, reason in (("visit", ALCOHOL), ("knee", KNEE)):
        plain = {"status": "finished", "subject": subject, "class": home}
        diagnosis = (
            [{"condition": {"reference": "Condition/need"}, "use": ALCOHOL}] if id_ == "visit" else None
        )
        await scene.put("Encounter", id_, reasonCode=[reason], diagnosis=diagnosis, **plain)
    await scene.put(
        "Procedure", "act", status="completed", subject=subject, encounter={"reference": "Encounter/visit"}
    )
    context = scene.service.wiring.context
    async with context.database.reading() as connection:
        client = await connection.fetchval(
            "SELECT client_id FROM partner WHERE organization = $1", scene.clinic
        )
    async with context.database.unit() as unit:
        seen = [scene.leslie, "Encounter/visit", "Encounter/knee", "Procedure/act", "Condition/need"]
        share_all(unit, client, "", seen, system_clock())
    yield scene


async def test_the_visit_is_shown_without_its_reason(masked: Scene) -> None:
    visit = decode_object((await masked.riverbend.get("/fhir/Encounter/visit")).content)
    assert "reasonCode" not in visit
    assert "REDACTED" in [label["code"] for label in visit["meta"]["security"]]
    knee = decode_object((await masked.riverbend.get("/fhir/Encounter/knee")).content)
    assert knee["reasonCode"] == [KNEE]


async def test_what_is_masked_finds_and_counts_nothing(masked: Scene) -> None:
    for query in SECRET:
        assert found(await masked.harbor.get(f"/fhir/{query}")), f"the custodian finds it by {query}"
        plain = await masked.riverbend.get(f"/fhir/{query}")
        assert found(plain) == [], query
        for more in ("_summary=count", "_total=accurate"):
            answer = await masked.riverbend.get(f"/fhir/{query}&{more}")
            assert decode_object(answer.content)["total"] == ("Encounter/knee" in plain.text), query


async def test_what_is_shown_is_found(masked: Scene) -> None:
    for query in OPEN:
        assert found(await masked.riverbend.get(f"/fhir/{query}")), query


async def test_the_order_of_an_answer_does_not_tell_it(masked: Scene) -> None:
    """Sorted by what is masked, the visit has no place at all."""
    both = "/fhir/Encounter?_id=visit,knee&_sort="
    assert found(await masked.harbor.get(f"{both}reason-code")) == ["visit"]
    assert found(await masked.riverbend.get(f"{both}reason-code")) == []
    assert found(await masked.riverbend.get(f"{both}status")) == ["visit"]


async def test_a_conditional_write_does_not_tell_it(masked: Scene) -> None:
    body = {"resourceType": "Encounter", "status": "finished", "class": {"code": "HH"}}
    answer = await masked.riverbend.post(
        "/fhir/Encounter", json=body, headers={"If-None-Exist": "reason-code=F10.20"}
    )
    assert answer.status_code == 201, "as if there were none"
