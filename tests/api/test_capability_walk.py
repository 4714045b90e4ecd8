"""The CapabilityStatement walked as an integration engineer would who believes it: every search parameter with a value
that finds something and one that does not, every include both ways, every operation, every compartment.

Interactions are walked in test_claims.py.
"""

import random
import re
from collections.abc import AsyncIterator, Iterable
from copy import deepcopy
from typing import Any
from urllib.parse import quote

import httpx
import pytest
from least import LEAST

from service.fhir import fhirpath
from service.fhir.artefacts import shelf
from service.fhir.catalogue import catalogue
from service.fhir.json import decode_object, encode
from service.fhir.search import extract
from service.fhir.search.parameters import Parameter, parameters
from service.kernel.clock import system_clock
from service.store.unit import Put
from tests.fhir.search import generate, oracle
from tests.parts import Service

Json = dict[str, Any]
HOW_MANY = 30

EXTENSION = "http://hl7.org/fhir/StructureDefinition/"
REACHED = {"telecom": [{"system": "phone", "value": "5551"}]}
RARE: dict[str, Json] = {
    "HealthcareService": {
        "extension": [
            {
                "url": "http://hl7.org/fhir/us/sdoh-clinicalcare/StructureDefinition/SDOHCC-ExtensionHealthcareServiceCapacityStatus",
                "extension": [{"url": "capacityStatus", "valueCodeableConcept": {"coding": [{"code": "capacity"}]}}],
            }
        ]
    },
    "QuestionnaireResponse": {"item": [{
        "linkId": "a", "answer": [{"valueReference": {"reference": "Patient/1"}}],
        "extension": [{"url": EXTENSION + "questionnaireresponse-isSubject", "valueBoolean": True}],
    }]},
    "Measure": {"relatedArtifact": [
        {"type": "predecessor", "resource": "http://x.example/a"}, {"type": "successor", "resource": "http://x.example/a/b"},
    ]},
    "Patient": {
        **REACHED, "communication": [{"language": {"coding": [{"code": "en"}]}}],
        "extension": [{"url": EXTENSION + "patient-extensions-Patient-mothersMaidenName", "valueString": "Rivera"}],
    },
    "RelatedPerson": REACHED, "OrganizationAffiliation": REACHED, "Practitioner": REACHED, "PractitionerRole": REACHED,
    "DocumentReference": {"content": [
        {"attachment": {"contentType": "text/plain", "language": "en", "url": "http://x.example/a"}},
    ]},
    "Observation": {"extension": [
        {"url": EXTENSION + "observation-geneticsGene", "valueCodeableConcept": {"coding": [{"code": "a"}]}},
        {"url": EXTENSION + "observation-geneticsAminoAcidChangeName", "valueString": "p.Arg"},
        {"url": EXTENSION + "observation-geneticsDnaVariant", "valueString": "c.3"},
    ]},
    "List": {"note": [{"text": "Ann"}]},
    "Task": {"output": [{"type": {"text": "x"}, "valueReference": {"reference": "Patient/1"}}]},
}  # fmt: skip
"""What some parameter looks for, and no chance makes."""


@pytest.fixture
async def harbor(service: Service) -> AsyncIterator[httpx.AsyncClient]:
    await service.partner("Harbor", "casework", scopes=("system/*.cruds",))
    async with await service.client("Harbor") as client:
        yield client


def here(service: Service, text: str) -> str:
    """References to what is generated, as ours are."""
    return re.sub(oracle.BASE + "(?=/[A-Z][A-Za-z]+/[1-3])", service.base, text)


async def put(service: Service, resources: Iterable[Json]) -> None:
    """Straight into the store, with the index that a write makes."""
    resources = [decode_object(here(service, encode(each).decode()).encode()) for each in resources]
    async with service.wiring.context.database.unit() as unit:
        for each in resources:
            found = extract(each, service.base)
            unit.put(
                Put(
                    each["resourceType"], each["id"], 1, system_clock(), "", None, encode(each),
                    found.keys, found.dates, found.strings, found.numbers, found.orders,
                )
            )  # fmt: skip


async def rest(client: httpx.AsyncClient) -> Json:
    """What is claimed."""
    answer = await client.get("/fhir/metadata")
    claimed: Json = answer.json()["rest"][0]
    return claimed


