"""Our keys are rotated without a pause, and a new secret loses nothing that was stored under the old one."""

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import pytest
from parts import SECRET, Service, running
from sqlalchemy import LargeBinary

from service.flows import our_keys, webhooks
from service.flows.audit.seal import seal
from service.flows.audit.verify import verify
from service.kernel.clock import system_clock
from service.kernel.failures import Refused, Unavailable
from service.store import keys, vault
from service.store.schema import metadata

NEW = "a newer secret for these tests"


class Hands:
    def __init__(self) -> None:
        self.ahead = timedelta()

    def __call__(self) -> Any:
        return system_clock() + self.ahead


async def signing(service: Service) -> set[str]:
    context = service.wiring.context
    async with context.database.reading() as connection:
        found = await keys.active(connection, vault.vault(context.settings), context.clock())
    first = {key.algorithm: key.kid for key in reversed(found)}
    return set(first.values())


async def published(service: Service) -> set[str]:
    async with httpx.AsyncClient(trust_env=False) as http:
        answer = await http.get(f"{service.url}/.well-known/jwks.json")
    return {key["kid"] for key in answer.json()["keys"]}


async def test_new_keys_are_published_before_they_sign_and_old_ones_after(
    database_url: str, tmp_path: Path
) -> None:
    hands = Hands()
    async with running(database_url, tmp_path, hands) as service:
        context = service.wiring.context
        old = await signing(service)
        rows = await our_keys.rotate(context)
        new = {row["kid"] for row in rows if row["state"] == "published"}
        assert len(new) == 2 and await signing(service) == old
        assert await published(service) == old | new
        hands.ahead = keys.LEAD
        assert await signing(service) == new
        assert await published(service) == old | new
        hands.ahead = keys.LEAD + keys.AFTERGLOW + timedelta(seconds=1)
        assert await published(service) == new
        async with context.database.unit() as unit:
            await keys.sweep(unit, context.clock())
        assert {row["kid"] for row in await our_keys.listing(context)} == new


async def test_the_lead_is_longer_than_our_key_set_may_be_cached(service: Service) -> None:
    async with httpx.AsyncClient(trust_env=False) as http:
        kept = (await http.get(f"{service.url}/.well-known/jwks.json")).headers["cache-control"]
    assert timedelta(seconds=int(kept.rpartition("=")[2])) < keys.LEAD


async def test_a_rotation_planned_twice_happens_once(service: Service) -> None:
    context = service.wiring.context
    await our_keys.rotate(context)
    rows = await our_keys.rotate(context)
    assert sorted(row["state"] for row in rows) == ["published", "published", "signing", "signing"]


async def test_a_retired_key_stays_published_and_a_compromised_one_does_not(service: Service) -> None:
    context = service.wiring.context
    one, other = sorted(await signing(service))
    await our_keys.retire(context, one)
    assert one in await published(service) and one not in await signing(service)
    await our_keys.retire(context, other, compromised=True)
    assert other not in await published(service) | await signing(service)
    assert len(await signing(service)) == 2
    with pytest.raises(Refused, match="no key of this name"):
        await our_keys.retire(context, other)


async def test_when_the_signing_key_is_retired_early_its_successor_signs_at_once(service: Service) -> None:
    context = service.wiring.context
    old = await signing(service)
    new = {row["kid"] for row in await our_keys.rotate(context) if row["state"] == "published"}
    for kid in old:
        await our_keys.retire(context, kid, compromised=True)
    assert await signing(service) == new == await published(service)


# --- the secret ---


def test_every_stored_secret_is_known_to_the_vault() -> None:
    """A new column of bytes is either under the vault, or named here as nobody's secret."""
    plain = {
        "access_token.digest", "audit_archive.digest", "audit_archive.hash", "audit_archive.signature",
        "audit_checkpoint.hash", "audit_checkpoint.signature", "audit_key.public", "audit_key.signature",
        "audit_query.salt", "person_session.digest", "sign_in_link.digest", "sign_in.digest", "listening.digest", "audit_seal.hash", "audit_seal.leaf", "event.body", "guest_link.digest", "guest_visit.digest", "message.answer", "record.body",
        "record_version.body", "resource.body", "resource_version.body", "tally.body",
    }  # fmt: skip
    found = [
        (f"{table.name}.{column.name}", bool(column.info.get("vault")))
        for table in metadata.sorted_tables
        for column in table.columns
        if isinstance(column.type, LargeBinary)
    ]
    assert {name for name, sealed in found if not sealed} - plain == set()
    assert {name for name, sealed in found if sealed} >= {
        "signing_key.private", "webhook.secrets", "credential.private", "credential.bearer",
    }  # fmt: skip


