"""The three acts: a referral goes out and comes back, one comes in and is answered, one is held back."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from service.commands.demo import people
from service.commands.demo.feed import Feed
from service.commands.demo.people import COUNTY, LAKEVIEW, NORTHSIDE
from service.commands.demo.stage import Partner, Stage
from service.commands.demo.telling import Teller, WentWrong
from service.flows import outbox_view
from service.kernel.clock import system_clock
from service.wiring import database_url, wire


@dataclass
class Result:
    """A row of the table: what was asked, of whom, what happened when, and how it ended."""

    referral: str
    partner: str
    began: float
    steps: list[tuple[str, float]] = field(default_factory=list)
    result: str = ""


async def play(stage: Stage, teller: Teller) -> list[Result]:
    """All acts in order; WentWrong if one does not end as it must."""
    teller.curtain()
    feed = Feed(stage, teller)
    await _prepare(stage, teller)
    return [
        await outward(stage, teller, feed),
        await inward(stage, teller, feed),
        await withheld(stage, teller, feed),
    ]


async def _prepare(stage: Stage, teller: Teller) -> None:
    teller.act("Harbor files its records through the casework door")
    for kind, id_, record in people.records(system_clock):
        await file(stage, kind, id_, record)
        teller.line("case-management system", f"{kind} {id_}")


async def file(stage: Stage, kind: str, id_: str, record: dict[str, Any]) -> dict[str, Any]:
    """PUT one record; WentWrong with what the service says of it."""
    answer = await stage.casework.ask("PUT", f"/casework/v1/{kind}/{id_}", record)
    if not answer.ok:
        raise WentWrong(f"the record {kind}/{id_} was not taken: {answer.sentence}")
    body: dict[str, Any] = answer.body
    return body


async def outward(stage: Stage, teller: Teller, feed: Feed) -> Result:
    """Harbor asks Northside for a room; Northside's staff accepts, begins and completes."""
    teller.act(f"Outward: Harbor asks {NORTHSIDE} for a room")
    result, partner = (
        Result("transitional housing (out)", NORTHSIDE, teller.seconds),
        stage.partners[NORTHSIDE],
    )
    filed = await file(stage, "referrals", people.HOUSING, people.housing(system_clock))
    teller.line("case-management system", f"referral {people.HOUSING}; consent is asked when it is sent")
    result.steps.append(("filed", teller.seconds))
    for kind in ("referral-delivered", "referral-accepted", "referral-in-progress", "referral-completed"):
        await feed.until(kind, referral=people.HOUSING)
        result.steps.append((kind.removeprefix("referral-"), teller.seconds))
    own = await _own_task(stage, partner, filed["resources"])
    status = await _shown(stage, people.HOUSING)
    if own["status"] != "completed" or not own.get("output") or status != "completed":
        raise WentWrong(
            f"{NORTHSIDE}'s store says {own['status']}, the case-management system reads {status}"
        )
    teller.line("read back", f"{NORTHSIDE}'s own store holds one Task, completed, with what was done")
    result.result = "closed"
    return result


async def _own_task(stage: Stage, partner: Partner, references: list[str]) -> dict[str, Any]:
    """The one Task in the partner's own store that carries our identifier, over its own FHIR server."""
    ours = next(each for each in references if each.startswith("Task/"))
    task = (await stage.casework.ask("GET", f"/fhir/{ours}")).body
    identifier = task["identifier"][0]
    query = f"/fhir/Task?identifier={identifier['system']}|{identifier['value']}"
    found = (await partner.ask("GET", query))["entry"]
    if len(found) != 1:
        raise WentWrong(
            f"{partner.name}'s own store holds {len(found)} Tasks of this referral instead of one"
        )
    own: dict[str, Any] = found[0]["resource"]
    return own


async def _shown(stage: Stage, id_: str) -> str:
    answer = await stage.casework.ask("GET", f"/casework/v1/referrals/{id_}")
    return str(answer.body.get("status")) if answer.ok else answer.sentence


