"""Situations drawn by Hypothesis, and the same facts written as FHIR for the engine."""

from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

from hypothesis import strategies as st

from service.consent.decide import decide
from service.consent.label import label
from service.consent.model import read
from service.consent.permit import Deny
from service.consent.request import Agreement, Directory, Emergency, Labelled, Posture, Request
from tests.consent.oracle import US, Ground, Paper, Rule, Situation, Thing

ZERO = datetime(2026, 1, 1, tzinfo=UTC)
ORGS = ("Organization/north", "Organization/river", "Organization/lake")
GROUPS = ("Group/treating", "CareTeam/1")
CLASSES = ("urn:class|treating-providers", "urn:class|care-team")
PURPOSES: tuple[str, ...] = (
    "TREAT",
    "COC",
    "TPO",
    "HPAYMT",
    "HOPERAT",
    "CAREMGT",
    "BTG",
    "ETREAT",
    "HRESCH",
    "HLEGAL",
    "HPRGRP",
)
MARKS = ("SUD", "ETH", "OPIOIDUD", "MH", "BH", "PSYTHPN", "HIV", "PSY")
FOUND = ("SUD", "MH", "OPIOIDUD", "HIV", "PSYTHPN")
TYPES = ("Patient", "ServiceRequest", "Task", "Condition", "Observation", "Encounter", "Organization")
SYSTEM = "http://codes.example"
CATEGORIES = {mark: frozenset({(SYSTEM, f"sensitive-{mark}")}) for mark in FOUND}


def some(dice: Random, values: tuple[str, ...], chance: float, most: int = 2) -> frozenset[str]:
    """Usually nothing, else a few of these."""
    return frozenset(dice.sample(values, dice.randint(1, most))) if dice.random() < chance else frozenset()


def a_day(dice: Random, chance: float = 1.0) -> int | None:
    return dice.randint(0, 12) if dice.random() < chance else None


def anything(dice: Random, depth: int, root: bool = False) -> Rule:
    """A rule with no sense in it: every dimension, every combination."""
    return Rule(
        kind=dice.choice(("permit", "permit", "deny", None) if root else ("permit", "deny", "deny", None)),
        recipients=some(dice, (*ORGS[:2], *GROUPS, *CLASSES), 0.7 if root else 0.25),
        custodians=some(dice, (US, ORGS[2]), 0.08, most=1),
        purposes=some(dice, PURPOSES, 0.6 if root else 0.15),
        types=some(dice, TYPES[:6], 0.15),
        codes=some(dice, ("c1", "sensitive-SUD"), 0.1),
        confidentiality=dice.choice(("N", "R", "V")) if dice.random() < 0.15 else "",
        marks=some(dice, MARKS, 0.2),
        part2_only=dice.random() < 0.08,
        first_day=a_day(dice, 0.15 if root else 0),
        last_day=a_day(dice, 0.15),
        data_first=a_day(dice, 0.08),
        data_last=a_day(dice, 0.08),
        instance="Condition/t0" if dice.random() < 0.06 else "",
        related="Encounter/e1" if dice.random() < 0.06 else "",
        correct_only=dice.random() < 0.03,
        puzzling=dice.random() < 0.03,
        but=tuple(anything(dice, depth - 1) for _ in range(dice.choice((0, 0, 1, 2)))) if depth else (),
    )


def plausible(dice: Random) -> Rule:
    """A form as agencies use it: recipients, purposes, an end, some exceptions."""
    return Rule(
        kind="permit",
        recipients=dice.choice(
            (
                frozenset({ORGS[0]}),
                frozenset(ORGS[:2]),
                frozenset({GROUPS[0]}),
                frozenset({ORGS[1], GROUPS[1]}),
                frozenset({CLASSES[0]}),
            )
        ),
        purposes=dice.choice((frozenset({"TREAT"}), frozenset({"TPO"}), frozenset({"COC", "HPAYMT"}))),
        types=some(dice, TYPES[:6], 0.15, most=4),
        marks=some(dice, MARKS, 0.15),
        first_day=dice.choice((None, 0, 3)),
        last_day=dice.choice((None, 9, 12)),
        but=tuple(anything(dice, 1) for _ in range(dice.choice((0, 0, 1, 2)))),
    )


