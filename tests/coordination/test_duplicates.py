"""The same need served twice: two thousand pairs that a person has labelled, and the table's edges one by one."""

from collections import Counter
from datetime import date, timedelta
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coordination.duplicate_pairs import SITUATIONS, TODAY, Labelled, pairs
from service.coordination.dose import UNSAID, Dose, in_words, per
from service.coordination.duplicates import RULES, Need, Pair, Served, avoided, find, judge
from service.mapping.served import Known, served

AUTHORS = {"a": "Organization/here", "b": "Organization/there"}


def found(pair: Labelled) -> list[Pair]:
    resources = [*pair.here, *pair.there]
    authors = {f"{each['resourceType']}/{each['id']}": AUTHORS.get(each["id"][-1], "") for each in resources}
    return find(served(resources, Known({}, authors, "https://casebridge.test/fhir", TODAY)))


def test_two_thousand_labelled_pairs_are_judged_as_a_person_did() -> None:
    """Reported in docs/coordination.md; `pytest -s` prints it."""
    count: Counter[str] = Counter()
    by_situation: dict[str, Counter[str]] = {name: Counter() for name, *_ in SITUATIONS}
    for pair in pairs():
        told = found(pair)
        assert len(told) <= 1
        grade = told[0].verdict.grade if told else "none"
        by_situation[pair.situation][grade] += 1
        count["right grade"] += grade == pair.label
        count[f"{'told' if told else 'quiet'} {'duplicate' if pair.label != 'none' else 'none'}"] += 1
    precision = count["told duplicate"] / (count["told duplicate"] + count["told none"])
    recall = count["told duplicate"] / (count["told duplicate"] + count["quiet duplicate"])
    for name, label, *_ in SITUATIONS:
        print(f"{label:9} {name}: {dict(by_situation[name])}")
    print(
        f"2000 pairs: precision {precision:.3f}, recall {recall:.3f}, the person's grade {count['right grade']}"
    )
    assert (
        sum(count[each] for each in ("told duplicate", "told none", "quiet duplicate", "quiet none")) == 2000
    )
    assert (count["told none"], count["quiet duplicate"]) == (
        20,
        40,
    )  # second opinions; other words for the same
    assert count["right grade"] == 2000 - 60


def test_what_a_person_labelled_none_is_told_of_in_no_situation_but_one() -> None:
    wrong = {pair.situation for pair in pairs() if pair.label == "none" and found(pair)}
    assert wrong == {"a second opinion, on purpose"}


BUDGETING = Need(
    services=frozenset({"budgeting"}),
    wider=frozenset({"daily-living"}),
    areas=frozenset({"public-assistance"}),
)


def service(id_: str = "ServiceRequest/1", asker: str = "Organization/a", **more: object) -> Served:
    said = {"need": BUDGETING, "start": date(2026, 4, 1), "end": date(2026, 6, 30), **more}
    return Served(id_, asker, **said)  # type: ignore[arg-type]


def test_the_last_rule_holds_always_and_no_two_have_one_name() -> None:
    assert len({rule.id for rule in RULES}) == len(RULES)
    assert {rule.grade for rule in RULES} == {"none", "possible", "certain"}


services = st.builds(
    service,
    st.sampled_from([f"ServiceRequest/{n}" for n in range(6)]),
    st.sampled_from(["Organization/a", "Organization/b", ""]),
    provider=st.sampled_from(["Organization/a", "Organization/c", ""]),
    state=st.sampled_from(["open", "open", "withdrawn", "done"]),
    start=st.none() | st.dates(date(2026, 1, 1), date(2026, 12, 31)),
    end=st.none() | st.dates(date(2026, 1, 1), date(2026, 12, 31)),
    links=st.frozensets(st.sampled_from([f"ServiceRequest/{n}" for n in range(6)]), max_size=1),
    dose=st.sampled_from([UNSAID, Dose(weekly=Fraction(2)), Dose(total=1)]),
)


@given(services, services)
def test_who_is_named_first_does_not_matter(one: Served, two: Served) -> None:
    assert judge(one, two) == judge(two, one)


@given(st.lists(services, unique_by=lambda each: each.id, max_size=6), st.randoms())
def test_the_order_in_which_things_were_filed_does_not_matter(filed: list[Served], chance: object) -> None:
    again = list(filed)
    chance.shuffle(again)  # type: ignore[attr-defined]
    assert find(again) == find(filed)
    for pair in find(filed):
        assert pair.verdict.grade != "none" and pair.one.state == pair.two.state == "open"


