"""Seeded faults: one change to a good resource, the place and the rule it must be found at."""

from typing import Any, NamedTuple

GUIDE = "https://example.org/guide/"
DIV = '<div xmlns="http://www.w3.org/1999/xhtml">%s</div>'
DROP = object()


class Fault(NamedTuple):
    name: str
    good: str
    change: dict[str, Any]
    at: str
    rule: str
    profile: str = ""


def f(name: str, good: str, change: dict[str, Any], at: str, rule: str, profile: str = "") -> Fault:
    return Fault(name, good, change, at, rule, GUIDE + profile if profile else "")


def apply(resource: Any, change: dict[str, Any]) -> Any:
    """Set or drop members by dotted paths (`name.0.family`)."""
    for path, value in change.items():
        *parents, last = path.split(".")
        here = resource
        for part in parents:
            here = here[int(part)] if isinstance(here, list) else here.setdefault(part, {})
        if isinstance(here, list):
            here[int(last) : int(last) + 1] = [] if value is DROP else [value]
        elif value is DROP:
            del here[last]
        else:
            here[last] = value
    return resource


JSON = [
    f("misspelt element", "patient", {"brithDate": "2020-01-01"}, "Patient.brithDate", "unknown-element"),
    f("element of another type", "patient", {"status": "x"}, "Patient.status", "unknown-element"),
    f("misspelt inside a datatype", "patient", {"name.0.famly": "x"}, "Patient.name[0].famly", "unknown-element"),
    f("choice without its type", "observation", {"value": 3}, "Observation.value", "unknown-element"),
    f("choice of a type not allowed", "observation", {"valueDecimal": 3}, "Observation.valueDecimal", "unknown-element"),
    f("two choices", "patient", {"deceasedDateTime": "2020"}, "Patient.deceased.ofType(dateTime)", "choice"),
    f("null", "patient", {"birthDate": None}, "Patient.birthDate", "json-null"),
    f("null in an array of objects", "patient", {"name": [None]}, "Patient.name[0]", "json-null"),
    f("null without sibling", "patient", {"address.0.line": ["a", None]}, "Patient.address[0].line[1]", "json-null"),
    f("empty array", "patient", {"telecom": []}, "Patient.telecom", "json-empty"),
    f("empty object", "patient", {"maritalStatus": {}}, "Patient.maritalStatus", "ele-1"),
    f("only an id", "patient", {"maritalStatus": {"id": "a"}}, "Patient.maritalStatus", "ele-1"),
    f("empty string", "patient", {"name.0.family": ""}, "Patient.name[0].family", "format-string"),
    f("white space", "patient", {"name.0.family": " \t"}, "Patient.name[0].family", "format-string"),
    f("object for array", "patient", {"name": {"family": "x"}}, "Patient.name", "json-array"),
    f("scalar for array", "patient", {"address.0.line": "x"}, "Patient.address[0].line", "json-array"),
    f("array for object", "patient", {"maritalStatus": [{"text": "x"}]}, "Patient.maritalStatus", "json-scalar"),
    f("array for scalar", "patient", {"gender": ["other"]}, "Patient.gender", "json-scalar"),
    f("string for object", "patient", {"maritalStatus": "S"}, "Patient.maritalStatus", "json-type"),
    f("object for string", "patient", {"birthDate": {"value": "2020"}}, "Patient.birthDate", "json-type"),
    f("misaligned siblings", "patient", {"name.0._given": [None]}, "Patient.name[0].given", "json-sibling"),
    f("sibling not an object", "patient", {"_birthDate": "x"}, "Patient.birthDate", "json-sibling"),
    f("sibling of a complex element", "patient", {"_name": []}, "Patient._name", "unknown-element"),
    f("value in a sibling", "patient", {"_birthDate": {"valueX": 1}}, "Patient.birthDate.valueX", "unknown-element"),
    f("empty sibling", "patient", {"_birthDate": {}}, "Patient.birthDate", "ele-1"),
    f("required code with only an extension", "observation", {"status": DROP, "_status": {"extension": [{"url": "http://hl7.org/fhir/StructureDefinition/data-absent-reason", "valueCode": "unknown"}]}}, "Observation.status", "binding"),
    f("no resourceType", "patient", {"resourceType": DROP}, "Resource", "resourceType"),
    f("unknown resourceType", "patient", {"resourceType": "Pateint"}, "Pateint", "resourceType"),
    f("resourceType in a datatype", "patient", {"name.0.resourceType": "HumanName"}, "Patient.name[0].resourceType", "unknown-element"),
    f("unknown type inside a Bundle", "bundle", {"entry.0.resource.resourceType": "Nope"}, "Bundle.entry[0].resource", "resourceType"),
    f("entry resource not an object", "bundle", {"entry.0.resource": "x"}, "Bundle.entry[0].resource", "json-type"),
]  # fmt: skip

