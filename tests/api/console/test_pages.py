"""Every page, for everybody who may see it and nobody else; hostile text stays text; what is looked at is recorded."""

import re
from collections.abc import AsyncIterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from parts import Service, running
from visitors import Visitor, browser, visitor

from service.api.console.pages import ACTS, PAGES
from service.commands.demo import people
from service.fhir.json import encode
from service.flows.context import Context
from service.kernel.clock import system_clock
from service.settings import PEOPLE
from service.store.unit import Outgoing, Told

HOSTILE = "<script>alert('x')</script>\"'><img src=x onerror=alert(1)>{{7*7}}"
RIGHT_TO_LEFT = "ليلى الموري"
NORTHSIDE = "Northside Housing Partnership"


class _Parsed(HTMLParser):
    """What a browser would make of a page: its elements, their attributes, and its words."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.words = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.words += data


def harmless(text: str) -> _Parsed:
    parsed = _Parsed(text)
    for tag, attributes in parsed.elements:
        assert tag not in ("script", "iframe", "object", "style"), tag
        assert not any(name.startswith("on") or name == "style" for name in attributes), attributes
        assert tag != "img" or (attributes["src"] or "").startswith("/console/static/"), attributes
        assert not (attributes.get("href") or "").lower().startswith(("javascript:", "data:", "vbscript:"))
    assert "onerror=alert(1)>49" not in parsed.words, "a template within a template"
    return parsed


@pytest.fixture(scope="module")
async def story(server_url: str, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Service]:
    """Harbor's story, with hostile text wherever somebody may write, and no worker to change anything."""
    from parts import database_name, with_database

    admin = await asyncpg.connect(with_database(server_url, "postgres"))
    await admin.execute("DROP DATABASE IF EXISTS console_story WITH (FORCE)")
    await admin.execute(f'CREATE DATABASE console_story TEMPLATE "{database_name(server_url)}"')
    await admin.close()
    folder = tmp_path_factory.mktemp("console")
    async with running(with_database(server_url, "console_story"), folder) as service:
        await service.partner(people.HARBOR, "casework")
        await service.partner(NORTHSIDE, "referral-recipient", fhir_base="http://127.0.0.1:9/fhir")
        await service.partner(f"{HOSTILE} Agency", "referral-recipient", fhir_base="http://127.0.0.1:9/two")
        async with await service.client(people.HARBOR) as http:
            await _file_everything(http)
        yield service


async def _file_everything(http: Any) -> None:
    for kind, id_, record in people.records(system_clock):
        if kind == "clients":
            record["name"] = {"family": HOSTILE, "given": [RIGHT_TO_LEFT]}
        await _put(http, f"/casework/v1/{kind}/{id_}", record)
    await _put(http, f"/casework/v1/referrals/{people.HOUSING}", people.housing(system_clock))
    job = {**people.job(system_clock), "recipient": "northside", "reason": HOSTILE}
    await _put(http, f"/casework/v1/referrals/{people.JOB}", job)


async def _put(http: Any, path: str, value: Any) -> Any:
    answer = await http.put(path, content=encode(value), headers={"Content-Type": "application/json"})
    assert answer.status_code in (200, 201), (path, answer.text)
    return answer.json()


async def ids(service: Service) -> dict[str, str]:
    """One of each thing that a path can name."""
    context: Context = service.wiring.context
    async with context.database.reading() as connection:
        return {
            "clients": await connection.fetchval("SELECT id FROM resource WHERE type = 'Patient' LIMIT 1"),
            "referrals": await connection.fetchval("SELECT id FROM loop ORDER BY opened LIMIT 1"),
            "deliveries": await connection.fetchval("SELECT id FROM delivery ORDER BY seq LIMIT 1"),
            "measures": "linkage",
            "partners": await connection.fetchval("SELECT client_id FROM partner WHERE name = $1", NORTHSIDE),
        }


