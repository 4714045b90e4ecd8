"""T1 to T19, one after the other: from what time is counted, to which day, and what ends it (CASEWORK.md §4.1).

March 2026 begins on a Sunday. The agency is in New York; 25 May and 3 July are holidays.
"""

from datetime import UTC, date, datetime, timedelta
from typing import Any

from service.coordination.calendar import calendar
from service.coordination.facts import Case, Fact
from service.coordination.timers import Due, due, rows

DAYS = calendar("America/New_York", holidays=[date(2026, 5, 25), date(2026, 7, 3)])
LATER = datetime(2026, 12, 31, 17, tzinfo=UTC)


def fact(what: str, day: str, about: str = "", record: str = "") -> Fact:
    """`2026-03-09`, or with the hour in UTC `2026-03-09 15`."""
    on = date.fromisoformat(day[:10])
    at = datetime(on.year, on.month, on.day, int(day[11:]), tzinfo=UTC) if len(day) > 10 else None
    return Fact(what, on, record or f"{what}/{day}", about, at)


def owed(timer: str, *facts: Fact, now: datetime = LATER, **more: Any) -> list[Due]:
    case = Case("leslie", facts, **{"open": True, "tier": "intensive", **more})
    return [each for each in due(case, DAYS, now) if each.timer == timer]


def last(item: Due) -> str:
    """The last day on which it is in time."""
    return str(DAYS.day_of(item.due - timedelta(seconds=1)))


def days(timer: str, *facts: Fact, **more: Any) -> list[tuple[str, str]]:
    """(last day, how it stands)"""
    found = owed(timer, *facts, **more)
    return [
        (last(each), "open" if each.ended is None else "done" if each.closed == each.ended else "moot")
        for each in found
    ]


ROOM = "referrals/room"
OPENED = fact("opened", "2026-03-02")


def test_t1_a_start_is_confirmed_within_two_working_days() -> None:
    scheduled = fact("scheduled", "2026-05-22", ROOM)
    assert days("T1", scheduled) == [("2026-05-27", "open")], "over the week-end and Memorial Day"
    assert days("T1", scheduled, fact("started", "2026-05-20", ROOM)) == [("2026-05-27", "done")]
    assert days("T1", scheduled, fact("started", "2026-05-22", "referrals/other")) == [("2026-05-27", "open")]
    assert days("T1", scheduled, fact("called-off", "2026-05-04", ROOM)) == [("2026-05-27", "moot")]


def test_t2_a_service_is_verified_within_fifteen_working_days() -> None:
    started = fact("started", "2026-03-12", ROOM)
    assert days("T2", started, fact("verified", "2026-03-30", ROOM)) == [("2026-04-02", "done")]
    assert days("T2", started, fact("verified", "2026-03-11", ROOM)) == [("2026-04-02", "open")]


def test_t3_a_service_is_followed_up_every_three_months_until_it_is_over() -> None:
    started = fact("started", "2026-03-12", ROOM)
    followed = [fact("followed-up", day, ROOM) for day in ("2026-03-30", "2026-06-29")]
    assert days("T3", started, *followed) == [
        ("2026-06-12", "done"), ("2026-06-30", "done"), ("2026-09-29", "open"),
    ]  # fmt: skip
    over = fact("finished", "2026-04-10", ROOM)
    assert days("T3", started, *followed, over) == [("2026-06-12", "done"), ("2026-06-30", "moot")]


def test_t4_the_case_is_reviewed_every_three_months_or_when_the_plan_says() -> None:
    planned, reviewed = fact("planned", "2026-03-09"), fact("reviewed", "2026-06-09")
    assert days("T4", planned, reviewed) == [("2026-06-09", "done"), ("2026-09-09", "open")]
    assert days("T4", planned, next_review=date(2026, 5, 4)) == [("2026-05-04", "open")]
    assert days("T4", fact("planned", "2026-08-31")) == [("2026-11-30", "open")], "to the end of the month"


def test_t5_the_supervisor_samples_every_fourth_review() -> None:
    reviews = [fact("reviewed", f"2026-{month:02}-15") for month in range(3, 9)]
    found = owed("T5", *reviews)
    assert [last(each) for each in found] == ["2026-03-27", "2026-07-29"]
    assert rows["T5"].owner == "supervisor"


def test_t6_the_client_is_reassessed_once_a_year() -> None:
    first, second = fact("assessed", "2026-03-05 15"), fact("assessed", "2026-07-15 15")
    assert days("T6", first, second) == [("2027-03-05", "done"), ("2027-07-15", "open")]


def test_t7_a_crisis_or_an_admission_asks_for_a_reassessment_within_five_working_days() -> None:
    for what in ("crisis", "admitted"):
        assert days("T7", fact(what, "2026-07-01 15"), fact("assessed", "2026-07-09 15")) == [
            ("2026-07-09", "done")
        ]
        assert days("T7", fact(what, "2026-07-01 15"), fact("assessed", "2026-07-01 14")) == [
            ("2026-07-09", "open")
        ]


def test_t8_a_service_that_broke_off_asks_for_a_reassessment() -> None:
    assert days("T8", fact("setback", "2026-03-09", ROOM)) == [("2026-03-23", "open")]


