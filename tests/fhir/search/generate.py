"""Random resources, dense in what searches look at, and random searches that have a chance to match.

Small pools on purpose: values must meet. Everything comes from one `random.Random`, so a seed is a case.
"""

import random
from typing import Any

from service.fhir import r4
from service.fhir.json import Number
from service.fhir.search.parameters import Parameter
from tests.fhir.search.oracle import BASE

TEXTS = (
    "Ann",
    "Ánn Marie",
    "ann",
    "ANNE",
    "a,b",
    "x|y",
    "c$d",
    "50%",
    "5_0",
    "back\\slash",
    "Straße",
    "  two  gaps ",
)
CODES = ("a", "b", "c", "x|y", "p,q", "d$e")
SYSTEMS = ("urn:one", "http://two.example/cs", None)
URIS = (
    "http://x.example/a",
    "http://x.example/a/b",
    "http://x.example/a/b/c",
    "urn:oid:1.2.3",
    "http://x.example/ab",
)
DATES = (
    "2020", "2020-02", "2020-02-29", "2020-02-29T10:00:00Z", "2020-02-29T23:30:00-05:00", "2020-03-01",
    "2020-03-01T04:30:00.123Z", "2021", "2019-12-31T23:59:59.999+00:00", "2020-03-01T04:30:00",
)  # fmt: skip
PLAIN_DATES = tuple(text for text in DATES if "T" not in text)
INSTANTS = tuple(text for text in DATES if "T" in text and text[-1] != "0")
NUMBERS = ("1", "1.0", "1.04", "100", "99.6", "100.49", "-3", "0", "0.5", "60", "1000", "0.001")
IDS = ("1", "2", "3")
UNITS = (
    {"system": "http://unitsofmeasure.org", "code": "mg", "unit": "milligram"},
    {"unit": "mg"}, {"system": "http://unitsofmeasure.org", "code": "g"}, {},
    {"system": "http://unitsofmeasure.org", "code": "min", "unit": "minutes"},
    {"system": "http://unitsofmeasure.org", "code": "h"}, {"system": "http://unitsofmeasure.org", "code": "{score}"},
    {"system": "urn:own", "code": "min"},
)  # fmt: skip
PREFIXES = ("", "eq", "ne", "gt", "lt", "ge", "le", "sa", "eb", "ap")
VALUE_SET = "http://hl7.org/fhir/ValueSet/task-status"

OWN_SET = "http://x.example/vs"
OWN_SYSTEM: dict[str, Any] = {
    "resourceType": "CodeSystem", "url": "urn:one", "status": "active", "content": "complete",
    "concept": [
        {"code": "a", "concept": [{"code": "b", "concept": [{"code": "x|y"}]}]},
        {"code": "c", "property": [{"code": "parent", "valueCode": "b"}]},
        {"code": "p,q", "property": [{"code": "child", "valueCode": "c"}]},
        {"code": "d$e"},
    ],
}  # fmt: skip
"""A hierarchy by all three ways to write one: c has two parents."""
OWN_TERMS: list[tuple[str, dict[str, Any]]] = [
    ("system.json", OWN_SYSTEM),
    ("set.json", {
        "resourceType": "ValueSet", "url": OWN_SET, "status": "active", "compose": {
            "include": [
                {"system": "urn:one", "filter": [{"property": "concept", "op": "is-a", "value": "b"}]},
                {"system": "http://two.example/cs", "concept": [{"code": "a"}, {"code": "d$e"}]},
            ],
            "exclude": [{"system": "urn:one", "concept": [{"code": "x|y"}]}],
        },
    }),
]  # fmt: skip
"""What an operator's guide could hold."""

Json = dict[str, Any]


def resource(rnd: random.Random, type_: str, id_: str) -> Json:
    """A resource with about half of its elements."""
    found = {"resourceType": type_, "id": id_, **element(rnd, type_, 0)}
    found["meta"] = {
        k: v for k, v in element(rnd, "Meta", 1).items() if k in ("profile", "tag", "security", "source")
    }
    own = OWN_PLACES.get(type_)
    if own and rnd.random() < 0.6:
        own(rnd, found)
    return found


OURS = "https://casebridge.example/fhir"


def _gpra(rnd: random.Random, found: Json) -> None:
    inner = [{"url": rnd.choice(("grant", "other")), "valueString": rnd.choice(TEXTS)}]
    url = rnd.choice((f"{OURS}/StructureDefinition/gpra-interview", "urn:other"))
    found["extension"] = [{"url": url, "extension": inner}]


def _leader(rnd: random.Random, found: Json) -> None:
    url = rnd.choice((f"{OURS}/StructureDefinition/primary-case-manager", "urn:other"))
    flag = {"url": url, "valueBoolean": rnd.random() < 0.7}
    found.setdefault("participant", []).append({"extension": [flag], "member": reference(rnd)})


