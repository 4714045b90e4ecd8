"""May this document go to this recipient for this purpose, now? The one decision, pure and explainable.

Order (`CONSENT.md` 2.3): what concerns no client; the custodian's own; the author's own; an explicit ground
(emergency 2.51, audit 2.53, QSOA 2.11, court order 2.61); the client's consents; the posture's TPO rule for
unprotected data; otherwise no.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import assert_never

from service.consent import terms
from service.consent.grounds import ground_objection, purpose_of
from service.consent.model import Consent, Defect, read
from service.consent.permit import SEAL, Basis, Cleared, Deny, Permit, ReasonCode, Withholding
from service.consent.redact import MASKABLE, maskable
from service.consent.request import Agreement, Directory, Emergency, Labelled, Posture, Request
from service.consent.synthetic import SelfTest
from service.consent.weigh import Ask, Word, winner, words
from service.fhir.json import JsonObject

_WEIGHT: tuple[Basis, ...] = (
    *("emergency", "court-order", "audit-evaluation", "qsoa", "consent", "tpo"),
    *("author", "custodian", "directory", "conformance", "synthetic", "empty"),
)
NOBODY = Directory()


@dataclass(frozen=True, slots=True)
class _Case:
    """A request with what is needed to judge each of its resources."""

    request: Request
    consents: tuple[Consent, ...]
    posture: Posture
    directory: Directory
    names: frozenset[str]

    def deny(self, item: Labelled, code: ReasonCode) -> Withholding:
        """A sentence about who and for what; never about the content."""
        who = self.directory.title(self.request.recipient)
        what = terms.purpose_words(self.request.purpose)
        return Withholding(item.reference, code, _SENTENCE[code].format(who=who, what=what))


def decide(
    request: Request,
    consents: Iterable[JsonObject | Consent],
    posture: Posture,
    directory: Directory = NOBODY,
) -> Permit | Deny:
    """One decision for the whole document, with a list of what is withheld from it.

    Denied as a whole if anything essential may not go, or nothing may. `consents` are Consent resources, or what
    was read of them, of any client and status; those that do not matter are passed over.
    """
    case = _Case(
        request=request,
        consents=tuple(one if isinstance(one, Consent) else read(one, posture.zone) for one in consents),
        posture=posture,
        directory=directory,
        names=directory.known_as(request.recipient),
    )
    judged = [_judge(case, item) for item in request.resources]
    cleared = tuple(one for one in judged if isinstance(one, Cleared))
    withheld = tuple(one for one in judged if isinstance(one, Withholding))
    lost = [one for one in withheld if _essential(one.reference, request)]
    spent = withheld and not any(one.item.nature == "client" for one in cleared)
    if lost or spent:
        first = (lost or withheld)[0]
        return Deny(first.code, first.text, withheld)
    return _permit(case, cleared, withheld)


def without(permit: Permit, references: frozenset[str], essential: frozenset[str]) -> Permit | Deny:
    """The same decision without resources that, masked, would no longer be valid records: they are withheld, and the
    document with them where they are essential to it. Masked data is never sent whole instead."""
    text = _SENTENCE["mask-breaks-profile"].format(who=permit.recipient)
    lost = tuple(
        Withholding(one.item.reference, "mask-breaks-profile", text)
        for one in permit.cleared
        if one.item.reference in references
    )
    withheld = (*permit.withheld, *lost)
    rest = tuple(one for one in permit.cleared if one.item.reference not in references)
    needed = any({one.reference, one.reference.partition("/")[0]} & essential for one in lost)
    if needed or not any(one.item.nature == "client" for one in rest):
        return Deny("mask-breaks-profile", text, withheld)
    return replace(permit, cleared=rest, withheld=withheld, seal=SEAL)


def decide_self_test(test: SelfTest, recipient: str) -> Permit:
    """Yes, to any partner: what goes is about nobody. It is written here and now by `synthetic`, so that nothing else
    can come to this ground; the purpose is HTEST, test health data."""
    patient = f"Patient/{test.id_of('Patient')}"
    items = [
        Labelled(
            f"{each['resourceType']}/{each['id']}", each["resourceType"], "client", each, patient=patient
        )
        for each in test.resources()
    ]
    cleared = tuple(Cleared(item, "synthetic") for item in items)
    return Permit("synthetic", recipient, "HTEST", test.at, cleared, seal=SEAL)


def _essential(reference: str, request: Request) -> bool:
    return reference in request.essential or reference.partition("/")[0] in request.essential


def _judge(case: _Case, item: Labelled) -> Cleared | Withholding:
    request = case.request
    if item.nature == "directory":
        return Cleared(item, "directory")
    if item.nature == "definition":
        return Cleared(item, "conformance")
    stranger = _stranger(item, request)
    if stranger is not None:
        return case.deny(item, stranger)
    if item.custodian and item.custodian == request.recipient:
        return Cleared(item, "custodian")
    if item.author and item.author == request.recipient:
        return Cleared(item, "author")
    if request.ground is not None:
        objection = ground_objection(request, item)
        basis = _ground_basis(request.ground)
        return case.deny(item, objection) if objection else Cleared(item, basis, request.ground.id)
    verdict = _by_consent(case, item)
    return verdict if isinstance(verdict, Cleared) else _on_record(case, item) or verdict


def _on_record(case: _Case, item: Labelled) -> Cleared | None:
    """A ground other than consent that is on record for this recipient and carries the resource."""
    for ground in case.request.recorded:
        purpose = purpose_of(ground, case.request.purpose)
        if ground_objection(replace(case.request, ground=ground, purpose=purpose), item) is None:
            return Cleared(item, _ground_basis(ground), ground.id, purpose=purpose)
    return None


def _stranger(item: Labelled, request: Request) -> ReasonCode | None:
    """A document about one client holds no other client's resources."""
    if not request.patient:
        return None
    if item.patient and item.patient not in request.patient_also | {request.patient}:
        return "wrong-patient"
    return None


