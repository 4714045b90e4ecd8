"""What can happen to a client, as fourteen_months.md words it: `planned signed`, `referred room northside 2026-03-11`."""

from collections.abc import Sequence
from typing import Any

from county import HARBOR, RIVERBEND, County
from page import Step, subject_of, timer_of

from service.flows import onboard_partner
from tests.coordination.gpra.complete import interview, record

SERVICES = {"room": "transitional-housing", "job": "job-training", "children": "child-care"}


async def live(here: County, steps: Sequence[Step]) -> None:
    """One step after the other; after each the worker looks, and every open case has one lead."""
    for number, step in enumerate(steps):
        if step.at > here.at:
            await here.until(step.at)
        await globals()[step.words[0].replace("-", "_")](here, step.client, *step.words[1:])
        if number + 1 == len(steps) or steps[number + 1].at != step.at:
            await here.look()
            await here.all_are_led()


async def opened(here: County, client: str, tier: str, lead: str, since: str = "") -> None:
    episode = {
        "status": "active",
        "start": since or here.day,
        "primaryCaseManager": lead,
        "intensity": tier,
    }
    name = {"family": client.title(), "given": [client.partition("-")[0].title()]}
    await _client(here, client, {"name": name, "episode": episode})


async def _client(here: County, client: str, said: dict[str, Any]) -> None:
    made = await here.file("clients", client, said)
    here.patients[client] = next(each for each in made["resources"] if each.startswith("Patient/"))


async def waitlisted(here: County, client: str) -> None:
    await _client(
        here, client, {"name": {"family": client}, "episode": {"status": "waitlist", "start": here.day}}
    )


async def finished(here: County, client: str, day: str = "") -> None:
    episode = here.filed["clients", client]["episode"]
    ended = {**episode, "status": "finished", "end": day or here.day}
    await here.revise("clients", client, episode=ended)


async def contact(here: County, client: str, mode: str, *more: str) -> None:
    await _met(here, client, mode, "linkage")


contacts = contact


async def crisis(here: County, client: str) -> None:
    await _met(here, client, "phone", "crisis")


async def followed(here: County, client: str, about: str) -> None:
    await _met(here, client, "phone", "monitoring", referrals=[f"{client}-{about}"], direct=False)


async def _met(here: County, client: str, mode: str, activity: str, **more: Any) -> None:
    id_ = f"{client}-{activity}-{here.at:%m%d%H%y}"
    said = {"client": client, "mode": mode, "activities": [activity], "direct": True, "start": here.now}
    await here.file("encounters", id_, {**said, **more})


async def assessed(here: County, client: str) -> None:
    said = {"client": client, "instrument": "prapare", "taken": here.now}
    await here.file("assessments", f"{client}-{here.day}", said)


async def planned(here: County, client: str, how: str = "", *review: str) -> None:
    plan: dict[str, Any] = {"client": client, "created": here.now, "period": {"start": here.day}}
    if review:
        plan["nextReview"] = review[-1]
    await here.file("care-plans", f"{client}-plan", plan)
    if how == "signed":
        await signed(here, client)


async def signed(here: County, client: str) -> None:
    signatures = [
        {"id": role, "role": role, "name": role, "at": here.now} for role in ("client", "case-manager")
    ]
    await here.revise("care-plans", f"{client}-plan", signatures=signatures)


async def reviewed(here: County, client: str) -> None:
    before = here.filed["care-plans", f"{client}-plan"]
    reviews = [*before.get("reviews", []), {"on": here.day, "found": "On the way."}]
    plan = {**before, "reviews": reviews}
    plan.pop("nextReview", None)
    await here.file("care-plans", f"{client}-plan", plan)


async def sampled(here: County, client: str, number: str) -> None:
    [task] = [t for t in await here.tasks(client) if timer_of(t) == "T5" and subject_of(t, client) == number]
    await here.ask(HARBOR, "PUT", f"/fhir/Task/{task['id']}", {**task, "status": "completed"})


async def referred(here: County, client: str, about: str, agency: str, start: str) -> None:
    said: dict[str, Any] = {
        "client": client, "service": SERVICES[about], "requested": here.now, "period": {"start": start},
    }  # fmt: skip
    if agency != "-":
        said["recipient"] = agency
    await here.file("referrals", f"{client}-{about}", said)


async def rescheduled(here: County, client: str, about: str, start: str) -> None:
    await here.revise("referrals", f"{client}-{about}", period={"start": start})


async def answered_by(here: County, client: str, agency: str, about: str, status: str) -> None:
    """The agency that was asked says how it goes, in the Task."""
    id_ = f"{client}-{about}"
    async with here.context.database.reading() as connection:
        task = await connection.fetchval("SELECT id FROM loop WHERE record = $1", id_)
    await _patch(here, agency.title(), f"/fhir/Task/{task}", status)


async def _patch(here: County, who: str, path: str, status: str) -> None:
    patch = [{"op": "replace", "path": "/status", "value": status}]
    await here.ask(who, "PATCH", path, patch, headers={"Content-Type": "application/json-patch+json"})


async def withdrawn(here: County, client: str, about: str) -> None:
    await here.revise(
        "referrals", f"{client}-{about}", status="cancelled", statusReason="The agency is closed."
    )