def _area(rnd: random.Random, found: Json) -> None:
    coding_ = {"system": f"{OURS}/CodeSystem/service-area", "code": rnd.choice(CODES)}
    found.setdefault("category", []).append({"coding": [coding(rnd), coding_]})


OWN_PLACES = {"QuestionnaireResponse": _gpra, "CareTeam": _leader, "ServiceRequest": _area}
"""Where our own search parameters look."""


def element(rnd: random.Random, type_: str, depth: int) -> Json:
    found: Json = {}
    for child in r4.structure(type_).elements:
        if child.name in (
            "id",
            "meta",
            "contained",
            "modifierExtension",
            "text",
            "implicitRules",
            "language",
            "extension",
        ):
            continue
        if rnd.random() < (0.45 if depth else 0.35) or depth > 3:
            continue
        one = rnd.choice(child.types)
        many = [
            value for _ in range(rnd.choice((1, 1, 2))) if (value := leaf(rnd, one, child, depth)) is not None
        ]
        if many:
            found[child.key(one)] = many if child.many else many[0]
    return found


def leaf(rnd: random.Random, type_: str, child: Any, depth: int) -> Any:
    makers: dict[str, Any] = {
        "boolean": lambda: rnd.random() < 0.5,
        "date": lambda: rnd.choice(PLAIN_DATES),
        "dateTime": lambda: rnd.choice(DATES),
        "instant": lambda: rnd.choice(INSTANTS),
        "integer": lambda: rnd.choice((0, 1, 100)),
        "positiveInt": lambda: rnd.choice((1, 2)),
        "unsignedInt": lambda: rnd.choice((0, 1)),
        "decimal": lambda: Number(rnd.choice(NUMBERS)),
        "code": lambda: code(rnd, child),
        "canonical": lambda: rnd.choice(URIS) + rnd.choice(("", "|1.0")),
        "Reference": lambda: reference(rnd),
        "Coding": lambda: coding(rnd),
        "Identifier": lambda: identifier(rnd),
        "Quantity": lambda: quantity(rnd),
        "Period": lambda: period(rnd),
    }
    if type_ in makers:
        return makers[type_]()
    if type_ in ("uri", "url", "oid", "uuid"):
        return rnd.choice(URIS)
    if r4.is_primitive(type_):
        return rnd.choice(TEXTS)
    if type_ in ("Age", "Duration", "Count", "Distance"):
        return quantity(rnd)
    if r4.is_resource(type_) or type_ in ("Resource", "Extension", "Narrative", "Attachment"):
        return None
    return element(rnd, type_, depth + 1) or None


def code(rnd: random.Random, child: Any) -> str:
    binding = str(child.facts.get("binding", "")).partition("|")[0]
    codes = (r4.terms().get(f"ValueSet|{binding}") or {}).get("codes") or {}
    pool = sorted(c for known in codes.values() for c in known)[:4]
    return rnd.choice(pool or list(CODES))


def optional(rnd: random.Random, **members: Any) -> Json:
    return {key: value for key, value in members.items() if value is not None and rnd.random() < 0.8}


def coding(rnd: random.Random) -> Json:
    return optional(rnd, system=rnd.choice(SYSTEMS), code=rnd.choice(CODES), display=rnd.choice(TEXTS)) or {
        "code": "a"
    }


def identifier(rnd: random.Random) -> Json:
    kind = {"coding": [coding(rnd)], "text": rnd.choice(TEXTS)}
    return optional(rnd, system=rnd.choice(SYSTEMS), value=rnd.choice(CODES), type=kind) or {"value": "a"}


def quantity(rnd: random.Random) -> Json:
    return {"value": Number(rnd.choice(NUMBERS)), **rnd.choice(UNITS)}


def period(rnd: random.Random) -> Json:
    low, high = sorted(
        (rnd.choice(("2019", "2020-02", "2020-02-29")), rnd.choice(("2020-03-01", "2021", "2020-02-29")))
    )
    return optional(rnd, start=low, end=high) or {"start": low}


def reference(rnd: random.Random) -> Json:
    type_ = rnd.choice(
        ("Patient", "Patient", "Practitioner", "Organization", "ServiceRequest", "Group", "Location")
    )
    target = f"{type_}/{rnd.choice(IDS)}"
    return rnd.choice((
        {"reference": target}, {"reference": target}, {"reference": f"{target}/_history/2"},
        {"reference": f"{BASE}/{target}"}, {"reference": f"http://other.example/fhir/{target}"},
        {"reference": "#inside"}, {"identifier": identifier(rnd)}, {"reference": target, "display": "x"},
    ))  # fmt: skip


