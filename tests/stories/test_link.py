"""Open Door has two rooms and a telephone: it sees, answers and completes a referral on a page of ours."""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from parts import free_port
from town import Town, town

from service.commands.demo import people
from service.flows import onboard_partner as onboarding
from service.kernel.clock import system_clock
from service.simulator.casebridge import Answer
from tests.flows.subscriptions.office import open_office

OPEN_DOOR = "Open Door Child Care"
CARE = "leslie-child-care-1"
EVERYTHING = ("everything",)


@asynccontextmanager
async def asked(
    database_url: str, folder: Path, information: tuple[str, ...], contact: str = "", **settings: Any
) -> AsyncIterator[Town]:
    """Harbor has asked Open Door; Leslie's consent lets it know `information`."""
    async with town(database_url, folder, **settings) as here:
        wanted = onboarding.Registration(OPEN_DOOR, ("referral-recipient",), agreed=(f"contact={contact}",))
        here.organizations[OPEN_DOOR] = (await onboarding.add(here.context, wanted))["organization"]
        await here.file_everybody()
        await here.file("agencies", "open-door", {"name": OPEN_DOOR, "kind": "child-care"})
        consent = people.consent(system_clock)
        [permission] = consent["permissions"]
        changed = {**permission, "recipients": [{"agency": "open-door"}], "information": list(information)}
        await here.file("consents", consent["id"], {**consent, "permissions": [changed]})
        record = {
            **people.housing(system_clock),
            "id": CARE,
            "recipient": "open-door",
            "service": "child-care",
        }
        record |= {
            "need": {"category": "material-hardship"},
            "reason": "Evening classes; <b>two</b> children.",
        }
        del record["recipientService"]
        await here.file("referrals", CARE, record)
        yield here


async def mailed(here: Town, to: str) -> Answer:
    return await here.casework.ask("POST", f"/casework/v1/referrals/{CARE}/link", {"mail": to})


async def link(here: Town) -> str:
    made = await here.casework.ask("POST", f"/casework/v1/referrals/{CARE}/link")
    assert made.status == 201, made.sentence
    return str(made.body["link"])


@asynccontextmanager
async def browser(here: Town) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=here.url, trust_env=False, follow_redirects=True) as http:
        yield http


async def enter(http: httpx.AsyncClient, url: str) -> httpx.Response:
    assert OPEN_DOOR in (await http.get(url)).text
    return await http.post("/r/open", data={"token": url.rpartition("/")[2]})


def form(page: str) -> dict[str, str]:
    return dict(re.findall(r'name="(csrf|version)" value="([^"]+)"', page))


async def test_an_agency_without_fhir_sees_answers_and_completes_its_referral(
    database_url: str, tmp_path: Path
):
    async with asked(database_url, tmp_path, EVERYTHING) as here, browser(here) as http:
        page = (await enter(http, await link(here))).text
        assert "Evening classes; &lt;b&gt;two&lt;/b&gt; children." in page
        assert "Moreno" in page
        assert "42 CFR" in page, "the notice goes with it"
        assert "Do not contact the client directly" in page
        for status, event in (
            ("accepted", "accepted"),
            ("in-progress", "in-progress"),
            ("completed", "completed"),
        ):
            page = (await http.get("/r")).text
            answer = await http.post(
                "/r", data={**form(page), "status": status, "note": "Tue and Thu, 5 to 8."}
            )
            assert answer.status_code == 200
            await here.until(f"referral-{event}", referral=CARE)
        assert "Nothing more is asked of you" in (await http.get("/r")).text
        shown: dict[str, Any] = (await here.casework.ask("GET", f"/casework/v1/referrals/{CARE}")).body
        assert shown["status"] == "completed"


async def test_a_refusal_needs_its_reason(database_url: str, tmp_path: Path):
    async with asked(database_url, tmp_path, EVERYTHING) as here, browser(here) as http:
        page = (await enter(http, await link(here))).text
        silent = await http.post("/r", data={**form(page), "status": "rejected"})
        assert silent.status_code == 422
        answer = await http.post(
            "/r", data={**form(page), "status": "rejected", "reason": "Both rooms are full."}
        )
        assert answer.status_code == 200
        told = await here.until("referral-rejected", referral=CARE)
        assert told["reason"] == "Both rooms are full."


async def test_what_consent_does_not_cover_is_not_on_the_page(database_url: str, tmp_path: Path):
    async with asked(database_url, tmp_path, ("housing-need",)) as here, browser(here) as http:
        page = (await enter(http, await link(here))).text
        for word in (*people.CLIENT_WORDS, "Evening classes"):
            assert word not in page


