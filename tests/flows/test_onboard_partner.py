"""A partner becomes known, is looked at, gets a token, is shut out."""

import json
import secrets
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from parts import Service
from smart_client import Site, es384, rs384

from service.flows import onboard_partner
from service.flows.onboard_partner import Registration
from service.kernel.failures import Refused
from service.store import tokens

pytest_plugins = ["smart_site"]


def fresh(**wanted: Any) -> Registration:
    return Registration(**{"name": f"Agency {secrets.token_hex(4)}", "roles": ["referral-source"], **wanted})


async def test_a_new_partner_has_a_client_id_an_organization_and_scopes(site: Site) -> None:
    shown = await onboard_partner.add(site.context, fresh())
    assert shown["client_id"] and shown["scopes"]
    assert shown["organization"].startswith("Organization/")
    assert shown["token_endpoint"] == site.token_url
    async with site.context.database.reading() as connection:
        id_ = shown["organization"].partition("/")[2]
        body = await connection.fetchval("SELECT body FROM resource WHERE type='Organization' AND id=$1", id_)
    assert json.loads(body)["name"] == shown["name"]


async def test_names_are_unique_and_nothing_is_left_of_a_second_try(site: Site) -> None:
    wanted = fresh()
    await onboard_partner.add(site.context, wanted)
    async with site.context.database.reading() as connection:
        before = await connection.fetchval("SELECT count(*) FROM resource")
        with pytest.raises(Refused, match="unique") as caught:
            await onboard_partner.add(site.context, wanted)
        assert caught.value.reason == "conflict"
        assert await connection.fetchval("SELECT count(*) FROM resource") == before


async def test_partners_are_listed_by_name_and_shown(site: Site) -> None:
    one = await onboard_partner.add(site.context, fresh(fhir_base="http://127.0.0.1:1/fhir/", dialect="cow"))
    names = [shown["name"] for shown in await onboard_partner.everyone(site.context)]
    assert names == sorted(names) and one["name"] in names
    shown = await onboard_partner.show(site.context, one["name"])
    assert shown == one
    assert (shown["fhir_base"], shown["delivery"]) == ("http://127.0.0.1:1/fhir", "push")


async def test_an_unknown_name_is_said_so(site: Site) -> None:
    with pytest.raises(Refused, match="no partner named"):
        await onboard_partner.show(site.context, "Nobody")


async def test_a_minted_token_opens_the_door_for_five_minutes_at_most(site: Site) -> None:
    shown = await onboard_partner.add(site.context, fresh())
    token = await onboard_partner.mint_token(site.context, shown["name"])
    assert (await site.ping(token)).json()["client_id"] == shown["client_id"]
    async with site.context.database.reading() as connection:
        assert await tokens.living(connection, token, site.context.clock() + timedelta(seconds=301)) is None


async def test_a_disabled_partner_loses_its_tokens_and_gets_no_more(site: Site) -> None:
    shown = await onboard_partner.add(site.context, fresh())
    token = await onboard_partner.mint_token(site.context, shown["name"])
    disabled = await onboard_partner.disable(site.context, shown["name"])
    assert disabled["disabled_at"]
    assert (await site.ping(token)).status_code == 401
    with pytest.raises(Refused, match="disabled"):
        await onboard_partner.mint_token(site.context, shown["name"])
    assert await onboard_partner.disable(site.context, shown["name"]) == disabled


@pytest.mark.parametrize(
    ("wanted", "told"),
    [
        ({"name": " "}, "1 to 100 printable"),
        ({"name": "a\nb"}, "1 to 100 printable"),
        ({"roles": []}, "needs a role"),
        ({"roles": ["wizard"]}, "roles are casework"),
        ({"scopes": ["system/Patient.sr"]}, "not a SMART scope"),
        ({"scopes": ["system/Pateint.rs"]}, "R4 does not have"),
        ({"scopes": ["user/Patient.rs"]}, "needs a person"),
        ({"scopes": ["casework/*.rs"]}, "needs the role casework"),
        ({"jwks": "/nowhere/keys.json"}, "cannot be read"),
        ({"jwks": "https://user@partner.example/keys"}, "user name"),
        ({"fhir_base": "ftp://partner.example/"}, "only https"),
        ({"fhir_base": "https://partner.example/fhir?x=1"}, "no query"),
        ({"token_url": "file:///etc/passwd"}, "only https"),
        ({"dialect": "klingon"}, "one of sdohcc"),
        ({"delivery": "pigeon"}, "one of push"),
        ({"delivery": "push"}, "needs --fhir-base"),
    ],
)
async def test_a_wrong_word_is_answered_with_the_right_ones(site: Site, wanted: Any, told: str) -> None:
    with pytest.raises(Refused, match=told):
        await onboard_partner.add(site.context, fresh(**wanted))


