"""A client answers on a page of ours what the case manager asked: by a one-time link, without an app or an account.

What it shows is the client's own: no consent is asked. It opens one task once, and says whose it is only then.
"""

from dataclasses import dataclass
from typing import Any, Final

from service.casework.records.client_task import ClientAnswer, ClientTask
from service.fhir.json import JsonObject
from service.fhir.outcome import Issue
from service.fhir.row import Row
from service.flows.access.roles import PATIENT_APP
from service.flows.access.scopes import parse_all
from service.flows.advance_referral import task_of
from service.flows.audit.witness import act
from service.flows.caller import Caller
from service.flows.context import Context
from service.flows.guests import LINK, LONGEST, VISIT, Choice, Link
from service.flows.issue_token import new_token
from service.flows.keep import Wish, keep, lock_names
from service.flows.tell_received import around, mapping_of
from service.kernel.clock import instant
from service.kernel.failures import Refused
from service.kernel.ids import ClientId
from service.mapping.client_task import KIND, is_client_task, outputs, whom
from service.mapping.table import table
from service.referral import lifecycle
from service.store import guests, partners, records, resources, tokens
from service.store.partners import Partner
from service.store.trail import current

_WORDS: Final = {"completed": "Send", "in-progress": "I have begun", "on-hold": "Not now", "failed": "I cannot",
                 "cancelled": "I do not want to"}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Page:
    """What the client sees. `contacts`: each with its name and the ways to reach it."""

    asker: str
    asked: ClientTask
    contacts: list[tuple[str, list[str]]]
    choices: list[Choice]
    version: int


async def make_link(context: Context, caller: Caller, record: str) -> Link:
    """A one-time link to what a client is asked; earlier links end.

    Refused: absent, unprocessable for what has ended and for a questionnaire, which the page cannot show.
    """
    caller.require_casework(KIND, "update")
    now = context.clock()
    async with context.database.unit() as unit:
        row = await _asked(unit, caller, record)
        task = task_of(row)
        if lifecycle.State(task["status"]).terminal:
            raise _no("the task has ended")
        if any("valueCanonical" in each for each in task.get("input", [])):
            raise _no("a questionnaire is filled in with an app, or together with the case manager")
        made = Link(new_token(), now + LINK)
        await guests.invite(unit, made.token, row.id, made.expires)
        unit.audit(act(context, "administration", "client-link-made", about=[row.patient or ""]))
    return made


async def offered(context: Context, token: str) -> None:
    """Refused("gone") unless the link opens. Looking does not use it up: mail programs look too."""
    async with context.database.reading() as connection:
        found = await guests.invited(connection, token, context.clock())
        if found is None or await _task(connection, found) is None:
            raise _over()


async def enter(context: Context, token: str) -> Link:
    """Use a link up; the visit's own token, for a cookie. Refused("gone")."""
    now = context.clock()
    visit = Link(new_token(), now + VISIT)
    async with context.database.unit() as unit:
        found = await guests.enter(unit, token, visit.token, now, visit.expires)
        row = await _task(unit, found) if found else None
        if row is None:
            raise _over()
        _known(await partners.find(unit, row.author), row, visit.token)
        unit.audit(act(context, "token", "client-link-opened", about=[row.patient or ""]))
    return visit


async def show(context: Context, visit: str) -> Page:
    """The task as it stands. Refused: unauthenticated when the visit is over."""
    async with context.database.reading() as connection:
        row, home, _ = await _visit(context, connection, visit)
        task = task_of(row)
        beside = await around(connection, task, {})
        people = await around(connection, {"beside": beside}, {})
    current().show([row])
    try:
        asked = table[KIND].to_record((task, *beside), mapping_of(context, home)).record
    except LookupError as error:
        raise _no(str(error)) from None
    moves = lifecycle.moves("patient-task", task["status"], "", "target")
    choices = [Choice(each.after.status, _WORDS[each.after.status], each.needs_reason) for each in moves]
    return Page(home.name, asked, whom(task, [*beside, *people]), choices, row.version)


async def answer(context: Context, visit: str, said: dict[str, str]) -> None:
    """The client's move: `status`, `reason`, `words` or `chosen`, `version` as the page had it.

    Refused: unauthenticated, stale when the task has moved meanwhile, unprocessable with the legal moves.
    """
    if any(len(text) > LONGEST for text in said.values()):
        raise Refused("malformed", f"a text is at most {LONGEST} characters long")
    async with context.database.reading() as connection:
        row, _, caller = await _visit(context, connection, visit)
    now = context.clock()
    async with context.database.unit(*lock_names([("Task", row.id)])) as unit:
        held = (await resources.lock(unit, [("Task", row.id)]))["Task", row.id]
        if str(held.version) != said.get("version"):
            raise Refused("stale", "this has changed since you opened the page; look again")
        task = {name: value for name, value in task_of(held).items() if name != "statusReason"}
        made: JsonObject = task | {"status": said.get("status", ""), "lastModified": instant(now)}
        if said.get("reason"):
            made["statusReason"] = {"text": said["reason"]}
        if output := _output(task, said):
            made["output"] = output
        await keep(context, unit, caller, [Wish(made, row.id)], now)


def _output(task: JsonObject, said: dict[str, str]) -> list[JsonObject]:
    """What is in the Task's output, and the client's answer; one contact is chosen, the last."""
    before: list[JsonObject] = task.get("output", [])
    if said.get("chosen"):
        return outputs(ClientAnswer(chosen=said["chosen"]))
    if said.get("words"):
        return [*before, *outputs(ClientAnswer(words=(said["words"],)))]
    return before


async def _asked(connection: Any, caller: Caller, record: str) -> Row:
    kept = await records.find(connection, caller.client_id, KIND, record)
    tasks = [each for each in kept.resources if each.startswith("Task/")] if kept and not kept.deleted else []
    row = await _task(connection, tasks[-1].removeprefix("Task/")) if tasks else None
    if row is None:
        raise Refused("absent", "there is no task of a client under this id")
    return row


async def _task(connection: Any, task: str) -> Row | None:
    row: Row | None = await resources.read(connection, "Task", task, None)
    return row if row is not None and not row.deleted and is_client_task(task_of(row)) else None


async def _visit(context: Context, connection: Any, visit: str) -> tuple[Row, Partner, Caller]:
    found = await guests.visiting(connection, visit, context.clock()) if visit else None
    row = await _task(connection, found) if found else None
    home = await partners.known(connection, row.author) if row else None
    if row is None or home is None or home.disabled_at is not None:
        raise Refused("unauthenticated", "your visit is over; ask for a new link")
    return row, home, _known(home, row, visit)


def _known(home: Partner, row: Row, visit: str) -> Caller:
    """The client's own eyes and hand, for this Task alone; the audit trail says that it came by a link."""
    trail = current()
    trail.client, trail.organization, trail.token = home.client_id, row.patient or "", tokens.mark(visit)
    return Caller(
        ClientId(home.client_id), "the client, by a link", row.patient or "", frozenset({PATIENT_APP}),
        parse_all(("system/Task.ru",)),
    )  # fmt: skip


def _no(text: str) -> Refused:
    return Refused("unprocessable", text, [Issue("error", "business-rule", text)])


def _over() -> Refused:
    return Refused(
        "gone", "this link was used already, was replaced by a newer one, or is too old; ask for another"
    )
