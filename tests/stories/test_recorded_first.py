"""Whatever was answered is on the trail, even if the service is killed in the same moment (kill -9)."""

import asyncio
import os
import uuid
from pathlib import Path

import asyncpg
import httpx
from parts import SECRET, running
from town import eventually

from service.simulator.children import child

READERS, ANSWERS = 12, 200


async def test_no_byte_of_an_answer_leaves_before_its_row_is_durable(
    database_url: str, tmp_path: Path
) -> None:
    env = {**os.environ, "CASEBRIDGE_DATABASE_URL": database_url, "CASEBRIDGE_SECRET_KEY": SECRET,
           "CASEBRIDGE_CALLER_RATE": "100000", "CASEBRIDGE_ADDRESS_RATE": "100000"}  # fmt: skip
    serve = ("service", "serve", "--port", "0", "--data-dir", str(tmp_path))
    answered: dict[str, int] = {}

    async def ask_on(client: httpx.AsyncClient, patient: str, number: int) -> None:
        """Reads, searches, refusals and writes without end; notes each of which the first bytes came."""
        paths = [f"Patient/{patient}", "Patient?_count=2", "Patient/nobody", f"Patient/{patient}/_history"]
        while True:
            number += 1
            id_ = str(uuid.uuid4())
            if number % 9 == 0:
                asked = client.stream(
                    "POST",
                    "/fhir/Patient",
                    headers={"X-Request-Id": id_},
                    content=b'{"resourceType":"Patient"}',
                )
            else:
                asked = client.stream(
                    "GET", f"/fhir/{paths[number % len(paths)]}", headers={"X-Request-Id": id_}
                )
            try:
                async with asked as answer:
                    answered[id_] = answer.status_code
            except httpx.TransportError:
                return

    async with (
        child("Casebridge", serve, tmp_path / "service.log", env) as serving,
        running(database_url, tmp_path) as beside,
    ):
        await beside.partner("Home", "casework")
        async with await beside.client("Home") as client:
            made = await client.post("/fhir/Patient", json={"resourceType": "Patient"})
            client.base_url = httpx.URL(serving.url)
            asking = [asyncio.create_task(ask_on(client, made.json()["id"], n)) for n in range(READERS)]
            await eventually(lambda: len(answered) >= ANSWERS, 60)
            serving.kill()
            await asyncio.gather(*asking)
    admin = await asyncpg.connect(database_url)
    kept = {row[0] for row in await admin.fetch("SELECT request FROM audit")}
    await admin.close()
    assert {200, 201, 404} <= set(answered.values()), "reads, writes and refusals"
    assert answered.keys() - kept == set()