async def found(client: httpx.AsyncClient, path: str, mode: str = "match") -> list[str]:
    answer = await client.get(f"/fhir/{path}")
    assert answer.status_code == 200, (path, answer.text)
    entries = answer.json().get("entry", [])
    return sorted(f"{e['resource']['resourceType']}/{e['resource']['id']}" for e in entries
                  if e["search"]["mode"] == mode)  # fmt: skip


def question(rnd: random.Random, parameter: Parameter, pool: list[Json]) -> tuple[str, list[str]]:
    """A value that finds some of the pool and not all, and which; the best there is."""
    best: tuple[str, list[str]] = ("", [])
    real = written(parameter, pool)
    thrown = (generate.FORMS[parameter.type][0][1](rnd, parameter) for _ in range(40))
    for value in [*rnd.sample(real, min(20, len(real))), *thrown]:
        hits = [r["id"] for r in pool if oracle.holds(r, parameter.code, value, system_clock())]
        if hits and len(hits) < len(pool):
            return value, hits
        best = (value, hits) if hits else best
    return best


def one_with(rnd: random.Random, parameter: Parameter) -> Json | None:
    """A resource that has what chance has not yet made."""
    for _ in range(400):
        made = generate.resource(rnd, parameter.base, f"with-{parameter.code}")
        if written(parameter, [made]):
            return made
    return None


def written(parameter: Parameter, pool: list[Json]) -> list[str]:
    """Values to look for, as they stand in the resources."""
    if parameter.type == "special":
        return []
    if not parameter.components:
        found = [
            v for r in pool for v in oracle.values(r, parameter.expression, parameter.type, parameter.base)
        ]
        return [text for value in found if (text := word(parameter.type, value))]
    expression = fhirpath.compile(parameter.expression)
    parts = [
        [word(p.type, v) for p in parameter.components
         for v in oracle.values(node.value, p.expression, p.type, node.type)[:1]]
        for each in pool for node in expression.nodes(each, of=parameter.base)
    ]  # fmt: skip
    return ["$".join(each) for each in parts if all(each) and len(each) == len(parameter.components)]


def word(kind: str, value: oracle.Value) -> str:
    """Empty for what no search names."""
    match kind, value[1]:
        case "token", _:
            return generate.escaped(next((code for _, code in oracle.codings(value) if code), ""))
        case "reference", dict():
            return str(value[1].get("reference", "")).partition("/_history")[0]
        case "quantity", dict():
            return str(value[1].get("value", ""))
        case "date", dict():
            period = value[1].get("repeat", {}).get("boundsPeriod", value[1])
            text = period.get("start") or period.get("end") or ""
            return "ge" + text if text else ""
        case "string", dict():
            texts = (value[1].get(part) for part in oracle.PARTS[value[0]])
            return generate.escaped(next((t for t in texts if isinstance(t, str)), ""))
        case _, dict():
            return ""
        case _, it:
            return generate.escaped(str(it))


OF_ALL = {"_id", "_lastUpdated", "_list"}
"""Asked for separately: they are about more than the resource's content."""


async def test_every_search_parameter_finds_what_it_should_and_nothing_else(
    service: Service, harbor: httpx.AsyncClient
) -> None:
    rnd = random.Random(4)
    silent = []
    partners = await found(harbor, "Organization")
    for row in (await rest(harbor))["resource"]:
        type_ = row["type"]
        if type_ not in catalogue:
            continue
        pool = [generate.resource(rnd, type_, str(number)) for number in range(HOW_MANY)]
        pool[0] |= deepcopy(RARE.get(type_, {}))
        await put(service, pool)
        claimed = {each["name"] for each in row["searchParam"]}
        assert claimed == {*parameters(type_), "_list"}
        for code in sorted(claimed - OF_ALL):
            value, hits = question(rnd, parameters(type_)[code], pool)
            if not hits and (rare := one_with(rnd, parameters(type_)[code])):
                pool.append(rare)
                await put(service, [rare])
                value, hits = question(rnd, parameters(type_)[code], pool)
            if not hits:
                silent.append(f"{type_}.{code}")
            path = f"{type_}?{code}={quote(here(service, value or 'zzz'))}&_count=100"
            ours = [each for each in await found(harbor, path) if each not in partners]
            assert ours == sorted(f"{type_}/{id_}" for id_ in hits), path
    assert silent == []
    for type_ in catalogue:
        listed = {
            "resourceType": "List",
            "id": f"of-{type_}",
            "entry": [{"item": {"reference": f"{type_}/3"}}],
        }
        await put(service, [listed])
        for name, hits in {
            "_id=3": ["3"], "_id=nobody": [], f"_list=of-{type_}": ["3"], "_list=none": [],
            "_lastUpdated=lt2001": [], "_lastUpdated=gt2001&_id=1,2": ["1", "2"],
        }.items():  # fmt: skip
            assert await found(harbor, f"{type_}?{name}") == [f"{type_}/{id_}" for id_ in hits], (type_, name)


