"""Requests that nobody should send, sent to a running service: mutated examples, hostile headers, ids, queries.

Every answer must be below 500, come in time, and, where it refuses, be an OperationOutcome. Same seed, same
requests. `scripts/fuzz.py --requests 20000` starts a service of its own; `attack` is what the tests call.
"""
# ruff: noqa: E501 - tables of nonsense read better wide

import argparse
import asyncio
import base64
import gzip
import json
import random
import re
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "tests"), str(ROOT)]

from service.fhir.catalogue import catalogue  # noqa: E402
from service.fhir.json import BadJson, decode, encode  # noqa: E402
from service.fhir.search.parameters import parameters  # noqa: E402
from service.fhir.xml import BadXml, NotXml, from_xml, to_xml  # noqa: E402

SECONDS = 20.0
TYPES = [*catalogue, "ValueSet", "Bundle", "Parameters", "Spaceship", "task", "*", "$", "..", "AuditEvent"]
TEXTS = [
    "", " ", "0", "-1", "null", "true", "1e400", "\u0000", "\u202e", "𝒳", "é" * 500, "'; DROP TABLE resource; --", "a" * 70, "../../etc/passwd",
    "%", "%00", "%ff", "${7*7}", "{{x}}", "<script>alert(1)</script>", "|", "||", "$", "\\", ",", ",,,", "a|b|c", "http://[::1", "urn:uuid:", "#",
    "Patient/", "Patient/1/_history/0", "/Patient/1", "Patient?identifier=1", "2026-13-45", "2026-02-30T25:61:61Z", "0000", "9999-12-31", "-0001",
    "gt", "eq2026", "ap1e309", "lt-", "1" * 400, "٣", "W/\"1\"", "*",
]  # fmt: skip
VALUES: list[Any] = [
    None,
    True,
    False,
    0,
    -1,
    10**30,
    0.1,
    [],
    {},
    [[]],
    [None],
    {"a": {}},
    "x",
    {"reference": "Patient/1"},
    *TEXTS[:20],
]
HEADERS = {
    "Accept": ["*/*", "application/fhir+xml", "text/csv", "application/fhir+json;q=x", "," * 200, "a/b;" * 50, "*/*;q=0", "application/fhir+json; fhirVersion=9"],
    "Content-Type": ["application/fhir+json", "application/fhir+xml", "application/json-patch+json", "application/x-www-form-urlencoded", "text/plain",
                     "application/fhir+json; charset=utf-16", "", ";;;", "image/png", "multipart/form-data"],
    "If-Match": ['W/"1"', 'W/"999999999999"', "*", '"', "W/", "1", 'W/"-1"', 'W/"1", W/"2"'],
    "If-None-Match": ["*", 'W/"1"', ",,,", '"' * 50],
    "If-Modified-Since": ["yesterday", "Thu, 01 Jan 1970 00:00:00 GMT", "Fri, 31 Dec 9999 23:59:59 GMT", "0", "Mon, 99 Jan 99999 00:00:00 GMT"],
    "If-None-Exist": ["identifier=1", "", "_id=x", "?", "%ff", "identifier=" + "a" * 3000, "spaceship=1", "_has:Task:patient:status=x"],
    "Prefer": ["return=minimal", "return=OperationOutcome", "handling=lenient", "respond-async", ";;,,=", "return=" + "x" * 500],
    "Content-Encoding": ["gzip", "br", "identity", "gzip, gzip"],
    "X-Security-Context": ["Patient/1", "\\", "http://x" * 100],
    "Authorization": ["Bearer x", "Basic eDp5", "Bearer", "Bearer " + "a" * 600, ""],
    "X-Request-Id": ["a" * 100, "x y", "-"],
    "X-HTTP-Method-Override": ["DELETE"],
}  # fmt: skip
PARAMETERS = ["_id", "_count", "_sort", "_include", "_revinclude", "_summary", "_elements", "_total", "_format", "_pretty", "_lastUpdated", "_tag", "_has:Task:patient:status",
              "_type", "_since", "_at", "_cursor", "_text", "_filter", "_list", "_profile", "near", "spaceship", "mode", "profile", "_offset", "url"]  # fmt: skip
