"""What our own Patients say of a merge: `link`, and that the source is inactive. A record filed again says it still."""

from collections.abc import Sequence
from typing import Any

from service.fhir.json import JsonObject
from service.flows.recognise import PERSON
from service.store import persons
from service.store.persons import Merged

REPLACES, REPLACED = "replaces", "replaced-by"


def said_of(patient: JsonObject, acts: Sequence[Merged]) -> JsonObject:
    """The Patient with the links of the merges in force that name it, its others kept."""
    own = f"{PERSON}/{patient['id']}"
    made = [_link(each, own) for each in acts if each.links]
    kept = [each for each in patient.get("link", []) if each not in made]
    if not made:
        return patient
    merged = any(each.links and each.source == own for each in acts)
    return {**patient, **({"active": False} if merged else {}), "link": [*kept, *made]}


def parted(patient: JsonObject, reference: str, act: Merged) -> JsonObject:
    """The Patient without the link of a merge that was taken back, and as active as it was."""
    rest = [each for each in patient.get("link", []) if each != _link(act, reference)]
    made = {name: value for name, value in patient.items() if name != "link"}
    if act.source == reference:
        made.pop("active", None)
        made |= {} if act.active is None else {"active": act.active}
    return {**made, **({"link": rest} if rest else {})}


def _link(act: Merged, own: str) -> JsonObject:
    other, kind = (act.target, REPLACED) if act.source == own else (act.source, REPLACES)
    return {"other": {"reference": other}, "type": kind}


async def with_links(connection: Any, made: Sequence[JsonObject]) -> list[JsonObject]:
    """The resources a client's record becomes, its Patient with the links it has."""
    return [
        said_of(each, await persons.of_patient(connection, f"{PERSON}/{each['id']}"))
        if each["resourceType"] == PERSON
        else each
        for each in made
    ]
