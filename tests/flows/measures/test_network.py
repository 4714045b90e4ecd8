"""The nine service areas: who covers which, and which nobody does."""

from datetime import date
from typing import Any

from parts import Service

from service.commands.demo import people
from service.coordination.measures.counting import Asked
from service.coordination.measures.table import AREAS
from service.fhir.json import encode
from service.flows.measures.network import network
from service.flows.measures.tell import told

TODAY = date(2026, 7, 1)


def offers(*services: str) -> list[dict[str, Any]]:
    return [{"id": each, "service": each, "name": each} for each in services]


async def test_an_area_is_covered_by_us_or_by_an_arrangement_in_force(service: Service) -> None:
    await service.partner(people.HARBOR, "casework")
    agencies: dict[str, dict[str, Any]] = {
        "harbor": {"name": people.HARBOR, "services": offers("peer-coaching", "crisis-intervention")},
        "northside": {
            "name": "Northside Housing Partnership", "services": offers("transitional-housing", "job-training"),
            "agreements": [{"id": "a", "agency": "harbor", "areas": ["housing"], "period": {"start": "2025-01-01"}}],
        },
        "lakeview": {
            "name": "Lakeview Employment Center", "services": offers("job-training"),
            "agreements": [{"id": "a", "agency": "harbor", "areas": ["vocational"], "period": {"end": "2026-06-30"}}],
        },
    }  # fmt: skip
    async with await service.client(people.HARBOR) as http:
        for id_, agency in agencies.items():
            answer = await http.put(
                f"/casework/v1/agencies/{id_}",
                content=encode(agency),
                headers={"Content-Type": "application/json"},
            )
            assert answer.status_code == 201, answer.text
    context = service.wiring.context
    async with context.database.reading() as connection:
        home = await connection.fetchval("SELECT organization FROM partner WHERE 'casework' = ANY(roles)")
        found = await network(connection, home, TODAY)
    ways = {found.names.get(agency, agency): own for agency, own in found.ways.items()}
    assert ways[people.HARBOR]["crisis"] == "provided"
    assert ways["Northside Housing Partnership"] == {"housing": "arranged", "vocational": "listed"}
    assert ways["Lakeview Employment Center"] == {"vocational": "listed"}, "what was agreed is over"
    assert [area for area in AREAS if found.covered(area)] == ["crisis", "housing"]
    assert found.listed("vocational") == 2
    [result] = (await told(context, ["coverage"], Asked())).results
    assert (result.rates[0].numerator, result.rates[0].denominator) == (2, 9)
    assert len(result.open) == 7
