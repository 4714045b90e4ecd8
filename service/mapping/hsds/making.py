"""One mapping of one HSDS list: what it has come to so far, and the ids and references of its rows."""

from collections import Counter
from dataclasses import dataclass, field
from datetime import date

from service.fhir.json import JsonObject
from service.kernel.ids import derived_id
from service.mapping.hsds.listing import Listing, Trouble
from service.mapping.names import identifier_system


@dataclass
class Programmes:
    """What a list becomes: resources with the place of their row, troubles, and the terms that no map knows.

    `known`: `Type/id` of every row of the list, also of those that could not be made.
    """

    resources: list[tuple[JsonObject, str]] = field(default_factory=list)
    troubles: list[Trouble] = field(default_factory=list)
    unmapped: Counter[str] = field(default_factory=Counter)
    known: set[str] = field(default_factory=set)


@dataclass(frozen=True, slots=True)
class Making:
    """One mapping of one list, on one day."""

    name: str
    listing: Listing
    today: date
    made: Programmes

    def id_of(self, table: str, id_: str) -> str:
        """The id of what a row becomes, the same for ever."""
        return derived_id("hsds", self.name, table, id_)

    def identifier(self, table: str, id_: str) -> JsonObject:
        """What the list calls the row."""
        return {"system": identifier_system(f"hsds-{table}"), "value": f"{self.name}/{id_}"}

    def reference(self, type_: str, table: str, id_: str, display: str = "") -> JsonObject:
        """To what a row becomes."""
        shown = {"display": display} if display else {}
        return {
            "reference": f"{type_}/{self.id_of(table, id_)}",
            "identifier": self.identifier(table, id_),
            **shown,
        }

    def trouble(self, place: str, words: str) -> None:
        """Something is wrong at a place of the list."""
        self.made.troubles.append(Trouble(place, words))
