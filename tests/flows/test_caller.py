from typing import Any

import pytest

from service.flows.access.roles import ROLES, default_scopes
from service.flows.access.scopes import parse, parse_all
from service.flows.caller import Caller, Narrowed, Nothing, Whole
from service.kernel.failures import Refused
from service.kernel.ids import ClientId


def caller(scopes: str, *roles: str) -> Caller:
    return Caller(ClientId("c"), "Agency", "Organization/1", frozenset(roles), parse_all(scopes.split()))


INTERACTIONS: dict[str, list[Any]] = {
    "r": ["read", "vread", "history", "history-instance", "r"],
    "s": ["search", "search-type", "search-system", "history-type", "history-system", "s"],
    "u": ["update", "patch", "upsert", "u"],
    "c": ["create", "c"],
    "d": ["delete", "d"],
}


@pytest.mark.parametrize("letter", INTERACTIONS)
def test_each_letter_allows_its_interactions_and_no_others(letter: str) -> None:
    holder = caller(f"system/Task.{letter}")
    for other, interactions in INTERACTIONS.items():
        for interaction in interactions:
            assert holder.allows("Task", interaction) == (other == letter)
            assert not holder.allows("Patient", interaction)


def test_update_as_create_needs_only_the_update_letter() -> None:
    assert caller("system/Task.u").allows("Task", "upsert")


def test_no_scopes_allow_nothing() -> None:
    assert caller("").reach("Task", "read") == Nothing()
    assert not caller("").allows("Task", "read")


def test_the_whole_system_needs_a_scope_for_every_type() -> None:
    assert caller("system/*.s").allows("*", "history-system")
    assert not caller("system/Task.s").allows("*", "history-system")


@pytest.mark.parametrize("scope", ["user/Task.rs", "patient/Task.rs", "casework/*.cruds"])
def test_only_system_scopes_open_the_fhir_door(scope: str) -> None:
    assert not caller(scope, "casework").allows("Task", "read")


def test_a_constrained_scope_is_a_narrow_reach_and_never_a_plain_yes() -> None:
    narrow = caller("system/Observation.rs?category=a system/Observation.rs?category=b&status=final")
    assert narrow.reach("Observation", "search") == Narrowed(
        (("category=a",), ("category=b", "status=final"))
    )
    assert not narrow.allows("Observation", "search")
    assert caller("system/Observation.rs?category=a system/*.r").reach("Observation", "read") == Whole()


def test_a_missing_scope_is_named_in_the_refusal() -> None:
    with pytest.raises(Refused) as caught:
        caller("system/Patient.rs").require("Task", "update")
    assert caught.value.reason == "forbidden"
    assert "system/Task.u" in caught.value.text
    assert 'error="insufficient_scope"' in caught.value.facts["challenge"]


def test_the_casework_door_needs_the_role_and_a_scope() -> None:
    assert caller("casework/*.cruds", "casework").allows_casework("referrals", "update")
    assert caller("casework/referrals.rs", "casework").allows_casework("referrals", "read")
    assert caller("system/*.cruds", "casework").allows_casework("referrals", "update")
    assert caller("system/*.*", "casework").allows_casework("referrals", "update")
    assert not caller("casework/referrals.rs", "casework").allows_casework("referrals", "update")
    assert not caller("casework/referrals.rs", "casework").allows_casework("clients", "read")
    assert not caller("system/*.rs", "casework").allows_casework("referrals", "read")
    assert not caller("system/*.cruds casework/*.cruds", "ehr").allows_casework("referrals", "read")


def test_only_the_casework_system_looks_with_the_custodians_eyes() -> None:
    assert caller("", "casework").viewer is None
    assert caller("", "ehr", "auditor").viewer == "c"


@pytest.mark.parametrize("role", ROLES)
def test_every_default_scope_is_one_we_can_enforce(role: str) -> None:
    assert ROLES[role] and all(parse(scope) for scope in ROLES[role])


def test_only_the_casework_role_opens_the_casework_door_by_default() -> None:
    others = [role for role in ROLES if role != "casework"]
    assert not any(scope.startswith("casework/") for scope in default_scopes(others))


def test_a_funder_sees_no_person() -> None:
    funder = caller(" ".join(default_scopes(["funder"])), "funder")
    assert not any(funder.allows(type_, "read") for type_ in ("Patient", "Task", "Condition", "Observation"))
