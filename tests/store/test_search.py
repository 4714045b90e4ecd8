"""The SQL against the oracle: every parameter of every served type, on random resources."""

import random
import tarfile
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from service.fhir.catalogue import catalogue
from service.fhir.json import decode, encode
from service.fhir.references import local, named
from service.fhir.search import extract
from service.fhir.search.extract import unreadable
from service.fhir.search.parameters import parameters
from service.fhir.search.parse import parse
from service.fhir.search.query import Query
from service.fhir.shelf import shelf_of
from service.fhir.validate.definitions import Definitions
from service.fhir.validate.packages import slimmed
from service.store import search
from service.store.database import Database
from service.store.search import ask, plan
from service.store.search.statement import Statement
from service.store.unit import Put, Shared
from tests.fhir.search import generate, oracle
from tests.parts import SHARED

NOW = datetime(2026, 3, 1, tzinfo=UTC)
HOW_MANY = 25
TERMS = Definitions((shelf_of(slimmed(generate.OWN_TERMS)),))


def asked(type_: str, *pairs: tuple[str, str]) -> Query:
    return parse((type_,), pairs, now=NOW, base=oracle.BASE, served=tuple(catalogue), terms=lambda: TERMS)


async def store(database: Database, resources: list[dict[str, Any]], author: str = "") -> None:
    async with database.unit() as unit:
        for resource in resources:
            found = extract(resource, oracle.BASE)
            elements = catalogue[resource["resourceType"]].patient
            patient = named(resource, elements, "Patient", oracle.BASE)
            unit.put(
                Put(
                    resource["resourceType"], resource["id"], 1, NOW, author, patient, encode(resource),
                    found.keys, found.dates, found.strings, found.numbers, found.orders,
                )
            )  # fmt: skip


async def clear(database: Database) -> None:
    async with database.unit() as unit:
        await unit.execute("TRUNCATE resource, search_date, search_string, search_number, share")


async def found_ids(database: Database, query: Query, eyes: search.Eyes = search.EVERYTHING) -> list[str]:
    async with database.reading() as connection, search.snapshot(connection):
        page = await search.run(connection, query, eyes, limit=1000)
        assert await search.count(connection, query, eyes) == len(page.rows)
        return [row.id for row, _ in page.rows]


@pytest.mark.parametrize("type_", sorted(catalogue))
@settings(
    max_examples=3, deadline=None, phases=(Phase.explicit, Phase.reuse, Phase.generate), database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)  # fmt: skip
@given(seed=st.integers(0, 2**32))
async def test_every_parameter_finds_what_the_oracle_finds(database: Database, type_: str, seed: int) -> None:
    rnd = random.Random(seed)
    resources = [generate.resource(rnd, type_, str(number)) for number in range(HOW_MANY)]
    await clear(database)
    await store(database, resources)
    for parameter in parameters(type_).values():
        if parameter.code in unreadable(type_) or parameter.code == "_lastUpdated":
            continue
        for _ in range(6):
            name, value = generate.search(rnd, parameter)
            right = sorted(r["id"] for r in resources if oracle.holds(r, name, value, NOW))
            assert sorted(await found_ids(database, asked(type_, (name, value)))) == right, (
                f"{type_}?{name}={value}"
            )


@pytest.mark.parametrize("seed", range(3))
async def test_links_lead_where_following_the_references_by_hand_leads(database: Database, seed: int) -> None:
    rnd = random.Random(seed)
    kinds = ("Patient", "Organization", "Practitioner", "ServiceRequest", "Task", "Encounter")
    everything = {
        (type_, str(n)): generate.resource(rnd, type_, str(n)) for type_ in kinds for n in range(1, 9)
    }
    await store(database, list(everything.values()))

    def targets(resource: dict[str, Any], code: str) -> set[tuple[str, str]]:
        parameter = parameters(resource["resourceType"])[code]
        found = oracle.values(resource, parameter.expression, "reference", parameter.base)
        texts = [v[1].get("reference", "") for v in found if isinstance(v[1], dict)]
        return {pair for text in texts if (pair := local(text, oracle.BASE))}

    for _ in range(60):
        source = rnd.choice(("ServiceRequest", "Task", "Encounter"))
        code, target = rnd.choice(("patient", "subject")), "Patient"
        name, value = generate.search(rnd, parameters(target)[rnd.choice(("family", "gender", "address"))])
        right = sorted(
            id_
            for (type_, id_), resource in everything.items()
            if type_ == source
            and any(
                pair in everything and pair[0] == target and oracle.holds(everything[pair], name, value, NOW)
                for pair in targets(resource, code)
            )
        )
        chain = (f"{code}:{target}.{name}", value)
        assert sorted(await found_ids(database, asked(source, chain))) == right, chain
        name, value = generate.search(rnd, parameters(source)["status"])
        holders = [r for (t, _), r in everything.items() if t == source and oracle.holds(r, name, value, NOW)]
        right = sorted(
            {i for r in holders for t, i in targets(r, code) if t == target and (t, i) in everything}
        )
        has = (f"_has:{source}:{code}:{name}", value)
        assert sorted(await found_ids(database, asked(target, has))) == right, has


