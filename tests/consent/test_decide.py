"""What a privacy officer would ask."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from service.consent.model import read
from service.consent.permit import Deny, Permit
from service.consent.request import Agreement, Emergency, Posture
from tests.consent.people import (
    ALCOHOL,
    COUNTY,
    DEPRESSION,
    FUNDER,
    HARBOR,
    HOUSING,
    LAKEVIEW,
    LESLIE,
    NORTHSIDE,
    NOTES,
    NOW,
    POSTURE,
    RIVERBEND,
    actor,
    ask,
    code,
    consent,
    item,
    marks,
    rule,
    types,
)  # fmt: skip

TO_NORTHSIDE = rule("permit", NORTHSIDE, "TREAT")


def test_without_any_consent_part_2_data_stays() -> None:
    assert code(ask(item(), [])) == "no-consent"


def test_a_signed_consent_that_names_the_recipient_lets_it_go() -> None:
    answer = ask(item(), [consent(TO_NORTHSIDE)])
    assert isinstance(answer, Permit)
    assert answer.basis == "consent"
    assert answer.consents == ("Consent/k",)


def test_another_recipient_is_not_the_one_named() -> None:
    answer = ask(item(), [consent(TO_NORTHSIDE)], to=LAKEVIEW)
    assert code(answer) == "recipient-not-named"


def test_the_refusal_names_the_recipient_and_nothing_clinical() -> None:
    answer = ask(
        item(code={"coding": [ALCOHOL], "text": "alcohol use disorder"}),
        [consent(rule("permit", LAKEVIEW, "TREAT"))],
    )
    assert isinstance(answer, Deny)
    assert answer.text == "no active consent of the client names Northside Housing Partnership as recipient"


@pytest.mark.parametrize("status", ["draft", "proposed", "rejected", "inactive", "entered-in-error"])
def test_only_active_consents_count(status: str) -> None:
    assert code(ask(item(), [consent(TO_NORTHSIDE, status=status)])) == "consent-not-active"


def test_a_revoked_consent_stops_the_next_delivery() -> None:
    given = consent(TO_NORTHSIDE)
    assert code(ask(item(), [given])) == "consent"
    assert code(ask(item(), [{**given, "status": "inactive"}])) == "consent-not-active"


def test_a_consent_without_evidence_of_a_signature_is_not_acted_on() -> None:
    assert code(ask(item(), [consent(TO_NORTHSIDE, sourceAttachment=None)])) == "consent-unsigned"


def test_a_verified_consent_counts_as_signed() -> None:
    assert (
        code(ask(item(), [consent(TO_NORTHSIDE, sourceAttachment=None, verification=[{"verified": True}])]))
        == "consent"
    )


def test_a_signature_in_a_provenance_counts() -> None:
    unsigned = consent(TO_NORTHSIDE, sourceAttachment=None)
    assert code(ask(item(), [read(unsigned, signed=True)])) == "consent"


def test_a_consent_without_a_date_is_deficient() -> None:
    assert code(ask(item(), [consent(TO_NORTHSIDE, dateTime=None)])) == "consent-deficient"


def test_a_consent_without_a_purpose_permits_no_part_2_data() -> None:
    assert code(ask(item(), [consent(rule("permit", NORTHSIDE))])) == "purpose-not-covered"


def test_a_consent_that_names_nobody_permits_no_part_2_data() -> None:
    assert isinstance(ask(item(), [consent(rule("permit", None, "TREAT"))]), Deny)


def test_a_blanket_opt_in_permits_no_part_2_data() -> None:
    opt_in = consent(None, policyRule={"coding": [{"code": "OPTIN"}]})
    assert isinstance(ask(item(), [opt_in]), Deny)


def test_another_clients_consent_does_not_help() -> None:
    assert code(ask(item(), [consent(TO_NORTHSIDE, patient={"reference": "Patient/other"})])) == "no-consent"


def test_another_clients_record_does_not_slip_into_the_document() -> None:
    stray = item("Condition", "stray", subject={"reference": "Patient/other"})
    answer = ask([item("Patient"), stray], [consent(TO_NORTHSIDE)])
    assert isinstance(answer, Permit)
    assert [(one.reference, one.code) for one in answer.withheld] == [("Condition/stray", "wrong-patient")]


def test_a_record_of_unknown_client_stays() -> None:
    lost = item("Condition", subject={"reference": "Group/7"})
    assert code(ask(lost, [consent(TO_NORTHSIDE)], patient="")) == "unknown-patient"


def test_consent_ends_when_its_period_ends() -> None:
    ended = consent(rule("permit", NORTHSIDE, "TREAT", period={"end": "2026-03-10"}))
    assert code(ask(item(), [ended])) == "consent-not-in-force"


def test_the_last_day_of_the_period_is_included() -> None:
    last = consent(rule("permit", NORTHSIDE, "TREAT", period={"end": "2026-03-11"}))
    assert code(ask(item(), [last])) == "consent"


def test_the_last_day_ends_when_the_agencys_day_ends() -> None:
    last = consent(rule("permit", NORTHSIDE, "TREAT", period={"end": "2026-03-10"}))
    chicago = replace(POSTURE, zone=ZoneInfo("America/Chicago"))
    late = datetime(2026, 3, 11, 3, tzinfo=UTC)
    assert code(ask(item(), [last], now=late)) == "consent-not-in-force"
    assert code(ask(item(), [last], now=late, posture=chicago)) == "consent"


def test_a_consent_for_next_month_does_not_help_today() -> None:
    later = consent(rule("permit", NORTHSIDE, "TREAT", period={"start": "2026-04"}))
    assert code(ask(item(), [later])) == "consent-not-in-force"


def test_an_unreadable_period_permits_nothing() -> None:
    odd = consent(rule("permit", NORTHSIDE, "TREAT", period={"end": "next spring"}))
    assert isinstance(ask(item(), [odd]), Deny)


def test_consent_for_treatment_covers_coordination_of_care() -> None:
    assert code(ask(item(), [consent(TO_NORTHSIDE)], for_="COC")) == "consent"


def test_consent_for_tpo_covers_care_management_and_payment() -> None:
    broad = [consent(rule("permit", NORTHSIDE, "TPO"))]
    assert code(ask(item(), broad, for_="CAREMGT")) == "consent"
    assert code(ask(item(), broad, for_="HPAYMT")) == "consent"


def test_consent_for_coordination_does_not_cover_all_treatment() -> None:
    assert (
        code(ask(item(), [consent(rule("permit", NORTHSIDE, "COC"))], for_="TREAT")) == "purpose-not-covered"
    )


def test_consent_for_tpo_does_not_cover_research_or_public_health() -> None:
    broad = [consent(rule("permit", NORTHSIDE, "TPO"))]
    assert code(ask(item(), broad, for_="HRESCH")) == "purpose-not-covered"
    assert code(ask(item(), broad, for_="PUBHLTH")) == "purpose-not-covered"


def test_legal_proceedings_need_a_consent_of_their_own() -> None:
    assert (
        code(ask(item(), [consent(rule("permit", NORTHSIDE, "TPO"))], for_="HLEGAL"))
        == "proceedings-not-consented"
    )
    assert code(ask(item(), [consent(rule("permit", NORTHSIDE, "HLEGAL"))], for_="HLEGAL")) == "consent"


def test_a_consent_that_mixes_treatment_with_proceedings_is_deficient() -> None:
    mixed = [consent(rule("permit", NORTHSIDE, "TREAT HLEGAL"))]
    assert code(ask(item(), mixed)) == "consent-deficient"
    assert code(ask(item(), mixed, for_="HLEGAL")) == "consent-deficient"


def test_counselling_notes_do_not_go_on_a_general_consent() -> None:
    note = item("DocumentReference", type={"coding": [NOTES]})
    assert code(ask(note, [consent(rule("permit", NORTHSIDE, "TPO"))])) == "notes-not-consented"


def test_counselling_notes_do_not_go_on_a_consent_for_behavioural_health() -> None:
    note = item("DocumentReference", type={"coding": [NOTES]})
    assert isinstance(ask(note, [consent(rule("permit", NORTHSIDE, "TREAT", labels=marks("BH")))]), Deny)


def test_counselling_notes_go_on_a_consent_for_nothing_else() -> None:
    note = item("DocumentReference", type={"coding": [NOTES]})
    only = [consent(rule("permit", NORTHSIDE, "TREAT", labels=marks("PSYTHPN")))]
    assert code(ask(note, only)) == "consent"
    combined = [consent(rule("permit", NORTHSIDE, "TREAT", labels=marks("PSYTHPN", "SUD")))]
    assert isinstance(ask(note, combined), Deny)


def test_my_treating_providers_means_those_the_directory_lists_now() -> None:
    general = [consent(rule("permit", "Group/treating-providers", "TREAT"))]
    assert code(ask(item(), general, to=RIVERBEND)) == "consent"
    assert code(ask(item(), general, to=NORTHSIDE)) == "recipient-not-named"


def test_the_care_team_is_a_recipient_class() -> None:
    team = [consent(rule("permit", "CareTeam/leslie", "TREAT"))]
    assert code(ask(item(), team, to=RIVERBEND)) == "consent"
    assert isinstance(ask(item(), team, to=LAKEVIEW), Deny)


def test_a_recipient_may_be_named_by_identifier() -> None:
    by_npi = rule(
        "permit",
        None,
        "TREAT",
        actor=[
            {
                "role": {"coding": [{"code": "IRCP"}]},
                "reference": {"identifier": {"system": "urn:npi", "value": "1234567893"}},
            }
        ],
    )
    assert code(ask(item(), [consent(by_npi)])) == "consent"


def test_a_namesake_on_another_server_is_somebody_else() -> None:
    elsewhere = rule("permit", "https://evil.example/fhir/Organization/northside", "TREAT")
    assert code(ask(item(), [consent(elsewhere)])) == "recipient-not-named"


def test_a_custodian_is_not_a_recipient() -> None:
    custodian = rule("permit", None, "TREAT", actor=[actor(NORTHSIDE, "CST")])
    assert isinstance(ask(item(), [consent(custodian)]), Deny)


def test_a_consent_for_another_agencys_records_does_not_open_ours() -> None:
    theirs = rule("permit", None, "TREAT", actor=[actor(NORTHSIDE), actor(RIVERBEND, "CST")])
    ours = rule("permit", None, "TREAT", actor=[actor(NORTHSIDE), actor(HARBOR, "CST")])
    assert isinstance(ask(item(), [consent(theirs)]), Deny)
    assert code(ask(item(), [consent(ours)])) == "consent"


def test_a_condition_we_do_not_understand_makes_a_permit_void() -> None:
    odd = rule("permit", NORTHSIDE, "TREAT", modifierExtension=[{"url": "https://x.example/only-on-sundays"}])
    assert isinstance(ask(item(), [consent(odd)]), Deny)


def test_a_condition_we_do_not_understand_makes_a_denial_count() -> None:
    odd = rule("deny", None, None, modifierExtension=[{"url": "https://x.example/only-on-sundays"}])
    both = [consent(TO_NORTHSIDE), consent(odd, "d", dateTime="2026-03-06")]
    assert code(ask(item(), both)) == "denied-by-client"


@pytest.mark.parametrize(
    "odd",
    [
        {"actor": [actor(NORTHSIDE), actor("Practitioner/1", "AUT")]},
        {
            "actor": [
                actor(NORTHSIDE),
                {"role": {"coding": [{"code": "IRCP"}]}, "reference": {"display": "somebody"}},
            ]
        },
        {"actor": [actor(NORTHSIDE), "somebody"]},
        {"class": [{"display": "letters"}]},
        {"securityLabel": [{"display": "private"}]},
        {"code": [{"text": "anything about housing"}]},
        {"action": [{"text": "share"}]},
        {"data": [{"meaning": "instance", "reference": {"display": "that letter"}}]},
        {"data": {"meaning": "instance"}},
        {"dataPeriod": {"start": "childhood"}},
    ],
)
def test_whatever_cannot_be_read_narrows_permits_and_widens_denials(odd: dict[str, object]) -> None:
    permit = {**rule("permit", NORTHSIDE, "TREAT"), **odd}
    assert isinstance(ask(item(), [consent(permit)]), Deny)
    denial = consent({**rule("deny", NORTHSIDE), **odd}, "d", dateTime="2026-03-09")
    assert code(ask(item(), [consent(TO_NORTHSIDE), denial])) == "denied-by-client"


def test_a_paper_we_do_not_understand_still_denies_but_never_permits() -> None:
    strange = {"modifierExtension": [{"url": "https://x.example/upside-down"}], "dateTime": "2026-03-09"}
    denial = consent(rule("deny", LAKEVIEW), "d", **strange)
    assert code(ask(item(), [consent(TO_NORTHSIDE), denial])) == "denied-by-client"
    assert isinstance(ask(item(), [consent(TO_NORTHSIDE, **strange)]), Deny)


@pytest.mark.parametrize(
    ("action", "goes"), [("disclose", True), ("access", True), ("collect", False), ("correct", False)]
)
def test_only_disclosing_actions_concern_disclosure(action: str, goes: bool) -> None:
    listed = [{"coding": [{"code": action}]}]
    permits = ask(item(), [consent(rule("permit", NORTHSIDE, "TREAT", action=listed))])
    assert isinstance(permits, Permit) is goes
    denial = consent(rule("deny", NORTHSIDE, action=listed), "d", dateTime="2026-03-09")
    assert isinstance(ask(item(), [consent(TO_NORTHSIDE), denial]), Deny) is goes


@pytest.mark.parametrize("meaning", ["related", "dependents"])
def test_what_refers_to_a_record_is_related_to_it(meaning: str) -> None:
    data = [{"meaning": meaning, "reference": {"reference": "Encounter/9"}}]
    related = [consent(rule("permit", NORTHSIDE, "TREAT", data=data))]
    assert code(ask(item(encounter={"reference": "Encounter/9"}), related)) == "consent"
    assert code(ask(item("Encounter", "9"), related)) == "consent"
    assert isinstance(ask(item(), related), Deny)


def test_what_one_person_wrote_may_be_named() -> None:
    data = [{"meaning": "authoredby", "reference": {"reference": "Practitioner/9"}}]
    hers = [consent(rule("permit", NORTHSIDE, "TREAT", data=data))]
    assert code(ask(item(recorder={"reference": "Practitioner/9"}), hers)) == "consent"
    assert isinstance(ask(item(note=[{"authorReference": {"reference": "Practitioner/9"}}]), hers), Deny)


def test_of_several_records_named_each_one_may_go() -> None:
    data = [{"meaning": "instance", "reference": {"reference": f"Condition/{one}"}} for one in (1, 2)]
    both = [consent(rule("permit", NORTHSIDE, "TREAT", data=data))]
    assert code(ask(item("Condition", "2"), both)) == "consent"
    assert isinstance(ask(item("Condition", "3"), both), Deny)


def test_except_in_emergencies_is_a_denial_that_is_silent_in_emergencies() -> None:
    paper = consent(rule(None), "d", policyRule={"coding": [{"code": "EMRGONLY"}]}, dateTime="2026-03-09")
    assert code(ask(item(), [consent(TO_NORTHSIDE), paper], for_="COC")) == "denied-by-client"
    assert code(ask(item(), [consent(TO_NORTHSIDE), paper], for_="ETREAT")) == "consent"


def test_a_permit_a_second_after_the_denial_is_newer() -> None:
    denial = consent(rule("deny", NORTHSIDE), "d", dateTime="2026-03-05T10:00:00Z")
    assert code(ask(item(), [denial, consent(TO_NORTHSIDE, dateTime="2026-03-05T10:00:01Z")])) == "consent"
    assert (
        code(ask(item(), [denial, consent(TO_NORTHSIDE, dateTime="2026-03-05T10:00:00Z")]))
        == "denied-by-client"
    )


def test_an_undated_denial_is_newer_than_everything() -> None:
    undated = consent(rule("deny", NORTHSIDE), "d", dateTime=None)
    assert code(ask(item(), [consent(TO_NORTHSIDE), undated])) == "denied-by-client"


def test_an_opt_out_that_has_ended_denies_nothing_more() -> None:
    policy = {"coding": [{"code": "OPTOUT"}]}
    ended = consent(rule("permit", LAKEVIEW, "TREAT", period={"end": "2026-03-01"}), "d", policyRule=policy)
    assert code(ask(item(), [ended, consent(TO_NORTHSIDE, dateTime="2026-01-01")])) == "consent"


def test_only_what_housing_needs_means_only_those_types() -> None:
    housing = [consent(rule("permit", NORTHSIDE, "TREAT", class_=types("ServiceRequest", "Task", "Patient")))]
    parts = [
        item("Patient"),
        item("ServiceRequest"),
        item("Task"),
        item("Condition", code={"coding": [ALCOHOL]}),
    ]
    answer = ask(parts, housing)
    assert isinstance(answer, Permit)
    assert [(one.reference, one.code) for one in answer.withheld] == [("Condition/1", "data-not-covered")]


def test_nothing_about_substance_use_means_nothing_about_it() -> None:
    but = [rule("deny", None, None, labels=marks("SUD"))]
    consents = [consent(rule("permit", LAKEVIEW, "TREAT", but=but))]
    parts = [item("Patient"), item("Condition", code={"coding": [ALCOHOL]}), item("Goal")]
    answer = ask(parts, consents, to=LAKEVIEW)
    assert isinstance(answer, Permit)
    assert [one.reference for one in answer.withheld] == ["Condition/1"]


def test_a_referral_is_withheld_as_a_whole_if_its_request_may_not_go() -> None:
    but = [rule("deny", None, None, class_=types("ServiceRequest"))]
    answer = ask(
        [item("Patient"), item("ServiceRequest"), item("Task")],
        [consent(rule("permit", NORTHSIDE, "TREAT", but=but))],
    )
    assert code(answer) == "denied-by-client"


def test_a_telling_reason_is_masked_so_that_the_referral_can_go() -> None:
    but = [rule("deny", None, None, labels=marks("SUD"))]
    request = item("ServiceRequest", code={"coding": [HOUSING]}, reasonCode=[{"coding": [ALCOHOL]}])
    answer = ask([item("Patient"), request], [consent(rule("permit", NORTHSIDE, "TREAT", but=but))])
    assert isinstance(answer, Permit)
    assert answer.cleared[1].masks == (("reasonCode",),)


def test_a_request_that_is_itself_telling_is_not_masked_but_withheld() -> None:
    but = [rule("deny", None, None, labels=marks("SUD"))]
    request = item("ServiceRequest", code={"coding": [ALCOHOL]})
    assert (
        code(ask([item("Patient"), request], [consent(rule("permit", NORTHSIDE, "TREAT", but=but))]))
        == "denied-by-client"
    )


def test_consent_for_alcohol_data_does_not_cover_depression() -> None:
    alcohol = [consent(rule("permit", NORTHSIDE, "TREAT", labels=marks("SUD")))]
    both = item(code={"coding": [ALCOHOL]}, evidence=[{"code": [{"coding": [DEPRESSION]}]}])
    assert code(ask(item(code={"coding": [ALCOHOL]}), alcohol)) == "consent"
    assert isinstance(ask(both, alcohol), Deny)


def test_the_old_word_for_substance_use_means_the_same() -> None:
    old = [consent(rule("permit", NORTHSIDE, "TREAT", labels=marks("ETH")))]
    assert code(ask(item(code={"coding": [ALCOHOL]}), old)) == "consent"


def test_consent_for_behavioural_health_covers_depression() -> None:
    assert (
        code(
            ask(
                item(code={"coding": [DEPRESSION]}),
                [consent(rule("permit", NORTHSIDE, "TREAT", labels=marks("BH")))],
            )
        )
        == "consent"
    )


def test_a_permit_for_restricted_data_covers_normal_data_too() -> None:
    restricted = [consent(rule("permit", RIVERBEND, "TREAT", labels=marks("R")))]
    normal = [consent(rule("permit", RIVERBEND, "TREAT", labels=marks("N")))]
    assert code(ask(item(part2=False), restricted, to=RIVERBEND)) == "consent"
    assert code(ask(item(part2=True), restricted, to=RIVERBEND)) == "consent"
    assert isinstance(ask(item(part2=True), normal, to=RIVERBEND), Deny)


def test_a_denial_of_restricted_data_spares_normal_data() -> None:
    but = [rule("deny", None, None, labels=marks("R"))]
    consents = [consent(rule("permit", RIVERBEND, "TREAT", but=but))]
    assert code(ask(item(part2=False), consents, to=RIVERBEND)) == "consent"
    assert code(ask(item(part2=True), consents, to=RIVERBEND)) == "denied-by-client"


def test_a_permit_for_part_2_data_is_for_part_2_data() -> None:
    part2 = [consent(rule("permit", RIVERBEND, "TREAT", labels=marks("42CFRPart2")))]
    assert code(ask(item(), part2, to=RIVERBEND)) == "consent"
    assert isinstance(ask(item(part2=False), part2, to=RIVERBEND), Deny)
    denial = consent(rule("deny", None, None, labels=marks("42CFRPart2")), "d", dateTime="2026-03-09")
    general = consent(rule("permit", RIVERBEND, "TREAT"))
    assert code(ask(item(), [general, denial], to=RIVERBEND)) == "denied-by-client"
    assert code(ask(item(part2=False), [general, denial], to=RIVERBEND)) == "consent"


@pytest.mark.parametrize(
    ("vague", "exact"),
    [
        ({}, {"class": types("Condition")}),
        ({}, {"dataPeriod": {"end": "2030"}}),
        ({"class": types("Condition")}, {"code": [{"coding": [HOUSING]}]}),
        ({"class": types("Condition")}, {"securityLabel": marks("N")}),
        (
            {"code": [{"coding": [HOUSING]}]},
            {"data": [{"meaning": "instance", "reference": {"reference": "Condition/1"}}]},
        ),
    ],
)
def test_an_older_denial_yields_to_a_newer_permit_unless_it_is_more_exact(
    vague: dict[str, object], exact: dict[str, object]
) -> None:
    about = item(code={"coding": [HOUSING]}, recordedDate="2026-02-02")
    older = {"id_": "d", "dateTime": "2026-01-09"}
    permit = consent({**TO_NORTHSIDE, **vague})
    assert (
        code(ask(about, [consent({**rule("deny", NORTHSIDE), **exact}, **older), permit]))
        == "denied-by-client"
    )
    assert code(ask(about, [consent({**rule("deny", NORTHSIDE), **vague}, **older), permit])) == "consent"


def test_only_records_from_this_year() -> None:
    year = [consent(rule("permit", NORTHSIDE, "TREAT", dataPeriod={"start": "2026-01-01"}))]
    assert code(ask(item("Observation", effectiveDateTime="2026-02-03"), year)) == "consent"
    assert isinstance(ask(item("Observation", effectiveDateTime="2025-12-31"), year), Deny)
    assert isinstance(ask(item("Observation"), year), Deny)


def test_a_denial_of_older_records_touches_undated_ones() -> None:
    but = [rule("deny", None, None, dataPeriod={"end": "2025-12-31"})]
    consents = [consent(rule("permit", NORTHSIDE, "TREAT", but=but))]
    assert code(ask(item("Observation", effectiveDateTime="2026-02-03"), consents)) == "consent"
    assert code(ask(item("Observation"), consents)) == "denied-by-client"


def test_this_one_document_and_no_other() -> None:
    one = [
        consent(
            rule(
                "permit",
                NORTHSIDE,
                "TREAT",
                data=[{"meaning": "instance", "reference": {"reference": "DocumentReference/7"}}],
            )
        )
    ]
    assert code(ask(item("DocumentReference", "7"), one)) == "consent"
    assert isinstance(ask(item("DocumentReference", "8"), one), Deny)


def test_an_exception_to_an_exception_lets_go_again() -> None:
    inner = [rule("permit", RIVERBEND, None, class_=types("Observation"))]
    but = [rule("deny", None, None, labels=marks("SUD"), but=inner)]
    consents = [consent(rule("permit", f"{RIVERBEND} {LAKEVIEW}", "TREAT", but=but))]
    alcohol = {"coding": [ALCOHOL]}
    assert code(ask(item("Observation", code=alcohol), consents, to=RIVERBEND)) == "consent"
    assert code(ask(item("Observation", code=alcohol), consents, to=LAKEVIEW)) == "denied-by-client"
    assert code(ask(item("Condition", code=alcohol), consents, to=RIVERBEND)) == "denied-by-client"


def test_everyone_denied_except_those_named() -> None:
    closed = [consent(rule("deny", but=[rule("permit", NORTHSIDE, "TREAT")]))]
    assert code(ask(item(), closed)) == "consent"
    assert code(ask(item(), closed, to=LAKEVIEW)) == "denied-by-client"


def test_opting_out_with_one_exception() -> None:
    policy = {"coding": [{"code": "OPTOUT"}]}
    one = [consent(rule("permit", NORTHSIDE, "TREAT"), policyRule=policy)]
    assert code(ask(item(), one)) == "consent"
    assert code(ask(item(), one, to=LAKEVIEW)) == "denied-by-client"


def test_not_them_in_the_base_dialect_is_never_read_as_a_permit_for_them() -> None:
    """R4 example notThem: OPTIN with an untyped root that names the nurse who is *not* to see it."""
    not_them = consent(rule(None, NORTHSIDE, "TREAT"), policyRule={"coding": [{"code": "OPTIN"}]})
    assert code(ask(item(), [not_them])) == "denied-by-client"


def test_a_newer_denial_beats_an_older_permit() -> None:
    both = [consent(TO_NORTHSIDE), consent(rule("deny", NORTHSIDE), "d", dateTime="2026-03-09")]
    assert code(ask(item(), both)) == "denied-by-client"


def test_a_newer_permit_beats_an_older_denial_that_is_no_more_specific() -> None:
    both = [consent(rule("deny", NORTHSIDE), "d", dateTime="2026-01-09"), consent(TO_NORTHSIDE)]
    assert code(ask(item(), both)) == "consent"


def test_an_older_but_more_specific_denial_still_stands() -> None:
    older = consent(rule("deny", NORTHSIDE, None, labels=marks("SUD")), "d", dateTime="2026-01-09")
    both = [older, consent(TO_NORTHSIDE)]
    assert code(ask(item(code={"coding": [ALCOHOL]}), both)) == "denied-by-client"
    assert code(ask(item("Goal"), both)) == "consent"


def test_a_denial_by_name_outlives_a_newer_permit_by_class_but_not_one_by_name() -> None:
    by_name = consent(rule("deny", RIVERBEND), "d", dateTime="2026-01-09")
    by_class = consent(rule("deny", "Group/treating-providers"), "d", dateTime="2026-01-09")
    general, direct = (
        consent(rule("permit", who, "TREAT")) for who in ("Group/treating-providers", RIVERBEND)
    )
    assert code(ask(item(), [by_name, general], to=RIVERBEND)) == "denied-by-client"
    assert code(ask(item(), [by_name, direct], to=RIVERBEND)) == "consent"
    assert code(ask(item(), [by_class, general], to=RIVERBEND)) == "consent"
    assert code(ask(item(), [by_class, direct], to=RIVERBEND)) == "consent"


def test_on_the_same_day_the_denial_wins() -> None:
    both = [consent(TO_NORTHSIDE), consent(rule("deny", NORTHSIDE), "d")]
    assert code(ask(item(), both)) == "denied-by-client"


def test_a_denial_needs_no_signature() -> None:
    spoken = consent(rule("deny", NORTHSIDE), "d", dateTime="2026-03-09", sourceAttachment=None)
    assert code(ask(item(), [consent(TO_NORTHSIDE), spoken])) == "denied-by-client"


def test_denying_treatment_denies_coordination_and_the_other_way_round() -> None:
    newer = {"dateTime": "2026-03-09"}
    treat = consent(rule("deny", NORTHSIDE, "TREAT"), "d", **newer)
    assert code(ask(item(), [consent(TO_NORTHSIDE), treat], for_="COC")) == "denied-by-client"
    coc = consent(rule("deny", NORTHSIDE, "COC"), "d", **newer)
    assert code(ask(item(), [consent(TO_NORTHSIDE), coc], for_="TREAT")) == "denied-by-client"


def test_refusing_treatment_is_not_refusing_disclosure() -> None:
    treatment = consent(
        rule("deny", NORTHSIDE), "d", dateTime="2026-03-09", scope={"coding": [{"code": "treatment"}]}
    )
    assert code(ask(item(), [consent(TO_NORTHSIDE), treatment])) == "consent"


def test_a_research_consent_serves_research_only() -> None:
    study = [consent(rule("permit", RIVERBEND, "HRESCH TREAT"), scope={"coding": [{"code": "research"}]})]
    assert code(ask(item(), study, to=RIVERBEND, for_="HRESCH")) == "consent"
    assert isinstance(ask(item(), study, to=RIVERBEND, for_="TREAT"), Deny)


# grounds other than consent


def emergency(**more: object) -> Emergency:
    facts = {
        "recipient_name": "Dr Duarte",
        "recipient_affiliation": "Riverbend",
        "discloser": "V. Chen",
        "at": NOW,
        "nature": "overdose",
        "recipient": RIVERBEND,
        "patients": frozenset({LESLIE}),
        "until": NOW + timedelta(hours=12),
    }
    return Emergency(**{**facts, **more})  # type: ignore[arg-type]


def test_a_medical_emergency_needs_no_consent() -> None:
    assert code(ask(item(), [], to=RIVERBEND, for_="BTG", ground=emergency())) == "emergency"


@pytest.mark.parametrize("missing", ["recipient_name", "recipient_affiliation", "discloser", "nature"])
def test_an_emergency_without_its_facts_opens_nothing(missing: str) -> None:
    assert (
        code(ask(item(), [], to=RIVERBEND, for_="BTG", ground=emergency(**{missing: " "})))
        == "emergency-incomplete"
    )


def test_an_emergency_without_its_time_opens_nothing() -> None:
    assert (
        code(ask(item(), [], to=RIVERBEND, for_="BTG", ground=emergency(at=None))) == "emergency-incomplete"
    )


def test_an_emergency_is_for_treating_it_only() -> None:
    assert code(ask(item(), [], to=RIVERBEND, for_="COC", ground=emergency())) == "emergency-purpose"


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"recipient": LAKEVIEW}, "emergency-recipient"),
        ({"patients": frozenset({"Patient/other"})}, "emergency-patient"),
        ({"until": NOW}, "emergency-over"),
        ({"at": NOW + timedelta(seconds=1)}, "emergency-over"),
        ({"types": frozenset({"MedicationRequest"})}, "ground-data"),
    ],
)
def test_an_emergency_opens_no_more_than_it_is_about(change: dict[str, object], why: str) -> None:
    assert code(ask(item(), [], to=RIVERBEND, for_="BTG", ground=emergency(**change))) == why


def test_an_emergency_may_be_limited_to_what_it_needs() -> None:
    needed = emergency(types=frozenset({"Condition"}), id="urn:uuid:1")
    answer = ask(item(), [], to=RIVERBEND, for_="BTG", ground=needed)
    assert isinstance(answer, Permit)
    assert (answer.basis, answer.consents) == ("emergency", ("urn:uuid:1",))


def test_an_emergency_overrides_even_a_denial() -> None:
    denial = consent(rule("deny"), "d")
    assert code(ask(item(), [denial], to=RIVERBEND, for_="BTG", ground=emergency())) == "emergency"


def test_the_purpose_emergency_alone_opens_nothing() -> None:
    assert code(ask(item(), [], to=RIVERBEND, for_="ETREAT")) == "no-consent"


def agreement(**more: object) -> Agreement:
    facts = {
        "basis": "audit-evaluation",
        "document": "Contract/9",
        "recipient": FUNDER,
        "purposes": frozenset({"HPRGRP"}),
        "start": datetime(2026, 1, 1, tzinfo=UTC),
    }
    return Agreement(**{**facts, **more})  # type: ignore[arg-type]


def test_the_funder_may_evaluate_under_its_written_agreement() -> None:
    assert code(ask(item(), [], to=FUNDER, for_="HPRGRP", ground=agreement())) == "audit-evaluation"


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"end": datetime(2026, 2, 1, tzinfo=UTC)}, "agreement-not-in-force"),
        ({"document": ""}, "agreement-not-in-force"),
        ({"recipient": LAKEVIEW}, "agreement-recipient"),
        ({"purposes": frozenset({"HPAYMT"})}, "agreement-purpose"),
        ({"patients": frozenset({"Patient/other"})}, "agreement-patient"),
        ({"basis": "court-order"}, "agreement-patient"),
    ],
)
def test_an_agreement_carries_no_more_than_it_says(change: dict[str, object], why: str) -> None:
    assert code(ask(item(), [], to=FUNDER, for_="HPRGRP", ground=agreement(**change))) == why


def test_an_agreement_begins_when_it_begins_and_ends_when_it_ends() -> None:
    assert code(ask(item(), [], to=FUNDER, for_="HPRGRP", ground=agreement(start=NOW))) == "audit-evaluation"
    assert (
        code(ask(item(), [], to=FUNDER, for_="HPRGRP", ground=agreement(end=NOW))) == "agreement-not-in-force"
    )


def test_a_court_order_carries_the_client_it_names() -> None:
    order = agreement(basis="court-order", patients=frozenset({LESLIE}), purposes=frozenset({"HLEGAL"}))
    assert code(ask(item(), [], to=FUNDER, for_="HLEGAL", ground=order)) == "court-order"


# what needs no consent


def test_directory_entries_and_questionnaires_concern_no_client() -> None:
    assert code(ask(item("Organization"), [])) == "directory"
    assert code(ask(item("Questionnaire"), [])) == "conformance"


def test_a_client_hidden_in_a_directory_entry_is_still_a_client() -> None:
    hiding = item("Organization", contained=[{"resourceType": "Patient", "id": "p"}])
    assert isinstance(ask(hiding, []), Deny)


def test_the_case_management_system_reads_its_own_records() -> None:
    assert code(ask(item(custodian=HARBOR), [], to=HARBOR)) == "custodian"


def test_a_partner_reads_what_it_wrote_itself() -> None:
    assert code(ask(item("ServiceRequest", author=COUNTY), [], to=COUNTY)) == "author"
    assert isinstance(ask(item("ServiceRequest", author=COUNTY), [], to=LAKEVIEW), Deny)


def test_empty_means_nothing() -> None:
    answer = ask([], [])
    assert isinstance(answer, Permit)
    assert (answer.basis, answer.cleared) == ("empty", ())


def test_ordinary_data_goes_for_treatment_only_where_the_posture_says_so() -> None:
    tpo = Posture(part2_program=False, organization=HARBOR, tpo_without_consent=True)
    plain = item("Encounter", part2=False)
    assert code(ask(plain, [], to=RIVERBEND)) == "no-consent"
    assert code(ask(plain, [], to=RIVERBEND, posture=tpo)) == "tpo"
    assert isinstance(ask(plain, [], to=NORTHSIDE, posture=tpo), Deny), "not a covered entity"
    assert isinstance(ask(plain, [], to=RIVERBEND, for_="HRESCH", posture=tpo), Deny)
    assert isinstance(ask(item("Encounter", part2=True), [], to=RIVERBEND, posture=tpo), Deny)
    sensitive = item(part2=False, code={"coding": [DEPRESSION]})
    assert isinstance(ask(sensitive, [], to=RIVERBEND, posture=tpo), Deny)
    denied = [consent(rule("deny", RIVERBEND))]
    assert code(ask(plain, denied, to=RIVERBEND, posture=tpo)) == "denied-by-client"


def test_a_deployment_must_say_whether_it_is_a_part_2_programme() -> None:
    with pytest.raises(TypeError):
        Posture(organization=HARBOR)  # type: ignore[call-arg]