async def _stored(url: str) -> list[bytes]:
    connection = await asyncpg.connect(url)
    found = await connection.fetch("SELECT private FROM signing_key UNION ALL SELECT secrets FROM webhook")
    await connection.close()
    return [row[0] for row in found]


async def test_a_new_secret_loses_nothing(database_url: str, tmp_path: Path) -> None:
    async with running(database_url, tmp_path) as service:
        context = service.wiring.context
        await service.partner("Home", "casework")
        made = await webhooks.add(context, "http://127.0.0.1:1/hook", None, None, None)
        old = await signing(service)
        await seal(context)
    async with running(database_url, tmp_path, secret_key=NEW, secret_key_also=SECRET) as service:
        context = service.wiring.context
        assert await signing(service) == old
        done = await our_keys.reseal(context)
        assert done["signing_key"] >= 2 and done["webhook"] == 1
    before = await _stored(database_url)
    async with running(database_url, tmp_path, secret_key=NEW) as service:
        context = service.wiring.context
        assert await signing(service) == old
        await our_keys.retire(context, min(old), compromised=True)
        assert made["id"] == (await webhooks.listing(context))[0]["id"]
        await webhooks.rotate(context, made["id"])
        assert before != await _stored(database_url)
        assert (await verify(context)).findings == []  # checkpoints under the old secret included


async def test_a_secret_replaced_twice_leaves_the_audit_trail_provable(
    database_url: str, tmp_path: Path
) -> None:
    secrets = [SECRET, NEW, "and the newest secret of them all"]
    for also, secret in zip([None, *secrets], secrets, strict=False):
        given = {"secret_key": secret, **({"secret_key_also": also} if also else {})}
        async with running(database_url, tmp_path, **given) as service:
            await service.partner(f"Clinic {secret}", "ehr")
            await seal(service.wiring.context)
            if also:
                await our_keys.reseal(service.wiring.context)
    async with running(database_url, tmp_path, secret_key=secrets[-1]) as service:
        assert (await verify(service.wiring.context)).findings == []
    connection = await asyncpg.connect(database_url)
    await connection.execute("UPDATE audit_key SET signature = decode('00', 'hex')")
    await connection.close()
    async with running(database_url, tmp_path, secret_key=secrets[-1]) as service:
        findings = (await verify(service.wiring.context)).findings
    assert findings and "does not bear our signature" in findings[0]


async def test_a_row_under_a_secret_nobody_has_stops_the_resealing(database_url: str, tmp_path: Path) -> None:
    async with running(database_url, tmp_path) as service:
        await service.partner("Home", "casework")
        await webhooks.add(service.wiring.context, "http://127.0.0.1:1/hook", None, None, None)
        stored = await _stored(database_url)
        connection = await asyncpg.connect(database_url)
        await connection.execute("UPDATE webhook SET secrets = 'gAAAAA'")
        with pytest.raises(Unavailable, match="webhook is under a secret that is not accepted"):
            await our_keys.reseal(service.wiring.context)
        await connection.close()
        assert set(stored) >= set(await _stored(database_url)) - {b"gAAAAA"}


async def test_the_key_file_is_renewed_and_then_forgets(database_url: str, tmp_path: Path) -> None:
    connection = await asyncpg.connect(database_url)
    await connection.execute("DELETE FROM signing_key")  # the template's, kept under another secret
    await connection.close()
    async with running(database_url, tmp_path, secret_key=None) as service:
        context, path = service.wiring.context, tmp_path / "secret.key"
        old, line = await signing(service), path.read_bytes().split()
        await our_keys.reseal(context, new=True)
        assert path.read_bytes().split()[1:] == line
        assert await signing(service) == old  # the running service reads the new file, without a restart
        await our_keys.reseal(context, forget=True)
        assert len(path.read_bytes().split()) == 1 and path.read_bytes().split() != line
        assert path.stat().st_mode & 0o077 == 0
        assert await signing(service) == old
        assert (await verify(context)).findings == []


async def test_a_secret_of_the_environment_is_not_ours_to_renew(service: Service) -> None:
    with pytest.raises(Unavailable, match="CASEBRIDGE_SECRET_KEY"):
        await our_keys.reseal(service.wiring.context, new=True)


async def test_what_is_done_to_keys_is_on_the_trail_without_them(service: Service) -> None:
    context = service.wiring.context
    await our_keys.rotate(context, at_once=True)
    await our_keys.reseal(context)
    async with context.database.reading() as connection:
        rows = [row[0] for row in await connection.fetch("SELECT a::text FROM audit a")]
    told = json.dumps(rows)
    assert "keys-rotated" in told and "secrets-resealed" in told and SECRET not in told