SHALL = {
    "Task": ("_id", "code", "patient", "requester", "status", "focus", "owner", "output"),
    "ServiceRequest": (
        "_id",
        "category",
        "intent",
        "patient",
        "status",
        "supporting-info",
        "code",
    ),
    "Procedure": ("_id", "based-on", "category", "patient", "performer", "status"),
    "QuestionnaireResponse": ("_id", "author", "patient", "questionnaire", "status"),
    "Goal": ("category", "patient"),
    "Condition": ("category", "patient"),
    "Observation": ("category", "patient", "status", "code", "date"),
    "Consent": ("source-reference",),
    "Questionnaire": ("url", "version"),
    "CarePlan": ("patient", "category"),
    "Encounter": ("_id", "patient", "date"),
    "Patient": ("_id", "identifier", "name", "birthdate", "gender"),
    "PractitionerRole": ("practitioner", "specialty"),
    "Organization": ("name", "address"),
}
"""What SDOHCC 3.0 and US Core 7.0 say a server SHALL search by (EXCHANGE.md 1.5, 3)."""


@pytest.mark.skipif(not SHARED.is_dir(), reason="../shared is absent")
async def test_every_example_of_sdohcc_is_found_by_the_searches_the_guide_demands(database: Database) -> None:
    examples = [
        e
        for package in ("hl7.fhir.us.sdoh-clinicalcare-3.0.0", "hl7.fhir.us.core-7.0.0")
        for e in examples_of(package)
        if e["resourceType"] in catalogue
    ]
    unique = list({(e["resourceType"], e["id"]): e for e in examples}.values())
    await store(database, unique)
    asked_for = 0
    for example in unique:
        for code in SHALL.get(example["resourceType"], ()):
            for value in wanted_values(example, code):
                query = asked(example["resourceType"], (code, value), ("_count", "1000"))
                assert example["id"] in await found_ids(database, query), (
                    f"{example['resourceType']}?{code}={value}"
                )
                asked_for += 1
    assert asked_for > 300


def examples_of(package: str) -> list[dict[str, Any]]:
    found = []
    with tarfile.open(SHARED / "fhir-packages" / f"{package}.tgz") as archive:
        for member in archive:
            if (
                member.name.endswith(".json")
                and "/openapi/" not in member.name
                and (file := archive.extractfile(member))
            ):
                resource = decode(file.read(), max_depth=200)
                if isinstance(resource, dict) and "resourceType" in resource and "id" in resource:
                    found.append(resource)
    return found


def wanted_values(example: dict[str, Any], code: str) -> list[str]:
    """The values by which a client would look for this resource."""
    parameter = parameters(example["resourceType"])[code]
    if code == "_id":
        return [example["id"]]
    found: list[str] = []
    for value in oracle.values(example, parameter.expression, parameter.type, parameter.base):
        if parameter.type == "token":
            found += [f"{generate.escaped(s)}|{generate.escaped(c)}" for s, c in oracle.codings(value) if c]
        elif parameter.type == "reference":
            target = value[1].get("reference", "") if isinstance(value[1], dict) else value[1]
            found += [generate.escaped(target)] if target and target[0] != "#" else []
        elif parameter.type == "date":
            found += [value[1]] if isinstance(value[1], str) else []
        elif isinstance(value[1], str):
            found.append(generate.escaped(value[1]))
        elif "family" in value[1]:
            found.append(generate.escaped(value[1]["family"]))
    return found