# searches


def escaped(text: str) -> str:
    for character in "\\,|$":
        text = text.replace(character, "\\" + character)
    return text


def search(rnd: random.Random, parameter: Parameter) -> tuple[str, str]:
    """A name with a modifier or none, and a value with one or two alternatives."""
    if rnd.random() < 0.1 and parameter.code not in ("_id", "_lastUpdated"):
        return f"{parameter.code}:missing", rnd.choice(("true", "false"))
    modifier, make = (
        rnd.choice(FORMS[parameter.type]) if parameter.code != "_id" else ("", lambda r, _: r.choice(IDS))
    )
    name = parameter.code + (f":{modifier}" if modifier else "")
    return name, ",".join(make(rnd, parameter) for _ in range(rnd.choice((1, 1, 2))))


def token(rnd: random.Random, _: Parameter) -> str:
    word = escaped(
        rnd.choice((*CODES, *CODES, "active", "completed", "true", "false", "male", "draft", "a", *TEXTS))
    )
    systems = [escaped(s) for s in SYSTEMS if s] + ["http://hl7.org/fhir/administrative-gender"]
    return rnd.choice((word, word, f"{rnd.choice(systems)}|{word}", f"|{word}", f"{rnd.choice(systems)}|"))


def of_type(rnd: random.Random, _: Parameter) -> str:
    return (
        f"{escaped(rnd.choice(('urn:one', 'http://two.example/cs')))}|{escaped(rnd.choice(CODES))}|"
        + escaped(rnd.choice(CODES))
    )


def kin(rnd: random.Random, _: Parameter) -> str:
    return f"urn:one|{escaped(rnd.choice(CODES))}"


def value_set(rnd: random.Random, _: Parameter) -> str:
    return rnd.choice((VALUE_SET, OWN_SET))


def text(rnd: random.Random, _: Parameter) -> str:
    word = rnd.choice(TEXTS)
    return escaped(rnd.choice((word, word[:2].strip() or word, word.strip().upper())))


def target(rnd: random.Random, parameter: Parameter) -> str:
    found = reference(rnd)
    uri_ = escaped(rnd.choice(URIS) + rnd.choice(("", "|1.0")))
    plain = found.get("reference", "Patient/1")
    return rnd.choice((plain, plain, rnd.choice(IDS), uri_)) if plain != "#inside" else rnd.choice(IDS)


def typed(rnd: random.Random, _: Parameter) -> str:
    return rnd.choice(
        (
            rnd.choice(IDS),
            f"Patient/{rnd.choice(IDS)}",
            f"http://other.example/fhir/Patient/{rnd.choice(IDS)}",
        )
    )


def uri(rnd: random.Random, _: Parameter) -> str:
    return escaped(rnd.choice(URIS) + rnd.choice(("", "", "/d", "|1.0")))


def date(rnd: random.Random, _: Parameter) -> str:
    return rnd.choice(PREFIXES) + rnd.choice(DATES)


def number(rnd: random.Random, _: Parameter) -> str:
    return rnd.choice(PREFIXES) + rnd.choice(NUMBERS)


def amount(rnd: random.Random, parameter: Parameter) -> str:
    unit = rnd.choice(("", "", "|http://unitsofmeasure.org|", "||mg", "||milligram", "|urn:own|min"))
    code = rnd.choice(("mg", "g", "kg", "min", "h", "{score}", "[lb_av]")) if unit.endswith("org|") else ""
    return number(rnd, parameter) + unit + code


def pair(rnd: random.Random, parameter: Parameter) -> str:
    makers = {
        "token": token,
        "reference": target,
        "date": date,
        "string": text,
        "quantity": amount,
        "number": number,
    }
    return "$".join(makers[part.type](rnd, parameter) for part in parameter.components)


def near(rnd: random.Random, _: Parameter) -> str:
    point = f"{rnd.choice((0, 1, 0.5))}|{rnd.choice((-3, 1, 100))}"
    return point + rnd.choice(("", "|1", "|120|km", "|300|[mi_i]", "|20000000|m"))


FORMS: dict[str, list[tuple[str, Any]]] = {
    "token": [
        ("", token), ("", token), ("not", token), ("text", text), ("of-type", of_type),
        ("in", value_set), ("not-in", value_set), ("below", kin), ("above", kin),
    ],
    "reference": [("", target), ("", target), ("identifier", token), ("Patient", typed)],
    "string": [("", text), ("exact", text), ("contains", text)],
    "uri": [("", uri), ("below", uri), ("above", uri)],
    "date": [("", date)],
    "number": [("", number)],
    "quantity": [("", amount)],
    "composite": [("", pair)],
    "special": [("", near)],
}  # fmt: skip
