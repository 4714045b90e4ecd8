"""The only road out, and what travels on it."""

import ast
from dataclasses import replace
from pathlib import Path

import pytest

from service.consent import release as release_module
from service.consent.decide import without
from service.consent.permit import Deny, Permit
from service.consent.release import NotCleared, Released, release, release_stored
from service.consent.request import Labels
from service.consent.security import labelled_meta
from service.consent.terms import NOTICE, SHORT_NOTICE
from tests.consent.people import ALCOHOL, HARBOR, HOUSING, NORTHSIDE, NOW, ask, consent, item, marks, rule

SIGNED = [consent(rule("permit", NORTHSIDE, "TREAT", period={"end": "2027-03-05"}))]
NO_SUD = [consent(rule("permit", NORTHSIDE, "TREAT", but=[rule("deny", None, None, labels=marks("SUD"))]))]


def permit(items: object, consents: object = SIGNED, **more: object) -> Permit:
    answer = ask(items, consents, **more)  # type: ignore[arg-type]
    assert isinstance(answer, Permit)
    return answer


def bundle(*resources: dict[str, object], kind: str = "transaction") -> dict[str, object]:
    entries = [{"fullUrl": f"urn:uuid:{place}", "resource": one} for place, one in enumerate(resources)]
    return {"resourceType": "Bundle", "type": kind, "entry": entries}


def document(released: Released) -> dict[str, object]:
    assert isinstance(released.document, dict)
    return released.document


def security(resource: dict[str, object]) -> list[str]:
    return [coding["code"] for coding in resource["meta"]["security"]]  # type: ignore[index]


def test_nobody_makes_a_permit_or_a_released_document_by_hand() -> None:
    with pytest.raises(TypeError):
        Permit("consent", NORTHSIDE, "COC", NOW, ())
    real = permit(item())
    with pytest.raises(TypeError):
        Released({}, NORTHSIDE, real)
    with pytest.raises(TypeError):
        Released({}, NORTHSIDE, real, seal=object())
    with pytest.raises(TypeError):
        replace(release(real, real.cleared[0].item.resource), document={})
    with pytest.raises(TypeError):
        replace(real, recipient=HARBOR)


def test_the_seals_are_named_only_where_they_belong() -> None:
    service = Path(release_module.__file__).parents[1]
    users = {
        path.relative_to(service).as_posix()
        for path in service.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Name | ast.alias | ast.Attribute)
        and (getattr(node, "id", "") or getattr(node, "name", "") or getattr(node, "attr", ""))
        in ("SEAL", "_SEAL")
    }
    assert users <= {"consent/permit.py", "consent/decide.py", "consent/release.py"}


def test_what_was_not_cleared_is_not_released() -> None:
    cleared = permit(item("Condition"))
    with pytest.raises(NotCleared):
        release(cleared, {"resourceType": "Condition", "id": "1", "code": {"text": "something else"}})


def test_what_was_changed_after_the_decision_is_not_released() -> None:
    cleared = permit(item("Condition"))
    changed = {**cleared.cleared[0].item.resource, "note": [{"text": "added later"}]}
    with pytest.raises(NotCleared):
        release(cleared, changed)


def test_part_2_content_carries_exactly_one_confidentiality_and_its_policy() -> None:
    one = permit(
        item(
            code={"coding": [ALCOHOL]},
            meta={
                "security": [
                    {"system": "http://terminology.hl7.org/CodeSystem/v3-Confidentiality", "code": "N"}
                ]
            },
        )
    )
    released = document(release(one, one.cleared[0].item.resource))
    assert security(released) == ["R", "42CFRPart2", "NORDSCLCD", "PERSISTLABEL", "SUD", "COC"]


def test_the_notice_is_in_the_document_word_for_word_with_the_scope_of_the_consent() -> None:
    one = permit(item())
    released = release(one, one.cleared[0].item.resource)
    policy = document(released)["meta"]["security"][1]  # type: ignore[index]
    artifact = policy["extension"][0]["valueRelatedArtifact"]
    assert artifact["citation"] == NOTICE == released.notice
    assert artifact["display"] == (
        "Disclosed with the client's written consent of 2026-03-05 (Consent/k) to"
        " Northside Housing Partnership for coordination of care; the consent ends on 2027-03-05."
    )


