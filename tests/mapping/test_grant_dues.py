"""What interviews under a grant ask for beside the follow-up, to the day: discharge, entry, and the times of SUPRT."""

from datetime import UTC, date, datetime
from typing import Any

import pytest

from service.casework import records as words
from service.coordination.calendar import calendar
from service.coordination.choices import choices
from service.coordination.stages import outcome
from service.coordination.timers import STANDARD, Chosen, Due, due
from service.kernel.failures import Refused
from service.mapping.facts import Filed, case

NOW = datetime(2027, 12, 1, 12, tzinfo=UTC)
DAYS = calendar("UTC", holidays=[date(2026, 5, 25)])
OPEN = {"status": "active", "start": "2026-03-02", "primaryCaseManager": "victoria"}
OVER = {"status": "finished", "start": "2026-03-02", "end": "2026-11-20"}


def filed(kind: str, id_: str, record: dict[str, Any], first: str = "2026-03-05") -> Filed:
    at = datetime.fromisoformat(f"{first}T15:00:00+00:00")
    return Filed(kind, id_, words.read(kind, id_, {"id": id_, **record}), at, at)


def gpra(type_: str, day: str, first: str = "", **more: Any) -> Filed:
    said = {"client": "leslie", "grant": "TI-1", "gpraClient": "HRS-1", "type": type_, "date": day, **more}
    return filed("gpra-interviews", f"{said.get('tool', 'gpra')}-{type_}-{day}", said, first or day)


def suprt(type_: str, day: str, **more: Any) -> Filed:
    return gpra(type_, day, tool="suprt-a", version="2025.1", **more)


def dues(
    episode: dict[str, Any], *held: Filed, chosen: Chosen = STANDARD, now: datetime = NOW
) -> dict[str, list[Due]]:
    client = filed("clients", "leslie", {"name": {"family": "Moreno"}, "episode": episode})
    facts = case(client.record, [client, *held], [], [], DAYS)  # type: ignore[arg-type]
    found: dict[str, list[Due]] = {}
    for item in due(facts, DAYS, now, chosen):
        found.setdefault(item.timer, []).append(item)
    return found


def last(item: Due) -> str:
    return f"{item.last:%Y-%m-%d}"


def closing(reason: str) -> Filed:
    said = {"client": "leslie", "status": "closed", "closed": "2026-11-20", "reason": reason}
    return filed("closings", "c", said, "2026-11-20")


def test_the_discharge_interview_is_due_on_the_day_of_the_discharge() -> None:
    found = dues(OVER, gpra("intake", "2026-03-03"), closing("goals-met"))
    [item] = found["T20"]
    assert (last(item), outcome(item, NOW)) == ("2026-11-20", "overdue")
    assert "T21" not in found
    done = dues(OVER, gpra("intake", "2026-03-03"), gpra("discharge", "2026-11-19"), closing("goals-met"))
    assert outcome(done["T20"][0], NOW) == "on time", "held the day before, when the client was still there"
    late = dues(OVER, gpra("intake", "2026-03-03"), gpra("discharge", "2026-11-24"), closing("goals-met"))
    assert outcome(late["T20"][0], NOW) == "late"


def test_a_client_who_is_lost_is_discharged_administratively_within_fourteen_days() -> None:
    found = dues(OVER, gpra("intake", "2026-03-03"), closing("lost-contact"))
    [item] = found["T21"]
    assert last(item) == "2026-12-04" and "T20" not in found
    done = gpra("discharge", "2026-12-04", conducted=False)
    assert (
        outcome(dues(OVER, gpra("intake", "2026-03-03"), done, closing("lost-contact"))["T21"][0], NOW)
        == "on time"
    )


def test_without_an_intake_no_discharge_is_owed_and_while_the_case_is_open_neither() -> None:
    assert "T20" not in dues(OVER, closing("goals-met"))
    assert "T20" not in dues(OPEN, gpra("intake", "2026-03-03"))


