"""What a partner may not see does not exist for it, whatever it writes, deletes or asks conditionally."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import pytest
from parts import Service, running

from service.casework.records import kinds
from service.fhir.json import decode_object, encode

JSON = {"Content-Type": "application/json"}
PATCH = {"Content-Type": "application/json-patch+json"}
ABSENT_ID = "01a20000-0000-7000-8000-000000000000"


@dataclass
class Parties:
    """Harbor referred Leslie to Northside with consent, and Casey without; Lakeview has a goal of its own."""

    service: Service
    harbor: httpx.AsyncClient
    northside: httpx.AsyncClient
    lakeview: httpx.AsyncClient
    own: str
    task: str
    withheld: str
    foreign: str


def goal(word: str) -> dict[str, Any]:
    return {
        "resourceType": "Goal", "lifecycleStatus": "active", "description": {"text": word},
        "subject": {"display": "somebody"}, "identifier": [{"system": "https://goals.example", "value": word}],
    }  # fmt: skip


async def filed(harbor: httpx.AsyncClient, kind: str, **changes: Any) -> list[str]:
    body = {**kinds[kind].example, **changes}
    answer = await harbor.put(f"/casework/v1/{kind}/{body['id']}", content=encode(body), headers=JSON)
    assert answer.status_code in (200, 201), answer.text
    found: list[str] = decode_object(answer.content)["resources"]
    return found


def of_type(references: list[str], type_: str) -> str:
    return next(each for each in references if each.startswith(f"{type_}/"))


@pytest.fixture
async def here(database_url: str, tmp_path: Path) -> AsyncIterator[Parties]:
    async with running(database_url, tmp_path, partner_ids="own", strict_references=True) as service:
        names = {"Harbor Recovery Services": "casework", "Northside Housing Partnership": "referral-recipient",
                 "Lakeview Employment Center": "ehr"}  # fmt: skip
        found = {
            name: await service.partner(name, role, scopes=["system/*.cruds"]) for name, role in names.items()
        }
        harbor, northside, lakeview = [await service.client(name) for name in names]
        await filed(harbor, "agencies", id="harbor", name="Harbor Recovery Services")
        await filed(harbor, "agencies")
        await filed(harbor, "case-managers", supervisor=None)
        await filed(harbor, "clients")
        await filed(harbor, "consents", expires="2099-12-31")
        shared = await filed(harbor, "referrals")
        await filed(harbor, "clients", id="casey")
        withheld = await filed(harbor, "referrals", id="casey-housing", client="casey", consents=[])
        made = await lakeview.post("/fhir/Goal", json=goal("lakeview"))
        yield Parties(
            service, harbor, northside, lakeview, found["Northside Housing Partnership"]["organization"],
            of_type(shared, "Task"), of_type(withheld, "Task"), f"Goal/{made.json()['id']}",
        )  # fmt: skip
        for client in (harbor, northside, lakeview):
            await client.aclose()


def said(answer: httpx.Response, id_: str) -> tuple[int, str]:
    return answer.status_code, answer.text.replace(id_, "<id>")


@pytest.mark.parametrize("tag", [{}, {"If-Match": 'W/"1"'}, {"If-Match": 'W/"9"'}, {"If-None-Match": "*"}])
@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE"])
async def test_an_id_that_is_taken_is_answered_as_one_that_is_free(
    here: Parties, method: str, tag: dict[str, str]
) -> None:
    if method != "PUT" and "If-None-Match" in tag:
        return
    answers = []
    for id_ in (here.foreign.split("/")[1], ABSENT_ID):
        body = {"PUT": {**goal("mine"), "id": id_}, "PATCH": [{"op": "remove", "path": "/note"}]}.get(method)
        headers = {**tag, **(PATCH if method == "PATCH" else {})}
        answer = await here.northside.request(method, f"/fhir/Goal/{id_}", json=body, headers=headers)
        answers.append(said(answer, id_))
    assert answers[0] == answers[1]
    assert (await here.lakeview.get(f"/fhir/{here.foreign}")).json()["meta"]["versionId"] == "1"


async def test_a_partner_chooses_ids_below_its_own_and_nobody_elses(here: Parties) -> None:
    id_ = f"{here.own.split('/')[1]}.4711"
    for client, status in (
        (here.lakeview, 404),
        (here.northside, 201),
        (here.northside, 200),
        (here.lakeview, 404),
    ):
        answer = await client.put(f"/fhir/Goal/{id_}", json={**goal("chosen"), "id": id_})
        assert answer.status_code == status, answer.text


async def test_the_custodian_chooses_any_id(here: Parties) -> None:
    answer = await here.harbor.put("/fhir/Goal/any", json={**goal("any"), "id": "any"})
    assert answer.status_code == 201


async def test_an_id_of_ours_is_given_where_a_conditional_update_finds_nothing(here: Parties) -> None:
    url = "Goal?identifier=https://goals.example|new"
    answer = await here.northside.put(f"/fhir/{url}", json=goal("new"))
    assert answer.status_code == 201, answer.text
    entry = {"resource": goal("newer"), "request": {"method": "PUT", "url": url.replace("new", "newer")}}
    bundle = {"resourceType": "Bundle", "type": "transaction", "entry": [entry]}
    assert (await here.northside.post("/fhir", json=bundle)).json()["entry"][0]["response"]["status"][
        :3
    ] == "201"


@pytest.mark.parametrize("method", ["GET", "PUT", "PATCH", "DELETE"])
async def test_what_consent_withholds_is_answered_as_what_is_not_there(here: Parties, method: str) -> None:
    answers = []
    for id_ in (here.withheld.split("/")[1], ABSENT_ID):
        task = {"resourceType": "Task", "id": id_, "status": "accepted", "intent": "order"}
        body = {"PUT": task, "PATCH": [{"op": "replace", "path": "/status", "value": "accepted"}]}.get(method)
        headers = PATCH if method == "PATCH" else {}
        answer = await here.northside.request(method, f"/fhir/Task/{id_}", json=body, headers=headers)
        answers.append(said(answer, id_))
    assert answers[0] == answers[1]


async def test_what_consent_withholds_neither_meets_a_condition_nor_stands_in_its_way(here: Parties) -> None:
    mine = {"resourceType": "Task", "status": "requested", "intent": "order", "code": {"text": "mine"}}
    criteria = f"_id={here.withheld.split('/')[1]},{here.task.split('/')[1]}&status=requested"
    answer = await here.northside.post("/fhir/Task", json=mine, headers={"If-None-Exist": criteria})
    assert (answer.status_code, answer.json()["id"]) == (200, here.task.split("/")[1])
    only = f"_id={here.withheld.split('/')[1]}"
    answer = await here.northside.post("/fhir/Task", json=mine, headers={"If-None-Exist": only})
    assert answer.status_code == 201


async def test_a_link_in_a_condition_leads_only_over_what_may_be_seen(here: Parties) -> None:
    withheld = await here.harbor.get(f"/fhir/{here.withheld}")
    patient = decode_object(withheld.content)["for"]["reference"]
    mine = {**goal("about"), "subject": {"reference": patient}}
    async with running_free(here) as free:
        made = await free.post("/fhir/Goal", json=mine)
        assert made.status_code == 201, made.text
    criteria = "subject:Patient.gender=female,male,other,unknown&identifier=https://goals.example|about"
    answer = await here.northside.post("/fhir/Goal", json=goal("about"), headers={"If-None-Exist": criteria})
    assert answer.status_code == 201, "the gender of a withheld client decided"


@asynccontextmanager
async def running_free(here: Parties) -> AsyncIterator[httpx.AsyncClient]:
    """Northside at the same database, where references need not hold."""
    wiring = here.service.wiring
    url = wiring.settings.database_url
    assert url is not None
    async with (
        running(url.get_secret_value(), wiring.settings.data_dir, partner_ids="own") as service,
        await service.client("Northside Housing Partnership") as client,
    ):
        yield client


async def test_where_references_must_hold_what_is_withheld_is_not_there(here: Parties) -> None:
    answers = []
    for id_ in (here.withheld.split("/")[1], here.foreign.split("/")[1], ABSENT_ID):
        type_ = "Goal" if id_ == here.foreign.split("/")[1] else "Task"
        body = {"resourceType": "Task", "status": "draft", "intent": "proposal",
                "partOf": [{"reference": f"Task/{id_}"}], "focus": {"reference": f"{type_}/{id_}"}}  # fmt: skip
        status, text = said(await here.northside.post("/fhir/Task", json=body), id_)
        answers.append((status, text.replace("Goal/", "Task/")))
    assert answers[0][0] == 422
    assert len(set(answers[::2])) == 1


async def test_what_others_keep_does_not_hold_back_a_deletion(here: Parties) -> None:
    made = (await here.northside.post("/fhir/Patient", json={"resourceType": "Patient"})).json()["id"]
    kept = {**goal("harbor keeps this"), "subject": {"reference": f"Patient/{made}"}}
    (await here.harbor.post("/fhir/Goal", json=kept)).raise_for_status()
    assert (await here.northside.post(f"/fhir/Patient/{made}/$validate", json=DELETE_MODE)).status_code == 200
    assert (await here.northside.delete(f"/fhir/Patient/{made}")).status_code == 204


async def test_ones_own_holds_back_a_deletion_and_is_named(here: Parties) -> None:
    made = (await here.northside.post("/fhir/Patient", json={"resourceType": "Patient"})).json()["id"]
    held = {**goal("mine"), "subject": {"reference": f"Patient/{made}"}}
    own = (await here.northside.post("/fhir/Goal", json=held)).json()["id"]
    answer = await here.northside.delete(f"/fhir/Patient/{made}")
    assert (answer.status_code, f"Goal/{own}" in answer.text) == (409, True)


DELETE_MODE = {"resourceType": "Parameters", "parameter": [{"name": "mode", "valueCode": "delete"}]}


async def test_the_answer_to_a_write_is_labelled_and_noticed_like_a_read(here: Parties) -> None:
    shown = (await here.northside.get(f"/fhir/{here.task}")).json()
    operations = [
        {"op": "test", "path": "/meta/security/0/code", "value": shown["meta"]["security"][0]["code"]},
        {"op": "replace", "path": "/status", "value": "accepted"},
    ]
    answer = await here.northside.patch(f"/fhir/{here.task}", json=operations, headers=PATCH)
    assert answer.status_code == 200, answer.text
    read = await here.northside.get(f"/fhir/{here.task}")
    assert answer.json() == read.json()
    assert {"42CFRPart2"} <= {label["code"] for label in answer.json()["meta"]["security"]}


async def test_a_taken_id_is_told_as_late_in_a_transaction_as_a_free_one(here: Parties) -> None:
    mine = (await here.northside.post("/fhir/Goal", json=goal("mine"))).json()["id"]
    answers = []
    for id_ in (here.foreign.split("/")[1], ABSENT_ID):
        entries = [
            {"resource": {**goal("a"), "id": mine}, "request": {"method": "PUT", "url": f"Goal/{mine}", "ifMatch": 'W/"9"'}},
            {"resource": {**goal("b"), "id": id_}, "request": {"method": "PUT", "url": f"Goal/{id_}"}},
        ]  # fmt: skip
        bundle = {"resourceType": "Bundle", "type": "transaction", "entry": entries}
        answers.append(said(await here.northside.post("/fhir", json=bundle), id_))
    assert answers[0] == answers[1]
    assert answers[0][0] == 412


async def test_the_database_is_as_it_was(here: Parties, database_url: str) -> None:
    """A refused PUT leaves nothing: the id is not made."""
    await here.northside.put(f"/fhir/Goal/{ABSENT_ID}", json={**goal("x"), "id": ABSENT_ID})
    connection = await asyncpg.connect(database_url)
    assert await connection.fetchval("SELECT count(*) FROM resource WHERE id = $1", ABSENT_ID) == 0
    await connection.close()