def test_in_a_bundle_the_first_carries_the_full_notice_and_each_other_the_short_one() -> None:
    items = [item("Patient"), item("ServiceRequest")]
    one = permit(items)
    released = document(release(one, bundle(*(each.resource for each in items))))
    citations = [
        entry["resource"]["meta"]["security"][1]["extension"][0]["valueRelatedArtifact"]["citation"]
        for entry in released["entry"]  # type: ignore[attr-defined]
    ]
    assert citations == [NOTICE, SHORT_NOTICE]


def test_a_searchset_is_as_confidential_as_the_most_confidential_thing_in_it() -> None:
    items = [item("Patient", part2=False), item("Condition", code={"coding": [ALCOHOL]})]
    one = permit(items)
    released = document(release(one, bundle(*(each.resource for each in items), kind="searchset")))
    assert security(released)[:2] == ["R", "42CFRPart2"]


def test_what_is_withheld_leaves_no_trace_in_the_bundle() -> None:
    parts = [
        item("Patient"),
        item(
            "ServiceRequest",
            code={"coding": [HOUSING]},
            reasonReference=[{"reference": "Condition/1", "display": "drinks"}],
            supportingInfo=[{"reference": "urn:uuid:2", "display": "drinks"}],
        ),
        item("Condition", code={"coding": [ALCOHOL]}),
        item(
            "Task",
            focus={"reference": "ServiceRequest/1"},
            reasonReference={
                "reference": "https://us.example/fhir/Condition/1/_history/2",
                "display": "drinks",
            },
        ),
    ]
    one = permit(parts, NO_SUD)
    released = document(release(one, bundle(*(each.resource for each in parts))))
    text = repr(released)
    assert [entry["resource"]["resourceType"] for entry in released["entry"]] == [
        "Patient",
        "ServiceRequest",
        "Task",
    ]  # type: ignore[attr-defined]
    assert "Condition" not in text
    assert "drinks" not in text
    assert "urn:uuid:2" not in text
    assert released["entry"][2]["resource"]["reasonReference"]["display"] == "REDACTED"  # type: ignore[index]


def test_masked_elements_and_the_prose_beside_them_are_gone_and_the_stored_one_is_unharmed() -> None:
    request = item(
        "ServiceRequest",
        code={"coding": [HOUSING]},
        reasonCode=[{"coding": [ALCOHOL]}],
        note=[{"text": "drinks"}],
        text={"div": "drinks"},
    )
    one = permit([item("Patient"), request], NO_SUD)
    released = document(release(one, request.resource))
    assert {"reasonCode", "note", "text"} & set(released) == set()
    assert "reasonCode" in request.resource
    assert security(released) == ["R", "42CFRPart2", "NORDSCLCD", "PERSISTLABEL", "COC", "REDACTED"]


def test_an_id_only_notification_does_not_name_what_is_withheld() -> None:
    parts = [item("Patient"), item("Condition", code={"coding": [ALCOHOL]})]
    one = permit(parts, NO_SUD)
    note = {
        "resourceType": "Bundle",
        "type": "history",
        "entry": [
            {
                "fullUrl": "https://us.example/fhir/Condition/1",
                "request": {"method": "GET", "url": "Condition/1"},
            }
        ],
    }
    assert "entry" not in document(release(one, note))


