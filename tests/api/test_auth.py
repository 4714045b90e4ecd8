"""The authorisation door as a partner's client meets it: real keys, real sockets, a real database."""

import asyncio
import base64
import json
import secrets
from datetime import timedelta
from typing import Any

import httpx
import pytest
from smart_client import Site, assertion, b64, es384, form, jws, rs384

from service.flows import onboard_partner
from service.kernel.clock import system_clock

pytest_plugins = ["smart_site"]


async def refused(
    site: Site, made: str, error: str = "invalid_client", scope: str = "system/*.rs", **changes: Any
) -> str:
    answer = await site.http.post("/auth/token", data=form(made, scope, **changes))
    assert answer.status_code in (400, 401), answer.text
    body = answer.json()
    assert body["error"] == error, body
    assert body["error_description"]
    assert answer.headers["cache-control"] == "no-store"
    assert "access_token" not in body
    return str(body["error_description"])


# --- the token response ---


@pytest.mark.parametrize("make", [es384, rs384])
async def test_a_good_assertion_buys_a_short_lived_bearer_token(site: Site, make: Any) -> None:
    client = await site.client(key=make())
    answer = await site.ask(client, "system/Task.rs system/Patient.rs")
    assert answer.status_code == 200
    body = answer.json()
    assert body["token_type"] == "bearer"
    assert isinstance(body["expires_in"], int) and 0 < body["expires_in"] <= 300
    assert set(body["scope"].split()) == {"system/Task.rs", "system/Patient.rs"}
    assert len(base64.urlsafe_b64decode(body["access_token"] + "==")) == 32
    assert "refresh_token" not in body


async def test_a_token_response_is_kept_by_nobody(site: Site) -> None:
    answer = await site.ask(await site.client())
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["pragma"] == "no-cache"
    assert answer.headers["content-type"].startswith("application/json")


async def test_the_token_itself_is_not_stored(site: Site) -> None:
    token = await site.token(await site.client())
    async with site.context.database.reading() as connection:
        rows = await connection.fetch("SELECT t::text AS row FROM access_token t")
    assert rows and all(token not in row["row"] for row in rows)


async def test_the_token_opens_the_fhir_door_until_it_expires(site: Site) -> None:
    client = await site.client()
    token = await site.token(client)
    assert (await site.ping(token)).json()["client_id"] == client.id
    site.hands.ahead = timedelta(seconds=301)
    try:
        late = await site.ping(token)
    finally:
        site.hands.ahead = timedelta()
    assert late.status_code == 401
    assert 'error="invalid_token"' in late.headers["www-authenticate"]


# --- the form ---


async def test_a_form_is_wanted(site: Site) -> None:
    client = await site.client()
    made = form(assertion(client.key, client.id, site.token_url))
    answer = await site.http.post("/auth/token", json=made)
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request")


async def test_another_grant_type_is_refused_with_400(site: Site) -> None:
    client = await site.client()
    made = form(assertion(client.key, client.id, site.token_url), grant_type="not_a_grant_type")
    answer = await site.http.post("/auth/token", data=made)
    assert (answer.status_code, answer.json()["error"]) == (400, "unsupported_grant_type")


@pytest.mark.parametrize("gone", ["grant_type", "scope", "client_assertion", "client_assertion_type"])
async def test_a_missing_parameter_is_an_invalid_request(site: Site, gone: str) -> None:
    client = await site.client()
    await refused(site, assertion(client.key, client.id, site.token_url), "invalid_request", **{gone: None})


async def test_an_empty_parameter_counts_as_missing(site: Site) -> None:
    client = await site.client()
    await refused(site, assertion(client.key, client.id, site.token_url), "invalid_request", scope="")


async def test_another_assertion_type_is_an_invalid_request(site: Site) -> None:
    client = await site.client()
    made = assertion(client.key, client.id, site.token_url)
    await refused(site, made, "invalid_request", client_assertion_type="not_an_assertion_type")


async def test_a_repeated_parameter_is_an_invalid_request(site: Site) -> None:
    body = "grant_type=client_credentials&grant_type=client_credentials&scope=system/*.rs"
    answer = await site.http.post(
        "/auth/token", content=body, headers={"Content-Type": "application/x-www-form-urlencoded"}
    )
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request")


