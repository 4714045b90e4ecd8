"""Search through the front door, as a partner's client library would use it."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import httpx
import pytest

from service.fhir.json import encode
from service.fhir.search import extract
from service.kernel.clock import instant
from service.store.unit import Put, Shared
from tests.parts import Service

T0 = datetime(2026, 3, 1, tzinfo=UTC)
FULL = "system/*.cruds"


async def put(
    service: Service, *resources: dict[str, Any], author: str = "", shared: tuple[str, ...] = ()
) -> None:
    """Straight into the store: what these tests are about is finding it again."""
    async with service.wiring.context.database.unit() as unit:
        for place, resource in enumerate(resources):
            indexed = extract(resource, service.base)
            subject = resource.get("subject") or resource.get("for") or {}
            patient = (
                subject.get("reference")
                if resource["resourceType"] != "Patient"
                else f"Patient/{resource['id']}"
            )
            unit.put(
                Put(
                    resource["resourceType"], resource["id"], 1, T0 + timedelta(seconds=place), author,
                    patient, encode(resource), indexed.keys, indexed.dates, indexed.strings, indexed.numbers,
                )
            )  # fmt: skip
            for party in shared:
                unit.share(Shared(party, resource["resourceType"], resource["id"], "loop", T0))


def patient(id_: str, family: str = "Rivera", **more: Any) -> dict[str, Any]:
    return {"resourceType": "Patient", "id": id_, "name": [{"family": family}], **more}


def request_for(id_: str, subject: str, **more: Any) -> dict[str, Any]:
    return {
        "resourceType": "ServiceRequest", "id": id_, "status": "active", "intent": "order",
        "subject": {"reference": f"Patient/{subject}"}, **more,
    }  # fmt: skip


def task(id_: str, subject: str, focus: str = "", **more: Any) -> dict[str, Any]:
    found = {
        "resourceType": "Task", "id": id_, "status": "requested", "intent": "order",
        "for": {"reference": f"Patient/{subject}"}, **more,
    }  # fmt: skip
    return found | ({"focus": {"reference": f"ServiceRequest/{focus}"}} if focus else {})


@pytest.fixture
async def casework(service: Service) -> AsyncIterator[httpx.AsyncClient]:
    await service.partner("Home", "casework", scopes=(FULL,))
    async with await service.client("Home") as client:
        yield client


def ids(bundle: dict[str, Any], mode: str = "match") -> list[str]:
    entries = [e for e in bundle.get("entry", []) if e["search"]["mode"] == mode]
    return [f"{e['resource']['resourceType']}/{e['resource'].get('id', '')}" for e in entries]


async def found(client: httpx.AsyncClient, path: str, **headers: str) -> dict[str, Any]:
    answer = await client.get(f"/fhir/{path}", headers=headers)
    assert answer.status_code == 200, answer.text
    bundle: dict[str, Any] = answer.json()
    assert bundle["resourceType"] == "Bundle"
    assert bundle["type"] == "searchset"
    return bundle


async def refused(client: httpx.AsyncClient, path: str, **headers: str) -> dict[str, Any]:
    answer = await client.get(f"/fhir/{path}", headers=headers)
    assert answer.status_code == 400, answer.text
    issue: dict[str, Any] = answer.json()["issue"][0]
    return issue


def link(bundle: dict[str, Any], relation: str) -> str:
    return next((each["url"] for each in bundle["link"] if each["relation"] == relation), "")


async def test_a_search_answers_a_searchset_with_full_urls(
    service: Service, casework: httpx.AsyncClient
) -> None:
    await put(service, patient("1"), task("t1", "1"), task("t2", "2"))
    bundle = await found(casework, "Task?patient=Patient/1")
    assert ids(bundle) == ["Task/t1"]
    assert bundle["entry"][0]["fullUrl"] == f"{service.base}/Task/t1"
    assert bundle["total"] == 1
    assert link(bundle, "self") == f"{service.base}/Task?patient=Patient/1"


async def test_nothing_found_is_an_empty_bundle_without_entries(casework: httpx.AsyncClient) -> None:
    bundle = await found(casework, "Task?status=requested")
    assert "entry" not in bundle
    assert bundle["total"] == 0


async def test_post_search_takes_its_parameters_from_the_form(
    service: Service, casework: httpx.AsyncClient
) -> None:
    await put(service, patient("1"), task("t1", "1"), task("t2", "1", status="completed"))
    answer = await casework.post(
        "/fhir/Task/_search?patient=1",
        content="status=requested",
        headers={"Content-Type": "application/x-www-form-urlencoded"},
    )
    assert ids(answer.json()) == ["Task/t1"]


async def test_an_unknown_parameter_is_refused_by_name(casework: httpx.AsyncClient) -> None:
    issue = await refused(casework, "Task?statsu=requested")
    assert issue["code"] == "not-supported"
    assert "statsu" in issue["diagnostics"]


async def test_lenient_handling_leaves_it_out_and_says_so(
    service: Service, casework: httpx.AsyncClient
) -> None:
    await put(service, task("t1", "1"))
    bundle = await found(casework, "Task?statsu=requested&intent=order", Prefer="handling=lenient")
    assert ids(bundle) == ["Task/t1"]
    assert "statsu" not in link(bundle, "self")
    outcome = [e for e in bundle["entry"] if e["search"]["mode"] == "outcome"]
    assert "statsu" in outcome[0]["resource"]["issue"][0]["diagnostics"]


@pytest.mark.parametrize("name", ["_text", "_content", "_query", "_filter"])
async def test_what_is_not_offered_is_refused_even_leniently(casework: httpx.AsyncClient, name: str) -> None:
    issue = await refused(casework, f"Patient?{name}=x", Prefer="handling=lenient")
    assert issue["code"] == "not-supported"


async def test_all_mistakes_are_told_at_once(casework: httpx.AsyncClient) -> None:
    answer = await casework.get("/fhir/Task?authored-on=yesterday&status:above=x&_sort=nowhere&foo=1")
    assert answer.status_code == 400
    assert len(answer.json()["issue"]) == 4


async def test_include_follows_the_task_to_its_request_and_on(
    service: Service, casework: httpx.AsyncClient
) -> None:
    await put(service, patient("1"), request_for("r1", "1"), task("t1", "1", "r1"))
    bundle = await found(casework, "Task?_id=t1&_include=Task:focus&_include:iterate=ServiceRequest:patient")
    assert ids(bundle) == ["Task/t1"]
    assert ids(bundle, "include") == ["ServiceRequest/r1", "Patient/1"]


async def test_include_star_adds_everything_referred_to(
    service: Service, casework: httpx.AsyncClient
) -> None:
    await put(service, patient("1"), request_for("r1", "1"), task("t1", "1", "r1"))
    bundle = await found(casework, "Task?_include=*")
    assert set(ids(bundle, "include")) == {"ServiceRequest/r1", "Patient/1"}


async def test_revinclude_adds_what_refers_to_a_match(service: Service, casework: httpx.AsyncClient) -> None:
    provenance = {"resourceType": "Provenance", "id": "v1", "target": [{"reference": "Task/t1"}]}
    await put(service, task("t1", "1"), provenance)
    bundle = await found(casework, "Task?_revinclude=Provenance:target")
    assert ids(bundle, "include") == ["Provenance/v1"]


async def test_an_included_questionnaire_is_found_by_its_canonical(
    service: Service, casework: httpx.AsyncClient
) -> None:
    form = {"resourceType": "Questionnaire", "id": "q", "url": "http://x.example/q", "status": "active"}
    answers = {"resourceType": "QuestionnaireResponse", "id": "a", "questionnaire": "http://x.example/q|1.0"}
    await put(service, form, answers)
    bundle = await found(casework, "QuestionnaireResponse?_include=QuestionnaireResponse:questionnaire")
    assert ids(bundle, "include") == ["Questionnaire/q"]
    back = await found(casework, "Questionnaire?_revinclude=QuestionnaireResponse:questionnaire")
    assert ids(back, "include") == ["QuestionnaireResponse/a"]


async def test_a_value_set_is_named_by_its_canonical_or_by_where_we_serve_it(
    service: Service, casework: httpx.AsyncClient
) -> None:
    url = "https://casebridge.example/fhir/ValueSet/service-area"
    [area, *_] = (await casework.get("/fhir/CodeSystem/service-area")).json()["concept"]
    coding = {"system": "https://casebridge.example/fhir/CodeSystem/service-area", "code": area["code"]}
    other = {"system": "urn:other", "code": area["code"]}
    for each in (coding, other):
        task = {"resourceType": "Task", "status": "draft", "intent": "order", "code": {"coding": [each]}}
        assert (await casework.post("/fhir/Task", json=task)).status_code == 201
    for name in (url, f"{url}|1.0.0", "ValueSet/service-area", f"{service.base}/ValueSet/service-area"):
        found = (await casework.get("/fhir/Task", params={"code:in": name})).json()
        assert [e["resource"]["code"]["coding"] for e in found["entry"]] == [[coding]], name
        found = (await casework.get("/fhir/Task", params={"code:not-in": name, "status": "draft"})).json()
        assert [e["resource"]["code"]["coding"] for e in found["entry"]] == [[other]], name
    kin = {"code:below": f"{coding['system']}|{area['code']}"}
    assert len((await casework.get("/fhir/Task", params=kin)).json()["entry"]) == 1


async def test_chains_and_has_reach_over_references(service: Service, casework: httpx.AsyncClient) -> None:
    agency = {"resourceType": "Organization", "id": "o1", "name": "Food Bank"}
    await put(
        service, patient("1", "Álvarez"), patient("2", "Smith"), agency,
        request_for("r1", "1"), task("t1", "1", "r1", owner={"reference": "Organization/o1"}),
        task("t2", "2"),
    )  # fmt: skip
    assert ids(await found(casework, "Task?patient.family=alvarez")) == ["Task/t1"]
    assert ids(await found(casework, "Task?subject:Patient.name=smith")) == ["Task/t2"]
    assert ids(await found(casework, "Task?owner:Organization.name=food")) == ["Task/t1"]
    assert ids(await found(casework, "Task?focus:ServiceRequest.patient.family=alvarez")) == ["Task/t1"]
    assert ids(await found(casework, "Patient?_has:Task:patient:owner=Organization/o1")) == ["Patient/1"]
    assert ids(await found(casework, "Patient?_has:Task:patient:owner.name=food")) == ["Patient/1"]
    nested = "Patient?_has:ServiceRequest:patient:_has:Task:focus:status=requested"
    assert ids(await found(casework, nested)) == ["Patient/1"]


async def test_a_chain_of_four_is_too_deep(casework: httpx.AsyncClient) -> None:
    deep = "part-of:Task.part-of:Task.part-of:Task.part-of:Task.status=requested"
    assert (await refused(casework, f"Task?{deep}"))["code"] == "too-costly"


async def test_paging_to_the_end_shows_everything_once(service: Service, casework: httpx.AsyncClient) -> None:
    tasks = [
        task(f"t{n:02}", "1", authoredOn=instant(T0 + timedelta(days=n % 5)))
        if n % 4
        else task(f"t{n:02}", "1")
        for n in range(23)
    ]
    await put(service, *tasks)
    for order in (
        "",
        "&_sort=-authored-on",
        "&_sort=authored-on,-_id",
        "&_sort=-_lastUpdated&patient=Patient/1",
    ):
        seen: list[str] = []
        url = f"{service.base}/Task?_count=5{order}"
        while url:
            bundle = (await casework.get(url)).json()
            assert len(ids(bundle)) <= 5
            seen += ids(bundle)
            url = link(bundle, "next")
        assert sorted(seen) == [f"Task/t{n:02}" for n in range(23)]
        assert len(set(seen)) == len(seen)


async def test_a_next_link_tells_nothing_in_clear(service: Service, casework: httpx.AsyncClient) -> None:
    await put(service, *[patient(str(n), "Secretname") for n in range(3)])
    url = link(await found(casework, "Patient?name=secretname&_count=1"), "next")
    assert [name for name, _ in parse_qsl(urlsplit(url).query)] == ["_cursor"]


async def test_a_tampered_or_borrowed_cursor_is_refused(
    service: Service, casework: httpx.AsyncClient
) -> None:
    await put(service, *[task(str(n), "1") for n in range(3)])
    await service.partner("Other", "casework", scopes=(FULL,))
    url = link(await found(casework, "Task?_count=1"), "next")
    cursor = dict(parse_qsl(urlsplit(url).query))["_cursor"]
    await refused(casework, f"Task?_cursor={cursor[:-6]}AAAA==")
    await refused(casework, "Task?_cursor=x")
    await refused(casework, f"Patient?_cursor={cursor}")
    await refused(casework, f"Task?_cursor={cursor}&status=requested")
    async with await service.client("Other") as other:
        await refused(other, f"Task?_cursor={cursor}")


async def test_a_total_is_given_when_asked_for(service: Service, casework: httpx.AsyncClient) -> None:
    await put(service, *[task(str(n), "1") for n in range(7)])
    assert "total" not in await found(casework, "Task?_count=2")
    assert (await found(casework, "Task?_count=2&_total=accurate"))["total"] == 7
    assert (await found(casework, "Task?_count=2&_total=estimate"))["total"] >= 0
    counted = await found(casework, "Task?_summary=count")
    assert counted["total"] == 7
    assert "entry" not in counted
    assert (await found(casework, "Task?_count=0"))["total"] == 7


async def test_elements_and_summaries_are_marked_as_parts(
    service: Service, casework: httpx.AsyncClient
) -> None:
    await put(service, patient("1", birthDate="1980-01-01", photo=[{"title": "p"}], text={"status": "empty"}))
    only = (await found(casework, "Patient?_elements=birthDate"))["entry"][0]["resource"]
    assert set(only) == {"resourceType", "id", "meta", "birthDate"}
    assert only["meta"]["tag"][0]["code"] == "SUBSETTED"
    short = (await found(casework, "Patient?_summary=true"))["entry"][0]["resource"]
    assert "photo" not in short
    assert "birthDate" in short
    assert "text" not in (await found(casework, "Patient?_summary=data"))["entry"][0]["resource"]
    assert set((await found(casework, "Patient?_summary=text"))["entry"][0]["resource"]) == {
        "resourceType", "id", "meta", "text",
    }  # fmt: skip


async def test_the_system_is_searched_by_what_all_types_have(
    service: Service, casework: httpx.AsyncClient
) -> None:
    tag = {"tag": [{"system": "urn:t", "code": "x"}]}
    await put(service, patient("1", meta=tag), task("1", "1", meta=tag), task("2", "1"))
    assert ids((await casework.get("/fhir?_tag=urn:t|x")).json()) == ["Patient/1", "Task/1"]
    assert ids((await casework.get("/fhir?_tag=x&_type=Task")).json()) == ["Task/1"]
    assert (await casework.get("/fhir?status=requested")).status_code == 400


async def test_a_compartment_holds_what_concerns_the_client(
    service: Service, casework: httpx.AsyncClient
) -> None:
    await put(service, patient("1"), request_for("r1", "1"), request_for("r2", "2"), task("t1", "1"))
    assert ids(await found(casework, "Patient/1/ServiceRequest")) == ["ServiceRequest/r1"]
    assert ids(await found(casework, "Patient/1/ServiceRequest?status=completed")) == []
    assert "ServiceRequest/r1" in ids(await found(casework, "Patient/1/*"))


async def test_a_partner_finds_only_what_it_knows_even_by_chains(
    service: Service, casework: httpx.AsyncClient
) -> None:
    registered = await service.partner("Food Bank", "referral-recipient", scopes=(FULL,))
    me = registered["client_id"]
    await put(service, patient("mine"), request_for("r-mine", "mine"), author=me)
    await put(service, patient("other", "Hidden"), request_for("r-other", "other", status="revoked"))
    await put(service, request_for("r-cross", "other"), author=me)
    async with await service.client("Food Bank") as client:
        assert ids(await found(client, "Patient")) == ["Patient/mine"]
        assert (await found(client, "Patient?_summary=count"))["total"] == 1
        assert ids(await found(client, "ServiceRequest?patient.family=hidden")) == []
        assert (
            ids(await found(client, "ServiceRequest?_id=r-cross&_include=ServiceRequest:patient"), "include")
            == []
        )
        assert ids(await found(client, "Patient?_has:ServiceRequest:patient:status=active")) == [
            "Patient/mine"
        ]
        assert ids(await found(client, "Patient?_revinclude=ServiceRequest:patient"), "include") == [
            "ServiceRequest/r-mine"
        ]


async def test_a_known_client_without_consent_is_neither_shown_nor_followed(service: Service) -> None:
    registered = await service.partner("Food Bank", "referral-recipient", scopes=(FULL,))
    me = registered["client_id"]
    await put(service, patient("1", "Withheld"), request_for("r1", "1", status="on-hold"), shared=(me,))
    await put(service, task("t1", "1", "r1"), author=me)
    async with await service.client("Food Bank") as client:
        assert (await found(client, "Patient?_total=accurate"))["total"] == 0
        assert ids(await found(client, "Task?focus:ServiceRequest.status=on-hold")) == []
        assert ids(await found(client, "Task?patient.family=withheld")) == []
        assert ids(await found(client, "Task?_include=Task:focus&_include=Task:patient"), "include") == []


async def test_a_partner_pages_over_what_is_withheld(service: Service) -> None:
    registered = await service.partner("Food Bank", "referral-recipient", scopes=(FULL,))
    me = registered["client_id"]
    await put(service, *[task(f"w{n:03}", "1") for n in range(130)], shared=(me,))
    await put(service, *[task(f"x{n:03}", "1") for n in range(7)], author=me)
    async with await service.client("Food Bank") as client:
        seen, url = [], f"{service.base}/Task?_count=3&_total=accurate"
        while url:
            bundle = (await client.get(url)).json()
            seen.append(ids(bundle))
            url = link(bundle, "next")
        assert [len(page) for page in seen] == [3, 3, 1]
        assert (await found(client, "Task?_count=3&_total=accurate"))["total"] == 7


async def test_a_narrowed_scope_narrows_the_search(service: Service) -> None:
    await service.partner("Narrow", "casework", scopes=("system/Task.rs?status=requested",))
    await put(service, task("t1", "1"), task("t2", "1", status="completed"))
    async with await service.client("Narrow") as client:
        assert ids(await found(client, "Task")) == ["Task/t1"]
        assert ids(await found(client, "Task?status=completed")) == []


async def test_a_token_that_does_not_cover_the_type_is_forbidden(service: Service) -> None:
    await service.partner("Reader", "referral-recipient", scopes=("system/Task.rs",))
    await put(service, patient("1"))
    async with await service.client("Reader") as client:
        assert (await client.get("/fhir/Patient")).status_code == 403
        assert (await client.get("/fhir/Task?patient.family=x")).status_code == 403
        assert (await client.get("/fhir/Task")).status_code == 200


@pytest.mark.parametrize(
    "query",
    ["%00=1", "status=%00", "status=%FF", "_id=a%1Fb", "=", "_count=-1", "_count=x", "_sort=", "_include=x"],
)
async def test_a_malformed_query_is_a_400(casework: httpx.AsyncClient, query: str) -> None:
    assert (await casework.get(f"/fhir/Task?{query}")).status_code == 400
