"""References: their form, whether a local one finds its target, and whether the target may stand there.

https://hl7.org/fhir/R4/references.html
"""

import re

from service.fhir import r4
from service.fhir.json import JsonObject
from service.fhir.validate.facts import Child
from service.fhir.validate.instance import Item
from service.fhir.validate.overlay import Rule
from service.fhir.validate.place import Place
from service.fhir.validate.run import Run, shown

PAGE = "https://hl7.org/fhir/R4/references.html"
_RELATIVE = re.compile(r"([A-Za-z]+)/([A-Za-z0-9\-.]{1,64})(?:/_history/[A-Za-z0-9\-.]{1,64})?(?:#\S+)?")
_ABSOLUTE = re.compile(
    r"https?://\S+?/([A-Z][A-Za-z]+)/[A-Za-z0-9\-.]{1,64}(?:/_history/[A-Za-z0-9\-.]{1,64})?"
)
_UUID = re.compile(r"urn:uuid:[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_SAYS_SOMETHING = {"reference", "_reference", "identifier", "display", "_display", "extension"}
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:")


def check_reference(run: Run, child: Child, value: JsonObject, at: Place) -> None:
    """A Reference against R4: form, contained target (ref-1), type of the target."""
    reference = value.get("reference")
    named = value.get("type")
    if isinstance(named, str):
        _check_type_name(run, named, at)
    if not value.keys() & _SAYS_SOMETHING:
        finding = "a reference needs at least one of reference, identifier and display"
        run.report(at, "structure", "reference-empty", PAGE, finding)
    if not isinstance(reference, str):
        if isinstance(named, str):
            _check_allowed(run, child, named.removeprefix(r4.BASE), (at, "type", -1))
        return
    place = (at, "reference", -1)
    if reference.startswith("#"):
        if run.resolve(reference) is None:
            finding = f"no contained resource has the id {shown(reference[1:])}"
            run.report(place, "invariant", "ref-1", PAGE, finding)
            return
    elif not _well_formed(run, reference, place):
        return
    found = target_type(run, reference)
    said = named.removeprefix(r4.BASE) if isinstance(named, str) else ""
    _check_allowed(run, child, found or said, place)
    if isinstance(named, str) and found and named.removeprefix(r4.BASE) not in (found, "Resource"):
        finding = f"type says {shown(named)}, but the reference is to {found}"
        run.report((at, "type", -1), "value", "reference-type", PAGE, finding)


def _check_type_name(run: Run, named: str, at: Place) -> None:
    name = named.removeprefix(r4.BASE)
    if not (r4.is_resource(name) or ":" in name):
        finding = f"{shown(name)} is not a resource type of FHIR R4"
        run.report((at, "type", -1), "value", "reference-type", PAGE, finding)


def _check_allowed(run: Run, child: Child, found: str, place: Place) -> None:
    if child.targets and found and found not in child.targets:
        allowed = ", ".join(sorted(child.targets))
        finding = f"found a reference to {found}, expected {allowed}"
        run.report(place, "structure", "reference-target", PAGE, finding)


def _well_formed(run: Run, reference: str, place: Place) -> bool:
    if reference.startswith("urn:uuid:"):
        if not _UUID.fullmatch(reference):
            finding = "a urn:uuid reference must hold a UUID of 36 characters"
            run.report(place, "value", "reference-format", PAGE, finding)
            return False
        _check_in_bundle(run, reference, place)
        return True
    if _SCHEME.match(reference) and not any(character.isspace() for character in reference):
        return True
    relative = _RELATIVE.fullmatch(reference)
    if relative is None:
        if "?" in reference and r4.is_resource(reference.partition("?")[0]):
            return True  # a conditional reference, resolved by the server in a transaction
        finding = "a reference is Type/id, #id, an absolute URL, or urn:uuid / urn:oid"
        run.report(place, "value", "reference-format", PAGE, finding)
        return False
    if not r4.is_resource(relative[1]):
        finding = f"{shown(relative[1])} is not a resource type of FHIR R4, expected Type/id"
        run.report(place, "value", "reference-format", PAGE, finding)
        return False
    return True


def _check_in_bundle(run: Run, reference: str, place: Place) -> None:
    if run.neighbours is not None and reference not in run.neighbours.index:
        finding = "no entry of this Bundle has this fullUrl"
        run.report(
            place, "not-found", "reference-resolve", "https://hl7.org/fhir/R4/bundle.html#references", finding
        )


def target_type(run: Run, reference: str) -> str:
    """The type of the resource a reference names, as far as this document or the URL tells."""
    target = run.resolve(reference)
    if target is not None:
        return str(target.get("resourceType", ""))
    relative = _RELATIVE.fullmatch(reference)
    if relative:
        return relative[1]
    absolute = _ABSOLUTE.fullmatch(reference)
    return absolute[1] if absolute and r4.is_resource(absolute[1]) else ""


def check_targets(run: Run, rule: Rule, item: Item) -> None:
    """A Reference against a profile's targets: the type, and the profile where the target is at hand."""
    reference = item.value.get("reference")
    targets = rule.targets or ()
    if not isinstance(reference, str):
        return
    found = target_type(run, reference)
    types = {run.definitions.type_of(url) for url in targets}
    if not found or "" in types or "Resource" in types:
        return
    place = (item.place, "reference", -1)
    if found not in types:
        finding = f"{rule.label} points to {found}, this profile expects {', '.join(sorted(types))}"
        run.report(place, "structure", "reference-target", rule.source, finding)
        return
    _check_target_profile(run, rule, reference, found, place)


def _check_target_profile(run: Run, rule: Rule, reference: str, found: str, place: Place) -> None:
    target = run.resolve(reference)
    if target is None:
        return
    fitting = [url for url in rule.targets or () if run.definitions.type_of(url) == found]
    item = Item(target, None, found, place)
    if r4.BASE + found in fitting or any(run.conforms(item, url) for url in fitting):
        return
    finding = f"the {found} it points to does not conform to {' or '.join(fitting)}"
    run.report(place, "structure", "reference-profile", rule.source, finding)


def check_local(run: Run, rule: Rule, item: Item) -> None:
    """`aggregation`: contained, referenced or bundled, where the profile says which."""
    reference = item.value.get("reference")
    if not isinstance(reference, str):
        return
    how = "contained" if reference.startswith("#") else "bundled" if run.resolve(reference) else "referenced"
    if how not in rule.local and not (how == "bundled" and "referenced" in rule.local):
        finding = f"{rule.label} must be {' or '.join(rule.local)}, found a {how} resource"
        run.report((item.place, "reference", -1), "structure", "aggregation", rule.source, finding)