@pytest.mark.parametrize(
    "body",
    [
        b"a=1&" * 30,
        b"grant_type=" + b"x" * 40_000,
        b"grant_type=%ff%fe",
        b"\xff\xfe",
        b"",
        b"&&&===",
        b"a" * 100,
    ],
)
async def test_a_hostile_form_is_an_invalid_request(site: Site, body: bytes) -> None:
    answer = await site.http.post(
        "/auth/token", content=body, headers={"Content-Type": "application/x-www-form-urlencoded"}
    )
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request")


async def test_parameters_in_the_url_are_not_read(site: Site) -> None:
    client = await site.client()
    made = form(assertion(client.key, client.id, site.token_url))
    answer = await site.http.post(
        "/auth/token", params=made, headers={"Content-Type": "application/x-www-form-urlencoded"}
    )
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request")


# --- the assertion's header ---


@pytest.mark.parametrize(
    "alg", ["none", "HS256", "HS384", "RS256", "ES256", "PS384", "RS512", "", None, 1, ["ES384"]]
)
async def test_only_rs384_and_es384_are_algorithms(site: Site, alg: Any) -> None:
    client = await site.client()
    await refused(site, assertion(client.key, client.id, site.token_url, header={"alg": alg}))


async def test_the_public_key_does_not_work_as_a_shared_secret(site: Site) -> None:
    import hashlib
    import hmac

    client = await site.client()
    made = assertion(client.key, client.id, site.token_url, header={"alg": "HS384"})
    text = made.rpartition(".")[0]
    for secret in (json.dumps(client.key.public).encode(), client.key.public["x"].encode()):
        await refused(site, f"{text}.{b64(hmac.new(secret, text.encode(), hashlib.sha384).digest())}")


async def test_an_alg_that_does_not_fit_the_key_is_refused(site: Site) -> None:
    client = await site.client(key=rs384())
    await refused(site, assertion(client.key, client.id, site.token_url, header={"alg": "ES384"}))


@pytest.mark.parametrize("header", [{"kid": None}, {"kid": ""}, {"kid": 7}, {"kid": "unknown"}])
async def test_kid_must_name_a_registered_key(site: Site, header: Any) -> None:
    client = await site.client()
    await refused(site, assertion(client.key, client.id, site.token_url, header=header))


@pytest.mark.parametrize("typ", [None, "JOSE", "at+jwt", "jwt ", 1])
async def test_typ_must_be_jwt(site: Site, typ: Any) -> None:
    client = await site.client()
    await refused(site, assertion(client.key, client.id, site.token_url, header={"typ": typ}))


@pytest.mark.parametrize(
    "header", [{"crit": ["exp"]}, {"crit": []}, {"b64": False, "crit": ["b64"]}, {"b64": True}]
)
async def test_critical_extensions_are_refused(site: Site, header: Any) -> None:
    client = await site.client()
    await refused(site, assertion(client.key, client.id, site.token_url, header=header))


@pytest.mark.parametrize("member", ["jwk", "x5u", "x5c", "x5t"])
async def test_keys_in_the_header_are_not_used(site: Site, member: str) -> None:
    client, thief = await site.client(), es384()
    value = thief.public if member == "jwk" else "https://attacker.example/key"
    made = assertion(thief, client.id, site.token_url, header={member: value, "kid": client.key.kid})
    await refused(site, made)
    good = assertion(client.key, client.id, site.token_url, header={member: value})
    assert (await site.http.post("/auth/token", data=form(good))).status_code == 200


async def test_two_keys_with_the_same_kid_and_kty_are_no_key(site: Site) -> None:
    one, two = es384("same"), es384("same")
    client = await site.client(key=one)
    async with site.context.database.unit() as unit:
        await unit.execute(
            "UPDATE partner SET jwks = $2::jsonb WHERE client_id = $1",
            client.id, json.dumps({"keys": [one.public, two.public]}),
        )  # fmt: skip
    await refused(site, assertion(one, client.id, site.token_url))


async def test_the_same_kid_of_another_kty_does_not_disturb(site: Site) -> None:
    one, two = es384("same"), rs384("same")
    path = site.folder / "two.json"
    path.write_text(json.dumps({"keys": [one.public, two.public]}))
    client = await site.client(key=one, jwks=str(path))
    for key in (one, two):
        made = assertion(key, client.id, site.token_url)
        assert (await site.http.post("/auth/token", data=form(made))).status_code == 200


