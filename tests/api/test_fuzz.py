"""A short run of scripts/fuzz.py and described.py: nothing sent to the doors is a 5xx, a hang, an answer that says
nothing, or one that the OpenAPI document does not have.

`make fuzz` sends 20,000.
"""

import asyncio
import sys
from pathlib import Path

from parts import Service

sys.path.insert(0, str(Path(__file__).parents[2] / "scripts"))

import described
import fuzz

from service.api.app import bare_app
from service.flows.onboard_partner import mint_token


async def test_nonsense_is_refused_and_never_breaks_anything(service: Service) -> None:
    await service.partner("Fuzz", "ehr", scopes=["system/*.cruds"])
    async with await service.client("Fuzz") as client:
        report = await fuzz.attack(client, 600, seed=3)
        assert report.faults == []
        assert report.statuses[201] > 5
        assert report.slowest < 10
        assert (await client.get("/fhir/metadata")).status_code == 200


def few(path: str) -> bool:
    """A type of each door stands for the others: their paths are made by the same functions."""
    first, _, rest = path[1:].partition("/")
    many = {
        "fhir": ("_", "$", "metadata", ".", "Task", "Patient/$", "ValueSet"),
        "casework": ("v1/e", "v1/b", "v1/clients"),
    }
    return first not in many or rest.startswith(many[first]) or not rest


async def test_every_answer_is_one_that_the_document_has(service: Service) -> None:
    await service.partner("Harbor", "casework", scopes=["system/*.cruds"])
    loop = asyncio.get_running_loop()

    def token() -> str:
        return asyncio.run_coroutine_threadsafe(mint_token(service.wiring.context, "Harbor"), loop).result(30)

    document = bare_app().openapi()
    report = await asyncio.to_thread(described.attack, document, service.url, token, 3, 7, few)
    assert report.faults == []
    assert sum(report.statuses.values()) > 100
    assert {200, 400, 404} <= set(report.statuses)
