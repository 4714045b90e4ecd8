"""What concerns a resource as a whole: contained resources, narrative, Bundle entries, claimed profiles.

https://hl7.org/fhir/R4/domainresource.html, resource.html, bundle.html
"""

import re
from collections.abc import Iterator

from service.fhir import r4
from service.fhir.json import Json, JsonObject
from service.fhir.outcome import Severity
from service.fhir.validate.apply import apply_profile
from service.fhir.validate.facts import Node
from service.fhir.validate.place import Place
from service.fhir.validate.run import Run, shown, shown_url

_OURS = "https://casebridge.example/fhir/"
"""Where all our profiles are: a claim to one that is not there is a mistake, not somebody else's profile."""
_DOMAIN = "https://hl7.org/fhir/R4/domainresource.html"
_BUNDLE = "https://hl7.org/fhir/R4/bundle.html"
_CONTAINED = "https://hl7.org/fhir/R4/references.html#contained"
_FULL_URL = re.compile(r"https?://\S+/([A-Z][A-Za-z]+)/([A-Za-z0-9\-.]{1,64})").fullmatch
_IDENTIFIED = ("document", "message", "searchset", "history", "collection")
_URN = re.compile(
    r"urn:uuid:[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|urn:oid:[0-2](?:\.(?:0|[1-9][0-9]*))+",
    re.IGNORECASE,
).fullmatch


def check_whole(run: Run, rules: Node, value: JsonObject, place: Place) -> None:
    """Everything that is about the resource and not about one element."""
    contained = value.get("contained")
    if isinstance(contained, list):
        _contained(run, value, contained, place)
    if "text" not in value and "DomainResource" in rules.lineage and value is run.root:
        finding = "a resource should have narrative for a reader without software (dom-6)"
        run.report(place, "invariant", "dom-6", _DOMAIN, finding, severity="warning")
    if rules.name == "Bundle" and isinstance(value.get("entry"), list):
        _entries(run, value.get("type"), value["entry"], place)
    claimed(run, rules, value, place)


def claimed(run: Run, rules: Node, value: JsonObject, place: Place) -> None:
    """Apply the profiles the resource says it conforms to; an unknown one is a warning."""
    meta = value.get("meta")
    urls = meta.get("profile") if isinstance(meta, dict) else None
    for index, url in enumerate(urls if isinstance(urls, list) else ()):
        if isinstance(url, str):
            at = ((place, "meta", -1), "profile", index)
            _claim(run, rules, value, url, place, at=at)


def _claim(run: Run, rules: Node, value: JsonObject, url: str, place: Place, *, at: Place) -> None:
    type_ = run.definitions.type_of(url)
    if not type_:
        finding = f"the profile {shown_url(url)} is not known here, so conformance to it was not checked"
        finding += run.suggest(url, run.definitions.beside(url))
        severity: Severity = "error" if url.startswith(_OURS) else "warning"
        run.report(at, "not-supported", "profile-unknown", url, finding, severity=severity)
    elif type_ not in rules.lineage:
        finding = f"the profile {shown_url(url)} is for {type_}, this resource is {rules.name}"
        run.report(at, "value", "profile-type", url, finding)
    else:
        check_version(run, url, at)
        apply_profile(run, url, value, rules.name, place)


def check_version(run: Run, url: str, at: Place) -> None:
    """Say so when the version asked for is not the one that was checked."""
    asked = url.partition("|")[2]
    held = run.definitions.version_of(url) if asked else ""
    if asked and held and asked != held:
        finding = f"version {shown(asked)} is asked for, version {held} was checked"
        run.report(at, "not-supported", "profile-version", url.partition("|")[0], finding, severity="warning")


def _contained(run: Run, value: JsonObject, contained: list[Json], place: Place) -> None:
    mentions = set(_local_mentions(value))
    seen: set[str] = set()
    for index, inner in enumerate(contained):
        if isinstance(inner, dict):
            _one_contained(run, inner, mentions, seen, (place, "contained", index))


def _one_contained(run: Run, inner: JsonObject, mentions: set[str], seen: set[str], at: Place) -> None:
    name = inner.get("id")
    meta = inner.get("meta")
    if not isinstance(name, str):
        run.report(
            at, "required", "contained-id", _CONTAINED, "a contained resource needs an id to be referenced by"
        )
    elif name in seen:
        run.report(
            (at, "id", -1), "duplicate", "contained-id", _CONTAINED, "another contained resource has this id"
        )
    elif f"#{name}" not in mentions and "#" not in set(_local_mentions(inner)):
        finding = "the contained resource is not referenced from the resource it is in"
        run.report(at, "invariant", "dom-3", _DOMAIN, finding)
    if isinstance(name, str):
        seen.add(name)
    if "contained" in inner:
        finding = "a contained resource must not contain another"
        run.report((at, "contained", -1), "invariant", "dom-2", _DOMAIN, finding)
    if isinstance(meta, dict):
        _contained_meta(run, meta, at)


def _contained_meta(run: Run, meta: JsonObject, at: Place) -> None:
    for key, rule in (("versionId", "dom-4"), ("lastUpdated", "dom-4"), ("security", "dom-5")):
        if key in meta:
            finding = f"a contained resource must not have meta.{key}"
            run.report(((at, "meta", -1), key, -1), "invariant", rule, _DOMAIN, finding)


def _local_mentions(value: Json) -> Iterator[str]:
    stack = [value]
    while stack:
        each = stack.pop()
        if isinstance(each, dict):
            stack.extend(member for key, member in each.items() if key != "div")
        elif isinstance(each, list):
            stack.extend(each)
        elif isinstance(each, str) and each.startswith("#"):
            yield each


def _entries(run: Run, kind: object, entries: list[Json], place: Place) -> None:
    for index, entry in enumerate(entries):
        if not isinstance(entry, dict):
            continue
        at = (place, "entry", index)
        if isinstance(entry.get("fullUrl"), str):
            _full_url(run, entry["fullUrl"], entry.get("resource"), at)
        elif "fullUrl" not in entry and "resource" in entry and kind in _IDENTIFIED:
            finding = f"an entry of a {kind} needs a fullUrl, the identity of its resource"
            run.report(
                (at, "fullUrl", -1), "required", "bundle-fullUrl", _BUNDLE, finding, severity="warning"
            )


def _full_url(run: Run, url: str, resource: Json, at: Place) -> None:
    place = (at, "fullUrl", -1)
    if url.startswith("urn:"):
        if url.startswith(("urn:uuid:", "urn:oid:")) and not _URN(url):
            finding = "the urn does not hold a well-formed UUID or OID"
            run.report(place, "value", "bundle-fullUrl", _BUNDLE, finding)
        return
    if ":" not in url:
        finding = "a fullUrl must be absolute: a URL, urn:uuid or urn:oid"
        run.report(place, "value", "bundle-fullUrl", _BUNDLE, finding)
        return
    parts = _FULL_URL(url)
    name = resource.get("id") if isinstance(resource, dict) else None
    if not parts or not isinstance(resource, dict) or not r4.is_resource(parts[1]):
        return
    if isinstance(name, str) and name != parts[2]:
        finding = "the fullUrl ends with another id than the resource has"
        run.report(place, "value", "bundle-fullUrl", _BUNDLE, finding)
    elif resource.get("resourceType") != parts[1]:
        finding = f"the fullUrl says {parts[1]}, the resource is something else"
        run.report(place, "value", "bundle-fullUrl", _BUNDLE, finding)
