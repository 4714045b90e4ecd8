"""A partner sends a message: a referral to us, news of its own referral, or news of ours. BSeR 2.0.0-ballot, push.

`POST $process-message`. The message, what it changes and the answer to it are one commit, so that the same message
again is answered the same and changes nothing. A refusal is not remembered: once its cause is gone, the same message is
taken.
"""

import base64
from collections.abc import Mapping
from dataclasses import replace

from service.fhir.bundle import entries
from service.fhir.catalogue import catalogue
from service.fhir.json import Json, JsonObject, encode
from service.fhir.message import HEADER, Code, Message, answer, expect_referral, fault, message_of
from service.fhir.outcome import Issue
from service.fhir.references import local, rewritten
from service.fhir.search import keys
from service.flows.advance_referral import PERFORMERS, side_of, task_of
from service.flows.aims import aim, expect_distinct
from service.flows.audit.witness import refused_part
from service.flows.caller import Caller
from service.flows.context import Context
from service.flows.follow_tasks import order
from service.flows.outgoing import query
from service.flows.receive_bundle import Done, write
from service.flows.take_over import take_over
from service.kernel.failures import Refused
from service.referral import lifecycle
from service.referral import loop as referral
from service.store import loops, messages, partners, resources
from service.store.loops import Loop
from service.store.messages import Taken
from service.store.partners import Partner
from service.store.unit import Unit

_LATER = ("conflict", "stale")
"""Refusals that the same message does not meet again: somebody else wrote at the same moment."""


async def receive_message(context: Context, caller: Caller, bundle: JsonObject) -> bytes:
    """The message that answers. Refused only for what is no message, and for a token that does not cover it."""
    message = message_of(bundle, context.settings.max_bundle_entries)
    try:
        return await _taken(context, caller, message)
    except Refused as refused:
        if refused.reason == "forbidden":
            raise
        refused_part("process-message", "", refused)
        code: Code = "transient-error" if refused.reason in _LATER else "fatal-error"
        issues = [each for each in refused.issues if isinstance(each, Issue)]
        issues = issues or [Issue("error", "processing", refused.text, HEADER)]
        return encode(answer(message, code, issues, context.base, context.clock()))


async def _taken(context: Context, caller: Caller, message: Message) -> bytes:
    async with context.database.unit(messages.lock_name(caller.client_id, message.id)) as unit:
        before = await messages.find(unit, caller.client_id, message.id)
        if before is not None and before.digest != message.digest:
            raise fault("another message with this id was taken before", f"{HEADER}.id", "value")
        if before is not None:
            return before.answer
        partner = await partners.find(unit, caller.client_id)
        meant = _here(message, partner, context.base)
        _expect_ours(context, caller, partner, meant)
        await _take(context, unit, caller, partner, meant)
        now = context.clock()
        said = encode(answer(message, "ok", [], context.base, now))
        await messages.keep(unit, Taken(caller.client_id, message.id, message.digest, said, now))
    return said


def _expect_ours(context: Context, caller: Caller, partner: Partner, message: Message) -> None:
    """Refused for a message that this partner may not send, or not to us."""
    if caller.custodian or partner.dialect != "bser":
        text = "messages are for partners whose dialect is bser; the operator can change yours"
        raise fault(text, HEADER, "business-rule")
    expect_referral(message, context.base)
    _expect_own(context, caller, message.header.get("sender"), f"{HEADER}.sender")


def _here(message: Message, partner: Partner, base: str) -> Message:
    """The message with its references as they are meant here: relative ones are its sender's, those to us are ours."""

    def meant(text: str) -> str | None:
        if text.startswith(f"{base}/"):
            found = local(text, base)
            return "/".join(found) if found else None
        return f"{partner.fhir_base.rstrip('/')}/{text}" if local(text) and partner.fhir_base else None

    rows = [{**row, "resource": rewritten(row["resource"], meant)} for row in message.rows]
    return replace(message, header=rows[0]["resource"], rows=rows)


def _expect_own(context: Context, caller: Caller, reference: Json, place: str) -> None:
    """Nobody speaks for another agency that is known here."""
    text = reference.get("reference") if isinstance(reference, dict) else None
    found = local(text, context.base) if isinstance(text, str) else None
    if found is not None and "/".join(found) != caller.organization:
        raise fault("this is not the agency whose token the message came with", place, "value")