def paper(dice: Random, id_: str) -> Paper:
    return Paper(
        id=id_,
        root=plausible(dice) if dice.random() < 0.6 else anything(dice, 2, root=True),
        status="active" if dice.random() < 0.93 else "inactive",
        policy=dice.choice(("", "", "", "OPTIN", "OPTOUT", "EMRGONLY")),
        day=a_day(dice, 0.97),
        signed=dice.random() < 0.95,
        own_client=dice.random() < 0.95,
        scope=dice.choice(("patient-privacy",) * 12 + ("research", "treatment")),
        disclosers=dice.choice(
            (frozenset({US}),) * 8 + (frozenset(), frozenset({ORGS[2]}), frozenset({US, ORGS[2]}))
        ),
        from_a_partner=dice.random() < 0.06,
    )


def thing(dice: Random, id_: str) -> Thing:
    return Thing(
        id=id_,
        type=dice.choice(TYPES),
        part2=dice.random() < 0.6,
        primary=some(dice, FOUND, 0.25),
        reason=some(dice, FOUND, 0.3),
        received=some(dice, MARKS, 0.1),
        received_level=dice.choice(("N", "R", "V")) if dice.random() < 0.2 else "",
        code=dice.choice(("", "c1", "c2")),
        day=a_day(dice, 0.6),
        mentions=dice.choice(("", "", "Encounter/e1")),
        author=dice.choice(ORGS) if dice.random() < 0.2 else "",
        custodian=dice.choice((US, ORGS[0])) if dice.random() < 0.08 else "",
    )


def ground(dice: Random, purpose: str) -> Ground:
    return Ground(
        basis=dice.choice(("emergency", "audit-evaluation", "qsoa", "court-order")),
        facts_complete=dice.random() < 0.85,
        recipient=dice.choice((ORGS[0], ORGS[0], ORGS[1])),
        purposes=some(dice, ("TPO", "HPRGRP", "HLEGAL", "TREAT", purpose), 1),
        first_day=dice.randint(0, 6),
        end_day=a_day(dice, 0.4),
        names_client=dice.choice((None, True, True, True, False)),
        types=some(dice, TYPES, 0.2, most=4),
    )


seeds = st.integers(0, 2**64 - 1).map(Random)


@st.composite
def situations(draw: st.DrawFn) -> Situation:
    """Hypothesis rolls one seed for each paper and thing, so that a failure shrinks to few of them."""
    dice = draw(seeds)
    purpose = dice.choice((*PURPOSES, *("TREAT", "COC", "COC", "COC", "HPAYMT", "BTG")))
    return Situation(
        recipient=dice.choice(ORGS[:2]),
        purpose=purpose,
        day=dice.randint(0, 12),
        things=tuple(thing(draw(seeds), f"t{number}") for number in range(draw(st.integers(1, 2)))),
        papers=tuple(paper(draw(seeds), f"p{number}") for number in range(draw(st.integers(1, 3)))),
        groups=tuple((group, some(dice, ORGS, 0.8)) for group in GROUPS),
        circles=tuple(
            (client, name, some(dice, ORGS, 0.6))
            for client in ("Patient/leslie", "Patient/other")
            for name in CLASSES
        ),
        covered=some(dice, ORGS, 0.7),
        tpo=dice.random() < 0.4,
        ground=ground(dice, purpose) if dice.random() < 0.2 else None,
        recorded=tuple(ground(dice, purpose) for _ in range(dice.choice((0, 0, 0, 0, 1, 2)))),
    )


def engine(situation: Situation) -> dict[str, str] | None:
    """The engine's answer in the oracle's form."""
    request = Request(
        recipient=situation.recipient,
        purpose=situation.purpose,
        resources=tuple(map(_labelled, situation.things)),
        now=_noon(situation.day),
        patient="Patient/leslie",
        ground=_ground(situation.ground),
        recorded=tuple(one for each in situation.recorded if (one := _ground(each))),
    )
    posture = Posture(True, US, tpo_without_consent=situation.tpo)
    circles: dict[str, dict[str, frozenset[str]]] = {client: {} for client, _, _ in situation.circles}
    for client, name, members in situation.circles:
        circles[client][name] = members
    directory = Directory(members=dict(situation.groups), circles=circles, covered=situation.covered)
    papers = [read(_consent(one), foreign=one.from_a_partner) for one in situation.papers]
    answer = decide(request, papers, posture, directory)
    if isinstance(answer, Deny):
        return None
    return {
        one.item.reference.partition("/")[2]: one.basis + ("+mask" if one.masks else "")
        for one in answer.cleared
    }


def _date(number: int) -> str:
    return (ZERO + timedelta(days=number)).date().isoformat()


def _noon(number: int) -> datetime:
    return ZERO + timedelta(days=number, hours=12)


def _coding(code: str) -> dict[str, str]:
    return {"system": SYSTEM, "code": code}