async def paths(service: Service) -> list[tuple[str, frozenset[str]]]:
    """Every page of the table with something real in its path, and who may open it."""
    known = await ids(service)
    made = []
    for row in PAGES:
        path = row.path.replace("{kind}/{id}", f"referrals/{people.HOUSING}")
        path = path.replace("{type}/{id}", f"Patient/{known['clients']}")
        path = re.sub(r"(\w+)/\{id\}", lambda found: f"{found[1]}/{known[found[1]]}", path)
        if path.endswith("deliveries/again"):
            path += f"?state=dead&partner={known['partners']}"
        made.append((path, frozenset(row.who)))
    return made


async def test_each_role_opens_its_pages_and_no_other(story: Service) -> None:
    pages = await paths(story)
    for role in PEOPLE:
        async with visitor(story, role) as person:
            for path, who in pages:
                answer = await person.get(path)
                assert answer.status_code == (200 if role in who else 403), (role, path, answer.text)
    async with browser(story) as stranger:
        for path, _ in pages:
            answer = await stranger.get(path)
            assert (answer.status_code, answer.headers["location"]) == (303, "/console/sign-in")


async def test_the_navigation_shows_what_may_be_opened(story: Service) -> None:
    async with visitor(story, "engineer") as person:
        words = _Parsed(await person.page("/console"))
    links = {each.get("href") for tag, each in words.elements if tag == "a"}
    assert "/console/deliveries" in links and not {"/console/clients", "/console/trail"} & links


async def test_hostile_text_stays_text_on_every_page(story: Service) -> None:
    seen = ""
    async with visitor(story, *PEOPLE, name=HOSTILE[:99]) as person:
        for path, _ in await paths(story):
            seen += harmless(await person.page(path)).words
        seen += harmless(await person.page("/console/clients?name=%D9%84%D9%8A")).words
        for asked in ("name", "number", "cursor"):
            answer = await person.http.get("/console/clients", params={asked: HOSTILE})
            harmless(answer.text)
        for path in (f"/console/{HOSTILE}", f"/console/clients/{HOSTILE}", f"/console/link/{HOSTILE}"):
            answer = await person.http.get(path)
            assert 400 <= answer.status_code < 500
            harmless(answer.text)
    assert HOSTILE in seen and RIGHT_TO_LEFT in seen, "it is there, as text"


async def test_names_stand_apart_from_the_direction_of_the_line(story: Service) -> None:
    async with visitor(story, "case-manager") as person:
        page = await person.page("/console/referrals")
    assert re.search(rf"<bdi>{RIGHT_TO_LEFT}", page)
    assert '<html lang="en">' in page


async def test_a_narrative_is_shown_without_what_acts(story: Service) -> None:
    divs = '<div xmlns="http://www.w3.org/1999/xhtml"><p>Seen <b>today</b></p><a href="https://a.example">more</a></div>'
    async with await story.client(people.HARBOR) as http:
        made = await http.post(
            "/fhir/Communication",
            content=encode(
                {
                    "resourceType": "Communication",
                    "status": "completed",
                    "text": {"status": "generated", "div": divs},
                    "subject": {"reference": f"Patient/{(await ids(story))['clients']}"},
                }
            ),
        )
        assert made.status_code == 201, made.text
    context: Context = story.wiring.context
    spoilt = divs.replace(
        "<p>", "<script>bad()</script><p onclick='bad()' style='x'><img src='http://b.example'/>"
    )
    async with context.database.unit() as unit:
        await unit.execute(
            "UPDATE resource SET body = convert_to(replace(convert_from(body, 'UTF8'), $2, $3), 'UTF8') WHERE id = $1",
            made.json()["id"], encode(divs).decode()[1:-1], encode(spoilt).decode()[1:-1],
        )  # fmt: skip
    async with visitor(story, "case-manager") as person:
        page = await person.page(f"/console/resources/Communication/{made.json()['id']}")
    parsed = harmless(page)
    assert "<b>today</b>" in page and "bad()" not in page and "b.example" not in page
    [link] = [each for tag, each in parsed.elements if tag == "a" and each.get("href") == "https://a.example"]
    assert "noopener" in (link["rel"] or "")


