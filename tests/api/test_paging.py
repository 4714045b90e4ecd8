"""A short run of scripts/paging.py: pages followed while others write miss nothing and repeat nothing.

`make paging` loads 100,000 and changes 1,000 during each search.
"""

import sys
from pathlib import Path

from parts import Service

sys.path.insert(0, str(Path(__file__).parents[2] / "scripts"))

import paging


async def test_pages_miss_nothing_and_repeat_nothing_while_others_write(service: Service) -> None:
    await service.partner("Paging", "casework")
    async with await service.client("Paging") as client:
        walks = await paging.prove(client, count=3000, changes=100, page=250, searches=paging.SEARCHES[:3])
    assert [fault for walk in walks for fault in walk.faults] == []
    assert all(walk.changed == 100 and walk.shown > 2000 for walk in walks)
