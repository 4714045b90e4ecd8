"""The agency as a client of Casebridge: SMART discovery, a token by its own signed assertion, FHIR over HTTP.

Also used by the demo and the story tests in the place of a case-management system.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from types import TracebackType
from typing import Any, Self

import httpx

from service.fhir.json import BadJson, Json, decode, encode
from service.kernel.clock import Clock, system_clock
from service.simulator.keys import JWT_BEARER, Key

FHIR = "application/fhir+json"


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back: `body` decoded, None if there is none."""

    status: int
    body: Json
    headers: Mapping[str, str]

    @property
    def ok(self) -> bool:
        """2xx."""
        return 200 <= self.status < 300

    @property
    def sentence(self) -> str:
        """What an error says, for a person."""
        body = self.body if isinstance(self.body, dict) else {}
        issues = body.get("issue") or [{}]
        said = issues[0].get("diagnostics") or issues[0].get("details", {}).get("text")
        for name in ("error_description", "detail", "title"):
            said = said or body.get(name)
        more = [str(each["detail"]) for each in body.get("errors", []) if "detail" in each]
        return "; ".join((f"{self.status} {said or ''}".strip(), *more[:5]))


class NoToken(Exception):
    """Casebridge gave no token; the text says what it answered."""


class Casebridge:
    """One client of one Casebridge. httpx errors are the caller's to expect."""

    def __init__(
        self,
        origin: str,
        client_id: str,
        key: Key,
        scope: str = "system/*.cruds",
        *,
        clock: Clock = system_clock,
    ) -> None:
        self.origin = origin.rstrip("/")
        self.client_id = client_id
        self._key = key
        self._scope = scope
        self._http = httpx.AsyncClient(trust_env=False, timeout=30)
        self._token = ""
        self._clock = clock
        self._until = clock()

    async def ask(
        self, method: str, path: str, body: Json = None, headers: Mapping[str, str] | None = None
    ) -> Answer:
        """One request with a living token; `path` is below the origin or a whole URL there."""
        if self._clock() >= self._until:
            await self._renew()
        kind = FHIR if path.startswith(("/fhir", f"{self.origin}/fhir")) else "application/json"
        sent: dict[str, str] = {"Authorization": f"Bearer {self._token}", "Accept": kind, **(headers or {})}
        if body is not None:
            sent["Content-Type"] = kind
        url = path if path.startswith("http") else f"{self.origin}{path}"
        answer = await self._http.request(
            method, url, content=None if body is None else encode(body), headers=sent
        )
        return _answer(answer)

    async def _renew(self) -> None:
        """Discovery, then client_credentials with a new assertion."""
        found = _answer(await self._http.get(f"{self.origin}/fhir/.well-known/smart-configuration")).body
        endpoint = found.get("token_endpoint") if isinstance(found, dict) else None
        if not isinstance(endpoint, str):
            raise NoToken("the SMART configuration names no token endpoint")
        form = {
            "grant_type": "client_credentials",
            "scope": self._scope,
            "client_assertion_type": JWT_BEARER,
            "client_assertion": self._key.assertion(self.client_id, endpoint),
        }
        answer = _answer(await self._http.post(endpoint, data=form))
        given: dict[str, Any] = answer.body if isinstance(answer.body, dict) else {}
        if not answer.ok or "access_token" not in given:
            raise NoToken(answer.sentence)
        self._token = str(given["access_token"])
        self._until = self._clock() + timedelta(seconds=int(given.get("expires_in", 60)) - 20)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Close every connection."""
        await self._http.aclose()


def _answer(answer: httpx.Response) -> Answer:
    try:
        body = decode(answer.content) if answer.content else None
    except BadJson:
        body = None
    return Answer(answer.status_code, body, answer.headers)
