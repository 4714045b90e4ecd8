"""JSON Patch as RFC 6902 and 6901 say, and what a patch may never do."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.fhir.json import decode, encode
from service.fhir.patch import json_patch
from service.kernel.failures import Refused

TASK = decode(
    b'{"resourceType":"Task","id":"t1","status":"requested","output":[{"valueDecimal":1.00},{"valueDecimal":2}],'
    b'"a/b":1,"m~n":2,"":3,"restriction":{"repetitions":1,"flag":true}}'
)


ONE, TWO = {"valueDecimal": 1}, {"valueDecimal": 2}


def patched(*operations: Any) -> Any:
    return json_patch(TASK, list(operations))


@pytest.mark.parametrize(
    ("operation", "path", "expected"),
    [
        ({"op": "add", "path": "/priority", "value": "stat"}, "priority", "stat"),
        ({"op": "add", "path": "/status", "value": "accepted"}, "status", "accepted"),
        ({"op": "add", "path": "/output/1", "value": 5}, "output", [ONE, 5, TWO]),
        ({"op": "add", "path": "/output/-", "value": 5}, "output", [ONE, TWO, 5]),
        ({"op": "add", "path": "/output/2", "value": 5}, "output", [ONE, TWO, 5]),
        ({"op": "add", "path": "/x", "value": None}, "x", None),
        ({"op": "remove", "path": "/output/0"}, "output", [TWO]),
        ({"op": "remove", "path": "/restriction/repetitions"}, "restriction", {"flag": True}),
        ({"op": "replace", "path": "/output/0/valueDecimal", "value": 2}, "output", [TWO, TWO]),
        ({"op": "replace", "path": "/a~1b", "value": 9}, "a/b", 9),
        ({"op": "replace", "path": "/m~0n", "value": 9}, "m~n", 9),
        ({"op": "replace", "path": "/", "value": 9}, "", 9),
        ({"op": "move", "from": "/output/0", "path": "/output/1"}, "output", [TWO, ONE]),
        ({"op": "move", "from": "/restriction/repetitions", "path": "/n"}, "n", 1),
        ({"op": "copy", "from": "/output/1", "path": "/output/0"}, "output", [TWO, ONE, TWO]),
        ({"op": "test", "path": "/output/0/valueDecimal", "value": 1}, "status", "requested"),
        ({"op": "test", "path": "/restriction", "value": {"flag": True, "repetitions": 1}}, "id", "t1"),
        ({"op": "move", "from": "/status", "path": "/status"}, "status", "requested"),
        ({"op": "add", "path": "/x", "value": 1, "unknown": "members are ignored"}, "x", 1),
    ],
)  # fmt: skip
def test_each_operation_does_what_the_rfc_says(operation: Any, path: str, expected: Any) -> None:
    assert patched(operation)[path] == expected


def test_the_digits_of_untouched_and_moved_numbers_stay() -> None:
    assert b'"n":1.00' in encode(patched({"op": "copy", "from": "/output/0/valueDecimal", "path": "/n"}))


def test_the_document_that_came_in_is_untouched() -> None:
    before = encode(TASK)
    patched(
        {"op": "add", "path": "/output/-", "value": {"a": []}},
        {"op": "add", "path": "/output/2/a/0", "value": 1},
        {"op": "remove", "path": "/restriction/flag"},
        {"op": "move", "from": "/output/0", "path": "/o"},
    )
    assert encode(TASK) == before


def test_the_patch_that_came_in_is_untouched() -> None:
    operations = [{"op": "add", "path": "/x", "value": {}}, {"op": "add", "path": "/x/y", "value": 1}]
    json_patch(TASK, operations)
    assert operations[0]["value"] == {}


@pytest.mark.parametrize(
    "operations",
    [
        None,
        {},
        [],
        [1],
        [{}],
        [{"op": "spoil", "path": "/x"}],
        [{"op": ["add"], "path": "/x"}],
        [{"op": "add", "path": "/x"}],
        [{"op": "add", "value": 1}],
        [{"op": "add", "path": "x", "value": 1}],
        [{"op": "add", "path": "/~2", "value": 1}],
        [{"op": "add", "path": 1, "value": 1}],
        [{"op": "copy", "path": "/x"}],
        [{"op": "test", "path": "/x"}],
        [{"op": "test", "path": "/status", "value": "requested"}] * 1001,
        [{"op": "add", "path": "/a" * 100, "value": 1}],
    ],
)
def test_a_patch_that_makes_no_sense_is_malformed(operations: Any) -> None:
    with pytest.raises(Refused) as refusal:
        json_patch(TASK, operations)
    assert refusal.value.reason == "malformed"


@pytest.mark.parametrize(
    "operation",
    [
        {"op": "remove", "path": "/nothing"},
        {"op": "remove", "path": ""},
        {"op": "replace", "path": "/nothing", "value": 1},
        {"op": "replace", "path": "/output/7", "value": 1},
        {"op": "replace", "path": "/output/-", "value": 1},
        {"op": "add", "path": "/output/7", "value": 1},
        {"op": "add", "path": "/output/01", "value": 1},
        {"op": "add", "path": "/output/-1", "value": 1},
        {"op": "add", "path": "/output/x", "value": 1},
        {"op": "add", "path": "/no/where", "value": 1},
        {"op": "add", "path": "/status/x", "value": 1},
        {"op": "move", "from": "/restriction", "path": "/restriction/x"},
        {"op": "move", "from": "/nothing", "path": "/x"},
        {"op": "copy", "from": "/nothing", "path": "/x"},
        {"op": "test", "path": "/status", "value": "done"},
        {"op": "test", "path": "/restriction/flag", "value": 1},
        {"op": "test", "path": "/output/0/valueDecimal", "value": True},
        {"op": "test", "path": "/output/0/valueDecimal", "value": "1.00"},
        {"op": "replace", "path": "/id", "value": "t2"},
        {"op": "remove", "path": "/id"},
        {"op": "replace", "path": "/resourceType", "value": "Patient"},
        {"op": "replace", "path": "", "value": {"resourceType": "Task"}},
        {"op": "replace", "path": "", "value": []},
    ],
)
def test_a_patch_that_does_not_apply_is_unprocessable(operation: Any) -> None:
    with pytest.raises(Refused) as refusal:
        patched(operation)
    assert refusal.value.reason == "unprocessable"


def test_a_refusal_names_the_operation_and_the_rule() -> None:
    with pytest.raises(Refused, match="operation 2 of the patch: the array has no item 9"):
        patched({"op": "add", "path": "/x", "value": 1}, {"op": "remove", "path": "/output/9"})
    with pytest.raises(Refused, match="a patch may not change id"):
        patched({"op": "replace", "path": "/id", "value": "other"})


def test_a_patch_cannot_double_a_document_until_memory_ends() -> None:
    with pytest.raises(Refused, match="copies too much"):
        patched(*[{"op": "copy", "from": "/output", "path": "/output/-"}] * 64)


def test_a_patch_cannot_nest_deeper_than_json_may() -> None:
    deep: Any = 1
    for _ in range(50):
        deep = {"d": deep}
    below = "/a" + "/d" * 50
    with pytest.raises(Refused, match="deeper than 64 levels"):
        patched({"op": "add", "path": "/a", "value": deep}, {"op": "replace", "path": below, "value": deep})


tokens = st.sampled_from(["", "output", "0", "1", "-", "status", "restriction", "x", "a~1b", "~", "id"])
pointers = st.lists(tokens, max_size=4).map(lambda parts: "".join("/" + part for part in parts))
one_operation = st.fixed_dictionaries(
    {"op": st.sampled_from(["add", "remove", "replace", "move", "copy", "test"]), "path": pointers},
    optional={"from": pointers, "value": st.sampled_from([None, 1, True, "x", [], {}, {"a": [1]}])},
)


@given(st.lists(one_operation, max_size=6))
def test_any_patch_applies_or_is_refused_and_leaves_its_input_alone(operations: list[Any]) -> None:
    before = encode(TASK)
    try:
        after = json_patch(TASK, operations)
    except Refused:
        pass
    else:
        assert (after["resourceType"], after["id"]) == ("Task", "t1")
    assert encode(TASK) == before