PRIMITIVES = [
    f("boolean as string", "patient", {"active": "true"}, "Patient.active", "format-boolean"),
    f("boolean as number", "patient", {"active": 1}, "Patient.active", "format-boolean"),
    f("decimal as string", "observation", {"valueQuantity.value": "72"}, "Observation.value.ofType(Quantity).value", "format-decimal"),
    f("decimal as boolean", "observation", {"valueQuantity.value": True}, "Observation.value.ofType(Quantity).value", "format-decimal"),
    f("integer with fraction", "task", {"input.0.valueInteger": 1.5}, "Task.input[0].value.ofType(integer)", "format-integer"),
    f("integer too large", "task", {"input.0.valueInteger": 2147483648}, "Task.input[0].value.ofType(integer)", "format-integer"),
    f("integer as string", "task", {"input.0.valueInteger": "3"}, "Task.input[0].value.ofType(integer)", "format-integer"),
    f("positiveInt zero", "patient", {"telecom.0.rank": 0}, "Patient.telecom[0].rank", "format-positiveInt"),
    f("unsignedInt negative", "parameters", {"parameter.0.valueUnsignedInt": -1}, "Parameters.parameter[0].value.ofType(unsignedInt)", "format-unsignedInt"),
    f("number as string", "patient", {"name.0.family": 5}, "Patient.name[0].family", "format-string"),
    f("control character", "patient", {"name.0.family": "a\x07"}, "Patient.name[0].family", "format-string"),
    f("string over 1 MB", "patient", {"name.0.family": "a" * 1048577}, "Patient.name[0].family", "format-string"),
    f("date with slashes", "patient", {"birthDate": "02/29/1980"}, "Patient.birthDate", "format-date"),
    f("date not in the calendar", "patient", {"birthDate": "2023-02-30"}, "Patient.birthDate", "format-date"),
    f("29 February in a common year", "patient", {"birthDate": "2023-02-29"}, "Patient.birthDate", "format-date"),
    f("month 13", "patient", {"birthDate": "2023-13"}, "Patient.birthDate", "format-date"),
    f("date with a time", "patient", {"birthDate": "2023-01-01T00:00:00Z"}, "Patient.birthDate", "format-date"),
    f("year zero", "patient", {"birthDate": "0000"}, "Patient.birthDate", "format-date"),
    f("dateTime without zone", "observation", {"effectiveDateTime": "2024-02-29T10:00:00"}, "Observation.effective.ofType(dateTime)", "format-dateTime"),
    f("dateTime without seconds", "observation", {"effectiveDateTime": "2024-02-29T10:00Z"}, "Observation.effective.ofType(dateTime)", "format-dateTime"),
    f("dateTime at 24 hours", "observation", {"effectiveDateTime": "2024-02-29T24:00:00Z"}, "Observation.effective.ofType(dateTime)", "format-dateTime"),
    f("dateTime not in the calendar", "observation", {"effectiveDateTime": "2024-04-31T10:00:00Z"}, "Observation.effective.ofType(dateTime)", "format-dateTime"),
    f("dateTime with a blank", "observation", {"effectiveDateTime": "2024-04-30 10:00:00Z"}, "Observation.effective.ofType(dateTime)", "format-dateTime"),
    f("instant without zone", "observation", {"issued": "2024-02-29T10:00:00"}, "Observation.issued", "format-instant"),
    f("instant as a day", "observation", {"issued": "2024-02-29"}, "Observation.issued", "format-instant"),
    f("zone beyond 14 hours", "observation", {"issued": "2024-02-29T10:00:00+15:00"}, "Observation.issued", "format-instant"),
    f("time without seconds", "timing", {"dosageInstruction.0.timing.repeat.timeOfDay.0": "10:00"}, "MedicationRequest.dosageInstruction[0].timing.repeat.timeOfDay[0]", "format-time"),
    f("code with trailing blank", "patient", {"telecom.0.system": "phone "}, "Patient.telecom[0].system", "format-code"),
    f("id too long", "patient", {"id": "a" * 65}, "Patient.id", "format-id"),
    f("id with underscore", "patient", {"id": "a_b"}, "Patient.id", "format-id"),
    f("uri with a blank", "patient", {"identifier.0.system": "http://a b"}, "Patient.identifier[0].system", "format-uri"),
    f("canonical with a blank", "patient", {"meta": {"profile": ["a b"]}}, "Patient.meta.profile[0]", "format-canonical"),
    f("oid", "parameters", {"parameter.2.valueOid": "urn:oid:1.02"}, "Parameters.parameter[2].value.ofType(oid)", "format-oid"),
    f("uuid", "parameters", {"parameter.3.valueUuid": "c757873d"}, "Parameters.parameter[3].value.ofType(uuid)", "format-uuid"),
    f("url", "parameters", {"parameter.5.valueUrl": "a b"}, "Parameters.parameter[5].value.ofType(url)", "format-url"),
    f("base64", "binary", {"data": "aGVsbG8"}, "Binary.data", "format-base64Binary"),
]  # fmt: skip

