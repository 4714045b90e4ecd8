"""Who did what to whose data is on the trail before anybody is answered."""

import asyncio
from typing import Any

import asyncpg
import pytest
from parts import Service

from service.fhir.audited import Audited
from service.flows import onboard_partner, webhooks
from service.store import audit

PERSON = {"resourceType": "Patient", "name": [{"family": "Zqxwv"}]}


async def trail(service: Service, *kinds: str) -> list[Audited]:
    """Everything on the trail, oldest first; setting up (administration) only if asked for."""
    async with service.wiring.context.database.reading() as connection:
        rows = await audit.find(
            connection, audit.Sought(kinds=kinds or ("access", "consent", "disclosure")), 500
        )
    return sorted((row for row in rows if row.client), key=lambda row: row.id)


async def a_request(client: Any, patient: str) -> str:
    body = {
        "resourceType": "ServiceRequest", "status": "active", "intent": "order",
        "subject": {"reference": f"Patient/{patient}"},
    }  # fmt: skip
    return str((await client.post("/fhir/ServiceRequest", json=body)).json()["id"])


async def test_a_create_a_read_and_a_search_leave_a_row_each(service: Service) -> None:
    clinic = await service.partner("Clinic", "ehr")
    async with await service.client("Clinic") as client:
        patient = (await client.post("/fhir/Patient", json=PERSON)).json()["id"]
        request = await a_request(client, patient)
        (
            await client.get(
                f"/fhir/ServiceRequest/{request}",
                headers={"X-Request-Id": "0af7651916cd43dd8448eb211c80319c"},
            )
        ).raise_for_status()
        (await client.get(f"/fhir/ServiceRequest?patient={patient}")).raise_for_status()
    created, requested, read, searched = await trail(service)
    assert (created.action, created.resource, created.version) == ("create", f"Patient/{patient}", 1)
    assert requested.about == (f"ServiceRequest/{request}", f"Patient/{patient}")
    assert (read.action, read.about) == ("read", requested.about)
    assert read.request == "0af7651916cd43dd8448eb211c80319c"
    assert read.address == "127.0.0.1"
    assert read.client == clinic["client_id"]
    assert read.organization == clinic["organization"]
    assert len(read.token) == 32
    assert (searched.action, searched.patients, searched.detail) == (
        "search-type", (f"Patient/{patient}",), "ServiceRequest 1",
    )  # fmt: skip


async def test_what_was_searched_for_is_kept_beside_the_row_and_not_in_it(service: Service) -> None:
    await service.partner("Clinic", "ehr")
    async with await service.client("Clinic") as client:
        await client.get("/fhir/Patient?family=Zqxwv")
    [row] = await trail(service)
    async with service.wiring.context.database.reading() as connection:
        kept = await connection.fetchrow("SELECT salt, text FROM audit_query WHERE id = $1", row.id)
    assert kept["text"] == "family=Zqxwv"
    assert row.query_mac == audit.digest(kept["salt"], kept["text"])
    assert "Zqxwv" not in repr(row)


async def test_refusals_are_on_the_trail_with_their_rule(service: Service) -> None:
    await service.partner("Clinic", "ehr")
    await service.partner("Other", "ehr")
    await service.partner("Money", "funder")
    async with await service.client("Clinic") as client:
        patient = (await client.post("/fhir/Patient", json=PERSON)).json()["id"]
    async with await service.client("Other") as other, await service.client("Money") as money:
        assert (await other.get(f"/fhir/Patient/{patient}")).status_code == 404
        assert (await money.get(f"/fhir/Patient/{patient}")).status_code == 403
        assert (await money.get("/fhir/Patient/not%20an%20id%20but%20a%20name")).status_code in (400, 403)
    _, foreign, forbidden, odd = await trail(service)
    assert (foreign.outcome, foreign.rule, foreign.resource) == ("4", "404", f"Patient/{patient}")
    assert (forbidden.outcome, forbidden.rule) == ("4", "403")
    assert odd.resource == ""
    assert "name" not in odd.detail


