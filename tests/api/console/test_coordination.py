"""Due, Leads, GPRA, Measures, Subscriptions: what a case manager and a supervisor see of coordination."""

import re
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from harbor import Town, opened
from visitors import visitor

from service.coordination.measures.counting import Asked
from service.coordination.measures.table import measures
from service.fhir.json import decode_object
from service.flows.due import report
from service.flows.due.recount import recount
from service.flows.measures.tell import told
from tests.coordination.gpra.complete import interview, record

RIGHT_TO_LEFT = "ليلى الموري"
LONG = "Maximiliana-Alexandrina Featherstonehaugh-Cholmondeley von und zu Hohenstein"


@pytest.fixture
async def town(database_url: str, tmp_path: Path) -> AsyncIterator[Town]:
    async with opened(database_url, tmp_path) as found:
        yield found


async def counted(town: Town) -> None:
    """The worker has looked at everybody."""
    for _ in range(20):
        if not await recount(town.service.wiring.context):
            return
    raise AssertionError("the worker never comes to rest")


async def crowd(town: Town) -> None:
    """Two more clients of Victoria's, one of Ana's, each with a referral."""
    names = {"layla": RIGHT_TO_LEFT, "long": LONG, "sam": "Sam Lee"}
    for id_, name in names.items():
        lead = "ana" if id_ == "sam" else "victoria"
        episode = {
            "status": "active",
            "start": "2026-03-02",
            "primaryCaseManager": lead,
            "intensity": "intensive",
        }
        await town.file(f"clients/{id_}", {"name": {"text": name}, "episode": episode})
        asked = {"client": id_, "service": "transitional-housing", "requested": "2026-03-09"}
        await town.file(f"referrals/{id_}-home", asked)


def texts(page: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page))


async def test_what_is_due_is_listed_by_day_and_by_who_owes_it(town: Town) -> None:
    await crowd(town)
    await town.at(datetime(2026, 3, 20, 15, tzinfo=UTC))
    await counted(town)
    async with visitor(town.service, "case-manager", name="Victoria") as person:
        page = await person.page("/console/due")
        assert f"<bdi>{RIGHT_TO_LEFT}</bdi>" in page and f"<bdi>{LONG}</bdi>" in page
        assert "Begin to plan the closing at intake" in page and "overdue" in page
        days = re.findall(r'In time until"><time>([^<]+)<', page)
        assert days == sorted(days) and len(days) > 5
        owners = re.findall(r"/console/due\?owner=([^&\"]+)\"", page)
        assert {"victoria", "ana"} <= set(owners)
        only = await person.page("/console/due?owner=ana&stage=overdue")
        assert "Sam Lee" in only and RIGHT_TO_LEFT not in only
        [patient] = set(re.findall(r"/console/clients/([0-9a-f-]+)", only))
        own = await person.page(f"/console/due?client={patient}&timer=T16")
        assert len(re.findall(r'data-l="In time until"', own)) == 1
        assert "What is due" in await person.page(f"/console/clients/{patient}")
        for path in ("?stage=ahead", "?timer=T99", "?client=%3Cx%3E", "?after=x"):
            assert (await person.get(f"/console/due{path}")).status_code == 400, path
    context = town.service.wiring.context
    async with context.database.reading() as connection:
        rows = await connection.fetch("SELECT about FROM audit WHERE action = 'console-due'")
    assert any(f"Patient/{patient}" in row["about"] for row in rows), "who was looked at is on the trail"


async def test_what_a_person_closed_counts_for_the_measure_as_for_the_report(town: Town) -> None:
    await crowd(town)
    await town.at(datetime(2026, 3, 16, 15, tzinfo=UTC))
    await counted(town)
    found = await town.harbor.get("/fhir/Task", params={"_count": "200"})
    tasks = [each["resource"] for each in decode_object(found.content)["entry"]]
    [task, *_] = [each for each in tasks if each["reasonCode"]["coding"][0]["code"] == "T16"]
    await town.answer(town.harbor, f"Task/{task['id']}", "completed")
    await counted(town)
    await town.at(datetime(2026, 3, 20, 15, tzinfo=UTC))
    context = town.service.wiring.context
    lines = {each.timer: each for each in await report.timeliness(context)}
    [result] = (await told(context, ["timeliness"], Asked())).results
    shares = {each.stratum: each for each in result.rates if each.stratifier == "timer"}
    assert lines["T16"].on_time == shares["T16"].numerator == 1
    for timer, share in shares.items():
        line = lines[timer]
        assert (share.numerator, share.denominator) == (
            line.on_time,
            line.on_time + line.late + line.overdue + line.missed,
        )


