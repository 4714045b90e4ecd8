"""Parts of a resource: `_elements` and `_summary`, marked as such. https://hl7.org/fhir/R4/search.html#summary"""

from collections.abc import Callable

from service.fhir import r4
from service.fhir.json import JsonObject, decode_object, encode
from service.fhir.search.parameters import summary
from service.fhir.search.query import Query

_TAG = {"system": "http://terminology.hl7.org/CodeSystem/v3-ObservationValue", "code": "SUBSETTED"}
_ALWAYS = frozenset({"resourceType", "id", "meta"})


def cut(body: bytes, query: Query) -> bytes:
    """The stored bytes as the query wants them shown: the same bytes unless it asks for a part."""
    if query.summary not in ("true", "text", "data") and not query.elements:
        return body
    resource = decode_object(body)
    keep = _keeper(resource["resourceType"], query)
    part: JsonObject = {key: value for key, value in resource.items() if keep(key)}
    meta = part.get("meta") or {}
    tags = [tag for tag in meta.get("tag", []) if tag != _TAG]
    part["meta"] = {**meta, "tag": [*tags, _TAG]}
    return encode(part)


def _keeper(type_: str, query: Query) -> Callable[[str], bool]:
    structure = r4.structure(type_)
    if query.summary == "data":
        return lambda key: key != "text"
    wanted = {element.name for element in structure.elements if element.min > 0} | set(query.elements)
    if query.summary == "text":
        wanted |= {"text"}
    elif query.summary == "true":
        wanted |= {name.removesuffix("[x]") for name in summary(type_)}
    names = {key: slot.element.name for key, slot in structure.by_key.items()}

    def keep(key: str) -> bool:
        return key in _ALWAYS or names.get(key.removeprefix("_"), key) in wanted

    return keep
