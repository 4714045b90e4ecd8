"""A response answers its questionnaire, or is told where it does not."""

from typing import Any

import pytest

from service.fhir.json import decode
from service.fhir.validate.questionnaire import check_answers

HL7 = "http://hl7.org/fhir/StructureDefinition/"


def q(link: str, type_: str, *children: Any, **facts: Any) -> dict[str, Any]:
    item = {"linkId": link, "type": type_, **facts}
    return {**item, "item": list(children)} if children else item


def ext(name: str, **value: Any) -> dict[str, Any]:
    return {"url": HL7 + name, **value}


def form(*items: Any, **facts: Any) -> dict[str, Any]:
    return {
        "resourceType": "Questionnaire",
        "url": "https://example.org/q",
        "status": "active",
        "item": list(items),
        **facts,
    }


def a(link: str, *answers: Any, **more: Any) -> dict[str, Any]:
    row: dict[str, Any] = {"linkId": link, **more}
    if answers:
        row["answer"] = list(answers)
    return row


def said(*items: Any, status: str = "completed", **facts: Any) -> dict[str, Any]:
    return {
        "resourceType": "QuestionnaireResponse",
        "questionnaire": "https://example.org/q",
        "status": status,
        "item": list(items),
        **facts,
    }


YES, NO = {"valueBoolean": True}, {"valueBoolean": False}
RED = {"valueCoding": {"system": "s", "code": "red"}}
OPTIONS = [RED, {"valueCoding": {"system": "s", "code": "blue"}}]
ITEM = "QuestionnaireResponse.item[0]"
VALUE = ITEM + ".answer[0].value.ofType"


def found(response: Any, questionnaire: Any) -> list[tuple[str, str]]:
    return [(i.expression, i.rule) for i in check_answers(response, questionnaire) if i.fails]