async def test_engineers_see_exchanges_without_the_people_in_them(story: Service) -> None:
    async with visitor(story, "engineer") as person:
        for path, who in await paths(story):
            if "engineer" in who:
                words = harmless(await person.page(path)).words
                assert RIGHT_TO_LEFT not in words, path
                assert "alert('x')" not in words.replace(f"{HOSTILE} Agency", ""), path
        known = await ids(story)
        assert (await person.get(f"/console/referrals?client={known['clients']}")).status_code == 403


async def test_every_page_forbids_scripts_framing_and_keeping(story: Service) -> None:
    async with visitor(story, "supervisor") as person:
        for path in ("/console", "/console/sign-in", "/console/nothing", "/console/referrals/none"):
            headers = (await person.get(path)).headers
            policy = headers["content-security-policy"]
            assert (
                "default-src 'none'" in policy
                and "frame-ancestors 'none'" in policy
                and "form-action 'self'" in policy
            )
            assert "unsafe" not in policy and "script-src" not in policy
            assert headers["cache-control"] == "no-store"
            assert headers["x-frame-options"] == "DENY"
            assert headers["referrer-policy"] == "no-referrer"
            assert headers["x-content-type-options"] == "nosniff"
        page = await person.page("/console")
    for tag, attributes in _Parsed(page).elements:
        for name in ("src", "href", "action"):
            assert (attributes.get(name) or "/").startswith(("/", "#")), (tag, attributes)


async def test_what_does_not_exist_is_a_page_without_internals(story: Service) -> None:
    async with visitor(story, *PEOPLE) as person:
        for path in (
            "/console/referrals/none", "/console/clients/none", "/console/deliveries/none", "/console/partners/none",
            "/console/records/referrals/none", "/console/records/secrets/x", "/console/resources/Patient/none",
            "/console/resources/Robot/x", "/console/clients/none/disclosures", "/console/nothing/at/all",
            "/console/static/none.css", "/console/records?kind=none",
        ):  # fmt: skip
            answer = await person.get(path)
            assert answer.status_code in (400, 404), (path, answer.status_code)
            assert answer.headers["content-type"].startswith("text/html"), path
            assert "Traceback" not in answer.text and "asyncpg" not in answer.text
        for path in (
            "/console/referrals?before=x", "/console/referrals?status=%00", "/console/deliveries?before=-1",
            "/console/deliveries?state=none", "/console/trail?from=yesterday", "/console/trail?before=2026~x",
            "/console/events?before=x", "/console/referrals?state=a&state=b", "/console/clients?born=x",
            "/console/trail?about=%3Cscript%3E", "/console/deliveries/again?state=delivered&partner=x",
            "/console/referrals?before=9999-99-99T00:00:00.000000%2B00:00~x", "/console/clients?cursor=x",
            "/console/trail?to=9999-12-31",
        ):  # fmt: skip
            answer = await person.get(path)
            assert answer.status_code == 400, (path, answer.status_code)
            harmless(answer.text)


