"""kill -9 of the worker in the middle of an export: another goes on behind the last page that was committed."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import asyncpg
from parts import SECRET

from service.fhir.json import decode_object
from tests.flows.exports.bay import HARBOR, Bay, bay
from tests.stories.town import eventually

GATE = 4711
ROOT = str(Path(__file__).resolve().parents[3])
PEOPLE = 12


@asynccontextmanager
async def worker(here: Bay, database_url: str, folder: Path) -> AsyncIterator[asyncio.subprocess.Process]:
    """A worker in a process of its own."""
    env = {
        **os.environ, "CASEBRIDGE_DATABASE_URL": database_url, "CASEBRIDGE_SECRET_KEY": SECRET,
        "CASEBRIDGE_PUBLIC_URL": here.service.url, "CASEBRIDGE_WORKER_IDLE_SECONDS": "0.1",
        "CASEBRIDGE_DATA_DIR": str(folder), "PYTHONPATH": ROOT,
    }  # fmt: skip
    with (folder / "worker.log").open("ab") as file:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "service", "worker", cwd=folder, stdout=file, stderr=file, env=env
        )
        try:
            yield process
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()


async def test_a_worker_killed_in_the_middle_leaves_no_half_file_and_another_goes_on(
    database_url: str, tmp_path: Path
) -> None:
    async with bay(database_url, tmp_path) as here:
        for number in range(PEOPLE):
            await here.person(f"client-{number}", needs=3)
        door = await asyncpg.connect(database_url)
        # whoever writes a file of Conditions waits at this gate: the Patients are there, the Conditions are not
        await door.execute(
            f"""CREATE FUNCTION wait_at_gate() RETURNS trigger LANGUAGE plpgsql AS
                $$ BEGIN PERFORM pg_advisory_xact_lock({GATE}); RETURN NEW; END $$;
                CREATE TRIGGER gate BEFORE INSERT ON export_file FOR EACH ROW WHEN (NEW.type = 'Condition')
                EXECUTE FUNCTION wait_at_gate()"""
        )
        await door.execute(f"SELECT pg_advisory_lock({GATE})")
        begun = await here.ask(HARBOR, "/fhir/$export?_type=Patient,Condition")
        status = begun.headers["content-location"]
        harbor = here.clients[HARBOR]

        async with worker(here, database_url, tmp_path) as first:
            waits = f"SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND objid = {GATE} AND NOT granted"
            await eventually(lambda: door.fetchval(waits), 40)
            first.kill()
            await first.wait()
        [half] = await door.fetch("SELECT id, export FROM export_file")
        assert (await harbor.get(status)).status_code == 202, "it is not done, and does not say so"
        assert (await harbor.get(f"/fhir/export/{half['export']}/{half['id']}")).status_code == 404
        assert await door.fetchval("SELECT state FROM export") == "running"
        await door.execute(f"SELECT pg_advisory_unlock({GATE})")

        async with worker(here, database_url, tmp_path):
            await eventually(lambda: door.fetchval("SELECT state = 'complete' FROM export"), 40)
        await door.close()
        done = await harbor.get(status)
        lines = await here.lines(HARBOR, decode_object(done.content))
        found = sorted(f"{each['resourceType']}/{each['id']}" for each in lines)
        people = [f"Patient/client-{number}" for number in range(PEOPLE)]
        needs = [f"Condition/client-{number}-need-{need}" for number in range(PEOPLE) for need in range(3)]
        assert found == sorted([*people, *needs]), "each once"
        counts = {each["type"]: each["count"] for each in decode_object(done.content)["output"]}
        assert counts == {"Patient": PEOPLE, "Condition": 3 * PEOPLE}
