"""What records say becomes facts, and what falls due because of them is what the funder's own windows say."""

from datetime import UTC, date, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from service.casework.records.client import Client
from service.casework.records.gpra_interview import GpraInterview
from service.coordination.calendar import calendar
from service.coordination.gpra.windows import Held, windows
from service.coordination.timers import due
from service.mapping.facts import Filed, case

NOW = datetime(2027, 6, 1, tzinfo=UTC)
CLIENT = Client(id="leslie", name={"family": "Moreno"})  # type: ignore[arg-type]
DAYS = calendar("UTC")

KEYS = st.tuples(st.sampled_from(["intake", "three-month", "six-month", "discharge"]), st.integers(1, 3))
SAID = st.tuples(st.integers(0, 400), st.sampled_from([None, "01", "11", "31"]))


def interview(type_: str, sequence: int, after: int, follow_up: str | None) -> GpraInterview:
    """`after`: days after the intake of the same number, which is 100 days after the one before."""
    day = date(2026, 1, 5) + timedelta(days=100 * sequence + (0 if type_ == "intake" else after))
    return GpraInterview(
        id=f"{type_}-{sequence}", client="leslie", grant="TI-1", gpra_client="HRS-1", type=type_, sequence=sequence,  # type: ignore[arg-type]
        date=str(day), follow_up=None if type_ in ("intake", "discharge") else follow_up,
        conducted=type_ in ("intake", "discharge") or follow_up == "11",
    )  # fmt: skip


@given(st.dictionaries(KEYS, SAID, max_size=8))
def test_the_task_of_a_gpra_follow_up_stands_as_the_window_does(
    said: dict[tuple[str, int], tuple[int, str]],
) -> None:
    held = [interview(*key, *value) for key, value in said.items()]
    owed = windows([
        Held(each.grant, each.gpra_client, each.type, each.sequence, date.fromisoformat(each.date), each.conducted,
             each.follow_up or "") for each in held
    ])  # fmt: skip
    facts = case(CLIENT, [Filed("gpra-interviews", each.id, each, NOW, NOW) for each in held], [], [], DAYS)
    found = {each.subject: each for each in due(facts, DAYS, NOW) if each.timer == "T17"}

    assert {*found} == {f"gpra/{each.grant}/{each.sequence}" for each in owed}
    for each in owed:
        item = found[f"gpra/{each.grant}/{each.sequence}"]
        assert (item.opens, item.due) == (midnight(each.opens), midnight(each.closes + timedelta(days=1)))
        assert (item.closed is not None, item.ended is not None) == (
            bool(each.met),
            bool(each.met or each.ended),
        )


def midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=UTC)