async def test_an_unexpected_error_is_a_page_with_the_request_id_alone(
    story: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(*_: object) -> None:
        raise RuntimeError("secret words of the inside")

    monkeypatch.setattr("service.store.console.overview.standing", broken)
    async with visitor(story, "auditor") as person:
        answer = await person.get("/console")
    assert answer.status_code == 500 and answer.headers["content-type"].startswith("text/html")
    assert answer.headers["x-request-id"] in answer.text and "secret words" not in answer.text
    assert "default-src 'none'" in answer.headers["content-security-policy"]


async def test_looking_at_a_client_is_on_the_audit_trail_under_the_persons_name(story: Service) -> None:
    known = await ids(story)
    async with visitor(story, "case-manager", name="Victoria Chen") as person:
        await person.page(f"/console/clients/{known['clients']}")
        await person.page("/console/referrals")
        await person.page("/console/clients?name=leslie")
        await person.get("/console/trail")
    rows = await _rows(story, "person:local:Victoria Chen")
    about = {row["action"]: row["about"] for row in rows}
    patient = f"Patient/{known['clients']}"
    assert about["console-client"] == [patient]
    assert patient in about["console-referrals"], "a list names everybody in it"
    assert any(row["action"] == "console-trail" and row["outcome"] == "4" for row in rows), "a refusal too"
    assert any(row["action"] == "person-signed-in" for row in rows)
    assert not any("leslie" in str(row).lower() for row in rows), "what was looked for is kept beside the row"
    assert all(row["token"] for row in rows if row["action"] != "person-signed-in")


async def _rows(service: Service, client: str) -> list[Any]:
    context: Context = service.wiring.context
    async with context.database.reading() as connection:
        return list(await connection.fetch("SELECT * FROM audit WHERE client = $1 ORDER BY at, id", client))


async def test_nothing_is_shown_that_cannot_be_recorded(
    story: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    from service.kernel.failures import Unavailable

    async def away(*_: object) -> None:
        raise Unavailable("what was done cannot be recorded now")

    known = await ids(story)
    async with visitor(story, "case-manager") as person:
        monkeypatch.setattr("service.api.console.door.testify", away)
        answer = await person.get(f"/console/clients/{known['clients']}")
    assert answer.status_code == 503 and RIGHT_TO_LEFT not in answer.text


async def test_a_form_without_its_csrf_value_does_nothing(story: Service) -> None:
    delivery = (await ids(story))["deliveries"]
    await _state(story, delivery, "dead")
    async with visitor(story, "engineer") as person, visitor(story, "engineer", name="Eve") as other:
        page = await other.page(f"/console/deliveries/{delivery}")
        foreign = re.search(r'name="csrf" value="([^"]+)"', page)
        assert foreign
        for act in ACTS:
            path = act.path.replace("{id}", delivery)
            for value in ({"a": "b"}, {"csrf": ""}, {"csrf": "x.y"}, {"csrf": foreign[1]}):
                assert (await person.http.post(path, data=value)).status_code == 403, (path, value)
        again = f"/console/deliveries/{delivery}/again"
        crossing = {"Sec-Fetch-Site": "cross-site"}
        own = re.search(r'name="csrf" value="([^"]+)"', await person.page("/console"))
        assert own
        assert (await person.http.post(again, data={"csrf": own[1]}, headers=crossing)).status_code == 403
        assert (await person.http.post(again, json={"csrf": own[1]})).status_code == 415
        assert await _states(story, delivery) == "dead"
        assert (await person.http.post(again, data={"csrf": own[1]})).status_code == 303
        assert await _states(story, delivery) == "pending"
    async with browser(story) as stranger:
        assert (await stranger.post(again, data={"csrf": own[1]})).status_code == 403


async def test_trying_again_is_for_engineers_and_recorded(story: Service) -> None:
    delivery = (await ids(story))["deliveries"]
    await _state(story, delivery, "withheld")
    async with visitor(story, "case-manager", name="Marcus Bell") as person:
        page = await person.page(f"/console/deliveries/{delivery}")
        assert "Try again now" not in page
        assert (await person.send(f"/console/deliveries/{delivery}/again", "/console")).status_code == 403
    assert await _states(story, delivery) == "withheld"
    async with visitor(story, "engineer", name="Ines Duarte") as person:
        answer = await person.send(f"/console/deliveries/{delivery}/again", f"/console/deliveries/{delivery}")
        assert "is due again" in await person.page(answer.headers["location"])
    rows = await _rows(story, "person:local:Ines Duarte")
    assert any(row["action"] == "deliveries-replayed" and row["detail"] == "1 due again" for row in rows)


async def test_many_are_shown_before_they_are_tried_again(story: Service) -> None:
    known = await ids(story)
    await _state(story, known["deliveries"], "dead")
    page = f"/console/deliveries/again?state=dead&partner={known['partners']}"
    async with visitor(story, "engineer") as person:
        assert "<strong>1</strong> delivery would become due" in await person.page(page)
        assert await _states(story, known["deliveries"]) == "dead", "looking changes nothing"
        answer = await person.send("/console/deliveries/again", page, state="dead", partner=known["partners"])
        assert "1 delivery is due again" in await person.page(answer.headers["location"])
    assert await _states(story, known["deliveries"]) == "pending"


async def _state(service: Service, delivery: str, state: str) -> None:
    context: Context = service.wiring.context
    async with context.database.unit() as unit:
        await unit.execute(
            "UPDATE delivery SET state = $2, settled = now(), reason = $3 WHERE id = $1",
            delivery,
            state,
            HOSTILE,
        )


async def _states(service: Service, delivery: str) -> str:
    context: Context = service.wiring.context
    async with context.database.reading() as connection:
        return str(await connection.fetchval("SELECT state FROM delivery WHERE id = $1", delivery))


async def test_pages_with_nothing_say_what_to_do(service: Service) -> None:
    async with visitor(service, *PEOPLE) as person:
        for path in (
            "",
            "/referrals",
            "/clients",
            "/records",
            "/deliveries",
            "/partners",
            "/events",
            "/unmapped",
            "/trail",
        ):
            page = harmless(await person.page(f"/console{path}"))
            assert (
                any("empty" in (each.get("class") or "") for _, each in page.elements) or path == "/trail"
            ), path


async def test_long_lists_are_paged_without_losing_or_repeating_a_row(
    database_url: str, tmp_path: Path
) -> None:
    async with running(database_url, tmp_path) as service:
        harbor = await service.partner(people.HARBOR, "casework")
        northside = await service.partner(
            NORTHSIDE, "referral-recipient", fhir_base="http://127.0.0.1:9/fhir"
        )
        context, now = service.wiring.context, system_clock()
        async with context.database.unit() as unit:
            await unit.execute(
                """INSERT INTO loop (id, direction, source, record, partner, patient, status, opened, updated)
                   SELECT 'loop-' || n, 'outbound', $1, 'r-' || n, $2, 'Patient/p', 'requested',
                          $3::timestamptz - (n / 7) * interval '1 hour', $3 FROM generate_series(1, 120) n""",
                harbor["client_id"], northside["client_id"], now,
            )  # fmt: skip
            for number in range(60):
                unit.send(
                    Outgoing(f"d-{number}", northside["client_id"], f"loop-{number}", "referral", [], now)
                )
                body = encode({"kind": "referral-received", "referral": f"r-{number}"})
                unit.tell(Told(harbor["client_id"], "referral-received", now, body))
        async with visitor(service, "supervisor") as person:
            assert len(await _all_of(person, "/console/referrals", r'"/console/referrals/(loop-\d+)"')) == 120
            assert len(await _all_of(person, "/console/deliveries", r'"/console/deliveries/(d-\d+)"')) == 60
            assert len(await _all_of(person, "/console/events", r"<bdi>(r-\d+)</bdi>")) == 60
            assert len(await _all_of(person, "/console/trail", r'<time datetime="([^"]+)">')) > 5
            for number in ("120", "60"):
                assert number in await person.page("/console")


async def _all_of(person: Visitor, path: str, row: str) -> list[str]:
    """Every row of a list, following its next links; none comes twice."""
    found: list[str] = []
    while path:
        page = await person.page(path)
        found += re.findall(row, page)
        following = re.search(r'rel="next" href="([^"]+)"', page)
        path = following[1].replace("&amp;", "&") if following else ""
    assert len(found) == len(set(found)) or row.startswith("<time")
    return found


async def test_the_story_of_a_referral_tells_versions_deliveries_decisions_and_events(story: Service) -> None:
    async with visitor(story, "case-manager") as person:
        known = await ids(story)
        page = harmless(await person.page(f"/console/referrals/{known['referrals']}")).words
    assert "Asked (requested)" in page and people.HARBOR in page and NORTHSIDE in page


async def test_the_audit_page_says_when_the_chain_was_changed(service: Service) -> None:
    from service.flows.audit.seal import seal
    from service.store import anchor

    async with visitor(service, "auditor") as person:
        await person.page("/console")
        await seal(service.wiring.context)
        assert "The chain fits its anchor" in await person.page("/console/trail")
        file = service.wiring.settings.data_dir / anchor.FILE
        file.write_bytes(file.read_bytes().replace(b'"seq":', b'"seq":1'))
        assert "does not fit the anchor" in await person.page("/console/trail")
