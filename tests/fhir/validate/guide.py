"""A small guide of profiles that exercise every kind of rule a StructureDefinition can state."""

import json
from pathlib import Path
from typing import Any

BASE = "https://example.org/guide"
Row = dict[str, Any]


def element(path: str, min_: int = 0, max_: str = "*", **facts: Any) -> Row:
    return {"id": path, "path": _path(path), "min": min_, "max": max_, **facts}


def _path(id_: str) -> str:
    return ".".join(part.partition(":")[0] for part in id_.split("."))


def types(*codes: str, **more: Any) -> list[Row]:
    return [{"code": code, **more} for code in codes]


def sliced(
    path: str, by: list[tuple[str, str]], rules: str = "open", ordered: bool = False, **facts: Any
) -> Row:
    discriminator = [{"type": kind, "path": where} for kind, where in by]
    return element(
        path, slicing={"discriminator": discriminator, "rules": rules, "ordered": ordered}, **facts
    )


def profile(name: str, type_: str, *rows: Row, kind: str = "resource", **facts: Any) -> Row:
    root = {"id": type_, "path": type_, "min": 0, "max": "*", **facts.pop("root", {})}
    return {
        "resourceType": "StructureDefinition", "url": f"{BASE}/{name}", "name": name, "type": type_, "kind": kind,
        "abstract": False, "derivation": "constraint", "baseDefinition": f"http://hl7.org/fhir/StructureDefinition/{type_}",
        "snapshot": {"element": [root, *rows]}, **facts,
    }  # fmt: skip


LOINC = "http://loinc.org"


def coding(code: str) -> Row:
    return {"coding": [{"system": LOINC, "code": code}]}


def artefacts() -> list[Row]:
    return [*_values(), *_slicings(), *_extensions(), *_terms()]


def _values() -> list[Row]:
    return [
        profile(
            "values", "Observation",
            element("Observation.status", 1, "1", fixedCode="final"),
            element("Observation.code", 1, "1", patternCodeableConcept=coding("8867-4")),
            element("Observation.subject", 1, "1", type=[{"code": "Reference", "targetProfile": [f"{BASE}/person"]}]),
            element("Observation.encounter", 0, "0"),
            element("Observation.note", 0, "1"),
            element("Observation.value[x]", 1, "1", type=types("Quantity"), minValueQuantity={"value": 10, "unit": "x"}, maxValueQuantity={"value": 90}),
            element("Observation.value[x].code", 1, "1"),
            element("Observation.bodySite", 0, "1", binding={"strength": "required", "valueSet": f"{BASE}/sites"}),
            element("Observation.method", 0, "1", binding={"strength": "required", "valueSet": f"{BASE}/snomed"}),
            element("Observation.effective[x]", 1, "1", type=types("dateTime"), minValueDateTime="2020-01-01"),
            element("Observation.performer", 0, "*", type=[{"code": "Reference", "targetProfile": ["http://hl7.org/fhir/StructureDefinition/Organization"], "aggregation": ["contained"]}]),
            element("Observation.identifier", 0, "*"),
            element("Observation.identifier.value", 1, "1", maxLength=4),
            root={"constraint": [{"key": "val-1", "severity": "error", "human": "a note explains a method", "expression": "method.exists() implies note.exists()"},
                                 {"key": "val-2", "severity": "error", "human": "broken rule", "expression": "code.text.single().length() > 1 or component.value.single().exists()"}]},
        ),
        profile("every-item", "Questionnaire", element("Questionnaire.item", 1, "*"), element("Questionnaire.item.text", 1, "1"),
                element("Questionnaire.item.item", 0, "*", contentReference="#Questionnaire.item")),
        profile("person", "Patient", element("Patient.birthDate", 1, "1")),
        profile("named", "HumanName", element("HumanName.family", 1, "1"), kind="complex-type"),
        profile("typed", "Patient", element("Patient.name", 1, "*", type=[{"code": "HumanName", "profile": [f"{BASE}/named"]}]),
                element("Patient.birthDate", 1, "1"), element("Patient.birthDate.extension", 1, "*")),
    ]  # fmt: skip


