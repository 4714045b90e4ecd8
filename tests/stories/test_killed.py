"""kill -9 of the service at its worst moments: what was acknowledged is delivered, and exactly once."""

import os
from pathlib import Path

from parts import SECRET, running
from town import Town, at_work, eventually, register

from service.commands.demo import people
from service.commands.demo.people import HARBOR, HOUSING, NORTHSIDE
from service.kernel.clock import system_clock
from service.simulator.casebridge import Casebridge
from service.simulator.children import child
from service.simulator.keys import Key
from service.simulator.process import Plan, opened

ENVIRONMENT = {"CASEBRIDGE_OUTBOUND_ALLOW": "127.0.0.0/8", "CASEBRIDGE_POLL_SECONDS": "0.2"}


SECOND = "leslie-housing-2"


async def test_a_service_killed_in_the_middle_of_a_delivery_delivers_once(database_url: str, tmp_path: Path):
    """The agency has taken the first referral but not answered yet, the second is only acknowledged."""
    env = {
        **os.environ,
        **ENVIRONMENT,
        "CASEBRIDGE_DATABASE_URL": database_url,
        "CASEBRIDGE_SECRET_KEY": SECRET,
    }
    serve = ("service", "serve", "--port", "0", "--data-dir", str(tmp_path))
    key = Key()
    async with (
        opened(Plan(NORTHSIDE, pace=0.1)) as northside,
        child("Casebridge", serve, tmp_path / "service.log", env) as first,
    ):
        northside.register(first.url)
        northside.manner.silence = 60
        faults = iter([None, "silence-after"])
        northside.manner.fault = lambda: next(faults, None)  # type: ignore[method-assign]
        async with running(database_url, tmp_path) as beside:
            harbor = await register(beside, tmp_path, HARBOR, "casework", key, None)
            await register(beside, tmp_path, NORTHSIDE, "referral-recipient", northside.key, northside.origin)
        async with Casebridge(first.url, harbor["client_id"], key, "casework/*.cruds") as casework:
            here = Town(first.url, casework, database_url)
            await here.file_everybody()
            await here.file("referrals", HOUSING, people.housing(system_clock))
            await eventually(lambda: list(northside.store.all("Task")))
            await here.file("referrals", SECOND, {**people.housing(system_clock), "id": SECOND})
            first.kill()
            await first.process.wait()

        async with running(database_url, tmp_path) as second, at_work(second):
            northside.register(second.url)
            async with Casebridge(second.url, harbor["client_id"], key, "casework/*.cruds") as casework:
                here = Town(second.url, casework, database_url)
                await here.time_passes()  # the dead worker's lease
                for referral in (HOUSING, SECOND):
                    await here.until_told("referral-completed", referral)

        held = {
            type_: len(list(northside.store.all(type_))) for type_ in ("Patient", "ServiceRequest", "Task")
        }
        assert held == {"Patient": 1, "ServiceRequest": 2, "Task": 2}
        rows = await here.sql("SELECT state, attempts FROM delivery ORDER BY seq")
        assert [row["state"] for row in rows] == ["delivered", "delivered"]
        assert rows[0]["attempts"] == 2
        assert [each["kind"] for each in here.events].count("referral-delivered") == 2
