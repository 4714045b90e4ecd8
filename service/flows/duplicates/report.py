"""What was found to be served twice, what came of it, and what was not given twice since: from what is remembered."""

from collections import Counter, defaultdict
from dataclasses import dataclass
from datetime import date

from service.flows.context import Context
from service.store import duplicates
from service.store.duplicates import Duplicate


@dataclass(frozen=True, slots=True)
class Line:
    """One service over all clients. `hidden`: of those found, how many one of the agencies could not be told of.
    `sessions` and `weekly`: what is not given twice since, until the end where that is known, else a week."""

    service: str
    found: int
    certain: int
    possible: int
    hidden: int
    open: int
    withdrawn: int
    agreed: int
    kept: int
    over: int
    sessions: float
    weekly: float


async def duplicates_report(
    context: Context, since: date | None = None, until: date | None = None
) -> list[Line]:
    """By service and in all (`*`); with `since` or `until` what was found on those days of the agency."""
    async with context.database.reading() as connection:
        everything = await duplicates.everything(connection)
    zone = context.settings.zone
    wanted = [
        each
        for each in everything
        if (since is None or each.found.astimezone(zone).date() >= since)
        and (until is None or each.found.astimezone(zone).date() <= until)
    ]
    by_service: dict[str, list[Duplicate]] = defaultdict(list)
    for each in wanted:
        by_service[each.service].append(each)
    lines = [_line(service, by_service[service]) for service in sorted(by_service)]
    return [*lines, _line("*", wanted)] if wanted else []


def _line(service: str, found: list[Duplicate]) -> Line:
    grades = Counter(each.grade for each in found)
    ways = Counter(each.resolution or "open" for each in found)
    return Line(
        service, len(found), grades["certain"], grades["possible"], sum(bool(each.hidden) for each in found),
        ways["open"], ways["withdrawn"], ways["agreed"], ways["kept"], ways["over"],
        round(sum(each.units or 0 for each in found), 1), round(sum(each.weekly or 0 for each in found), 2),
    )  # fmt: skip
