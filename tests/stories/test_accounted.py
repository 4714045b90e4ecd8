"""Everything that was done for a referral is on the trail, in order, and the client can be told where it went."""

from pathlib import Path

from town import gives_leslie_away, town

from service.commands.demo import people
from service.commands.demo.people import HOUSING, JOB, LAKEVIEW, NORTHSIDE
from service.flows.audit.disclosures import listing
from service.flows.audit.verify import verify
from service.kernel.clock import system_clock
from service.settings import Settings
from service.simulator.process import Plan
from service.wiring import wire


async def test_a_referral_is_accounted_for_from_consent_to_arrival(database_url: str, tmp_path: Path):
    async with town(database_url, tmp_path, Plan(NORTHSIDE, pace=0.1), Plan(LAKEVIEW, pace=0.1)) as here:
        await here.file_everybody()
        await here.file("referrals", JOB, people.job(system_clock))
        await here.until("referral-withheld", referral=JOB)
        await here.file("referrals", HOUSING, people.housing(system_clock))
        await here.until("referral-completed", referral=HOUSING)
        rows = await here.sql("SELECT * FROM audit ORDER BY id")
        asked = await here.sql("SELECT text FROM audit_query")

    settings = Settings(
        data_dir=tmp_path, database_url=database_url, secret_key="only for these tests", _env_file=None
    )
    async with wire(settings, database_url, "http://127.0.0.1:1").running() as wiring:
        client = people.records(system_clock)
        [own] = [id_ for kind, id_, _ in client if kind == "clients"][:1]
        told = await listing(wiring.context, own)
        verdict = await verify(wiring.context)

    deny = [row for row in rows if row["kind"] == "consent" and row["outcome"] == "4"]
    permit = [row for row in rows if row["kind"] == "consent" and row["basis"] == "consent"]
    sent = [row for row in rows if row["kind"] == "disclosure"]
    assert deny and all(row["rule"] for row in deny), "the withheld referral has its denial"
    assert permit and permit[0]["consents"][0].startswith("Consent/")
    assert sent and permit[0]["id"] < sent[0]["id"], "decided before it was sent"
    assert {row["organization"] for row in sent} == {here.organizations[NORTHSIDE]}
    assert told and {one.recipient for one in told} == {NORTHSIDE}
    assert all(one.purpose and one.basis and one.consents and one.description for one in told)
    assert verdict.findings == []
    assert verdict.rows >= len(rows)
    assert not gives_leslie_away("\n".join(str(dict(row)) for row in rows)), "no content on the trail"
    assert not gives_leslie_away("\n".join(row["text"] for row in asked))
