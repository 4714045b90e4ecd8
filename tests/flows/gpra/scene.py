"""Harbor with its clients and its funder, and a clock that is set by hand."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
from parts import Service, running

from service.fhir.json import encode
from tests.coordination.gpra.complete import interview, record

HARBOR, STATE = "Harbor Recovery Services", "Statewide Recovery Network"
GRANT = "TI-026543"


class Scene:
    def __init__(self, service: Service, database_url: str) -> None:
        self.service, self.database_url = service, database_url
        self.now = datetime(2026, 3, 4, 15, tzinfo=UTC)

    @property
    def context(self) -> Any:
        return self.service.wiring.context

    async def put(self, path: str, body: dict[str, Any]) -> httpx.Response:
        return await self.send("PUT", path, encode(body))

    async def send(self, method: str, path: str, content: bytes = b"") -> httpx.Response:
        """With a token of now, whatever now is."""
        async with await self.service.client(HARBOR) as client:
            said = {"Content-Type": "application/json"}
            return await client.request(method, f"/casework/v1/{path}", content=content, headers=said)

    async def person(self, id_: str = "leslie-moreno", **more: Any) -> None:
        body = {"id": id_, "name": {"family": "Moreno", "given": ["Leslie"]}, **more}
        answer = await self.put(f"clients/{id_}", body)
        assert answer.status_code in (200, 201), answer.text

    async def held(
        self, id_: str, type_: str, day: str, *, more: dict[str, Any] | None = None, **other: Any
    ) -> httpx.Response:
        return await self.put(
            f"gpra-interviews/{id_}", record(interview(type_, day, **other), id_, **(more or {}))
        )


@asynccontextmanager
async def scene(database_url: str, tmp_path: Path) -> AsyncIterator[Scene]:
    made: list[Scene] = []
    async with running(
        database_url, tmp_path, clock=lambda: made[0].now if made else datetime.now(UTC)
    ) as service:
        await service.partner(HARBOR, "casework")
        await service.partner(STATE, "funder")
        made.append(Scene(service, database_url))
        yield made[0]