async def _take(context: Context, unit: Unit, caller: Caller, partner: Partner, message: Message) -> None:
    place, task = message.focus("Task")
    found = await loops.known_as(unit, partner.client_id, _names(task))
    if len(found) > 1:
        raise fault(
            "several referrals have this identifier", f"Bundle.entry[{place}].resource.identifier", "value"
        )
    try:
        if not found:
            await _begin(context, unit, caller, partner, message, place)
        elif found[0].direction == "inbound":
            await _asked_anew(context, unit, caller, partner, message, place, found[0])
        else:
            await _told(context, unit, caller, partner, message, place, found[0])
    except Refused as refused:
        issues = [_placed(each, place) for each in refused.issues if isinstance(each, Issue)]
        raise Refused(refused.reason, refused.text, issues, **refused.facts) from None


def _placed(issue: Issue, place: int) -> Issue:
    """What is said of the Task, said of its place in the message."""
    if not issue.expression.startswith("Task"):
        return issue
    return replace(issue, expression=f"Bundle.entry[{place}].resource{issue.expression.removeprefix('Task')}")


def _names(task: JsonObject) -> list[str]:
    """The search keys of a Task's identifiers."""
    rows = task.get("identifier")
    whole = [
        (each["system"], each["value"])
        for each in (rows if isinstance(rows, list) else [])
        if isinstance(each, dict)
        and isinstance(each.get("system"), str)
        and isinstance(each.get("value"), str)
    ]
    return [keys.token(keys.name("Task", "identifier"), keys.coding_of(*each)) for each in whole]


async def _begin(
    context: Context, unit: Unit, caller: Caller, partner: Partner, message: Message, place: int
) -> None:
    """A referral to us that we do not know yet."""
    task = message.rows[place]["resource"]
    where = f"Bundle.entry[{place}].resource"
    first = lifecycle.first(side_of(partner).dialect)
    if not _names(task):
        raise fault(
            "a referral is known by Task.identifier, with system and value", f"{where}.identifier", "required"
        )
    if lifecycle.spoken("bser", referral.state(task)) != first:
        text = f"no referral is known by this identifier, and one that begins is '{first.status}' ({first.business})"
        raise fault(text, f"{where}.identifier", "not-found")
    _expect_own(context, caller, task.get("requester"), f"{where}.requester")
    home = await partners.home(unit)
    if home is not None and _inside(task.get("owner")):
        task = {**task, "owner": {"reference": home.organization, "display": home.name}}
    rows = {
        n: (row["resource"], "POST", row["resource"]["resourceType"]) for n, row in _beside(message, place)
    }
    kept = {**rows, place: (task, "POST", "Task")}
    done = await _written(context, unit, caller, message, kept, task.get("for"))
    filed = done[place].row
    if filed is None or await loops.find(unit, filed.id) is None:
        raise fault(
            "this referral asks nothing of the agency that is at home here", f"{where}.owner", "value"
        )


async def _asked_anew(
    context: Context, unit: Unit, caller: Caller, partner: Partner, message: Message, place: int, loop: Loop
) -> None:
    """The partner changes its own referral, or asks to cancel it: the request is its word, the progress is ours."""
    row = (await resources.known(unit, [("Task", loop.id)], None))[0]
    before, said = task_of(row), message.rows[place]["resource"]
    when = str(said.get("lastModified", ""))
    if _older(when, loop.remote_seen):
        return
    if when:
        await loops.seen(unit, loop.id, f"{when} ")
    dialect = side_of(partner).dialect
    verdict = lifecycle.settle(dialect, referral.state(before), referral.state(said), "requester")
    if isinstance(verdict, lifecycle.Illegal):
        raise fault(verdict.text, f"Bundle.entry[{place}].resource.status", "business-rule")
    ours = {name: before[name] for name in (*PERFORMERS, "owner") if name in before}
    after = {**{name: value for name, value in said.items() if name not in PERFORMERS}, **ours}
    if isinstance(verdict, lifecycle.Advanced):
        moved = {name: said[name] for name in ("statusReason", "lastModified") if name in said}
        after = {**referral.standing(after, dialect, verdict.state), **moved}
    rows = {n: (each["resource"], *_update(each["resource"])) for n, each in _beside(message, place)}
    task = ({**after, "id": loop.id}, "PUT", f"Task/{loop.id}")
    await _written(context, unit, caller, message, {**rows, place: task}, said.get("for"), row.version, place)


