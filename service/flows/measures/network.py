"""Which agency covers which of the nine service areas (004 CA-CM 5.01): we, one with whom it is formally arranged, or
only one that is in the directory."""

from collections import defaultdict
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Literal

from service.coordination.measures.table import AREAS
from service.fhir.json import JsonObject, decode_object
from service.mapping.counting import areas_of
from service.store import programmes

Way = Literal["provided", "arranged", "listed"]
PAGE = 500


@dataclass
class Network:
    """`ways`: agency (a reference) → area → how. `names`: what an agency is called."""

    ways: dict[str, dict[str, Way]] = field(default_factory=lambda: defaultdict(dict))
    names: dict[str, str] = field(default_factory=dict)

    def covered(self, area: str) -> bool:
        """Is the area provided by us or formally arranged?"""
        return any(own.get(area) in ("provided", "arranged") for own in self.ways.values())

    def listed(self, area: str) -> int:
        """How many agencies of the directory offer it without an arrangement."""
        return sum(own.get(area) == "listed" for own in self.ways.values())


async def network(connection: Any, home: str, today: date) -> Network:
    """From HealthcareServices and OrganizationAffiliations that no partner wrote; `home` is our Organization."""
    found = Network()
    arranged: dict[str, set[str]] = defaultdict(set)
    async for each in _every(connection, "OrganizationAffiliation"):
        sides = [_reference(each.get(name)) for name in ("organization", "participatingOrganization")]
        other = next((side for side in sides if side != home), "")
        if home in sides and other and _in_force(each, today):
            arranged[other] |= set(areas_of(each.get("specialty", []))) or {*AREAS}
            _named(found, each)
    async for each in _every(connection, "HealthcareService"):
        provider = _reference(each.get("providedBy"))
        if provider and each.get("active", True):
            _named(found, each)
            for area in areas_of(each.get("category", [])):
                way: Way = "arranged" if area in arranged[provider] else "listed"
                found.ways[provider][area] = "provided" if provider == home else way
    return found


async def _every(connection: Any, type_: str) -> AsyncIterator[JsonObject]:
    after = ""
    while True:
        rows = await programmes.page(connection, type_, after, PAGE)
        for row in rows:
            yield decode_object(row.body or b"{}")
        if len(rows) < PAGE:
            return
        after = rows[-1].id


def _named(found: Network, resource: JsonObject) -> None:
    for name in ("organization", "participatingOrganization", "providedBy"):
        side = resource.get(name)
        if isinstance(side, dict) and side.get("display"):
            found.names[_reference(side)] = side["display"]


def _reference(side: Any) -> str:
    return str(side.get("reference", "")) if isinstance(side, dict) else ""


def _in_force(affiliation: JsonObject, today: date) -> bool:
    period: Any = affiliation.get("period") or {}
    start, end = str(period.get("start", ""))[:10], str(period.get("end", ""))[:10]
    day = today.isoformat()
    return (
        affiliation.get("active", True) is not False
        and (not start or start <= day)
        and (not end or day[: len(end)] <= end)
    )
