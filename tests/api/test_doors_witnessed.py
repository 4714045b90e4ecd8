"""Whoever is known leaves a row at every door: each route of the service, each method, each page, allowed or refused.

The routes are those of the application, so that a new one without its row is found here the day it is added.
"""

import re
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from typing import Any

import asyncpg
import httpx
import pytest
from parts import Service
from visitors import Visitor, visitor

from service.api.app import bare_app
from service.api.fhir.methods import Methods
from service.casework.records import example, write
from service.fhir.audit import Here, profiles_of, render
from service.fhir.json import encode
from service.settings import PEOPLE
from service.store import audit
from service.wiring import validator

NOBODY_S = re.compile(
    r"/openapi\.json|/docs.*|/health/.*|/metrics|/fhir/metadata|.*/\.well-known/.*|/console/static/.*|/casework/v1/schema/.*"
    r"|/fhir/\{type:fhirdefinition\}.*"
)
"""What names no client and needs no token."""

BY_THEMSELVES = re.compile(r"/console/(sign-in|link|sign-out).*|/subscriptions/.*|/[rc](/.*)?|/auth/.*")
"""Doors with a key of their own (a link, a handle, an assertion): each has its row by its own tests."""

WORDS = {
    "type": "Patient", "fhirtype": "Patient", "fhirbinary": "Binary", "fhirdefinition": "StructureDefinition",
    "fhirform": "prapare", "vid": "1", "version": "1", "kind": "clients", "member": "Task", "name": "x", "handle": "x", "token": "x",
}  # fmt: skip


@dataclass
class Doors:
    service: Service
    home: httpx.AsyncClient
    clinic: httpx.AsyncClient
    person: Visitor
    patient: str
    admin: Any

    async def rows(self, answer: httpx.Response) -> list[Any]:
        """What the trail has under the request id of an answer."""
        id_ = answer.headers["x-request-id"]
        return list(
            await self.admin.fetch("SELECT id::text, client, outcome FROM audit WHERE request = $1", id_)
        )


@pytest.fixture
async def doors(service: Service, database_url: str) -> AsyncIterator[Doors]:
    await service.partner("Home", "casework")
    await service.partner("Clinic", "ehr")
    admin = await asyncpg.connect(database_url)
    async with (
        await service.client("Home") as home,
        await service.client("Clinic") as clinic,
        visitor(service, *PEOPLE) as person,
    ):
        made = await home.post(
            "/fhir/Patient", json={"resourceType": "Patient", "name": [{"family": "Moreno"}]}
        )
        filed = write(example("clients"))
        answer = await home.put(f"/casework/v1/clients/{filed.pop('id')}", content=encode(filed),
                                headers={"Content-Type": "application/json"})  # fmt: skip
        assert answer.status_code == 201, answer.text
        yield Doors(service, home, clinic, person, made.json()["id"], admin)
    await admin.close()


def routes() -> Iterator[tuple[str, str]]:
    """(method, path template) of everything there is."""
    for route in bare_app().routes:
        offered = route.endpoint.allow.split(", ") if isinstance(route.endpoint, Methods) else route.methods
        for method in sorted(set(offered) - {"HEAD", "OPTIONS"}):
            yield method, route.path


def path_of(template: str, patient: str) -> str:
    """With something real in each of its places."""

    def word(found: re.Match[str]) -> str:
        name, _, convertor = found[1].partition(":")
        if name == "id" and convertor != "fhirform":
            return "leslie-moreno" if "/{kind}/" in template else patient
        return WORDS.get(convertor) or WORDS.get(name, "x")

    return re.sub(r"\{([^}]+)\}", word, template)


async def ask(doors: Doors, method: str, path: str, client: httpx.AsyncClient) -> httpx.Response:
    if path.startswith("/console"):
        client = doors.person.http
    sent = (
        {"resourceType": path.split("/")[2]}
        if path.startswith("/fhir/") and method in ("POST", "PUT")
        else {}
    )
    kind = "application/fhir+json" if path.startswith("/fhir") else "application/json"
    if path.endswith("_search") or path.startswith("/console"):
        return await client.request(
            method, path, headers={"Content-Type": "application/x-www-form-urlencoded"}
        )
    content = encode(sent) if method in ("POST", "PUT") else b"[]" if method == "PATCH" else None
    kind = "application/json-patch+json" if method == "PATCH" else kind
    return await client.request(method, path, content=content, headers={"Content-Type": kind})


async def test_every_route_leaves_a_row_for_everybody_who_is_known(doors: Doors) -> None:
    silent, seen = [], 0
    for method, template in routes():
        if NOBODY_S.fullmatch(template) or BY_THEMSELVES.fullmatch(template):
            continue
        for client in (doors.clinic, doors.home):
            answer = await ask(doors, method, path_of(template, doors.patient), client)
            rows = await doors.rows(answer)
            seen += 1
            outcomes = {row["outcome"] != "0" for row in rows if row["client"]}
            if (answer.status_code >= 400) not in outcomes:
                silent.append((method, template, answer.status_code, [dict(row) for row in rows]))
    assert not silent, "\n".join(map(str, silent))
    assert seen > 150


async def test_everything_on_the_trail_is_an_audit_event_of_its_shape(doors: Doors) -> None:
    for method, template in routes():
        if not NOBODY_S.fullmatch(template):
            await ask(doors, method, path_of(template, doors.patient), doors.clinic)
            await ask(doors, method, path_of(template, doors.patient), doors.home)
    async with doors.service.wiring.context.database.reading() as connection:
        rows = await audit.find(connection, audit.Sought(), 1000)
    here, shapes, wrong = Here(doors.service.base, "Organization/home"), set(), []
    for row in rows:
        shape = (
            row.kind,
            row.action,
            row.outcome,
            bool(row.resource),
            len(row.patients),
            bool(row.query_mac),
        )
        if shape not in shapes:
            shapes.add(shape)
            event = render(row, here, "family=x" if row.query_mac else "")
            wrong += [
                (*shape, issue.text) for issue in validator().validate(event, profiles_of(row)) if issue.fails
            ]
    assert not wrong, "\n".join(map(str, wrong))
    assert len(shapes) > 40


async def test_nobody_known_leaves_no_row_and_learns_nothing(doors: Doors) -> None:
    """A stranger is in the log and the metrics; a trail that strangers can write is no trail."""
    async with httpx.AsyncClient(base_url=doors.service.url, trust_env=False) as stranger:
        for method, template in routes():
            if (
                NOBODY_S.fullmatch(template)
                or BY_THEMSELVES.fullmatch(template)
                or template.startswith("/console")
            ):
                continue
            answer = await ask(doors, method, path_of(template, doors.patient), stranger)
            assert answer.status_code == 401 or "fhirform" in template, (method, template, answer.status_code)
            assert await doors.rows(answer) == []
