"""Whom a consent means, resolved by the running service through its directory and the client's care team.

Asked with Consent/$decide, which gathers what every read and delivery gathers.
"""

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from parts import Service

from service.consent import terms
from service.fhir.json import decode_object, encode

CODES = "http://terminology.hl7.org/CodeSystem"
TREATING = {"identifier": {"system": terms.RECIPIENT_CLASS, "value": "treating-providers"}}
LOINC_AUDIT_C = {"coding": [{"system": "http://loinc.org", "code": "75626-2"}]}


class Scene:
    """Harbor keeps Leslie's record; Riverbend, a clinic, would like to see it."""

    def __init__(self, service: Service, harbor: httpx.AsyncClient, riverbend: httpx.AsyncClient) -> None:
        self.service, self.harbor, self.riverbend = service, harbor, riverbend
        self.clinic = self.home = self.leslie = ""

    async def put(self, type_: str, id_: str, by: httpx.AsyncClient | None = None, **body: Any) -> str:
        said = {key: value for key, value in body.items() if value is not None}
        resource = {"resourceType": type_, "id": id_, **said}
        answer = await (by or self.harbor).put(f"/fhir/{type_}/{id_}", content=encode(resource))
        assert answer.status_code in (200, 201), answer.text
        return f"{type_}/{id_}"

    async def consent(
        self, id_: str, *recipients: Any, by: httpx.AsyncClient | None = None, **more: Any
    ) -> str:
        actors = [
            {
                "role": {"coding": [{"system": f"{CODES}/v3-ParticipationType", "code": "IRCP"}]},
                "reference": who if isinstance(who, dict) else {"reference": who},
            }
            for who in recipients
        ]
        body = {
            "status": "active",
            "scope": {"coding": [{"system": f"{CODES}/consentscope", "code": "patient-privacy"}]},
            "category": [{"coding": [{"system": f"{CODES}/v3-ActCode", "code": "IDSCL"}]}],
            "patient": {"reference": self.leslie},
            "dateTime": "2026-03-05",
            "organization": [{"reference": self.home}],
            "sourceAttachment": {"title": "signed form"},
            "policy": [{"uri": "https://www.ecfr.gov/current/title-42/part-2"}],
            "provision": {
                "type": "permit",
                "actor": actors,
                "purpose": [{"system": f"{CODES}/v3-ActReason", "code": "TREAT"}],
            },
        }
        return await self.put("Consent", id_, by, **{**body, **more})

    async def decide(self, *references: str, **more: str) -> dict[str, Any]:
        """Name → value of the first level; `withheld` and `released` as reference → (rule or basis, masked)."""
        asked = [
            ("recipient", self.clinic),
            *(("reference", each) for each in references or ("Condition/need",)),
        ]
        answer = await self.harbor.post("/fhir/Consent/$decide", params=[*asked, *more.items()])
        assert answer.status_code == 200, answer.text
        told: dict[str, Any] = {"withheld": {}, "released": {}}
        for one in decode_object(answer.content)["parameter"]:
            if "part" in one:
                parts = {
                    part["name"]: next(v for k, v in part.items() if k.startswith("value"))
                    for part in one["part"]
                }
                told[one["name"]][parts["reference"]] = parts
            else:
                told[one["name"]] = next(v for k, v in one.items() if k.startswith("value"))
        return told


@pytest.fixture
async def scene(service: Service) -> AsyncIterator[Scene]:
    home = await service.partner("Harbor Recovery Services", "casework")
    clinic = await service.partner("Riverbend Family Health", "ehr")
    async with (
        await service.client("Harbor Recovery Services") as harbor,
        await service.client("Riverbend Family Health") as riverbend,
    ):
        made = Scene(service, harbor, riverbend)
        made.home, made.clinic, made.leslie = home["organization"], clinic["organization"], "Patient/leslie"
        await made.put("Patient", "leslie", name=[{"family": "Moreno", "given": ["Leslie"]}])
        code = {"coding": [{"system": "http://snomed.info/sct", "code": "710911006"}]}
        await made.put("Condition", "need", subject={"reference": made.leslie}, code=code)
        yield made


async def test_without_a_consent_the_auditor_reads_why_not(scene: Scene) -> None:
    told = await scene.decide()
    assert (told["decision"], told["rule"]) == ("deny", "no-consent")
    assert "Riverbend Family Health" in told["text"]


async def test_with_a_consent_the_auditor_reads_on_which_one(scene: Scene) -> None:
    consent = await scene.consent("k", scene.clinic)
    told = await scene.decide()
    assert (told["decision"], told["basis"], told["consent"]) == ("permit", "consent", {"reference": consent})
    assert told["released"]["Condition/need"]["consent"] == consent
    assert told["text"].startswith("Disclosed with the client's written consent of 2026-03-05")


async def test_the_auditor_reads_what_is_masked_and_what_is_withheld_but_not_what_it_says(
    scene: Scene,
) -> None:
    deny = {"type": "deny", "securityLabel": [{"system": f"{CODES}/v3-ActCode", "code": "SUD"}]}
    provision = {
        "type": "permit",
        "actor": [
            {
                "role": {"coding": [{"system": f"{CODES}/v3-ParticipationType", "code": "IRCP"}]},
                "reference": {"reference": scene.clinic},
            }
        ],
        "purpose": [{"system": f"{CODES}/v3-ActReason", "code": "TREAT"}],
        "provision": [deny],
    }
    await scene.consent("k", provision=provision)
    alcohol = {
        "coding": [{"system": "http://hl7.org/fhir/sid/icd-10-cm", "code": "F10.20"}],
        "text": "alcohol dependence",
    }
    score = await scene.put(
        "Observation",
        "score",
        status="final",
        code=LOINC_AUDIT_C,
        subject={"reference": scene.leslie},
        valueInteger=7,
    )
    visit = await scene.put(
        "Encounter", "visit", status="finished", subject={"reference": scene.leslie}, reasonCode=[alcohol],
        **{"class": {"system": f"{CODES}/v3-ActCode", "code": "HH"}},
    )  # fmt: skip
    told = await scene.decide("Condition/need", score, visit)
    assert told["decision"] == "permit"
    assert told["withheld"][score]["rule"] == "denied-by-client"
    assert told["released"][visit]["masked"] == "reasonCode"
    assert "alcohol" not in str(told) and "F10" not in str(told)