def pointing(rnd: random.Random, parameter: Parameter, id_: str, target: str) -> tuple[Json, str] | None:
    """A resource whose parameter leads to the target, and the url by which it does, empty for a reference."""
    for _ in range(60):
        source = generate.resource(rnd, parameter.base, id_)
        if parameter.code in ("item-subject", "predecessor", "successor"):
            source |= deepcopy(RARE[parameter.base])
        for kind, value, _ in oracle.values(source, parameter.expression, "reference", parameter.base):
            if kind in ("canonical", "uri"):
                return source, value.partition("|")[0]
            if kind == "Reference":
                value.clear()
                value["reference"] = target
                if leads(source, parameter, target):
                    return source, ""
    return None


def leads(source: Json, parameter: Parameter, target: str) -> bool:
    values = oracle.values(source, parameter.expression, "reference", parameter.base)
    return any(k == "Reference" and v.get("reference") == target for k, v, _ in values)


async def test_every_include_adds_what_is_referred_to_and_every_revinclude_what_refers(
    service: Service, harbor: httpx.AsyncClient
) -> None:
    rnd = random.Random(4)
    rows = {row["type"]: row for row in (await rest(harbor))["resource"] if row["type"] in catalogue}
    walked = 0
    for type_, row in rows.items():
        for include in [each for each in row.get("searchInclude", []) if each != "*"]:
            parameter = parameters(type_)[include.partition(":")[2]]
            walked += 1
            type_of = next(each for each in parameter.targets or ("Patient",) if each in catalogue)
            made = pointing(rnd, parameter, f"s{walked}", f"{type_of}/t{walked}")
            assert made, include
            source, url = made
            if url:
                type_of = next(t for t in ("Questionnaire", "Measure") if t in (parameter.targets or (t,)))
            target: Json = {"resourceType": type_of, "id": f"t{walked}", **({"url": url} if url else {})}
            await put(service, [target, source])
            there, back = f"{type_of}/t{walked}", f"{type_}/s{walked}"
            for name in (include, "*") if walked % 8 == 0 else (include,):
                added = await found(harbor, f"{type_}?_id=s{walked}&_include={name}", "include")
                assert there in added, include
                added = await found(harbor, f"{type_of}?_id=t{walked}&_revinclude={name}", "include")
                assert back in added, include
            assert include in rows[type_of]["searchRevInclude"]
        for reverse in [each for each in row["searchRevInclude"] if each != "*"]:
            assert reverse in rows[reverse.partition(":")[0]]["searchInclude"]
    assert walked > 150


async def test_the_system_is_searched_by_what_it_says_and_every_compartment_holds_its_own(
    service: Service, harbor: httpx.AsyncClient
) -> None:
    claimed = await rest(harbor)
    tag = {"system": "urn:one", "code": "a"}
    meta = {
        "tag": [tag],
        "security": [tag],
        "profile": ["http://x.example/a"],
        "source": "http://x.example/b",
    }
    await put(service, [
        {"resourceType": "Goal", "id": "g", "meta": meta},
        {"resourceType": "Task", "id": "t"},
        {"resourceType": "List", "id": "l", "entry": [{"item": {"reference": "Goal/g"}}]},
    ])  # fmt: skip
    values = {
        "_id": ("g", "x"), "_lastUpdated": ("gt2001", "lt2001"), "_tag": ("urn:one|a", "urn:one|b"),
        "_security": ("urn:one|a", "b"), "_profile": ("http://x.example/a", "http://x.example/z"),
        "_source": ("http://x.example/b", "http://x.example/z"),
    }  # fmt: skip
    assert {each["name"] for each in claimed["searchParam"]} == set(values)
    for name, (hit, miss) in values.items():
        assert "Goal/g" in await found(harbor, f"?{name}={hit}&_type=Goal,Task"), name
        assert await found(harbor, f"?{name}={miss}&_type=Goal,Task") == [], name
    homes = [
        each.rpartition("/")[2].capitalize().replace("person", "Person") for each in claimed["compartment"]
    ]
    assert sorted(homes) == ["Encounter", "Patient", "Practitioner", "RelatedPerson"]
    mine = {
        "Patient": "subject",
        "Encounter": "encounter",
        "Practitioner": "performer",
        "RelatedPerson": "performer",
    }
    for home in homes:
        about = {"reference": f"{home}/home"}
        about_it: Any = [about] if mine[home] == "performer" else about
        inside = {"resourceType": "Observation", "id": f"of-{home}", mine[home]: about_it}
        await put(service, [{"resourceType": home, "id": "home"}, inside])
        assert await found(harbor, f"{home}/home/Observation") == [f"Observation/of-{home}"], home
        assert f"Observation/of-{home}" in await found(harbor, f"{home}/home/*")
    assert (await harbor.get("/fhir/Organization/home/Observation")).status_code == 404


