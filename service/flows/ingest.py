"""Lines of newline-delimited JSON, each filed as its partner could file it here: by the rules of update and delete.

What has been taken is not taken twice: a line with an id is an update (the same content again is the same version), one
without gets an id made of what it says, and a deletion of what is gone is done already.
"""

import hashlib
from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass, replace
from typing import Literal

from service.fhir.catalogue import catalogue
from service.fhir.json import BadJson, JsonObject, decode_object
from service.fhir.outcome import Issue
from service.fhir.references import local
from service.flows.access.scopes import parse_all
from service.flows.caller import Caller
from service.flows.context import Context
from service.flows.delete import delete
from service.flows.update import update
from service.flows.writing import expect_type
from service.kernel.failures import Refused
from service.store import partners
from service.store.trail import begin, current

Outcome = Literal["created", "updated", "unchanged", "deleted", "refused"]


@dataclass(frozen=True, slots=True)
class Line:
    """One line as it was read. `raw` None: it is longer than a request body may be."""

    file: str
    number: int
    raw: bytes | None


@dataclass(frozen=True, slots=True)
class Ingested:
    """What became of a line: the reference of what it is here, or why it was refused: places and sentences."""

    line: Line
    outcome: Outcome
    reference: str = ""
    issues: tuple[str, ...] = ()


async def partner_named(context: Context, name: str) -> Caller:
    """Whom the lines come from. Refused when there is no such partner, or it is disabled."""
    async with context.database.reading() as connection:
        found = await partners.named(connection, name)
    if found is None or found.disabled_at is not None:
        raise Refused("absent", f"there is no enabled partner named {name!r}")
    roles = frozenset(found.roles)
    return Caller(found.client_id, found.name, found.organization, roles, parse_all(found.scopes))


async def ingest(context: Context, caller: Caller, lines: Iterable[Line]) -> AsyncIterator[Ingested]:
    """Each line in its turn, a commit of its own; a line that is refused stops none of the others."""
    who = current()
    for line in lines:
        begin(replace(who, shown=[], grounds={}, withheld={}, refusals=[], written=False))
        try:
            yield await _one(context, caller, line)
        except Refused as refused:
            yield Ingested(line, "refused", "", _said(refused))


def _said(refused: Refused) -> tuple[str, ...]:
    found = [each for each in refused.issues if isinstance(each, Issue) and each.fails]
    return tuple(dict.fromkeys(_sentence(each) for each in found)) or (refused.text,)


def _sentence(issue: Issue) -> str:
    named = not issue.expression or issue.text.startswith(issue.expression)
    return issue.text if named else f"{issue.expression}: {issue.text}"


async def _one(context: Context, caller: Caller, line: Line) -> Ingested:
    if line.raw is None:
        raise Refused("too-large", f"the line is longer than {context.settings.max_body_bytes} bytes")
    try:
        resource = decode_object(line.raw)
    except BadJson as error:
        raise Refused("malformed", f"the line is not usable JSON: {error}") from None
    if not isinstance(resource.get("resourceType"), str):
        raise Refused("malformed", "the line has no `resourceType`")
    if "entry" in resource and resource["resourceType"] not in catalogue:
        return await _deletions(context, caller, line, resource)
    id_ = resource.get("id", _own_id(caller, line.raw))
    if not isinstance(id_, str):
        raise Refused("malformed", "the id is not a text")
    done = await update(context, caller, id_, {**resource, "id": id_}, None)
    outcome: Outcome = "created" if done.kept.created else "updated" if done.kept.changed else "unchanged"
    return Ingested(line, outcome, done.kept.row.reference)


def _own_id(caller: Caller, raw: bytes) -> str:
    """The same for the same line: below the partner's own Organization's id, where it may choose."""
    digest = hashlib.sha256(caller.client_id.encode() + b"\n" + raw).hexdigest()[:24]
    return f"{caller.organization.rpartition('/')[2][:39]}.{digest}"


async def _deletions(context: Context, caller: Caller, line: Line, bundle: JsonObject) -> Ingested:
    """A line of the `deleted` files of an export: a transaction of nothing but DELETE."""
    expect_type(bundle, "Bundle")
    entries = bundle.get("entry")
    rows = entries if isinstance(entries, list) else []
    keys = [_deleting(each.get("request") if isinstance(each, dict) else None) for each in rows]
    if bundle.get("type") != "transaction" or not keys or None in keys:
        raise Refused("malformed", "a Bundle in a line is a transaction of deletions, as exports have them")
    gone = [key for key in keys if key and await _deleted(context, caller, *key)]
    reference = " ".join("/".join(key) for key in keys if key)
    return Ingested(line, "deleted" if gone else "unchanged", reference)


def _deleting(request: object) -> tuple[str, str] | None:
    if not isinstance(request, dict) or request.get("method") != "DELETE":
        return None
    return local(str(request.get("url", "")))


async def _deleted(context: Context, caller: Caller, type_: str, id_: str) -> bool:
    try:
        return await delete(context, caller, type_, id_, None) is not None
    except Refused as refused:
        if refused.reason in ("absent", "gone"):
            return False
        raise
