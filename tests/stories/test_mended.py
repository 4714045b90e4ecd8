"""A partner's row that somebody spoiled in the database stops that partner, says so, and stops nobody else."""

from pathlib import Path
from typing import Any

import asyncpg
import pytest
from town import Town, eventually, town

from service.commands.demo import people
from service.commands.demo.people import LAKEVIEW, NORTHSIDE
from service.flows import onboard_partner
from service.kernel.clock import system_clock
from service.simulator.casebridge import Casebridge, NoToken
from service.simulator.process import Plan


async def fresh(here: Town, agency: str) -> int:
    """What an agency is answered that asks for a new token first."""
    known = here.agencies[agency].casebridge
    async with Casebridge(known.origin, known.client_id, here.agencies[agency].key) as client:
        return int((await client.ask("GET", "/fhir/Task")).status)


def to(agency: str, id_: str) -> dict[str, Any]:
    record = {**people.housing(system_clock), "id": id_, "recipient": agency}
    record.pop("recipientService")
    return record


@pytest.mark.parametrize(
    "spoiled", ['{"quiet": "always"}', '{"at_once": 99}', '{"types": "Task"}', '{"speed": 1}']
)
async def test_a_partner_whose_terms_cannot_be_read_waits_alone(
    database_url: str, tmp_path: Path, spoiled: str, capfd: pytest.CaptureFixture[str]
):
    async with town(database_url, tmp_path, Plan(NORTHSIDE, pace=600), Plan(LAKEVIEW, pace=600)) as here:
        await here.file_everybody()
        consent = people.consent(system_clock)
        named = [{"agency": "northside"}, {"agency": "lakeview"}]
        permissions = [{**each, "recipients": named} for each in consent["permissions"]]
        await here.file("consents", consent["id"], {**consent, "permissions": permissions})
        await here.sql("ALTER TABLE partner DROP CONSTRAINT ck_partner_terms")  # a row from before it
        await here.sql("UPDATE partner SET terms = $1::jsonb WHERE name = $2", spoiled, NORTHSIDE)
        await here.file("referrals", "a-room", to("northside", "a-room"))
        await here.file("referrals", "a-job", to("lakeview", "a-job"))
        await here.until("referral-delivered", referral="a-job")

        async def waits() -> bool:
            rows = await here.sql("SELECT reason FROM delivery WHERE settled IS NULL AND state = 'failing'")
            return [row["reason"] for row in rows] == [
                "the partner's terms cannot be read; casebridge partner change sets them anew"
            ]

        await eventually(waits)
        assert list(here.agencies[NORTHSIDE].store.all("Task")) == []
        assert await fresh(here, LAKEVIEW) == 200
        with pytest.raises(NoToken, match="what was agreed with this client cannot be read"):
            await fresh(here, NORTHSIDE)
        told = [line for line in capfd.readouterr().err.splitlines() if "partner-terms-unreadable" in line]
        assert len(told) == 1

        assert here.context is not None
        await onboard_partner.agree(here.context, NORTHSIDE, ["at_once=4"])
        await here.time_passes()
        await here.until("referral-delivered", referral="a-room")
        assert await fresh(here, NORTHSIDE) == 200


@pytest.mark.parametrize("terms", ['{"at_once": 99}', '{"rate": 0}', '{"poll": "soon"}', "[]"])
async def test_the_database_refuses_numbers_out_of_their_ranges(
    database_url: str, tmp_path: Path, terms: str
) -> None:
    async with town(database_url, tmp_path, Plan(NORTHSIDE), worker=False) as here:
        with pytest.raises(asyncpg.CheckViolationError, match="ck_partner_terms"):
            await here.sql("UPDATE partner SET terms = $1::jsonb WHERE name = $2", terms, NORTHSIDE)
