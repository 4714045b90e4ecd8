"""Partners say the same in other conformant shapes: the record read from them is the same."""

import tarfile
from collections.abc import Callable
from typing import Any

import pytest

from service.casework.records import read
from service.fhir.json import JsonObject, decode, decode_object
from service.mapping import inbound, received
from tests.golden.test_golden import PAIRS, fhir_side, named
from tests.mapping.context import HERE
from tests.mapping.test_round_trip import what_still_holds
from tests.parts import SHARED

GUIDE = SHARED / "fhir-packages" / "hl7.fhir.us.sdoh-clinicalcare-3.0.0.tgz"
PARTNERS = [path for path in PAIRS if path.parent.name in received.FACES]
Resources = list[JsonObject]


def anywhere(value: Any, change: Callable[[str], str]) -> Any:
    """The value with every literal reference changed."""
    if isinstance(value, dict):
        return {
            key: change(each) if key == "reference" and isinstance(each, str) else anywhere(each, change)
            for key, each in value.items()
        }
    return [anywhere(each, change) for each in value] if isinstance(value, list) else value


def absolute(resources: Resources) -> Resources:
    """References as URLs of ours, with a version."""
    return [anywhere(each, lambda text: f"{HERE.base}/{text}/_history/1") for each in resources]


def contained(resources: Resources) -> Resources:
    """Everything beside the first in the first, as `#id`."""
    main, *others = resources
    names = {f"{each['resourceType']}/{each['id']}": f"#{each['id']}" for each in others}
    inner = [anywhere(each, lambda text: names.get(text, text)) for each in others]
    whole: JsonObject = anywhere(main, lambda text: names.get(text, text))
    return [{**whole, "contained": inner} if inner else whole]


def backwards(resources: Resources) -> Resources:
    """The others in another order, as a Bundle may have them."""
    return [resources[0], *reversed(resources[1:])]


def face_first(kind: str, resources: Resources) -> Resources:
    face = received.FACES[kind]
    mains = [each for each in resources if each["resourceType"] == face]
    main = next((each for each in mains if "activity" not in str(each.get("identifier", ""))), mains[0])
    return [main, *(each for each in resources if each is not main)]


@pytest.mark.parametrize("shape", [absolute, contained], ids=lambda shape: shape.__name__)
@pytest.mark.parametrize("path", PARTNERS, ids=named)
def test_a_record_is_read_from_every_shape(path: Any, shape: Callable[[Resources], Resources]) -> None:
    kind = path.parent.name
    value = decode_object(path.read_bytes())
    main, *beside = shape(face_first(kind, decode(fhir_side(path).read_bytes())))
    told = received.told(main, beside, HERE)
    assert what_still_holds(told.record) == what_still_holds(read(kind, value["id"], value))


def examples(*types: str) -> dict[str, JsonObject]:
    with tarfile.open(GUIDE) as packed:
        return {
            member.name.rsplit("/", 1)[-1]: decode_object(packed.extractfile(member).read())  # type: ignore[union-attr]
            for member in packed
            if member.name.split("/")[-1].startswith(types) and member.name.endswith(".json")
        }


@pytest.mark.skipif(not GUIDE.exists(), reason="the guide is not here")
def test_every_referral_among_the_examples_of_sdohcc_is_read() -> None:
    people = list(
        examples("Patient-", "Organization-", "PractitionerRole-", "Practitioner-", "Condition-").values()
    )
    asked = [
        each for each in examples("ServiceRequest-").values() if each["resourceType"] == "ServiceRequest"
    ]
    tasks = [each for each in examples("Task-").values() if "ServiceRequest/" in str(each.get("focus"))]
    found = inbound.read([*people, *asked, *tasks], HERE)
    assert len(found) >= len(tasks) > 3
    assert all(each.referral.record.service for each in found)
    lost = {note.expression for each in found for note in each.referral.notes}
    assert all(place.startswith(("ServiceRequest", "Task")) or place == "" for place in lost)