async def test_my_treating_providers_means_who_is_on_the_care_team_and_treats(scene: Scene) -> None:
    await scene.consent("k", TREATING)
    assert (await scene.decide())["rule"] == "recipient-not-named"
    member = [{"member": {"reference": scene.clinic}}]
    await scene.put(
        "CareTeam", "team", status="active", subject={"reference": scene.leslie}, participant=member
    )
    assert (await scene.decide())["rule"] == "recipient-not-named", "on the team, but not known to treat"
    provider = [{"coding": [{"system": f"{CODES}/organization-type", "code": "prov"}]}]
    id_ = scene.clinic.removeprefix("Organization/")
    await scene.put("Organization", id_, name="Riverbend Family Health", active=True, type=provider)
    assert (await scene.decide())["decision"] == "permit"
    await scene.put(
        "CareTeam", "team", status="inactive", subject={"reference": scene.leslie}, participant=member
    )
    assert (await scene.decide())["rule"] == "recipient-not-named"


async def test_a_person_a_role_and_the_whole_mean_their_agency(scene: Scene) -> None:
    id_ = scene.clinic.removeprefix("Organization/")
    await scene.put("Practitioner", "okafor", name=[{"family": "Okafor"}])
    who, where = {"reference": "Practitioner/okafor"}, {"reference": scene.clinic}
    role = await scene.put("PractitionerRole", "okafor-there", practitioner=who, organization=where)
    whole = await scene.put("Organization", "health-system", name="Health System", active=True)
    await scene.put(
        "Organization", id_, name="Riverbend Family Health", active=True, partOf={"reference": whole}
    )
    for named in ("Practitioner/okafor", role, whole, f"{scene.service.base}/{scene.clinic}"):
        await scene.consent("k", named)
        assert (await scene.decide())["decision"] == "permit", named
    await scene.consent("k", "Practitioner/bell")
    assert (await scene.decide())["decision"] == "deny"


async def test_nobody_puts_itself_into_a_class_that_a_consent_names(scene: Scene) -> None:
    """The clinic may write care teams and roles; they do not say whom the client's consent means."""
    id_ = scene.clinic.removeprefix("Organization/")
    provider = [{"coding": [{"system": f"{CODES}/organization-type", "code": "prov"}]}]
    await scene.put("Organization", id_, name="Riverbend Family Health", active=True, type=provider)
    await scene.consent("k", TREATING, "Practitioner/okafor")
    member = [{"member": {"reference": scene.clinic}}]
    where, by = {"reference": scene.clinic}, scene.riverbend
    await scene.put(
        "CareTeam", "own", by, status="active", subject={"reference": scene.leslie}, participant=member
    )
    await scene.put(
        "PractitionerRole", "own", by, practitioner={"reference": "Practitioner/okafor"}, organization=where
    )
    assert (await scene.decide())["rule"] == "recipient-not-named"


async def test_a_partners_own_consent_opens_nothing_but_its_denial_counts(scene: Scene) -> None:
    await scene.consent("theirs", scene.clinic, by=scene.riverbend)
    assert (await scene.decide())["rule"] == "consent-not-verified"
    await scene.consent("ours", scene.clinic)
    assert (await scene.decide())["decision"] == "permit"
    await scene.consent("theirs", by=scene.riverbend, dateTime="2026-04-01", provision={"type": "deny"})
    assert (await scene.decide())["rule"] == "denied-by-client"


async def test_another_agencys_form_does_not_open_our_records(scene: Scene) -> None:
    await scene.consent("k", scene.clinic, organization=[{"reference": scene.clinic}])
    assert (await scene.decide())["rule"] == "discloser-not-named"


async def test_a_denial_that_names_the_client_by_url_counts(scene: Scene) -> None:
    await scene.consent("k", scene.clinic)
    whole = {"reference": f"{scene.service.base}/{scene.leslie}"}
    await scene.consent("d", patient=whole, dateTime="2026-04-01", provision={"type": "deny"})
    assert (await scene.decide())["rule"] == "denied-by-client"


async def test_a_signature_may_be_in_a_provenance_of_ours(scene: Scene) -> None:
    consent = await scene.consent("k", scene.clinic, sourceAttachment=None)
    assert (await scene.decide())["rule"] == "consent-unsigned"
    signature = {
        "type": [{"system": "urn:iso-astm:E1762-95:2013", "code": "1.2.840.10065.1.12.1.7"}],
        "when": "2026-03-05T10:00:00Z",
        "who": {"reference": scene.leslie},
    }
    proof: dict[str, Any] = {
        "target": [{"reference": consent}],
        "recorded": "2026-03-05T10:00:00Z",
        "agent": [{"who": {"reference": scene.leslie}}],
        "signature": [signature],
    }
    await scene.put("Provenance", "theirs", scene.riverbend, **proof)
    assert (await scene.decide())["rule"] == "consent-unsigned", "not on the word of who wants it"
    await scene.put("Provenance", "ours", **proof)
    assert (await scene.decide())["decision"] == "permit"