@pytest.mark.parametrize("mark", [{"use": "enc"}, {"key_ops": ["sign"]}, {"alg": "ES256"}, {"alg": "RS384"}])
async def test_a_key_declared_for_something_else_is_not_used(site: Site, mark: Any) -> None:
    key = es384()
    client = await site.client(key=key)
    async with site.context.database.unit() as unit:
        await unit.execute(
            "UPDATE partner SET jwks = $2::jsonb WHERE client_id = $1",
            client.id, json.dumps({"keys": [{**key.public, **mark}]}),
        )  # fmt: skip
    await refused(site, assertion(key, client.id, site.token_url))


# --- signature ---


async def test_another_clients_key_does_not_sign_for_this_one(site: Site) -> None:
    client, other = await site.client(), await site.client()
    await refused(site, assertion(other.key, client.id, site.token_url, header={"kid": client.key.kid}))
    await refused(site, assertion(other.key, client.id, site.token_url))


async def test_a_changed_claim_breaks_the_signature(site: Site) -> None:
    client = await site.client()
    made = assertion(client.key, client.id, site.token_url)
    head, payload, signature = made.split(".")
    claims = json.loads(base64.urlsafe_b64decode(payload + "=="))
    changed = b64(json.dumps({**claims, "exp": claims["exp"] + 1}).encode())
    await refused(site, f"{head}.{changed}.{signature}")


@pytest.mark.parametrize(
    "spoil",
    [
        lambda made: made + "=",
        lambda made: made + "==",
        lambda made: made.replace(".", "=.", 1),
        lambda made: made.rpartition(".")[0] + ".",
        lambda made: made.rpartition(".")[0],
        lambda made: made + ".",
        lambda made: " " + made,
        lambda made: made + "\n",
        lambda made: made.partition(".")[2],
        lambda made: "." + made,
        lambda made: made[:-4],
        lambda made: made + "A" * 9000,
        lambda made: "not.a.jwt",
        lambda made: "é.é.é",
        lambda made: made.rpartition(".")[0] + "." + b64(b"\0" * 96),
        lambda made: made.rpartition(".")[0] + "." + b64(b"\0" * 95),
    ],
)
async def test_a_mangled_assertion_is_refused(site: Site, spoil: Any) -> None:
    client = await site.client()
    await refused(site, spoil(assertion(client.key, client.id, site.token_url)))


@pytest.mark.parametrize(
    "payload", [b"[]", b"{", b'{"iss":1}', b'{"a":1,"a":2}', b"\xff", b"null", b'"x"', b"[" * 5000]
)
async def test_a_payload_that_is_not_an_object_of_claims_is_refused(site: Site, payload: bytes) -> None:
    client = await site.client()
    header = {"alg": "ES384", "kid": client.key.kid, "typ": "JWT"}
    await refused(site, jws(client.key, header, payload))


async def test_a_claim_given_twice_is_refused(site: Site) -> None:
    client = await site.client()
    claims = {"iss": client.id, "sub": client.id, "aud": site.token_url, "jti": secrets.token_hex(8)}
    raw = json.dumps(claims)[:-1] + f', "exp": {int(system_clock().timestamp()) + 60}, "exp": 9}}'
    header = {"alg": "ES384", "kid": client.key.kid, "typ": "JWT"}
    await refused(site, jws(client.key, header, raw.encode()))


# --- claims ---


async def test_an_unknown_client_and_a_wrong_key_are_answered_alike(site: Site) -> None:
    client = await site.client()
    unknown = await refused(site, assertion(client.key, "nobody", site.token_url))
    wrong = await refused(site, assertion(es384(client.key.kid), client.id, site.token_url))
    assert unknown == wrong


@pytest.mark.parametrize("claims", [{"iss": None}, {"sub": None}, {"sub": "other"}, {"iss": ""}, {"iss": 1}])
async def test_iss_and_sub_are_both_the_client_id(site: Site, claims: Any) -> None:
    client = await site.client()
    await refused(site, assertion(client.key, client.id, site.token_url, **claims))


async def test_iss_and_sub_must_be_texts(site: Site) -> None:
    client = await site.client()
    await refused(site, assertion(client.key, client.id, site.token_url, iss=[client.id], sub=[client.id]))


async def test_a_client_id_in_the_form_must_be_the_assertions(site: Site) -> None:
    client, other = await site.client(), await site.client()
    await refused(site, assertion(client.key, client.id, site.token_url), client_id=other.id)
    made = form(assertion(client.key, client.id, site.token_url), client_id=client.id)
    assert (await site.http.post("/auth/token", data=made)).status_code == 200


