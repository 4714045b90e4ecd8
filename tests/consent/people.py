"""The people and papers of STORY.md, as the consent tests need them: small builders, no logic."""

from datetime import UTC, datetime
from typing import Any

from service.consent.decide import decide
from service.consent.label import label
from service.consent.model import Consent
from service.consent.permit import Deny, Permit
from service.consent.request import Agreement, Directory, Emergency, Labelled, Posture, Request

HARBOR, RIVERBEND = "Organization/harbor", "Organization/riverbend"
NORTHSIDE, LAKEVIEW, COUNTY = "Organization/northside", "Organization/lakeview", "Organization/county"
FUNDER = "Organization/statewide"
LESLIE = "Patient/leslie"
NOW = datetime(2026, 3, 11, 15, tzinfo=UTC)
ALCOHOL = {"system": "http://snomed.info/sct", "code": "7200002"}
HOUSING = {"system": "http://snomed.info/sct", "code": "710911006"}
DEPRESSION = {"system": "http://snomed.info/sct", "code": "35489007"}
NOTES = {"system": "https://casebridge.example/fhir/CodeSystem/document", "code": "counselling-note"}
CATEGORIES = {
    "SUD": frozenset({(ALCOHOL["system"], ALCOHOL["code"])}),
    "MH": frozenset({(DEPRESSION["system"], DEPRESSION["code"])}),
    "PSYTHPN": frozenset({(NOTES["system"], NOTES["code"])}),
}
TITLES = {NORTHSIDE: "Northside Housing Partnership", RIVERBEND: "Riverbend Family Health"}
DIRECTORY = Directory(
    names={NORTHSIDE: frozenset({"https://northside.example/fhir/Organization/1", "urn:npi|1234567893"})},
    members={
        "CareTeam/leslie": frozenset({RIVERBEND}),
        "Group/treating-providers": frozenset({RIVERBEND, LAKEVIEW}),
    },
    titles=TITLES,
    covered=frozenset({RIVERBEND}),
)
POSTURE = Posture(part2_program=True, organization=HARBOR)


def resource(type_: str, id_: str = "1", **more: Any) -> dict[str, Any]:
    about = {"ServiceRequest": "subject", "Task": "for", "Patient": "id"}.get(type_, "subject")
    body: dict[str, Any] = {"resourceType": type_, "id": id_}
    if type_ == "Patient":
        body["id"] = "leslie"
    else:
        body[about] = {"reference": LESLIE}
    return {**body, **more}


def item(type_: str = "Condition", id_: str = "1", part2: bool = True, **more: Any) -> Labelled:
    own = {key: more.pop(key) for key in ("author", "custodian", "raw") if key in more}
    return label(resource(type_, id_, **more), part2_source=part2, categories=CATEGORIES, **own)


def actor(who: str, role: str = "IRCP") -> dict[str, Any]:
    return {"role": {"coding": [{"code": role}]}, "reference": {"reference": who}}


def rule(
    kind: str | None = "permit", to: str | None = None, for_: str | None = None, **more: Any
) -> dict[str, Any]:
    body: dict[str, Any] = {} if kind is None else {"type": kind}
    if to:
        body["actor"] = [actor(one) for one in to.split()]
    if for_:
        body["purpose"] = [{"code": one} for one in for_.split()]
    nested = more.pop("but", None)
    if nested:
        body["provision"] = nested
    for key, value in more.items():
        body[{"class_": "class", "labels": "securityLabel", "codes": "code"}.get(key, key)] = value
    return body


def types(*names: str) -> list[dict[str, str]]:
    return [{"system": "http://hl7.org/fhir/resource-types", "code": name} for name in names]


def marks(*codes: str) -> list[dict[str, str]]:
    return [{"code": code} for code in codes]


def consent(provision: dict[str, Any] | None, id_: str = "k", **more: Any) -> dict[str, Any]:
    body = {
        "resourceType": "Consent",
        "id": id_,
        "status": "active",
        "scope": {"coding": [{"code": "patient-privacy"}]},
        "patient": {"reference": LESLIE},
        "organization": [{"reference": HARBOR}],
        "dateTime": "2026-03-05",
        "sourceAttachment": {"title": "signed form"},
        "provision": provision,
        **more,
    }
    return {key: value for key, value in body.items() if value is not None}


def ask(
    items: Labelled | list[Labelled],
    consents: list[dict[str, Any] | Consent],
    *,
    to: str = NORTHSIDE,
    for_: str = "COC",
    now: datetime = NOW,
    ground: Emergency | Agreement | None = None,
    posture: Posture = POSTURE,
    **more: Any,
) -> Permit | Deny:
    listed = tuple(items) if isinstance(items, list) else (items,)
    request = Request(to, for_, listed, now, patient=more.pop("patient", LESLIE), ground=ground, **more)
    return decide(request, consents, posture, DIRECTORY)


def code(answer: Permit | Deny) -> str:
    return answer.code if isinstance(answer, Deny) else answer.basis
