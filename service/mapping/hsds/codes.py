"""Terms of HSDS taxonomies → codes of our service list, by ConceptMaps.

A term is looked up by its taxonomy and code, or by its taxonomy and name, or by its name alone (`TERM_NAME`). What none
of them knows is carried with its own code and reported.
"""

import re
from collections.abc import Iterable
from typing import Final

from service.fhir.json import JsonObject
from service.mapping.agency import standard_types
from service.mapping.hsds.listing import Entry, terms_of
from service.mapping.hsds.making import Making
from service.mapping.names import RSS_SERVICE
from service.mapping.terms import terms

TERM_NAME: Final = "urn:casebridge:taxonomy-term-name"
"""The source system of a map from names of terms, as `temporary-shelter`, whatever the taxonomy."""


def codes_of(task: Making, ids: list[str]) -> tuple[list[JsonObject], list[str]]:
    """The terms as they are, and the codes of our service list they translate to."""
    concepts: list[JsonObject] = []
    services: list[str] = []
    for term in {each["id"]: each for each in terms_of(task.listing, *ids)}.values():
        system, code = _system(task, term), term["code"]
        found = _translated(system, term)
        services += [each for each in found if each not in services]
        name = term["name"] or code or term["id"]
        if not found:
            task.made.unmapped[" ".join(text for text in (system, code, f"({name})") if text)] += 1
        coding = {"system": system, "code": code} if system and code else {}
        concepts.append({"coding": [coding] if coding else None, "text": name})
    return concepts, services


def _system(task: Making, term: Entry) -> str:
    """The taxonomy's own URI, where it has one."""
    taxonomy = task.listing.rows("taxonomy").get(term["taxonomy_id"])
    wanted = (taxonomy["uri"] if taxonomy else "") or term["taxonomy"]
    return wanted if re.match(r"^[A-Za-z][A-Za-z0-9+.-]*:\S+$", wanted) else ""


def _translated(system: str, term: Entry) -> list[str]:
    name = re.sub(r"[^a-z0-9]+", "-", term["name"].casefold()).strip("-")
    for key in ((system, term["code"]), (system, name), (TERM_NAME, name)):
        found = [c["code"] for c in terms().translate_coding(*key) if c["system"] == RSS_SERVICE]
        if all(key) and found:
            return found
    return []


def kind_of(service: str) -> JsonObject:
    """A code of our service list, with the standard types it is one of."""
    coding = terms().coding(RSS_SERVICE, service)
    return {"coding": [*standard_types(service), coding], "text": coding.get("display", service)}


def distinct(codings: Iterable[JsonObject]) -> list[JsonObject]:
    """Each coding once."""
    return list({(each["system"], each["code"]): each for each in codings}.values())
