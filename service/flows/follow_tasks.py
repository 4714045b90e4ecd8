"""A partner keeps the Task of our referral on its own server: look at it now and then, and take over its moves.

Every version we have not seen is taken in order, from the Task's history where the partner offers one, so that
the case manager is told each step; a partner without history is read as it stands, and the steps between are
inferred by the dialect's table.
"""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from urllib.parse import urlencode

from service.delivery.outcome import Answer
from service.delivery.receipt import found_task
from service.fhir.json import BadJson, JsonObject, decode_object, encode
from service.fhir.references import absolute
from service.flows.advance_referral import task_of
from service.flows.cancel_referral import take_answer
from service.flows.context import Context
from service.flows.deliver import peer_of
from service.flows.outgoing import stable_identifier
from service.flows.take_over import take_over
from service.kernel.events import log
from service.kernel.ids import new_id
from service.mapping import enrolment
from service.remote.outside import Outside
from service.remote.partner import Peer, Reply
from service.store import loops, partners, resources
from service.store.loops import Loop
from service.store.partners import Partner


async def take_looks(context: Context, free: int, busy: Sequence[str]) -> list[Loop]:
    """Up to `free` loops whose Task should be looked at now, none at a partner that is `busy` already."""
    now = context.clock()
    every = timedelta(seconds=context.settings.poll_seconds)
    async with context.database.unit() as unit:
        return await loops.due_for_polling(unit, now, every, free, busy)


async def follow(context: Context, outside: Outside, loop: Loop) -> None:
    """One Task: read what is new and take it over."""
    async with context.database.reading() as connection:
        partner = await partners.known(connection, loop.partner)
    if partner is None or partner.disabled_at is not None or partner.fhir_base is None:
        return
    peer = peer_of(partner)
    if loop.abort:
        await _follow_abort(context, outside, loop, loop.abort, partner)
    remote = loop.remote_task or await _sought(context, outside, loop.id, peer)
    if remote is None:
        return
    if loop.remote_task is None:
        async with context.database.unit(loops.lock_name(loop.id)) as unit:
            await loops.placed(unit, loop.id, remote, loop.next_poll)
    found = await _unseen(outside, remote, loop.remote_seen, peer)
    log("partner-polled", partner=partner.client_id, referral=loop.id, outcome=str(len(found)))
    if found:
        version, newest = found[-1]
        found[-1] = (version, await _with_enrolment(outside, newest, peer))
    for version, task in found:
        await take_version(context, loop.id, partner, version, task)


async def _follow_abort(context: Context, outside: Outside, loop: Loop, abort: str, partner: Partner) -> None:
    """What the partner says to our asking that the referral be cancelled."""
    peer = peer_of(partner)
    remote = loop.abort_remote or await _sought(context, outside, abort, peer)
    said = _body(await outside.partners.read(remote, peer, new_id())) if remote else None
    if remote is None or said is None or said.get("resourceType") != "Task":
        return
    async with context.database.unit(loops.lock_name(loop.id)) as unit:
        await loops.abort_placed(unit, loop.id, abort, remote)
        current = await loops.find(unit, loop.id)
        if current is not None and current.abort == abort:
            await take_answer(context, unit, current, partner, absolute(said, peer.fhir_base))


async def _sought(context: Context, outside: Outside, task: str, peer: Peer) -> str | None:
    """Where the partner keeps the Task, if it did not say so when it took it: searched by our identifier.

    By POST, so that the identifier is in nobody's access log; by GET where a partner does not know POST.
    """
    async with context.database.reading() as connection:
        rows = await resources.known(connection, [("Task", task)], None)
    if not rows or rows[0].deleted:
        return None
    identifier = stable_identifier(task_of(rows[0]), context.base)
    query = {"identifier": f"{identifier['system']}|{identifier['value']}"}
    reply = await outside.partners.search("Task", query, peer, new_id())
    if isinstance(reply.result, Answer) and reply.result.status in (400, 404, 405, 415, 501):
        reply = await outside.partners.read(f"Task?{urlencode(query)}", peer, new_id())
    if not isinstance(reply.result, Answer) or reply.result.status != 200:
        return None
    return found_task(reply.result.body, peer.fhir_base)


