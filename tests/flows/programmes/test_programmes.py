"""A list of programmes comes in, is found at the FHIR door, changes, shrinks, goes out and grows old."""

import csv
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from shutil import copytree
from typing import Any

import pytest
from parts import SHARED, Service, running

from service.fhir.json import encode
from service.fhir.validate import load
from service.flows.programmes import reading, taking, telling
from service.flows.programmes.taking import Report
from service.kernel.clock import system_clock
from service.kernel.failures import Refused, Unavailable
from service.mapping.hsds.listing import Listing

HSDS = SHARED / "fhir-packages" / "hl7.fhir.us.hsds-1.0.0.tgz"
COUNTY = Path(__file__).parents[2] / "mapping" / "hsds" / "county"


@pytest.fixture
async def service(database_url: str, tmp_path: Path) -> AsyncIterator[Service]:
    async with running(database_url, tmp_path) as found:
        yield found


async def taken(service: Service, folder: Path = COUNTY, **more: Any) -> Report:
    return await taking.take(service.wiring.context, reading.read_path(folder), "county", **more)


async def found(service: Service, query: str) -> list[str]:
    """What a partner finds, by name."""
    async with await service.client("Northside") as http:
        answer = await http.get(f"/fhir/{query}")
    assert answer.status_code == 200, answer.text
    return sorted(each["resource"]["name"] for each in answer.json().get("entry", []))


def without(folder: Path, file: str, *ids: str) -> None:
    """The list with some rows gone."""
    rows = list(csv.DictReader((folder / file).read_text().splitlines(keepends=True)))
    with (folder / file).open("w", newline="") as out:
        writer = csv.DictWriter(out, rows[0].keys())
        writer.writeheader()
        writer.writerows(each for each in rows if each["id"] not in ids)


async def test_a_list_taken_in_twice_changes_nothing_the_second_time(service: Service) -> None:
    first, second = await taken(service), await taken(service)
    assert (first.counts["new"], first.counts["changed"]) == (7, 0)
    assert (second.counts["new"], second.counts["changed"], second.counts["unchanged"]) == (0, 0, 7)


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("service-category=housing", ["Rooms for families"]),
        ("service-type=job-training", ["Forklift course"]),
        ("communication=es", ["Rooms for families"]),
        ("open-day=mon", ["Forklift course", "Rooms for families"]),
        ("open-day=wed", ["Rooms for families"]),
        ("open-day=sun", []),
        ("capacity=capacity", ["Rooms for families"]),
        ("capacity=no-capacity", ["Forklift course"]),
        ("serves=franklin", ["Rooms for families"]),
        ("location.address-city=Harborview", ["Rooms for families"]),
        ("organization.name=Lakeview&active=true", ["Forklift course"]),
        (
            "service-category=housing&capacity=capacity&communication=es&open-day=wed&active=true",
            ["Rooms for families"],
        ),
    ],
)
async def test_a_programme_is_found_by_what_a_client_needs(
    service: Service, query: str, names: list[str]
) -> None:
    await taken(service)
    await service.partner("Northside", "referral-source")
    assert await found(service, f"HealthcareService?{query}") == names


async def test_what_vanished_is_inactive_never_deleted_and_comes_back(
    service: Service, tmp_path: Path
) -> None:
    await taken(service)
    await service.partner("Northside", "referral-source")
    shorter = copytree(COUNTY, tmp_path / "shorter")
    without(shorter, "service.csv", "s-2")
    without(shorter, "location.csv", "l-2")
    report = await taken(service, shorter)
    assert report.counts["inactive"] == 2
    assert await found(service, "HealthcareService?active=false") == ["Autumn course 2025", "Forklift course"]
    assert await found(service, "Location?status=inactive") == ["Mill Street Hall"]
    again = await taken(service)
    assert again.counts["changed"] == 2
    assert await found(service, "HealthcareService?active=true") == ["Forklift course", "Rooms for families"]


async def test_a_row_in_trouble_does_not_count_as_vanished(service: Service, tmp_path: Path) -> None:
    await taken(service)
    broken = copytree(COUNTY, tmp_path / "broken")
    text = (broken / "service.csv").read_text()
    (broken / "service.csv").write_text(text.replace("s-2,o-2,Forklift course", "s-2,o-9,Forklift course"))
    report = await taken(service, broken)
    assert report.counts["inactive"] == 0


async def test_a_list_that_lost_most_of_itself_is_not_believed_unasked(
    service: Service, tmp_path: Path
) -> None:
    many = tmp_path / "many.json"
    services = [{"id": f"s{n}", "name": f"S{n}", "organization": {"id": "o", "name": "O"}} for n in range(40)]
    many.write_bytes(encode(services))
    await taken(service, many)
    many.write_bytes(encode(services[:5]))
    with pytest.raises(Refused, match="35 of 41 entries have vanished"):
        await taken(service, many)
    assert (await taken(service, many, shrink=True)).counts["inactive"] == 35


async def test_an_empty_list_changes_nothing(service: Service) -> None:
    with pytest.raises(Refused, match="no service"):
        await taking.take(service.wiring.context, Listing(), "county")


