"""Every forged or replayed thing of SECURITY.md §1.1 that stands for a caller, in two tables: client assertions at the
token endpoint, and access tokens at the FHIR door. None opens anything; each is told the error that OAuth has for it."""

import base64
import hashlib
import hmac
import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import httpx
import pytest
from smart_client import Client, Site, assertion, b64, es384, form, jws, rs384

from service.store import tokens

pytest_plugins = ["smart_site"]

INVALID = "invalid_client"
REQUEST = "invalid_request"


def made(**claims: Any) -> Callable[[Site, Client], str]:
    return lambda site, client: assertion(client.key, client.id, claims.pop("aud", site.token_url), **claims)


def headed(**header: Any) -> Callable[[Site, Client], str]:
    return lambda site, client: assertion(client.key, client.id, site.token_url, header)


def ahead(seconds: int, claim: str = "exp") -> Callable[[Site, Client], str]:
    def forge(site: Site, client: Client) -> str:
        now = int(site.context.clock().timestamp())
        return assertion(client.key, client.id, site.token_url, **{claim: now + seconds})

    return forge


def changed(change: Callable[[list[str]], list[str]]) -> Callable[[Site, Client], str]:
    def forge(site: Site, client: Client) -> str:
        return ".".join(change(assertion(client.key, client.id, site.token_url).split(".")))

    return forge


def audience(*parts: str) -> Callable[[Site, Client], str]:
    def forge(site: Site, client: Client) -> str:
        wanted = [
            site.token_url if part == "ours" else site.origin + part if part[:1] == "/" else part
            for part in parts
        ]
        return assertion(client.key, client.id, wanted if len(wanted) > 1 else wanted[0])

    return forge


def _unsigned(site: Site, client: Client) -> str:
    _, claims, _ = assertion(client.key, client.id, site.token_url).split(".")
    return f"{b64(json.dumps({'alg': 'none', 'typ': 'JWT', 'kid': client.key.kid}).encode())}.{claims}."


def _shared_secret(site: Site, client: Client) -> str:
    """HS384 over the public key: algorithm confusion (CVE-2024-37568)."""
    _, claims, _ = assertion(client.key, client.id, site.token_url).split(".")
    text = f"{b64(json.dumps({'alg': 'HS384', 'typ': 'JWT', 'kid': client.key.kid}).encode())}.{claims}"
    secret = json.dumps(client.key.public).encode()
    return f"{text}.{b64(hmac.digest(secret, text.encode(), hashlib.sha384))}"


def _another_key(site: Site, client: Client) -> str:
    return assertion(es384(client.key.kid), client.id, site.token_url)


def _own_key_inside(site: Site, client: Client) -> str:
    key = es384(client.key.kid)
    return assertion(key, client.id, site.token_url, {"jwk": key.public})


def _wrong_kind(site: Site, client: Client) -> str:
    return assertion(rs384(client.key.kid), client.id, site.token_url)


def _changed_claims(parts: list[str]) -> list[str]:
    claims = json.loads(base64.urlsafe_b64decode(parts[1] + "==")) | {"exp": 9_999_999_999}
    return [parts[0], b64(json.dumps(claims).encode()), parts[2]]


def _twice(site: Site, client: Client) -> str:
    whole = {"iss": client.id, "sub": client.id, "aud": site.token_url, "jti": "x", "exp": 1}
    raw = json.dumps(whole)[:-1] + f', "exp": {int(site.context.clock().timestamp()) + 200}}}'
    return jws(client.key, {"alg": "ES384", "kid": client.key.kid, "typ": "JWT"}, raw.encode())


FORGED: dict[str, tuple[Callable[[Site, Client], str], str]] = {
    "no algorithm": (_unsigned, INVALID),
    "the public key as a shared secret": (_shared_secret, INVALID),
    "ES256 in the header": (headed(alg="ES256"), INVALID),
    "RS256 in the header": (headed(alg="RS256"), INVALID),
    "an algorithm that is no text": (headed(alg=["ES384"]), INVALID),
    "a key of another kind under the same kid": (_wrong_kind, INVALID),
    "another key under the same kid": (_another_key, INVALID),
    "the forger's key in the header": (_own_key_inside, INVALID),
    "a kid nobody registered": (headed(kid="other"), INVALID),
    "no kid": (headed(kid=None), INVALID),
    "another typ": (headed(typ="at+jwt"), INVALID),
    "no typ": (headed(typ=None), INVALID),
    "a critical extension": (headed(crit=["exp"]), INVALID),
    "an unencoded payload": (headed(b64=False, crit=["b64"]), INVALID),
    "a jku nobody registered": (headed(jku="https://evil.example/jwks.json"), INVALID),
    "another issuer": (made(iss="somebody"), INVALID),
    "another subject": (made(sub="somebody"), INVALID),
    "no issuer": (made(iss=None), INVALID),
    "another audience": (audience("https://other.example/auth/token"), INVALID),
    "our audience among others": (audience("ours", "https://other.example/auth/token"), INVALID),
    "our origin as audience": (audience("/"), INVALID),
    "our FHIR base as audience": (audience("/fhir"), INVALID),
    "our audience with a slash": (audience("/auth/token/"), INVALID),
    "no audience": (made(aud=None), INVALID),
    "expired": (ahead(-1), INVALID),
    "good for an hour": (ahead(3600), INVALID),
    "good for more than five minutes": (ahead(310), INVALID),
    "no end": (made(exp=None), INVALID),
    "an end that is a text": (made(exp="9999999999"), INVALID),
    "not valid yet": (ahead(60, "nbf"), INVALID),
    "issued in the future": (ahead(60, "iat"), INVALID),
    "no jti": (made(jti=None), INVALID),
    "an empty jti": (made(jti=""), INVALID),
    "a jti that is a number": (made(jti=7), INVALID),
    "a jti too long to remember": (made(jti="x" * 256), INVALID),
    "a claim twice": (_twice, INVALID),
    "changed claims": (changed(_changed_claims), INVALID),
    "no signature": (changed(lambda p: [p[0], p[1], ""]), INVALID),
    "half a signature": (changed(lambda p: [p[0], p[1], p[2][:64]]), INVALID),
    "padding": (changed(lambda p: [p[0], p[1], p[2] + "="]), INVALID),
    "two parts": (changed(lambda p: p[:2]), INVALID),
    "five parts": (changed(lambda p: [*p, "", ""]), INVALID),
    "too long": (made(more="x" * 9000), INVALID),
    "nothing": (lambda *_: "", REQUEST),
}  # fmt: skip


