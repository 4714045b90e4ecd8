"""Exactly one primary case manager at every instant, whatever happens: the rules alone, over random histories."""

import random
from datetime import UTC, datetime, timedelta

import pytest

from service.coordination.leading import (
    Answer,
    Assign,
    Claim,
    Close,
    Conflict,
    Course,
    Cover,
    EndCover,
    Moved,
    Refusal,
    Reply,
    Same,
    StandIn,
    Transfer,
    Verdict,
    Wish,
    Worker,
    decide,
    faults,
)

HARBOR, NORTHSIDE, RIVERBEND = "Organization/harbor", "Organization/northside", "Organization/riverbend"
VICTORIA = Worker("PractitionerRole/victoria", HARBOR)
ANA = Worker("PractitionerRole/ana", HARBOR)
MARCUS = Worker("PractitionerRole/marcus", NORTHSIDE)
INES = Worker("PractitionerRole/ines", RIVERBEND)
START = datetime(2026, 3, 2, 9, tzinfo=UTC)
DAY = timedelta(days=1)
REPLIES: tuple[Reply, ...] = ("accepted", "rejected", "completed", "cancelled")


def moved(verdict: Verdict) -> Course:
    assert isinstance(verdict, Moved), verdict
    assert not list(faults(verdict.course))
    return verdict.course


def led() -> Course:
    return moved(decide(Course(), Assign(VICTORIA), START))


def asked(by: str = HARBOR) -> Course:
    return moved(decide(led(), Transfer(MARCUS, by, "t1"), START + DAY))


def test_the_first_assignment_begins_the_lead() -> None:
    course = led()
    assert course.at(START - DAY) is None
    assert course.at(START) == VICTORIA


def test_a_second_assignment_is_a_conflict_and_changes_nothing() -> None:
    verdict = decide(led(), Assign(MARCUS), START + DAY)
    assert isinstance(verdict, Conflict)
    assert (verdict.lead.worker, verdict.claimed) == (VICTORIA, MARCUS)
    assert isinstance(decide(led(), Assign(VICTORIA), START + DAY), Same)


def test_a_claim_never_makes_or_moves_a_lead() -> None:
    assert isinstance(decide(Course(), Claim(MARCUS), START), Same), "nobody leads: a claim is no assignment"
    verdict = decide(led(), Claim(MARCUS), START + DAY)
    assert isinstance(verdict, Conflict)
    assert (verdict.lead.worker, verdict.claimed) == (VICTORIA, MARCUS)
    assert isinstance(decide(led(), Claim(VICTORIA), START + DAY), Same)
    assert isinstance(decide(asked(), Claim(MARCUS), START + DAY), Same), "it is asked already"
    assert isinstance(decide(asked(), Claim(INES), START + DAY), Conflict)


def test_within_one_agency_the_lead_moves_at_once() -> None:
    course = moved(decide(led(), Transfer(ANA, HARBOR, "t"), START + DAY))
    assert (course.at(START + DAY - timedelta(microseconds=1)), course.at(START + DAY)) == (VICTORIA, ANA)


def test_between_agencies_the_one_who_leads_leads_until_both_have_confirmed() -> None:
    course = asked()
    assert course.lead is not None
    assert course.lead.worker == VICTORIA
    course = moved(decide(course, Answer("t1", NORTHSIDE, "accepted"), START + 2 * DAY))
    assert course.at(START + 2 * DAY) == VICTORIA
    course = moved(decide(course, Answer("t1", HARBOR, "completed"), START + 3 * DAY))
    assert (course.at(START + 3 * DAY - DAY), course.at(START + 3 * DAY)) == (VICTORIA, MARCUS)
    assert course.workers == 2


@pytest.mark.parametrize(
    ("by", "reply"),
    [
        (HARBOR, "accepted"), (HARBOR, "rejected"), (HARBOR, "completed"), (NORTHSIDE, "cancelled"),
        *((RIVERBEND, reply) for reply in REPLIES),
    ],
)  # fmt: skip
def test_what_is_not_a_sides_to_say_is_refused(by: str, reply: Reply) -> None:
    assert isinstance(decide(asked(), Answer("t1", by, reply), START + DAY), Refusal)


def test_who_asks_for_the_lead_is_answered_by_who_has_it() -> None:
    course = asked(by=NORTHSIDE)
    assert isinstance(decide(course, Answer("t1", NORTHSIDE, "completed"), START + DAY), Refusal)
    course = moved(decide(course, Answer("t1", HARBOR, "completed"), START + 2 * DAY))
    assert course.at(START + 2 * DAY) == MARCUS


