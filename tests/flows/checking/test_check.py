"""A partner is tried out over real HTTP, and the report says in words what its server did."""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from parts import Service, running
from town import eventually

from service.fhir.json import encode
from service.flows import onboard_partner as onboarding
from service.flows.checking.check import Report, check
from service.kernel.failures import Refused
from service.simulator.agency import Agency
from service.simulator.process import Plan, opened

NORTHSIDE = "Northside Housing Partnership"
WORKING = {
    "address": ("passed", "answers over plain http, as allowed here"),
    "metadata": (
        "passed",
        "FHIR 4.0.1; Patient, ServiceRequest, Task and transactions; subscriptions to topics",
    ),
    "smart": ("passed", "assertions by ES384, RS384"),
    "token": ("passed", "given for an assertion signed with ES384, RS384; it lives "),
    "search": ("passed", "Task can be searched by identifier"),
    "referral": ("passed", "a test referral (Patient, ServiceRequest, Task) was taken"),
    "once": ("passed", "sent again, it made nothing twice"),
    "notice": ("skipped", "delivery is push"),
    "clean up": ("passed", "entered in error, the test client is inactive"),
}
EXPECTED: dict[str, dict[str, tuple[str, str]]] = {
    "accept-complete": {
        **WORKING,
        "follow": ("passed", "it is completed now"),
        "steadiness": ("passed", "none stumbled"),
    },
    "reject": {
        **WORKING,
        "follow": ("passed", "it is rejected now: “No room for a family before May.”"),
        "steadiness": ("passed", "none stumbled"),
    },
    **{
        behaviour: {
            **WORKING,
            "follow": ("passed", "it is in-progress now"),
            "steadiness": ("passed", "none stumbled"),
        }
        for behaviour in ("linger", "insist")
    },
    "waitlist": {
        **WORKING,
        "follow": ("passed", "it is on-hold now: “No place before the autumn course; on our waiting list.”"),
        "steadiness": ("passed", "none stumbled"),
    },
    "slow": {
        **WORKING,
        "follow": ("passed", "nobody answered it within 0.3 s, which a person need not"),
        "steadiness": ("failed", "its slowest answer took"),
    },
    "flaky": {
        **{name: WORKING[name] for name in ("address", "metadata", "referral", "once", "clean up")},
        "steadiness": ("failed", "requests stumbled and were sent again"),
    },
    "down": {
        "address": (
            "failed",
            "the connection was cut before a whole answer, or the answer is not HTTP; ask them whether it is up",
        ),
        **dict.fromkeys(
            ("metadata", "smart", "token", "search", "referral", "once", "follow", "clean up"),
            ("skipped", "nothing answers there"),
        ),
    },
}


@pytest.fixture
async def service(database_url: str, tmp_path: Path) -> AsyncIterator[Service]:
    async with running(database_url, tmp_path, delivery_timeout_seconds=2) as found:
        await found.partner("Harbor Case Management", "casework")
        yield found


@asynccontextmanager
async def partner(service: Service, plan: Plan, **more: Any) -> AsyncIterator[Agency]:
    """A simulated agency, registered here as the partner it plays."""
    async with AsyncExitStack() as stack:
        agency = await stack.enter_async_context(opened(plan))
        given = {"fhir_base": agency.base, "token_url": agency.desk.url, **more}
        await service.partner(plan.name, "referral-recipient", **given)
        agency.register(service.url)
        yield agency


async def tried(service: Service, wait: float = 5.0, pause: float = 0.01) -> Report:
    return await check(service.wiring.context, service.wiring.outside, NORTHSIDE, wait=wait, pause=pause)


def by_name(report: Report) -> dict[str, tuple[str, str]]:
    return {each.name: (each.result, each.words) for each in report.steps}


@pytest.mark.parametrize("behaviour", EXPECTED)
async def test_what_an_agency_does_is_said_in_words(service: Service, monkeypatch, behaviour):
    monkeypatch.setattr("service.flows.checking.check.PATIENCE", 0.2)
    async with partner(service, Plan(NORTHSIDE, behaviour, pace=0.02, seed=4)) as agency:
        agency.manner.lateness, agency.manner.silence = 0.25, 0.05
        agency.manner.pace = 5 if behaviour == "slow" else 0.02
        report = await tried(service, wait=0.3 if behaviour == "slow" else 5)
        found = by_name(report)
    for name, (result, words) in EXPECTED[behaviour].items():
        assert found[name][0] == result, found[name]
        assert words in found[name][1]
    assert report.failed == sum(result == "failed" for result, _ in found.values())


