"""Consent/$decide: what consent would say, and why, without anything leaving. The question itself is on the trail."""

from dataclasses import dataclass, replace

from service.consent import terms
from service.consent.permit import Deny, Permit
from service.fhir.json import JsonObject
from service.fhir.outcome import Issue
from service.fhir.references import local
from service.fhir.row import Row
from service.flows.audit import may_audit
from service.flows.audit.disclosed import decided
from service.flows.caller import Caller
from service.flows.context import Context
from service.flows.keep import absent
from service.flows.permit import PURPOSE, weighed
from service.kernel.failures import Refused
from service.store import partners, resources
from service.store.partners import Partner
from service.store.trail import current

HOME = "Patient"
MOST = 1000


@dataclass(frozen=True, slots=True)
class Supposed:
    """What is asked: who would receive what, for which purpose."""

    recipient: str
    purpose: str = ""
    patient: str = ""
    references: tuple[str, ...] = ()


async def decide(context: Context, caller: Caller, supposed: Supposed) -> JsonObject:
    """Parameters: decision, basis, rule, text, consents, what is withheld or masked. Refused: absent, malformed."""
    caller.require("Consent", "r")
    if not may_audit(caller):
        raise Refused("forbidden", "only auditors and the case-management system ask what consent would say")
    purpose = supposed.purpose or PURPOSE
    if not terms.purpose_words(purpose) or not purpose.isalnum():
        raise _wrong("purpose must be a code of v3-ActReason")
    async with context.database.reading() as connection:
        partner = await _recipient(connection, supposed.recipient)
        rows = await _rows(connection, supposed)
        verdict = await weighed(context, connection, partner.organization, rows, purpose)
    trail = current()
    clients = sorted({row.patient for row in rows if row.patient})
    said = decided(context.clock(), partner, "", verdict, purpose, trail.request)
    asked = replace(
        said, action="$decide", about=tuple(clients), client=caller.client_id, organization=caller.organization,
        address=trail.address, token=trail.token, outcome="0", detail=f"about {partner.organization}",
    )  # fmt: skip
    await context.database.record([asked])
    return _told(verdict)


async def _recipient(connection: object, text: str) -> Partner:
    found = local(text)
    organization = "/".join(found) if found else text
    partner = await partners.of_organization(connection, organization) or await partners.known(
        connection, text
    )
    if partner is None:
        raise _wrong("recipient is no partner: Organization/[id] of one, or its client_id")
    return partner


async def _rows(connection: object, supposed: Supposed) -> list[Row]:
    named = [local(each) for each in supposed.references]
    if (not named and not supposed.patient) or None in named:
        raise _wrong("give a patient (Patient/[id]) or references (Type/[id])")
    if named:
        rows = await resources.known(connection, [each for each in named if each], None)
        if len(rows) < len(set(named)):
            raise Refused("absent", "one of the references does not exist here")
        return rows
    home = local(supposed.patient)
    if home is None or home[0] != HOME:
        raise _wrong("patient is Patient/[id]")
    rows = await resources.all_of_patient(connection, supposed.patient, MOST)
    if not rows:
        raise absent(*home)
    return rows


def _told(verdict: Permit | Deny) -> JsonObject:
    parts: list[JsonObject] = []
    if isinstance(verdict, Deny):
        parts += [_code("decision", "deny"), _code("rule", verdict.code), _text("text", verdict.text)]
    else:
        parts += [_code("decision", "permit"), _code("basis", verdict.basis)]
        parts += [_word(each) for each in verdict.consents]
        parts += [_text("text", verdict.explanation)] if verdict.explanation else []
        parts += [
            _cleared(each.item.reference, each.basis, each.consent, each.masks) for each in verdict.cleared
        ]
    parts += [
        {
            "name": "withheld",
            "part": [_text("reference", one.reference), _code("rule", one.code), _text("text", one.text)],
        }
        for one in verdict.withheld
    ]
    return {"resourceType": "Parameters", "parameter": parts}


def _cleared(
    reference: str, basis: str, consent: str, masks: tuple[tuple[str | int, ...], ...]
) -> JsonObject:
    masked = [_text("masked", ".".join(str(step) for step in path)) for path in masks]
    said = [_text("reference", reference), _code("basis", basis)]
    return {"name": "released", "part": [*said, *([_text("consent", consent)] if consent else []), *masked]}


def _word(each: str) -> JsonObject:
    """On whose word: a consent, or a ground other than consent by its id."""
    if each.startswith("urn:"):
        return {"name": "ground", "valueUri": each}
    return {"name": "consent", "valueReference": {"reference": each}}


def _code(name: str, value: str) -> JsonObject:
    return {"name": name, "valueCode": value}


def _text(name: str, value: str) -> JsonObject:
    return {"name": name, "valueString": value}


def _wrong(text: str) -> Refused:
    return Refused("malformed", text, [Issue("error", "value", text)])
