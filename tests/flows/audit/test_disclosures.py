"""The accounting of disclosures goes back as far as it is asked to, by whatever way the data went; and says where it ends."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from parts import Service, running

from service.fhir.audited import Audited
from service.flows.audit import disclosures
from service.flows.audit.archive import archive
from service.flows.audit.disclosures import archived_before, listing
from service.flows.audit.seal import seal
from service.kernel.clock import system_clock
from service.kernel.ids import new_id

CLIENT = "Patient/leslie"


async def test_every_way_counts_for_the_years_asked_and_what_is_archived_is_said(
    database_url: str, tmp_path: Path
) -> None:
    now = system_clock()
    moment = [now - timedelta(days=7 * 366)]
    async with running(database_url, tmp_path, lambda: moment[0]) as service:
        context = service.wiring.context
        await service.partner("Home", "casework")
        northside = await service.partner("Northside", "ehr")

        async def told(kind: Any, action: str, basis: str, **more: Any) -> None:
            about = (CLIENT, "Condition/1")
            row = Audited(new_id(), moment[0], kind, action, more.pop("outcome", "0"), northside["client_id"],
                          northside["organization"], about=about, basis=basis, **more)  # fmt: skip
            await context.database.record([row])

        await told("disclosure", "deliver", "consent")  # seven years ago
        moment[0] = now - timedelta(days=5 * 365)
        await told("access", "read", "emergency")
        moment[0] = now - timedelta(days=2 * 365)
        await told("disclosure", "notify", "consent")
        moment[0] = now
        await told("access", "search-type", "court-order")
        await told("disclosure", "deliver", "consent", outcome="8", rule="timeout")  # it may have arrived
        await told("access", "read", "author")  # its own: no disclosure
        await told("access", "read", "consent", outcome="4", rule="404")  # refused: none either
        await seal(context)

        async def ways(years: int) -> list[str]:
            return [one.description.rpartition("(")[2] for one in await listing(context, CLIENT, years)]

        recent = ["sent)", "search-type here)", "sent)"]
        assert sorted(await ways(3)) == sorted(recent)
        assert sorted(await ways(6)) == sorted([*recent, "read here)"])
        assert sorted(await ways(10)) == sorted([*recent, "read here)", "sent)"])
        assert await archived_before(context, 10) is None

        assert (await archive(context)).rows > 0
        assert sorted(await ways(6)) == sorted([*recent, "read here)"]), (
            "no row of six years is ever archived"
        )
        assert await archived_before(context, 4) is None
        begins = await archived_before(context, 10)
        assert begins is not None and begins > now - timedelta(days=6 * 366)


async def test_an_accounting_is_whole_however_long(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(disclosures, "PAGE", 3)
    context = service.wiring.context
    rows = [
        Audited(new_id(), system_clock(), "access", "read", "0", "c", "Organization/c", about=(CLIENT,), basis="consent")
        for _ in range(10)
    ]  # fmt: skip
    await context.database.record(rows)
    assert sorted(each.event for each in await listing(context, CLIENT)) == sorted(each.id for each in rows)
