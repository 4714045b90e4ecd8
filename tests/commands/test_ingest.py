"""`casebridge ingest`: each line by the rules of a write, each outcome told, nothing twice."""

import asyncio
import gzip
import os
import signal
import sys
from pathlib import Path
from typing import Any

import pytest
from parts import SECRET, Service

from service.commands.ingest import file_all, summary
from service.fhir.json import decode_object, encode
from service.flows import onboard_partner
from service.kernel.failures import Refused

HARBOR, RIVERBEND = "Harbor Recovery Services", "Riverbend Family Health"


class Desk:
    """A service, its folder, and the command: in this process, or as one of its own."""

    def __init__(self, service: Service, folder: Path, database_url: str) -> None:
        self.service, self.folder = service, folder
        self.env = {
            **os.environ, "CASEBRIDGE_DATABASE_URL": database_url, "CASEBRIDGE_DATA_DIR": str(folder),
            "CASEBRIDGE_SECRET_KEY": SECRET, "CASEBRIDGE_PUBLIC_URL": service.url,
        }  # fmt: skip

    def file(self, name: str, *resources: Any) -> Path:
        lines = (each if isinstance(each, bytes) else encode(each) for each in resources)
        path = self.folder / name
        path.write_bytes(b"".join(line + b"\n" for line in lines))
        return path

    async def start(self, *words: object) -> asyncio.subprocess.Process:
        pipe = asyncio.subprocess.PIPE
        command = (sys.executable, "-m", "service", "ingest", *map(str, words))
        return await asyncio.create_subprocess_exec(*command, stdout=pipe, stderr=pipe, env=self.env)

    async def run(self, file: Path, partner: str = HARBOR, report: Path | None = None) -> str:
        """The command's story in this process, and its summary."""
        return summary(await file_all(self.service.wiring, [file], partner, report))

    def told(self, report: Path) -> list[dict[str, Any]]:
        return [
            decode_object(line)
            for line in report.read_bytes().splitlines()
            if line.startswith(b"{") and line.endswith(b"}")
        ]

    async def count(self, table: str = "resource") -> int:
        async with self.service.wiring.context.database.reading() as connection:
            return int(await connection.fetchval(f"SELECT count(*) FROM {table} WHERE type = 'Patient'"))


@pytest.fixture
async def desk(service: Service, tmp_path: Path, database_url: str) -> Desk:
    await service.partner(HARBOR, "casework")
    await service.partner(RIVERBEND, "ehr")
    return Desk(service, tmp_path, database_url)


def person(id_: str, **more: Any) -> dict[str, Any]:
    return {"resourceType": "Patient", "id": id_, "name": [{"family": "Moreno"}], **more}


def deletion(*urls: str) -> dict[str, Any]:
    entries = [{"request": {"method": "DELETE", "url": url}} for url in urls]
    return {"resourceType": "Bundle", "type": "transaction", "entry": entries}


async def test_every_line_is_filed_or_told_why_not(desk: Desk) -> None:
    report = desk.folder / "report.ndjson"
    file = desk.file(
        "some.ndjson", person("leslie"), b"", b"{broken", person("jonah", gender="bogus"), {"id": "x"},
        {"resourceType": "Nonsense", "id": "x"}, {"resourceType": "Bundle", "type": "collection"},
    )  # fmt: skip
    assert await desk.run(file, report=report) == "1 created, 5 refused"
    told = desk.told(report)
    assert [(each["line"], each["outcome"]) for each in told] == [
        (1, "created"), (3, "refused"), (4, "refused"), (5, "refused"), (6, "refused"), (7, "refused"),
    ]  # fmt: skip
    assert told[0]["reference"] == "Patient/leslie"
    assert all(each["issues"] for each in told[1:])
    assert "gender" in told[2]["issues"][0]
    assert "Moreno" not in report.read_text()


async def test_the_same_again_makes_nothing_twice_with_ids_or_without(desk: Desk) -> None:
    bare = {"resourceType": "Patient", "name": [{"family": "Alder"}]}
    file = desk.file("two.ndjson", person("leslie"), bare)
    assert await desk.run(file) == "2 created"
    assert await desk.run(file) == "2 unchanged"
    assert (await desk.count(), await desk.count("resource_version")) == (2, 0)