STRUCTURE = [
    f("missing status", "observation", {"status": DROP}, "Observation.status", "cardinality-min"),
    f("missing subject", "request", {"subject": DROP}, "ServiceRequest.subject", "cardinality-min"),
    f("missing in a backbone", "patient", {"communication.0.language": DROP, "communication.0.preferred": True}, "Patient.communication[0].language", "cardinality-min"),
    f("missing choice", "timing", {"medicationCodeableConcept": DROP}, "MedicationRequest.medication", "cardinality-min"),
    f("missing url", "patient", {"extension": [{"valueString": "x"}]}, "Patient.extension[0].url", "cardinality-min"),
    f("code not in the list", "task", {"status": "bogus"}, "Task.status", "binding"),
    f("code in another case", "patient", {"gender": "Other"}, "Patient.gender", "binding"),
    f("code in a datatype", "patient", {"name.0.use": "formal"}, "Patient.name[0].use", "binding"),
    f("currency", "parameters", {"parameter.0": {"name": "m", "valueMoney": {"value": 1, "currency": "XXQ"}}}, "Parameters.parameter[0].value.ofType(Money).currency", "binding"),
    f("quantity in range with comparator", "observation", {"referenceRange.0.low.comparator": "<"}, "Observation.referenceRange[0].low.comparator", "cardinality-max"),
    f("comparator of a simple quantity", "timing", {"dosageInstruction.0.maxDosePerAdministration.comparator": "<"}, "MedicationRequest.dosageInstruction[0].maxDosePerAdministration.comparator", "cardinality-max"),
    f("obs-6", "observation", {"dataAbsentReason": {"text": "x"}}, "Observation", "obs-6"),
    f("obs-3", "observation", {"referenceRange.0": {"type": {"text": "x"}}}, "Observation.referenceRange[0]", "obs-3"),
    f("per-1", "patient", {"contact.0.period.end": "2019-01-01"}, "Patient.contact[0].period", "per-1"),
    f("pat-1", "patient", {"contact.0": {"gender": "male"}}, "Patient.contact[0]", "pat-1"),
    f("qty-3", "observation", {"valueQuantity.system": DROP}, "Observation.value.ofType(Quantity)", "qty-3"),
    f("rng-2", "parameters", {"parameter.0": {"name": "r", "valueRange": {"low": {"value": 3}, "high": {"value": 2}}}}, "Parameters.parameter[0].value.ofType(Range)", "rng-2"),
    f("cpt-2", "patient", {"telecom.0.system": DROP}, "Patient.telecom[0]", "cpt-2"),
    f("att-1", "patient", {"photo": [{"data": "aGVsbG8="}]}, "Patient.photo[0]", "att-1"),
    f("tim-1", "timing", {"dosageInstruction.0.timing.repeat.duration": 3}, "MedicationRequest.dosageInstruction[0].timing.repeat", "tim-1"),
    f("inv-1 of Task", "task", {"lastModified": "2024-04-01T10:00:00Z"}, "Task", "inv-1"),
    f("prr-1", "request", {"orderDetail": [{"text": "x"}], "code": DROP}, "ServiceRequest", "prr-1"),
    f("que-2", "questionnaire", {"item.1.linkId": "1"}, "Questionnaire", "que-2"),
    f("que-1", "questionnaire", {"item.1.type": "display"}, "Questionnaire.item[1]", "que-1"),
    f("que-10", "questionnaire", {"item.0.maxLength": 4}, "Questionnaire.item[0]", "que-10"),
    f("bdl-7", "bundle", {"entry.1.fullUrl": "urn:uuid:c757873d-ec9a-4326-a141-556f43239520"}, "Bundle", "bdl-7"),
    f("bdl-1", "bundle", {"total": 3}, "Bundle", "bdl-1"),
    f("bdl-3", "bundle", {"type": "transaction"}, "Bundle", "bdl-3"),
    f("bdl-8", "bundle", {"entry.1.fullUrl": "https://example.org/fhir/Observation/o1/_history/1"}, "Bundle.entry[1]", "bdl-8"),
    f("bdl-11", "bundle", {"type": "document"}, "Bundle", "bdl-11"),
]  # fmt: skip

