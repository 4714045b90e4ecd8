"""The case manager asks Leslie something; Leslie answers in an app, on a page of ours, or by telephone."""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from parts import Service, running

from service.casework.records import kinds
from service.fhir.json import decode, encode
from service.mapping.client_task import PROFILE
from tests.flows.subscriptions.ears import HARBOR, NORTHSIDE, file, record

APP = "Pocket Path"
SDC, SDOHCC = (
    "http://hl7.org/fhir/uv/sdc/CodeSystem/temp",
    "http://hl7.org/fhir/us/sdoh-clinicalcare/CodeSystem/SDOHCC-CodeSystemTemporaryCodes",
)
QUESTION = {
    "id": "leslie-voucher", "client": "leslie-moreno", "asked": "2026-03-30",
    "words": "Would you rather have a bus pass or taxi vouchers?",
}  # fmt: skip
CONTACT = {
    "id": "leslie-child-care", "client": "leslie-moreno", "asked": "2026-03-09",
    "words": "Please call one of them.", "contacts": [{"agency": "northside"}, {"caseManager": "victoria-chen"}],
}  # fmt: skip
READING = {
    "id": "leslie-reads", "client": "leslie-moreno", "asked": "2026-03-02", "words": "Please read this.",
    "reading": {"title": "What case management is", "text": "You may say <no>."},
}  # fmt: skip
FORM = {**kinds["client-tasks"].example}


@asynccontextmanager
async def asked(
    database_url: str, folder: Path, *tasks: dict[str, Any]
) -> AsyncIterator[tuple[Service, httpx.AsyncClient, httpx.AsyncClient]]:
    """Harbor, and the app that Leslie's consent lets know everything; the tasks are filed."""
    async with running(database_url, folder) as service:
        await service.partner(HARBOR, "casework")
        await service.partner(APP, "patient-app")
        await service.partner(NORTHSIDE, "referral-recipient")
        async with await service.client(HARBOR) as harbor, await service.client(APP) as app:
            await file(harbor, "agencies", {"id": "harbor", "name": HARBOR})
            await file(harbor, "agencies", {"id": "app", "name": APP})
            for kind in ("agencies", "case-managers", "clients"):
                await file(harbor, kind, record(kind))
            [given] = kinds["consents"].example["permissions"][:1]
            permissions = [{**given, "recipients": [{"agency": "app"}], "information": ["everything"]}]
            await file(harbor, "consents", record("consents", expires="2099-12-31", permissions=permissions))
            for each in tasks:
                await file(harbor, "client-tasks", each)
            yield service, harbor, app


async def found(app: httpx.AsyncClient) -> dict[str, Any]:
    """The one Task the app finds."""
    bundle = decode((await app.get("/fhir/Task?status=ready,in-progress,on-hold")).content)
    [entry] = bundle["entry"]
    return dict(entry["resource"])


async def put(client: httpx.AsyncClient, task: dict[str, Any], **changes: Any) -> httpx.Response:
    return await client.put(f"/fhir/Task/{task['id']}", content=encode({**task, **changes}))


async def told(harbor: httpx.AsyncClient) -> list[dict[str, Any]]:
    events = decode((await harbor.get("/casework/v1/events?limit=1000")).content)["events"]
    return [each for each in events if each["kind"].startswith("client-task-")]


async def shown(harbor: httpx.AsyncClient, id_: str) -> dict[str, Any]:
    answer = await harbor.get(f"/casework/v1/client-tasks/{id_}")
    return dict(decode(answer.content))


def output(code: str, **value: Any) -> list[dict[str, Any]]:
    system = SDC if code == "questionnaire-response" else SDOHCC
    return [{"type": {"coding": [{"system": system, "code": code}]}, **value}]


# in an app