async def test_a_partner_cannot_change_an_entry_of_a_list(service: Service) -> None:
    await taken(service)
    await service.partner("Northside", "referral-source", scopes=["system/*.cruds"])
    async with await service.client("Northside") as http:
        [entry] = (await http.get("/fhir/Organization?name=Lakeview")).json()["entry"]
        changed = {**entry["resource"], "name": "Northside's own"}
        assert (await http.put(f"/fhir/Organization/{changed['id']}", json=changed)).status_code == 403


async def test_an_imported_agency_has_no_say_in_a_decision_of_consent(service: Service) -> None:
    await taken(service)
    async with service.wiring.context.database.reading() as connection:
        authors = {
            each["author"]
            for each in await connection.fetch("SELECT author FROM resource WHERE type = 'Organization'")
        }
    assert authors == {"list:county"}, "store.directory.around trusts '' and the casework system"


async def test_the_export_is_the_active_directory_as_the_guide_has_it(service: Service) -> None:
    await taken(service)
    told = [each async for each in telling.export(service.wiring.context)]
    names = sorted(each["name"] for each in told)
    assert names == [
        "Forklift course", "House at Station Road", "Lakeview Employment Center", "Mill Street Hall",
        "Northside Housing Partnership", "Rooms for families",
    ]  # fmt: skip
    for each in told:
        assert each["meta"]["lastUpdated"]
        assert each["meta"]["profile"] == [
            f"http://hl7.org/fhir/us/hsds/StructureDefinition/hsds-{each['resourceType']}"
        ]


@pytest.mark.skipif(not HSDS.is_file(), reason="the guide's package is not on this machine")
async def test_what_is_exported_meets_the_profiles_of_the_guide(service: Service) -> None:
    await taken(service)
    guide = load((str(HSDS),))
    told = [each async for each in telling.export(service.wiring.context)]
    assert {each["resourceType"] for each in told} == {"Organization", "HealthcareService", "Location"}
    found = [
        (each["name"], issue.rule, issue.expression, issue.text)
        for each in told
        for issue in guide.validate(each)
        if issue.fails
    ]
    assert found == []
    for each in told:
        if each["resourceType"] == "HealthcareService":
            bare = {name: value for name, value in each.items() if name != "providedBy"}
            assert any(issue.fails for issue in guide.validate(bare)), "the guide's profile is what judges"


async def test_what_nobody_vouched_for_is_stale_and_the_oldest_comes_first(service: Service) -> None:
    await taken(service)
    rows = await telling.stale(service.wiring.context, 30)
    assert [(each.name, each.assured.isoformat(), each.source) for each in rows] == [
        ("Forklift course", "2024-05-01", "county"),
        ("Rooms for families", "2026-01-10", "county"),
    ]
    age = (system_clock() - timedelta(days=1)).date() - rows[1].assured
    assert [each.name for each in await telling.stale(service.wiring.context, age.days + 2)] == [
        "Forklift course"
    ]


@contextmanager
def api(pages: dict[str, Any]) -> Iterator[str]:
    """An HSDS API that answers these paths."""

    class Answering(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            page = pages.get(self.path.split("&")[0])
            body = encode(page) if page is not None else b"{}"
            self.send_response(200 if page is not None else 404)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answering)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


async def test_the_pages_of_an_api_are_all_read_and_summaries_asked_for_in_full(service: Service) -> None:
    whole = {"id": "s1", "name": "Rooms", "organization": {"id": "o", "name": "Northside"}}
    pages = {
        "/v3/services?page=1": {"total_pages": 2, "contents": [whole]},
        "/v3/services?page=2": {"total_pages": 2, "contents": [{"id": "s2", "name": "Beds"}]},
        "/v3/services/s2": {"id": "s2", "name": "Beds", "organization": {"id": "o", "name": "Northside"}},
    }
    wiring = service.wiring
    with api(pages) as url:
        listing = await reading.read_url(wiring.context, wiring.outside, f"{url}/v3")
    assert sorted(row["name"] for row in listing.rows("service").values()) == ["Beds", "Rooms"]
    assert {row["organization_id"] for row in listing.rows("service").values()} == {"o"}


async def test_an_api_that_is_none_or_may_not_be_called_says_so(service: Service) -> None:
    context, outside = service.wiring.context, service.wiring.outside
    with api({"/services?page=1": {"items": []}}) as url:
        with pytest.raises(Refused, match="no page of an HSDS API"):
            await reading.read_url(context, outside, url)
        with pytest.raises(Unavailable, match="it answered 404"):
            await reading.read_url(context, outside, f"{url}/elsewhere")
    with pytest.raises(Refused, match=r"169\.254\.169\.254"):
        await reading.read_url(context, outside, "https://169.254.169.254/latest")


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("broken.json", b"{", "broken.json is not usable JSON"),
        ("broken.ndjson", b'{"id":"a","name":"A"}\n{"id"', "broken.ndjson:2 is not usable JSON"),
        ("service.csv", b'id,name\n1,"open', "service.csv:1 is no CSV"),
        ("service.csv", b"id,name\n1,\xff", "it is not UTF-8"),
    ],
)
def test_a_file_that_cannot_be_read_is_named(tmp_path: Path, name: str, content: bytes, words: str) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(Refused, match=words):
        reading.read_path(tmp_path)
