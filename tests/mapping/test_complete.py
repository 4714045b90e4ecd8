"""What a record should say and does not is noted when it is filed, at its place; nothing is refused for it."""

from service.casework.records import example, read
from service.mapping import table
from tests.mapping.context import HERE
from tests.mapping.test_consent_meaning import referral


def noted(kind: str, record: object) -> dict[str, str]:
    made = table[kind].to_fhir(record, HERE)
    return {issue.rule: issue.expression for issue in made.notes}


def test_a_referral_says_who_what_when_where_and_why() -> None:
    bare = {"client": "leslie-moreno", "service": "child-care", "requested": "2026-03-09"}
    assert noted("referrals", read("referrals", "r-1", bare)) == {
        "referral-without-who": "/recipient",
        "referral-without-when": "/period",
        "referral-without-where": "/where",
        "referral-without-why": "/reason",
        "referral-without-plan": "/carePlan",
    }
    assert noted("referrals", referral(carePlan="leslie-plan-1")) == {}


def test_a_plan_says_by_when_by_whom_and_is_signed_by_both() -> None:
    plan = {
        "client": "leslie-moreno",
        "goals": [{"id": "g", "words": "Sober when the kids are home", "targets": [{"measure": "a week"}]}],
        "services": [{"id": "s", "service": "budgeting"}],
        "signatures": [{"id": "1", "role": "client", "name": "Leslie", "at": "2026-03-09T11:40:00-05:00"}],
    }
    assert noted("care-plans", read("care-plans", "p-1", plan)) == {
        "goal-without-time": "/goals/0/targets",
        "service-without-whom": "/services",
        "unsigned-plan": "/signatures",
    }


def test_a_closing_after_an_unexpected_exit_links_to_other_services_and_leaves_an_evaluation() -> None:
    closing = {"client": "leslie-moreno", "status": "closed", "closed": "2027-03-18", "reason": "client-left"}
    found = noted("closings", read("closings", "c-1", {**closing, "unexpected": True}))
    assert found == {"closing-without-plan": "/summary", "closing-without-link": "/links"}
    assert noted("closings", example("closings")) == {}
