"""What `meta.security` says of what leaves: DS4P labels on each resource, and on a Bundle the high-water mark of them.

https://hl7.org/fhir/R4/security-labels.html, https://hl7.org/fhir/uv/security-label-ds4p: exactly one confidentiality.
"""

from collections.abc import Iterable

from service.consent import terms
from service.consent.label import labels as labels_of
from service.consent.request import Labels
from service.fhir.bundle import join
from service.fhir.json import JsonObject, decode_object, encode

_ARTIFACT = (
    "http://hl7.org/fhir/uv/security-label-ds4p/StructureDefinition/extension-sec-label-related-artifact"
)
_DISPLAY = {
    "42CFRPart2": "42 CFR Part2",
    "NORDSCLCD": "no redisclosure without consent directive",
    "PERSISTLABEL": "persist security label",
}


def labelled_meta(
    meta: JsonObject, labels: Labels, explanation: str = "", notice: str = "", purpose: str = ""
) -> JsonObject:
    """`meta` with the DS4P labels of this content: one confidentiality, policy, sensitivities, handling, purpose.

    With `notice`, the policy label carries it as related artifact (citation) beside the consent's scope.
    """
    replaced = {terms.PART2, "NORDSCLCD", "PERSISTLABEL"} | labels.marks
    kept = [
        coding
        for coding in meta.get("security", [])
        if coding.get("system") != terms.CONFIDENTIALITY
        and coding.get("code") not in replaced
        and (coding.get("system"), coding.get("code")) != (terms.ACT_REASON, purpose)
    ]
    security: list[JsonObject] = [{"system": terms.CONFIDENTIALITY, "code": labels.confidentiality}]
    if labels.part2:
        security.append(_policy(explanation, notice))
        security += [_act(code) for code in ("NORDSCLCD", "PERSISTLABEL")]
    security += [_act(mark) for mark in sorted(labels.marks)]
    if purpose:
        security.append({"system": terms.ACT_REASON, "code": purpose})
    return {**meta, "security": security + kept}


def together(each: Iterable[Iterable[JsonObject]]) -> list[JsonObject]:
    """The labels of several resources as those of a whole: the highest confidentiality, every other label once, the
    fullest statement of 2.32, and the consent's scope where all have the same. Empty where none is labelled."""
    found: dict[tuple[str, str], list[JsonObject]] = {}
    for one in each:
        for coding in one:
            found.setdefault(_token(coding), []).append(coding)
    if not found:
        return []
    highest = labels_of(found, part2_source=False).confidentiality
    rest = [_merged(codings) for name, codings in found.items() if name[0] != terms.CONFIDENTIALITY]
    return [{"system": terms.CONFIDENTIALITY, "code": highest}, *rest]


def notices(each: Iterable[JsonObject]) -> list[str]:
    """What a page says that shows these resources: the statement of 2.32, and every explanation of a consent that came
    with them. Empty where none carries the Part 2 label."""
    found = [label for one in each for label in _security(one) if label.get("code") == terms.PART2]
    scopes = [str((_artifact(label) or {}).get("display", "")) for label in found]
    return [terms.NOTICE, *dict.fromkeys(scope for scope in scopes if scope)] if found else []


def lowered(before: JsonObject, after: JsonObject) -> list[JsonObject]:
    """The security labels that `before` has and `after` lacks; its confidentiality, where that of `after` is lower."""
    left = {_token(coding) for coding in _security(after)}
    level = max((_rank(coding) for coding in _security(after)), default=-1)
    return [
        coding
        for coding in _security(before)
        if (_rank(coding) > level if _rank(coding) >= 0 else _token(coding) not in left)
    ]


def never_lowered(before: JsonObject, after: JsonObject) -> JsonObject:
    """`after` with every label of `before`, and the higher confidentiality of the two."""
    lost = lowered(before, after)
    if not lost:
        return after
    raised = any(_rank(coding) >= 0 for coding in lost)
    kept = [coding for coding in _security(after) if not (raised and _rank(coding) >= 0)]
    return {**after, "meta": {**(after.get("meta") or {}), "security": [*lost, *kept]}}


