"""A FHIR R4 Consent as the engine sees it: both dialects of provisions, one frozen meaning.

Dialect A (R4 base): `policyRule` OPTIN/OPTOUT is the base, the untyped root provision narrows it or is its
exception. Dialect B (IHE PCF, FAST, US practice): the root's own `type` is the base. Nested
provisions are exceptions in both. What cannot be understood never permits and always denies: a condition
we do not know makes a permit not apply and a deny apply.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Any, Literal

from service.consent import terms
from service.consent.spans import Span, period, span
from service.fhir.json import JsonObject

Kind = Literal["permit", "deny"]
Token = tuple[str, str]
"""(system, code)."""

Defect = Literal[
    "no-patient", "no-date", "no-signature", "no-purpose", "no-recipient", "no-discloser",
    "proceedings-mixed", "notes-combined", "not-understood", "not-verified",
]  # fmt: skip
"""What makes a consent unfit to permit anything (42 CFR 2.31(c)); a denial it holds still counts."""


@dataclass(frozen=True, slots=True)
class DataRef:
    """One `provision.data`: a resource, and what of it is meant."""

    meaning: str
    reference: str


@dataclass(frozen=True, slots=True)
class Provision:
    """One rule. Every empty set means 'any'; `unknown`: it holds a condition we do not understand."""

    kind: Kind
    recipients: frozenset[str] = frozenset()
    custodians: frozenset[str] = frozenset()
    purposes: frozenset[str] = frozenset()
    actions: frozenset[str] = frozenset()
    classes: frozenset[Token] = frozenset()
    codes: frozenset[Token] = frozenset()
    confidentiality: str = ""
    marks: frozenset[str] = frozenset()
    period: Span | None = None
    data_period: Span | None = None
    data: frozenset[DataRef] = frozenset()
    unknown: bool = False
    nested: tuple["Provision", ...] = ()

    def walk(self) -> Iterator["Provision"]:
        """This provision and all below."""
        yield self
        for inner in self.nested:
            yield from inner.walk()


@dataclass(frozen=True, slots=True)
class Consent:
    """One Consent. `root.kind` is the base rule; `silent`: the base is our default, not the client's word.

    `otherwise` is what the policy says to requests that the root does not concern. `emergency_only`: the base
    denies except in emergencies (EMRGONLY). `given` is the whole stretch that Consent.dateTime names.
    `disclosers`: who is authorised to disclose (2.31(a)(2)): its organisations and the custodians its permits name.
    `disclosure`: it speaks of disclosure at all.
    """

    reference: str
    status: str
    patient: str
    given: Span | None
    root: Provision
    silent: bool = False
    otherwise: Kind | None = None
    emergency_only: bool = False
    research: bool = False
    disclosure: bool = True
    disclosers: frozenset[str] = frozenset()
    defects: frozenset[Defect] = frozenset()
    copy: str = ""

    @property
    def permits_from(self) -> datetime | None:
        """The instant a permit counts as given: the earliest it can have been."""
        return self.given.start if self.given else None

    @property
    def denies_from(self) -> datetime | None:
        """The instant a denial counts as given: the latest it can have been; None: newer than everything."""
        return self.given.end - timedelta(microseconds=1) if self.given and self.given.end else None

    @property
    def expires(self) -> datetime | None:
        """The end of the root period."""
        return self.root.period.end if self.root.period else None


def read(resource: JsonObject, zone: tzinfo = UTC, *, signed: bool = False, foreign: bool = False) -> Consent:
    """Normalise a Consent resource. `signed`: a signature is known from elsewhere (Provenance.signature). `foreign`:
    another party wrote it here, and nobody of ours has checked it."""
    raw = resource.get("provision")
    root = raw if isinstance(raw, dict) else {}
    policy = _policy(resource)
    base = _base(root, policy)
    provision = _provision(root, zone, base[0])
    if resource.get("modifierExtension") or not isinstance(raw, dict | None):
        provision = _unclear(provision)
    return Consent(
        reference=f"Consent/{resource.get('id', '')}",
        status=str(resource.get("status", "")),
        patient=reference(resource.get("patient")),
        given=span(resource.get("dateTime"), zone),
        root=provision,
        silent=base[1],
        otherwise="deny" if policy == "OPTOUT" and "type" in root else None,
        emergency_only=policy == "EMRGONLY" and "type" not in root,
        research=_scope(resource) == "research",
        disclosure=concerns_disclosure(resource),
        disclosers=_disclosers(resource, provision),
        defects=frozenset([*_defects(resource, provision, zone, signed), *_FOREIGN[foreign]]),
        copy=_copy(resource),
    )


_FOREIGN: dict[bool, tuple[Defect, ...]] = {True: ("not-verified",), False: ()}


def of_same_person(one: Consent, patient: str, since: datetime) -> Consent:
    """A consent signed under another Patient, as it counts for `patient` since the two were found to be one.

    Signed before, it permits nothing here and denies as if said at that moment, so that no yes of before outlives it.
    Signed since, it speaks of the one person.
    """
    begins = one.permits_from
    if begins is not None and begins >= since:
        return replace(one, patient=patient)
    says_later = one.denies_from is None or one.denies_from > since
    given = one.given if says_later else Span(since, since + timedelta(microseconds=1))
    return replace(one, patient=patient, given=given, defects=one.defects | {"not-verified"})


def concerns_disclosure(resource: JsonObject) -> bool:
    """Privacy and research consents speak of disclosure; treatment and advance-directive ones do not."""
    return _scope(resource) in ("", "patient-privacy", "research")


def reference(value: object) -> str:
    """A Reference's target without its version; an identifier as `system|value`; "" if there is neither."""
    if not isinstance(value, dict):
        return ""
    literal = value.get("reference")
    if isinstance(literal, str) and literal:
        return literal.split("/_history/")[0]
    identifier = value.get("identifier")
    if isinstance(identifier, dict) and identifier.get("value"):
        return f"{identifier.get('system', '')}|{identifier['value']}"
    return ""


