"""Consent record ⇄ Consent: the signed form and the computable permissions (42 CFR 2.31; CONSENT.md §2.1).

Each permission becomes one Consent with a root provision `permit`: recipients (IRCP), purposes, period,
kinds of information, and a nested `deny` for what is withheld. A permission that names kinds of record and
sensitivities becomes two, because the conditions of one provision all have to hold. One permission a
resource, since a recipient may see its own permission only, and every dialect reads a root permit alike.
"""

from base64 import b64decode, b64encode
from collections.abc import Iterable, Iterator
from typing import Any, Final

from service.casework.records.consent import (
    ConsentRecord,
    Document,
    Permission,
    Recipient,
    Revocation,
    Signature,
)
from service.fhir.json import JsonObject
from service.fhir.models import build
from service.fhir.outcome import Issue
from service.mapping import parts
from service.mapping.context import Mapped, MappingContext, Told, note
from service.mapping.identity import (
    identifier,
    own_organization,
    path_of,
    record_id,
    refer,
    referred,
    resource_id,
)
from service.mapping.names import (
    ABSENT,
    ACT_CODE,
    ALL_INFORMATION,
    CONSENT_ACTION,
    CONSENT_ACTOR,
    CONSENT_SCOPE,
    EXPIRY,
    EXPIRY_EVENT,
    INFORMATION,
    PARTICIPATION,
    RECIPIENT_CLASS,
    REVOCATION,
    SIGNER,
    STATEMENT,
    WITHHELD,
    profile,
)
from service.mapping.terms import terms

POLICY: Final = "https://www.ecfr.gov/current/title-42/chapter-I/subchapter-A/part-2"
_NO_FORM: Final = "Signed form kept by the agency"
_UNSIGNED: Final[JsonObject] = {"extension": [{"url": ABSENT, "valueCode": "unknown"}]}
"""A consent not yet signed has no date, and permits nothing."""
_CLASSES: Final = "information-category-to-class"
_LABELS: Final = "information-category-to-sensitivity"


def to_fhir(consent: ConsentRecord, context: MappingContext) -> Mapped:
    """One Consent a permission (two where it names both kinds of record and sensitivities), in order.

    The first carries the signed form; the others point to it.
    """
    made: list[JsonObject] = []
    for number, permission in enumerate(consent.permissions):
        for side, condition in _conditions(permission):
            made.append(_consent(consent, permission, (str(number), side), condition, context))
    return Mapped(tuple(made), tuple(_notes(consent)))


def to_record(resources: tuple[JsonObject, ...], context: MappingContext) -> Told[ConsentRecord]:
    """From the Consents of one record, or from one Consent of a partner in the root-permit dialect."""
    consents = [r for r in resources if r["resourceType"] == "Consent"]
    if not consents:
        raise LookupError("no Consent among the resources")
    first = next((c for c in consents if "sourceReference" not in c), consents[0])
    permissions: dict[str, Permission] = {}
    for consent in consents:
        path = path_of(context, consent.get("identifier", []), "permission")
        permissions.setdefault(path[1] if path else consent["id"], _permission(consent, context))
    period = first.get("provision", {}).get("period", {})
    signature = _signature(first)
    record = ConsentRecord(
        id=record_id(context, "consents", first),
        client=referred(context, "clients", first.get("patient")) or "unknown",
        status=first["status"],
        discloser=referred(context, "agencies", (first.get("organization") or [None])[0]),
        permissions=tuple(permissions[key] for key in sorted(permissions, key=lambda k: (len(k), k))),
        valid_from=parts.when(period.get("start")),
        expires=parts.when(period.get("end")),
        expires_on=_expiry_event(first),
        signature=signature,
        statements=_statements(first),
        explained=_explained(first),
        document=_document(first),
        revoked=_revocation(first),
    )
    return Told(record, tuple(_unread(consents)))