async def test_last_updated_is_the_millisecond_of_the_version(database: Database) -> None:
    await store(database, [{"resourceType": "Task", "id": "t"}])
    for value, there in (
        ("2026-03-01", True), ("2026-03-01T00:00:00.000Z", True), ("2026-03-01T00:00:00.001Z", False),
        ("gt2026-03-01", False), ("ge2026-03-01", True), ("lt2026-03-02", True), ("sa2026-02-28", True),
        ("eb2026-03-01", False), ("ne2026", False), ("le2026-02-28T19:00:00.000-05:00", True),
        ("ap2026-03", True),
    ):  # fmt: skip
        assert (await found_ids(database, asked("Task", ("_lastUpdated", value)))) == (
            ["t"] if there else []
        ), value


async def test_order_and_paging_agree_with_sorting_everything(database: Database) -> None:
    rnd = random.Random(7)
    resources = [generate.resource(rnd, "Task", f"{number:02}") for number in range(60)]
    resources[4]["executionPeriod"] = {"end": "0000"}  # there, and of no use: neither missed nor shown twice
    await store(database, resources)
    for sort in ("authored-on", "-authored-on", "-period,_id", "_lastUpdated,-_id"):
        query = asked("Task", ("_sort", sort), ("_count", "7"))
        seen = await all_pages(database, query)
        assert sorted(seen) == [r["id"] for r in resources]
        assert seen == sorted_ids(resources, sort)


def sorted_ids(resources: list[dict[str, Any]], sort: str) -> list[str]:
    """Last key first, each sort stable; without a value last in either direction."""
    code, descending = sort.split(",")[0].removeprefix("-"), sort.startswith("-")
    last = sort.split(",")[1] if "," in sort else ("-_id" if descending else "_id")
    order = sorted(resources, key=lambda r: r["id"], reverse=last == "-_id")
    if code == "_lastUpdated":
        return [r["id"] for r in order]

    def low(resource: dict[str, Any]) -> datetime | None:
        expression = parameters("Task")[code].expression
        useless = code == "period" and resource["id"] == "04"
        found = [] if useless else oracle.values(resource, expression, "date", "Task")
        return next((oracle.intervals(value)[0][0] for value in found if oracle.intervals(value)), None)

    dated = sorted((r for r in order if low(r)), key=low, reverse=descending)  # type: ignore[arg-type,type-var]
    dateless = [r for r in order if not low(r)]
    return [r["id"] for r in [*dated, *dateless]]


SORTS = (
    "status", "-status", "subject,-code", "-focus,authored-on", "-code,status,-_id", "owner,_lastUpdated", "_tag",
    "-identifier", "authored-on,-status", "priority,-authored-on,subject",
)  # fmt: skip


@pytest.mark.parametrize("sort", SORTS)
async def test_tokens_and_references_order_as_their_texts_do(database: Database, sort: str) -> None:
    rnd = random.Random(sort)
    resources = [generate.resource(rnd, "Task", f"{number:02}") for number in range(70)]
    await store(database, resources)
    for narrowed in ((), (("_id", ",".join(f"{n:02}" for n in range(0, 70, 2))),)):
        query = asked("Task", ("_sort", sort), ("_count", "8"), *narrowed)
        among = resources[:: 2 if narrowed else 1]
        assert await all_pages(database, query) == ordered("Task", among, sort), narrowed


@pytest.mark.parametrize(
    "sort", ["value-quantity", "-value-quantity", "-value-quantity,status", "code,value-quantity"]
)
async def test_amounts_order_by_what_they_amount_to(database: Database, sort: str) -> None:
    rnd = random.Random(sort)
    resources = [generate.resource(rnd, "Observation", f"{number:02}") for number in range(60)]
    for each in resources[::2]:
        for key in [key for key in each if key.startswith("value")]:
            del each[key]
        each["valueQuantity"] = generate.quantity(rnd)
    await store(database, resources)
    query = asked("Observation", ("_sort", sort), ("_count", "8"))
    assert await all_pages(database, query) == ordered("Observation", resources, sort)


def ordered(type_: str, resources: list[dict[str, Any]], sort: str) -> list[str]:
    """Last key first, each sort stable; without a value last in either direction; equals by id."""
    names = sort.split(",")
    order = sorted(resources, key=lambda r: r["id"], reverse=names[-1].startswith("-"))
    for name in reversed(names):
        descending = name.startswith("-")
        found = [(r, first_of(type_, r, name.removeprefix("-"), descending)) for r in order]
        valued = [pair for pair in found if pair[1] is not None]
        valued.sort(key=lambda pair: pair[1], reverse=descending)
        order = [r for r, _ in valued] + [r for r, value in found if value is None]
    return [r["id"] for r in order]


