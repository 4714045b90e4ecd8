"""Required bindings: is the code one of those the element allows?

https://hl7.org/fhir/R4/terminologies.html#required. A value set that cannot be decided offline (UCUM,
SNOMED CT, LOINC, media types) is said so as information, never as an error.
"""

import re

from service.fhir.json import Json, JsonObject
from service.fhir.validate.definitions import ValueSet, in_set, may_be_in_set
from service.fhir.validate.facts import Child
from service.fhir.validate.place import Place
from service.fhir.validate.run import Run, shown
from service.fhir.validate.slim import MOST
from service.fhir.validate.systems import SYSTEMS_PAGE, has_scheme, proper_system

_MEDIA_TYPE = re.compile(r"xml|json|ttl|html|[\w.+*-]+/[\w.+*-]+(?:\s*;[^;]*)*")
_LANGUAGE = re.compile(r"(?:[A-Za-z]{2,3}|[A-Za-z]{4,8}|[xi])(?:-[A-Za-z0-9]{1,8})*")
_FORMS = {
    "http://hl7.org/fhir/ValueSet/mimetypes": (_MEDIA_TYPE, "a media type such as application/pdf (BCP 13)"),
    "http://www.rfc-editor.org/bcp/bcp13.txt": (_MEDIA_TYPE, "a media type such as text/fhirpath (BCP 13)"),
    "http://hl7.org/fhir/ValueSet/all-languages": (_LANGUAGE, "a language tag such as en-US (BCP 47)"),
}
"""Value sets that are a grammar: what has the form is taken, what has not is refused."""


def check_binding(run: Run, url: str, value: Json, type_: str, at: Place, *, source: str) -> None:
    """Check a code, Coding, CodeableConcept or Quantity against a required, or the largest, value set."""
    known = run.definitions.value_set(url)
    if url.endswith(MOST):
        url = url.removesuffix(MOST)
        if isinstance(value, dict) and _beyond_telling(known, value):
            return
    if url in _FORMS and isinstance(value, str):
        form, expected = _FORMS[url]
        if not form.fullmatch(value):
            run.report(at, "code-invalid", "binding", source, f"the code {shown(value)} is not {expected}")
    elif known is None:
        _undecided(run, url, value, at)
    elif isinstance(value, str):
        if value not in known.any_system and known.open:
            _undecided(run, url, value, at)
        elif value not in known.any_system:
            _refuse(run, known, f"the code {shown(value)} is not", value, at, source=source)
    elif isinstance(value, dict):
        _coded(run, known, value, type_, at, source=source)


def _beyond_telling(known: ValueSet | None, value: JsonObject) -> bool:
    """No code to judge against the largest value set, or a set of which too little is known to refuse one."""
    return (known is not None and bool(known.open)) or not any("code" in each for each in _codings(value))


def check_coding(run: Run, _child: Child, value: JsonObject, at: Place) -> None:
    """A code its own code system does not define: worth a warning even where no binding requires a code."""
    system, code = value.get("system"), value.get("code")
    check_system(run, _child, value, at)
    if isinstance(system, str) and (proper := proper_system(system)):
        finding = f"{shown(system)} is not how this code system is identified, expected {proper}"
        run.report((at, "system", -1), "value", "coding-system", SYSTEMS_PAGE, finding, severity="warning")
    elif isinstance(system, str) and isinstance(code, str):
        known = run.definitions.code_system(system)
        if known is not None and code not in known:
            finding = f"the code system has no code {shown(code)}{run.suggest(code, known)}"
            run.report((at, "code", -1), "code-invalid", "code-unknown", system, finding, severity="warning")


def check_system(run: Run, child: Child, value: JsonObject, at: Place) -> None:
    """The system of a Coding, Identifier or Quantity is an absolute URI: a name of its own says nothing."""
    system = value.get("system")
    if isinstance(system, str) and not has_scheme(system) and not any(c.isspace() for c in system):
        finding = f"{shown(system)} is not an absolute URI, so nobody knows what system it means"
        source = f"https://hl7.org/fhir/R4/datatypes.html#{child.type}"
        run.report((at, "system", -1), "value", "system-absolute", source, finding)


def _undecided(run: Run, url: str, value: Json, at: Place) -> None:
    if isinstance(value, dict) and not _codings(value):
        finding = f"a code from the value set {url} is required, found none"
        if "coding" in value or "text" in value:
            run.report(at, "code-invalid", "binding", url, finding)
        return
    finding = "whether the code belongs to the required value set cannot be decided here"
    run.report(at, "not-supported", "binding", url, finding, severity="information")


def _coded(run: Run, known: ValueSet, value: JsonObject, type_: str, at: Place, *, source: str) -> None:
    codings = _codings(value)
    if any(in_set(coding, known) for coding in codings):
        return
    if any(may_be_in_set(coding, known) for coding in codings):
        _undecided(run, known.url, value, at)
        return
    if not codings:
        if type_ == "CodeableConcept" and ("text" in value or "coding" in value):
            _refuse(run, known, "a code is required, found none", "", at, source=source)
        return
    coding = codings[0]
    code, system = coding.get("code"), coding.get("system")
    place = (at, "coding", 0) if type_ == "CodeableConcept" else at
    if not isinstance(code, str):
        _refuse(run, known, "a code is required, found none", "", at, source=source)
    elif code in known.any_system:
        wanted = " or ".join(sorted(s for s, codes in known.systems.items() if code in codes))
        found = f"the system {shown(system)}" if isinstance(system, str) else "no system"
        finding = f"the code {shown(code)} comes with {found}, expected {wanted}, value set {known.url}"
        run.report(place, "code-invalid", "binding", source, finding)
    else:
        _refuse(run, known, f"the code {shown(code)} is not", code, place, source=source)


def _codings(value: JsonObject) -> list[JsonObject]:
    if "code" in value or "system" in value:
        return [value]
    listed = value.get("coding")
    return [c for c in listed if isinstance(c, dict)] if isinstance(listed, list) else []


def _refuse(run: Run, known: ValueSet, found: str, code: str, at: Place, *, source: str) -> None:
    guess = run.suggest(code, known.any_system) if code else ""
    middle = " in" if found.endswith("is not") else "; it must come from"
    finding = f"{found}{middle} the required value set {known.url}, expected {known.listing}{guess}"
    run.report(at, "code-invalid", "binding", source, finding)