def _ground_basis(ground: Emergency | Agreement) -> Basis:
    match ground:
        case Emergency():
            return "emergency"
        case Agreement(basis):
            return basis
        case _:
            assert_never(ground)


def _by_consent(case: _Case, item: Labelled) -> Cleared | Withholding:
    """The client's word on the resource; if it is no, on what remains when sensitive elements are masked."""
    patient = item.patient or case.request.patient
    if not patient:
        return case.deny(item, "unknown-patient")
    theirs = [one for one in case.consents if _theirs(one, patient, case.request)]
    groups = case.directory.classes_of(case.request.recipient, patient)
    verdict = _word(case, item, theirs, groups)
    if isinstance(verdict, Cleared):
        return verdict
    bare = maskable(item, MASKABLE)
    if bare is not None:
        without, masks = bare
        second = _word(case, without, theirs, groups)
        if isinstance(second, Cleared):
            return replace(second, item=replace(item, labels=without.labels), masks=masks)
    return verdict


def _theirs(consent: Consent, patient: str, request: Request) -> bool:
    also = request.patient_also if patient == request.patient else frozenset()
    return consent.disclosure and bool(consent.patient) and consent.patient in also | {patient}


def _word(
    case: _Case, item: Labelled, theirs: Sequence[Consent], groups: frozenset[str]
) -> Cleared | Withholding:
    ask = Ask(
        item=item,
        purpose=case.request.purpose,
        now=case.request.now,
        names=case.names,
        groups=groups,
        disclosers=case.directory.known_as(case.posture.organization),
    )
    active = [one for one in theirs if one.status == "active"]
    said = [heard for one in active for heard in words(one, ask)]
    useful = [one for one in said if one.kind == "deny" or usable(one, ask)]
    decided = winner(useful)
    if decided is not None and decided.kind == "permit":
        return Cleared(item, "consent", decided.consent.reference)
    if decided is not None:
        return case.deny(item, "denied-by-client")
    if _ordinary(case, item):
        return Cleared(item, "tpo")
    return case.deny(item, _why_not(case, item, ask, theirs))


def usable(said: Word, ask: Ask) -> bool:
    """Is this permit fit to be acted on (2.31(c)), for data as protected as this?"""
    consent, labels = said.consent, ask.item.labels
    blocking = consent.defects - (_FORM if not labels.protected else frozenset())
    if blocking or not _ours_to_disclose(consent, ask):
        return False
    if labels.protected and not (said.named and said.purposed):
        return False
    if consent.research and not terms.purpose_within(ask.purpose, terms.RESEARCH):
        return False
    notes = terms.COUNSELLING_NOTES in labels.marks
    return not notes or terms.COUNSELLING_NOTES in said.marks


_FORM: frozenset[Defect] = frozenset({"no-purpose", "no-recipient", "no-discloser"})
"""Elements of 2.31 that only protected data needs."""


def _ours_to_disclose(consent: Consent, ask: Ask) -> bool:
    """Does it authorise us (2.31(a)(2)), where it says whom? Another agency's form does not open our records."""
    return not consent.disclosers or bool(consent.disclosers & ask.disclosers)


def _ordinary(case: _Case, item: Labelled) -> bool:
    """Unprotected data for treatment, payment and operations to a covered entity, if the posture says so."""
    return (
        case.posture.tpo_without_consent
        and not item.labels.protected
        and terms.purpose_within(case.request.purpose, "TPO")
        and bool(case.names & case.directory.covered)
    )


def _why_not(case: _Case, item: Labelled, ask: Ask, theirs: Sequence[Consent]) -> ReasonCode:
    """The nearest miss: the last gate that any of the client's consents reached."""
    gates: list[ReasonCode] = ["no-consent"]
    gates += [_gate(one, ask) for one in theirs if one.root.kind == "permit" or one.root.nested]
    return max(gates, key=_GATES.index)