MODIFIERS = [
    "",
    "",
    "",
    ":exact",
    ":contains",
    ":missing",
    ":not",
    ":text",
    ":identifier",
    ":of-type",
    ":in",
    ":below",
    ":Patient",
    ":Patient.name",
    ":x:y",
    ":iterate",
    ".",
]
OPERATED = [
    "$validate",
    "Task/$validate",
    "Patient/$match",
    "Patient/x1/$everything",
    "Patient/x1/$meta-add",
    "Goal/x1/$meta-delete",
]
OPERATIONS = ["$validate", "$meta", "$meta-add", "$meta-delete", "$everything", "$match", "$spaceship"]


@dataclass
class Report:
    """What came of it: how often each status, and every answer that should not have been."""

    statuses: Counter[int] = field(default_factory=Counter)
    faults: list[str] = field(default_factory=list)
    slowest: float = 0.0


def examples() -> list[dict[str, Any]]:
    """Our own examples of the served types."""
    found = [
        decode(path.read_bytes()) for path in sorted((ROOT / "fhir_profiles" / "examples").glob("*.json"))
    ]
    return [each for each in found if each["resourceType"] in catalogue]


class Fuzzer:
    """Endless requests, the same for the same seed. Ids that the service gave are used again."""

    def __init__(self, seed: int) -> None:
        self.dice = random.Random(seed)
        self.examples = examples()
        self.known: list[str] = []

    def request(self) -> dict[str, Any]:
        """Method, path, content, headers."""
        dice = self.dice
        method = dice.choice(
            ["GET"] * 5
            + ["POST"] * 4
            + ["PUT", "PUT", "PATCH", "PATCH", "DELETE", "HEAD", "OPTIONS", "TRACE"]
        )
        headers = {
            name: dice.choice(HEADERS[name])
            for name in dice.sample(sorted(HEADERS), dice.choice([0, 0, 1, 1, 2, 4]))
        }
        if headers.get("Authorization") is not None and dice.random() < 0.8:
            del headers["Authorization"]
        content = b""
        if method in ("POST", "PUT", "PATCH"):
            content, kind = self.body(method)
            headers.setdefault("Content-Type", kind)
            if headers.get("Content-Encoding") == "gzip" and dice.random() < 0.5:
                content = gzip.compress(content)
        return {"method": method, "path": self.path(method, content), "content": content, "headers": headers}

    def path(self, method: str, content: bytes) -> str:
        """A path of the FHIR door, or nearly one; mostly one that the body fits."""
        dice = self.dice
        found = re.match(rb'{"resourceType": ?"([A-Za-z]{3,40})"', content)
        about = found[1].decode() if found else ""
        if dice.random() < 0.75:
            if method == "POST" and about:
                return {"Bundle": "/fhir", "Parameters": f"/fhir/{dice.choice(OPERATED)}"}.get(
                    about, f"/fhir/{about}"
                ) + self.query(0.9)
            if method == "PUT" and about:
                id_ = re.search(rb'"id": ?"([A-Za-z0-9.-]{1,64})"', content)
                return f"/fhir/{about}" + (
                    f"/{id_[1].decode()}" if id_ and dice.random() < 0.8 else self.query(0.2)
                )
        if self.known and dice.random() < 0.6:
            start = dice.choice(self.known)
        else:
            type_ = dice.choice(TYPES) if dice.random() < 0.9 else quoted(dice.choice(TEXTS))
            start = f"/fhir/{type_}" + (f"/{quoted(dice.choice(TEXTS))}" if dice.random() < 0.2 else "")
        ends = [""] * 6 + [
            "/_history",
            "/_history/1",
            "/_history/x",
            "/_search",
            "/Task",
            "/*",
            f"/{dice.choice(OPERATIONS)}",
        ]
        start = dice.choice(
            [start] * 12 + ["/fhir", "/fhir/", "/fhir/metadata", "/fhir//", "/fhir/_history"]
        ) + dice.choice(ends)
        return start + self.query()

    def query(self, none: float = 0.4) -> str:
        """Search parameters, right and wrong."""
        dice = self.dice
        if dice.random() < none:
            return ""
        names = [*PARAMETERS, *parameters(dice.choice(list(catalogue)))]
        pairs = [
            f"{dice.choice(names)}{dice.choice(MODIFIERS)}={quoted(dice.choice([*TEXTS, 'active', '2026', 'Patient/1', '5', 'true', 'xml']))}"
            for _ in range(dice.choice([1, 1, 1, 2, 3]))
        ]
        return "?" + "&".join(pairs)

    def body(self, method: str) -> tuple[bytes, str]:
        """A mutated example, alone, in a Bundle, in Parameters, as a patch, as XML, or not even JSON."""
        dice = self.dice
        resource = self.mutated(json.loads(encode(dice.choice(self.examples))))
        shape = dice.random()
        if method == "PATCH" or shape < 0.08:
            return (
                (self.patch(), "application/json-patch+json")
                if dice.random() < 0.6
                else (self.parameters(resource), "application/fhir+json")
            )
        if shape < 0.2:
            return self.bundle(), "application/fhir+json"
        if shape < 0.28:
            return self.parameters(resource), "application/fhir+json"
        if shape < 0.36:
            try:
                return self.scrambled(to_xml(decode(written(resource)))), "application/fhir+xml"
            except (NotXml, BadJson, AttributeError, TypeError):
                return (
                    b"<Patient xmlns='http://hl7.org/fhir'><active value='" + b"x" * 50,
                    "application/fhir+xml",
                )
        raw = written(resource)
        return (self.scrambled(raw) if dice.random() < 0.15 else raw), "application/fhir+json"

    def bundle(self) -> bytes:
        """A transaction or batch of a few entries, some of them nonsense."""
        dice = self.dice
        rows: list[Any] = []
        for _ in range(dice.choice([0, 1, 2, 4])):
            method = dice.choice(["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "STEAL"])
            example = (
                self.mutated(json.loads(encode(dice.choice(self.examples))))
                if dice.random() < 0.7
                else deepcopy(dice.choice(VALUES))
            )
            type_ = example.get("resourceType", "Task") if isinstance(example, dict) else "Task"
            url = dice.choice(
                [
                    type_,
                    f"{type_}/x1",
                    f"{type_}?identifier=1",
                    *self.known[-3:],
                    dice.choice(TEXTS),
                    "Patient/_history",
                    "Task?status=requested",
                ]
            )
            request = {"method": method, "url": url}
            if dice.random() < 0.3:
                request[dice.choice(["ifMatch", "ifNoneExist", "ifNoneMatch", "ifModifiedSince"])] = (
                    dice.choice([*TEXTS, 1, None])
                )
            row = {
                "fullUrl": dice.choice(["urn:uuid:" + "1" * 8, "", "http://x/Patient/1"]),
                "request": request,
            }
            rows.append({**row, "resource": example} if method in ("POST", "PUT", "PATCH") else row)
        whole = {
            "resourceType": "Bundle",
            "type": dice.choice(["transaction", "batch", "searchset", None]),
            "entry": rows,
        }
        return written(self.mutated(whole) if dice.random() < 0.3 else whole)

    def parameters(self, resource: Any) -> bytes:
        """The input of an operation or a FHIRPath Patch."""
        dice = self.dice
        rows: list[Any] = [{"name": "resource", "resource": resource}]
        for name in dice.sample(
            ["mode", "profile", "count", "onlyCertainMatches", "_count", "_type", "x"], dice.choice([0, 1, 2])
        ):
            key = dice.choice(["valueString", "valueCode", "valueInteger", "valueBoolean", "valueMeta"])
            rows.append({"name": name, key: deepcopy(dice.choice(VALUES))})
        kind = dice.choice(["add", "insert", "delete", "replace", "move", "x"])
        path = dice.choice(
            [
                "Patient.name",
                "Goal",
                "Task.status",
                "%resource",
                "(((",
                "Patient.name.where(",
                "'a'*9",
                "repeat(children())",
                "id",
                "meta",
            ]
        )
        parts = [{"name": "type", "valueCode": kind}, {"name": "path", "valueString": path}, {"name": "name", "valueString": "x"},
                 {"name": "value", "valueString": dice.choice(TEXTS)}, {"name": "index", "valueInteger": dice.choice([0, -1, 10**9])}]  # fmt: skip
        rows.append({"name": "operation", "part": dice.sample(parts, dice.choice([2, 3, 4]))})
        return written(
            {"resourceType": "Parameters", "parameter": dice.sample(rows, dice.randint(0, len(rows)))}
        )

    def patch(self) -> bytes:
        """A JSON Patch, or nearly one."""
        dice = self.dice
        rows = []
        for _ in range(dice.choice([1, 2, 5])):
            op = dice.choice(["add", "remove", "replace", "move", "copy", "test", "x", None])
            path = dice.choice(
                [
                    "/status",
                    "/name/0/family",
                    "/name/-",
                    "",
                    "/",
                    "/meta/versionId",
                    "/id",
                    "/resourceType",
                    "/a/b/c",
                    "/~2",
                    "x",
                    "/subject/reference",
                ]
            )
            rows.append(
                {
                    "op": op,
                    "path": path,
                    "from": dice.choice(["/name", "", "/x"]),
                    "value": deepcopy(dice.choice(VALUES)),
                }
            )
        data = written(rows if dice.random() < 0.9 else deepcopy(dice.choice(VALUES)))
        if dice.random() < 0.1:
            return written(
                {
                    "resourceType": "Binary",
                    "contentType": "application/json-patch+json",
                    "data": base64.b64encode(data).decode(),
                }
            )
        return data

    def mutated(self, value: Any) -> Any:
        """A few changes at random places; sometimes none, so that something is kept to be attacked."""
        for _ in range(self.dice.choice([0, 0, 0, 1, 1, 2, 4])):
            places = list(spots(value))
            if places:
                holder, key = self.dice.choice(places)
                self.change(holder, key)
        return value

    def change(self, holder: Any, key: Any) -> None:
        """One member: another value, gone, doubled, wrapped, deep, under another name."""
        dice = self.dice
        match dice.randint(0, 6):
            case 0 | 1:
                holder[key] = deepcopy(dice.choice(VALUES))
            case 2:
                del holder[key]
            case 3:
                holder[key] = [holder[key], deepcopy(holder[key])]
            case 4 if isinstance(holder, dict):
                holder[
                    dice.choice(["_" + str(key), "extension", "contained", "x", "", "id", "meta", "text"])
                ] = deepcopy(holder[key])
            case 5:
                for _ in range(dice.choice([3, 70])):
                    holder[key] = {"extension": [holder[key]]}
            case _:
                holder[key] = dice.choice(TEXTS)

    def scrambled(self, raw: bytes) -> bytes:
        """Bytes cut, doubled or replaced."""
        dice = self.dice
        at = dice.randrange(len(raw) + 1)
        return dice.choice(
            [
                raw[:at],
                raw[:at] + bytes([dice.randrange(256)]) + raw[at + 1 :],
                raw + raw,
                b"\xef\xbb\xbf" + raw,
                raw[at:],
                raw.replace(b'"', b"'", 3),
            ]
        )


def written(value: Any) -> bytes:
    """JSON, also of what no decoder would give."""
    return json.dumps(value, ensure_ascii=False).encode("utf-8", "surrogatepass")


def quoted(text: str) -> str:
    """As a URL carries it."""
    return httpx.QueryParams({"x": text}).__str__()[2:]


def spots(value: Any) -> Iterator[tuple[Any, Any]]:
    """Every member of every object and array."""
    members = (
        list(value.items())
        if isinstance(value, dict)
        else list(enumerate(value))
        if isinstance(value, list)
        else []
    )
    for key, member in members:
        yield value, key
        yield from spots(member)


async def attack(client: httpx.AsyncClient, requests: int, seed: int, at_once: int = 8) -> Report:
    """Send them and look at every answer."""
    fuzzer, report = Fuzzer(seed), Report()
    done = 0

    async def one(number: int) -> None:
        asked = fuzzer.request()
        started = time.perf_counter()
        try:
            headers = {name: text.encode("utf-8", "replace") for name, text in asked["headers"].items()}
            response = await client.request(
                asked["method"], asked["path"], content=asked["content"], headers=headers, timeout=SECONDS
            )
        except (httpx.InvalidURL, httpx.LocalProtocolError):
            return
        except httpx.TransportError as error:
            report.faults.append(f"{number} {asked['method']} {asked['path']}: {type(error).__name__}")
            return
        report.slowest = max(report.slowest, time.perf_counter() - started)
        report.statuses[response.status_code] += 1
        if wrong := fault(asked["method"], response):
            report.faults.append(
                f"{number} {asked['method']} {asked['path']} {asked['headers']} {asked['content'][:300]!r}: {wrong}"
            )
        location = response.headers.get("location", "")
        if "/fhir/" in location:
            fuzzer.known = [*fuzzer.known[-40:], "/fhir/" + location.split("/fhir/")[1].split("/_history")[0]]

    while done < requests:
        await asyncio.gather(*(one(done + number) for number in range(min(at_once, requests - done))))
        done += at_once
    return report


def fault(method: str, response: httpx.Response) -> str:
    """What is wrong with an answer; empty when nothing is."""
    if response.status_code >= 500:
        return f"{response.status_code} {response.text[:300]}"
    if response.status_code < 400 or method == "HEAD" or not response.request.url.path.startswith("/fhir"):
        return ""
    kind = response.headers.get("content-type", "")
    try:
        body = from_xml(response.content) if "xml" in kind else decode(response.content)
    except (BadJson, BadXml) as error:
        return f"{response.status_code} is not FHIR: {error}: {response.text[:200]}"
    return (
        ""
        if isinstance(body, dict) and body.get("resourceType") == "OperationOutcome"
        else f"{response.status_code} without an OperationOutcome"
    )


async def main(requests: int, seed: int) -> int:
    """A service of its own, attacked: half of the requests are ours, half come from its OpenAPI document."""
    from described import attack as by_document
    from parts import prepare, running

    from service.api.app import bare_app
    from service.flows.onboard_partner import mint_token
    from service.store import embedded

    home = Path(tempfile.mkdtemp(prefix="casebridge-fuzz-"))
    url = embedded.start(home, "fuzz")
    await prepare(url, home)
    async with running(url, home, caller_rate=0, address_rate=0, token_rate=0, token_seconds=300) as service:
        await service.partner("Fuzz", "ehr", scopes=["system/*.cruds"])
        await service.partner("Described", "casework", scopes=["system/*.cruds"])
        async with await service.client("Fuzz") as client:
            report = await attack(client, requests // 2, seed)
        document = bare_app().openapi()
        operations = sum(len(item.keys() - {"parameters"}) for item in document["paths"].values())
        each = max(1, requests // 2 // operations)

        def token() -> str:
            minted = asyncio.run_coroutine_threadsafe(mint_token(service.wiring.context, "Described"), loop)
            return minted.result(30)

        loop = asyncio.get_running_loop()
        second = await asyncio.to_thread(by_document, document, service.url, token, each, seed)
    for name, statuses in (("ours", report.statuses), ("of the document", second.statuses)):
        print(f"{sum(statuses.values())} answers, {name}: {dict(sorted(statuses.items()))}")
    print(f"slowest of ours {report.slowest:.2f} s")
    faults = report.faults + second.faults
    for line in faults[:40]:
        print(line)
    return 1 if faults else 0


if __name__ == "__main__":
    reader = argparse.ArgumentParser(description=__doc__)
    reader.add_argument("--requests", type=int, default=20_000)
    reader.add_argument("--seed", type=int, default=1)
    given = reader.parse_args()
    sys.exit(asyncio.run(main(given.requests, given.seed)))