async def shut(here: County, _: str, agency: str) -> None:
    """The operator shuts an agency out that works no longer."""
    await onboard_partner.disable(here.context, agency.title())


async def started(here: County, client: str, about: str) -> None:
    await _outcome(here, client, about, status="in-progress", period={"start": here.day})


async def stopped(here: County, client: str, about: str) -> None:
    await _ended_as(here, client, about, "stopped")


async def ended(here: County, client: str, about: str) -> None:
    await _ended_as(here, client, about, "completed")


async def not_given(here: County, client: str, about: str) -> None:
    await _outcome(here, client, about, status="not-done", reason="no-capacity", period={"end": here.day})


async def _ended_as(here: County, client: str, about: str, status: str) -> None:
    before = here.filed["service-outcomes", f"{client}-{about}"]
    await _outcome(here, client, about, status=status, period={**before["period"], "end": here.day})


async def _outcome(here: County, client: str, about: str, **said: Any) -> None:
    more = {"client": client, "service": SERVICES[about], "referral": f"{client}-{about}"}
    await here.file("service-outcomes", f"{client}-{about}", {**more, **said})


async def asked(here: County, client: str, about: str) -> None:
    said = {"client": client, "referral": f"{client}-{about}", "asked": here.now, "appropriate": "agree"}
    await here.file("satisfactions", f"{client}-{about}-{here.day}", said)


async def complained(here: County, client: str, about: str) -> None:
    said = {"client": client, "received": here.now, "words": "It does not work."}
    await here.file("complaints", f"{client}-{about}", said)


async def replied(here: County, client: str, about: str) -> None:
    replies = [{"text": "Seen to.", "at": here.now}]
    await here.revise("complaints", f"{client}-{about}", status="answered", replies=replies)


async def gpra(here: County, client: str, type_: str, *said: str) -> None:
    held = interview(type_, here.day, **({"FLWPStatus": said[0]} if said else {}))
    id_ = f"{client}-{type_}"
    await here.file("gpra-interviews", id_, record(held, id_, client=client, gpraClient=client[:15]))


async def closing(here: County, client: str, leaves: str = "") -> None:
    said: dict[str, Any] = {"client": client, "status": "planned"}
    await here.file("closings", f"{client}-closing", said | ({"plannedFor": leaves} if leaves else {}))


async def aftercare(here: County, client: str) -> None:
    await here.file("care-plans", f"{client}-aftercare", {
        "client": client, "kind": "aftercare-plan", "created": here.now, "period": {"start": here.day}})  # fmt: skip


async def closed(here: County, client: str) -> None:
    await here.revise("closings", f"{client}-closing", status="closed", closed=here.day, reason="goals-met")
    await finished(here, client)


async def admitted(here: County, client: str) -> None:
    here.stays[client] = await here.ask(RIVERBEND, "POST", "/fhir/Encounter", {
        "resourceType": "Encounter", "status": "in-progress", "subject": {"reference": here.patients[client]},
        "class": {"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "IMP"},
        "type": [{"text": "Inpatient stay"}], "period": {"start": here.day},
    })  # fmt: skip


async def leaving(here: County, client: str, day: str) -> None:
    stay = here.stays[client]
    stay = {**stay, "period": {**stay["period"], "end": day}}
    here.stays[client] = await here.ask(RIVERBEND, "PUT", f"/fhir/Encounter/{stay['id']}", stay)


async def consented(here: County, client: str, agency: str) -> None:
    permission = {
        "recipients": [{"agency": agency}], "information": ["everything"], "purposes": ["coordination-of-care"],
    }  # fmt: skip
    await here.file("consents", f"{client}-{agency}", {
        "client": client, "permissions": [permission], "expires": "2028-03-05",
        "signature": {"by": "client", "name": client, "at": here.now},
        "statements": ["right-to-revoke", "redisclosure"], "explained": here.day})  # fmt: skip


async def lead(here: County, client: str, worker: str) -> None:
    """Harbor's record names somebody else."""
    episode = {**here.filed["clients", client]["episode"], "primaryCaseManager": worker}
    await here.revise("clients", client, episode=episode)
    who = await here.ask(HARBOR, "GET", f"/fhir/{here.patients[client]}/$primary-case-manager")
    asked = [each["valueReference"]["reference"] for each in who["parameter"] if each["name"] == "transfer"]
    if asked:
        here.transfers[client] = asked[0]


async def transfer(here: County, client: str, status: str, agency: str) -> None:
    await _patch(here, agency.title(), f"/fhir/{here.transfers[client]}", status)


async def move(here: County, client: str, instead: str, worker: str) -> None:
    await _say(here, client, caseManager=worker, instead=instead)


async def cover(here: County, client: str, worker: str, start: str, end: str) -> None:
    await _say(here, client, caseManager=worker, **{"as": "cover", "start": start, "end": end})


async def _say(here: County, client: str, **said: str) -> None:
    names = {name: reference for reference, name in here.workers.items()}
    rows = [{"name": name, "valueReference": {"reference": names[value]}} if name in ("caseManager", "instead")
            else {"name": name, "valueString": value} for name, value in said.items()]  # fmt: skip
    body = {"resourceType": "Parameters", "parameter": rows}
    await here.ask(HARBOR, "POST", f"/fhir/{here.patients[client]}/$primary-case-manager", body)