async def test_who_leads_what_waits_and_what_is_in_conflict(town: Town) -> None:
    await crowd(town)
    await town.client("marcus", intensity="intensive")
    async with visitor(town.service, "supervisor") as person:
        page = texts(await person.page("/console/leads"))
        assert "Transfers that wait" in page and "requested" in page and "Conflicts" not in page
        task = (await town.who())["transfer"]
        assert f"/console/resources/{task}" in await person.page("/console/leads")
        await town.answer(town.northside, task, "rejected")
        await town.client("victoria", intensity="intensive")
        await town.say(town.harbor, caseManager="ana", instead="victoria")
        await town.client("marcus", intensity="intensive")
        page = texts(await person.page("/console/leads"))
        assert "Transfers that wait" not in page and "Conflicts" in page and "Samuel" in page
        ana = (town.workers or {})["ana"]
        own = await person.page(f"/console/leads?worker={ana}")
        assert own.count('data-l="Leads"') == 2 and RIGHT_TO_LEFT not in own
        assert (await person.get("/console/leads?before=x")).status_code == 400


async def test_a_lead_that_somebody_covers_says_who_and_until_when(town: Town) -> None:
    end = (town.now + timedelta(days=14)).isoformat()
    await town.say(town.harbor, **{"caseManager": "ana", "as": "cover", "end": end})
    async with visitor(town.service, "case-manager") as person:
        page = texts(await person.page("/console/leads"))
    assert "until 23 Mar 2026" in page


async def test_gpra_windows_rates_and_who_owes_the_interview(town: Town) -> None:
    await crowd(town)
    for number, (client, day) in enumerate(
        (("layla", "2025-06-01"), ("sam", "2025-08-20"), ("long", "2026-02-01"))
    ):
        held = record(interview("intake", day), f"g{number}", client=client, gpraClient=f"HRS-{number}")
        await town.file(f"gpra-interviews/g{number}", held)
    six = record(
        interview("six-month", "2025-12-05"), "g9", client="layla", gpraClient="HRS-0", by="victoria"
    )
    await town.file("gpra-interviews/g9", six)
    async with visitor(town.service, "case-manager") as person:
        page = await person.page("/console/gpra")
        assert "1 of 1" in page and "100 %" in page, "one window has closed, and its interview was held in it"
        assert "Sam Lee" in page and RIGHT_TO_LEFT not in page and "HRS-1" in page and "Ana" in page
        assert "2026-01-20" in page and "2026-04-20" in page
        held = await person.page("/console/gpra?state=conducted&grant=TI-026543")
        assert RIGHT_TO_LEFT in held and "Sam Lee" not in held
        assert "No interview is like that" in await person.page("/console/gpra?state=ended")
        assert (await person.get("/console/gpra?state=soon")).status_code == 400


async def test_every_measure_has_its_page_with_bars_and_what_does_not_count(town: Town) -> None:
    await crowd(town)
    await town.at(datetime(2026, 3, 20, 15, tzinfo=UTC))
    async with visitor(town.service, "supervisor") as person:
        page = await person.page("/console/measures")
        for name, row in measures.items():
            assert f'href="/console/measures/{name}"' in page and row.title in page
            assert (await person.get(f"/console/measures/{name}")).status_code == 200, name
        linkage = await person.page("/console/measures/linkage")
        assert f"<bdi>{RIGHT_TO_LEFT}</bdi>" in linkage and "0 of 3" in linkage and "<svg" in linkage
        assert "style=" not in linkage
        started = {"client": "sam", "service": "transitional-housing", "referral": "sam-home", "status": "in-progress",
                   "period": {"start": "2026-03-18"}}  # fmt: skip
        await town.file("service-outcomes/sam-room", started)
        assert "0 of 3" in await person.page("/console/measures/linkage"), "as it was counted last"
        assert (await person.send("/console/measures/again", "/console/measures")).status_code == 303
        linkage = await person.page("/console/measures/linkage")
        assert "1 of 3" in linkage and "Sam Lee" not in linkage and "33 %" in linkage
        assert (await person.get("/console/measures/happiness")).status_code == 404


async def test_of_many_clients_a_page_counts_nothing_and_says_who_does(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("service.flows.measures.tally.MANY", 0)
    async with visitor(town.service, "supervisor") as person:
        assert "too many to count while you wait" in await person.page("/console/measures")
        assert "has not been counted yet" in await person.page("/console/measures/linkage")
        assert (await person.send("/console/measures/again", "/console")).status_code == 403


async def test_subscriptions_of_both_sides_are_listed_without_clients(town: Town) -> None:
    async with visitor(town.service, "engineer") as person:
        page = await person.page("/console/subscriptions")
    assert "No partner has subscribed" in page and "We have subscribed at no partner" in page
