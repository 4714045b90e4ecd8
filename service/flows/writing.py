"""From a resource somebody wants kept to the version that is: checked, stamped, indexed."""

from dataclasses import replace
from datetime import datetime

from service.fhir import search
from service.fhir.catalogue import ResourceSpec, catalogue
from service.fhir.json import JsonObject, encode
from service.fhir.meta import stamped
from service.fhir.outcome import Issue
from service.fhir.references import ID, named
from service.fhir.row import Row
from service.flows.context import Context
from service.kernel.failures import Refused
from service.store.unit import Put


def spec_of(type_: str, interaction: str) -> ResourceSpec:
    """The catalogue's row; Refused for a type we do not serve or an interaction it does not have."""
    spec = catalogue.get(type_)
    if spec is None:
        text = f"{type_} is not a resource type that this server offers; GET metadata lists them"
        raise Refused("absent", text, [Issue("error", "not-supported", text)])
    if interaction not in spec.interactions:
        raise Refused("method", f"{interaction} is not offered for {type_}", allow=allowed(spec, interaction))
    return spec


_AT_TYPE = {"GET": "search", "POST": "create", "PUT": "update", "PATCH": "patch", "DELETE": "delete"}
_AT_INSTANCE = {"GET": "read", "PUT": "update", "PATCH": "patch", "DELETE": "delete"}


def allowed(spec: ResourceSpec, interaction: str) -> str:
    """The Allow header of a 405: what the type does offer where `interaction` was tried."""
    table = _AT_TYPE if interaction in ("create", "search") else _AT_INSTANCE
    return ", ".join(method for method, name in table.items() if name in spec.interactions)


def checked(context: Context, resource: JsonObject) -> list[Issue]:
    """Findings that do not stop the write (warnings, information); Refused("invalid") with all when any does."""
    issues = findings(context, resource)
    failing = [issue for issue in issues if issue.fails]
    if failing:
        raise Refused("invalid", failing[0].text, issues)
    return issues


def findings(context: Context, resource: JsonObject) -> list[Issue]:
    """Everything a write would say about a resource.

    R4 and the profiles the resource claims are enforced. The catalogue's own profile, where the caller claims
    none of ours, is looked at too, but what it finds is a warning (docs/decisions/whose-profile.md).
    """
    spec = catalogue.get(resource["resourceType"])
    extra = [spec.profile] if spec and spec.profile and not _claims_ours(resource) else []
    issues = context.check(resource, extra)
    if not extra or not any(issue.fails for issue in issues):
        return issues
    promised = context.check(resource, [])
    if any(issue.fails for issue in promised):
        return promised
    return [_softer(issue) for issue in issues]


OURS = "https://casebridge.example/fhir/"


def _claims_ours(resource: JsonObject) -> bool:
    meta = resource.get("meta")
    claimed = meta.get("profile") if isinstance(meta, dict) else None
    return isinstance(claimed, list) and any(isinstance(url, str) and url.startswith(OURS) for url in claimed)


def _softer(issue: Issue) -> Issue:
    return replace(issue, severity="warning") if issue.fails else issue


def expect_type(resource: JsonObject, type_: str) -> None:
    """The body must be of the type the URL names."""
    found = resource.get("resourceType")
    if found != type_:
        shown = found if isinstance(found, str) and found.isalnum() and len(found) < 50 else "something else"
        text = f"the body's resourceType is {shown}, but the URL says {type_}"
        raise Refused("malformed", text, [Issue("error", "invalid", text, "resourceType")])


def expect_id(id_: str) -> None:
    """A FHIR id: 1 to 64 of A-Z a-z 0-9 - and dot."""
    if not ID.match(id_):
        raise Refused("malformed", "an id is 1 to 64 letters, digits, hyphens and dots")


def version_of(
    context: Context, resource: JsonObject, id_: str, before: Row | None, author: str, now: datetime
) -> Put:
    """The next version, ready to be written. `author` wrote it; a resource keeps the author of its first version,
    and remembers whether all have been that author's."""
    version = before.version + 1 if before else 1
    whole = stamped(resource, id_, version, now)
    type_ = whole["resourceType"]
    indexed = search.extract(whole, context.base)
    spec = catalogue[type_]
    patient = f"Patient/{id_}" if type_ == "Patient" else named(whole, spec.patient, "Patient", context.base)
    return Put(
        type=type_,
        id=id_,
        version=version,
        updated=now,
        author=before.author if before else author,
        patient=patient,
        body=encode(whole),
        keys=indexed.keys,
        dates=indexed.dates,
        strings=indexed.strings,
        numbers=indexed.numbers,
        orders=indexed.orders,
        rewritten=before is not None and (before.rewritten or author != before.author),
    )


def deletion_of(before: Row, now: datetime) -> Put:
    """The version that says the resource is gone."""
    return Put(
        before.type,
        before.id,
        before.version + 1,
        now,
        before.author,
        before.patient,
        None,
        rewritten=before.rewritten,
    )


def row_of(put: Put) -> Row:
    """The Row that this Put will be once committed."""
    return Row(
        put.type,
        put.id,
        put.version,
        put.updated,
        put.body is None,
        put.author,
        put.patient,
        put.body,
        put.rewritten,
    )
