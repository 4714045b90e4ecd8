"""Notifications read: those of the Backport package, and what is none."""

import tarfile
from typing import Any

import pytest
from parts import SHARED

from service.fhir.json import decode_object
from service.fhir.subscriptions.notice import Event, Heard, heard
from service.kernel.failures import Refused

PACKAGE = SHARED / "fhir-packages" / "hl7.fhir.uv.subscriptions-backport.r4-1.1.0.tgz"
SUBSCRIPTION = "https://example.org/fhir/Subscription/admission"
ENCOUNTER = "https://example.org/fhir/Encounter/86009987-eabe-42bf-8c02-b112b18cb616"


def example(name: str) -> dict[str, Any]:
    with tarfile.open(PACKAGE) as package:
        found = package.extractfile(f"package/Bundle-r4-notification-{name}.json")
        assert found is not None
        return decode_object(found.read())


EXAMPLES = {
    "handshake": Heard("handshake", SUBSCRIPTION, "requested", 0, ()),
    "heartbeat": Heard("heartbeat", SUBSCRIPTION, "active", 2, ()),
    "empty": Heard("event-notification", SUBSCRIPTION, "active", 2, (Event(2, ""),)),
    "id-only": Heard("event-notification", SUBSCRIPTION, "active", 2, (Event(2, ENCOUNTER),)),
    "full-resource": Heard("event-notification", SUBSCRIPTION, "active", 2, (Event(2, ENCOUNTER),)),
    "multi-resource": Heard("event-notification", SUBSCRIPTION, "active", 2, (Event(2, ENCOUNTER),)),
}


@pytest.mark.skipif(not PACKAGE.is_file(), reason="the guides' packages are not beside this checkout")
@pytest.mark.parametrize("name", [*EXAMPLES, "error"])
def test_the_notification_examples_of_the_guide_are_read(name: str) -> None:
    read = heard(example(name))

    assert read == EXAMPLES.get(name, read)
    assert read.subscription == SUBSCRIPTION
    if name == "error":
        assert read.status == "error"


def status(**changes: Any) -> dict[str, Any]:
    rows = {
        "status": {"name": "status", "valueCode": "active"},
        "type": {"name": "type", "valueCode": "event-notification"},
        "notification-event": {
            "name": "notification-event", "part": [{"name": "event-number", "valueString": "1"}],
        },
    } | changes  # fmt: skip
    resource = {"resourceType": "Parameters", "parameter": [each for each in rows.values() if each]}
    return {"resourceType": "Bundle", "type": "history", "entry": [{"resource": resource}]}


def test_numbers_are_strings_and_leniently_numbers() -> None:
    for kind in ("valueString", "valueInteger64", "valueInteger"):
        part = [{"name": "event-number", kind: "7"}]
        assert heard(
            status(**{"notification-event": {"name": "notification-event", "part": part}})
        ).events == (Event(7, ""),)


@pytest.mark.parametrize(
    ("bundle", "place"),
    [
        ({"resourceType": "Patient"}, "Bundle.type"),
        ({"resourceType": "Bundle", "type": "searchset"}, "Bundle.type"),
        ({"resourceType": "Bundle", "type": "history"}, "Bundle.entry[0].resource"),
        ({"resourceType": "Bundle", "type": "history", "entry": [{"resource": {"resourceType": "Task"}}]},
         "Bundle.entry[0].resource"),
        (status(type=None), "Bundle.entry[0].resource.parameter"),
        (status(**{"notification-event": {"name": "notification-event", "part": []}}),
         "Bundle.entry[0].resource.parameter[2]"),
        (status(**{"notification-event": {"name": "notification-event", "part": [
            {"name": "event-number", "valueString": "-1"}]}}), "Bundle.entry[0].resource.parameter[2]"),
    ],
)  # fmt: skip
def test_what_is_no_notification_is_refused_with_its_place(bundle: dict[str, Any], place: str) -> None:
    with pytest.raises(Refused) as refused:
        heard(bundle)
    assert [each.expression for each in refused.value.issues] == [place]  # type: ignore[attr-defined]