def _conditions(permission: Permission) -> Iterator[tuple[str, JsonObject]]:
    """`class` and `securityLabel` of the root, one side at a time; `everything` and unknown kinds have
    neither."""
    if "everything" in permission.information:
        yield "all", {"extension": [{"url": ALL_INFORMATION, "valueBoolean": True}]}
        return
    classes = _codings(_CLASSES, permission.information)
    labels = _codings(_LABELS, permission.information)
    if classes:
        yield "class", {"class": classes}
    if labels:
        yield "label", {"securityLabel": labels}
    if not classes and not labels:
        codes = [{"coding": [terms().coding(INFORMATION, kind)]} for kind in permission.information]
        yield "code", {"code": codes}


def _codings(concept_map: str, kinds: Iterable[str]) -> list[JsonObject]:
    found = [coding for kind in kinds for coding in terms().translate_all(concept_map, kind)]
    return list({(coding["system"], coding["code"]): coding for coding in found}.values())


def _consent(
    consent: ConsentRecord,
    permission: Permission,
    place: tuple[str, str],
    condition: JsonObject,
    context: MappingContext,
) -> JsonObject:
    anchor = _id(consent, ("0", next(_conditions(consent.permissions[0]))[0]), context)
    own = _id(consent, place, context)
    signed = consent.signature
    form: dict[str, Any] = {"sourceReference": {"reference": f"Consent/{anchor}"}}
    if own == anchor:
        form = {"sourceAttachment": _attachment(consent.document)}
    return build(
        "Consent",
        id=own,
        meta={"profile": [profile(f"casebridge-consent{'-part2' if consent.status == 'active' else ''}")]},
        extension=list(_extensions(consent)),
        identifier=[
            identifier(context, "consent", consent.id),
            identifier(context, "permission", consent.id, *place),
        ],
        status=consent.status,
        scope={"coding": [{"system": CONSENT_SCOPE, "code": "patient-privacy"}]},
        category=_categories(permission),
        patient=refer(context, "clients", consent.client),
        **({"dateTime": signed.at} if signed else {"_dateTime": _UNSIGNED}),
        performer=[_performer(consent, signed, context)] if signed else None,
        organization=[
            refer(context, "agencies", consent.discloser) if consent.discloser else own_organization(context)
        ],
        **form,
        policy=[{"uri": POLICY}],
        verification=[{"verified": True, "verificationDate": consent.explained}]
        if consent.explained
        else None,
        provision=_provision(consent, permission, condition, context),
    )


def _id(consent: ConsentRecord, place: tuple[str, str], context: MappingContext) -> str:
    role = "Consent" if place[0] == "0" and place[1] != "label" else "Consent:" + ":".join(place)
    if place == ("0", "label") and next(_conditions(consent.permissions[0]))[0] == "label":
        role = "Consent"
    return resource_id(context, "consents", consent.id, role)


def _categories(permission: Permission) -> list[JsonObject]:
    disclosure = {"system": ACT_CODE, "code": "IDSCL", "display": "information disclosure"}
    kinds = [terms().coding(INFORMATION, kind) for kind in permission.information]
    withheld = [{**terms().coding(INFORMATION, k), "system": WITHHELD} for k in permission.except_information]
    return [{"coding": [coding]} for coding in (disclosure, *kinds, *withheld)]


def _provision(
    consent: ConsentRecord, permission: Permission, condition: JsonObject, context: MappingContext
) -> JsonObject:
    actors = [_actor(recipient, permission, context) for recipient in permission.recipients]
    return {
        "type": "permit",
        "period": {"start": consent.valid_from, "end": consent.expires},
        "actor": actors,
        "action": [{"coding": [{"system": CONSENT_ACTION, "code": "disclose"}]}],
        "purpose": [
            coding
            for purpose in permission.purposes
            for coding in terms().translate("consent-purpose-to-reason", purpose)
        ],
        "dataPeriod": parts.fhir_span(permission.data_period),
        **condition,
        "provision": [_denial(side, actors) for side in _withheld(permission)],
    }


