"""A short run of scripts/fuzz.py: nothing sent to the door is a 5xx, a hang, or an answer that says nothing.

`make fuzz` sends 20,000.
"""

import sys
from pathlib import Path

from parts import Service

sys.path.insert(0, str(Path(__file__).parents[2] / "scripts"))

import fuzz


async def test_nonsense_is_refused_and_never_breaks_anything(service: Service) -> None:
    await service.partner("Fuzz", "ehr", scopes=["system/*.cruds"])
    async with await service.client("Fuzz") as client:
        report = await fuzz.attack(client, 600, seed=3)
        assert report.faults == []
        assert report.statuses[201] > 5
        assert report.slowest < 10
        assert (await client.get("/fhir/metadata")).status_code == 200
