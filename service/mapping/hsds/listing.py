"""An Open Referral HSDS 3.0 list as its tables: from CSV rows, or from JSON documents however deeply nested.

https://docs.openreferral.org/en/latest/hsds/schema_reference.html. Every row remembers where it stood, so that its
trouble can be named by file and line.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from service.fhir.json import Json

MEMBERS: Mapping[str, str] = {
    "organization": "organization", "organizations": "organization", "service": "service", "services": "service",
    "location": "location", "locations": "location", "service_at_location": "service_at_location",
    "service_at_locations": "service_at_location", "address": "address", "addresses": "address", "phone": "phone",
    "phones": "phone", "schedule": "schedule", "schedules": "schedule", "language": "language",
    "languages": "language", "service_area": "service_area", "service_areas": "service_area", "contact": "contact",
    "contacts": "contact", "attribute": "attribute", "attributes": "attribute", "taxonomy_term": "taxonomy_term",
    "taxonomy_terms": "taxonomy_term", "taxonomy": "taxonomy", "taxonomies": "taxonomy",
    "taxonomy_detail": "taxonomy", "service_capacity": "service_capacity", "service_capacities": "service_capacity",
    "capacities": "service_capacity", "cost_option": "cost_option", "cost_options": "cost_option",
    "required_document": "required_document", "required_documents": "required_document",
    "accessibility": "accessibility", "program": "program", "programs": "program", "unit": "unit",
    "organization_identifiers": "organization_identifier", "organization_identifier": "organization_identifier",
    "funding": "funding", "metadata": "metadata", "url": "url", "urls": "url", "meta_table_description": "metadata",
    "additional_urls": "url", "additional_websites": "url",
}  # fmt: skip
"""The member of a document, or the file of a datapackage, → its table."""
UNUSED = frozenset({"metadata", "funding", "program", "unit", "url", "organization_identifier"})
"""Tables that say nothing our directory keeps."""
PRIVATE = frozenset({"private", "restricted", "confidential"})


@dataclass(frozen=True, slots=True)
class Entry:
    """A row: its values as texts without outer blanks, empty ones left out; `place` is its file and line."""

    values: Mapping[str, str]
    place: str

    def __getitem__(self, name: str) -> str:
        return self.values.get(name, "")


@dataclass(frozen=True, slots=True)
class Trouble:
    """What is wrong with a row, and where it is. The words quote nothing but names of fields and codes."""

    place: str
    words: str


@dataclass
class Listing:
    """The tables by name, rows by id; `troubles` of the reading. What the list marks private is not taken in at all."""

    tables: dict[str, dict[str, Entry]] = field(default_factory=dict)
    troubles: list[Trouble] = field(default_factory=list)
    hidden: int = 0
    _links: dict[tuple[str, str], dict[str, list[Entry]]] = field(default_factory=dict)

    def rows(self, table: str) -> dict[str, Entry]:
        """All rows of a table, by id."""
        return self.tables.get(table, {})

    def of(self, table: str, link: str, id_: str) -> list[Entry]:
        """The rows of `table` whose member `link` names `id_`, in the order of the list."""
        found = self._links.get((table, link))
        if found is None:
            found = {}
            for entry in self.rows(table).values():
                found.setdefault(entry[link], []).append(entry)
            self._links[table, link] = found
        return found.get(id_, []) if id_ else []

    def add(self, table: str, values: Mapping[str, object], place: str) -> str:
        """Take a row in; its id, or the empty text for one that is left out."""
        texts = {name: text for name, value in values.items() if (text := _text(value))}
        if (
            texts.get("visibility", "").casefold() in PRIVATE
            or texts.get("confidential", "").casefold() == "true"
        ):
            self.hidden += 1
            return ""
        id_ = texts.get("id", "")
        if not id_:
            self.troubles.append(Trouble(place, f"a row of {table} has no id; it is left out"))
            return ""
        held = self.tables.setdefault(table, {})
        before = held.get(id_)
        held[id_] = Entry({**texts, **before.values} if before else texts, before.place if before else place)
        return id_

    def document(self, table: str, value: Json, place: str, link: tuple[str, str] | None = None) -> str:
        """Take a JSON object and everything nested in it; `link` names the row it is nested in."""
        if not isinstance(value, dict):
            self.troubles.append(Trouble(place, f"{table} should be an object"))
            return ""
        own = dict(value)
        if link and not own.get(link[0]):
            own[link[0]] = link[1]
        inner = [(name, own.pop(name)) for name in list(own) if isinstance(own[name], dict | list)]
        singles = [(name, each) for name, each in inner if isinstance(each, dict) and name in MEMBERS]
        for name, each in singles:
            id_ = self.document(MEMBERS[name], each, f"{place}/{name}")
            own.setdefault("taxonomy_id" if name == "taxonomy_detail" else f"{name}_id", id_)
        made = self.add(table, own, place)
        for name, each in inner if made else ():
            if isinstance(each, list) and name in MEMBERS:
                for number, one in enumerate(each):
                    self._nested(table, made, name, one, f"{place}/{name}/{number}")
        return made

    def _nested(self, table: str, id_: str, name: str, value: Json, place: str) -> None:
        link = "link_id" if MEMBERS[name] == "attribute" else f"{table}_id"
        self.document(MEMBERS[name], value, place, (link, id_))


_UNSPOKEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")


def _text(value: object) -> str:
    if value is None or isinstance(value, dict | list):
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return _UNSPOKEN.sub("", str(value)).strip()[:20_000]


def terms_of(listing: Listing, *ids: str) -> Iterator[Entry]:
    """The taxonomy terms that the attributes of these rows name."""
    for id_ in ids:
        for attribute in listing.of("attribute", "link_id", id_):
            term = listing.rows("taxonomy_term").get(attribute["taxonomy_term_id"])
            if term is not None:
                yield term