def _withheld(permission: Permission) -> Iterator[JsonObject]:
    classes = _codings(_CLASSES, permission.except_information)
    labels = _codings(_LABELS, permission.except_information)
    if labels:
        yield {"securityLabel": labels}
    if classes:
        yield {"class": classes}


def _denial(condition: JsonObject, actors: list[JsonObject]) -> JsonObject:
    return {"type": "deny", "actor": actors, **condition}


def _actor(recipient: Recipient, permission: Permission, context: MappingContext) -> JsonObject:
    codings = [{"system": PARTICIPATION, "code": "IRCP", "display": "information recipient"}]
    if permission.intermediary and recipient is permission.recipients[0]:
        codings.append({"system": CONSENT_ACTOR, "code": "intermediary"})
    if recipient.agency:
        reference = refer(context, "agencies", recipient.agency)
    elif recipient.case_manager:
        reference = refer(context, "case-managers", recipient.case_manager)
    else:
        display = terms().display(RECIPIENT_CLASS, recipient.group or "")
        reference = {"identifier": {"system": RECIPIENT_CLASS, "value": recipient.group}, "display": display}
    return {"role": {"coding": codings}, "reference": reference}


def _performer(consent: ConsentRecord, signed: Signature, context: MappingContext) -> JsonObject:
    if signed.by == "client":
        reference: JsonObject = refer(context, "clients", consent.client, signed.name)
    else:
        reference = {"type": "RelatedPerson", "display": signed.name}
    held = [
        {"url": "by", "valueCode": signed.by},
        parts.fhir_extension("authority", "valueString", signed.authority),
    ]
    return {**reference, "extension": [{"url": SIGNER, "extension": held}]}


def _attachment(document: Document | None) -> JsonObject:
    if document is None:
        return {"title": _NO_FORM}
    data = b64encode(document.text.encode()).decode() if document.text else None
    return {
        "contentType": "text/plain; charset=utf-8" if data else None,
        "language": document.language,
        "data": data,
        "url": document.url,
        "title": document.title,
    }


def _extensions(consent: ConsentRecord) -> Iterator[JsonObject]:
    if consent.expires_on:
        known = terms().display(EXPIRY, consent.expires_on)
        coding = [terms().coding(EXPIRY, consent.expires_on)] if known else []
        yield {"url": EXPIRY_EVENT, "valueCodeableConcept": {"coding": coding, "text": consent.expires_on}}
    for statement in consent.statements:
        yield {"url": STATEMENT, "valueCode": statement}
    if consent.revoked:
        held = [
            {"url": "at", "valueDateTime": parts.fhir_moment(consent.revoked.at)},
            parts.fhir_extension("by", "valueString", consent.revoked.by),
            parts.fhir_extension("how", "valueCode", consent.revoked.how),
            parts.fhir_extension("reason", "valueString", consent.revoked.reason),
        ]
        yield {"url": REVOCATION, "extension": held}


def _notes(consent: ConsentRecord) -> Iterator[Issue]:
    for permission in consent.permissions:
        for kind in (*permission.information, *permission.except_information):
            if terms().display(INFORMATION, kind) is None:
                yield note(f"{kind} is not in the list of kinds of information", rule="unmapped-code")
    if consent.signature is None:
        yield Issue(
            "warning", "business-rule", "nobody may act on a consent that is not signed", "/signature"
        )