async def test_a_question_is_answered_in_an_app_and_told_in_the_clients_words(
    database_url: str, tmp_path: Path
):
    async with asked(database_url, tmp_path, QUESTION) as (_, harbor, app):
        task = await found(app)
        assert task["description"] == QUESTION["words"]
        begun = await put(app, task, status="in-progress")
        assert begun.status_code == 200, begun.text
        said = output("general-information-response", valueMarkdown="The bus pass.")
        done = await put(app, decode(begun.content), status="completed", output=said)
        assert done.status_code == 200, done.text

        first, second = await told(harbor)
        assert (first["kind"], second["kind"]) == ("client-task-in-progress", "client-task-completed")
        assert (second["task"], second["client"], second["by"]) == ("leslie-voucher", "leslie-moreno", APP)
        assert second["answer"] == {"words": ["The bus pass."]}
        now = await shown(harbor, "leslie-voucher")
        assert (now["status"], now["answer"]) == ("completed", {"words": ["The bus pass."]})


async def test_a_form_comes_back_as_an_assessment_of_the_client(database_url: str, tmp_path: Path):
    async with asked(database_url, tmp_path, FORM) as (_, harbor, app):
        task = await found(app)
        [canonical] = [each["valueCanonical"] for each in task["input"] if "valueCanonical" in each]
        response = {
            "resourceType": "QuestionnaireResponse", "status": "completed", "questionnaire": canonical,
            "subject": task["for"], "authored": "2026-05-27T18:00:00Z",
        }  # fmt: skip
        filled = await app.post("/fhir/QuestionnaireResponse", content=encode(response))
        assert filled.status_code == 201, filled.text
        id_ = decode(filled.content)["id"]
        reference = {"reference": f"QuestionnaireResponse/{id_}"}
        done = await put(
            app, task, status="completed", output=output("questionnaire-response", valueReference=reference)
        )
        assert done.status_code == 200, done.text

        [event] = await told(harbor)
        assert event["answer"] == {"assessment": id_}
        assessment = await harbor.get(f"/casework/v1/assessments/{id_}")
        assert decode(assessment.content)["instrument"] == "client-self-report"


async def test_an_answer_cannot_be_somebody_elses_form(database_url: str, tmp_path: Path):
    async with asked(database_url, tmp_path, FORM) as (_, harbor, app):
        await file(harbor, "clients", record("clients", id="another", supports=[], episode=None))
        other = await file(harbor, "assessments", record("assessments", client="another"))
        reference = next(each for each in other["resources"] if each.startswith("QuestionnaireResponse/"))
        task = await found(app)
        for named in (reference, "QuestionnaireResponse/there-is-none", "Patient/x"):
            said = output("questionnaire-response", valueReference={"reference": named})
            answer = await put(app, task, status="completed", output=said)
            assert answer.status_code == 422, named
        assert await told(harbor) == []


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"description": "Something else"}, "Task.description is what was asked"),
        ({"priority": "urgent"}, "Task.priority is what was asked"),
        ({"owner": {"reference": "Patient/somebody-else"}}, "Task.owner is what was asked"),
        ({"status": "draft"}, "the target may set 'in-progress', 'completed', 'on-hold' with a reason"),
        ({"status": "requested"}, "a client's task that is 'ready' cannot become 'requested'"),
        ({"status": "cancelled"}, "needs a reason in statusReason.text"),
        ({"status": "entered-in-error"}, "cannot become 'entered-in-error' by the target"),
    ],
)
async def test_an_app_changes_nothing_but_the_answer_and_makes_no_move_that_is_not_the_clients(
    database_url: str, tmp_path: Path, changes: dict[str, Any], said: str
):
    async with asked(database_url, tmp_path, QUESTION) as (_, harbor, app):
        bare = {name: value for name, value in (await found(app)).items() if name != "meta"}
        answer = await put(app, bare, **changes)
        assert answer.status_code == 422, answer.text
        assert said in " ".join(each["diagnostics"] for each in answer.json()["issue"])
        assert (await shown(harbor, "leslie-voucher"))["status"] == "ready"


