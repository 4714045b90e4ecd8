"""Which of a partner's Task versions is the later one."""

from typing import Any

import pytest

from service.flows.follow_tasks import _version, later


def version(when: str | None = None, number: str | None = None, status: str = "requested") -> str:
    meta = {name: text for name, text in (("lastUpdated", when), ("versionId", number)) if text}
    task: dict[str, Any] = {"resourceType": "Task", "status": status}
    return _version(task | ({"meta": meta} if meta else {}))


@pytest.mark.parametrize(
    ("older", "newer"),
    [
        (("2026-03-09T10:00:00Z", "9"), ("2026-03-09T10:00:00Z", "10")),
        (("2026-03-09T10:00:00Z", "1"), ("2026-03-09T10:00:00.5Z", "2")),
        (("2026-03-09T10:00:00.5Z", "1"), ("2026-03-09T10:00:00.51Z", "2")),
        (("2026-03-09T11:00:00+01:00", "1"), ("2026-03-09T10:30:00Z", "2")),
        (("2026-03-09T10:00:00Z", "zz"), ("2026-03-09T10:00:01Z", "aa")),
        ((None, "9"), (None, "10")),
    ],
)
def test_instants_are_compared_as_instants_and_numbers_as_numbers(older: Any, newer: Any) -> None:
    assert later(version(*newer), version(*older))
    assert not later(version(*older), version(*newer))
    assert not later(version(*newer), version(*newer))


def test_without_time_and_number_another_content_is_alater_version() -> None:
    before, after = version(), version(status="accepted")
    assert later(after, before)
    assert not later(after, after)


def test_the_first_version_is_news_and_nonsense_is_survived() -> None:
    assert later(version("2026-03-09T10:00:00Z", "1"), None)
    assert later(version("2026-03-09T10:00:00Z", "1"), version("last Tuesday", "x"))