def first_of(type_: str, resource: dict[str, Any], code: str, descending: bool) -> Any:
    """The least or greatest of the values that the parameter may be ordered by; None without one."""
    if code == "_id":
        return resource["id"]
    parameter = parameters(type_)[code]
    if code == "_lastUpdated":
        return NOW
    found = [
        each
        for value in oracle.values(resource, parameter.expression, parameter.type, type_)
        for each in sortable(parameter.type, value)
    ]
    return (max if descending else min)(found, default=None)


def sortable(kind: str, value: oracle.Value) -> list[Any]:
    if kind == "token":
        return [
            code
            for _, code in oracle.codings(value)
            if code and code not in ("http://hl7.org/fhir/special-values",)
        ]
    if kind == "date":
        return [low for low, _ in oracle.intervals(value)]
    if kind == "reference":
        target = value[1].get("reference", "") if isinstance(value[1], dict) else value[1]
        return [oracle.bare(target)] if oracle.bare(target) else []
    return [low * factor_of(units) for low, _, units in oracle.ranges(value)]


def factor_of(units: list[tuple[str, str]]) -> Decimal:
    return next(
        (oracle.KINDS[code][1] for system, code in units if system == oracle.UCUM and code in oracle.KINDS),
        Decimal(1),
    )


async def all_pages(database: Database, query: Query) -> list[str]:
    seen: list[str] = []
    place: search.Place = ()
    while True:
        async with database.reading() as connection, search.snapshot(connection):
            page = await search.run(connection, query, search.EVERYTHING, place)
        seen += [row.id for row, _ in page.rows]
        if not page.more:
            return seen
        place = page.rows[-1][1]


async def test_string_and_number_orders_put_the_valueless_last(database: Database) -> None:
    people = [
        {"resourceType": "Patient", "id": str(n), **({"name": [{"family": name}]} if name else {})}
        for n, name in enumerate(["Cy", "", "Ann", "bob", ""])
    ]
    await store(database, people)
    assert await all_pages(database, asked("Patient", ("_sort", "family"), ("_count", "2"))) == list("23014")
    assert await all_pages(database, asked("Patient", ("_sort", "-family"), ("_count", "2"))) == list("03241")


async def test_paging_while_others_write_shows_nothing_twice_and_misses_nothing(database: Database) -> None:
    ids = [f"{number:03}" for number in range(60)]
    await store(database, [{"resourceType": "Task", "id": id_, "status": "requested"} for id_ in ids])
    query = asked("Task", ("status", "requested"), ("_count", "10"))
    seen: list[str] = []
    place: search.Place = ()
    for turn in range(20):
        async with database.reading() as connection, search.snapshot(connection):
            page = await search.run(connection, query, search.EVERYTHING, place)
        seen += [row.id for row, _ in page.rows]
        if not page.more:
            break
        place = page.rows[-1][1]
        async with database.unit() as unit:
            await unit.execute(
                "UPDATE resource SET updated = now(), version = version + 1 WHERE id LIKE '%3'"
            )
            await unit.execute("DELETE FROM resource WHERE id = $1", f"{turn * 7 + 20:03}")
    assert len(set(seen)) == len(seen)
    assert {id_ for id_ in ids if (int(id_) - 20) % 7 or int(id_) < 20} <= set(seen)


async def test_nobody_is_not_everybody() -> None:
    with pytest.raises(ValueError, match="nobody"):
        search.Eyes("")
    assert search.Eyes.of(None) is search.EVERYTHING
    assert search.Eyes.of("*") is not search.EVERYTHING


async def test_whose_eyes_decides_at_every_depth(database: Database) -> None:
    mine = [
        {
            "resourceType": "Task",
            "id": "t",
            "for": {"reference": "Patient/p"},
            "owner": {"reference": "Organization/o"},
        }
    ]
    theirs = [
        {"resourceType": "Patient", "id": "p", "gender": "male"},
        {"resourceType": "List", "id": "l", "entry": [{"item": {"reference": "Task/t"}}]},
        {"resourceType": "Provenance", "id": "v", "target": [{"reference": "Task/t"}], "recorded": "2026"},
    ]
    await store(database, mine, author="me")
    await store(database, theirs, author="them")
    await store(database, [{"resourceType": "Organization", "id": "o", "name": "Open"}], author="them")
    me, all_ = search.Eyes("me"), search.EVERYTHING
    for name, value, hidden in (
        ("patient.gender", "male", True), ("_has:Provenance:target:recorded", "2026", True),
        ("owner:Organization.name", "open", False), ("patient:missing", "false", False),
    ):  # fmt: skip
        query = asked("Task", (name, value))
        assert await found_ids(database, query, all_) == ["t"], name
        assert await found_ids(database, query, me) == ([] if hidden else ["t"]), name
        assert await found_ids(database, query, search.Eyes("stranger")) == []
    async with database.unit() as unit:
        unit.share(Shared("me", "Patient", "p", "loop", NOW))
    assert await found_ids(database, asked("Task", ("patient.gender", "male")), me) == ["t"]