def test_t9_a_discharge_notice_asks_for_a_reassessment_within_48_hours_on_the_clock() -> None:
    [item] = owed(
        "T9", fact("discharge-notice", "2026-10-30 19", "Encounter/1"), fact("assessed", "2026-11-01 18")
    )
    assert (item.due, item.escalates) == (datetime(2026, 11, 1, 19, tzinfo=UTC),) * 2, (
        "summer time ends between"
    )
    assert item.closed == datetime(2026, 11, 1, 18, tzinfo=UTC)


def test_t10_four_contacts_are_owed_in_each_month_that_is_open_and_intensive_throughout() -> None:
    contacts = [fact("contact", f"2026-04-{day:02} 15") for day in (1, 8, 15, 22)]
    now = datetime(2026, 6, 10, 17, tzinfo=UTC)
    assert days("T10", OPENED, *contacts, now=now) == [
        ("2026-04-30", "done"), ("2026-05-31", "open"), ("2026-06-30", "open"),
    ]  # fmt: skip
    assert days("T10", OPENED, *contacts, now=now, tier="general") == []
    down = {"tier": "general", "tiers": ((date.min, date(2026, 5, 20), "intensive"),)}
    assert days("T10", OPENED, *contacts, now=now, **down) == [("2026-04-30", "done")]


def test_t11_a_caseload_is_a_report_and_owes_no_task() -> None:
    assert days("T11", OPENED) == []  # flows/test_due_report.py counts caseloads


def test_t12_who_waits_is_looked_at_again_after_a_month() -> None:
    waiting = fact("waitlisted", "2026-08-31")
    assert days("T12", waiting) == [("2026-09-30", "open")]
    assert days("T12", waiting, fact("served", "2026-09-14 15")) == [("2026-09-30", "done")]


def test_t13_a_complaint_is_answered_on_the_same_working_day_and_told_at_once() -> None:
    friday = fact("complained", "2026-03-06 15", "complaints/bus")
    assert days("T13", friday, fact("answered", "2026-03-06 22", "complaints/bus")) == [
        ("2026-03-06", "done")
    ]
    holiday = fact("complained", "2026-07-03 15", "complaints/bus")
    [item] = owed("T13", holiday, fact("ended", "2026-07-04"))
    assert (last(item), item.soon, item.ended) == ("2026-07-06", holiday.at, None), (
        "owed after the closing too"
    )


def test_t14_an_urgent_case_is_seen_within_a_working_day() -> None:
    urgent = fact("urgent", "2026-03-06 15", ROOM)
    assert days("T14", urgent) == [("2026-03-09", "open")]
    assert days("T14", urgent, fact("contact", "2026-03-09 20")) == [("2026-03-09", "done")]


def test_t15_aftercare_is_planned_twenty_working_days_before_the_closing() -> None:
    leaves = fact("leaves", "2026-06-30", "closings/1")
    [item] = owed("T15", leaves, fact("aftercare", "2026-06-01"))
    assert (last(item), str(DAYS.day_of(item.soon)), item.closed == item.ended) == (
        "2026-06-02",
        "2026-05-18",
        True,
    )
    assert item.opens == item.soon, "it is told before its day"
    assert days("T15", leaves, fact("ended", "2026-04-01")) == [("2026-06-02", "moot")], (
        "the case closed early"
    )


def test_t16_closing_is_planned_from_intake_on() -> None:
    assert days("T16", OPENED, fact("closing-planned", "2026-03-16 15")) == [("2026-03-16", "done")]


def test_t17_the_gpra_window_opens_after_five_months_and_closes_after_eight() -> None:
    [item] = owed("T17", fact("gpra-intake", "2026-06-30", "gpra/TI-1/1"), fact("ended", "2026-07-31"))
    assert (str(DAYS.day_of(item.opens)), last(item), item.ended) == ("2026-11-30", "2027-02-28", None)


def test_t18_assessment_plan_and_signatures_have_their_times() -> None:
    assert days("T18a", OPENED, fact("assessed", "2026-03-17")) == [("2026-03-16", "done")]
    assert days("T18b", OPENED, fact("planned", "2026-03-09")) == [("2026-03-30", "done")]
    planned = fact("planned", "2026-03-09", "care-plans/1")
    assert days("T18c", planned) == [("2026-03-16", "open")]
    assert days("T18c", planned, fact("replaced", "2026-03-12", "care-plans/1")) == [("2026-03-16", "moot")]


def test_t19_a_review_as_often_as_needed_is_a_persons_to_ask_for() -> None:
    assert days("T19", OPENED) == []


def test_every_timer_of_the_standards_has_its_test_here() -> None:
    named = {name.split("_")[1] for name in globals() if name.startswith("test_t")}
    assert {f"t{number}" for number in range(1, 20)} == named
    assert {timer.lower().rstrip("abc") for timer in rows} >= named


def test_what_begins_while_another_agency_leads_counts_in_its_calendar() -> None:
    works = calendar("America/Chicago", holidays=[date(2026, 6, 15)])
    turns = ((date(2026, 3, 2), DAYS), (date(2026, 6, 1), works), (date(2026, 9, 1), DAYS))
    may, june = (fact("scheduled", day, f"referrals/{day}") for day in ("2026-05-22", "2026-06-12"))
    [one, other] = owed("T1", may, june, turns=turns)
    assert (one.due, other.due) == (
        datetime(2026, 5, 28, 4, tzinfo=UTC), datetime(2026, 6, 18, 5, tzinfo=UTC),
    )  # fmt: skip
