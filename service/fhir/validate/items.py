"""A Questionnaire read once: its items by linkId, and the extensions that state rules.

https://hl7.org/fhir/R4/questionnaire.html
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from service.fhir.json import Json, JsonObject

HL7 = "http://hl7.org/fhir/StructureDefinition/"
SDC = "http://hl7.org/fhir/uv/sdc/StructureDefinition/"
QUESTIONS = frozenset((
    "boolean", "decimal", "integer", "date", "dateTime", "time", "string", "text", "url", "choice",
    "open-choice", "attachment", "reference", "quantity",
))  # fmt: skip


@dataclass(slots=True)
class Definition:
    """One item of a Questionnaire. `children` in order; `facts` as published."""

    link: str
    type: str
    required: bool
    repeats: bool
    facts: JsonObject
    children: list["Definition"] = field(default_factory=list)
    place: int = 0

    @property
    def is_question(self) -> bool:
        """True for what can be answered: neither group nor display."""
        return self.type in QUESTIONS


def read(questionnaire: JsonObject) -> list[Definition]:
    """The items of a Questionnaire as a tree; malformed ones are left out."""
    return _items(questionnaire)


def objects(value: Json) -> list[JsonObject]:
    """The objects of a JSON array, and nothing where it is not one."""
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []


def every(items: list[Definition]) -> Iterator[Definition]:
    """All items, depth first."""
    for item in items:
        yield item
        yield from every(item.children)


def extension(owner: JsonObject, *urls: str) -> Any:
    """The value of the first extension with one of these urls, None when there is none."""
    return next(extensions(owner, *urls), None)


def extensions(owner: JsonObject, *urls: str) -> Iterator[Any]:
    """The values of all extensions with one of these urls."""
    if "extension" in owner:
        for each in objects(owner["extension"]):
            if each.get("url") in urls:
                yield from (value for key, value in each.items() if key.startswith("value"))


def _items(owner: JsonObject) -> list[Definition]:
    found: list[Definition] = []
    for row in objects(owner.get("item")):
        if isinstance(row.get("linkId"), str):
            item = Definition(
                link=row["linkId"],
                type=str(row.get("type")),
                required=row.get("required") is True,
                repeats=row.get("repeats") is True,
                facts=row,
                children=_items(row),
                place=len(found),
            )
            found.append(item)
    return found