def _slicings() -> list[Row]:
    return [
        profile(
            "by-value", "Observation",
            sliced("Observation.component", [("value", "code.coding.code")], "closed"),
            element("Observation.component:systolic", 1, "1", sliceName="systolic"),
            element("Observation.component:systolic.code", 1, "1", patternCodeableConcept=coding("8480-6")),
            element("Observation.component:systolic.value[x]", 1, "1", type=types("Quantity")),
            element("Observation.component:diastolic", 0, "1", sliceName="diastolic"),
            element("Observation.component:diastolic.code", 1, "1"),
            element("Observation.component:diastolic.code.coding", 1, "*"),
            element("Observation.component:diastolic.code.coding.code", 1, "1", fixedCode="8462-4"),
        ),
        profile(
            "by-pattern", "Observation",
            sliced("Observation.category", [("pattern", "$this")], "openAtEnd", min_=1),
            element("Observation.category:vital", 1, "1", sliceName="vital", patternCodeableConcept=coding("vital")),
            element("Observation.category:lab", 0, "1", sliceName="lab", patternCodeableConcept=coding("lab")),
            sliced("Observation.value[x]", [("type", "$this")], "closed"),
            element("Observation.value[x]:valueString", 0, "1", sliceName="valueString", type=types("string"), maxLength=3),
        ),
        profile(
            "by-type", "Bundle",
            sliced("Bundle.entry", [("type", "resource")], "open", ordered=True),
            element("Bundle.entry:patient", 1, "1", sliceName="patient"),
            element("Bundle.entry:patient.resource", 1, "1", type=types("Patient", profile=[f"{BASE}/person"])),
            element("Bundle.entry:obs", 0, "1", sliceName="obs"),
            element("Bundle.entry:obs.resource", 1, "1", type=types("Observation")),
        ),
        profile(
            "by-profile", "Observation",
            sliced("Observation.derivedFrom", [("profile", "resolve()")], "open"),
            element("Observation.derivedFrom:valued", 1, "1", sliceName="valued",
                    type=[{"code": "Reference", "targetProfile": [f"{BASE}/by-value"]}]),
        ),
        profile(
            "by-exists", "Patient",
            sliced("Patient.telecom", [("exists", "period")], "open"),
            element("Patient.telecom:past", 0, "1", sliceName="past"),
            element("Patient.telecom:past.period", 1, "1"),
            element("Patient.telecom:current", 1, "1", sliceName="current"),
            element("Patient.telecom:current.period", 0, "0"),
            sliced("Patient.identifier", [("value", "system")], "open"),
            element("Patient.identifier:mrn", 0, "*", sliceName="mrn"),
            element("Patient.identifier:mrn.system", 1, "1", fixedUri="https://example.org/mrn"),
            element("Patient.identifier:mrn.type", 0, "1"),
            sliced("Patient.identifier:mrn.type.coding", [("value", "code")]),
            element("Patient.identifier:mrn.type.coding:mr", 1, "1", sliceName="mr"),
            element("Patient.identifier:mrn.type.coding:mr.code", 1, "1", fixedCode="MR"),
            sliced("Patient.address", [("value", "use")], "open"),
            sliced("Patient.address:home", [("value", "city")], sliceName="home"),
            element("Patient.address:home.use", 1, "1", fixedCode="home"),
            element("Patient.address:home/local", 0, "*", sliceName="home/local"),
            element("Patient.address:home/local.city", 1, "1", fixedString="Town"),
            element("Patient.address:home/local.postalCode", 1, "1"),
        ),
    ]  # fmt: skip


def _extensions() -> list[Row]:
    url = f"{BASE}/since"
    return [
        profile(
            "since", "Extension", element("Extension.extension", 0, "0"), element("Extension.url", 1, "1", fixedUri=url),
            element("Extension.value[x]", 1, "1", type=types("date")), kind="complex-type",
            context=[{"type": "element", "expression": "Patient.contact"}],
        ),
        profile(
            "danger", "Extension", element("Extension.url", 1, "1", fixedUri=f"{BASE}/danger"),
            element("Extension.value[x]", 1, "1", type=types("boolean")), kind="complex-type",
            root={"isModifier": True}, context=[{"type": "element", "expression": "Patient"}],
        ),
        profile(
            "extended", "Patient", sliced("Patient.extension", [("value", "url")], "closed"),
            element("Patient.extension:flag", 1, "1", sliceName="flag", type=types("Extension", profile=[f"{BASE}/flag"])),
        ),
        profile(
            "flag", "Extension", sliced("Extension.extension", [("value", "url")], "closed", min_=1),
            element("Extension.extension:kind", 1, "1", sliceName="kind"),
            element("Extension.extension:kind.url", 1, "1", fixedUri="kind"),
            element("Extension.extension:kind.value[x]", 1, "1", type=types("code"),
                    binding={"strength": "required", "valueSet": f"{BASE}/sites"}),
            element("Extension.url", 1, "1", fixedUri=f"{BASE}/flag"), element("Extension.value[x]", 0, "0"),
            kind="complex-type", context=[{"type": "element", "expression": "Patient"}],
        ),
    ]  # fmt: skip


def _terms() -> list[Row]:
    system = f"{BASE}/site-codes"
    return [
        {"resourceType": "CodeSystem", "url": system, "content": "complete", "concept": [{"code": "arm"}, {"code": "leg"}]},
        {"resourceType": "ValueSet", "url": f"{BASE}/sites", "compose": {"include": [{"system": system}]}},
        {"resourceType": "ValueSet", "url": f"{BASE}/snomed",
         "compose": {"include": [{"system": "http://snomed.info/sct", "filter": [{"property": "concept", "op": "is-a", "value": "1"}]}]}},
    ]  # fmt: skip


def write(folder: Path) -> Path:
    package = folder / "guide" / "package"
    package.mkdir(parents=True)
    for number, artefact in enumerate(artefacts()):
        (package / f"{artefact['resourceType']}-{number:02}.json").write_text(json.dumps(artefact))
    return folder / "guide"