def _base(root: JsonObject, policy: str) -> tuple[Kind, bool]:
    """The base rule, and whether it is only our default (then it is no statement of the client's).

    An untyped root under OPTIN is read as the exception it is in the R4 examples (notThem, notOrg, notThis):
    it never permits what it names. Permit-exceptions under OPTIN mean that only they were meant.
    """
    stated = root.get("type")
    if stated in ("permit", "deny"):
        return stated, False
    if "type" in root:
        return "deny", False
    kinds = {str(inner.get("type")) for inner in _list(root.get("provision"))}
    if policy == "OPTIN":
        if kinds:
            return ("deny", True) if kinds == {"permit"} else ("permit", False)
        narrow = any(key in root for key in ("class", "code", "securityLabel", "data", "dataPeriod"))
        named = any(_role(actor) in terms.RECIPIENT_ROLES for actor in _list(root.get("actor")))
        return ("deny", False) if narrow or named else ("permit", False)
    return "deny", policy not in ("OPTOUT", "EMRGONLY")


def _provision(raw: JsonObject, zone: tzinfo, kind: Kind) -> Provision:
    actors = [(_role(actor), reference(actor.get("reference"))) for actor in _list(raw.get("actor"))]
    labels = _list(raw.get("securityLabel"))
    ranks = [code for code in map(_code, labels) if code in terms.RANK]
    concepts = [_tokens(concept) for concept in _list(raw.get("code"))]
    actions = [_tokens(concept) for concept in _list(raw.get("action"))]
    nested = tuple(
        _provision(inner, zone, "permit" if inner.get("type") == "permit" else "deny")
        for inner in _list(raw.get("provision"))
    )
    return Provision(
        kind=kind,
        recipients=_recipients(raw, actors),
        custodians=frozenset(who for role, who in actors if role in terms.CUSTODIAN_ROLES),
        purposes=frozenset(map(_code, _list(raw.get("purpose")))),
        actions=frozenset(code for tokens in actions for _, code in tokens),
        classes=frozenset(map(_token, _list(raw.get("class")))),
        codes=frozenset(token for tokens in concepts for token in tokens),
        confidentiality=max(ranks, key=terms.RANK.__getitem__, default=""),
        marks=frozenset(code for code in map(_code, labels) if code not in terms.RANK),
        period=period(raw.get("period"), zone),
        data_period=period(raw.get("dataPeriod"), zone),
        data=frozenset(
            DataRef(str(entry.get("meaning", "")), reference(entry.get("reference")))
            for entry in _list(raw.get("data"))
        ),
        unknown=_puzzling(raw, zone, actors, [*concepts, *actions]),
        nested=nested,
    )


def _recipients(raw: JsonObject, actors: list[tuple[str, str]]) -> frozenset[str]:
    """Who is named. Participants of an intermediary are those of the one named beside them (2.31(a)(4)(ii))."""
    named = {who for role, who in actors if role in terms.RECIPIENT_ROLES}
    if terms.PARTICIPANTS not in named:
        return frozenset(named)
    through = [
        reference(actor.get("reference"))
        for actor in _list(raw.get("actor"))
        if terms.INTERMEDIARY in {code for _, code in _tokens(actor.get("role"))}
    ]
    meant = {f"{terms.PARTICIPANTS}@{who}" for who in through if who}
    return frozenset(named - {terms.PARTICIPANTS}) | meant if meant else frozenset(named)