async def test_our_definitions_are_found_by_every_parameter_they_claim(harbor: httpx.AsyncClient) -> None:
    claimed = [row for row in (await rest(harbor))["resource"] if row["type"] not in catalogue]
    for row in claimed:
        type_ = row["type"]
        assert {each["code"] for each in row["interaction"]} == {"read", "search-type"}
        for interaction in ("_history", "x/_history", "x/_history/1"):
            assert (await harbor.get(f"/fhir/{type_}/{interaction}")).status_code in (404, 405)
        if type_ == "AuditEvent":
            continue
        ours = [each.resource for each in shelf(type_).values()]
        assert (await harbor.get(f"/fhir/{type_}/{ours[0]['id']}")).status_code == 200
        for name in (each["name"] for each in row["searchParam"]):
            element = name.removeprefix("_")
            first = next((each for each in ours if element in each), ours[0])
            value = quote(str(first.get(element)))
            assert f"{type_}/{first['id']}" in await found(harbor, f"{type_}?{name}={value}&_count=1000"), (
                name
            )
            assert await found(harbor, f"{type_}?{name}=urn:nothing") == [], name


def event_values(event: Json) -> dict[str, str]:
    """How to look for this AuditEvent."""
    return {
        "_id": event["id"], "date": event["recorded"][:10], "type": event["type"]["code"],
        "subtype": event["subtype"][0]["code"], "outcome": event["outcome"],
        "entity": "Patient/1", "patient": "Patient/1", "agent": event["agent"][0]["who"]["reference"],
    }  # fmt: skip


async def test_the_trail_is_searched_by_every_parameter_it_claims(
    service: Service, harbor: httpx.AsyncClient
) -> None:
    await put(service, [{"resourceType": "Patient", "id": "1"}])
    assert (await harbor.get("/fhir/Patient/1")).status_code == 200
    [row] = [each for each in (await rest(harbor))["resource"] if each["type"] == "AuditEvent"]
    answer = await harbor.get("/fhir/AuditEvent?subtype=read&patient=Patient/1")
    [entry] = answer.json()["entry"]
    wanted = event_values(entry["resource"])
    misses = {"date": "1999", "patient": "Patient/9", "entity": "Goal/9", "agent": "Organization/9"}
    assert {each["name"] for each in row["searchParam"]} == {*wanted, "disclosure-basis"}
    for name, value in wanted.items():
        assert f"AuditEvent/{entry['resource']['id']}" in await found(harbor, f"AuditEvent?{name}={value}"), (
            name
        )
        assert await found(harbor, f"AuditEvent?{name}={misses.get(name, '12')}") == [], name
    assert await found(harbor, "AuditEvent?disclosure-basis=emergency") == []


# operations

ANSWER: Json = {
    "resourceType": "QuestionnaireResponse", "status": "completed", "authored": "2026-03-02", "subject": {"reference": "Patient/x"},
    "questionnaire": "https://casebridge.example/fhir/Questionnaire/gad-7",
}  # fmt: skip
PATIENT: Json = {"resourceType": "Patient", "name": [{"family": "Moreno"}], "birthDate": "1992-02-11"}
META: Json = {"name": "meta", "valueMeta": {"tag": [{"system": "urn:one", "code": "a"}]}}
SUBJECT: Json = {"name": "subject", "valueReference": {"reference": "Patient/x"}}
WHOSE: Json = {"name": "patient", "valueString": "Patient/x"}
FORM: Json = {"name": "canonical", "valueUri": ANSWER["questionnaire"]}
FACTS: list[Json] = [
    {"name": name, "valueString": f"the {name}"}
    for name in ("recipient", "affiliation", "discloser", "nature")
]