async def test_a_link_opens_once_and_the_newest_only(database_url: str, tmp_path: Path):
    async with (
        asked(database_url, tmp_path, EVERYTHING) as here,
        browser(here) as http,
        browser(here) as other,
    ):
        old, new = await link(here), await link(here)
        assert (await http.get(old)).status_code == 410
        assert (await enter(http, new)).status_code == 200
        assert (await other.get(new)).status_code == 410
        again = await other.post("/r/open", data={"token": new.rpartition("/")[2]})
        assert again.status_code == 410
        assert (await other.get("/r")).status_code == 401
        assert "sign-in" not in (await other.get("/r")).text


async def test_a_form_of_another_page_or_of_an_older_state_is_refused(database_url: str, tmp_path: Path):
    async with asked(database_url, tmp_path, EVERYTHING) as here, browser(here) as http:
        page = (await enter(http, await link(here))).text
        forged = await http.post("/r", data={**form(page), "csrf": "a.b", "status": "accepted"})
        assert forged.status_code == 403
        assert (await http.post("/r", data={**form(page), "status": "accepted"})).status_code == 200
        late = await http.post("/r", data={**form(page), "status": "in-progress"})
        assert late.status_code == 412


async def test_a_disabled_agency_sees_nothing_any_more(database_url: str, tmp_path: Path):
    async with asked(database_url, tmp_path, EVERYTHING) as here, browser(here) as http:
        await enter(http, await link(here))
        await onboarding.disable(here.context, OPEN_DOOR)
        assert (await http.get("/r")).status_code == 401


@pytest.mark.parametrize("record", ["unknown", "leslie-job-1"])
async def test_a_link_is_made_for_a_referral_that_was_sent_only(
    database_url: str, tmp_path: Path, record: str
):
    async with asked(database_url, tmp_path, EVERYTHING) as here:
        assert (await here.casework.ask("POST", f"/casework/v1/referrals/{record}/link")).status == 404


async def test_a_link_is_mailed_and_the_mail_names_no_client_and_no_service(
    database_url: str, tmp_path: Path
):
    async with (
        open_office() as office,
        asked(database_url, tmp_path, EVERYTHING, smtp_url=office.url) as here,
        browser(here) as http,
    ):
        answer = await mailed(here, "desk@opendoor.example")
        assert answer.status == 201, answer.sentence
        assert answer.body.keys() == {"mailed", "expires"}, "nobody else learns the link"

        [mail] = office.got
        assert mail["To"] == "desk@opendoor.example"
        whole = f"{mail['Subject']}\n{mail.get_content()}"
        for word in (*people.CLIENT_WORDS, "child", "care", "housing", "Evening"):
            assert word.casefold() not in whole.casefold().replace("open door child care", "")
        [url] = re.findall(r"http://\S+/r/\S+", mail.get_content())
        assert "Evening classes" in (await enter(http, url)).text
        rows = await here.sql("SELECT detail FROM audit WHERE action = 'referral-link-made'")
        assert [row["detail"] for row in rows] == ["desk@opendoor.example"]


async def test_a_link_goes_to_the_contact_that_was_agreed_on(database_url: str, tmp_path: Path):
    async with (
        open_office() as office,
        asked(database_url, tmp_path, EVERYTHING, "rooms@opendoor.example", smtp_url=office.url) as here,
    ):
        assert (await mailed(here, "contact")).body["mailed"] == "rooms@opendoor.example"
        assert office.got[0]["To"] == "rooms@opendoor.example"


@pytest.mark.parametrize(
    ("to", "said"),
    [
        ("contact", "the contact on record is no e-mail address"),
        ("a@b.example, c@d.example", "not one e-mail address"),
        ("a@b.example\r\nBcc: x@y.example", "not one e-mail address"),
    ],
)
async def test_a_mail_goes_to_one_address_or_not_at_all(
    database_url: str, tmp_path: Path, to: str, said: str
):
    async with (
        open_office() as office,
        asked(database_url, tmp_path, EVERYTHING, "Ms. Reyes, 555-0117", smtp_url=office.url) as here,
    ):
        answer = await mailed(here, to)
        assert answer.status == 422
        assert said in answer.sentence
        assert office.got == []


async def test_a_mail_that_nobody_takes_is_said_to_be_so(database_url: str, tmp_path: Path):
    async with (
        open_office() as office,
        asked(database_url, tmp_path, EVERYTHING, smtp_url=office.url) as here,
    ):
        office.refusing = 550
        refused = await mailed(here, "nobody@opendoor.example")
        assert (refused.status, "550" in refused.sentence) == (422, True)


async def test_without_a_mail_server_the_case_manager_is_told(database_url: str, tmp_path: Path):
    async with asked(database_url, tmp_path, EVERYTHING) as here:
        answer = await mailed(here, "desk@opendoor.example")
        assert (answer.status, "no mail server" in answer.sentence) == (422, True)


async def test_a_mail_server_that_is_away_is_a_matter_of_time(database_url: str, tmp_path: Path):
    nobody = f"smtp://127.0.0.1:{free_port()}"
    async with asked(database_url, tmp_path, EVERYTHING, smtp_url=nobody) as here:
        assert (await mailed(here, "desk@opendoor.example")).status == 503
