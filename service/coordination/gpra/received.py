"""Services received, counted across agencies without counting one twice: what section K asks at discharge.

What several agencies say of the same service in overlapping periods is taken to be the same service told twice: the
most that one of them says counts. One agency's single contacts and its own summary of the period are the same, too.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True, slots=True)
class Given:
    """A service given from `start` to `end` (both included), so many days or sessions; `code` of gpra-service."""

    code: str
    agency: str
    start: date
    end: date
    count: int = 1


def received(given: Iterable[Given], since: date | None = None) -> dict[str, int]:
    """Days or sessions by code, of what ended on or after `since`. The order of what was given does not matter."""
    kept = [each for each in set(given) if since is None or each.end >= since]
    found: dict[str, int] = {}
    for code in sorted({each.code for each in kept}):
        own = sorted(
            (each for each in kept if each.code == code), key=lambda each: (each.start, each.end, each.agency)
        )
        found[code] = sum(map(_counted, _overlapping(own)))
    return found


def _overlapping(given: Sequence[Given]) -> list[list[Given]]:
    """What touches in time, together; `given` by start."""
    groups: list[list[Given]] = []
    until = date.min
    for each in given:
        if not groups or each.start > until:
            groups.append([])
        groups[-1].append(each)
        until = max(until, each.end) if len(groups[-1]) > 1 else each.end
    return groups


def _counted(group: Sequence[Given]) -> int:
    """The most that one agency says."""
    told = []
    for agency in {each.agency for each in group}:
        own = [each for each in group if each.agency == agency]
        contacts = sum(each.count for each in own if each.start == each.end)
        periods = sum(each.count for each in own if each.start < each.end)
        told.append(max(contacts, periods))
    return max(told, default=0)