ELSEWHERE = {"export", "primary-case-manager", "evaluate-measure", "process-message"}
"""These have tests of their own, with all that they need."""


SOURCE: Json = {"name": "source-patient", "valueReference": {"reference": "Patient/x"}}
TARGET: Json = {"name": "target-patient", "valueReference": {"reference": "Patient/leslie"}}


def calls(type_: str, agency: str) -> dict[str, list[tuple[str, list[Json] | None]]]:
    """What is sent for each operation of a type; None is a GET. The resource `x` is there."""
    one: Json = {"name": "resource", "resource": {"resourceType": type_}}
    form = "gad-7" if type_ == "Questionnaire" else "x"
    answered: Json = {"name": "questionnaire-response", "resource": ANSWER}
    return {
        "meta": [(f"{type_}/$meta", None), (f"{type_}/x/$meta", None)],
        "meta-add": [(f"{type_}/x/$meta-add", [META])],
        "meta-delete": [(f"{type_}/x/$meta-delete", [META])],
        "validate": [(f"{type_}/x/$validate", None), (f"{type_}/$validate", [one])],
        "match": [(f"{type_}/$match", [{"name": "resource", "resource": PATIENT}])],
        "merge": [(f"{type_}/$merge", [SOURCE, TARGET])],
        "unmerge": [(f"{type_}/$unmerge", [SOURCE])],
        "everything": [
            (f"{type_}/x/$everything", None),
            (f"{type_}/x/$everything?_count=5&_since=2001", None),
        ],
        "coordination-summary": [
            (f"{type_}/x/$coordination-summary", None),
            (f"{type_}/x/$coordination-summary", []),
        ],
        "disclosures": [(f"{type_}/x/$disclosures", None), (f"{type_}/x/$disclosures?years=2", [])],
        "break-glass": [(f"{type_}/x/$break-glass", FACTS)],
        "decide": [(f"{type_}/$decide", [{"name": "recipient", "valueString": agency}, WHOSE])],
        "populate": [(f"{type_}/$populate", [SUBJECT, FORM]), (f"{type_}/{form}/$populate", [SUBJECT])],
        "extract": [(f"{type_}/$extract", [answered])],
        "status": [(f"{type_}/x/$status", None), (f"{type_}/$status", None)],
        "events": [(f"{type_}/x/$events", None)],
    }


async def test_every_operation_answers_where_it_is_claimed_and_nowhere_else(
    service: Service, harbor: httpx.AsyncClient
) -> None:
    agency = await service.partner("Riverbend", "ehr", scopes=("system/*.cruds",))
    claimed = await rest(harbor)
    await put(service, [PATIENT | {"id": "leslie"}])
    for type_ in catalogue:
        least = {"resourceType": type_, "id": "x", **LEAST.get(type_, {})}
        made = await harbor.put(f"/fhir/{type_}/x", content=encode(least))
        assert made.status_code == 201, made.text
    wrong = []
    async with await service.client("Riverbend") as riverbend:  # only a provider breaks the glass
        for row in claimed["resource"]:
            names = {each["name"] for each in row.get("operation", [])}
            for name, paths in calls(row["type"], agency["organization"]).items():
                for path, rows in paths:
                    status = await sent(riverbend if name == "break-glass" else harbor, path, rows)
                    everywhere = name == "validate" and "/x/" not in path  # the system's, by another name
                    if (status == 200) != (name in names or everywhere):
                        wrong.append((path, status))
    assert wrong == []
    assert {each["name"] for each in claimed["operation"]} - ELSEWHERE == {"meta", "validate"}
    everything = {each["name"] for row in claimed["resource"] for each in row.get("operation", [])}
    assert everything - ELSEWHERE == set(calls("Task", ""))
    assert await sent(harbor, "$meta", None) == 200
    assert await sent(harbor, "$validate", [{"name": "resource", "resource": PATIENT}]) == 200


async def sent(client: httpx.AsyncClient, path: str, rows: list[Json] | None) -> int:
    if rows is None:
        return (await client.get(f"/fhir/{path}")).status_code
    body = encode({"resourceType": "Parameters", **({"parameter": rows} if rows else {})})
    return (await client.post(f"/fhir/{path}", content=body)).status_code
