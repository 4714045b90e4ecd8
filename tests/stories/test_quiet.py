"""Nothing that operators are shown says anything about a client.

Every text of a whole story is a word that occurs nowhere else: records of all kinds, a referral that goes out and one
that comes in, searches and errors of every kind, a partner, a subscriber and a webhook that answer with what they were
sent, a worker that meets a broken row. The words must be where they belong, and nowhere else.
"""

import asyncio
import copy
import itertools
import os
import re
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import asyncpg
import httpx
from parts import SECRET, running
from town import eventually

from service.casework.records import example, kinds, read, write
from service.commands.demo import people
from service.commands.demo.people import COUNTY, HARBOR, NORTHSIDE
from service.fhir.json import encode
from service.flows import webhooks
from service.kernel.clock import system_clock
from service.kernel.failures import Refused
from service.simulator.children import child

MARK = "Zqx"
KEEPERS = {
    "resource", "resource_version", "record", "record_version", "search_string", "search_date", "search_number",
    "audit_query", "event", "share", "gpra_client", "gpra_interview", "due_item",
}  # fmt: skip
"""The tables in which a client's words belong. Every other one is read by operators or quoted to them."""

CODED = {"code", "question", "system", "state"}
_numbers = itertools.count(1000)


def word() -> str:
    """A word nobody else says; letters and figures, so that it fits where a name or a telephone number does."""
    return f"{MARK}{next(_numbers)}"


def asked_for() -> str:
    """A word in the place of an id. The trail says which id was asked for, whether it is there or not; nothing else does."""
    return f"{MARK}-id-{next(_numbers)}"


def planted(kind: str, record: dict[str, Any]) -> dict[str, Any]:
    """The record with each of its free texts, numbers and addresses replaced by a word of its own."""
    made = copy.deepcopy(record)
    for holder, key in list(_leaves(made)):
        before, holder[key] = holder[key], word()
        try:
            read(kind, "some-id", made)
        except Refused:
            holder[key] = before
    return made


def _leaves(value: Any) -> Iterator[tuple[Any, Any]]:
    rows = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, each in rows:
        if not isinstance(each, str):
            yield from _leaves(each)
        elif key not in CODED and re.search(r"[A-Z @]|555", each) and not re.match(r"\d{4}-\d\d", each):
            yield value, key


def filed() -> list[tuple[str, str, dict[str, Any]]]:
    """(kind, id, record) of the story, one of each kind at least; agencies alone keep their names."""
    there = [*people.records(system_clock), ("referrals", people.HOUSING, people.housing(system_clock))]
    seen = {kind for kind, _, _ in there}
    for kind in kinds:
        if kind not in seen:
            record = write(example(kind))
            there.append((kind, f"a-{kind}", {key: value for key, value in record.items() if key != "id"}))
    return [
        (kind, id_, {**planted(kind, each), **({"name": each["name"]} if kind == "agencies" else {})})
        for kind, id_, each in there
    ]


class Echo:
    """A server that quotes every request in its answer, with words of its own: tokens, mostly errors."""

    def __init__(self) -> None:
        self.heard: list[str] = []
        self.url = ""

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        length = re.search(r"content-length: (\d+)", head.lower())
        text = head + (await reader.readexactly(int(length[1])) if length else b"").decode("latin-1")
        self.heard.append(text)
        status, said = self._says(head.split()[1], text)
        lines = f"HTTP/1.1 {status} {word()}\r\nX-Said: {word()}\r\nX-Request-Id: {word()}\r\n"
        lines += f"Location: {self.url}/{word()}\r\nContent-Type: application/fhir+json\r\n"
        body = encode(said)
        writer.write(f"{lines}Content-Length: {len(body)}\r\nConnection: close\r\n\r\n".encode() + body)
        await writer.drain()
        writer.close()

    def _says(self, path: str, text: str) -> tuple[int, dict[str, Any]]:
        seen = sum(f" {path} " in each for each in self.heard)
        if path == "/token" and seen > 1:
            return 200, {"access_token": word(), "token_type": "bearer", "expires_in": 300}
        if path == "/token":
            return 400, {"error": word(), "error_description": f"{word()} {text}"}
        if path == "/bell" and seen == 1:
            return 200, {}
        issue = {"severity": "error", "code": "invalid", "diagnostics": f"{word()} {text}"}
        return 422, {"resourceType": "OperationOutcome", "issue": [issue]}