@pytest.mark.parametrize(
    ("task", "wrong", "said"),
    [
        (QUESTION, output("chosen-contact", valueMarkdown="Rosa"), "Task.output[0].type"),
        (CONTACT, output("general-information-response", valueMarkdown="Rosa"), "Task.output[0].type"),
        (FORM, output("general-information-response", valueMarkdown="Yes"), "SDOH-Task-5"),
    ],
)
async def test_an_answer_of_another_kind_than_was_asked_is_refused(
    database_url: str, tmp_path: Path, task: dict[str, Any], wrong: list[dict[str, Any]], said: str
):
    async with asked(database_url, tmp_path, task) as (_, harbor, app):
        held = await found(app)
        bare = {name: value for name, value in held.items() if name != "meta"}
        answer = await put(app, bare, status="completed", output=wrong)
        assert answer.status_code == 422
        assert said in answer.text
        assert await told(harbor) == []


async def test_what_has_ended_is_not_answered_again(database_url: str, tmp_path: Path):
    async with asked(database_url, tmp_path, QUESTION) as (_, harbor, app):
        done = decode((await put(app, await found(app), status="completed")).content)
        late = await put(app, done, output=output("general-information-response", valueMarkdown="Taxi!"))
        assert late.status_code == 422
        assert len(await told(harbor)) == 1


async def test_without_the_clients_consent_there_is_nothing_for_the_app(database_url: str, tmp_path: Path):
    async with asked(database_url, tmp_path, QUESTION) as (_, harbor, app):
        task = await found(app)
        await harbor.delete(f"/casework/v1/consents/{kinds['consents'].example['id']}")
        assert (await app.get(f"/fhir/Task/{task['id']}")).status_code == 404
        assert (await put(app, task, status="completed")).status_code == 404


async def test_an_agency_is_no_patient_app(database_url: str, tmp_path: Path):
    async with asked(database_url, tmp_path, QUESTION) as (service, _, app):
        task = await found(app)
        async with await service.client(NORTHSIDE) as northside:
            assert (await put(northside, task, status="completed")).status_code == 404


async def test_a_partner_that_asks_a_client_itself_may_call_it_off(database_url: str, tmp_path: Path):
    async with asked(database_url, tmp_path, QUESTION) as (service, _, app):
        theirs = {
            name: value for name, value in (await found(app)).items() if name not in ("id", "identifier")
        }
        theirs |= {"meta": {"profile": [PROFILE]}, "requester": {"display": NORTHSIDE}}
        async with await service.client(NORTHSIDE) as northside:
            made = decode((await northside.post("/fhir/Task", content=encode(theirs))).content)
            begun = await put(northside, made, status="in-progress")
            assert begun.status_code == 422, "that is the client's move"
            off = await put(northside, made, status="cancelled", statusReason={"text": "Not needed"})
            assert off.status_code == 200, off.text


# told to the case manager


async def test_the_case_manager_notes_what_the_client_said_and_cancels(database_url: str, tmp_path: Path):
    async with asked(database_url, tmp_path, QUESTION, READING) as (_, harbor, _app):
        await file(harbor, "client-tasks", {**QUESTION, "status": "completed", "answer": {"words": ["Bus."]}})
        assert (await shown(harbor, "leslie-voucher"))["answer"] == {"words": ["Bus."]}
        off = {**READING, "status": "cancelled", "statusReason": "Explained at the visit"}
        await file(harbor, "client-tasks", off)
        again = await harbor.put(
            "/casework/v1/client-tasks/leslie-reads", content=encode({**READING, "status": "in-progress"}),
            headers={"Content-Type": "application/json"},
        )  # fmt: skip
        assert again.status_code == 422
        assert again.json()["errors"][0]["pointer"] == "/status"


async def test_filing_a_task_again_undoes_nothing_that_the_client_said(database_url: str, tmp_path: Path):
    async with asked(database_url, tmp_path, QUESTION) as (_, harbor, app):
        said = output("general-information-response", valueMarkdown="The bus pass.")
        await put(app, await found(app), status="completed", output=said)
        await file(harbor, "client-tasks", {**QUESTION, "answerBy": "2026-04-30"})
        now = await shown(harbor, "leslie-voucher")
        assert (now["status"], now["answer"]["words"], now["answerBy"]) == (
            "completed", ["The bus pass."], "2026-04-30",
        )  # fmt: skip


