"""Leslie's case is closed: Northside is told, Lakeview may not be, and what is revoked on the way does not leave."""

from datetime import timedelta
from pathlib import Path
from typing import Any

from town import Town, at_work, eventually, gives_leslie_away, heard, town

from service.commands.demo import people
from service.commands.demo.people import HOUSING, JOB, LAKEVIEW, NORTHSIDE
from service.kernel.clock import system_clock
from service.simulator.process import Plan

CLOSING = {
    "client": "leslie-moreno", "status": "closed", "reason": "goals-met", "by": "victoria-chen",
    "summary": "Leslie has her own flat and is sober since April.", "links": [HOUSING], "ends": [JOB],
    "followUp": {"permitted": "text-only"},
}  # fmt: skip


def consent(**more: Any) -> dict[str, Any]:
    """Northside may have what treatment tells, too."""
    said = people.consent(system_clock)
    [permission] = said["permissions"]
    return {
        **said,
        "permissions": [{**permission, "information": ["housing-need", "contact-details", "treatment"]}],
        **more,
    }


async def closed(here: Town) -> dict[str, Any]:
    today = system_clock().date().isoformat()
    return await here.file("closings", "leslie-closing", {**CLOSING, "closed": today})


async def referred(here: Town) -> None:
    await here.file_everybody()
    await here.file("consents", "leslie-consent-2026", consent())
    await here.file("referrals", HOUSING, people.housing(system_clock))
    await here.file("referrals", JOB, people.job(system_clock))


async def test_providers_are_told_as_consent_allows_and_one_is_not(database_url: str, tmp_path: Path) -> None:
    plans = Plan(NORTHSIDE, "linger", pace=0.1), Plan(LAKEVIEW, "linger", pace=0.1)
    async with town(database_url, tmp_path, *plans) as here:
        await referred(here)
        northside, lakeview = here.agencies[NORTHSIDE], here.agencies[LAKEVIEW]
        await here.until_told("referral-accepted", HOUSING)
        await here.until_told("referral-withheld", JOB)

        filed = await closed(here)
        told = await here.until("closing-told")

        assert told["agency"] == here.organizations[NORTHSIDE]
        [notice] = northside.store.all("Communication")
        assert notice.resource["payload"][0]["contentString"] == (
            "Case management of this client ends. What we asked of you goes on without us."
        )
        [patient] = northside.store.all("Patient")
        assert notice.resource["subject"]["reference"].endswith(patient.reference), "its own copy of Leslie"
        assert not list(lakeview.store.all("Communication"))
        assert not gives_leslie_away(heard(lakeview))
        assert any(f"{LAKEVIEW} is not told" in each["text"] for each in filed["notes"])
        found = await here.fhir("Communication?category=closing-notice")
        stands = {each["resource"]["recipient"][0]["reference"]: each["resource"] for each in found["entry"]}
        assert stands[here.organizations[NORTHSIDE]]["status"] == "completed"
        assert "sent" in stands[here.organizations[NORTHSIDE]]
        assert stands[here.organizations[LAKEVIEW]]["status"] == "not-done"
        [task] = (await here.fhir("Task?code=tell-provider"))["entry"]
        assert task["resource"]["status"] == "requested"
        shown = await here.casework.ask("GET", f"/casework/v1/referrals/{JOB}")
        assert shown.body["status"] == "cancelled"
        await closed(here)
        accounting = await here.fhir(f"{task['resource']['for']['reference']}/$disclosures")
        assert "Communication" in str(accounting)
        assert len(list(northside.store.all("Communication"))) == 1


async def test_revoked_while_it_waits_the_notice_does_not_leave(database_url: str, tmp_path: Path) -> None:
    async with town(database_url, tmp_path, Plan(NORTHSIDE, "linger", pace=0.1), worker=False) as here:
        await referred(here)
        northside = here.agencies[NORTHSIDE]
        await closed(here)
        now = system_clock()
        revoked = {
            "status": "inactive",
            "revoked": {"at": (now - timedelta(minutes=1)).isoformat(), "by": "client"},
        }
        await here.file("consents", "leslie-consent-2026", consent(**revoked))
        assert here.service is not None
        async with at_work(here.service):
            told = await here.until("closing-not-told", agency=here.organizations[NORTHSIDE])
        assert told["task"].startswith("Task/")
        assert not list(northside.store.all("Communication"))
        assert not gives_leslie_away(heard(northside))


async def test_a_notice_waits_for_a_provider_that_is_away_and_arrives_once(
    database_url: str, tmp_path: Path
) -> None:
    async with town(database_url, tmp_path, Plan(NORTHSIDE, "linger", pace=0.1)) as here:
        await referred(here)
        northside = here.agencies[NORTHSIDE]
        await here.until_told("referral-accepted", HOUSING)
        northside.manner.change("down")
        await closed(here)
        await eventually(lambda: here.sql("SELECT 1 FROM delivery WHERE state = 'failing'"))
        found = await here.fhir("Communication?category=closing-notice")
        assert {each["resource"]["status"] for each in found["entry"]} <= {"preparation", "not-done"}
        northside.manner.change("linger")
        await here.time_passes()
        await here.until("closing-told")
        assert len(list(northside.store.all("Communication"))) == 1


async def test_filed_again_while_it_waits_it_leaves_once_and_a_consent_that_came_later_is_used(
    database_url: str, tmp_path: Path
) -> None:
    async with town(database_url, tmp_path, Plan(NORTHSIDE, "linger", pace=0.1), worker=False) as here:
        await referred(here)
        await here.file("consents", "leslie-consent-2026", people.consent(system_clock))
        await closed(here)
        [task] = (await here.fhir("Task?code=tell-provider"))["entry"]
        assert task["resource"]["status"] == "requested", "what housing needs is not what treatment tells"
        await here.file("consents", "leslie-consent-2026", consent())
        for _ in range(2):
            await closed(here)
        waiting = await here.sql("SELECT refs FROM delivery WHERE refs[1] LIKE 'Communication/%'")
        assert len(waiting) == 1
        assert here.service is not None
        async with at_work(here.service):
            await here.until("closing-told", agency=here.organizations[NORTHSIDE])
        stands = (await here.fhir("Communication?category=closing-notice&status=completed"))["entry"]
        assert ["statusReason" in each["resource"] for each in stands] == [False]
        left = (await here.fhir("Task?code=tell-provider&status=requested")).get("entry", [])
        assert len(left) == 0