def as_stored(stored: JsonObject, shown: JsonObject, wanted: JsonObject) -> JsonObject:
    """What somebody wants who was shown the resource masked and labelled: an element left as it was shown stays as it
    is stored, and labels made for the showing are not taken for the writer's own."""
    result = dict(wanted)
    for name in (stored.keys() | shown.keys()) - {"meta"}:
        if stored.get(name) != shown.get(name) and wanted.get(name) == shown.get(name):
            result.pop(name, None)
            result |= {name: stored[name]} if name in stored else {}
    made = {_token(each) for each in _security(shown)} - {_token(each) for each in _security(stored)}
    meta: JsonObject = {
        name: value for name, value in (wanted.get("meta") or {}).items() if name != "security"
    }
    security = [each for each in _security(wanted) if _token(each) not in made]
    return {**result, "meta": meta | ({"security": security} if security else {})}


def labelled_bundle(bundle: JsonObject) -> JsonObject:
    """A Bundle with the high-water mark of its entries as they stand in it; as it was where none is labelled."""
    entries = [each["resource"] for each in bundle.get("entry", []) if isinstance(each.get("resource"), dict)]
    security = together(_security(each) for each in (bundle, *entries))
    return {**bundle, "meta": {**bundle.get("meta", {}), "security": security}} if security else bundle


def bundled(kind: str, members: Iterable[tuple[str, bytes]], entries: Iterable[bytes]) -> bytes:
    """A Bundle of raw entries, as `fhir.bundle.join` makes it, with the high-water mark of what is in it: only
    entries that carry a label are decoded."""
    rows = list(entries)
    labelled = [decode_object(row).get("resource", {}) for row in rows if b'"security"' in row]
    security = together(_security(each) for each in labelled)
    meta = [("meta", encode({"security": security}))] if security else []
    return join(kind, [*meta, *members], rows)


def _security(resource: JsonObject) -> list[JsonObject]:
    meta = resource.get("meta")
    found = meta.get("security") if isinstance(meta, dict) else None
    return [each for each in found if isinstance(each, dict)] if isinstance(found, list) else []


def _token(coding: JsonObject) -> tuple[str, str]:
    return str(coding.get("system", "")), str(coding.get("code", ""))


def _rank(coding: JsonObject) -> int:
    """-1 for what is no confidentiality."""
    system, code = _token(coding)
    return terms.RANK.get(code, -1) if system == terms.CONFIDENTIALITY else -1


def _merged(codings: list[JsonObject]) -> JsonObject:
    said = [artifact for coding in codings if (artifact := _artifact(coding))]
    if not said:
        return codings[0]
    whole: JsonObject = {name: value for name, value in codings[0].items() if name != "extension"}
    fullest = max((str(one.get("citation", "")) for one in said), key=len)
    scopes = {str(one.get("display", "")) for one in said}
    return whole | {"extension": [_related(fullest, scopes.pop() if len(scopes) == 1 else "")]}


def _artifact(coding: JsonObject) -> JsonObject | None:
    for extension in coding.get("extension", []):
        if extension.get("url") == _ARTIFACT:
            found: JsonObject = extension.get("valueRelatedArtifact", {})
            return found
    return None


def _related(citation: str, scope: str) -> JsonObject:
    artifact: JsonObject = {"type": "documentation", "citation": citation}
    return {"url": _ARTIFACT, "valueRelatedArtifact": artifact | ({"display": scope} if scope else {})}


def _policy(explanation: str, notice: str) -> JsonObject:
    label = _act(terms.PART2)
    if notice:
        label["extension"] = [_related(notice, explanation)]
    return label


def _act(code: str) -> JsonObject:
    coding: JsonObject = {"system": terms.ACT_CODE, "code": code}
    if code in _DISPLAY:
        coding["display"] = _DISPLAY[code]
    return coding