@pytest.mark.parametrize("name", FORGED)
async def test_no_forged_assertion_buys_a_token(site: Site, name: str) -> None:
    forge, error = FORGED[name]
    client = await site.client()
    answer = await site.http.post("/auth/token", data=form(forge(site, client)))
    assert answer.status_code in (400, 401), name
    assert answer.json()["error"] == error
    assert answer.json()["error_description"] and "access_token" not in answer.json()
    assert answer.headers["cache-control"] == "no-store"
    assert (await site.ask(client)).status_code == 200, "the control: an honest assertion of the same client"


async def test_a_replayed_assertion_buys_nothing_at_any_endpoint(site: Site) -> None:
    client = await site.client()
    whole = form(assertion(client.key, client.id, site.token_url))
    token = (await site.http.post("/auth/token", data=whole)).json()["access_token"]
    for path in ("/auth/token", "/auth/introspect", "/auth/revoke"):
        answer = await site.http.post(path, data={**whole, "token": token})
        assert (answer.status_code, answer.json()["error"]) == (401, INVALID), path
    assert (await site.ping(token)).status_code == 200


BEARERS: dict[str, Callable[[str, str], list[str]]] = {
    "nothing": lambda token, other: [],
    "an empty header": lambda token, other: [""],
    "no scheme": lambda token, other: [token],
    "another scheme": lambda token, other: ["Basic " + base64.b64encode(f"x:{token}".encode()).decode()],
    "no token": lambda token, other: ["Bearer"],
    "a guess": lambda token, other: ["Bearer " + b64(b"0" * 32)],
    "a token too short": lambda token, other: ["Bearer " + token[:-1]],
    "a token too long": lambda token, other: ["Bearer " + token + "A"],
    "a token in capitals": lambda token, other: ["Bearer " + token.swapcase()],
    "two tokens in one header": lambda token, other: [f"Bearer {token}, Bearer {other}"],
    "two headers": lambda token, other: [f"Bearer {token}", f"Bearer {other}"],
    "its digest, as it is stored": lambda token, other: ["Bearer " + tokens.digest(token).hex()],
    "its mark on the audit trail": lambda token, other: ["Bearer " + tokens.mark(token)],
    "a JWT without a signature": lambda token, other: [
        "Bearer " + b64(b'{"alg":"none"}') + "." + b64(b"{}") + "."
    ],
    "a very long text": lambda token, other: ["Bearer " + "A" * 5000],
    "SQL": lambda token, other: ["Bearer ' OR 1=1 --"],
    "a NUL": lambda token, other: [f"Bearer {token}%00"],
}


@pytest.mark.parametrize("name", BEARERS)
async def test_no_forged_access_token_opens_the_door(site: Site, name: str) -> None:
    client = await site.client()
    token, other = await site.token(client), await site.token(await site.client())
    headers = [("Authorization", value) for value in BEARERS[name](token, other)]
    answer = await site.http.get("/fhir/ping", headers=httpx.Headers(headers))
    assert answer.status_code == 401, name
    challenge = answer.headers["www-authenticate"]
    assert challenge.startswith("Bearer realm=") and ("error=" in challenge) is bool(headers)
    assert answer.json()["resourceType"] == "OperationOutcome" and token not in answer.text
    assert (await site.ping(token)).status_code == 200, "the control: the token itself"


async def test_a_token_in_the_url_or_the_body_is_no_token(site: Site) -> None:
    token = await site.token(await site.client())
    assert (await site.http.get("/fhir/ping", params={"access_token": token})).status_code == 401
    answer = await site.http.request("GET", "/fhir/ping", data={"access_token": token})
    assert answer.status_code == 401


async def test_an_assertion_is_no_access_token(site: Site) -> None:
    client = await site.client()
    assert (await site.ping(assertion(client.key, client.id, site.token_url))).status_code == 401


async def test_a_token_ends_with_its_life_its_revocation_and_its_partner(site: Site) -> None:
    client = await site.client()
    late, revoked = await site.token(client), await site.token(client)
    site.hands.ahead = timedelta(seconds=site.context.settings.token_seconds)
    try:
        assert (await site.ping(late)).status_code == 401
    finally:
        site.hands.ahead = timedelta()
    own = {"Authorization": f"Bearer {revoked}"}
    assert (await site.http.post("/auth/revoke", data={"token": revoked}, headers=own)).status_code == 200
    assert (await site.ping(revoked)).status_code == 401
