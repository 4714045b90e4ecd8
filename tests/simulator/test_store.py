"""The simulated agency's own store: versions, all or nothing, and a file that survives."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from service.simulator.store import Put, Refusal, Store

NOON = datetime(2026, 3, 9, 12, tzinfo=UTC)


def task(status: str) -> dict:
    return {"resourceType": "Task", "id": "ignored", "meta": {"tag": [{"code": "x"}]}, "status": status}


def test_every_version_is_kept_with_its_own_moment():
    store = Store(clock=lambda: NOON)
    store.keep([Put("Task", "1", task("requested"))])
    store.keep([Put("Task", "1", task("accepted"), expected=1)])
    first, second = store.history("Task", "1")
    assert (first.etag, second.etag) == ('W/"1"', 'W/"2"')
    assert first.at < second.at
    assert second.resource["id"] == "1"
    assert second.resource["meta"]["tag"] == [{"code": "x"}]


def test_a_stale_version_changes_nothing_at_all():
    store = Store()
    store.keep([Put("Task", "1", task("requested"))])
    with pytest.raises(Refusal) as refused:
        store.keep([Put("Task", "2", task("requested")), Put("Task", "1", task("accepted"), expected=7)])
    assert refused.value.status == 412
    assert store.current("Task", "2") is None
    assert store.current("Task", "1").resource["status"] == "requested"


def test_a_deleted_resource_keeps_its_history():
    store = Store()
    store.keep([Put("Task", "1", task("requested"))])
    store.keep([Put("Task", "1", None)])
    assert store.current("Task", "1") is None
    assert not list(store.all("Task"))
    assert len(store.history("Task", "1")) == 2


def test_with_a_file_it_remembers_after_a_restart(tmp_path: Path):
    file = tmp_path / "store.ndjson"
    Store(file).keep([Put("Task", "1", task("requested"))])
    Store(file).keep([Put("Task", "1", task("accepted"), expected=1)])
    assert Store(file).current("Task", "1").resource["status"] == "accepted"