async def _told(
    context: Context, unit: Unit, caller: Caller, partner: Partner, message: Message, place: int, loop: Loop
) -> None:
    """The partner says what became of our referral; what it names of ours is ours already, the rest is its own."""
    task = message.rows[place]["resource"]
    ours = _ours(task, message.rows[place].get("fullUrl", ""), loop)
    rows = {
        n: (rewritten(row["resource"], ours.get), "POST", row["resource"]["resourceType"])
        for n, row in _beside(message, place)
        if row.get("fullUrl") not in ours and not str(row.get("fullUrl")).startswith(f"{context.base}/")
    }
    done = await _written(context, unit, caller, message, rows, {"reference": loop.patient})
    made = {str(message.rows[n].get("fullUrl")): each.row.reference for n, each in done.items() if each.row}
    await unit.lock(loops.lock_name(loop.id))
    current = await loops.find(unit, loop.id)
    when = str(task.get("lastModified", ""))
    if current is None or _older(when, current.remote_seen):
        return
    if when:
        await loops.seen(unit, loop.id, f"{when} ")
    illegal = await take_over(context, unit, current, partner, rewritten(task, {**ours, **made}.get))
    if illegal is not None:
        raise fault(illegal.text, f"Bundle.entry[{place}].resource.status", "business-rule")


def _ours(task: JsonObject, full_url: str, loop: Loop) -> dict[str, str]:
    """By the names that the message uses: our Task, its request and its client."""
    mine = {full_url: f"Task/{loop.id}"}
    for element, reference in (("focus", loop.request), ("for", loop.patient)):
        named = task.get(element)
        text = named.get("reference") if isinstance(named, dict) else None
        if isinstance(text, str) and text.startswith("urn:") and reference:
            mine[text] = reference
    return mine


def _beside(message: Message, place: int) -> list[tuple[int, JsonObject]]:
    """(place, entry) of everything but the header and the Task."""
    return [(n, row) for n, row in enumerate(message.rows) if n not in (0, place)]


Wanted = tuple[JsonObject, str, str]
"""A resource, and the method and the URL by which a transaction would keep it."""


async def _written(
    context: Context, unit: Unit, caller: Caller, message: Message, wanted: Mapping[int, Wanted],
    client: Json, version: int | None = None, versioned: int = -1,
) -> dict[int, Done]:  # fmt: skip
    """What a transaction of these would do, by the places they have in the message. `client`: about whom it is."""
    rows: list[Json] = [{"request": {"method": "GET", "url": ""}} for _ in message.rows]
    for place, (resource, method, url) in wanted.items():
        kept = resource if resource["resourceType"] in catalogue else _document(resource, client)
        request = {"method": method, "url": url if kept is resource else kept["resourceType"]}
        if method == "POST" and (named := _condition(kept)):
            request["ifNoneExist"] = named
        if place == versioned:
            request["ifMatch"] = f'W/"{version}"'
        body = {name: value for name, value in kept.items() if name != "id" or place == versioned}
        rows[place] = {
            "fullUrl": message.rows[place].get("fullUrl", ""),
            "resource": body,
            "request": request,
        }
    found = entries({"entry": rows}, len(rows))
    aims = [aim(entry, caller, context.base) for entry in found if entry.place in wanted]
    expect_distinct(aims)
    return await write(context, unit, caller, aims) if aims else {}


def _document(resource: JsonObject, client: Json) -> JsonObject:
    """What has no type of its own here (BSeR: a document Bundle) is kept whole, as a document."""
    body = base64.b64encode(encode(resource)).decode()
    attachment = {"contentType": "application/fhir+json", "title": resource["resourceType"], "data": body}
    about = {"subject": client} if isinstance(client, dict) else {}
    content = [{"attachment": attachment}]
    return {"resourceType": "DocumentReference", "status": "current", **about, "content": content}


def _update(resource: JsonObject) -> tuple[str, str]:
    """What is about the client follows its sender's word; agencies and people are made once."""
    type_ = resource["resourceType"]
    named = _condition(resource)
    follows = bool(named) and type_ in catalogue and catalogue[type_].nature == "client"
    return ("PUT", f"{type_}?{named}") if follows else ("POST", type_)


def _condition(resource: JsonObject) -> str:
    """By its first identifier; empty when it has none."""
    rows = resource.get("identifier")
    whole = [each for each in (rows if isinstance(rows, list) else []) if isinstance(each, dict)]
    return next((query(each) for each in whole if each.get("system") and each.get("value")), "")


def _inside(reference: Json) -> bool:
    """Does it name an entry of the message?"""
    text = reference.get("reference") if isinstance(reference, dict) else None
    return isinstance(text, str) and text.startswith("urn:")


def _older(when: str, seen: str | None) -> bool:
    """Said before what we have heard last? By the sender's own clock."""
    return bool(when and seen) and order(f"{when} ") < order(str(seen))
