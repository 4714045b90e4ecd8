"""From an Authorization header to a Caller, over real sockets."""

import secrets

import pytest
from smart_client import Site

pytest_plugins = ["smart_site"]


async def test_without_a_token_the_door_says_what_it_wants(site: Site) -> None:
    answer = await site.ping(None)
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"] == 'Bearer realm="casebridge"'
    assert answer.json()["resourceType"] == "OperationOutcome"
    assert answer.json()["issue"][0]["code"] == "login"


@pytest.mark.parametrize(
    "header",
    [
        "Bearer",
        "Basic dXNlcjpwYXNz",
        "Token x",
        "Bearer a b",
        "Bearer é",
        "Bearer " + "x" * 600,
        "x",
    ],
)
async def test_what_is_not_one_bearer_token_is_refused(site: Site, header: str) -> None:
    answer = await site.http.get("/fhir/ping", headers=[(b"authorization", header.encode())])
    assert answer.status_code == 401
    assert 'error="invalid_request"' in answer.headers["www-authenticate"]


async def test_two_authorization_headers_are_refused(site: Site) -> None:
    token = await site.token(await site.client())
    value = f"Bearer {token}".encode()
    answer = await site.http.get("/fhir/ping", headers=[(b"authorization", value), (b"authorization", value)])
    assert answer.status_code == 401


async def test_the_scheme_is_read_in_any_case(site: Site) -> None:
    client = await site.client()
    token = await site.token(client)
    answer = await site.ping(None, authorization=f"bEaReR {token}")
    assert answer.json() == {"client_id": client.id, "organization": client.described["organization"]}


async def test_an_unknown_token_is_refused(site: Site) -> None:
    answer = await site.ping(secrets.token_urlsafe(32))
    assert answer.status_code == 401
    assert 'error="invalid_token"' in answer.headers["www-authenticate"]


async def test_a_changed_token_is_refused(site: Site) -> None:
    token = await site.token(await site.client())
    for changed in (token[:-1], token + "A", token.swapcase(), token + "="):
        assert (await site.ping(changed)).status_code == 401


async def test_the_stored_digest_is_not_a_token(site: Site) -> None:
    token = await site.token(await site.client())
    async with site.context.database.reading() as connection:
        digests = [row["digest"] for row in await connection.fetch("SELECT digest FROM access_token")]
    assert digests
    assert (await site.ping(token)).status_code == 200
    assert (await site.ping(digests[-1].hex())).status_code == 401


async def test_a_token_in_the_query_is_not_read(site: Site) -> None:
    token = await site.token(await site.client())
    assert (await site.http.get("/fhir/ping", params={"access_token": token})).status_code == 401


async def test_a_refusal_names_no_client(site: Site) -> None:
    client = await site.client()
    answer = await site.ping("unknown")
    assert client.name not in answer.text
    assert client.id not in answer.text