def test_a_third_agency_asks_for_nobody() -> None:
    assert isinstance(decide(led(), Transfer(MARCUS, RIVERBEND, "t"), START), Refusal)


def test_one_transfer_at_a_time() -> None:
    assert isinstance(decide(asked(), Transfer(INES, HARBOR, "t2"), START + DAY), Refusal)
    assert isinstance(decide(asked(), Transfer(MARCUS, HARBOR, "t2"), START + DAY), Same)


def test_who_stands_in_does_not_lead_and_the_lead_returns_by_itself() -> None:
    leave = Cover(ANA, START + 10 * DAY, START + 20 * DAY)
    course = moved(decide(led(), StandIn(leave, HARBOR), START))
    for day, standing in ((9, None), (10, leave), (19, leave), (20, None)):
        assert course.cover_at(START + day * DAY) == standing
        assert course.at(START + day * DAY) == VICTORIA


def test_a_cover_without_a_future_or_beside_another_is_refused() -> None:
    leave = Cover(ANA, START + DAY, START + 3 * DAY)
    course = moved(decide(led(), StandIn(leave, HARBOR), START))
    for cover in (
        Cover(MARCUS, START + 2 * DAY, START + 4 * DAY),
        Cover(ANA, START + 9 * DAY, START + 8 * DAY),
        Cover(VICTORIA, START + 5 * DAY, START + 6 * DAY),
    ):
        assert isinstance(decide(course, StandIn(cover, HARBOR), START), Refusal)
    assert isinstance(decide(course, StandIn(Cover(INES, START, START + DAY), NORTHSIDE), START), Refusal)


def test_closing_ends_the_lead_the_cover_and_what_was_asked() -> None:
    course = moved(decide(asked(), StandIn(Cover(ANA, START, START + 30 * DAY), HARBOR), START + DAY))
    course = moved(decide(course, Close(), START + 5 * DAY))
    assert (course.lead, course.asked, course.closed) == (None, None, START + 5 * DAY)
    assert [each.ends for each in course.covers] == [START + 5 * DAY]
    assert isinstance(decide(course, Assign(ANA), START + 6 * DAY), Refusal)


def test_two_moves_in_one_tick_of_the_clock_leave_no_gap() -> None:
    course = moved(decide(led(), Transfer(ANA, HARBOR, "t"), START))
    course = moved(decide(course, Transfer(VICTORIA, HARBOR, "t"), START))
    assert [each.worker for each in course.leads] == [VICTORIA, ANA, VICTORIA]


def wished(dice: random.Random, course: Course, now: datetime) -> Wish:
    """Anything that anybody may ask for, sensible or not."""
    worker = dice.choice((VICTORIA, ANA, MARCUS, INES))
    by = dice.choice((HARBOR, NORTHSIDE, RIVERBEND))
    cover = Cover(worker, now + dice.randint(-3, 9) * DAY, now + dice.randint(-3, 12) * DAY)
    match dice.randrange(12):
        case 0 | 1:
            return Assign(worker)
        case 2 | 3 | 4:
            return Transfer(worker, by, f"t{dice.randrange(3)}")
        case 5 | 6 | 7 | 8:
            return Answer(f"t{dice.randrange(3)}", by, dice.choice(REPLIES))
        case 9:
            return StandIn(cover, by)
        case 10:
            return EndCover(dice.choice(course.covers) if course.covers else cover, by)
        case _:
            return Close() if dice.randrange(6) == 0 else Claim(worker)


def test_over_ten_thousand_histories_never_none_and_never_two() -> None:
    transferred = closed = conflicts = 0
    for seed in range(10_000):
        dice, course, now = random.Random(seed), Course(), START
        first = None
        for _ in range(dice.randint(5, 30)):
            now += dice.choice((timedelta(0), timedelta(hours=5), 2 * DAY))
            verdict = decide(course, wished(dice, course, now), now)
            if isinstance(verdict, Conflict):
                conflicts += 1
                assert course.lead == verdict.lead
            if isinstance(verdict, Moved):
                transferred += verdict.happened == "lead-transferred"
                closed += verdict.happened == "lead-closed"
                first = first or now
                assert verdict.course.leads[: len(course.leads) - 1] == course.leads[:-1], "history stays"
                course = verdict.course
        assert not list(faults(course)), seed
        if first is None:
            continue
        span = (course.closed or now) - first
        for _ in range(20):
            moment = first + dice.random() * span
            leading = [
                each
                for each in course.leads
                if each.starts <= moment and (each.ends is None or moment < each.ends)
            ]
            assert len(leading) == 1 or moment == course.closed, seed
    assert min(transferred, closed, conflicts) > 1000, "the histories do what they should"