def test_labels_received_from_others_persist() -> None:
    noauth = {"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "NOAUTH"}
    one = permit(item(meta={"security": [noauth]}))
    assert "NOAUTH" in security(document(release(one, one.cleared[0].item.resource)))


def test_no_notice_where_none_is_due() -> None:
    plain = permit(item(part2=False, code={"coding": [HOUSING]}))
    assert release(plain, plain.cleared[0].item.resource).notice == ""
    own = permit(item("Condition", custodian=HARBOR), [], to=HARBOR)
    assert release(own, own.cleared[0].item.resource).notice == ""
    assert document(release(own, own.cleared[0].item.resource)) == own.cleared[0].item.resource


def test_the_notice_is_due_even_if_only_one_resource_is_part_2() -> None:
    mixed = permit([item("Patient", part2=False), item("Condition", part2=True), item("Organization")])
    assert release(mixed, bundle(*(one.item.resource for one in mixed.cleared))).notice == NOTICE


def test_stored_bytes_do_not_go_where_an_element_is_masked() -> None:
    answer = permit([item("Encounter", reasonCode=[REASON], raw=b"{}")], NO_SUD)
    assert answer.cleared[0].masks
    assert release_stored(answer) is None


def test_labelling_twice_changes_nothing() -> None:
    labels = Labels(part2=True, marks=frozenset({"SUD", "MH"}), confidentiality="R")
    once = labelled_meta({"versionId": "1"}, labels, "because", NOTICE)
    assert labelled_meta(once, labels, "because", NOTICE) == once


def test_the_custodian_gets_the_stored_bytes_untouched() -> None:
    raw = b'{"resourceType":"Condition","id":"1"}'
    one = permit(item("Condition", custodian=HARBOR, raw=raw), [], to=HARBOR)
    released = release_stored(one)
    assert released is not None
    assert released.document is raw
    assert released.notice == ""


def test_stored_bytes_do_not_go_where_a_label_is_due() -> None:
    assert release_stored(permit(item("Condition", raw=b"{}"))) is None


def test_a_definition_needs_no_clearing_but_a_client_hidden_in_it_does() -> None:
    nothing = permit([], [])
    plain = {"resourceType": "OperationOutcome", "issue": []}
    assert document(release(nothing, plain)) == plain
    with pytest.raises(NotCleared):
        release(nothing, {**plain, "contained": [{"resourceType": "Patient"}]})


def test_an_empty_searchset_may_leave() -> None:
    empty = {"resourceType": "Bundle", "type": "searchset", "total": 0}
    assert document(release(permit([], []), empty)) == empty


def test_neither_permit_nor_document_shows_clinical_content_in_its_text_form() -> None:
    one = permit(item(code={"coding": [ALCOHOL], "text": "alcohol use disorder"}))
    shown = repr(one) + repr(one.cleared) + repr(release(one, one.cleared[0].item.resource))
    assert "alcohol" not in shown
    assert ALCOHOL["code"] not in shown


REASON = {"coding": [ALCOHOL]}


def test_what_was_masked_says_so_in_its_labels() -> None:
    masked = item("Encounter", reasonCode=[REASON])
    assert "REDACTED" in security(document(release(permit([masked], NO_SUD), masked.resource)))
    whole = item("Encounter")
    assert "REDACTED" not in security(document(release(permit([whole], NO_SUD), whole.resource)))


def test_what_is_no_valid_record_when_masked_stays_and_the_rest_goes() -> None:
    parts = [item("Patient"), item("Encounter", reasonCode=[REASON])]
    given = permit(parts, NO_SUD)
    rest = without(given, frozenset({"Encounter/1"}), frozenset({"Patient"}))
    assert isinstance(rest, Permit)
    assert [one.item.reference for one in rest.cleared] == ["Patient/leslie"]
    assert [(one.reference, one.code) for one in rest.withheld] == [("Encounter/1", "mask-breaks-profile")]


def test_where_it_is_essential_nothing_goes_and_nothing_is_said_of_what_it_holds() -> None:
    given = permit([item("Patient"), item("Encounter", reasonCode=[REASON])], NO_SUD)
    for essential in (frozenset({"Encounter"}), frozenset({"Encounter/1"})):
        stays = without(given, frozenset({"Encounter/1"}), essential)
        assert isinstance(stays, Deny)
        assert stays.code == "mask-breaks-profile" and "alcohol" not in stays.text
    alone = permit([item("Encounter", reasonCode=[REASON])], NO_SUD)
    assert isinstance(without(alone, frozenset({"Encounter/1"}), frozenset()), Deny)


@pytest.mark.parametrize(("url", "id_"), [("Condition/there", "there"), ("Condition?identifier=x", None)])
def test_an_update_names_its_resource_as_the_recipient_does(url: str, id_: str | None) -> None:
    """https://hl7.org/fhir/R4/http.html#update: the id in the body is the id in the URL."""
    one = item(code={"coding": [HOUSING]})
    sent = bundle(one.resource)
    sent["entry"][0]["request"] = {"method": "PUT", "url": url}  # type: ignore[index]
    [got] = document(release(permit([one]), sent))["entry"]  # type: ignore[misc]
    assert got["resource"].get("id") == id_
    assert got["resource"]["code"] == one.resource["code"]