@pytest.mark.parametrize(
    ("first", "status", "how"),
    [
        ("2026-05-29", "completed", "on time"),
        ("2026-06-01", "completed", "late"),
        ("2026-05-20", "in-progress", "overdue"),
    ],
)
def test_an_interview_is_entered_within_seven_working_days(first: str, status: str, how: str) -> None:
    """Held on Tuesday 19 May; the 25th is a holiday: the seventh working day is Friday 29 May."""
    found = dues(OPEN, gpra("intake", "2026-05-19", first, status=status))
    [item] = found["T22"]
    assert (last(item), outcome(item, NOW)) == ("2026-05-29", how)


def test_an_interview_that_was_not_held_has_nothing_to_enter() -> None:
    held = [gpra("intake", "2026-03-03"), gpra("six-month", "2026-10-20", conducted=False, followUp="31")]
    assert len(dues(OPEN, *held)["T22"]) == 1


def test_suprt_asks_for_a_baseline_a_reassessment_every_year_and_a_closeout() -> None:
    begun = dues(OPEN, suprt("intake", "2026-03-10", status="in-progress"))
    assert [last(each) for each in begun["T23"]] == ["2026-04-01"]
    assert not {"T24", "T25", "T17", "T22"} & begun.keys()

    found = dues(OPEN, suprt("intake", "2026-03-10"))
    assert outcome(found["T23"][0], NOW) == "on time"
    [item] = found["T24"]
    assert (f"{item.opens:%Y-%m-%d}", last(item)) == ("2026-08-07", "2026-10-06"), "day 180 is 6 September"
    windows = [(f"{each.opens:%Y-%m-%d}", last(each)) for each in found["T25"]]
    assert windows == [("2027-02-08", "2027-04-09"), ("2028-02-09", "2028-04-09")]
    assert not {"T17", "T22", "T26"} & found.keys()

    left = dues(OVER, suprt("intake", "2026-03-10"), closing("goals-met"))
    assert [last(each) for each in left["T26"]] == ["2026-12-20"]
    assert outcome(left["T24"][0], NOW) == "missed" and "T25" not in left
    assert not {"T20", "T21"} & left.keys()


def test_what_is_done_closes_its_own_timepoint() -> None:
    held = [suprt("intake", "2026-03-10"), suprt("six-month", "2026-09-01"), suprt("annual", "2027-03-20")]
    found = dues(OPEN, *held)
    assert outcome(found["T24"][0], NOW) == "on time"
    assert [outcome(each, NOW) for each in found["T25"]] == ["on time", "open"]
    out = [*held, suprt("discharge", "2026-12-01"), closing("goals-met")]
    assert outcome(dues(OVER, *out)["T26"][0], NOW) == "on time"


def test_the_clients_own_answers_alone_meet_nothing() -> None:
    own = gpra("intake", "2026-03-10", tool="suprt-c", version="2025.1")
    assert not {"T23", "T24", "T25", "T17", "T22"} & dues(OPEN, own).keys()


def test_a_grant_may_ask_for_the_reassessment_on_day_ninety() -> None:
    other = suprt("intake", "2026-03-10", grant="TI-2", gpraClient="HRS-2")
    chosen = choices({"grants": {"TI-2": {"T24": {"due": 90}}}, "T20": {"off": True}})
    found = dues(OPEN, suprt("intake", "2026-03-10"), other, chosen=chosen)
    assert {each.subject: last(each) for each in found["T24"]} == {
        "gpra/TI-1/1": "2026-10-06", "gpra/TI-2/1": "2026-07-08",
    }  # fmt: skip


def test_a_new_intake_is_discharged_not_the_old_one() -> None:
    held = [gpra("intake", "2026-03-03"), gpra("intake", "2026-07-01", sequence=2)]
    assert [each.subject for each in dues(OVER, *held, closing("goals-met"))["T20"]] == ["gpra/TI-1/2"]


def test_the_yearly_interview_of_gpra_is_no_more() -> None:
    with pytest.raises(Refused) as refused:
        gpra("annual", "2027-03-20")
    assert "annual is an assessment of SUPRT" in str([issue.text for issue in refused.value.issues])