async def test_a_run_that_was_killed_goes_on_where_its_report_ends(desk: Desk) -> None:
    """Killed with -9 in the middle, its report torn in the middle of a row."""
    report = desk.folder / "report.ndjson"
    file = desk.file("many.ndjson", *(person(f"p{number}") for number in range(300)))
    process = await desk.start(file, "--as", HARBOR, "--report", report)
    while not report.is_file() or len(desk.told(report)) < 20:
        assert process.returncode is None
        await asyncio.sleep(0.02)
    process.send_signal(signal.SIGKILL)
    await process.wait()
    before = len(desk.told(report))
    assert before < 300
    with report.open("r+b") as torn:
        torn.truncate(report.stat().st_size - 10)
    assert f"{before - 1} already taken" in await desk.run(file, report=report)
    assert {each["line"] for each in desk.told(report)} == set(range(1, 301))
    assert (await desk.count(), await desk.count("resource_version")) == (300, 0)


async def test_what_was_refused_is_tried_again_and_a_changed_line_is_a_new_one(desk: Desk) -> None:
    report = desk.folder / "report.ndjson"
    file = desk.file("some.ndjson", person("leslie"), person("jonah", gender="bogus"))
    assert await desk.run(file, report=report) == "1 created, 1 refused"
    file = desk.file("some.ndjson", person("leslie"), person("jonah", gender="male"))
    assert await desk.run(file, report=report) == "1 already taken, 1 created"


async def test_deletions_of_an_export_are_done_once(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    people = desk.file("people.ndjson", person("leslie"), person("jonah"))
    await desk.run(people)
    gone = desk.file("gone.ndjson", deletion("Patient/leslie"))
    assert await desk.run(gone) == "1 deleted"
    assert await desk.run(gone) == "1 unchanged"
    mixed = deletion("Patient/jonah")
    mixed["entry"].append({"request": {"method": "PUT", "url": "Patient/jonah"}, "resource": person("jonah")})
    assert await desk.run(desk.file("mixed.ndjson", mixed)) == "1 refused"
    assert "mixed.ndjson:1: a Bundle in a line is a transaction of deletions" in capsys.readouterr().err


async def test_a_partner_ingests_no_more_than_it_may_write(
    desk: Desk, capsys: pytest.CaptureFixture[str]
) -> None:
    """Another's resource is not there for it; its own lines are its own."""
    await desk.run(desk.file("theirs.ndjson", person("leslie")))
    own = {"resourceType": "Patient", "name": [{"family": "Alder"}]}
    ours = desk.file("ours.ndjson", person("leslie", gender="male"), own, deletion("Patient/leslie"))
    assert await desk.run(ours, RIVERBEND) == "1 created, 1 refused, 1 unchanged"
    assert "Patient/leslie does not exist here" in capsys.readouterr().err
    async with await desk.service.client(HARBOR) as harbor:
        kept = decode_object((await harbor.get("/fhir/Patient/leslie")).content)
    assert "gender" not in kept


async def test_compressed_files_are_read_and_a_line_that_is_too_long_is_refused_alone(
    desk: Desk, capsys: pytest.CaptureFixture[str]
) -> None:
    long = encode(person("long", text={"status": "generated", "div": "x" * 6_000_000}))
    path = desk.folder / "some.ndjson.gz"
    path.write_bytes(gzip.compress(b"\n".join([encode(person("a")), long, encode(person("b"))])))
    assert await desk.run(path) == "2 created, 1 refused"
    assert ":2: the line is longer than" in capsys.readouterr().err


async def test_a_disabled_partner_ingests_nothing_and_the_command_ends_with_1(desk: Desk) -> None:
    file = desk.file("some.ndjson", person("leslie"))
    await onboard_partner.disable(desk.service.wiring.context, RIVERBEND)
    with pytest.raises(Refused, match="no enabled partner"):
        await desk.run(file, RIVERBEND)
    broken = desk.file("broken.ndjson", b"{")
    process = await desk.start(broken, "--as", HARBOR)
    out, err = await process.communicate()
    assert (process.returncode, out) == (1, b"1 refused\n")
    assert b"broken.ndjson:1: the line is not usable JSON" in err
    assert await desk.count() == 0