@asynccontextmanager
async def echoing() -> AsyncIterator[Echo]:
    made = Echo()
    server = await asyncio.start_server(made.answer, "127.0.0.1", 0)
    made.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    try:
        yield made
    finally:
        server.close()


def patient() -> dict[str, Any]:
    text = f'<div xmlns="http://www.w3.org/1999/xhtml">{word()}</div>'
    return {
        "resourceType": "Patient", "name": [{"family": word(), "given": [word()]}], "address": [{"line": [word()]}],
        "telecom": [{"system": "phone", "value": word()}], "text": {"status": "generated", "div": text},
        "identifier": [{"system": f"https://{word()}.example", "value": word()}],
    }  # fmt: skip


def subscription(endpoint: str) -> dict[str, Any]:
    """All Tasks of the caller, with content, to an address with a word in it."""
    topic = "https://casebridge.example/fhir/SubscriptionTopic/task"
    content = "http://hl7.org/fhir/uv/subscriptions-backport/StructureDefinition/backport-payload-content"
    return {
        "resourceType": "Subscription", "status": "requested", "reason": word(), "criteria": topic,
        "channel": {
            "type": "rest-hook", "endpoint": endpoint, "payload": "application/fhir+json", "header": [f"X-Key: {word()}"],
            "_payload": {"extension": [{"url": content, "valueCode": "full-resource"}]},
        },
    }  # fmt: skip


async def trouble(county: httpx.AsyncClient, harbor: httpx.AsyncClient) -> list[httpx.Response]:
    """Everything that can go wrong with a request, each with words in it."""
    made = (await county.post("/fhir/Patient", json=patient())).json()
    here, plain = f"/fhir/Patient/{made['id']}", {"Content-Type": "text/plain"}
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    asked = [
        county.get(f"/fhir/Patient?family={word()}&identifier={word()}|{word()}&_sort=family"),
        county.get(f"/fhir/Task?patient.name={word()}&_has:Provenance:target:agent={word()}"),
        county.get(f"/fhir/Patient?{word()}={word()}"), county.get(f"/fhir/Patient?birthdate={word()}"),
        county.post("/fhir/Patient/_search", content=f"family={word()}", headers=form),
        county.get(f"/fhir/Patient/{asked_for()}"), county.get(f"/fhir/{word()}/{word()}"), county.get(f"/{word()}?x={word()}"),
        county.get(f"/fhir/Patient/{word()}%20{word()}"), county.get(f"{here}/_history/{word()}"),
        county.request("PROPFIND", f"/fhir/Patient/{word()}"), county.request(word(), here),
        county.get(f"/fhir/Patient?family={word() * 2000}"), county.get("/fhir/Patient/clients-leslie-moreno"),
        county.post("/fhir/Patient", content=f'{{"{word()}": "{word()}'),
        county.post("/fhir/Patient", json={**patient(), word(): word()}),
        county.post("/fhir/Patient", json={**patient(), "gender": word()}), county.post(f"/fhir/{word()}", json=patient()),
        county.post("/fhir/Patient", content=word(), headers=plain),
        county.put(here, json={**patient(), "id": made["id"]}, headers={"If-Match": f'W/"{word()}"'}),
        county.put(here, json={**patient(), "id": made["id"]}, headers={"If-Match": 'W/"7"'}),
        county.patch(here, json=[{"op": "test", "path": f"/{word()}", "value": word()}],
                     headers={"Content-Type": "application/json-patch+json"}),
        county.post("/fhir/Patient", json=patient(), headers={"If-None-Exist": f"identifier={word()}&{word()}=1"}),
        county.post("/fhir/Patient/$match", json={"resourceType": "Parameters", "parameter": [
            {"name": "resource", "resource": patient()}]}),
        county.post(f"{here}/$validate", json=patient()), county.get(f"{here}/$everything?_since={word()}"),
        county.post("/fhir", json={"resourceType": "Bundle", "type": "transaction", "entry": [
            {"resource": patient(), "request": {"method": "PUT", "url": f"Patient?family={word()}&_id={word()}"}}]}),
        county.post("/auth/token", content=f"grant_type={word()}&client_assertion={word()}.{word()}.{word()}&scope={word()}", headers=form),
        county.get(here, headers={"Authorization": f"Bearer {word()}", "User-Agent": word(), "Referer": f"https://x/{word()}"}),
        county.get(here, headers={"X-Request-Id": word()}), county.get(here, headers={"X-Forwarded-For": word(), "traceparent": word()}),
        county.get(f"/console/{word()}?q={word()}"), county.post("/console/sign-in", content=f"code={word()}", headers=form),
        county.post(f"/subscriptions/{word()}", json={word(): word()}),
        harbor.put(f"/casework/v1/clients/{asked_for()}", content=encode({word(): word()})),
        harbor.put(f"/casework/v1/{word()}/{asked_for()}", content=b"{"), harbor.get(f"/casework/v1/clients/{asked_for()}"),
        harbor.post("/casework/v1/batch", content=encode({"records": [{"kind": word(), "id": word(), "record": word()}]})),
    ]  # fmt: skip
    return [await each for each in asked]