FAULTS: list[tuple[str, Any, Any, str, str]] = [
    ("unknown linkId", form(q("1", "string")), said(a("2", {"valueString": "x"})), ITEM + ".linkId", "qr-linkId"),
    ("no linkId", form(q("1", "string")), said({"text": "x"}), ITEM, "qr-linkId"),
    ("item at another level", form(q("1", "group", q("1.1", "string"))), said(a("1.1", {"valueString": "x"})), ITEM + ".linkId", "qr-nesting"),
    ("wrong order", form(q("1", "string"), q("2", "string")), said(a("2", {"valueString": "x"}), a("1", {"valueString": "x"})), "QuestionnaireResponse.item[1]", "qr-order"),
    ("required missing", form(q("1", "string", required=True)), said(), "QuestionnaireResponse.item", "qr-required"),
    ("required without answer", form(q("1", "string", required=True)), said(a("1")), ITEM, "qr-required"),
    ("required in a group that is there", form(q("1", "group", q("1.1", "string", required=True), q("1.2", "string"))), said(a("1", item=[a("1.2", {"valueString": "x"})])), ITEM + ".item", "qr-required"),
    ("two answers", form(q("1", "string")), said(a("1", {"valueString": "x"}, {"valueString": "y"})), ITEM + ".answer[1]", "qr-repeats"),
    ("group twice", form(q("1", "group", q("1.1", "string"))), said(a("1"), a("1")), "QuestionnaireResponse.item[1]", "qr-repeats"),
    ("question twice", form(q("1", "string", repeats=True)), said(a("1", {"valueString": "x"}), a("1", {"valueString": "y"})), "QuestionnaireResponse.item[1]", "qr-repeats"),
    ("answer type", form(q("1", "integer")), said(a("1", {"valueString": "x"})), VALUE + "(string)", "qr-type"),
    ("group answered", form(q("1", "group")), said(a("1", YES)), ITEM + ".answer[0]", "qr-group-answer"),
    ("display answered", form(q("1", "display")), said(a("1", YES)), ITEM + ".answer[0]", "qr-display-answer"),
    ("items beside answers", form(q("1", "boolean", q("1.1", "string"))), said(a("1", YES, item=[a("1.1", {"valueString": "x"})])), ITEM + ".item[0]", "qr-nesting"),
    ("not an option", form(q("1", "choice", answerOption=OPTIONS)), said(a("1", {"valueCoding": {"system": "s", "code": "green"}})), VALUE + "(Coding)", "qr-option"),
    ("option of another system", form(q("1", "choice", answerOption=OPTIONS)), said(a("1", {"valueCoding": {"code": "red"}})), VALUE + "(Coding)", "qr-option"),
    ("text for a choice", form(q("1", "choice", answerOption=OPTIONS)), said(a("1", {"valueString": "red"})), VALUE + "(string)", "qr-type"),
    ("coding outside an open choice", form(q("1", "open-choice", answerOption=OPTIONS)), said(a("1", {"valueCoding": {"code": "x"}})), VALUE + "(Coding)", "qr-option"),
    ("exclusive option", form(q("1", "choice", repeats=True, answerOption=[{**RED, "extension": [ext("questionnaire-optionExclusive", valueBoolean=True)]}, OPTIONS[1]])), said(a("1", RED, OPTIONS[1])), ITEM, "qr-exclusive"),
    ("contained value set", form(q("1", "choice", answerValueSet="#v"), contained=[{"resourceType": "ValueSet", "id": "v", "compose": {"include": [{"system": "s", "concept": [{"code": "red"}]}]}}]), said(a("1", {"valueCoding": {"system": "s", "code": "x"}})), VALUE + "(Coding)", "qr-valueSet"),
    ("maxLength", form(q("1", "string", maxLength=2)), said(a("1", {"valueString": "abc"})), VALUE + "(string)", "qr-maxLength"),
    ("minLength", form(q("1", "string", extension=[ext("minLength", valueInteger=3)])), said(a("1", {"valueString": "ab"})), VALUE + "(string)", "qr-minLength"),
    ("regex", form(q("1", "string", extension=[ext("regex", valueString="[0-9]+")])), said(a("1", {"valueString": "1b"})), VALUE + "(string)", "qr-regex"),
    ("minValue", form(q("1", "integer", extension=[ext("minValue", valueInteger=3)])), said(a("1", {"valueInteger": 2})), VALUE + "(integer)", "qr-minValue"),
    ("maxValue of a date", form(q("1", "date", extension=[ext("maxValue", valueDate="2024-01-01")])), said(a("1", {"valueDate": "2024-01-02"})), VALUE + "(date)", "qr-maxValue"),
    ("decimal places", form(q("1", "decimal", extension=[ext("maxDecimalPlaces", valueInteger=1)])), said(a("1", {"valueDecimal": decode(b"1.25")})), VALUE + "(decimal)", "qr-decimals"),
    ("minOccurs", form(q("1", "string", repeats=True, required=True, extension=[ext("questionnaire-minOccurs", valueInteger=2)])), said(a("1", {"valueString": "x"})), ITEM, "qr-minOccurs"),
    ("maxOccurs", form(q("1", "string", repeats=True, extension=[ext("questionnaire-maxOccurs", valueInteger=1)])), said(a("1", {"valueString": "x"}, {"valueString": "y"})), ITEM, "qr-maxOccurs"),
    ("unit", form(q("1", "quantity", extension=[ext("questionnaire-unitOption", valueCoding={"system": "u", "code": "kg"})])), said(a("1", {"valueQuantity": {"value": 1, "system": "u", "code": "g"}})), VALUE + "(Quantity)", "qr-unit"),
    ("reference type", form(q("1", "reference", extension=[ext("questionnaire-referenceResource", valueCode="Patient")])), said(a("1", {"valueReference": {"reference": "Group/1"}})), VALUE + "(Reference)", "qr-reference-type"),
    ("attachment type", form(q("1", "attachment", extension=[ext("mimeType", valueCode="image/png")])), said(a("1", {"valueAttachment": {"contentType": "text/plain"}})), VALUE + "(Attachment)", "qr-attachment-type"),
    ("constraint on an item", form(q("1", "group", q("1.1", "integer"), extension=[ext("questionnaire-constraint", extension=[{"url": "key", "valueId": "c-1"}, {"url": "severity", "valueCode": "error"}, {"url": "expression", "valueString": "item.answer.value > 3"}, {"url": "human", "valueString": "more than three"}])])), said(a("1", item=[a("1.1", {"valueInteger": 2})])), ITEM, "c-1"),
    ("constraint on the whole", form(q("1", "integer"), extension=[ext("questionnaire-constraint", extension=[{"url": "key", "valueId": "c-2"}, {"url": "expression", "valueString": "item.count() > 1"}])]), said(a("1", {"valueInteger": 2})), "QuestionnaireResponse", "c-2"),
    ("another questionnaire", form(q("1", "string")), said(questionnaire="https://example.org/other"), "QuestionnaireResponse.questionnaire", "qr-questionnaire"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("questionnaire", "response", "at", "rule"), [row[1:] for row in FAULTS], ids=[row[0] for row in FAULTS]
)
def test_a_fault_in_an_answer_is_found_where_it_is(
    questionnaire: Any, response: Any, at: str, rule: str
) -> None:
    assert (at, rule) in found(response, questionnaire)


def test_a_good_response_is_good() -> None:
    questionnaire = form(
        q("1", "group", q("1.1", "boolean", q("1.1.1", "string")), q("1.2", "choice", answerOption=OPTIONS), repeats=True),
        q("2", "display"), q("3", "open-choice", answerOption=OPTIONS), q("4", "decimal", required=True),
    )  # fmt: skip
    group = a("1", item=[a("1.1", {**YES, "item": [a("1.1.1", {"valueString": "x"})]}), a("1.2", RED)])
    response = said(group, group, a("3", {"valueString": "mauve"}), a("4", {"valueDecimal": decode(b"1.0")}))
    assert check_answers(response, questionnaire) == []


def test_what_is_missing_is_no_error_while_in_progress() -> None:
    assert found(said(status="in-progress"), form(q("1", "string", required=True))) == []


@pytest.mark.parametrize(
    ("operator", "wanted", "given", "enabled"),
    [
        ("exists", {"answerBoolean": True}, [{"valueInteger": 1}], True),
        ("exists", {"answerBoolean": True}, [], False),
        ("exists", {"answerBoolean": False}, [], True),
        ("=", {"answerInteger": 1}, [{"valueInteger": 1}], True),
        ("=", {"answerInteger": 1}, [{"valueInteger": 2}], False),
        ("!=", {"answerInteger": 1}, [{"valueInteger": 2}], True),
        ("!=", {"answerInteger": 1}, [{"valueInteger": 1}], False),
        (">", {"answerInteger": 1}, [{"valueInteger": 2}], True),
        (">", {"answerInteger": 1}, [{"valueInteger": 1}], False),
        ("<", {"answerInteger": 1}, [{"valueInteger": 0}], True),
        (">=", {"answerInteger": 1}, [{"valueInteger": 1}], True),
        ("<=", {"answerInteger": 1}, [{"valueInteger": 2}], False),
        ("=", {"answerCoding": {"system": "s", "code": "a"}}, [{"valueCoding": {"system": "s", "code": "a", "display": "A"}}], True),
        ("=", {"answerCoding": {"system": "s", "code": "a"}}, [{"valueCoding": {"system": "t", "code": "a"}}], False),
        ("<", {"answerDate": "2024-05-01"}, [{"valueDate": "2024-04-30"}], True),
        (">", {"answerQuantity": {"value": 5, "code": "kg"}}, [{"valueQuantity": {"value": 6, "code": "kg"}}], True),
        ("=", {"answerInteger": 2}, [{"valueInteger": 1}, {"valueInteger": 2}], True),
    ],
)  # fmt: skip
def test_enable_when_decides_whether_an_item_may_be_answered(
    operator: str, wanted: Any, given: Any, enabled: bool
) -> None:
    condition = {"question": "1", "operator": operator, **wanted}
    questionnaire = form(
        q("1", "integer", repeats=True), q("2", "boolean", required=True, enableWhen=[condition])
    )
    answered = [a("1", *given)] if given else []
    rules = [rule for _, rule in found(said(*answered, a("2", YES)), questionnaire)]
    assert ("qr-enableWhen" in rules) is not enabled
    rules = [rule for _, rule in found(said(*answered), questionnaire)]
    assert ("qr-required" in rules) is enabled


@pytest.mark.parametrize(("behaviour", "enabled"), [("all", False), ("any", True)])
def test_several_conditions_hold_all_or_any(behaviour: str, enabled: bool) -> None:
    conditions = [{"question": link, "operator": "=", "answerBoolean": True} for link in ("1", "2")]
    questionnaire = form(
        q("1", "boolean"),
        q("2", "boolean"),
        q("3", "boolean", enableWhen=conditions, enableBehavior=behaviour),
    )
    rules = [rule for _, rule in found(said(a("1", YES), a("2", NO), a("3", YES)), questionnaire)]
    assert ("qr-enableWhen" in rules) is not enabled


def test_a_condition_looks_into_its_own_repetition_of_a_group_first() -> None:
    follow = q("g.2", "boolean", enableWhen=[{"question": "g.1", "operator": "=", "answerBoolean": True}])
    questionnaire = form(q("g", "group", q("g.1", "boolean"), follow, repeats=True))
    response = said(a("g", item=[a("g.1", YES), a("g.2", YES)]), a("g", item=[a("g.1", NO), a("g.2", YES)]))
    assert found(response, questionnaire) == [("QuestionnaireResponse.item[1].item[1]", "qr-enableWhen")]


def test_a_value_set_that_cannot_be_decided_is_information() -> None:
    issues = check_answers(said(a("1", RED)), form(q("1", "choice", answerValueSet="https://example.org/v")))
    assert [(issue.severity, issue.rule) for issue in issues] == [("information", "qr-valueSet")]


@pytest.mark.parametrize("shape", [None, 3, "x", [], [None], {}, [[1]], {"item": 3}])
def test_hostile_shapes_do_not_raise(shape: Any) -> None:
    response = {
        "resourceType": "QuestionnaireResponse",
        "item": shape,
        "status": shape,
        "questionnaire": shape,
    }
    questionnaire = {
        "item": [
            {
                "linkId": "1",
                "type": shape,
                "enableWhen": shape,
                "answerOption": shape,
                "extension": shape,
                "item": shape,
            }
        ]
    }
    check_answers(response, questionnaire)
    check_answers(said({"linkId": "1", "answer": shape, "item": shape}), questionnaire)
    check_answers(said({"linkId": "1", "answer": [{"valueCoding": shape, "item": shape}]}), questionnaire)
    check_answers(said({"linkId": shape}), {"item": shape, "contained": shape, "extension": [{"url": shape}]})