def _gate(consent: Consent, ask: Ask) -> ReasonCode:
    if consent.status != "active":
        return "consent-not-active"
    permits = [rule for rule in consent.root.walk() if rule.kind == "permit"]
    named = frozenset(who for rule in consent.root.walk() for who in rule.recipients)
    if named and not named & (ask.names | ask.groups):
        return "recipient-not-named"
    if consent.root.period and not consent.root.period.holds(ask.now):
        return "consent-not-in-force"
    if "not-verified" in consent.defects:
        return "consent-not-verified"
    if "no-signature" in consent.defects:
        return "consent-unsigned"
    if consent.defects - {"no-purpose", "no-recipient"}:
        return "consent-deficient"
    if not _ours_to_disclose(consent, ask):
        return "discloser-not-named"
    if ask.purpose == terms.PROCEEDINGS:
        return "proceedings-not-consented"
    purposes = {one for rule in permits for one in rule.purposes} or set(consent.root.purposes)
    if not any(terms.purpose_within(ask.purpose, one) for one in purposes):
        return "purpose-not-covered"
    if terms.COUNSELLING_NOTES in ask.item.labels.marks:
        return "notes-not-consented"
    return "data-not-covered"


def _permit(case: _Case, cleared: tuple[Cleared, ...], withheld: tuple[Withholding, ...]) -> Permit:
    bases = {one.basis for one in cleared} or {"empty"}
    used = tuple(dict.fromkeys(one.consent for one in cleared if one.consent))
    relied = [one for one in case.consents if one.reference in used]
    ground = case.request.ground
    basis = next(basis for basis in _WEIGHT if basis in bases)
    return Permit(
        basis=basis,
        recipient=case.request.recipient,
        purpose=next(
            (one.purpose for one in cleared if one.basis == basis and one.purpose), case.request.purpose
        ),
        decided_at=case.request.now,
        cleared=cleared,
        withheld=withheld,
        consents=used,
        explanation=" ".join(_explained(case, one) for one in relied),
        copies=tuple(one.copy for one in relied if one.copy),
        document=ground.document if isinstance(ground, Agreement) else "",
        covered_entity=bool(case.names & case.directory.covered),
        seal=SEAL,
    )


def _explained(case: _Case, consent: Consent) -> str:
    """The clear explanation of the scope of the consent (2.32(b))."""
    given = _day(consent.permits_from, case)
    until = _day(consent.expires and consent.expires - timedelta(microseconds=1), case)
    who = case.directory.title(case.request.recipient)
    text = f"Disclosed with the client's written consent of {given} ({consent.reference}) to {who}"
    text += f" for {terms.purpose_words(case.request.purpose)}"
    return f"{text}; the consent ends on {until}." if until else f"{text}; the consent names no end."


def _day(moment: datetime | None, case: _Case) -> str:
    return moment.astimezone(case.posture.zone).date().isoformat() if moment else ""


_GATES: tuple[ReasonCode, ...] = (
    *(
        "no-consent",
        "consent-not-active",
        "recipient-not-named",
        "consent-not-in-force",
        "consent-not-verified",
    ),
    *("consent-unsigned", "consent-deficient", "discloser-not-named"),
    *("purpose-not-covered", "proceedings-not-consented"),
    *("notes-not-consented", "data-not-covered"),
)

_SENTENCE: dict[ReasonCode, str] = {
    "no-consent": "the client has given no consent that names {who} as recipient",
    "consent-not-active": "no active consent of the client names {who} as recipient",
    "consent-not-in-force": "the client's consent for {who} is not in force at this time",
    "consent-not-verified": "a consent for {who} came from another party and was not taken up by this organisation",
    "consent-unsigned": "the client's consent for {who} carries no evidence of a signature",
    "consent-deficient": "the client's consent for {who} lacks what 42 CFR 2.31 requires",
    "discloser-not-named": "the client's consent for {who} does not authorise this organisation to disclose",
    "recipient-not-named": "no active consent of the client names {who} as recipient",
    "purpose-not-covered": "the client's consent for {who} does not cover {what}",
    "data-not-covered": "the client's consent for {who} does not cover this information",
    "denied-by-client": "the client has denied this disclosure to {who}",
    "proceedings-not-consented": "legal proceedings need a consent of their own, and {who} has none",
    "notes-not-consented": "this kind of record needs a consent of its own, and {who} has none",
    "wrong-patient": "this belongs to another client than the document is about",
    "mask-breaks-profile": "without what {who} may not see, this would no longer be a valid record",
    "unknown-patient": "it is not known which client this is about",
    "emergency-incomplete": "an emergency needs recipient, affiliation, discloser, time and nature on record",
    "emergency-over": "the emergency on record is over",
    "emergency-recipient": "the emergency on record does not concern {who}",
    "emergency-patient": "the emergency on record does not concern this client",
    "ground-data": "the ground relied on does not reach this kind of record",
    "emergency-purpose": "a medical emergency permits emergency treatment, not {what}",
    "agreement-not-in-force": "the agreement relied on is not in force at this time",
    "agreement-recipient": "the agreement relied on is not with {who}",
    "agreement-purpose": "the agreement relied on does not cover {what}",
    "agreement-patient": "the order relied on does not name this client",
}