async def test_nothing_of_a_test_stays_and_nothing_in_it_is_a_persons(service: Service):
    await service.partner("Mill Street Clinic", "referral-source")
    async with partner(service, Plan(NORTHSIDE, pace=0.02)) as agency:
        await tried(service)
        kept = {
            each.type: each.resource
            for type_ in ("Patient", "ServiceRequest", "Task")
            for each in agency.store.all(type_)
        }
    assert kept["Task"]["status"] == kept["ServiceRequest"]["status"] == "entered-in-error"
    assert kept["Patient"]["active"] is False
    assert kept["Patient"]["name"] == [{"use": "official", "family": "Test", "given": ["Casebridge"]}]
    for resource in kept.values():
        assert [tag["code"] for tag in resource["meta"]["tag"]] == ["HTEST"]
    assert kept["Task"]["for"]["reference"].startswith("Patient/"), "its own copy, not ours"


async def test_both_ends_of_a_test_are_on_the_audit_trail_and_none_is_a_disclosure(service: Service):
    async with partner(service, Plan(NORTHSIDE, pace=0.02)):
        report = await tried(service)
    async with service.wiring.context.database.reading() as connection:
        rows = await connection.fetch(
            "SELECT kind, action, detail, basis FROM audit WHERE action = 'partner-checked'"
        )
    assert [row["detail"] for row in rows] == [
        f"self-test {report.number} begins",
        f"self-test {report.number}: 0 of {len(report.steps)} failed",
    ]
    assert {row["kind"] for row in rows} == {"administration"}


async def test_who_does_not_know_our_keys_is_told_where_they_are(service: Service):
    async with partner(service, Plan(NORTHSIDE)) as agency:
        agency.desk.jwks_url = None
        found = by_name(await tried(service))
    assert found["token"][0] == "failed"
    assert (
        f"client {service.base} with the keys at {service.url}/.well-known/jwks.json (served while we run)"
        in found["token"][1]
    )
    assert found["referral"] == ("skipped", "not tried: no token.")


async def test_an_address_that_we_may_not_call_is_not_called(service: Service):
    await service.partner(NORTHSIDE, "referral-recipient", fhir_base="https://169.254.169.254/fhir")
    found = by_name(await tried(service))
    assert found["address"][0] == "failed"
    assert "our own rules forbid the address" in found["address"][1]


async def test_a_partner_without_a_server_is_looked_at_from_our_side(service: Service):
    async with opened(Plan(NORTHSIDE, light=True, pace=0.05)) as agency:
        jwks = service.wiring.settings.data_dir / "northside.json"
        jwks.write_bytes(encode(agency.key.public_set))
        known = await service.partner(NORTHSIDE, "referral-recipient", jwks=str(jwks))
        before = by_name(await tried(service))
        agency.register(service.url, known["client_id"], known["organization"])
        await eventually(lambda: agency.casebridge is not None and bool(agency.casebridge._token))
        after = by_name(await tried(service))
    assert before["address"] == ("skipped", "it has no FHIR base: it works on our server.")
    assert before["keys"] == ("passed", "1 public keys (ES384).")
    assert before["visit"][0] == "skipped"
    assert known["organization"] in before["visit"][1]
    assert after["visit"] == ("passed", "it holds 1 tokens that count now: it can work here.")


async def test_who_forgets_conditional_creates_makes_referrals_twice_and_hears_so(
    service: Service, monkeypatch
):
    monkeypatch.setattr("service.simulator.transaction.one_match", lambda *_: None)
    async with partner(service, Plan(NORTHSIDE, pace=5)):
        found = by_name(await tried(service, wait=0.1))
    assert found["once"][0] == "failed"
    assert "there are 2 Tasks now" in found["once"][1]


async def test_where_we_subscribe_every_notification_of_the_test_arrives(service: Service):
    worker = service.wiring.worker()
    async with partner(service, Plan(NORTHSIDE, pace=0.05), delivery="subscribe"):
        first = by_name(await tried(service, wait=0.1))
        ticking = asyncio.create_task(worker.run())
        try:
            await eventually(lambda: _active(service))
            found = by_name(await tried(service))
        finally:
            worker.stop()
            await ticking
    assert first["notice"][0] == "failed"
    assert "`casebridge serve` asks for it" in first["notice"][1]
    assert found["notice"][0] == "passed"
    assert re.match(r"active; the test Task made \d+ notifications, and all came", found["notice"][1])


async def _active(service: Service) -> bool:
    async with service.wiring.context.database.reading() as connection:
        return bool(await connection.fetchval("SELECT state = 'active' FROM listening"))


async def test_a_partner_that_nobody_registered_is_a_refusal(service: Service):
    with pytest.raises(Refused, match="no partner named"):
        await tried(service)


async def test_a_disabled_partner_is_sent_nothing(service: Service):
    async with partner(service, Plan(NORTHSIDE)) as agency:
        await onboarding.disable(service.wiring.context, NORTHSIDE)
        report = await tried(service)
        assert agency.notebook.heard == []
    assert [each.name for each in report.steps] == ["registration"]
    assert report.failed == 1