def test_a_request_through_four_hands_is_one_thing() -> None:
    """The county asks us, we ask Lakeview, Lakeview plans it: nobody does it twice."""
    county = service("ServiceRequest/1", "Organization/county", provider="Organization/us")
    ours = service(
        "ServiceRequest/2",
        "Organization/us",
        provider="Organization/lakeview",
        links=frozenset({"ServiceRequest/1"}),
    )
    plan = service("CarePlan/1#a", "Organization/lakeview", provider="Organization/lakeview")
    assert find([county, ours, plan]) == []
    other = service("ServiceRequest/9", "Organization/northside")
    assert {(pair.one.id, pair.two.id) for pair in find([county, ours, plan, other])} == {
        ("CarePlan/1#a", "ServiceRequest/9"), ("ServiceRequest/1", "ServiceRequest/9"),
        ("ServiceRequest/2", "ServiceRequest/9"),
    }  # fmt: skip


def test_one_agency_that_asks_two_others_is_told_and_one_that_renews_is_not() -> None:
    first = service("ServiceRequest/1", provider="Organization/x")
    assert judge(first, service("ServiceRequest/2", provider="Organization/y")).rule == "asked-two"
    assert judge(first, service("ServiceRequest/2", provider="Organization/x")).rule == "renewal"
    assert judge(first, service("ServiceRequest/2")).rule == "renewal"


def test_the_day_of_the_hand_over_is_no_overlap_and_the_day_before_is() -> None:
    first = service("ServiceRequest/1", end=date(2026, 5, 31))
    for start, rule in ((date(2026, 5, 31), "follow-on"), (date(2026, 5, 30), "same")):
        assert judge(first, service("ServiceRequest/2", "Organization/b", start=start)).rule == rule


@pytest.mark.parametrize(
    ("words", "dose"),
    [
        ("twice a week", Dose(weekly=Fraction(2))),
        ("3 times a week", Dose(weekly=Fraction(3))),
        ("Two sessions per week, by phone", Dose(weekly=Fraction(2))),
        ("Tuesday and Thursday evenings", Dose(weekly=Fraction(2))),
        ("Thursdays", Dose(weekly=Fraction(1))),
        ("every other week", Dose(weekly=Fraction(1, 2))),
        ("once a month", Dose(weekly=Fraction(7, 30))),
        ("daily", Dose(weekly=Fraction(7))),
        ("8 sessions", Dose(total=8)),
        ("once, to see whether it helps", Dose(total=1)),
        ("as long as it helps", UNSAID),
        ("", UNSAID),
    ],
)
def test_how_often_is_read_from_what_case_managers_write(words: str, dose: Dose) -> None:
    assert in_words(words) == dose


@given(st.text(max_size=60))
def test_no_words_break_the_reader(words: str) -> None:
    in_words(words)


@given(st.integers(1, 20), st.sampled_from([Fraction(1), Fraction(7), Fraction(30)]))
def test_so_many_in_a_period_is_so_many_a_week(count: int, days: Fraction) -> None:
    assert per(count, days).weekly == Fraction(count * 7) / days


def test_what_is_not_given_twice_is_counted_from_the_day_of_the_withdrawal() -> None:
    weekly = service(dose=Dose(weekly=Fraction(2)))
    kept = service("ServiceRequest/2", "Organization/b", end=date(2026, 5, 26))
    assert avoided(weekly, kept, date(2026, 4, 14)) == (12.0, None)  # six weeks, twice a week
    assert avoided(
        service(dose=Dose(weekly=Fraction(2)), end=None), service(end=None), date(2026, 4, 14)
    ) == (None, 2.0)
    assert avoided(service(dose=Dose(total=8)), kept, date(2026, 4, 14)) == (8.0, None)
    assert avoided(service(), kept, date(2026, 4, 14)) == (None, None)
    assert avoided(weekly, kept, date(2026, 5, 26) + timedelta(days=30)) == (0.0, None)


def test_what_one_agency_asks_of_others_again_and_again_is_told_a_few_times() -> None:
    need = Need(services=frozenset({"transitional-housing"}), areas=frozenset({"housing"}))
    many = [
        Served(
            f"ServiceRequest/{each:03}", "Organization/h", need, f"Organization/{each % 5}", date(2026, 3, 9)
        )
        for each in range(300)
    ]
    found = find(many)
    assert len(found) == 10 * 2 * 2, "ten pairs of agencies, each asked twice"
    assert {each.one.id for each in found} <= {each.id for each in many[:10]}