async def test_aud_is_our_token_url_and_nothing_else(site: Site) -> None:
    client, url = await site.client(), site.token_url
    wrong = [
        None, "", url + "/", url.upper(), url + "?", f"{site.origin}/fhir", "https://elsewhere.example/auth/token",
        [url, "https://elsewhere.example/token"], [url, url], [], [[url]], {"aud": url}, 1,
        url.replace("127.0.0.1", "localhost"),
    ]  # fmt: skip
    for audience in wrong:
        await refused(site, assertion(client.key, client.id, audience))
    for audience in (url, [url]):
        made = assertion(client.key, client.id, audience)
        assert (await site.http.post("/auth/token", data=form(made))).status_code == 200


async def test_the_audience_does_not_follow_the_host_header(site: Site) -> None:
    client = await site.client()
    made = assertion(client.key, client.id, "http://attacker.example/auth/token")
    answer = await site.http.post("/auth/token", data=form(made), headers={"Host": "attacker.example"})
    assert answer.json()["error"] == "invalid_client"


@pytest.mark.parametrize("ahead", [-3600, -1, 0, 320, 3600, 10**12])
async def test_exp_is_ahead_but_not_more_than_five_minutes(site: Site, ahead: int) -> None:
    client = await site.client()
    await refused(
        site, assertion(client.key, client.id, site.token_url, exp=int(system_clock().timestamp()) + ahead)
    )


@pytest.mark.parametrize("ahead", [10, 299, 300, 303])
async def test_exp_of_real_clients_is_accepted(site: Site, ahead: int) -> None:
    client = await site.client()
    answer = await site.ask(client, exp=int(system_clock().timestamp()) + ahead)
    assert answer.status_code == 200


@pytest.mark.parametrize("exp", [None, "soon", True, 1.5e9, [1], {}, -1])
async def test_exp_is_an_integer(site: Site, exp: Any) -> None:
    client = await site.client()
    await refused(site, assertion(client.key, client.id, site.token_url, exp=exp))


async def test_exp_as_a_text_or_fraction_is_refused(site: Site) -> None:
    client, soon = await site.client(), system_clock().timestamp() + 60
    for exp in (str(int(soon)), soon):
        await refused(site, assertion(client.key, client.id, site.token_url, exp=exp))


@pytest.mark.parametrize("jti", [None, "", 1, ["a"], "x" * 256])
async def test_jti_is_required(site: Site, jti: Any) -> None:
    client = await site.client()
    await refused(site, assertion(client.key, client.id, site.token_url, jti=jti))


@pytest.mark.parametrize("name", ["nbf", "iat"])
async def test_what_is_not_valid_yet_is_refused(site: Site, name: str) -> None:
    client, now = await site.client(), int(system_clock().timestamp())
    for value in (now + 60, "now", True, None):
        made = assertion(client.key, client.id, site.token_url, **{name: value})
        if value is not None:
            await refused(site, made)
    assert (await site.ask(client, **{name: now})).status_code == 200


# --- replay ---


async def test_an_assertion_buys_one_token(site: Site) -> None:
    client = await site.client()
    made = form(assertion(client.key, client.id, site.token_url))
    assert (await site.http.post("/auth/token", data=made)).status_code == 200
    again = await site.http.post("/auth/token", data=made)
    assert (again.status_code, again.json()["error"]) == (401, "invalid_client")


async def test_a_used_jti_in_a_new_assertion_is_refused(site: Site) -> None:
    client = await site.client()
    assert (await site.ask(client, jti="one")).status_code == 200
    assert (await site.ask(client, jti="one")).json()["error"] == "invalid_client"


async def test_another_client_may_use_the_same_jti(site: Site) -> None:
    one, two = await site.client(), await site.client()
    assert (await site.ask(one, jti="shared")).status_code == 200
    assert (await site.ask(two, jti="shared")).status_code == 200


async def test_sixteen_racing_uses_of_one_assertion_yield_one_token(site: Site) -> None:
    client = await site.client()
    for _ in range(5):
        made = form(assertion(client.key, client.id, site.token_url))
        answers = await asyncio.gather(*(site.http.post("/auth/token", data=made) for _ in range(16)))
        assert sorted(answer.status_code for answer in answers) == [200] + [401] * 15


