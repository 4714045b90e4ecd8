"""Fourteen months, forty clients, four agencies: what fourteen_months.md says must come of it, comes of it, to the day."""

import difflib
from collections import defaultdict
from collections.abc import Iterable
from datetime import timedelta
from pathlib import Path
from typing import Any

from county import County, county
from happenings import live
from page import ZONE, Page, last_day, local_day, moment, read, subject_of, timer_of

from service.flows.due import report as reports
from service.flows.gpra import report as gpra

HOLIDAYS = [
    "2026-05-25", "2026-06-19", "2026-07-03", "2026-09-07", "2026-11-11", "2026-11-26", "2026-11-27", "2026-12-25",
    "2027-01-01", "2027-01-18", "2027-02-15",
]  # fmt: skip
STOPS, STARTS, ENDS = moment("2026-08-10 08:00"), moment("2026-08-17 08:00"), moment("2027-04-30 23:00")
WORDS = {"due-soon": "soon", "due": "day", "overdue": "late", "escalated": "up"}
ENDED = {"completed": "done", "cancelled": "dropped", "requested": "open"}


async def test_what_must_come_of_fourteen_months_comes_of_them_to_the_day(
    database_url: str, tmp_path: Path
) -> None:
    page = read(Path(__file__).with_name("fourteen_months.md"))
    assert len({step.client for step in page.steps if step.client}) == 40
    async with county(database_url, tmp_path, HOLIDAYS) as here:
        async with here.open():
            await live(here, [step for step in page.steps if step.at < STOPS])
            await here.until(STOPS)
        async with here.open():
            await _nothing_is_doubled(here)
            await live(here, [step for step in page.steps if step.at > STARTS])
            await here.until(ENDS)
            before = await _everything(here)
            await here.replay("leslie", "lakeview-1", "conflict-1", "complaint-1", "waiting-1", "intensive-1")
            await here.look()
            assert await _everything(here) == before, "what was sent again is told again"
            found = await _found(here, page)
    wrong = [line for table in page.rows for line in _differences(table, page.rows[table], found[table])]
    assert not wrong, "\n".join(("", *wrong))


async def _nothing_is_doubled(here: County) -> None:
    """A week has passed; the clock goes wrong by an hour, in which everything is sent once more, and comes right."""
    here.at = STARTS
    await here.look()
    before = await _everything(here)
    here.at = STARTS - timedelta(hours=1)
    await here.replay()
    await here.look()
    here.at = STARTS
    await here.look()
    assert await _everything(here) == before


async def _everything(here: County) -> Any:
    tasks = {task["id"]: task for task in await here.tasks()}
    return tasks, await here.events()


async def _found(here: County, page: Page) -> dict[str, list[tuple[str, ...]]]:
    """What came of it, in the words of the page."""
    events = await here.events()
    found = {
        "timer": _dues(await here.tasks(), await here.owners(), events),
        "client": [],
        "told": _told(page, events),
        "task": [("", *each, ENDED[status]) for *each, status in await here.questions()],
    }
    for client in dict.fromkeys(row[1] for row in page.rows["client"]):
        found["client"] += [("", client, *each) for each in await here.leads(client)]
    day = here.at.astimezone(ZONE).date()
    found["gpra"] = [
        ("", due.client, f"{due.opens}", f"{due.due}", f"{due.closes}", f"{due.met or ''}", due.state(day))
        for due in (each.due for each in await gpra.owed(here.context, None))
    ]
    found["month"] = [row for each in page.rows["month"] for row in await _load(here, each[1], each[2])]
    return found


def _dues(
    tasks: Iterable[dict[str, Any]], owners: dict[str, list[str]], events: Iterable[dict[str, Any]]
) -> list[tuple[str, ...]]:
    told: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for event in events:
        if "timer" in event:
            told[event["task"]].append(event)
    rows = []
    for task in tasks:
        client = task["identifier"][0]["value"].split("/")[1]
        own = told[f"Task/{task['id']}"]
        rows.append((
            client, timer_of(task), subject_of(task, client), last_day(task["restriction"]["period"]["end"]),
            " → ".join(owners[task["id"]]), ", ".join(map(_word, own)), ENDED[task["status"]],
        ))  # fmt: skip
    return rows


def _word(event: dict[str, Any]) -> str:
    word = WORDS.get(event["kind"]) or ("done" if event["done"] else "dropped")
    return f"{word} {local_day(event['at'])}"


def _told(page: Page, events: Iterable[dict[str, Any]]) -> list[tuple[str, ...]]:
    kinds = {row[1] for row in page.rows["told"]}
    return [
        ("", each["kind"], each["client"], local_day(each["at"])) for each in events if each["kind"] in kinds
    ]


async def _load(here: County, month: str, worker: str) -> list[tuple[str, ...]]:
    return [
        ("", month, each.worker, *map(str, (each.clients, each.intensive, each.standing, each.contacts, each.expected,
                                            each.below)), ", ".join(f"{k} {n}" for k, n in each.places.items()))
        for each in await reports.caseloads(here.context, month) if each.worker == worker
    ]  # fmt: skip


def _differences(
    table: str, expected: Iterable[tuple[str, ...]], found: Iterable[tuple[str, ...]]
) -> list[str]:
    """What a supervisor would cross out in the page, and write beside it."""
    one, other = ([" | ".join(row) for row in sorted(rows)] for rows in (expected, found))
    lines = difflib.unified_diff(one, other, f"{table}: expected", f"{table}: found", lineterm="", n=0)
    return [line for line in lines if not line.startswith("@@")]