# on the page of a one-time link


@asynccontextmanager
async def opened(
    service: Service, harbor: httpx.AsyncClient, id_: str
) -> AsyncIterator[tuple[httpx.AsyncClient, str]]:
    """A browser in which the link to a task was opened, and the page."""
    made = await harbor.post(f"/casework/v1/client-tasks/{id_}/link")
    assert made.status_code == 201, made.text
    link = made.json()["link"]
    async with httpx.AsyncClient(base_url=service.url, trust_env=False, follow_redirects=True) as http:
        before = (await http.get(link)).text
        assert "Leslie" not in before
        assert HARBOR not in before, "who holds the link learns nothing before it is opened"
        page = await http.post("/c/open", data={"token": link.rpartition("/")[2]})
        assert page.status_code == 200
        assert (await http.get(link)).status_code == 410
        yield http, page.text


def form(page: str) -> dict[str, str]:
    return dict(re.findall(r'name="(csrf|version)" value="([^"]+)"', page))


async def test_a_question_is_answered_on_the_page(database_url: str, tmp_path: Path):
    async with (
        asked(database_url, tmp_path, QUESTION) as (service, harbor, _),
        opened(service, harbor, "leslie-voucher") as (http, page),
    ):
        assert QUESTION["words"] in page
        sent = {**form(page), "status": "completed", "words": "The bus pass, <please>."}
        answer = await http.post("/c", data=sent)
        assert "The bus pass, &lt;please&gt;." in answer.text
        assert "Nothing more is asked of you" in answer.text
        [event] = await told(harbor)
        assert event["answer"] == {"words": ["The bus pass, <please>."]}
        assert event["by"] == "the client, by a link"
        async with service.wiring.context.database.reading() as connection:
            found = await connection.fetch("SELECT DISTINCT action FROM audit WHERE outcome = '0'")
        on_the_trail = {row["action"] for row in found}
        assert on_the_trail >= {"client-link-opened", "client-task-seen", "update"}, on_the_trail
        assert (await http.post("/c", data={**form(answer.text), "status": "failed"})).status_code in (
            403,
            412,
        )


async def test_a_contact_is_chosen_on_the_page(database_url: str, tmp_path: Path):
    async with (
        asked(database_url, tmp_path, CONTACT) as (service, harbor, _),
        opened(service, harbor, "leslie-child-care") as (http, page),
    ):
        assert NORTHSIDE in page
        assert "Chen" in page
        await http.post("/c", data={**form(page), "status": "completed", "chosen": NORTHSIDE})
        [event] = await told(harbor)
        assert event["answer"] == {"chosen": NORTHSIDE}


async def test_what_is_to_be_read_stands_on_the_page_or_is_put_off_with_a_reason(
    database_url: str, tmp_path: Path
):
    async with (
        asked(database_url, tmp_path, READING) as (service, harbor, _),
        opened(service, harbor, "leslie-reads") as (http, page),
    ):
        assert "You may say &lt;no&gt;." in page
        assert (await http.post("/c", data={**form(page), "status": "on-hold"})).status_code == 422
        await http.post("/c", data={**form(page), "status": "on-hold", "reason": "Not my language"})
        [event] = await told(harbor)
        assert (event["kind"], event["reason"]) == ("client-task-on-hold", "Not my language")
        assert (await shown(harbor, "leslie-reads"))["statusReason"] == "Not my language"


async def test_a_questionnaire_has_no_link_and_a_visit_ends_with_its_own_task(
    database_url: str, tmp_path: Path
):
    async with (
        asked(database_url, tmp_path, FORM, READING) as (service, harbor, _),
        opened(service, harbor, "leslie-reads") as (http, _),
    ):
        made = await harbor.post(f"/casework/v1/client-tasks/{FORM['id']}/link")
        assert made.status_code == 422
        assert (await harbor.post("/casework/v1/client-tasks/unknown/link")).status_code == 404
        assert (await http.get("/r")).status_code == 401, "a client's visit opens no referral"