async def test_a_transaction_leaves_a_row_for_each_version(service: Service) -> None:
    await service.partner("Clinic", "ehr")
    entry = {"resource": PERSON, "request": {"method": "POST", "url": "Patient"}}
    async with await service.client("Clinic") as client:
        bundle = {"resourceType": "Bundle", "type": "transaction", "entry": [entry, entry]}
        (await client.post("/fhir", json=bundle)).raise_for_status()
    assert [row.action for row in await trail(service)] == ["create", "create"]


async def test_a_refused_entry_of_a_batch_is_on_the_trail(service: Service) -> None:
    await service.partner("Clinic", "ehr")
    good = {"resource": PERSON, "request": {"method": "POST", "url": "Patient"}}
    bad = {"request": {"method": "GET", "url": "Patient/nobody"}}
    async with await service.client("Clinic") as client:
        bundle = {"resourceType": "Bundle", "type": "batch", "entry": [good, bad]}
        (await client.post("/fhir", json=bundle)).raise_for_status()
    assert [row.action for row in await trail(service)][:1] == ["create"]


async def test_many_readers_share_a_commit_and_none_is_lost(service: Service) -> None:
    await service.partner("Clinic", "ehr")
    async with await service.client("Clinic") as client:
        patient = (await client.post("/fhir/Patient", json=PERSON)).json()["id"]
        await asyncio.gather(*(client.get(f"/fhir/Patient/{patient}") for _ in range(40)))
    assert len([row for row in await trail(service) if row.action == "read"]) == 40


async def test_nothing_is_answered_that_cannot_be_recorded(service: Service, database_url: str) -> None:
    await service.partner("Clinic", "ehr")
    async with await service.client("Clinic") as client:
        patient = (await client.post("/fhir/Patient", json=PERSON)).json()["id"]
        admin = await asyncpg.connect(database_url)
        await admin.execute("ALTER TABLE audit RENAME TO elsewhere")
        answer = await client.get(f"/fhir/Patient/{patient}")
        await admin.execute("ALTER TABLE elsewhere RENAME TO audit")
        await admin.close()
    assert answer.status_code == 503
    assert "Zqxwv" not in answer.text


@pytest.mark.parametrize(
    "statement", ["UPDATE audit SET client = ''", "DELETE FROM audit", "TRUNCATE audit CASCADE"]
)
async def test_the_trail_refuses_to_be_changed(service: Service, database_url: str, statement: str) -> None:
    admin = await asyncpg.connect(database_url)
    with pytest.raises(asyncpg.InsufficientPrivilegeError, match="written once"):
        await admin.execute(statement)
    await admin.close()


async def test_administration_is_on_the_trail(service: Service) -> None:
    clinic = await service.partner("Clinic", "ehr")
    await onboard_partner.mint_token(service.wiring.context, "Clinic")
    await onboard_partner.disable(service.wiring.context, "Clinic")
    async with service.wiring.context.database.reading() as connection:
        found = await audit.find(connection, audit.Sought(kinds=["administration"]), 50)
    assert {row.action for row in found} == {"partner-added", "partner-token", "partner-disabled"}
    assert {row.resource for row in found} == {clinic["organization"]}


async def test_whoever_changes_where_events_are_pushed_is_on_the_trail(service: Service) -> None:
    await service.partner("Home", "casework")
    context = service.wiring.context
    made = str((await webhooks.add(context, "http://127.0.0.1:9/hook", None, None, None))["id"])
    await webhooks.rotate(context, made)
    await webhooks.replay(context, made, None)
    await webhooks.remove(context, made)
    async with context.database.reading() as connection:
        found = await audit.find(connection, audit.Sought(kinds=["administration"]), 50)
    told = [row.action for row in sorted(found, key=lambda row: row.id) if row.detail == made]
    assert told == ["webhook-added", "webhook-rotated", "webhook-replayed", "webhook-removed"]
