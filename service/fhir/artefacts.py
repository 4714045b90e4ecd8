"""What we publish, as files of this release: profiles, value sets, code systems, maps, search parameters,
operations and capabilities under our canonical base. Read-only, the same for everybody.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache

from service.fhir.json import Json, JsonObject, decode_object
from service.fhir.outcome import Issue
from service.fhir.search.folding import fold
from service.fhir.search.parameters import parameters
from service.fhir.shelf import data_folder
from service.kernel.failures import Refused

TYPES = (
    "CapabilityStatement", "CodeSystem", "ConceptMap", "OperationDefinition", "SearchParameter",
    "StructureDefinition", "ValueSet",
)  # fmt: skip
PUBLISHED = (*TYPES, "SubscriptionTopic")
"""Also what is no type of R4: an R5 SubscriptionTopic, as JSON. The CapabilityStatement can name R4's types only."""
FOLDERS = ("package", "terms", "operations", "topics", "search")
PARAMETERS = {
    "_id": "token",
    "url": "uri",
    "version": "token",
    "name": "string",
    "title": "string",
    "status": "token",
}
MAX_COUNT = 1000


def offered(type_: str) -> Mapping[str, str]:
    """The parameters of a published type with their kinds: those of the above that R4 gives it (R4 knows no title of
    a SearchParameter, and no SubscriptionTopic)."""
    known = parameters(type_) or PARAMETERS
    return {name: kind for name, kind in PARAMETERS.items() if name in known}


@dataclass(frozen=True, slots=True)
class Artefact:
    """One definition, as its file has it, and decoded."""

    body: bytes
    resource: JsonObject

    @property
    def reference(self) -> str:
        """`Type/id`."""
        return f"{self.resource['resourceType']}/{self.resource['id']}"


@cache
def shelf(type_: str) -> Mapping[str, Artefact]:
    """All of a type by id, sorted."""
    found = {}
    for folder in FOLDERS:
        for path in sorted((data_folder() / folder).glob(f"{type_}-*.json")):
            body = path.read_bytes().strip()
            resource = decode_object(body)
            found[resource["id"]] = Artefact(body, resource)
    return dict(sorted(found.items()))


@dataclass(frozen=True, slots=True)
class Found:
    """A page of matches, how many there are, and where the next page begins (0: nowhere)."""

    page: Sequence[Artefact]
    total: int
    following: int


def find(type_: str, pairs: Sequence[tuple[str, str]]) -> Found:
    """The artefacts that meet all pairs. Refused("malformed") for a parameter that there is not."""
    tests: list[Callable[[JsonObject], bool]] = []
    count, start = 50, 0
    for name, value in pairs:
        if name == "_count":
            count = min(_number(name, value), MAX_COUNT)
        elif name == "_offset":
            start = _number(name, value)
        else:
            tests.append(_test(type_, name, value))
    matching = [each for each in shelf(type_).values() if all(test(each.resource) for test in tests)]
    end = start + count
    return Found(matching[start:end], len(matching), end if count and end < len(matching) else 0)


def _number(name: str, value: str) -> int:
    if not (value.isascii() and value.isdecimal()) or len(value) > 9:
        raise _wrong(f"{name} must be a whole number")
    return int(value)


def _test(type_: str, name: str, value: str) -> Callable[[JsonObject], bool]:
    code, _, modifier = name.partition(":")
    there = offered(type_)
    kind = there.get(code)
    allowed = ("", "exact", "contains") if kind == "string" else ("",)
    if kind is None or modifier not in allowed or not value:
        raise _wrong(f"{type_} is found by {', '.join(there)}")
    wanted = value.split(",")
    element = code.removeprefix("_")
    if kind == "uri":
        return lambda resource: any(_is(resource, each) for each in wanted)
    if kind == "token":
        return lambda resource: resource.get(element) in [each.rpartition("|")[2] for each in wanted]
    return lambda resource: any(_reads(resource.get(element), each, modifier) for each in wanted)


def _is(resource: JsonObject, canonical: str) -> bool:
    url, _, version = canonical.partition("|")
    return resource.get("url") == url and version in ("", resource.get("version"))


def _reads(found: Json, wanted: str, modifier: str) -> bool:
    if not isinstance(found, str):
        return False
    if modifier == "exact":
        return found == wanted
    held, asked = fold(found), fold(wanted)
    return asked in held if modifier == "contains" else held.startswith(asked)


def _wrong(text: str) -> Refused:
    return Refused("malformed", text, [Issue("error", "not-supported", text)])
