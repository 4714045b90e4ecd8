"""People come in through their issuer or by a one-time link, and nobody else does."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import asyncpg
import httpx
import pytest
from issuer import (
    CLIENT,
    LOGOUT,
    SECRET,
    Claims,
    Issuer,
    issuing,
    signed,
    signed_with_the_public_key,
    unsigned,
    with_a_critical_header,
)
from joserfc.jwk import RSAKey
from parts import Service, running
from visitors import browser, visitor

from service.flows.console import sign_in
from service.kernel.clock import system_clock

STRANGER = RSAKey.generate_key(2048, {"kid": "of-the-issuer"})


@dataclass
class Town:
    service: Service
    issuer: Issuer


@pytest.fixture(scope="module")
async def issuer() -> AsyncIterator[Issuer]:
    async with issuing() as made:
        yield made


@pytest.fixture
async def town(database_url: str, tmp_path: Path, issuer: Issuer) -> AsyncIterator[Town]:
    issuer.person = {"sub": "u-17", "name": "Victoria Chen", "roles": ["case-manager"], "sid": "s-1"}
    issuer.bend, issuer.sign, issuer.about = lambda claims: claims, signed, {}
    issuer.asked.clear()
    async with running(
        database_url, tmp_path, oidc_issuer=issuer.url, oidc_client_id=CLIENT, oidc_client_secret=SECRET
    ) as service:
        await service.partner("Harbor Recovery Services", "casework")
        yield Town(service, issuer)


async def leave(http: httpx.AsyncClient) -> str:
    """To the issuer and, as the person, to the address that it sends the browser back to."""
    away = await http.get("/console/sign-in/start")
    assert away.status_code == 303
    async with httpx.AsyncClient(trust_env=False) as there:
        back = await there.get(away.headers["location"])
    assert back.status_code == 302, back.text
    return str(back.headers["location"])


async def signed_in(http: httpx.AsyncClient) -> bool:
    return (await http.get("/console")).status_code == 200


async def test_a_person_signs_in_at_the_issuer_with_pkce(town: Town) -> None:
    async with browser(town.service) as http:
        assert (await http.get("/console")).headers["location"] == "/console/sign-in"
        back = await http.get(await leave(http))
        assert (back.status_code, back.headers["location"]) == (303, "/console")
        page = (await http.get("/console")).text
        assert "Victoria Chen" in page and "case manager" in page
    [asked] = town.issuer.asked
    assert asked["code_challenge_method"] == "S256" and len(asked["code_challenge"]) == 43
    assert asked["nonce"] and asked["state"] and asked["redirect_uri"].endswith("/console/sign-in/back")


async def test_coming_back_a_second_time_is_refused(town: Town) -> None:
    async with browser(town.service) as http:
        back = await leave(http)
        ticket = http.cookies["casebridge-ticket"]
        assert (await http.get(back)).status_code == 303
        http.cookies.clear()
        http.cookies.set("casebridge-ticket", ticket)
        assert (await http.get(back)).status_code == 401
        assert not await signed_in(http)


async def test_sixteen_racing_returns_make_one_session(town: Town) -> None:
    async with browser(town.service) as http:
        back = await leave(http)
        cookies = {"casebridge-ticket": http.cookies["casebridge-ticket"]}

        async def come() -> int:
            async with httpx.AsyncClient(trust_env=False, cookies=cookies) as racer:
                return (await racer.get(back)).status_code

        assert sorted(await asyncio.gather(*(come() for _ in range(16)))) == [303] + [401] * 15


async def test_another_browsers_return_is_refused(town: Town) -> None:
    """An attacker's own code, brought to a victim's browser (login CSRF), finds no ticket of its state there."""
    async with browser(town.service) as attacker, browser(town.service) as victim:
        back = await leave(attacker)
        assert (await victim.get(back)).status_code == 401
        await leave(victim)
        assert (await victim.get(back)).status_code == 401
        assert not await signed_in(victim)


async def test_a_forged_state_is_refused(town: Town) -> None:
    async with browser(town.service) as http:
        back = urlsplit(await leave(http))
        code = parse_qs(back.query)["code"][0]
        for state in ("", "x", "a" * 43):
            assert (await http.get(f"{back.path}?code={code}&state={state}")).status_code == 401
        assert not await signed_in(http)


async def test_a_return_after_ten_minutes_is_refused(
    database_url: str, tmp_path: Path, issuer: Issuer
) -> None:
    issuer.person, ahead = {"sub": "u-17", "roles": ["auditor"]}, [timedelta()]
    given = {"oidc_issuer": issuer.url, "oidc_client_id": CLIENT, "oidc_client_secret": SECRET}
    async with (
        running(database_url, tmp_path, lambda: system_clock() + ahead[0], **given) as service,
        browser(service) as http,
    ):
        back = await leave(http)
        ahead[0] = timedelta(minutes=11)
        assert (await http.get(back)).status_code == 401


BENT: dict[str, Callable[[Claims], Claims]] = {
    "another audience": lambda c: {**c, "aud": ["somebody-else"]},
    "several audiences without azp": lambda c: {**c, "aud": [CLIENT, "somebody-else"]},
    "another authorized party": lambda c: {**c, "azp": "somebody-else"},
    "another issuer": lambda c: {**c, "iss": "https://evil.example"},
    "another nonce": lambda c: {**c, "nonce": "a" * 43},
    "no nonce": lambda c: {k: v for k, v in c.items() if k != "nonce"},
    "expired": lambda c: {**c, "iat": int(time.time()) - 900, "exp": int(time.time()) - 300},
    "no end": lambda c: {k: v for k, v in c.items() if k != "exp"},
    "an end that is no number": lambda c: {**c, "exp": "tomorrow"},
    "issued tomorrow": lambda c: {**c, "iat": int(time.time()) + 86_400, "exp": int(time.time()) + 90_000},
    "no subject": lambda c: {k: v for k, v in c.items() if k != "sub"},
    "a subject that is no text": lambda c: {**c, "sub": 17},
    "another access token's hash": lambda c: {**c, "at_hash": "AAAAAAAAAAAAAAAAAAAAAA"},
}
FORGED: dict[str, Callable[[Claims], str]] = {
    "alg none": unsigned,
    "the public key as a secret": signed_with_the_public_key,
    "another key of the same name": lambda c: signed(c, STRANGER),
    "an unknown key": lambda c: signed(c, kid="nobody"),
    "a critical header": with_a_critical_header,
    "no token at all": lambda c: "e30.e30",
    "a bent signature": lambda c: signed(c)[:-8] + "AAAAAAAA",
}


async def test_every_bent_or_forged_id_token_is_refused(town: Town) -> None:
    for name, bend in BENT.items():
        town.issuer.bend, town.issuer.sign = bend, signed
        await _nobody_comes_in(town, name)
    town.issuer.bend = lambda claims: claims
    for name, sign in FORGED.items():
        town.issuer.sign = sign
        await _nobody_comes_in(town, name)
    town.issuer.sign = signed
    async with browser(town.service) as http:
        assert (await http.get(await leave(http))).status_code == 303, "the honest token must do"


async def _nobody_comes_in(town: Town, name: str) -> None:
    async with browser(town.service) as http:
        answer = await http.get(await leave(http))
        assert answer.status_code == 401, name
        assert "could not be completed" in answer.text
        assert not await signed_in(http), name


async def test_an_answer_in_another_issuers_name_is_refused(town: Town) -> None:
    async with browser(town.service) as http:
        back = await leave(http)
        assert (await http.get(f"{back}&iss=https%3A%2F%2Fevil.example")).status_code == 401
    async with browser(town.service) as http:
        back = await leave(http)
        assert (await http.get(f"{back}&iss={town.issuer.url}")).status_code == 303


async def test_the_issuers_error_and_an_unknown_code_are_refused_in_one_sentence(town: Town) -> None:
    for tail in ("error=access_denied", "code=invented"):
        async with browser(town.service) as http:
            parts = urlsplit(await leave(http))
            state = parse_qs(parts.query)["state"][0]
            answer = await http.get(f"{parts.path}?{tail}&state={state}")
            assert answer.status_code == 401 and "access_denied" not in answer.text


async def test_who_has_no_role_does_not_come_in(town: Town) -> None:
    for roles in ([], ["janitor"], "none", {"supervisor": True}):
        town.issuer.person = {"sub": "u-18", "name": "Nobody", "roles": roles}
        async with browser(town.service) as http:
            assert (await http.get(await leave(http))).status_code == 403
            assert not await signed_in(http)


async def test_roles_can_be_the_issuers_own_words_in_a_nested_claim(
    database_url: str, tmp_path: Path, issuer: Issuer
) -> None:
    issuer.person = {"sub": "u-2", "name": "Samuel Okafor", "realm_access": {"roles": ["CB-Leads", "staff"]}}
    given: dict[str, Any] = {
        "oidc_issuer": issuer.url, "oidc_client_id": CLIENT, "oidc_client_secret": SECRET,
        "oidc_roles_claim": "realm_access.roles", "oidc_roles": "CB-Leads=supervisor,CB-Desk=case-manager",
    }  # fmt: skip
    async with running(database_url, tmp_path, **given) as service, browser(service) as http:
        assert (await http.get(await leave(http))).status_code == 303
        assert "supervisor" in (await http.get("/console")).text


async def test_a_discovery_document_of_another_issuer_is_not_followed(
    database_url: str, tmp_path: Path, issuer: Issuer
) -> None:
    given = {"oidc_issuer": issuer.url, "oidc_client_id": CLIENT}
    for about in (
        {"issuer": "https://evil.example"}, {"token_endpoint": "file:///etc/passwd"}, {"jwks_uri": 17},
        {"code_challenge_methods_supported": ["plain"]},
    ):  # fmt: skip
        issuer.about = about
        async with running(database_url, tmp_path, **given) as service, browser(service) as http:
            assert (await http.get("/console/sign-in/start")).status_code == 503
    issuer.about = {}


async def test_the_issuer_ends_a_session_by_its_back_channel(town: Town) -> None:
    async with browser(town.service) as http:
        await http.get(await leave(http))
        assert await signed_in(http)

        async def tell(token: str) -> int:
            async with browser(town.service) as server:
                return (
                    await server.post("/console/sign-out/issuer", data={"logout_token": token})
                ).status_code

        now = int(time.time())
        wrong = (
            town.issuer.logout_token(sid="s-1", nonce="n"),
            town.issuer.logout_token(sid="s-1", events={}),
            town.issuer.logout_token(),
            town.issuer.logout_token(sid="s-1", aud="somebody-else"),
            town.issuer.logout_token(sid="s-1", exp=now - 300, iat=now - 600),
            signed({"iss": town.issuer.url, "sid": "s-1", "events": {LOGOUT: {}}}, STRANGER),
        )
        assert [await tell(each) for each in wrong] == [400] * len(wrong)
        assert await tell(town.issuer.logout_token(sid="somebody-else's")) == 200
        assert await signed_in(http)
        right = town.issuer.logout_token(sid="s-1")
        assert await tell(right) == 200
        assert not await signed_in(http)
        assert await tell(right) == 400


async def test_a_link_works_once_and_looking_does_not_use_it_up(service: Service) -> None:
    token = await sign_in.make_link(service.wiring.context, "Ana Ruiz", ["case-manager"], 5)
    async with browser(service) as http:
        for _ in range(3):
            assert "Ana Ruiz" in (await http.get(f"/console/link/{token}")).text
        assert not await signed_in(http)
        assert (await http.post("/console/link", data={"token": token})).status_code == 303
        assert await signed_in(http)
    async with browser(service) as http:
        assert (await http.get(f"/console/link/{token}")).status_code == 410
        assert (await http.post("/console/link", data={"token": token})).status_code == 410


async def test_racing_uses_of_a_link_make_one_session(service: Service) -> None:
    token = await sign_in.make_link(service.wiring.context, "Ana Ruiz", ["case-manager"], 5)
    async with browser(service) as http:
        race = [http.post("/console/link", data={"token": token}) for _ in range(16)]
        assert sorted(each.status_code for each in await asyncio.gather(*race)) == [303] + [410] * 15


async def test_a_link_that_was_invented_or_too_old_is_refused(database_url: str, tmp_path: Path) -> None:
    ahead = [timedelta()]
    async with running(database_url, tmp_path, lambda: system_clock() + ahead[0]) as service:
        token = await sign_in.make_link(service.wiring.context, "Ana Ruiz", ["case-manager"], 5)
        ahead[0] = timedelta(minutes=6)
        async with browser(service) as http:
            for each in (token, "a" * 43, "x" * 5000, ""):
                assert (await http.post("/console/link", data={"token": each})).status_code == 410


async def test_without_an_issuer_the_console_is_closed_and_says_how_to_come_in(service: Service) -> None:
    async with browser(service) as http:
        assert (await http.get("/console/clients")).headers["location"] == "/console/sign-in"
        assert "casebridge console link" in (await http.get("/console/sign-in")).text
        assert (await http.get("/console/sign-in/start")).status_code == 404
        assert (await http.post("/console/sign-out/issuer", data={"logout_token": "x"})).status_code == 404


async def test_over_plain_http_there_is_a_console_on_this_machine_only(
    database_url: str, tmp_path: Path
) -> None:
    async with running(database_url, tmp_path) as service, browser(service) as http:
        context = service.wiring.context
        object.__setattr__(context, "base", "http://casebridge.example/fhir")
        answer = await http.get("/console/sign-in")
        assert answer.status_code == 403 and "https" in answer.text


async def test_behind_https_cookies_are_secure_and_bound_to_the_host(
    database_url: str, tmp_path: Path
) -> None:
    async with running(database_url, tmp_path) as service, browser(service) as http:
        object.__setattr__(service.wiring.context, "base", "https://casebridge.example/fhir")
        token = await sign_in.make_link(service.wiring.context, "Ana Ruiz", ["case-manager"], 5)
        answer = await http.post("/console/link", data={"token": token})
        given = answer.headers.get_list("set-cookie")
        assert given[0].startswith("__Host-casebridge=")
        for word in ("Secure", "HttpOnly", "SameSite=lax", "Path=/"):
            assert word in given[0]
        assert "Domain" not in given[0]


async def test_signing_in_changes_the_session_and_ends_the_old_one(service: Service) -> None:
    async with visitor(service, "auditor") as first, browser(service) as http:
        before = first.http.cookies["casebridge"]
        token = await sign_in.make_link(service.wiring.context, "Samuel Okafor", ["supervisor"], 5)
        assert (await first.http.post("/console/link", data={"token": token})).status_code == 303
        assert first.http.cookies["casebridge"] != before
        http.cookies.set("casebridge", before)
        assert not await signed_in(http)


async def test_signing_out_ends_the_session_at_once(service: Service) -> None:
    async with visitor(service, "auditor") as person, browser(service) as http:
        token = person.http.cookies["casebridge"]
        answer = await person.send("/console/sign-out", "/console")
        assert (answer.status_code, answer.headers["location"]) == (303, "/console/sign-in")
        http.cookies.set("casebridge", token)
        assert not await signed_in(http)


async def test_a_session_ends_when_idle_and_after_hours_in_any_case(
    database_url: str, tmp_path: Path
) -> None:
    ahead = [timedelta()]
    async with running(database_url, tmp_path, lambda: system_clock() + ahead[0]) as service:
        async with visitor(service, "auditor") as idle:
            ahead[0] = timedelta(minutes=31)
            assert (await idle.get("/console")).status_code == 303
        async with visitor(service, "auditor") as busy:
            for minutes in range(45, 31 + 600, 15):
                ahead[0] = timedelta(minutes=minutes)
                assert (await busy.get("/console")).status_code == 200, minutes
            ahead[0] = timedelta(minutes=31 + 601)
            assert (await busy.get("/console")).status_code == 303


async def test_an_operator_sees_who_is_in_and_ends_a_persons_sessions(service: Service) -> None:
    context = service.wiring.context
    async with visitor(service, "auditor", name="Ana Ruiz") as person:
        [there] = await sign_in.signed_in(context)
        assert there.name == "Ana Ruiz"
        assert await sign_in.end_all(context, "person:local:Ana Ruiz") == 1
        assert (await person.get("/console")).status_code == 303


async def test_tokens_are_nowhere_in_the_database(service: Service, database_url: str) -> None:
    link = await sign_in.make_link(service.wiring.context, "Ana Ruiz", ["auditor"], 5)
    async with visitor(service, "auditor") as person:
        hidden = (link, person.http.cookies["casebridge"])
    connection = await asyncpg.connect(database_url)
    rows = [
        str(tuple(each))
        for table in ("person_session", "sign_in_link", "audit")
        for each in await connection.fetch(f"SELECT * FROM {table}")
    ]
    await connection.close()
    assert rows and not any(secret in row for row in rows for secret in hidden)
