"""fourteen_months.md, read: what happens to whom and when, and the rows of what is expected."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

ZONE = ZoneInfo("America/New_York")


@dataclass(frozen=True, order=True)
class Step:
    """Something that happens to a client; `words` are those of the page."""

    at: datetime
    client: str
    words: tuple[str, ...] = field(compare=False)


@dataclass
class Page:
    """fourteen_months.md: what happens, and what is expected, row by row."""

    steps: list[Step] = field(default_factory=list)
    rows: dict[str, list[tuple[str, ...]]] = field(default_factory=lambda: defaultdict(list))
    """Table (`due`, `leads`, …) → its rows, the client first."""


def read(path: Path) -> Page:
    """The page. A heading names the clients behind a colon; a table's first column head says which table it is."""
    page, clients, table = Page(), [""], ""
    for line in path.read_text(encoding="utf-8").splitlines():
        if line.startswith("#"):
            clients = [each.strip() for each in line.partition(":")[2].split(",")] if ":" in line else [""]
        if not line.startswith("|") or set(line) <= set("|-: "):
            table = table if line.startswith("|") else ""
            continue
        cells = tuple(each.strip() for each in line.strip("|").split("|"))
        if not table:
            table = cells[0]
        elif table == "when":
            page.steps += [step for client in clients for step in _steps(client, *cells)]
        else:
            page.rows[table] += [(client, *cells) for client in clients]
    page.steps.sort(key=lambda step: step.at)
    return page


def _steps(client: str, when: str, what: str) -> Iterator[Step]:
    """`2026-03-02`, `2026-03-02 16:30`; of contacts `2026-05` with the days of the month among the words."""
    words = tuple(what.split())
    if len(when) == 7:
        for day in words[2:]:
            yield Step(moment(f"{when}-{int(day):02}"), client, words[:2])
        return
    yield Step(moment(when), client, words)


def moment(when: str) -> datetime:
    """Ten in the morning where no hour is said."""
    said = datetime.fromisoformat(when)
    return (said if len(when) > 10 else said + timedelta(hours=10)).replace(tzinfo=ZONE).astimezone(UTC)


def timer_of(task: dict[str, Any]) -> str:
    coding = task.get("reasonCode", {}).get("coding", [{}])[0]
    return str(coding.get("code", "")) if str(coding.get("system", "")).endswith("/timer") else ""


def subject_of(task: dict[str, Any], client: str) -> str:
    """What the Task is about, in the page's words: `room`, `2` (of a chain), `2026-06`, or nothing but the case."""
    said = task["identifier"][0]["value"].split("/", 3)[3]
    if said.startswith("Encounter/"):
        return "admitted" if timer_of(task) == "T7" else "leaving"
    name = said.rpartition("/")[2].removeprefix(client).removeprefix("-")
    if name.startswith("crisis-"):
        return "crisis"
    head, mark, number = name.partition("#")
    return f"{head} {number}" if mark and "/" in said else number or head


def local_day(when: str) -> str:
    return f"{datetime.fromisoformat(when).astimezone(ZONE):%Y-%m-%d}"


def last_day(when: str) -> str:
    """The last day before an instant that ends a day; else the instant itself."""
    end = datetime.fromisoformat(when).astimezone(ZONE)
    return f"{end - timedelta(days=1):%Y-%m-%d}" if end.time() == time() else f"{end:%Y-%m-%d %H:%M}"
