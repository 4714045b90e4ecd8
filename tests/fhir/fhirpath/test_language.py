"""FHIRPath N1, sentence by sentence: what each expression yields."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from service.fhir.fhirpath import EvaluationError, Scope, compile

PATIENT: dict[str, Any] = {
    "resourceType": "Patient",
    "id": "example",
    "active": True,
    "identifier": [{"use": "usual", "system": "urn:oid:1.2.36.146.595.217.0.1", "value": "12345"}],
    "name": [
        {"use": "official", "family": "Chalmers", "given": ["Peter", "James"]},
        {"use": "usual", "given": ["Jim"]},
        {"use": "maiden", "family": "Windsor", "given": ["Peter", "James"]},
    ],
    "telecom": [{"use": "home"}, {"system": "phone", "value": "(03) 5555 6473", "use": "work", "rank": 1}],
    "gender": "male",
    "birthDate": "1974-12-25",
    "_birthDate": {
        "extension": [{"url": "http://example.org/birthTime", "valueDateTime": "1974-12-25T14:35:45-05:00"}]
    },
    "deceasedBoolean": False,
    "contact": [{"name": {"family": "du Marché", "_family": {"id": "f1"}, "given": ["Bénédicte"]}}],
    "managingOrganization": {"reference": "Organization/1"},
}
SCOPE = Scope(resource=PATIENT, now=datetime(2026, 3, 2, 9, 0, 0, 123000, tzinfo=UTC))

SENTENCES: dict[str, list[tuple[str, list[Any]]]] = {
    "paths": [
        ("name.given", ["Peter", "James", "Jim", "Peter", "James"]),
        ("Patient.name.given.first()", ["Peter"]),
        ("Encounter.name", []),
        ("Resource.id", ["example"]),
        ("DomainResource.id", ["example"]),
        ("name[1].given", ["Jim"]),
        ("name[9]", []),
        ("`name`.`given`[0]", ["Peter"]),
        ("deceased", [False]),
        ("nothing.at.all", []),
        ("name.given.nothing", []),
        ("%resource.id", ["example"]),
        ("%context.id", ["example"]),
        ("{}", []),
        ("name.where(use = 'usual').given", ["Jim"]),
        ("name.select(given.first())", ["Peter", "Jim", "Peter"]),
        ("name.where($index = 1).given", ["Jim"]),
        ("name.select($this.given.count())", [2, 1, 2]),
    ],
    "existence": [
        ("name.exists()", [True]),
        ("photo.exists()", [False]),
        ("photo.empty()", [True]),
        ("name.exists(use = 'maiden')", [True]),
        ("name.all(given.exists())", [True]),
        ("name.all(family.exists())", [False]),
        ("photo.all(false)", [True]),
        ("(true | false).allTrue()", [False]),
        ("(true | false).anyTrue()", [True]),
        ("(false | false).allFalse()", [True]),
        ("(true | false).anyFalse()", [True]),
        ("{}.allTrue()", [True]),
        ("{}.anyTrue()", [False]),
        ("(1|2).subsetOf(1|2|3)", [True]),
        ("(1|4).subsetOf(1|2|3)", [False]),
        ("(1|2|3).supersetOf(2)", [True]),
        ("name.given.count()", [5]),
        ("name.given.distinct()", ["Peter", "James", "Jim"]),
        ("name.given.isDistinct()", [False]),
        ("name.isDistinct()", [True]),
        ("active.not()", [False]),
        ("{}.not()", []),
        ("gender.not()", [False]),
    ],
    "parts of collections": [
        ("(1|2|3).first()", [1]),
        ("(1|2|3).last()", [3]),
        ("(1|2|3).tail()", [2, 3]),
        ("(1|2|3).skip(1)", [2, 3]),
        ("(1|2|3).skip(-1)", [1, 2, 3]),
        ("(1|2|3).take(2)", [1, 2]),
        ("(1|2|3).take(0)", []),
        ("(7).single()", [7]),
        ("(1|2|3).intersect(2|4)", [2]),
        ("(1|2|2|3).exclude(2)", [1, 3]),
        ("(1|2).union(2|3)", [1, 2, 3]),
        ("(1|2).combine(2|3)", [1, 2, 2, 3]),
        ("name.select(given | family).count()", [6 + 2 - 1]),
        ("name.select(given.union(family)).count()", [7]),
        ("(1|2|3|1.0)", [1, 2, 3]),
    ],
    "logic": [
        ("true and true", [True]),
        ("true and false", [False]),
        ("true and {}", []),
        ("false and {}", [False]),
        ("{} and false", [False]),
        ("{} and {}", []),
        ("true or {}", [True]),
        ("{} or true", [True]),
        ("false or {}", []),
        ("false or false", [False]),
        ("true xor false", [True]),
        ("true xor true", [False]),
        ("true xor {}", []),
        ("true implies {}", []),
        ("false implies {}", [True]),
        ("{} implies true", [True]),
        ("{} implies false", []),
        ("true implies false", [False]),
        ("name.first() and true", [True]),
        ("false implies false and false", [True]),
        ("iif(true, 1, 2)", [1]),
        ("iif({}, 1, 2)", [2]),
        ("iif(false, 1)", []),
        ("iif(true, 1, (1|2).single())", [1]),
    ],
    "equality": [
        ("1 = 1", [True]),
        ("1 = 1.0", [True]),
        ("1.0 = 1.00", [True]),
        ("'a' = 'A'", [False]),
        ("'a' ~ 'A'", [True]),
        ("'a  b' ~ 'A b'", [True]),
        ("1 = {}", []),
        ("{} = {}", []),
        ("{} ~ {}", [True]),
        ("1 ~ {}", [False]),
        ("true = 1", [False]),
        ("(1|2) = (1|2)", [True]),
        ("(1|2) = (2|1)", [False]),
        ("(1|2) ~ (2|1)", [True]),
        ("(1|2) = 1", [False]),
        ("1 != 2", [True]),
        ("1 != {}", []),
        ("1 !~ 2", [True]),
        ("0.67 ~ 0.7", [True]),
        ("name[0] = name[2]", [False]),
        ("name[0].given = name[2].given", [True]),
        ("@2012-04-15 = @2012-04-15", [True]),
        ("@2012-04-15 = @2012-04", []),
        ("@2012-04-15 = @2013-04", [False]),
        ("@2012-04-15 ~ @2012-04", [False]),
        ("@2012-04-15T15:00:00Z = @2012-04-15T17:00:00+02:00", [True]),
        ("@2012-04-15T15:30:31 = @2012-04-15T15:30:31.0", [True]),
        ("@2012-04-15T15:00:00Z = @2012-04-15T10:00:00", []),
        ("@T10:30 = @T10:30:00", []),
        ("birthDate = @1974-12-25", [True]),
        ("birthDate != @1974-12-26", [True]),
        ("7 days = 1 week", [True]),
        ("1 'g' = 1000 'mg'", [True]),
        ("1 'g' = 1 'm'", []),
        ("1 'kg' ~ 1000 'g'", [True]),
    ],
    "order": [
        ("1 < 2", [True]),
        ("2 <= 2.0", [True]),
        ("'a' < 'b'", [True]),
        ("{} < 1", []),
        ("@2012-04 < @2012-05-01", [True]),
        ("@2012-04 < @2012-04-01", []),
        ("@2018-12-18T12:00:00+05:00 > @2018-12-18T11:00:00Z", [False]),
        ("@T12:00 < @T14:00", [True]),
        ("birthDate < today()", [True]),
        ("2 'kg' > 1500 'g'", [True]),
        ("2 'kg' > 1500 'cm'", []),
        ("telecom.rank >= 1", [True]),
    ],
    "membership": [
        ("2 in (1|2|3)", [True]),
        ("{} in (1|2)", []),
        ("1 in {}", [False]),
        ("(1|2) contains 2", [True]),
        ("{} contains 1", [False]),
        ("gender in 'male' | 'female'", [True]),
        ("name.given contains 'Jim'", [True]),
        ("'Jim' in name.given", [True]),
        ("active in (true | false)", [True]),
    ],
    "arithmetic": [
        ("1 + 2 * 3", [7]),
        ("(1 + 2) * 3", [9]),
        ("1 + {}", []),
        ("'a' + 'b'", ["ab"]),
        ("'a' + {}", []),
        ("'a' & {} & 'b'", ["ab"]),
        ("4 / 2", [Decimal(2)]),
        ("1 / 0", []),
        ("5 div 2", [2]),
        ("-5 div 2", [-2]),
        ("5 mod 2", [1]),
        ("-5 mod 2", [-1]),
        ("5.5 mod 0.7", [Decimal("0.6")]),
        ("5 mod 0", []),
        ("1.8 - 0.6", [Decimal("1.2")]),
        ("-1", [-1]),
        ("+1", [1]),
        ("1-1", [0]),
        ("-(1 + 2)", [-3]),
        ("(@1974-12-25 + 7 days).toString()", ["1975-01-01"]),
        ("(@2020-01-31 + 1 month).toString()", ["2020-02-29"]),
        ("(@2020-02-29 + 1 year).toString()", ["2021-02-28"]),
        ("(@1973-12-25 - 1 'd').toString()", ["1973-12-24"]),
        ("(@2020-12 + 1 month).toString()", ["2021-01"]),
        ("(@2020 + 24 months).toString()", ["2022"]),
        ("(@1973-12-25T00:00:00.000+10:00 + 10 milliseconds).toString()", ["1973-12-25T00:00:00.010+10:00"]),
        ("(@1973-12-25 + 7.7 days).toString()", ["1974-01-01"]),
        ("(@1973-12-25T00:00:00.000+10:00 + 7.7 days).toString()", ["1974-01-01T00:00:00.000+10:00"]),
        ("(@1973-12-25T00:00:00.000+10:00 + 1 second).toString()", ["1973-12-25T00:00:01.000+10:00"]),
        ("(@T23:30:00 + 1 hour).toString()", ["00:30:00"]),
        ("(birthDate + 1 day).toString()", ["1974-12-26"]),
        ("(@9999-12-31 + 1 day)", []),
        ("(2 'g' + 3 'g') = 5 'g'", [True]),
        ("(2.0 'cm' * 2) = 4 'cm'", [True]),
    ],
    "precedence": [
        ("1 > 2 is Boolean", [True]),
        ("1 | 1 is Integer", [True]),
        ("true and 'a' in ('a' | 'b')", [True]),
        ("-name.given.count() = -5", [True]),
        ("4 'g' ~ 4040 'mg'", [True]),
        ("1.2 / 1.8 ~ 0.67", [True]),
        ("1.2 / 1.8 !~ 0.6", [True]),
        ("birthDate != @T12:14", [True]),
        ("birthDate != @1974-12-25T12:34:00+10:00", []),
        ("now() > today()", []),
        ("1 'mo' = 1 month", []),
        ("1 'wk' = 1 week", [True]),
        ("name.take(2) = name.take(2).last() | name.take(2).first()", [False]),
        ("name.take(2).given ~ name.take(2).last().given | name.take(2).first().given", [True]),
        ("name.given.where(substring($this.length()-3) = 'ter')", ["Peter", "Peter"]),
        ("name.select(iif(use = 'usual', $index, {}))", [1]),
        ("('context').iif($this = 'context', 'yes', 'no')", ["yes"]),
        ("{}.iif(true, 'yes', 'no')", ["yes"]),
        ("name.repeat('test')", ["test"]),
    ],
    "text": [
        ("'abcdefg'.indexOf('bc')", [1]),
        ("'abc'.indexOf('x')", [-1]),
        ("'abc'.indexOf('')", [0]),
        ("'abcdefg'.substring(3)", ["defg"]),
        ("'abcdefg'.substring(1, 2)", ["bc"]),
        ("'abc'.substring(3)", []),
        ("'abc'.substring(-1)", []),
        ("'abc'.substring(1, 10)", ["bc"]),
        ("'abc'.startsWith('ab')", [True]),
        ("'abc'.startsWith('')", [True]),
        ("{}.startsWith('a')", []),
        ("'abc'.endsWith('bc')", [True]),
        ("'abc'.contains('b')", [True]),
        ("'abc'.upper()", ["ABC"]),
        ("'ABC'.lower()", ["abc"]),
        ("'abcdefg'.replace('cde', '123')", ["ab123fg"]),
        ("'abc'.replace('', 'x')", ["xaxbxcx"]),
        ("'http://fhir/Library/1'.matches('Library')", [True]),
        ("'http://fhir/Library/1'.matches('^Library$')", [False]),
        ("'N8000123123'.matches('^N[0-9]{8}$')", [False]),
        ("'a\\nb'.matches('a.b')", [True]),
        ("'11/30/1972'.replaceMatches('([0-9]{2})/([0-9]{2})/([0-9]{4})', '$3-$1-$2')", ["1972-11-30"]),
        ("'abc'.replaceMatches('', 'x')", ["abc"]),
        ("'abc'.length()", [3]),
        ("'t2'.toChars()", ["t", "2"]),
        ("'a,b'.split(',')", ["a", "b"]),
        ("name.given.first().trim()", ["Peter"]),
        ("(  'a' | 'b').join('-')", ["a-b"]),
        ("'test'.encode('base64')", ["dGVzdA=="]),
        ("'dGVzdA=='.decode('base64')", ["test"]),
        (r"'\'\u0065\t'", ["'e\t"]),
    ],
    "numbers": [
        ("(-5).abs()", [5]),
        ("1.1.ceiling()", [2]),
        ("(-1.1).ceiling()", [-1]),
        ("1.9.floor()", [1]),
        ("(-2.1).floor()", [-3]),
        ("(-1.56).truncate()", [-1]),
        ("3.14159.round(3)", [Decimal("3.142")]),
        ("1.5.round()", [2]),
        ("81.sqrt()", [Decimal(9)]),
        ("(-1).sqrt()", []),
        ("0.exp()", [Decimal(1)]),
        ("16.log(2)", [Decimal(4)]),
        ("100.0.log(10.0) = 2.0", [True]),
        ("2.5.power(2) = 6.25", [True]),
        ("1.ln()", [Decimal(0)]),
        ("2.power(3)", [8]),
        ("(-1).power(0.5)", []),
        ("(5.5 'mg').abs() = 5.5 'mg'", [True]),
    ],
    "conversion": [
        ("'1'.toInteger()", [1]),
        ("'1.5'.toInteger()", []),
        ("'x'.toInteger()", []),
        ("true.toInteger()", [1]),
        ("1.5.toInteger()", []),
        ("'1.10'.toDecimal()", [Decimal("1.10")]),
        ("1.toDecimal()", [Decimal(1)]),
        ("'true'.toBoolean()", [True]),
        ("'Yes'.toBoolean()", [True]),
        ("0.toBoolean()", [False]),
        ("2.toBoolean()", []),
        ("1.50.toString()", ["1.50"]),
        ("true.toString()", ["true"]),
        ("@2014-12-14.toString()", ["2014-12-14"]),
        ("'2014-12-14'.toDate() = @2014-12-14", [True]),
        ("'2014-13-14'.toDate()", []),
        ("@2015-02-04T14:34:28Z.toDate() = @2015-02-04", [True]),
        ("'2014-12-14T10:00:00Z'.toDateTime() = @2014-12-14T10:00:00Z", [True]),
        ("'14:30'.toTime() = @T14:30", [True]),
        ("'5 \\'mg\\''.toQuantity() = 5 'mg'", [True]),
        ("'4 days'.toQuantity() = 4 days", [True]),
        ("'1'.convertsToInteger()", [True]),
        ("'a'.convertsToInteger()", [False]),
        ("'a'.convertsToDate()", [False]),
        ("{}.convertsToInteger()", []),
        ("'a'.convertsToString()", [True]),
        ("1.convertsToQuantity()", [True]),
    ],
    "the moment": [
        ("today().toString()", ["2026-03-02"]),
        ("now().toString()", ["2026-03-02T09:00:00.123Z"]),
        ("timeOfDay() > @T08:00:00", [True]),
        ("now() = now()", [True]),
    ],
    "iteration": [
        ("(1|2|3).aggregate($this + $total, 0)", [6]),
        ("(1|2|3).aggregate(iif($total.empty(), $this, iif($this < $total, $this, $total)))", [1]),
        ("contact.repeat(name).family", ["du Marché"]),
        ("(1).repeat(iif($this < 4, $this + 1, {}))", [2, 3, 4]),
        ("name.trace('names', given).count()", [3]),
        ("children().count() > 5", [True]),
        ("contact.descendants().count()", [4]),
        ("name.where(given.where($this = 'Jim').exists()).use", ["usual"]),
    ],
    "types": [
        ("Patient is Patient", [True]),
        ("$this is DomainResource", [True]),
        ("$this is FHIR.Resource", [True]),
        ("$this is Observation", [False]),
        ("active is boolean", [True]),
        ("active is Boolean", [True]),
        ("active is System.Boolean", [False]),
        ("birthDate is date", [True]),
        ("birthDate is dateTime", [False]),
        ("gender is code", [True]),
        ("gender is string", [True]),
        ("name.first() is HumanName", [True]),
        ("name.first() is Element", [True]),
        ("contact.first() is BackboneElement", [True]),
        ("deceased is boolean", [True]),
        ("deceased.ofType(boolean)", [False]),
        ("deceased.ofType(dateTime)", []),
        ("(deceased as boolean)", [False]),
        ("deceased.as(dateTime).exists()", [False]),
        ("1 is Integer", [True]),
        ("1 is System.Integer", [True]),
        ("1 is Decimal", [False]),
        ("'a' is String", [True]),
        ("@2020 is Date", [True]),
        ("@2020T is DateTime", [True]),
        ("5 'mg' is Quantity", [True]),
        ("{} is Patient", []),
        ("active.type().name", ["boolean"]),
        ("'a'.type().namespace", ["System"]),
        ("descendants().ofType(uri).count() > 0", [True]),
    ],
    "FHIR": [
        ("birthDate.extension('http://example.org/birthTime').exists()", [True]),
        ("birthDate.extension('http://example.org/birthTime').value", ["1974-12-25T14:35:45-05:00"]),
        ("birthDate.extension.url", ["http://example.org/birthTime"]),
        ("contact.name.family.id", ["f1"]),
        ("extension('x')", []),
        ("birthDate.hasValue()", [True]),
        ("name.hasValue()", [False]),
        ("birthDate.getValue()", ["1974-12-25"]),
        ("managingOrganization.resolve() is Organization", [True]),
        ("managingOrganization.where(resolve() is Organization).reference", ["Organization/1"]),
        ("managingOrganization.resolve().id", ["1"]),
        ("%ucum", ["http://unitsofmeasure.org"]),
        ("%sct & %loinc", ["http://snomed.info/scthttp://loinc.org"]),
        ('%"vs-administrative-gender"', ["http://hl7.org/fhir/ValueSet/administrative-gender"]),
        ("%`ext-patient-birthTime`", ["http://hl7.org/fhir/StructureDefinition/patient-birthTime"]),
        ("gender.memberOf('http://x')", []),
    ],
    "comments and space": [
        ("// nothing\n1 /* here */ + 1", [2]),
        ("\t1\r\n+ 1", [2]),
    ],
}


@pytest.mark.parametrize(
    ("expression", "expected"), [pair for sentences in SENTENCES.values() for pair in sentences]
)
def test_the_language_means_what_n1_says(expression: str, expected: list[Any]) -> None:
    found = compile(expression).evaluate(PATIENT, SCOPE)
    assert found == expected
    assert [isinstance(value, bool) for value in found] == [isinstance(value, bool) for value in expected]


@pytest.mark.parametrize(
    "expression",
    [
        "name.given.single()",
        "name.given and true",
        "(1|2) + 1",
        "'a' + 1",
        "1 < 'a'",
        "name < name",
        "(1|2) in (1|2)",
        "name.given.substring(1)",
        "1.substring(0)",
        "%unheard",
        "conformsTo('x')",
        "text.htmlChecks() or active.htmlChecks()",
        "(name | name.given) is Patient",
        "name['a']",
        "'a'.matches('(')",
        "gender.allTrue()",
        "('a' | 'b').iif(true, 1, 2)",
        "-1.convertsToInteger()",
        "@1973-12-25 + 1 'mo'",
        "@1973-12-25 + 1 'cm'",
        "@1973-12-25 + 7",
        "'a' - 'b'",
        "(1 | 2).not()",
        "telecom.rank < 'x'",
        "identifier.startsWith('x')",
        "(1 | 2) & 'b'",
        "'a'.abs()",
    ],
)
def test_what_has_no_answer_is_an_error_and_never_silence(expression: str) -> None:
    with pytest.raises(EvaluationError):
        compile(expression).evaluate(PATIENT, SCOPE)


def test_without_a_clock_there_is_no_now() -> None:
    with pytest.raises(EvaluationError):
        compile("now()").evaluate(PATIENT)


def test_an_invariant_holds_only_when_it_is_exactly_true() -> None:
    assert compile("name.exists()").holds(PATIENT)
    assert not compile("photo.title = 'x'").holds(PATIENT)
    assert not compile("{}").holds(PATIENT)
    assert not compile("false").holds(PATIENT)


def test_the_focus_may_be_a_primitive_of_a_named_type() -> None:
    assert compile("$this is dateTime").holds("2020-01-01", of="dateTime")
    assert not compile("$this is date").holds("2020-01-01", of="dateTime")
    assert compile("($this as dateTime).toString().length() >= 8").holds("2020-01-01", of="dateTime")
    assert compile("$this is Quantity").holds({"value": 1}, Scope(type_of_root="Quantity"))


def test_an_element_with_extensions_only_exists_but_has_no_value() -> None:
    patient = {"resourceType": "Patient", "_birthDate": {"extension": [{"url": "u", "valueCode": "unknown"}]}}
    assert compile("birthDate.exists()").holds(patient)
    assert compile("birthDate.hasValue().not()").holds(patient)
    assert compile("birthDate.extension('u').value = 'unknown'").holds(patient)
    assert compile("birthDate = '2020'").evaluate(patient) == []
    assert compile("birthDate").evaluate(patient) == []


def test_extensions_beside_items_of_a_list_stay_with_their_item() -> None:
    name = {"given": ["A", None, "C"], "_given": [None, {"id": "g2"}, {"id": "g3"}]}
    assert compile("given").evaluate(name) == ["A", "C"]
    assert compile("given.count()").evaluate(name) == [3]
    assert compile("given[1].id").evaluate(name) == ["g2"]
    assert compile("given.where($this = 'C').id").evaluate(name) == ["g3"]


def test_a_choice_with_only_an_extension_is_found_under_its_plain_name() -> None:
    observation = {"resourceType": "Observation", "_valueString": {"extension": [{"url": "u"}]}}
    assert compile("value.exists()").holds(observation)
    assert compile("value is string").holds(observation)


def test_the_type_of_a_choice_comes_from_its_key() -> None:
    observation = {"resourceType": "Observation", "valueQuantity": {"value": 5, "unit": "mg", "code": "mg"}}
    assert compile("(Observation.value as Quantity).unit").evaluate(observation) == ["mg"]
    assert compile("Observation.value.ofType(string)").evaluate(observation) == []
    assert compile("value = 5 'mg'").holds(observation)
    assert compile("value > 4 'mg'").holds(observation)


def test_nodes_tell_type_and_place() -> None:
    (node,) = compile("Patient.name[1].given").nodes(PATIENT)
    assert (node.value, node.type, node.key, node.index) == ("Jim", "string", "given", 0)
    assert node.holder is PATIENT["name"][1]
    (value,) = compile("1 + 1").nodes(PATIENT)
    assert (value.value, value.type) == (2, "System.Integer")


def test_references_inside_the_document_need_no_resolver() -> None:
    inner = {"resourceType": "Practitioner", "id": "p1"}
    patient = {"resourceType": "Patient", "contained": [inner], "generalPractitioner": [{"reference": "#p1"}]}
    assert compile("generalPractitioner.resolve()").evaluate(patient, Scope(resource=patient)) == [inner]
    missing = Scope(resource=inner, root_resource=patient)
    assert compile("'#'.resolve().resourceType | '#p2'.resolve()").evaluate(inner, missing) == ["Patient"]


def test_the_scope_decides_membership_and_conformance() -> None:
    scope = Scope(
        resource=PATIENT,
        member_of=lambda value, url: (value, url) == ("male", "http://vs"),
        conforms_to=lambda resource, url: resource["id"] == "example" and url == "http://p",
        html_is_safe=lambda text: text == "male",
        variables={"one": 1, "many": [1, 2], "none": None},
    )
    assert compile("gender.memberOf('http://vs')").holds(PATIENT, scope)
    assert compile("conformsTo('http://p')").holds(PATIENT, scope)
    assert compile("gender.htmlChecks()").holds(PATIENT, scope)
    assert compile("%one + %many.count() + %none.count()").evaluate(PATIENT, scope) == [3]