async def _unseen(
    outside: Outside, remote: str, seen: str | None, peer: Peer
) -> list[tuple[str, JsonObject]]:
    """(version, Task) of every version behind `seen`, the last one we took, oldest first."""
    current = _body(await outside.partners.read(remote, peer, new_id()))
    if current is None or current.get("resourceType") != "Task":
        return []
    newest = _version(current)
    if newest == seen:
        return []
    answered = await outside.partners.read(f"{remote}/_history", peer, new_id())
    if _away(answered):
        return []
    past = _body(answered)
    versions = [(newest, current)]
    if past is not None and past.get("resourceType") == "Bundle":
        rows = [entry.get("resource") for entry in past.get("entry") or [] if isinstance(entry, dict)]
        versions += [
            (_version(row), row)
            for row in rows
            if isinstance(row, dict) and row.get("resourceType") == "Task"
        ]
    ordered = sorted(dict(reversed(versions)).items(), key=lambda each: order(each[0]))
    return [each for each in ordered if later(each[0], seen)]


async def _with_enrolment(outside: Outside, task: JsonObject, peer: Peer) -> JsonObject:
    """The Task with the enrolment in words that its newest Observation at the partner says, if we may read it."""
    for reference in reversed(enrolment.named(task)):
        if reference.startswith((f"{peer.fhir_base}/", "Observation/")):
            observation = _body(await outside.partners.read(reference, peer, new_id()))
            stands = enrolment.said(observation) if observation else None
            if stands:
                return {**task, "output": [*task["output"], enrolment.in_words(stands)]}
    return task


def _away(reply: Reply) -> bool:
    """No answer for the moment: the next look will tell the steps between, so none is skipped now."""
    return not isinstance(reply.result, Answer) or reply.result.status in (429, 502, 503, 504)


def _body(reply: Reply) -> JsonObject | None:
    if not isinstance(reply.result, Answer) or reply.result.status != 200:
        return None
    try:
        return decode_object(reply.result.body)
    except BadJson:
        return None


def _version(task: JsonObject) -> str:
    """`lastUpdated` and version: what orders a partner's versions even if its version ids are not numbers.

    A partner that gives neither is known by what its Task says.
    """
    meta = task.get("meta")
    meta = meta if isinstance(meta, dict) else {}
    if "lastUpdated" not in meta and "versionId" not in meta:
        return f"#{sha256(encode(task)).hexdigest()}"
    return f"{meta.get('lastUpdated', '')} {meta.get('versionId', '')}"


def order(version: str) -> tuple[datetime, int, str]:
    """Instants are compared as instants: servers drop trailing zeros and change their offset in spring."""
    when, _, number = version.rpartition(" ")
    return _moment(when), int(number) if number.isdecimal() and len(number) < 10 else 0, number


def _moment(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return datetime.min.replace(tzinfo=UTC)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def later(version: str, seen: str | None) -> bool:
    """Not taken yet. Versions without time or number cannot be ordered: another one is a later one."""
    if seen is None or version.startswith("#") or seen.startswith("#"):
        return version != seen
    return order(version) > order(seen)


async def take_version(
    context: Context, loop_id: str, partner: Partner, version: str, remote: JsonObject
) -> None:
    """One version of the partner's Task, once."""
    async with context.database.unit(loops.lock_name(loop_id)) as unit:
        loop = await loops.find(unit, loop_id)
        if loop is None or not later(version, loop.remote_seen):
            return
        await loops.seen(unit, loop_id, version)
        await take_over(context, unit, loop, partner, absolute(remote, partner.fhir_base or ""))