def _labelled(thing: Thing) -> Labelled:
    levels = [
        {"system": "http://terminology.hl7.org/CodeSystem/v3-Confidentiality", "code": thing.received_level}
    ]
    security = [
        {"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": mark}
        for mark in thing.received
    ]
    codes = [*((thing.code,) if thing.code else ()), *(f"sensitive-{mark}" for mark in thing.primary)]
    body: dict[str, Any] = {
        "resourceType": thing.type,
        "id": thing.id,
        "meta": {"security": security + (levels if thing.received_level else [])},
        "code": {"coding": [_coding(code) for code in codes]},
    }
    if thing.reason:
        body["reasonCode"] = [{"coding": [_coding(f"sensitive-{mark}") for mark in thing.reason]}]
    if thing.day is not None:
        body["date"] = _date(thing.day)
    if thing.mentions:
        body["encounter"] = {"reference": thing.mentions}
    return label(
        body, part2_source=thing.part2, categories=CATEGORIES, patient="Patient/leslie",
        author=thing.author, custodian=thing.custodian,
    )  # fmt: skip


def _consent(paper: Paper) -> dict[str, Any]:
    body: dict[str, Any] = {
        "resourceType": "Consent",
        "id": paper.id,
        "status": paper.status,
        "scope": {"coding": [{"code": paper.scope}]},
        "patient": {"reference": "Patient/leslie" if paper.own_client else "Patient/other"},
        "organization": [{"reference": who} for who in sorted(paper.disclosers)],
        "provision": _rule(paper.root),
    }
    if paper.policy:
        body["policyRule"] = {"coding": [{"code": paper.policy}]}
    if paper.day is not None:
        body["dateTime"] = _date(paper.day)
    if paper.signed:
        body["sourceReference"] = {"reference": "DocumentReference/form"}
    return body


def _rule(rule: Rule) -> dict[str, Any]:
    labels = [
        *rule.marks,
        *(("42CFRPart2",) if rule.part2_only else ()),
        *((rule.confidentiality,) if rule.confidentiality else ()),
    ]
    actors = [(who, "IRCP") for who in rule.recipients] + [(who, "CST") for who in rule.custodians]
    data = [("instance", rule.instance)] if rule.instance else []
    data += [("related", rule.related)] if rule.related else []
    body: dict[str, Any] = {
        "type": rule.kind,
        "actor": [
            {"role": {"coding": [{"code": role}]}, "reference": _reference(who)} for who, role in actors
        ],
        "purpose": [{"code": one} for one in rule.purposes],
        "class": [{"system": "http://hl7.org/fhir/resource-types", "code": one} for one in rule.types],
        "code": [{"coding": [_coding(one)]} for one in rule.codes],
        "securityLabel": [{"code": one} for one in labels],
        "period": _period(rule.first_day, rule.last_day),
        "dataPeriod": _period(rule.data_first, rule.data_last),
        "data": [{"meaning": meaning, "reference": {"reference": what}} for meaning, what in data],
        "action": [{"coding": [{"code": "correct"}]}] if rule.correct_only else [],
        "modifierExtension": [{"url": "https://x.example"}] if rule.puzzling else [],
        "provision": [_rule(inner) for inner in rule.but],
    }
    return {key: value for key, value in body.items() if value}


def _reference(who: str) -> dict[str, Any]:
    system, bar, value = who.partition("|")
    return {"identifier": {"system": system, "value": value}} if bar else {"reference": who}


def _period(first: int | None, last: int | None) -> dict[str, str]:
    bounds = {"start": first, "end": last}
    return {name: _date(number) for name, number in bounds.items() if number is not None}


def _ground(ground: Ground | None) -> Emergency | Agreement | None:
    if ground is None:
        return None
    if ground.basis == "emergency":
        return Emergency(
            "Dr",
            "Clinic",
            "Chen",
            ZERO + timedelta(days=ground.first_day),
            "overdose" if ground.facts_complete else "",
            ground.recipient,
            frozenset({"Patient/other" if ground.names_client is False else "Patient/leslie"}),
            ZERO + timedelta(days=99 if ground.end_day is None else ground.end_day),
            ground.types,
        )
    named = {None: None, True: frozenset({"Patient/leslie"}), False: frozenset({"Patient/other"})}[
        ground.names_client
    ]
    return Agreement(
        basis=ground.basis,  # type: ignore[arg-type]
        document="Contract/1" if ground.facts_complete else "",
        recipient=ground.recipient,
        purposes=ground.purposes,
        start=ZERO + timedelta(days=ground.first_day),
        end=None if ground.end_day is None else ZERO + timedelta(days=ground.end_day),
        patients=named,
        types=ground.types,
    )
