"""Grounds other than consent, each an explicit act: what must be true for it to carry this disclosure."""

from typing import assert_never

from service.consent import terms
from service.consent.permit import ReasonCode
from service.consent.request import Agreement, Emergency, Labelled, Request


def purpose_of(ground: Emergency | Agreement, asked: str) -> str:
    """For what a ground on record is used: for what was asked, if it is for that, else for its own purpose."""
    own = {"ETREAT"} if isinstance(ground, Emergency) else ground.purposes
    return asked if any(terms.purpose_within(asked, one) for one in own) else min(own, default=asked)


def ground_objection(request: Request, item: Labelled) -> ReasonCode | None:
    """Why the ground invoked does not carry this resource; None if it does."""
    ground = request.ground
    if ground is None:
        return "no-consent"
    match ground:
        case Emergency():
            objection = _emergency(ground, request, item)
        case Agreement():
            objection = _agreement(ground, request, item)
        case _:
            assert_never(ground)
    if objection is None and ground.types and item.type not in ground.types:
        return "ground-data"
    return objection


def _emergency(ground: Emergency, request: Request, item: Labelled) -> ReasonCode | None:
    """42 CFR 2.51(c): all four facts, and only for treating the emergency of these clients, while it lasts."""
    facts = (ground.recipient_name, ground.recipient_affiliation, ground.discloser, ground.nature)
    if ground.at is None or not all(fact.strip() for fact in facts):
        return "emergency-incomplete"
    if not ground.at <= request.now < ground.until:
        return "emergency-over"
    if ground.recipient != request.recipient:
        return "emergency-recipient"
    if (item.patient or request.patient) not in ground.patients:
        return "emergency-patient"
    return None if terms.purpose_within(request.purpose, "ETREAT") else "emergency-purpose"


def _agreement(ground: Agreement, request: Request, item: Labelled) -> ReasonCode | None:
    if not ground.document.strip():
        return "agreement-not-in-force"
    if not (ground.start <= request.now and (ground.end is None or request.now < ground.end)):
        return "agreement-not-in-force"
    if ground.recipient != request.recipient:
        return "agreement-recipient"
    if not any(terms.purpose_within(request.purpose, one) for one in ground.purposes):
        return "agreement-purpose"
    named = ground.patients
    if ground.basis == "court-order" and named is None:
        return "agreement-patient"
    if named is not None and (item.patient or request.patient) not in named:
        return "agreement-patient"
    return None