async def test_a_refused_request_does_not_use_the_assertion_up(site: Site) -> None:
    client = await site.client()
    made = assertion(client.key, client.id, site.token_url)
    await refused(site, made, "invalid_scope", scope="system/Nonsense")
    assert (await site.http.post("/auth/token", data=form(made))).status_code == 200


# --- scopes ---


async def test_what_is_granted_is_what_is_asked_within_what_is_registered(site: Site) -> None:
    client = await site.client(scopes=["system/*.rs", "system/Task.cu"])
    for asked, granted in [
        ("system/Task.r", "system/Task.r"),
        ("system/Task.cruds", "system/Task.crus"),
        ("system/Patient.cruds system/Task.u", "system/Patient.rs system/Task.u"),
        ("system/*.cruds", "system/*.rs system/Task.cu"),
        ("system/Patient.read", "system/Patient.read"),
        ("system/Task.rs?status=requested", "system/Task.rs?status=requested"),
        ("openid launch system/Task.r offline_access", "system/Task.r"),
    ]:
        body = (await site.ask(client, asked)).json()
        assert set(body["scope"].split()) == set(granted.split()), asked


@pytest.mark.parametrize(
    "scope", ["system/Task.d", "user/Task.rs", "patient/Task.rs", "system/Task.sr", "openid", "casework/*.r"]
)
async def test_nothing_left_of_the_scopes_is_an_invalid_scope(site: Site, scope: str) -> None:
    client = await site.client(scopes=["system/*.rs"])
    await refused(site, assertion(client.key, client.id, site.token_url), "invalid_scope", scope=scope)


async def test_a_token_without_the_scope_is_answered_with_403(site: Site) -> None:
    token = await site.token(await site.client(), "system/Patient.rs")
    answer = await site.ping(token)
    assert answer.status_code == 403
    assert answer.json()["resourceType"] == "OperationOutcome"


# --- disabled partners ---


async def test_a_disabled_partner_is_refused_at_its_next_request(site: Site) -> None:
    client = await site.client()
    token = await site.token(client)
    assert (await site.ping(token)).status_code == 200
    await onboard_partner.disable(site.context, client.name)
    assert (await site.ping(token)).status_code == 401
    await refused(site, assertion(client.key, client.id, site.token_url))


# --- introspection and revocation ---


async def introspected(site: Site, asker: str | None, token: str) -> Any:
    headers = {"Authorization": f"Bearer {asker}"} if asker else {}
    return await site.http.post("/auth/introspect", data={"token": token}, headers=headers)


async def test_introspection_tells_scope_client_and_end_of_any_clients_token(site: Site) -> None:
    auditor, client = await site.client("auditor"), await site.client()
    asked = await site.ask(client, "system/Task.rs")
    token = asked.json()["access_token"]
    answer = await introspected(site, await site.token(auditor, "system/AuditEvent.rs"), token)
    body = answer.json()
    assert body["active"] is True
    assert (body["scope"], body["client_id"]) == (asked.json()["scope"], client.id)
    left = body["exp"] - system_clock().timestamp()
    assert isinstance(body["exp"], int) and abs(left - asked.json()["expires_in"]) < 5
    assert answer.headers["cache-control"] == "no-store"


async def test_introspection_says_only_inactive_of_what_is_unknown_or_not_yours(site: Site) -> None:
    one, two = await site.client(), await site.client()
    mine, other = await site.token(one), await site.token(two)
    assert (await introspected(site, mine, mine)).json()["active"] is True
    assert (await introspected(site, mine, other)).json() == {"active": False}
    assert (await introspected(site, mine, "nonsense")).json() == {"active": False}


async def test_introspection_wants_to_know_who_asks(site: Site) -> None:
    token = await site.token(await site.client())
    answer = await introspected(site, None, token)
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"].startswith("Bearer")
    assert "active" not in answer.json()


async def test_introspection_accepts_a_client_assertion_once(site: Site) -> None:
    client = await site.client()
    token = await site.token(client)
    made = form(assertion(client.key, client.id, site.token_url), token=token, grant_type=None)
    assert (await site.http.post("/auth/introspect", data=made)).json()["active"] is True
    assert (await site.http.post("/auth/introspect", data=made)).json()["error"] == "invalid_client"


async def test_a_revoked_token_is_dead_at_the_next_request(site: Site) -> None:
    client = await site.client()
    token = await site.token(client)
    made = form(assertion(client.key, client.id, site.token_url), token=token, grant_type=None)
    assert (await site.http.post("/auth/revoke", data=made)).status_code == 200
    assert (await site.ping(token)).status_code == 401


