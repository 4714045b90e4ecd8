"""People at the console, for tests: a browser without scripts that is signed in by a one-time link."""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import httpx
from parts import Service

from service.flows.console.sign_in import make_link


@dataclass
class Visitor:
    """A signed-in browser."""

    http: httpx.AsyncClient

    async def get(self, path: str) -> httpx.Response:
        return await self.http.get(path)

    async def page(self, path: str) -> str:
        answer = await self.http.get(path)
        assert answer.status_code == 200, (answer.status_code, path, answer.text)
        return answer.text

    async def send(self, path: str, page: str, **fields: str) -> httpx.Response:
        """A form with the CSRF value of the page it stands on."""
        value = re.search(r'name="csrf" value="([^"]+)"', await self.page(page))
        assert value
        return await self.http.post(path, data={"csrf": value[1], **fields})


def browser(service: Service) -> httpx.AsyncClient:
    return httpx.AsyncClient(base_url=service.url, timeout=30, trust_env=False)


@asynccontextmanager
async def visitor(service: Service, *roles: str, name: str = "Samuel Okafor") -> AsyncIterator[Visitor]:
    token = await make_link(service.wiring.context, name, list(roles), 5)
    async with browser(service) as http:
        answer = await http.post("/console/link", data={"token": token})
        assert answer.status_code == 303, answer.text
        yield Visitor(http)
