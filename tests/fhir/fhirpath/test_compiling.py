"""Reading any text ends in a Program or in BadExpression; running any Program ends."""

import contextlib
import tarfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from service.fhir.fhirpath import BadExpression, EvaluationError, Program, Scope, compile
from service.fhir.json import JsonObject, decode_object

PACKAGES = Path(__file__).parents[4] / "shared" / "fhir-packages"


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("", 0),
        ("1 +", 3),
        ("(1", 2),
        ("name..given", 5),
        ("name.", 5),
        ("1 2", 2),
        ("'open", 0),
        ("a ? b", 2),
        ("name.unheard()", 5),
        ("name.where()", 5),
        ("name.where(true, false)", 5),
        ("name is Unheard", 5),
        ("name.ofType(1)", 12),
        ("name.ofType(a.b.c)", 16),
        ("@2020-13-01", 0),
        ("@T25:00", 0),
        (r"'\q'", 0),
        ("$that", 0),
        ("x[1", 3),
        ("{1}", 1),
        ("/* open", 0),
    ],
)
def test_a_bad_expression_is_refused_with_its_place(text: str, at: int) -> None:
    with pytest.raises(BadExpression) as refusal:
        compile(text)
    assert f"at character {refusal.value.at + 1}" in str(refusal.value)
    assert refusal.value.at == at


WORDS = (
    "name given where ( ) . [ ] { } , 'a' 1 1.5 @2020-01-01 @T10:00 $this $index $total %resource and or "
    "implies xor in contains is as = != ~ < >= + - * / div mod & | exists () all Patient ofType repeat "
    "matches aggregate true day `x` iif resolve descendants //"
)
DOCUMENT = {
    "resourceType": "Patient",
    "name": [{"given": ["a", "b"], "_given": [None, {"id": "x"}]}],
    "active": True,
}


@given(st.text(max_size=60))
@example("\x00")
@example("((((")
@example("'" * 3)
@example("1" * 5000)
@example("٣")
def test_any_text_is_read_or_refused(text: str) -> None:
    with contextlib.suppress(BadExpression):
        Program(text)


@settings(deadline=None)
@given(st.lists(st.sampled_from(WORDS.split()), max_size=14).map(" ".join))
def test_whatever_can_be_read_can_be_run_or_says_why_not(text: str) -> None:
    try:
        program = Program(text)
    except BadExpression:
        return
    for run in (program.evaluate, program.nodes, program.holds):
        with contextlib.suppress(EvaluationError):
            run(DOCUMENT, Scope(resource=DOCUMENT))


@pytest.mark.parametrize(
    "text",
    [
        "(" * 5000 + "1" + ")" * 5000,
        "-" * 5000 + "1",
        "a" + ".b" * 5000,
        "1" + "+1" * 5000,
        "a" + "[0]" * 5000,
        "a" + ".where(b" * 500 + ")" * 500,
        "a" + ".not()" * 1000,
        "a" + " is Patient" * 3000,
        "x" * 30000,
    ],
)
def test_a_towering_expression_is_refused_or_answered_but_never_topples(text: str) -> None:
    with contextlib.suppress(BadExpression, EvaluationError):
        compile(text).evaluate({"a": {"b": 1}})


@pytest.mark.parametrize(
    "text",
    [
        "(1).repeat($this + 1)",
        "item.where(%resource.descendants().where(%resource.descendants().count() > 1).exists())",
        "item.aggregate($total | ($total & $this.x), 'a')",
        "item.select(%resource.item).select(%resource.item).select(%resource.item)",
        "item.aggregate($total.combine($total), (1|2))",
        "item.aggregate($total & $total, 'ab')",
        "item.aggregate($total + $total, 'ab')",
        "item.aggregate($total * $total, 3)",
        "item.aggregate($total.replace('a', 'aaaaaaaaaa'), 'a')",
        "('a' & 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!').matches('^(a+)+$')",
        "item.x.join('aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa').matches('(a|a)*b')",
        "item.where(%resource = %resource).count()",
        "item.where((%resource | %resource.item).exists())",
        "item.where(%resource ~ %resource).count()",
        "item.select(%resource.big & %resource.big).count()",
        "item.where(%resource.big.contains('zz')).count()",
        "item.where(%resource.big.matches('a*a*a*b')).count()",
        "item.all(%resource.item.all(%resource.item.all(x.exists())))",
    ],
)
def test_work_is_bounded_on_a_hostile_expression(text: str) -> None:
    document = {"resourceType": "Basic", "item": [{"x": str(n)} for n in range(2000)], "big": "a" * 400_000}
    began = time.perf_counter()
    with contextlib.suppress(EvaluationError):
        compile(text).evaluate(document, Scope(resource=document))
    assert time.perf_counter() - began < 10


def artefacts(kind: str) -> Iterator[JsonObject]:
    """Every artefact of a kind in the three packages we answer for."""
    for name in ("hl7.fhir.r4.core-4.0.1", "hl7.fhir.us.core-7.0.0", "hl7.fhir.us.sdoh-clinicalcare-3.0.0"):
        with tarfile.open(PACKAGES / f"{name}.tgz") as archive:
            for member in archive:
                if member.name.startswith(f"package/{kind}-"):
                    stream = archive.extractfile(member)
                    yield decode_object(stream.read(), max_depth=200) if stream else {}


@pytest.mark.skipif(not PACKAGES.is_dir(), reason="../shared/fhir-packages is absent")
def test_every_invariant_of_r4_us_core_and_sdohcc_compiles() -> None:
    elements = [e for d in artefacts("StructureDefinition") for e in d.get("snapshot", {}).get("element", ())]
    rules = [constraint for element in elements for constraint in element.get("constraint", ())]
    expressions = {rule["expression"] for rule in rules if "expression" in rule}
    assert len(expressions) > 240
    for expression in expressions:
        compile(expression)


@pytest.mark.skipif(not PACKAGES.is_dir(), reason="../shared/fhir-packages is absent")
def test_every_search_parameter_of_r4_us_core_and_sdohcc_compiles() -> None:
    expressions = {d["expression"] for d in artefacts("SearchParameter") if "expression" in d}
    assert len(expressions) > 900
    for expression in expressions:
        compile(expression)
