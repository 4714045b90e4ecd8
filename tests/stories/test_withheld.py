"""Nothing about a client reaches an agency that the client's consent does not name."""

from pathlib import Path

from parts import running
from town import at_work, eventually, gives_leslie_away, heard, town

from service.commands.demo import people
from service.commands.demo.people import HOUSING, JOB, LAKEVIEW, NORTHSIDE
from service.kernel.clock import instant, system_clock
from service.simulator.process import Plan


async def test_a_referral_without_a_permitting_consent_is_withheld_and_says_why(
    database_url: str, tmp_path: Path
):
    async with town(database_url, tmp_path, Plan(NORTHSIDE, pace=0.1), Plan(LAKEVIEW, pace=0.1)) as here:
        await here.file_everybody()
        await here.file("referrals", JOB, people.job(system_clock))

        told = await here.until("referral-withheld", referral=JOB)

        [row] = await here.sql("SELECT state, reason FROM delivery")
        assert row["state"] == "withheld"
        assert row["reason"] == told["reason"]
        assert LAKEVIEW in row["reason"]
        assert not gives_leslie_away(row["reason"])
        assert not gives_leslie_away(heard(here.agencies[LAKEVIEW]))
        assert not list(here.agencies[LAKEVIEW].store.all("Task"))

        await here.file("referrals", HOUSING, people.housing(system_clock))
        await here.until("referral-completed", referral=HOUSING)
        assert gives_leslie_away(heard(here.agencies[NORTHSIDE])), "the search would find what did leave"


async def test_a_consent_revoked_before_the_retry_stops_the_delivery(database_url: str, tmp_path: Path):
    """The agency's server is away at the first try; when it is back, the consent is not."""
    async with town(database_url, tmp_path, Plan(NORTHSIDE, "down", pace=0.1)) as here:
        northside = here.agencies[NORTHSIDE]
        await here.file_everybody()
        await here.file("referrals", HOUSING, people.housing(system_clock))
        await eventually(lambda: here.sql("SELECT 1 FROM delivery WHERE state = 'failing'"))
        assert not gives_leslie_away(heard(northside)), "no token, no letter"

        revoked = {"at": instant(system_clock()), "how": "written"}
        record = {**people.consent(system_clock), "status": "inactive", "revoked": revoked}
        await here.file("consents", "leslie-consent-2026", record)
        northside.manner.change("accept-complete")
        await here.time_passes()

        told = await here.until("referral-withheld", referral=HOUSING)
        assert told["reason"]
        assert not gives_leslie_away(heard(northside))
        assert not list(northside.store.all("Patient"))


async def test_a_consent_revoked_while_the_delivery_waits_in_line_stops_it(database_url: str, tmp_path: Path):
    """Nobody has begun to deliver; the worker that starts after the commit sends nothing, at the first try."""
    async with town(database_url, tmp_path, Plan(NORTHSIDE, pace=0.1), worker=False) as here:
        await here.file_everybody()
        await here.file("referrals", HOUSING, people.housing(system_clock))
        [waiting] = await here.sql("SELECT state, attempts FROM delivery")
        assert (waiting["state"], waiting["attempts"]) == ("pending", 0)
        revoked = {"at": instant(system_clock()), "how": "written"}
        record = {**people.consent(system_clock), "status": "inactive", "revoked": revoked}
        await here.file("consents", "leslie-consent-2026", record)
        async with running(database_url, tmp_path) as second, at_work(second):
            told = await here.until("referral-withheld", referral=HOUSING)
        assert told["reason"]
        assert not gives_leslie_away(heard(here.agencies[NORTHSIDE])), (
            "nothing, not even after the commit by a moment"
        )