async def inward(stage: Stage, teller: Teller, feed: Feed) -> Result:
    """County Access Line sends Leslie's call; the case manager accepts, then completes; County reads both."""
    teller.act(f"Inward: {COUNTY} sends a referral to Harbor")
    result, county = Result("case management (in)", COUNTY, teller.seconds), stage.partners[COUNTY]
    wish = {**people.call(), "owner": {"reference": stage.harbor["organization"]}}
    sent = await county.ask("POST", "/simulator/referrals", wish)
    teller.line(COUNTY, "POSTs a transaction: Patient, ServiceRequest, Task")
    result.steps.append(("sent", teller.seconds))
    event = await feed.until("referral-received", partner=COUNTY)
    result.steps.append(("received", teller.seconds))
    for answer in (
        {"status": "accepted", "note": "Victoria Chen calls today."},
        {"status": "completed", "outcome": "Case opened; first visit on Thursday."},
    ):
        await file(stage, "referrals", event["referral"], answer)
        teller.line("case manager", f"answers: {answer['status']}")
        await _heard(county, sent, answer["status"])
        teller.line(COUNTY, f"was told, and reads on Casebridge: {answer['status']}")
        result.steps.append((answer["status"], teller.seconds))
    result.result = "closed"
    return result


async def _heard(county: Partner, sent: dict[str, Any], status: str) -> None:
    """Until County's own store says so (it was notified) and it has read so on our server."""

    async def knows() -> bool:
        own = await county.ask("GET", f"/fhir/{sent['task']}")
        mine = [
            each for each in await county.ask("GET", "/simulator/referrals") if each["task"] == sent["task"]
        ]
        return own["status"] == status and status in mine[0]["seen"]

    await _wait(knows, f"{COUNTY} did not learn that its referral is {status}")


async def withheld(stage: Stage, teller: Teller, feed: Feed) -> Result:
    """A referral to an agency that Leslie's consent does not name stays here, and says why."""
    teller.act(f"Withheld: Leslie's consent does not name {LAKEVIEW}")
    result, lakeview = Result("job training (out)", LAKEVIEW, teller.seconds), stage.partners[LAKEVIEW]
    await file(stage, "referrals", people.JOB, people.job(system_clock))
    result.steps.append(("filed", teller.seconds))
    await feed.until("referral-withheld", referral=people.JOB)
    result.steps.append(("withheld", teller.seconds))
    heard = await lakeview.ask("GET", "/simulator/requests")
    if any(word in each["target"] + each["body"] for each in heard for word in people.CLIENT_WORDS):
        raise WentWrong(f"something about the client reached {LAKEVIEW}")
    if (await lakeview.ask("GET", "/simulator"))["tasks"]:
        raise WentWrong(f"{LAKEVIEW} holds a Task although nothing may have reached it")
    row = await _delivery_row(stage, LAKEVIEW)
    if row["state"] != "withheld" or not row["reason"]:
        raise WentWrong(
            f"the delivery to {LAKEVIEW} is {row['state']} ({row['reason'] or 'no reason given'})"
        )
    teller.line("delivery row", f"{row['state']}: {row['reason']}")
    teller.line("read back", f"{LAKEVIEW} holds nothing; {len(heard)} requests reached it, none about Leslie")
    result.result = "withheld, as it must be"
    return result


async def _delivery_row(stage: Stage, partner: str) -> dict[str, Any]:
    """What `casebridge deliveries` shows of the newest delivery to a partner."""
    async with wire(stage.settings(), database_url(stage.settings()), stage.service.url).running() as wiring:
        rows = await outbox_view.listing(wiring.context, partner, None)
    if not rows:
        raise WentWrong(f"there is no delivery row for {partner}")
    return rows[0]


async def _wait(true: Callable[[], Awaitable[bool]], otherwise: str, seconds: float = 30) -> None:
    try:
        async with asyncio.timeout(seconds):
            while not await true():
                await asyncio.sleep(0.1)
    except TimeoutError:
        raise WentWrong(f"{otherwise} within {seconds:.0f} seconds") from None