REFERENCES = [
    f("target of the wrong type", "request", {"subject.reference": "Practitioner/1"}, "ServiceRequest.subject.reference", "reference-target"),
    f("absolute, wrong type", "request", {"subject.reference": "https://x.org/fhir/Medication/1"}, "ServiceRequest.subject.reference", "reference-target"),
    f("contained, wrong type", "patient", {"contained.0.resourceType": "Location"}, "Patient.managingOrganization.reference", "reference-target"),
    f("in a Bundle, wrong type", "bundle", {"entry.0.resource": {"resourceType": "Practitioner", "active": True}}, "Bundle.entry[1].resource.subject.reference", "reference-target"),
    f("contained id missing", "patient", {"managingOrganization.reference": "#nope"}, "Patient.managingOrganization.reference", "ref-1"),
    f("identifier system without scheme", "patient", {"identifier.0.system": "mrn"}, "Patient.identifier[0].system", "system-absolute"),
    f("coding system without scheme", "observation", {"code.coding.0.system": "loinc"}, "Observation.code.coding[0].system", "system-absolute"),
    f("unit system without scheme", "observation", {"valueQuantity.system": "ucum"}, "Observation.value.ofType(Quantity).system", "system-absolute"),
    f("bare id", "request", {"subject.reference": "1"}, "ServiceRequest.subject.reference", "reference-format"),
    f("unknown type in a reference", "request", {"subject.reference": "Client/1"}, "ServiceRequest.subject.reference", "reference-format"),
    f("broken uuid", "request", {"subject.reference": "urn:uuid:12"}, "ServiceRequest.subject.reference", "reference-format"),
    f("fullUrl not in the Bundle", "bundle", {"entry.1.resource.subject.reference": "urn:uuid:c757873d-ec9a-4326-a141-556f43239521"}, "Bundle.entry[1].resource.subject.reference", "reference-resolve"),
    f("type disagrees", "request", {"subject.type": "Group"}, "ServiceRequest.subject.type", "reference-type"),
    f("type that may not stand there, of a reference that tells none", "request", {"subject": {"reference": "https://x.org/1", "type": "Medication"}}, "ServiceRequest.subject.reference", "reference-target"),
    f("type is no resource", "request", {"subject.type": "Client"}, "ServiceRequest.subject.type", "reference-type"),
    f("absolute with a blank", "request", {"subject.reference": "https://x.org/Patient/ 1"}, "ServiceRequest.subject.reference", "reference-format"),
    f("reference that says nothing", "request", {"subject": {"type": "Patient"}}, "ServiceRequest.subject", "reference-empty"),
    f("element id twice", "patient", {"name.0.id": "a", "telecom.0.id": "a"}, "Patient.telecom[0].id", "element-id"),
    f("element id with a blank", "patient", {"name.0.id": "a b"}, "Patient.name[0].id", "element-id"),
    f("language", "patient", {"language": " en"}, "Patient.language", "format-code"),
    f("language tag", "patient", {"language": "en_US"}, "Patient.language", "binding"),
    f("media type", "binary", {"contentType": "pdf"}, "Binary.contentType", "binding"),
    f("fullUrl and id disagree", "bundle", {"entry.1.fullUrl": "https://example.org/fhir/Observation/o2"}, "Bundle.entry[1].fullUrl", "bundle-fullUrl"),
    f("fullUrl relative", "bundle", {"entry.1.fullUrl": "Observation/o1"}, "Bundle.entry[1].fullUrl", "bundle-fullUrl"),
    f("fullUrl broken uuid", "bundle", {"entry.0.fullUrl": "urn:uuid:1"}, "Bundle.entry[0].fullUrl", "bundle-fullUrl"),
    f("contained not referenced", "patient", {"managingOrganization": DROP}, "Patient.contained[0]", "dom-3"),
    f("contained in contained", "patient", {"contained.0.contained": [{"resourceType": "Patient", "id": "q"}]}, "Patient.contained[0].contained", "dom-2"),
    f("contained with version", "patient", {"contained.0.meta": {"versionId": "1"}}, "Patient.contained[0].meta.versionId", "dom-4"),
    f("contained with security", "patient", {"contained.0.meta": {"security": [{"code": "R"}]}}, "Patient.contained[0].meta.security", "dom-5"),
    f("contained without id", "patient", {"contained.0.id": DROP}, "Patient.contained[0]", "contained-id"),
    f("fault inside contained", "patient", {"contained.0.activ": True}, "Patient.contained[0].activ", "unknown-element"),
    f("fault inside an entry", "bundle", {"entry.1.resource.status": "done"}, "Bundle.entry[1].resource.status", "binding"),
    f("fault inside Parameters", "parameters", {"parameter.1.resource.active": "yes"}, "Parameters.parameter[1].resource.active", "format-boolean"),
]  # fmt: skip