def _puzzling(
    raw: JsonObject, zone: tzinfo, actors: list[tuple[str, str]], concepts: list[tuple[Token, ...]]
) -> bool:
    """Does the provision hold a condition that we would drop by reading it?"""
    known_roles = terms.RECIPIENT_ROLES | terms.CUSTODIAN_ROLES
    coded = [entry for key in ("class", "securityLabel", "purpose") for entry in _list(raw.get(key))]
    return (
        "modifierExtension" in raw
        or any(role not in known_roles or not who for role, who in actors)
        or any(not _code(coding) for coding in coded)
        or any(not tokens for tokens in concepts)
        or any(key in raw and period(raw[key], zone) is None for key in ("period", "dataPeriod"))
        or any(not reference(entry.get("reference")) for entry in _list(raw.get("data")))
        or any(
            not isinstance(raw.get(key, []), list)
            or any(not isinstance(entry, dict) for entry in raw.get(key, []))
            for key in ("actor", "action", "class", "securityLabel", "purpose", "code", "data", "provision")
        )
    )


def _unclear(provision: Provision) -> Provision:
    return replace(provision, unknown=True)


def _defects(resource: JsonObject, root: Provision, zone: tzinfo, by_hand: bool) -> Iterator[Defect]:
    """The elements of 42 CFR 2.31 without which nobody may act on the consent."""
    every = list(root.walk())
    purposes = {purpose for provision in every for purpose in provision.purposes}
    if not reference(resource.get("patient")):
        yield "no-patient"
    if span(resource.get("dateTime"), zone) is None:
        yield "no-date"
    if not (by_hand or signed(resource)):
        yield "no-signature"
    if not purposes:
        yield "no-purpose"
    if not any(provision.recipients for provision in every):
        yield "no-recipient"
    if not _disclosers(resource, root):
        yield "no-discloser"
    if terms.PROCEEDINGS in purposes and purposes != {terms.PROCEEDINGS}:
        yield "proceedings-mixed"
    permitted = {mark for provision in every if provision.kind == "permit" for mark in provision.marks}
    if terms.COUNSELLING_NOTES in permitted and permitted - {terms.COUNSELLING_NOTES, terms.PART2}:
        yield "notes-combined"
    if "modifierExtension" in resource:
        yield "not-understood"


def _disclosers(resource: JsonObject, root: Provision) -> frozenset[str]:
    """The consent's organisations and the custodians of what it permits (each rule weighs its own again)."""
    permits = (provision for provision in root.walk() if provision.kind == "permit")
    custodians = frozenset(who for provision in permits for who in provision.custodians)
    return custodians | set(filter(None, map(reference, _list(resource.get("organization")))))


def signed(resource: JsonObject) -> bool:
    """A signed form is attached or referenced, or somebody verified the consent with the client."""
    attached = isinstance(resource.get("sourceAttachment"), dict) and bool(resource["sourceAttachment"])
    verified = any(entry.get("verified") is True for entry in _list(resource.get("verification")))
    return attached or bool(reference(resource.get("sourceReference"))) or verified


def _copy(resource: JsonObject) -> str:
    attachment = resource.get("sourceAttachment")
    url = attachment.get("url", "") if isinstance(attachment, dict) else ""
    return reference(resource.get("sourceReference")) or str(url)


def _policy(resource: JsonObject) -> str:
    codes = {code for _, code in _tokens(resource.get("policyRule"))}
    for code in ("OPTOUT", "OPTOUTE", "EMRGONLY", "OPTIN", "OPTINR"):
        if code in codes:
            return {"OPTOUTE": "OPTOUT", "OPTINR": "OPTIN"}.get(code, code)
    return ""


def _scope(resource: JsonObject) -> str:
    return next((code for _, code in _tokens(resource.get("scope"))), "")


def _role(actor: JsonObject) -> str:
    codes = [code for _, code in _tokens(actor.get("role")) if code != terms.INTERMEDIARY]
    return next(iter(codes), "")


def _tokens(concept: object) -> tuple[Token, ...]:
    codings = _list(concept.get("coding")) if isinstance(concept, dict) else []
    return tuple(_token(coding) for coding in codings if _code(coding))


def _token(coding: JsonObject) -> Token:
    return str(coding.get("system", "")), _code(coding)


def _code(coding: JsonObject) -> str:
    return str(coding.get("code", ""))


def _list(value: object) -> list[dict[str, Any]]:
    return [entry for entry in value if isinstance(entry, dict)] if isinstance(value, list) else []
