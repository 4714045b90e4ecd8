"""Scopes as a set algebra, checked against a slow oracle that lists every single permission."""

from itertools import product

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from service.flows.access.scopes import Scope, grant, parse, parse_all


@pytest.mark.parametrize(
    ("text", "letters"),
    [
        ("system/Task.r", "r"),
        ("system/*.cruds", "cruds"),
        ("system/Patient.rs", "rs"),
        ("user/Patient.cud", "cud"),
        ("casework/case-managers.rs", "rs"),
        ("system/Observation.rs?category=laboratory", "rs"),
        ("system/Observation.rs?category=http://loinc.org|1-8&status=final", "rs"),
    ],
)
def test_a_v2_scope_is_read(text: str, letters: str) -> None:
    scope = parse(text)
    assert scope is not None
    assert scope.letters == letters
    assert scope.text == text


@pytest.mark.parametrize(("word", "letters"), [("read", "rs"), ("write", "cud"), ("*", "cruds")])
def test_a_v1_scope_means_letters_and_is_answered_as_v1(word: str, letters: str) -> None:
    scope = parse(f"system/Patient.{word}")
    assert scope is not None
    assert scope.letters == letters
    assert scope.text == f"system/Patient.{word}"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "openid",
        "system/Patient",
        "system/Patient.",
        "system/Patient.sr",
        "system/Patient.rr",
        "system/Patient.x",
        "system/Patient.READ",
        "system/Patient.rd?",
        "system/.rs",
        "system/Pat ient.rs",
        "system/Patient.rs?category",
        "system/Patient.rs?=x",
        "system/Patient.rs?category=",
        "system/Patient.rs?category:not=x",
        "system/Patient.rs?subject.name=x",
        "system/Patient.rs?a=b&&c=d",
        "system/Patient.rs?a=b#",
        "system/Patient.read?a=b",
        "System/Patient.rs",
        "system/patient.rs",
        "casework/Patient.rs",
        'system/Patient.rs?a="b"',
        "system/Patient.rs?a=b\\c",
        "system/Patient.rs?a=\u00e9",
        "launch/patient",
        "system/*.*.rs",
        "system/Patient.rs\n",
        "system/**.rs",
    ],
)
def test_anything_undefined_is_no_scope(text: str) -> None:
    assert parse(text) is None


def test_read_never_means_delete() -> None:
    scope = parse("system/Patient.read")
    assert scope is not None and "d" not in scope.letters


@pytest.mark.parametrize(
    ("held", "asked", "granted"),
    [
        ("system/*.rs", "system/Task.r", "system/Task.r"),
        ("system/Task.rs", "system/*.cruds", "system/Task.rs"),
        ("system/Task.rs system/Task.cu", "system/Task.cruds", "system/Task.crus"),
        ("system/Task.rs system/Task.cud", "system/Task.*", "system/Task.*"),
        ("system/Task.cu", "system/Task.write", "system/Task.cu"),
        ("system/Patient.rs", "system/Task.rs", ""),
        ("system/Task.rs", "system/Task.d", ""),
        ("user/Task.rs", "system/Task.rs", ""),
        ("system/Task.rs?status=requested", "system/Task.rs", "system/Task.rs?status=requested"),
        ("system/Task.rs", "system/Task.rs?status=requested", "system/Task.rs?status=requested"),
        ("system/Task.rs?a=1", "system/Task.rs?b=2", "system/Task.rs?b=2&a=1"),
        ("system/*.rs", "system/Task.rs system/Task.r", "system/Task.rs"),
        ("", "system/*.cruds", ""),
    ],
)
def test_a_grant_is_the_intersection_in_its_shortest_form(held: str, asked: str, granted: str) -> None:
    found = grant(parse_all(asked.split()), parse_all(held.split()))
    assert " ".join(scope.text for scope in found) == granted


TYPES, LETTERS, QUERIES = ("A", "B"), "cruds", ((), ("x=1",), ("y=2",), ("x=1", "y=2"))
scopes = st.builds(
    Scope,
    st.sampled_from(("system", "user")),
    st.sampled_from(("*", *TYPES)),
    st.sets(st.sampled_from(LETTERS), min_size=1).map(lambda s: "".join(c for c in LETTERS if c in s)),
    st.sampled_from(QUERIES),
    st.booleans(),
)


def permissions(held: tuple[Scope, ...] | list[Scope]) -> set[tuple[str, str, str, frozenset[str]]]:
    """Every (context, type, letter, properties of a resource) that these scopes let through."""
    contexts = ("system", "user")
    worlds = [frozenset(w) for w in ((), ("x=1",), ("y=2",), ("x=1", "y=2"))]
    return {
        (context, type_, letter, world)
        for context, type_, letter, world in product(contexts, "ABC", LETTERS, worlds)
        for scope in held
        if scope.context == context
        and scope.type in ("*", type_)
        and letter in scope.letters
        and set(scope.query) <= world
    }


@settings(max_examples=1000, deadline=None)
@given(st.lists(scopes, max_size=4), st.lists(scopes, max_size=4))
@example(
    [Scope("system", "*", "c"), Scope("system", "*", "c", ("y=2",))],
    [Scope("system", "*", "c", ("x=1", "y=2"))],
)
def test_a_grant_allows_exactly_what_both_sides_allow(asked: list[Scope], held: list[Scope]) -> None:
    assert permissions(grant(asked, held)) == permissions(asked) & permissions(held)


@given(scopes, scopes)
def test_covers_is_the_subset_relation_for_single_scopes(one: Scope, other: Scope) -> None:
    if one.covers(other):
        assert permissions([one]) >= permissions([other])


@given(scopes)
def test_a_scope_written_and_read_again_allows_the_same(scope: Scope) -> None:
    again = parse(scope.text)
    assert again is not None
    assert permissions([again]) == permissions([scope])
