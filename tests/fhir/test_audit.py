"""Every kind of row renders as an AuditEvent that is valid against the profiles it claims."""

from datetime import UTC, datetime
from typing import Any

import pytest

from service.fhir.audit import Here, profiles_of, render
from service.fhir.audited import Audited, record_of
from service.kernel.ids import new_id
from service.wiring import validator

HERE = Here("https://casebridge.example/fhir", "Organization/home")
AT = datetime(2026, 3, 1, 12, 0, 0, 123000, tzinfo=UTC)
CLIENT = "Patient/p1"
WHO: dict[str, Any] = {
    "client": "c1", "organization": "Organization/x", "address": "10.0.0.1", "request": "r-1", "token": "ab" * 16,
}  # fmt: skip


def row(kind: Any, action: str, outcome: Any = "0", **more: Any) -> Audited:
    return Audited(new_id(), AT, kind, action, outcome, **{**WHO, **more})


def access(action: str, *about: str, **more: Any) -> Audited:
    return row("access", action, resource=about[0] if about else "", about=about, **more)


CASES = {
    **{
        f"{action} of a client's data": access(action, "Condition/1", CLIENT, version=2)
        for action in ("read", "vread", "create", "update", "patch", "delete", "history-instance", "$everything")
    },
    **{f"{action} of an agency": access(action, "Organization/1") for action in ("read", "create", "delete")},
    "read of the client": access("read", CLIENT),
    "search about one client": row("access", "search-type", about=(CLIENT,), detail="Condition 3", purpose="COC",
                                   basis="consent", consents=("Consent/1",)),
    "search about nobody": row("access", "search-type", detail="Organization"),
    "search about two": row("access", "search-type", about=(CLIENT, "Patient/p2")),
    "a refused read": row("access", "read", "4", resource="Condition/1", about=("Condition/1",), rule="404"),
    "a refused transaction": row("access", "transaction", "4", rule="422"),
    "history of a type": row("access", "history-type", detail="Task"),
    "a record filed": access("casework-update", "referrals/r1"),
    "a token": row("token", "token-issued"),
    "a refused token": Audited(new_id(), AT, "token", "auth-token", "4", "unknown", rule="400"),
    "a partner added": Audited(new_id(), AT, "administration", "partner-added", "0", "operator:root",
                               resource="Organization/x", about=("Organization/x",)),
    "a permit": row("consent", "decide", about=(CLIENT,), purpose="COC", basis="consent", consents=("Consent/1",)),
    "a denial": row("consent", "decide", "4", about=(CLIENT,), purpose="COC", rule="no-consent"),
    "a disclosure": row("disclosure", "deliver", resource="Task/1", about=(CLIENT, "Task/1", "ServiceRequest/2"),
                        purpose="COC", basis="consent", consents=("Consent/1",), detail="Task 1"),
    "an answer to its asker": row("disclosure", "deliver", "8", resource="Task/1", about=(CLIENT, "Task/1"),
                                  purpose="COC", basis="author", rule="timeout"),
    "the service's own write": Audited(new_id(), AT, "access", "create", "0", resource="Task/1", about=("Task/1",)),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_it_is_valid_against_what_it_claims(name: str) -> None:
    event = render(CASES[name], HERE)
    assert [
        issue.text for issue in validator().validate(event, profiles_of(CASES[name])) if issue.fails
    ] == []
    assert event["meta"]["profile"] == profiles_of(CASES[name])


@pytest.mark.parametrize(
    ("name", "shape"),
    [("read of a client's data", "PatientRead"), ("patch of a client's data", "PatientUpdate"),
     ("delete of an agency", "Delete"), ("search about one client", "PatientQuery"), ("search about two", "Query"),
     ("a permit", "AuthZconsent"), ("an answer to its asker", "PrivacyDisclosure.Source")],
)  # fmt: skip
def test_it_claims_its_balp_profile(name: str, shape: str) -> None:
    assert profiles_of(CASES[name])[1].endswith(f"IHE.BasicAudit.{shape}")


def test_a_refusal_claims_no_success() -> None:
    assert len(profiles_of(CASES["a refused read"])) == 1


def test_the_canonical_record_is_the_same_for_ever() -> None:
    whole = Audited("018f", AT, "access", "read", "0", "c", "o", "a", "r", "t", "Task/1", 3, ("Task/1",), "COC",
                    "consent", "", ("Consent/1",), "d", "m")  # fmt: skip
    assert record_of(whole) == (
        b'["2026-03-01T12:00:00.123000+00:00","access","read","0","c","o","a","r","t","Task/1",3,["Task/1"],"COC",'
        b'"consent","",["Consent/1"],"d","m"]'
    )