def _permission(consent: JsonObject, context: MappingContext) -> Permission:
    root = consent.get("provision", {})
    categories = consent.get("category", [])
    kinds = tuple(code for c in categories if (code := parts.code_in(c, INFORMATION)))
    actors = [actor for actor in root.get("actor", []) if parts.code_in(actor.get("role"), PARTICIPATION)]
    purposes: Any = [
        terms().untranslate("consent-purpose-to-reason", [coding]) for coding in root.get("purpose", [])
    ]
    return Permission(
        recipients=tuple(_recipient(actor, context) for actor in actors) or (Recipient(),),
        information=kinds or _foreign_kinds(root),
        except_information=tuple(code for c in categories if (code := parts.code_in(c, WITHHELD))),
        purposes=tuple(p for p in purposes if p) or ("treatment",),
        data_period=parts.span(root.get("dataPeriod")),
        intermediary=any(parts.code_in(actor.get("role"), CONSENT_ACTOR) for actor in actors),
    )


def _foreign_kinds(root: JsonObject) -> tuple[str, ...]:
    """What a partner's provision is about, in our words; without any condition it is about everything."""
    labels = [terms().untranslate(_LABELS, [coding]) for coding in root.get("securityLabel", [])]
    classes = [terms().untranslate(_CLASSES, [coding]) for coding in root.get("class", [])]
    return tuple(dict.fromkeys(kind for kind in (*labels, *classes) if kind)) or ("everything",)


def _recipient(actor: JsonObject, context: MappingContext) -> Recipient:
    reference = actor.get("reference", {})
    named = reference.get("identifier", {})
    if named.get("system") == RECIPIENT_CLASS:
        return Recipient(group=named.get("value"))
    if str(reference.get("reference", "")).startswith("PractitionerRole/"):
        return Recipient(case_manager=referred(context, "case-managers", reference))
    return Recipient(agency=referred(context, "agencies", reference))


def _signature(consent: JsonObject) -> Signature | None:
    at = parts.when(consent.get("dateTime"))
    performer = (consent.get("performer") or [{}])[0]
    name = parts.text(performer.get("display"))
    if not at or not (name or performer):
        return None
    held: JsonObject = next((e for e in performer.get("extension", []) if e.get("url") == SIGNER), {})
    by: Any = parts.extension(held, "by", "valueCode") or "client"
    return Signature(
        by=by,
        name=name or "name not given",
        at=at,
        authority=parts.extension(held, "authority", "valueString"),
    )


def _statements(consent: JsonObject) -> Any:
    return tuple(e["valueCode"] for e in consent.get("extension", []) if e.get("url") == STATEMENT)


def _explained(consent: JsonObject) -> str | None:
    verified = (v for v in consent.get("verification", []) if v.get("verified"))
    return next((parts.when(v.get("verificationDate")) for v in verified), None)


def _expiry_event(consent: JsonObject) -> str | None:
    return parts.concept_text(parts.extension(consent, EXPIRY_EVENT, "valueCodeableConcept"))


def _document(consent: JsonObject) -> Document | None:
    attachment = consent.get("sourceAttachment")
    if not attachment or attachment == {"title": _NO_FORM}:
        return None
    plain = str(attachment.get("contentType", "")).startswith("text/plain")
    words = b64decode(attachment["data"]).decode(errors="replace") if plain and "data" in attachment else None
    return Document(
        title=parts.text(attachment.get("title")),
        text=parts.text(words),
        url=attachment.get("url"),
        language=attachment.get("language"),
    )


def _revocation(consent: JsonObject) -> Revocation | None:
    held = next((e for e in consent.get("extension", []) if e.get("url") == REVOCATION), None)
    if held is None:
        return None
    return Revocation.model_validate(
        {
            "at": parts.extension(held, "at", "valueDateTime"),
            "by": parts.extension(held, "by", "valueString"),
            "how": parts.extension(held, "how", "valueCode"),
            "reason": parts.extension(held, "reason", "valueString"),
        }
    )


def _unread(consents: Iterable[JsonObject]) -> Iterator[Issue]:
    for consent in consents:
        for inner in consent.get("provision", {}).get("provision", []):
            if inner.get("type") == "permit":
                yield note(
                    "a permission nested in a provision has no place in the record", "Consent.provision"
                )
        if "policyRule" in consent:
            yield note("the record has no place for a policy rule", "Consent.policyRule")
