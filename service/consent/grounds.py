"""Grounds other than consent, each an explicit act: what must be true for it to carry this disclosure."""

from typing import assert_never

from service.consent import terms
from service.consent.permit import ReasonCode
from service.consent.request import Agreement, Emergency, Labelled, Request


def ground_objection(request: Request, item: Labelled) -> ReasonCode | None:
    """Why the ground invoked does not carry this resource; None if it does."""
    ground = request.ground
    match ground:
        case None:
            return "no-consent"
        case Emergency():
            return _emergency(ground, request)
        case Agreement():
            return _agreement(ground, request, item)
        case _:
            assert_never(ground)


def _emergency(ground: Emergency, request: Request) -> ReasonCode | None:
    """42 CFR 2.51(c): all four facts, and only for treating the emergency."""
    facts = (ground.recipient_name, ground.recipient_affiliation, ground.discloser, ground.nature)
    if ground.at is None or not all(fact.strip() for fact in facts):
        return "emergency-incomplete"
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
    patient = item.patient or request.patient
    if named is not None and patient not in named:
        return "agreement-patient"
    return None
