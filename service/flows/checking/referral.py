"""A referral about nobody goes to the partner, is sent again, is followed, and is withdrawn."""

import asyncio
from dataclasses import dataclass, replace

from service.consent.decide import decide_self_test
from service.consent.release import Released, release
from service.consent.synthetic import SelfTest
from service.delivery.outcome import Answer
from service.delivery.receipt import task_location, told_status
from service.fhir.json import JsonObject
from service.flows import outgoing
from service.flows.checking.steps import Sheet, body_of, good, why
from service.flows.context import Context
from service.remote.outside import Outside
from service.remote.partner import Peer, Reply

STEPS = ("referral", "once", "follow", "notice", "clean up")
_LOOK = 0.2
_OVER = frozenset({"rejected", "completed", "cancelled", "failed", "entered-in-error"})


@dataclass(frozen=True, slots=True)
class Placed:
    """Where the partner put the Task, and how it stands there now."""

    place: str
    etag: str
    task: JsonObject


def written(context: Context, test: SelfTest, peer: Peer, copy: outgoing.Copy | None = None) -> Released:
    """The transaction, released on the ground `synthetic`: it makes, or (with `copy`) withdraws."""
    permit = decide_self_test(test, peer.recipient)
    resources = [one.item.resource for one in permit.cleared]
    if test.stage == "asked":
        return release(permit, outgoing.creation(resources, context.base))
    return release(permit, outgoing.replacement(resources, context.base, copy, {}))


async def place(
    sheet: Sheet, context: Context, outside: Outside, peer: Peer, test: SelfTest
) -> Placed | None:
    """Steps `referral` and `once`."""
    document = written(context, test, peer)
    reply = await _sent(sheet, outside, peer, document)
    if not _taken(reply):
        words = f"a transaction of Patient, ServiceRequest and Task: {why(reply)}."
        sheet.failed("referral", words, reply)
        return None
    sheet.passed("referral", "a test referral (Patient, ServiceRequest, Task) was taken.", reply)
    again = await _sent(sheet, outside, peer, document)
    query = {"identifier": "{system}|{value}".format(**test.identifier("Task"))}
    found = await sheet.tried(lambda id_: outside.partners.search("Task", query, peer, id_))
    tasks = [each.get("resource") or {} for each in body_of(found).get("entry") or [] if _matches(each)]
    _once(sheet, again, found, len(tasks))
    assert isinstance(reply.result, Answer)
    known = task_location(reply.result.body, peer.fhir_base)
    where = "/".join(known.split("/")[-2:]) if known else f"Task/{tasks[0].get('id')}" if tasks else None
    return Placed(where, "", {}) if where else None


async def _sent(sheet: Sheet, outside: Outside, peer: Peer, document: Released) -> Reply:
    return await sheet.tried(lambda id_: outside.partners.send(document, peer, id_))


def _matches(entry: JsonObject) -> bool:
    """A row of a search that is a match, and no OperationOutcome beside."""
    return bool((entry.get("search") or {}).get("mode", "match") == "match")


def _taken(reply: Reply) -> bool:
    """A 2xx whose body says so too: no entry refused, and no log-in page."""
    if not good(reply) or not isinstance(reply.result, Answer):
        return False
    status = told_status(reply.result.status, reply.result.body)
    return status is not None and status < 300


def _once(sheet: Sheet, again: Reply, found: Reply, count: int) -> None:
    if not good(again):
        sheet.failed(
            "once", f"the same referral sent again: {why(again)}; it must make nothing twice.", again
        )
    elif not good(found):
        sheet.failed("once", f"our Task cannot be searched for by its identifier: {why(found)}.", found)
    elif count == 1:
        sheet.passed("once", "sent again, it made nothing twice (ifNoneExist is kept).", again)
    else:
        told = "it is not found by its identifier" if count == 0 else f"there are {count} Tasks now"
        sheet.failed(
            "once", f"sent again, {told}: ifNoneExist must be honoured, or referrals come twice.", again
        )


async def follow(
    sheet: Sheet, outside: Outside, peer: Peer, placed: Placed, first: str, wait: float
) -> Placed | None:
    """Step `follow`: the Task is read until somebody answers it, or `wait` seconds are over."""
    until = asyncio.get_running_loop().time() + wait
    while True:
        reply = await sheet.tried(lambda id_: outside.partners.read(placed.place, peer, id_))
        task = body_of(reply)
        if not good(reply) or "status" not in task:
            words = f"{placed.place} was taken, but reading it: {why(reply) if not good(reply) else 'it is no Task'}."
            sheet.failed("follow", words, reply)
            return None
        status = str(task.get("status"))
        late = asyncio.get_running_loop().time() > until
        if (status != first and (status in _OVER or late)) or late:
            break
        await asyncio.sleep(_LOOK)
    etag = reply.headers.get("etag", "")
    _answered(sheet, reply, task, status, first, wait, etag)
    return Placed(placed.place, etag, task)


def _answered(
    sheet: Sheet, reply: Reply, task: JsonObject, status: str, first: str, wait: float, etag: str
) -> None:
    unmarked = "" if etag else " It sends no ETag: two that write at once would not notice."
    reason = task.get("statusReason")
    text = reason.get("text") if isinstance(reason, dict) else None
    if status == first:
        words = (
            f"the Task can be read; nobody answered it within {wait:g} s, which a person need not.{unmarked}"
        )
    elif status in ("rejected", "cancelled", "failed", "on-hold") and not text:
        words = f"the Task became {status} without statusReason.text: whoever asked must be told why."
        sheet.failed("follow", words, reply)
        return
    else:
        why_so = f": “{' '.join(str(text).split())[:120]}”" if text else ""
        words = f"the Task can be read; it is {status} now{why_so}.{unmarked}"
    sheet.passed("follow", words, reply)


async def withdraw(
    sheet: Sheet, context: Context, outside: Outside, peer: Peer, test: SelfTest, placed: Placed
) -> None:
    """Step `clean up`: Task and ServiceRequest entered in error, the synthetic Patient inactive."""
    gone = replace(test, stage="withdrawn", at=context.clock())
    ours = f"Task/{test.id_of('Task')}"
    for _ in range(3):
        latest = await sheet.tried(lambda id_: outside.partners.read(placed.place, peer, id_))
        copy = outgoing.Copy(
            ours, placed.place, latest.headers.get("etag", ""), body_of(latest), peer.fhir_base
        )
        document = written(context, gone, peer, copy)
        reply = await _sent(sheet, outside, peer, document)
        if _taken(reply) or not isinstance(reply.result, Answer) or reply.result.status not in (409, 412):
            break
    if good(reply):
        sheet.passed(
            "clean up", "Task and ServiceRequest are entered in error, the test client is inactive.", reply
        )
        return
    words = f"withdrawing the test referral: {why(reply)}. Please mark {placed.place} as entered-in-error by hand."
    sheet.failed("clean up", words, reply)