async def test_what_was_deleted_is_not_found(database: Database) -> None:
    await store(database, [{"resourceType": "Task", "id": "t", "status": "requested"}])
    async with database.unit() as unit:
        unit.put(Put("Task", "t", 2, NOW, "", None, None))
    assert await found_ids(database, asked("Task")) == []
    assert await found_ids(database, asked("Task", ("status:not", "draft"))) == []


@pytest.fixture
async def crowded(database: Database) -> Database:
    """Enough rows that a wrong plan shows."""
    tasks = [
        {
            "resourceType": "Task", "id": f"t{n:05}", "status": ("requested", "completed")[n % 10 > 0],
            "for": {"reference": f"Patient/p{n % 1000}"}, "focus": {"reference": f"ServiceRequest/s{n}"},
            "authoredOn": (NOW + timedelta(hours=n)).isoformat(),
        }
        for n in range(6000)
    ]  # fmt: skip
    await store(database, tasks)
    async with database.reading() as connection:
        await connection.execute("VACUUM ANALYZE resource, search_date")
    return database


async def explained(database: Database, query: Query) -> str:
    build = {"gathered": plan.gathered, "walked": plan.walked, "plain": plan.plain}[plan.plan_of(query)]
    statement = Statement(search.EVERYTHING)
    text = build(statement, query, (), query.count + 1)
    async with database.reading() as connection, search.snapshot(connection):
        return "\n".join(row[0] for row in await connection.fetch("EXPLAIN " + text, *statement.values))


@pytest.mark.parametrize(
    ("pairs", "wanted", "unwanted"),
    [
        (
            [("patient", "Patient/p7"), ("status", "requested")],
            "Bitmap Index Scan on ix_resource_keys",
            "Seq Scan",
        ),
        ([("focus", "ServiceRequest/s7")], "Bitmap Index Scan on ix_resource_keys", "Seq Scan"),
        ([("patient", "Patient/p7"), ("_sort", "-authored-on")], "ix_resource_keys", "Seq Scan"),
        (
            [("status", "completed"), ("_sort", "-authored-on")],
            "Scan Backward using ix_search_date_low",
            "Sort",
        ),
        (
            [("status", "completed"), ("authored-on", "lt2026-05"), ("_sort", "-authored-on")],
            "ix_search_date_low",
            "Sort",
        ),
        ([("status", "completed")], "Index Scan using pk_resource", "Sort"),
        ([("_sort", "-_lastUpdated")], "Scan Backward using ix_resource_type_updated", "Sort"),
    ],
)
async def test_each_kind_of_search_takes_its_index(
    crowded: Database, pairs: list[tuple[str, str]], wanted: str, unwanted: str
) -> None:
    shown = await explained(crowded, asked("Task", *pairs))
    assert wanted in shown, shown
    assert unwanted not in shown, shown


async def test_a_chain_that_leads_over_many_finds_the_same_by_another_way(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    rnd = random.Random(8)
    kinds = ("Patient", "ServiceRequest", "Task")
    await store(database, [generate.resource(rnd, t, str(n)) for t in kinds for n in range(1, 30)])
    chains = [("patient.gender:not", "male"), ("patient.active:missing", "false"), ("subject:Patient.gender:not", "x"),
              ("patient._has:ServiceRequest:subject:status:not", "draft")]  # fmt: skip
    queries = [asked("Task", pair) for pair in chains]
    few = [await found_ids(database, each) for each in queries]
    monkeypatch.setattr(ask, "FEW", 0)
    assert [await found_ids(database, each) for each in queries] == few
    assert any(few)
    async with database.reading() as connection:
        sized = await ask.sized(connection, queries[0], search.EVERYTHING)
    assert [plan.plan_of(each) for each in (queries[0], sized)] == ["gathered", "plain"]