NARRATIVE = [
    f("script", "patient", {"text.div": DIV % "<script>x</script>"}, "Patient.text.div", "txt-1"),
    f("event attribute", "patient", {"text.div": DIV % "<p onclick='x'>a</p>"}, "Patient.text.div", "txt-1"),
    f("form", "patient", {"text.div": DIV % "<form>a</form>"}, "Patient.text.div", "txt-1"),
    f("javascript link", "patient", {"text.div": DIV % "<a href='JavaScript:x'>a</a>"}, "Patient.text.div", "txt-1"),
    f("entity of HTML", "patient", {"text.div": DIV % "a&nbsp;b"}, "Patient.text.div", "txt-1"),
    f("not well formed", "patient", {"text.div": DIV % "<p>a"}, "Patient.text.div", "txt-1"),
    f("no namespace", "patient", {"text.div": "<div>a</div>"}, "Patient.text.div", "txt-1"),
    f("not a div", "patient", {"text.div": '<p xmlns="http://www.w3.org/1999/xhtml">a</p>'}, "Patient.text.div", "txt-1"),
    f("doctype", "patient", {"text.div": '<!DOCTYPE div [<!ENTITY a "b">]>' + DIV % "&a;"}, "Patient.text.div", "txt-1"),
    f("says nothing", "patient", {"text.div": DIV % " "}, "Patient.text.div", "txt-2"),
    f("no div", "patient", {"text.div": DROP}, "Patient.text.div", "cardinality-min"),
    f("unknown narrative status", "patient", {"text.status": "made-up"}, "Patient.text.status", "binding"),
]  # fmt: skip