async def test_nobody_revokes_anothers_token(site: Site) -> None:
    one, two = await site.client(), await site.client()
    mine, other = await site.token(one), await site.token(two)
    headers = {"Authorization": f"Bearer {mine}"}
    for token in (other, "nonsense"):
        assert (
            await site.http.post("/auth/revoke", data={"token": token}, headers=headers)
        ).status_code == 200
    assert (await site.ping(other)).status_code == 200


# --- discovery ---


@pytest.mark.parametrize("base", ["/fhir", ""])
@pytest.mark.parametrize("accept", ["application/json", "application/fhir+xml", "text/html"])
async def test_the_smart_configuration_is_json_whatever_is_accepted(
    site: Site, base: str, accept: str
) -> None:
    answer = await site.http.get(f"{base}/.well-known/smart-configuration", headers={"Accept": accept})
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["access-control-allow-origin"] == "*"


async def test_the_smart_configuration_says_what_backend_services_need(site: Site) -> None:
    found = (await site.http.get("/fhir/.well-known/smart-configuration")).json()
    assert found["token_endpoint"] == site.token_url
    assert found["grant_types_supported"] == ["client_credentials"]
    assert "private_key_jwt" in found["token_endpoint_auth_methods_supported"]
    assert set(found["token_endpoint_auth_signing_alg_values_supported"]) == {"RS384", "ES384"}
    assert "system/*.rs" in found["scopes_supported"]
    assert found["code_challenge_methods_supported"] == ["S256"]
    assert "client-confidential-asymmetric" in found["capabilities"]
    assert {"permission-v1", "permission-v2"} <= set(found["capabilities"])
    assert not {"issuer", "authorization_endpoint"} & found.keys()


async def test_every_url_of_the_smart_configuration_is_absolute(site: Site) -> None:
    found = (await site.http.get("/fhir/.well-known/smart-configuration")).json()
    urls = [value for name, value in found.items() if name.endswith("_endpoint")]
    assert urls and all(url.startswith(site.origin + "/") for url in urls)


async def test_every_scope_we_advertise_is_granted_to_who_holds_everything(site: Site) -> None:
    client = await site.client(scopes=["system/*.cruds"])
    for scope in (await site.http.get("/fhir/.well-known/smart-configuration")).json()["scopes_supported"]:
        assert (await site.ask(client, scope)).json()["scope"] == scope


async def test_our_published_keys_are_public_halves_only(site: Site) -> None:
    found = (await site.http.get("/.well-known/jwks.json")).json()["keys"]
    assert {key["alg"] for key in found} == {"ES384", "RS384"}
    assert all(key["kid"] and key["use"] == "sig" for key in found)
    assert not any({"d", "p", "q", "dp", "dq", "qi"} & key.keys() for key in found)


# --- the whole service ---


async def test_a_token_bought_at_the_whole_service_opens_its_doors(service: Any) -> None:
    key, site_url = es384(), f"{service.url}/auth/token"
    path = service.wiring.settings.data_dir / "agency.json"
    path.write_text(json.dumps({"keys": [key.public]}))
    shown = await service.partner("Agency", "referral-source", jwks=str(path))
    async with httpx.AsyncClient(base_url=service.url, trust_env=False) as http:
        discovered = (await http.get("/fhir/.well-known/smart-configuration")).json()
        assert discovered["token_endpoint"] == site_url
        made = assertion(key, shown["client_id"], site_url)
        answer = await http.post("/auth/token", data=form(made, "system/*.rs"))
        assert answer.status_code == 200, answer.text
        headers = {"Authorization": f"Bearer {answer.json()['access_token']}"}
        own = await http.get(f"/fhir/{shown['organization']}", headers=headers)
        assert (own.status_code, own.json()["name"]) == (200, "Agency")
        assert (await http.get(f"/fhir/{shown['organization']}")).status_code == 401
        refused = await http.post("/fhir/Patient", json={"resourceType": "Patient"}, headers=headers)
        assert refused.status_code == 403
        assert refused.json()["resourceType"] == "OperationOutcome"
        casework = await http.get("/casework/v1/clients/1", headers=headers)
        assert casework.status_code == 403
        assert casework.headers["content-type"].startswith("application/problem+json")