async def test_plain_http_needs_an_allowed_network(site: Site) -> None:
    strict = site.context.settings.model_copy(update={"outbound_allow": ()})
    with pytest.raises(Refused, match="https is required"):
        await onboard_partner.add(
            replace(site.context, settings=strict), fresh(jwks="http://partner.example/k")
        )


def _keys(*keys: Any) -> str:
    return json.dumps({"keys": list(keys)})


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("{", "not usable JSON"),
        ("[]", "not usable JSON"),
        ("{}", "a key set is"),
        (_keys(), "a key set is"),
        (_keys(1), "a key set is"),
        (_keys(*[es384().public] * 101), "1 to 100 keys"),
        (_keys({**es384().public, "d": "AAAA"}), "private or symmetric"),
        (_keys({"kty": "oct", "kid": "1", "k": "AAAA"}), "private or symmetric"),
        (_keys({**es384().public, "kid": None}), "needs a kid"),
        (_keys(es384("a").public, es384("a").public), "same kid and kty"),
        (_keys({**es384().public, "use": "enc"}), "no key can verify"),
        (_keys(rs384(bits=1024).public), "no key can verify"),
        (_keys({"kty": "EC", "crv": "P-256", "kid": "1", "x": "AA", "y": "AA"}), "no key can verify"),
    ],
)
async def test_an_unusable_key_set_is_refused_saying_why(site: Site, text: str, told: str) -> None:
    path = site.folder / f"{secrets.token_hex(4)}.json"
    path.write_text(text)
    with pytest.raises(Refused, match=told):
        await onboard_partner.add(site.context, fresh(jwks=str(path)))


async def test_a_bare_key_is_taken_as_a_set_of_one(site: Site) -> None:
    path, key = site.folder / "bare.json", es384("only")
    path.write_text(json.dumps(key.public))
    client = await site.client(key=key, jwks=str(path))
    assert client.described["kids"] == ["only"]
    assert (await site.ask(client)).status_code == 200


async def test_keys_by_url_are_named_not_copied(site: Site) -> None:
    shown = await onboard_partner.add(site.context, fresh(jwks="https://partner.example/jwks.json"))
    assert shown["jwks_url"] == "https://partner.example/jwks.json"
    assert "kids" not in shown


async def test_keys_by_value_outlive_the_file_they_came_from(site: Site) -> None:
    path, key = site.folder / f"{secrets.token_hex(4)}.json", es384()
    path.write_text(json.dumps({"keys": [key.public]}))
    client = await site.client(key=key, jwks=str(path))
    path.write_text(json.dumps({"keys": [es384(key.kid).public]}))
    assert (await site.ask(client)).status_code == 200
    path.unlink()
    assert (await site.ask(client)).status_code == 200


async def test_an_agency_filed_before_it_became_a_partner_keeps_its_organization(service: Service) -> None:
    await service.partner("Harbor", "casework")
    harbor = await service.client("Harbor")
    async with harbor:
        json = {"Content-Type": "application/json"}
        for id_, record in (
            ("northside", {"name": "Northside"}),
            ("lake", {"name": "X", "partner": "Lakeview"}),
        ):
            answer = await harbor.put(f"/casework/v1/agencies/{id_}", json=record, headers=json)
            filed = answer.json()["resources"][0]
            added = await service.partner(
                "Northside" if id_ == "northside" else "Lakeview", "referral-recipient"
            )
            assert added["organization"] == filed
            again = await harbor.put(f"/casework/v1/agencies/{id_}", json=record, headers=json)
            assert again.json()["resources"][0] == filed
        other = await service.partner("Riverbend", "ehr")
        assert (await harbor.get(f"/fhir/{other['organization']}")).json()["name"] == "Riverbend"


async def test_messages_are_agreed_with_partners_whose_dialect_has_them(site: Site) -> None:
    there = {"fhir_base": "http://127.0.0.1:1/fhir", "agreed": ["transport=message"]}
    with pytest.raises(Refused, match="dialect bser"):
        await onboard_partner.add(site.context, fresh(**there))
    with pytest.raises(Refused, match="delivery push"):
        await onboard_partner.add(site.context, fresh(**there, dialect="bser", delivery="poll"))
    shown = await onboard_partner.add(site.context, fresh(**there, dialect="bser"))
    assert shown["terms"] == {"transport": "message"}
    plain = await onboard_partner.add(site.context, fresh(fhir_base="http://127.0.0.1:1/fhir"))
    with pytest.raises(Refused, match="dialect bser"):
        await onboard_partner.agree(site.context, plain["name"], ["transport=message"])