EXTENSIONS = [
    f("value and extension", "patient", {"extension": [{"url": "https://x.org/a", "valueCode": "a", "extension": [{"url": "b", "valueCode": "b"}]}]}, "Patient.extension[0]", "ext-1"),
    f("neither value nor extension", "patient", {"extension": [{"url": "https://x.org/a"}]}, "Patient.extension[0]", "ext-1"),
    f("relative url", "patient", {"extension": [{"url": "since", "valueDate": "2020"}]}, "Patient.extension[0].url", "extension-url"),
    f("unknown modifier", "patient", {"modifierExtension": [{"url": "https://x.org/a", "valueCode": "a"}]}, "Patient.modifierExtension[0]", "modifier-extension"),
    f("out of context", "patient", {"extension": [{"url": GUIDE + "since", "valueDate": "2020"}]}, "Patient.extension[0]", "extension-context"),
    f("core extension out of context", "observation", {"extension": [{"url": "http://hl7.org/fhir/StructureDefinition/patient-nationality", "extension": [{"url": "code", "valueCodeableConcept": {"text": "x"}}]}]}, "Observation.extension[0]", "extension-context"),
    f("extension where its rule does not hold", "questionnaire", {"item.0.extension": [{"url": "http://hl7.org/fhir/StructureDefinition/questionnaire-unitOption", "valueCoding": {"code": "kg"}}]}, "Questionnaire.item[0].extension[0]", "extension-context"),
    f("value of the wrong type", "patient", {"contact.0.extension": [{"url": GUIDE + "since", "valueString": "2020"}]}, "Patient.contact[0].extension[0].value.ofType(string)", "type"),
    f("modifier used as plain", "patient", {"extension": [{"url": GUIDE + "danger", "valueBoolean": True}]}, "Patient.extension[0]", "extension-modifier"),
    f("plain used as modifier", "patient", {"modifierExtension": [{"url": GUIDE + "flag", "extension": [{"url": "kind", "valueCode": "arm"}]}]}, "Patient.modifierExtension[0]", "extension-modifier"),
    f("missing inner extension", "patient", {"extension": [{"url": GUIDE + "flag", "extension": [{"url": "other", "valueCode": "x"}]}]}, "Patient.extension[0].extension", "kind"),
    f("inner extension not allowed", "patient", {"extension": [{"url": GUIDE + "flag", "extension": [{"url": "kind", "valueCode": "arm"}, {"url": "other", "valueCode": "x"}]}]}, "Patient.extension[0].extension[1]", "slicing-closed"),
    f("inner code not in the list", "patient", {"extension": [{"url": GUIDE + "flag", "extension": [{"url": "kind", "valueCode": "nose"}]}]}, "Patient.extension[0].extension[0].value.ofType(code)", "binding"),
    f("extension on a primitive", "patient", {"_birthDate": {"extension": [{"url": "a", "valueCode": "x"}]}}, "Patient.birthDate.extension[0].url", "extension-url"),
    f("required extension missing", "patient", {}, "Patient.extension", "flag", "extended"),
    f("extension outside a closed list", "patient", {"extension": [{"url": GUIDE + "flag", "extension": [{"url": "kind", "valueCode": "arm"}]}, {"url": "https://x.org/y", "valueCode": "a"}]}, "Patient.extension[1]", "slicing-closed", "extended"),
]  # fmt: skip

SYSTOLIC = {
    "code": {"coding": [{"system": "http://loinc.org", "code": "8480-6"}]},
    "valueQuantity": {"value": 1},
}
DIASTOLIC = {"code": {"coding": [{"system": "http://loinc.org", "code": "8462-4"}]}}
VITAL = {"coding": [{"system": "http://loinc.org", "code": "vital"}]}
LAB = {"coding": [{"system": "http://loinc.org", "code": "lab"}]}