def call(home: str, own: str) -> dict[str, Any]:
    """A referral that comes in."""
    about, focus = (
        "urn:uuid:6f0c7a0e-7f0c-4a53-9a0b-5a1d5b1e9c11",
        "urn:uuid:6f0c7a0e-7f0c-4a53-9a0b-5a1d5b1e9c12",
    )
    order = {"intent": "order", "requester": {"reference": own, "display": word()}}
    request = {"resourceType": "ServiceRequest", "status": "active", "subject": {"reference": about}, "code": {"text": word()},
               "reasonCode": [{"text": word()}], "note": [{"text": word()}], **order}  # fmt: skip
    task = {"resourceType": "Task", "status": "requested", "for": {"reference": about, "display": word()}, "description": word(),
            "code": {"coding": [{"system": "http://hl7.org/fhir/CodeSystem/task-code", "code": "fulfill"}]},
            "focus": {"reference": focus}, "owner": {"reference": home}, "note": [{"text": word()}], **order}  # fmt: skip
    rows = [(about, patient()), (focus, request), (None, task)]
    entries = [{**({"fullUrl": url} if url else {}), "resource": each, "request": {"method": "POST", "url": each["resourceType"]}}
               for url, each in rows]  # fmt: skip
    return {"resourceType": "Bundle", "type": "transaction", "entry": entries}


def shows(line: str) -> bool:
    return MARK.lower() in line.lower()


async def tables(database: Any) -> dict[str, list[str]]:
    """Every row of every table, as text (bytes read as text where they are text)."""
    found = {}
    for name in await database.fetch("SELECT tablename FROM pg_tables WHERE schemaname = 'public'"):
        rows = await database.fetch(f'SELECT * FROM "{name[0]}"')
        found[name[0]] = [" ".join(_text(each) for each in row.values()) for row in rows]
    return found


def _text(value: Any) -> str:
    return bytes(value).decode("latin-1") if isinstance(value, bytes | memoryview) else str(value)


