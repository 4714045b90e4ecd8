"""One referral's story: what was asked, what each side did, what was sent, what consent said, and when."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from service.fhir.audit import PERSON
from service.fhir.audited import Audited
from service.fhir.json import JsonObject, decode_object, encode
from service.fhir.row import Row
from service.flows.console.referrals import told
from service.flows.console.telling import content, noticed
from service.flows.console.visit import View, Visit
from service.flows.keep import absent
from service.mapping.saying import said
from service.referral import loop as referral
from service.store import audit, partners, resources
from service.store.audit import Sought
from service.store.console import deliveries, referrals
from service.store.console.deliveries import Tried
from service.store.console.referrals import Listed, News, Wanted
from service.store.trail import current

MOST = 200
"""Of each kind of moment; a longer story shows its newest part and says so."""
_WRITES = ("create", "update", "patch", "delete", "transaction")


@dataclass(frozen=True, slots=True)
class Moment:
    """Something that happened. `tone` is good, bad or plain; `link` a page with more."""

    at: datetime
    kind: str
    title: str
    detail: str = ""
    by: str = ""
    tone: str = "plain"
    link: str = ""


async def show(visit: Visit) -> View:
    """The loop, its timeline (oldest first) and its deliveries. Refused: absent."""
    id_ = visit.parts["id"]
    names = visit.person.sees_clients
    async with visit.context.database.reading() as connection:
        found = await referrals.page(connection, Wanted(), None, 1, id_)
        if not found:
            raise absent("referral", id_)
        loop = found[0]
        versions = await resources.history(connection, "Task", id_, None, 2**31 - 1, MOST)
        parts = await referrals.page(connection, Wanted(parent=id_), None, MOST)
        sent = await deliveries.of_loop(connection, id_, MOST)
        tried = await deliveries.attempts(connection, [each.id for each in sent], MOST)
        patient = loop.patient.reference if loop.patient else ""
        asked = Sought(about=[patient], kinds=["consent"], low=loop.opened) if patient else Sought(ids=[])
        decided = await audit.find(connection, asked, MOST)
        writes = await audit.find(connection, Sought(about=[f"Task/{id_}"], actions=_WRITES), MOST)
        known: dict[str, str] = {each.client_id: each.name for each in await partners.everyone(connection)}
        told_to = await referrals.events_about(
            connection, visit.caller.client_id, encode(loop.record), loop.opened - timedelta(minutes=1),
            max(loop.updated, visit.now), MOST,
        )  # fmt: skip
    if names:
        current().show(
            [row for row in (loop.patient, loop.request, *(each.patient for each in parts)) if row]
        )
    requests = {each.request_id for each in tried}
    moments = [
        *_versions(versions, writes, known, loop, names=names),
        *_attempts(tried, loop),
        *_decisions([row for row in decided if row.request in requests], loop, names=names),
        *_events(told_to, loop.record),
    ]
    return {
        **told(loop, names=names),
        "timeline": sorted(moments, key=lambda each: each.at),
        "deliveries": sent,
        "parts": [told(each, names=names) for each in parts],
        "cut": max(len(versions), len(sent), len(tried), len(decided), len(told_to)) >= MOST,
        "task": content(versions[0]) if versions and names else {},
        "notice": noticed([*versions[:1], loop.patient, loop.request], visit.caller.client_id)
        if names
        else [],
    }


def _versions(
    rows: Sequence[Row], writes: Sequence[Audited], known: Mapping[str, str], loop: Listed, *, names: bool
) -> Iterable[Moment]:
    """What each version of the Task changed; `rows` newest first. Notes and reasons only for who sees clients."""
    authors = {row.version: row for row in writes}
    before: JsonObject = {}
    for row in reversed(rows):
        task = content(row)
        changed = _changed(before, task) if names else []
        status = str(task.get("status", "deleted")).replace("-", " ")
        title = f"Status: {status}" if task.get("status") != before.get("status") else "Updated"
        if row.version == 1:
            title = f"Asked ({status})"
        yield Moment(
            row.updated,
            "task",
            title,
            "; ".join(changed),
            _who(authors.get(row.version), known, loop),
            _tone(task, before),
        )
        before = task


def _changed(before: JsonObject, task: JsonObject) -> list[str]:
    found = []
    for name, word in (("statusReason", "reason"), ("businessStatus", "stands")):
        if task.get(name) != before.get(name) and (text := said(task.get(name))):
            found.append(f"{word}: {text}")
    earlier = [said(each) for each in before.get("note", []) if isinstance(each, dict)]
    notes = [said(each) for each in task.get("note", []) if isinstance(each, dict)]
    found += [f"note: {text}" for text in notes if text and text not in earlier]
    seen = referral.outputs(before)
    return found + [
        f"{each.kind}: {each.text or each.code or each.reference}"
        for each in referral.outputs(task)
        if each not in seen
    ]


def _tone(task: JsonObject, before: JsonObject) -> str:
    if task.get("status") == before.get("status"):
        return "plain"
    return {"completed": "good", "accepted": "good", "rejected": "bad", "failed": "bad"}.get(
        str(task.get("status")), "plain"
    )


def _who(row: Audited | None, known: Mapping[str, str], loop: Listed) -> str:
    """Who wrote a version. What we wrote into our own copy of a referral we sent, we read at the partner's server."""
    if row is None:
        return ""
    if row.client.startswith(PERSON):
        return row.client.removeprefix(PERSON)
    ourselves = f"read from {loop.partner}" if loop.direction == "outbound" else "Casebridge"
    return known.get(row.client, row.client) or ourselves


def _attempts(rows: Sequence[Tried], loop: Listed) -> Iterable[Moment]:
    for row in rows:
        answer = f"answered {row.status} in {row.milliseconds} ms" if row.status else "no answer"
        detail = answer if not row.detail else row.detail if not row.status else f"{answer}: {row.detail}"
        if row.outcome == "withheld":
            title, detail = f"Not sent to {loop.partner}", row.detail
        else:
            title = {"delivered": "Delivered to", "retry": "Not taken yet by", "dead": "Given up at"}.get(
                row.outcome, "Tried"
            ) + f" {loop.partner}"
        tone = {"delivered": "good", "dead": "bad", "withheld": "bad"}.get(row.outcome, "plain")
        yield Moment(row.at, "delivery", title, detail, "", tone, f"/console/deliveries/{row.delivery}")


def _decisions(rows: Sequence[Audited], loop: Listed, *, names: bool) -> Iterable[Moment]:
    for row in rows:
        if row.outcome == "0":
            grounds = ", ".join(filter(None, [f"ground: {row.basis}", row.detail]))
            link = f"/console/resources/{row.consents[0]}" if row.consents and names else ""
            yield Moment(
                row.at, "consent", f"Consent permits {loop.partner}", grounds, tone="good", link=link
            )
        else:
            yield Moment(
                row.at, "consent", f"Consent does not permit {loop.partner}", f"rule: {row.rule}", tone="bad"
            )


def _events(rows: Sequence[News], record: str) -> Iterable[Moment]:
    """Only this referral's; what the casework system was told, beside what made it so."""
    for row in rows:
        if decode_object(row.body).get("referral") == record:
            yield Moment(row.at, "event", f"Told the case-management system: {row.kind}")
