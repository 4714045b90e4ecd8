"""Records: what is read, what is refused, and how it is said."""

import pytest

from service.casework.records import example, is_answer, kinds, mentions, read, read_answer, schema, write
from service.fhir.json import decode, encode
from service.fhir.outcome import Issue
from service.kernel.failures import Refused


def findings(kind: str, value: object) -> dict[str, str]:
    with pytest.raises(Refused) as refused:
        read(kind, "an-id", value)
    assert refused.value.reason == "unprocessable"
    return {issue.expression: issue.text for issue in refused.value.issues if isinstance(issue, Issue)}


@pytest.mark.parametrize("kind", sorted(kinds))
def test_every_example_is_read_and_written_back(kind: str) -> None:
    record = example(kind)
    assert read(kind, record.id, decode(encode(write(record)))) == record


@pytest.mark.parametrize("kind", sorted(kinds))
def test_every_kind_has_a_schema_with_an_example(kind: str) -> None:
    told = schema(kind)
    assert told["$schema"].endswith("2020-12/schema")
    assert told["additionalProperties"] is False
    assert told["examples"] == [kinds[kind].example]


def test_the_id_may_be_left_out_of_the_body() -> None:
    assert read("clients", "x-1", {"name": {"family": "Moreno"}}).id == "x-1"


def test_an_id_that_differs_from_the_url_is_refused() -> None:
    assert list(findings("clients", {"id": "another", "name": {"family": "Moreno"}})) == ["/id"]


def test_every_finding_is_reported_at_once_with_its_pointer() -> None:
    found = findings("referrals", {"client": 5, "service": {"txt": 1}, "requested": "2026-02-30", "bogus": 1})
    assert {"/client", "/service", "/service/txt", "/requested", "/bogus"} <= found.keys()


def test_a_finding_never_quotes_what_was_said() -> None:
    found = findings("clients", {"name": {"family": 7, "secret-word": "heroin"}, "birthDate": "Moreno"})
    assert not any("heroin" in text or "Moreno" in text for text in found.values())


@pytest.mark.parametrize("value", [1772000000, "2026-03-09T10:00:00", "09.03.2026", "2026-02-30T10:00:00Z"])
def test_a_moment_carries_its_zone_and_is_a_moment(value: object) -> None:
    assert "/start" in findings("encounters", {"client": "a", "start": value})


@pytest.mark.parametrize("value", ["true", 1, "yes"])
def test_a_boolean_is_a_boolean(value: object) -> None:
    assert "/active" in findings("clients", {"name": {"family": "M"}, "active": value})


def test_an_empty_part_says_nothing_and_is_refused() -> None:
    assert "/name" in findings("clients", {"name": {}})


def test_a_text_may_not_hold_control_characters() -> None:
    assert "/reason" in findings(
        "referrals", {"client": "a", "service": "x", "requested": "2026", "reason": "a\x07b"}
    )


def test_other_records_are_found_by_what_names_them() -> None:
    assert mentions(example("referrals")) == [
        ("clients", "leslie-moreno"),
        ("agencies", "northside"),
        ("case-managers", "victoria-chen"),
        ("consents", "leslie-consent-2026"),
    ]


def test_an_answer_is_told_from_a_referral_by_naming_no_client() -> None:
    assert is_answer({"status": "accepted"})
    assert not is_answer({"status": "accepted", "client": "leslie-moreno"})


@pytest.mark.parametrize("status", ["rejected", "cancelled", "on-hold", "failed"])
def test_an_answer_that_stops_a_referral_needs_a_reason(status: str) -> None:
    with pytest.raises(Refused):
        read_answer({"status": status})
    assert read_answer({"status": status, "reason": "no room"}).reason == "no room"


def test_an_outcome_may_be_said_in_one_sentence() -> None:
    answer = read_answer({"status": "completed", "outcome": "Moved in on 1 April"})
    assert answer.outcome is not None
    assert answer.outcome.text == "Moved in on 1 April"


def test_a_decimal_keeps_its_digits() -> None:
    answers = [{"question": "income", "amount": 1}]
    value = {"client": "a", "instrument": "x", "taken": "2026-03-04", "answers": answers}
    answers[0]["amount"] = decode(b"14200.50")
    assert b'"amount":14200.50' in encode(write(read("assessments", "a-1", value)))


def test_a_revoked_consent_is_inactive() -> None:
    value = {**kinds["consents"].example, "id": "an-id", "revoked": {"at": "2026-10-05T09:00:00Z"}}
    assert findings("consents", value)


def test_an_active_episode_has_somebody_who_leads() -> None:
    value = {
        **kinds["clients"].example,
        "id": "an-id",
        "episode": {"status": "active", "start": "2026-03-02"},
    }
    assert findings("clients", value) == {"/episode": "episode: an active episode has its primaryCaseManager"}