async def test_nothing_that_is_written_down_for_operators_says_anything_about_a_client(
    database_url: str, tmp_path: Path
) -> None:
    env = {**os.environ, "CASEBRIDGE_OUTBOUND_ALLOW": "127.0.0.0/8", "CASEBRIDGE_LOG_LEVEL": "debug",
           "CASEBRIDGE_DATABASE_URL": database_url, "CASEBRIDGE_SECRET_KEY": SECRET}  # fmt: skip
    serve = ("service", "serve", "--port", "0", "--data-dir", str(tmp_path))
    log = tmp_path / "service.log"
    async with (
        echoing() as northside,
        child("Casebridge", serve, log, env) as serving,
        running(database_url, tmp_path) as beside,
    ):
        home = await beside.partner(HARBOR, "casework", scopes=["system/*.cruds"])
        county = await beside.partner(COUNTY, "referral-source", scopes=["system/*.cruds"])
        addresses = {"fhir_base": f"{northside.url}/fhir", "token_url": f"{northside.url}/token"}
        await beside.partner(NORTHSIDE, "referral-recipient", **addresses)
        await webhooks.add(beside.wiring.context, f"{northside.url}/hook", None, None, None)
        async with await beside.client(HARBOR) as harbor, await beside.client(COUNTY) as caller:
            for each in (harbor, caller):
                each.base_url = httpx.URL(serving.url)
            harbor.headers["Content-Type"] = "application/json"
            bell = await caller.post("/fhir/Subscription", json=subscription(f"{northside.url}/bell"))
            assert bell.status_code == 201, bell.text
            for kind, id_, record in filed():
                answer = await harbor.put(f"/casework/v1/{kind}/{id_}", content=encode(record))
                assert answer.status_code in (200, 201), answer.text
            answer = await caller.post("/fhir", json=call(home["organization"], county["organization"]))
            assert answer.status_code == 200, answer.text
            answers = await trouble(caller, harbor)
            database = await asyncpg.connect(database_url)
            for event in ("delivery-attempted", "webhook-attempted", "subscriber-told"):
                await eventually(lambda event=event: f'"{event}"' in log.read_text(), 15)
            await database.execute("UPDATE delivery SET due = now(), lease = NULL, lease_until = NULL")
            await eventually(lambda: any("POST /fhir " in text for text in northside.heard), 15)
            kept = await tables(database)
            await database.execute("UPDATE resource SET body = $1 WHERE type = 'Task'", word().encode())
            await database.execute("UPDATE delivery SET due = now(), lease = NULL, lease_until = NULL")
            await eventually(lambda: '"worker-failed"' in log.read_text(), 30)
            metrics = (await caller.get("/metrics")).text
            kept_after = await tables(database)
            await database.close()

    assert {400, 401, 404, 405, 412, 414, 415, 422} <= {each.status_code for each in answers}
    for table in ("resource", "record", "search_string"):
        assert any(shows(row) for row in kept[table]), "the words were kept where they belong"
    letters = [text for text in northside.heard if text.startswith("POST /fhir ")]
    assert any(shows(text) for text in letters), "and they reached the agency that may read them"
    lines = log.read_text().splitlines()
    assert len([line for line in lines if '"event":"request"' in line]) > 40
    written = {"log": lines, "metrics": metrics.splitlines(), **{
        f"{when} {name}": rows for when, all_ in (("table", kept), ("then", kept_after)) for name, rows in all_.items()
        if name not in KEEPERS}}  # fmt: skip
    for when in ("table", "then"):
        written[f"{when} audit"] = [re.sub(rf"{MARK}-id-\d+", "", row) for row in written[f"{when} audit"]]
    for answer in (each for each in answers if each.is_error):
        where = f"{answer.request.method} {answer.status_code}"
        own = {
            str(answer.request.url),
            *map(str, answer.request.headers.values()),
            answer.request.content.decode(),
        }
        said = answer.text + str(answer.headers)
        strange = [
            found for found in re.findall(rf"{MARK}[-id]*\d+", said) if not any(found in each for each in own)
        ]
        written[f"answer {where}"] = strange
        written[f"id {where}"] = [answer.headers.get("x-request-id", "")]
    told = [f"{name}: {line[:300]}" for name, rows in written.items() for line in rows if shows(line)]
    assert not told, "\n".join(told)
