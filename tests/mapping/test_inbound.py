"""A partner's referral, in whatever conformant shape, becomes the records a case manager reads."""

from service.fhir.json import JsonObject
from service.mapping import inbound
from tests.mapping.context import HARBOR, HERE

PATIENT: JsonObject = {
    "resourceType": "Patient",
    "id": "p1",
    "identifier": [{"system": "https://county.example/mrn", "value": "77"}],
    "name": [{"family": "Moreno", "given": ["Leslie"]}],
    "gender": "female",
    "maritalStatus": {"text": "single"},
}
REQUEST: JsonObject = {
    "resourceType": "ServiceRequest",
    "id": "s1",
    "status": "active",
    "intent": "order",
    "code": {
        "coding": [
            {"system": "https://county.example/codes", "code": "CM"},
            {"system": "http://snomed.info/sct", "code": "453561000124105"},
        ],
        "text": "Someone to keep it all together",
    },
    "subject": {"reference": "Patient/p1"},
    "authoredOn": "2026-03-02T09:12:00-05:00",
    "priority": "urgent",
    "reasonCode": [{"text": "housing"}, {"text": "alcohol use"}],
}
TASK: JsonObject = {
    "resourceType": "Task",
    "id": "t1",
    "status": "requested",
    "intent": "order",
    "code": {"coding": [{"system": "http://hl7.org/fhir/CodeSystem/task-code", "code": "fulfill"}]},
    "focus": {"reference": "ServiceRequest/s1"},
    "for": {"reference": "Patient/p1"},
    "authoredOn": "2026-03-02T09:12:00-05:00",
    "requester": {"reference": "Organization/county", "display": "County Access Line"},
    "owner": {"reference": HARBOR},
}


def one(*resources: JsonObject) -> inbound.Inbound:
    [found] = inbound.read(resources, HERE)
    return found


def test_the_plain_shape_is_read() -> None:
    found = one(PATIENT, REQUEST, TASK)
    told = found.referral.record
    assert (told.id, told.client, told.direction, told.status) == ("t1", "p1", "inbound", "requested")
    assert (told.service, told.urgency, told.asked_by) == ("case-management", "urgent", "County Access Line")
    assert told.reason == "housing; alcohol use"
    assert told.details == ("Someone to keep it all together",)
    assert told.recipient is None
    assert found.client is not None
    assert found.client.record.name.family == "Moreno"


def test_contained_resources_are_read_as_if_they_stood_alone() -> None:
    request = {**REQUEST, "contained": [PATIENT], "subject": {"reference": "#p1"}}
    found = one(request, {**TASK, "for": {"reference": "Patient/unknown"}})
    assert found.client is not None
    assert found.client.record.name.given == ("Leslie",)
    assert found.referral.record.client == "s1.p1"


def test_a_request_contained_in_its_task_is_found() -> None:
    task = {**TASK, "contained": [REQUEST], "focus": {"reference": "#s1"}}
    assert one(PATIENT, task).referral.record.service == "case-management"


def test_a_patient_named_by_identifier_alone_is_found() -> None:
    named = {"identifier": {"system": "https://county.example/mrn", "value": "77"}}
    found = one(PATIENT, {**REQUEST, "subject": named}, TASK)
    assert found.referral.record.client == "p1"
    assert found.client is not None


def test_an_absolute_reference_to_us_is_a_reference_to_us() -> None:
    subject = {"reference": f"{HERE.base}/Patient/p1/_history/3"}
    assert one(PATIENT, {**REQUEST, "subject": subject}, TASK).referral.record.client == "p1"


def test_a_request_without_a_task_is_a_referral_too() -> None:
    found = one(PATIENT, REQUEST)
    assert (found.task, found.referral.record.id, found.referral.record.status) == ("", "s1", "requested")


def test_a_role_that_asks_stands_for_its_organisation() -> None:
    role = {
        "resourceType": "PractitionerRole",
        "id": "r",
        "organization": {"reference": "Organization/county"},
    }
    county = {"resourceType": "Organization", "id": "county", "name": "County Access Line"}
    task = {**TASK, "requester": {"reference": "PractitionerRole/r"}}
    found = one(PATIENT, REQUEST, task, role, county).referral.record
    assert (found.requesting_agency, found.asked_by) == ("county", "County Access Line")


def test_a_service_nobody_mapped_keeps_its_codes_and_words() -> None:
    code = {"coding": [{"system": "https://county.example/codes", "code": "X"}], "text": "Court support"}
    service = one(PATIENT, {**REQUEST, "code": code}, TASK).referral.record.service
    assert service.text == "Court support"
    assert [coding.code for coding in service.codings] == ["X"]


def test_what_the_record_cannot_carry_is_named() -> None:
    found = one(
        PATIENT, {**REQUEST, "insurance": [{"display": "Medicaid"}], "quantityQuantity": {"value": 3}}, TASK
    )
    places = {note.expression for note in found.referral.notes}
    assert {"ServiceRequest.insurance", "ServiceRequest.quantityQuantity"} <= places
    assert found.client is not None
    assert "Patient.maritalStatus" in {note.expression for note in found.client.notes}


def test_nothing_to_name_is_nothing_named() -> None:
    assert one(PATIENT, REQUEST, TASK).referral.notes == ()
