"""The only road out: a Released document is made here, and only from a Permit.

`remote.partner.send` and the FHIR door's `render` accept nothing else. What was decided is what goes: every
client resource in the document must be the very one the Permit cleared; what was withheld is taken out, with
the references to it; masks are applied; Part 2 content carries its labels (DS4P: exactly one confidentiality)
and the notice of 42 CFR 2.32 in each resource, so that it stays in every form the document takes.
"""

from collections.abc import Iterator
from dataclasses import InitVar, dataclass, field

from service.consent import terms
from service.consent.label import reference_to
from service.consent.permit import Cleared, Permit
from service.consent.redact import REDACTED, redacted, without_references
from service.consent.security import labelled_bundle, labelled_meta
from service.fhir.catalogue import catalogue
from service.fhir.json import Json, JsonObject

_SEAL = object()

_NOTICED = frozenset({"consent"})
"""Disclosures with consent carry the notice (2.32(a)); the other bases carry the labels."""
_LABELLED = frozenset({"consent", "emergency", "audit-evaluation", "qsoa", "court-order", "tpo"})


@dataclass(frozen=True, slots=True)
class Released:
    """A document that may leave, for one recipient, with the Permit it leaves on.

    `document`: a resource, or the stored bytes of one that goes untouched. `notice` is the full statement of
    42 CFR 2.32(a)(1) where it is due, for headers, pages and mails; inside the document it stands already.
    """

    document: JsonObject | bytes = field(repr=False)
    recipient: str
    permit: Permit = field(repr=False)
    notice: str = ""
    seal: InitVar[object] = None

    def __post_init__(self, seal: object) -> None:
        """TypeError for a document that was not released."""
        if seal is not _SEAL:
            raise TypeError("only consent.release makes a Released")


class NotCleared(ValueError):
    """The document holds a client's resource that the Permit does not clear: a fault in our own code."""


def release(permit: Permit, document: JsonObject) -> Released:
    """Make `document` fit to leave. It is a resource the Permit cleared, or a Bundle of them.

    Withheld resources in a Bundle are taken out; any other client resource raises NotCleared.
    """
    gone = {one.reference for one in permit.withheld}
    if document.get("resourceType") == "Bundle":
        body = _bundle(permit, document, gone)
    else:
        body = _resource(permit, document, full=True)
    return Released(_forgetting(body, gone), permit.recipient, permit, _notice(permit), seal=_SEAL)


def release_stored(permit: Permit) -> Released | None:
    """The stored bytes of the one cleared resource, untouched: None if something must be added or removed."""
    if len(permit.cleared) != 1 or permit.withheld:
        return None
    one = permit.cleared[0]
    if one.item.raw is None or one.masks or _must_label(one):
        return None
    return Released(one.item.raw, permit.recipient, permit, seal=_SEAL)


def _bundle(permit: Permit, bundle: JsonObject, gone: set[str]) -> JsonObject:
    """The Bundle of what was cleared; the full URLs of what is taken out are added to `gone`."""
    entries: list[JsonObject] = []
    noticed = False
    for entry in bundle.get("entry", []):
        resource = entry.get("resource")
        if not isinstance(resource, dict):
            if not _names(entry, gone):
                entries.append(entry)
            continue
        if _find(permit, resource) is None and reference_to(resource) in gone:
            gone.add(str(entry.get("fullUrl", "")))
            continue
        body = _resource(permit, resource, full=not noticed)
        noticed = noticed or body is not resource
        entries.append({**entry, "resource": _addressed(body, entry)})
    result = {**bundle, "entry": entries}
    if not entries:
        result.pop("entry")
    return labelled_bundle(result)


def _addressed(body: JsonObject, entry: JsonObject) -> JsonObject:
    """A PUT names its resource by the recipient's id, and so must the resource; by a condition, it has none."""
    request = entry.get("request")
    if not isinstance(request, dict) or request.get("method") != "PUT":
        return body
    path, condition, _ = str(request.get("url", "")).partition("?")
    other = {name: value for name, value in body.items() if name not in ("resourceType", "id")}
    own = {} if condition else {"id": path.partition("/")[2]}
    return {"resourceType": body["resourceType"], **own, **other}


def _names(entry: JsonObject, gone: set[str]) -> bool:
    """Does an entry without a resource (id-only notification, deletion) point at something withheld?"""
    request = entry.get("request")
    urls = (str(entry.get("fullUrl", "")), str(request.get("url", "")) if isinstance(request, dict) else "")
    return any("/".join(url.split("?")[0].split("/")[-2:]) in gone for url in urls)


def _resource(permit: Permit, resource: JsonObject, *, full: bool) -> JsonObject:
    if _harmless(resource):
        return resource
    found = _find(permit, resource)
    if found is None:
        raise NotCleared(f"a {resource.get('resourceType')} that was not cleared for release")
    body = redacted(resource, found.masks)
    if found.masks:
        body = _marked(body)
    if not _must_label(found):
        return body
    due = permit.part2 and found.basis in _NOTICED
    notice = "" if not due else terms.NOTICE if full else terms.SHORT_NOTICE
    explanation = permit.explanation if due else ""
    purpose = found.purpose or permit.purpose
    meta = labelled_meta(body.get("meta", {}), found.item.labels, explanation, notice, purpose)
    return {**body, "meta": meta}


def _marked(body: JsonObject) -> JsonObject:
    """Whoever reads it can tell that something was taken out (security label REDACTED of R4)."""
    meta = body.get("meta", {})
    return {
        **body,
        "meta": {**meta, "security": [*meta.get("security", []), {"system": terms.VALUE, "code": REDACTED}]},
    }


def _harmless(resource: JsonObject) -> bool:
    """Directory entries and definitions, unless a client's resource hides in them."""
    row = catalogue.get(str(resource.get("resourceType", "")))
    nature = row.nature if row else "client"
    definition = str(resource.get("resourceType")) in terms.CONFORMANCE
    plain = nature in ("directory", "definition") or (row is None and definition)
    return plain and all(
        _harmless(inner) for inner in resource.get("contained", []) if isinstance(inner, dict)
    )


def _must_label(cleared: Cleared) -> bool:
    labels = cleared.item.labels
    return cleared.basis in _LABELLED and (labels.protected or bool(labels.handling))


def _find(permit: Permit, resource: JsonObject) -> Cleared | None:
    for cleared in permit.cleared:
        if cleared.item.resource is resource:
            return cleared
    return next((one for one in permit.cleared if one.item.resource == resource), None)


def _forgetting(body: JsonObject, gone: set[str]) -> JsonObject:
    if not gone:
        return body
    trimmed: Json = without_references(body, frozenset(gone))
    assert isinstance(trimmed, dict)
    return trimmed


def _notice(permit: Permit) -> str:
    due = any(one.basis in _NOTICED and one.item.labels.part2 for one in permit.cleared)
    return terms.NOTICE if due else ""


def withheld_sentences(permit: Permit) -> Iterator[str]:
    """What did not go, for the outbox row and the auditor: references and reasons, no content."""
    for one in permit.withheld:
        yield f"{one.reference}: {one.text}"