PROFILES = [
    f("unknown profile asked for", "patient", {}, "Patient", "profile-unknown", "nowhere"),
    f("misspelt profile of ours", "patient", {"meta": {"profile": ["https://casebridge.example/fhir/StructureDefinition/casebridge-cleint"]}}, "Patient.meta.profile[0]", "profile-unknown"),
    f("profile rule on a repeated structure", "questionnaire", {"item": [{"linkId": "a", "type": "group", "text": "x", "item": [{"linkId": "b", "type": "string"}]}]}, "Questionnaire.item[0].item[0].text", "cardinality-min", "every-item"),
    f("profile of another type", "patient", {}, "Patient", "profile-type", "values"),
    f("claimed profile of another type", "patient", {"meta": {"profile": [GUIDE + "values"]}}, "Patient.meta.profile[0]", "profile-type"),
    f("claimed profile is checked", "patient", {"birthDate": DROP, "meta": {"profile": [GUIDE + "person"]}}, "Patient.birthDate", "cardinality-min"),
    f("fixed", "observation", {"status": "amended"}, "Observation.status", "fixed", "values"),
    f("pattern", "observation", {"code": {"text": "x"}}, "Observation.code", "pattern", "values"),
    f("not allowed", "observation", {"encounter": {"reference": "Encounter/1"}}, "Observation.encounter", "cardinality-max", "values"),
    f("too many", "observation", {"note": [{"text": "a"}, {"text": "b"}]}, "Observation.note", "cardinality-max", "values"),
    f("required by the profile", "observation", {"subject": DROP}, "Observation.subject", "cardinality-min", "values"),
    f("required inside a datatype", "observation", {"valueQuantity": {"value": 72}}, "Observation.value.ofType(Quantity).code", "cardinality-min", "values"),
    f("type of a choice", "observation", {"valueQuantity": DROP, "valueString": "x"}, "Observation.value.ofType(string)", "type", "values"),
    f("minValue", "observation", {"valueQuantity": {"value": 1, "unit": "x"}}, "Observation.value.ofType(Quantity)", "minValue", "values"),
    f("maxValue", "observation", {"valueQuantity": {"value": 91}}, "Observation.value.ofType(Quantity)", "maxValue", "values"),
    f("minValue of a date", "observation", {"effectiveDateTime": "2019-12-31"}, "Observation.effective.ofType(dateTime)", "minValue", "values"),
    f("maxLength", "observation", {"identifier": [{"value": "12345"}]}, "Observation.identifier[0].value", "maxLength", "values"),
    f("profile binding", "observation", {"bodySite": {"coding": [{"system": GUIDE + "site-codes", "code": "nose"}]}}, "Observation.bodySite.coding[0]", "binding", "values"),
    f("profile binding, wrong system", "observation", {"bodySite": {"coding": [{"system": "https://x.org", "code": "arm"}]}}, "Observation.bodySite.coding[0]", "binding", "values"),
    f("profile binding, a system the undecidable set does not include", "observation", {"method": {"coding": [{"system": "https://x.org", "code": "1"}]}}, "Observation.method.coding[0]", "binding", "values"),
    f("profile binding, only text", "observation", {"bodySite": {"text": "arm"}}, "Observation.bodySite", "binding", "values"),
    f("profile target type", "observation", {"subject.reference": "Group/1"}, "Observation.subject.reference", "reference-target", "values"),
    f("target profile", "observation", {"subject.reference": "#p", "contained": [{"resourceType": "Patient", "id": "p", "active": True}]}, "Observation.subject.reference", "reference-profile", "values"),
    f("aggregation", "observation", {"performer": [{"reference": "Organization/1"}]}, "Observation.performer[0].reference", "aggregation", "values"),
    f("profile invariant", "observation", {"method": {"coding": [{"system": "http://snomed.info/sct", "code": "1"}]}}, "Observation", "val-1", "values"),
    f("invariant that cannot be evaluated", "observation", {"component": [{"code": {"text": "a"}, "valueString": "x"}, {"code": {"text": "b"}, "valueString": "y"}]}, "Observation", "val-2", "values"),
    f("profiled datatype", "patient", {"name.0.family": DROP}, "Patient.name[0].family", "cardinality-min", "typed"),
    f("required extension of a primitive", "patient", {}, "Patient.birthDate.extension", "cardinality-min", "typed"),
    f("slice by value missing", "observation", {"component": [DIASTOLIC]}, "Observation.component", "systolic", "by-value"),
    f("slice by value twice", "observation", {"component": [SYSTOLIC, SYSTOLIC]}, "Observation.component", "systolic", "by-value"),
    f("slice by child code twice", "observation", {"component": [SYSTOLIC, DIASTOLIC, DIASTOLIC]}, "Observation.component", "diastolic", "by-value"),
    f("content of a slice", "observation", {"component": [{**SYSTOLIC, "valueQuantity": DROP}]}, "Observation.component[0].value", "cardinality-min", "by-value"),
    f("closed slicing", "observation", {"component": [SYSTOLIC, {"code": {"text": "x"}}]}, "Observation.component[1]", "slicing-closed", "by-value"),
    f("slice by pattern missing", "observation", {"category": [LAB]}, "Observation.category", "vital", "by-pattern"),
    f("openAtEnd", "observation", {"category": [{"text": "x"}, VITAL]}, "Observation.category[1]", "slicing-order", "by-pattern"),
    f("two slices at once", "observation", {"category": [{"coding": VITAL["coding"] + LAB["coding"]}]}, "Observation.category[0]", "slicing-ambiguous", "by-pattern"),
    f("closed slicing by type", "observation", {"category": [VITAL]}, "Observation.value.ofType(Quantity)", "slicing-closed", "by-pattern"),
    f("content of a slice by type", "observation", {"category": [VITAL], "valueQuantity": DROP, "valueString": "long"}, "Observation.value.ofType(string)", "maxLength", "by-pattern"),
    f("slice by resource type missing", "bundle", {"entry.0.resource": {"resourceType": "Practitioner", "active": True}, "entry.1.resource.subject": DROP}, "Bundle.entry", "patient", "by-type"),
    f("profile of a slice's resource", "bundle", {}, "Bundle.entry[0].resource.birthDate", "cardinality-min", "by-type"),
    f("slices out of order", "bundle", {"entry": [{"fullUrl": "urn:uuid:c757873d-ec9a-4326-a141-556f43239521", "resource": {"resourceType": "Observation", "status": "final", "code": {"text": "c"}}}, {"fullUrl": "urn:uuid:c757873d-ec9a-4326-a141-556f43239520", "resource": {"resourceType": "Patient", "birthDate": "2020"}}]}, "Bundle.entry[1]", "slicing-order", "by-type"),
    f("slice by profile missing", "observation", {"derivedFrom": [{"reference": "Media/1"}]}, "Observation.derivedFrom", "valued", "by-profile"),
    f("slice by profile, target does not conform", "observation", {"derivedFrom": [{"reference": "#o"}], "contained": [{"resourceType": "Observation", "id": "o", "status": "final", "code": {"text": "x"}}]}, "Observation.derivedFrom", "valued", "by-profile"),
    f("slice by exists missing", "patient", {"telecom.0.period": {"start": "2020"}}, "Patient.telecom", "current", "by-exists"),
    f("slice by exists twice", "patient", {"telecom": [{"system": "phone", "value": "1", "period": {"start": "2020"}}, {"system": "phone", "value": "2", "period": {"start": "2020"}}, {"system": "phone", "value": "3"}]}, "Patient.telecom", "past", "by-exists"),
    f("nested slicing", "patient", {"identifier.0.type": {"coding": [{"code": "XX"}]}}, "Patient.identifier[0].type.coding", "mr", "by-exists"),
    f("re-slice", "patient", {"address": [{"use": "home", "city": "Town"}]}, "Patient.address[0].postalCode", "cardinality-min", "by-exists"),
]  # fmt: skip

FAULTS = [*JSON, *PRIMITIVES, *STRUCTURE, *REFERENCES, *NARRATIVE, *EXTENSIONS, *PROFILES]
