"""The trail as AuditEvents: read and search, for auditors and the custodian; for everybody else there are none.

They are rendered from the rows when asked for, so they have no versions and nobody writes them.
"""

from datetime import datetime
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from service.fhir import audit as shape
from service.fhir.audit import Here, render
from service.fhir.audited import Audited
from service.fhir.bundle import join
from service.fhir.json import JsonObject, encode
from service.fhir.outcome import Issue
from service.fhir.search.moments import interval
from service.flows.audit import may_audit
from service.flows.caller import Caller
from service.flows.context import Context
from service.flows.keep import absent
from service.flows.search.cursors import Bookmark, seal, unseal
from service.kernel.failures import Refused
from service.store import audit, grounds, partners
from service.store.audit import Sought

TYPE = "AuditEvent"
_GROUND = "urn:uuid:"
DEFAULT_COUNT, MAX_COUNT = 50, 500
_PASSIVE = ("_format", "_pretty", "_count", "_cursor")
Pairs = tuple[tuple[str, str], ...]


async def read(context: Context, caller: Caller, id_: str) -> bytes:
    """One event. Refused: absent, also for whoever may not audit."""
    caller.require(TYPE, "r")
    if not may_audit(caller) or not _is_uuid(id_):
        raise absent(TYPE, id_)
    async with context.database.reading() as connection:
        rows = await audit.find(connection, Sought(ids=[id_]), 1)
        if not rows:
            raise absent(TYPE, id_)
        [body] = await _rendered(context, connection, rows)
    return encode(body)


async def search(context: Context, caller: Caller, pairs: Pairs) -> bytes:
    """A searchset, newest first. Refused for a parameter that is not offered, or wrong."""
    caller.require(TYPE, "s")
    asked, before = _resumed(context, caller, pairs)
    sought, count = sought_of(asked, before), _count(asked)
    async with context.database.reading() as connection:
        rows = await audit.find(connection, sought, count + 1) if may_audit(caller) else []
        shown = await _rendered(context, connection, rows[:count])
    here = f"{context.base}/{TYPE}"
    links = [{"relation": "self", "url": f"{here}?{urlencode(asked)}".rstrip("?")}]
    if len(rows) > count:
        last = rows[count - 1]
        mark = Bookmark(caller.client_id, TYPE, None, asked, context.clock(), (last.at.isoformat(), last.id))
        links.append({"relation": "next", "url": f"{here}?_cursor={seal(context.settings, mark)}"})
    entries = (
        encode({"fullUrl": f"{here}/{each['id']}", "resource": each, "search": {"mode": "match"}})
        for each in shown
    )
    return join("searchset", [("link", encode(links))], entries)


async def _rendered(context: Context, connection: Any, rows: list[Audited]) -> list[JsonObject]:
    home = await partners.home(connection)
    named = {each.removeprefix(_GROUND) for row in rows for each in row.consents if each.startswith(_GROUND)}
    acts = {
        f"{_GROUND}{one.id}": (one.document, one.nature)
        for one in await grounds.known(connection, sorted(named))
    }
    here = Here(context.base, home.organization if home else "", acts)
    asked = await audit.queries(connection, [row.id for row in rows if row.query_mac])
    return [render(row, here, asked.get(row.id, "")) for row in rows]


def _resumed(context: Context, caller: Caller, pairs: Pairs) -> tuple[Pairs, tuple[datetime, str] | None]:
    cursor = dict(pairs).get("_cursor")
    if cursor is None:
        return pairs, None
    mark = unseal(context.settings, cursor, caller.client_id, TYPE)
    at, id_ = mark.place
    return mark.pairs, (datetime.fromisoformat(at), id_)


def _count(pairs: Pairs) -> int:
    text = dict(pairs).get("_count", str(DEFAULT_COUNT))
    if not (text.isascii() and text.isdecimal()) or len(text) > 9 or int(text) == 0:
        raise _wrong("_count must be a positive whole number")
    return min(int(text), MAX_COUNT)


def sought_of(pairs: Pairs, before: tuple[datetime, str] | None = None) -> Sought:
    """The parameters as a question to the store; several of one name must all hold where that can be."""
    asked: dict[str, list[str]] = {}
    for name, value in pairs:
        if name in _PASSIVE:
            continue
        if ":" in name:
            raise _wrong(f"{TYPE} is searched without modifiers and chains here")
        if name not in shape.OFFERED:
            shown = (
                name if name.replace("-", "").replace("_", "").isalnum() and len(name) < 40 else "one of them"
            )
            raise _wrong(f"{TYPE} has no search parameter {shown} here; GET metadata lists them")
        asked.setdefault(name, []).append(value)
    about = [_reference(value) for name in ("patient", "entity") for value in asked.get(name, [])]
    low, high = _span(asked.get("date", []))
    return Sought(
        ids=[each for each in _any(asked, "_id") if _is_uuid(each)] if "_id" in asked else None,
        about=about,
        organizations=_any(asked, "agent") if "agent" in asked else None,
        kinds=_kinds(asked["type"]) if "type" in asked else None,
        actions=_any(asked, "subtype") if "subtype" in asked else None,
        outcomes=_any(asked, "outcome") if "outcome" in asked else None,
        bases=_any(asked, "disclosure-basis") if "disclosure-basis" in asked else None,
        low=low, high=high, before=before,
    )  # fmt: skip


def _any(asked: dict[str, list[str]], name: str) -> list[str]:
    """Codes of a token parameter, the system left away; alternatives by comma."""
    return [each.rpartition("|")[2] for value in asked.get(name, []) for each in value.split(",")]


def _kinds(values: list[str]) -> list[str]:
    codes = _any({"type": values}, "type")
    return [kind for kind, code in shape.TYPES.items() if code in codes]


def _reference(value: str) -> str:
    """`Patient/[id]`, a URL that ends so, or an id alone, which is a client's."""
    parts = value.split("/")
    if "," in value:
        raise _wrong("a reference here is one; ask once for each")
    return "/".join(parts[-2:]) if len(parts) > 1 else f"Patient/{value}"


def _span(values: list[str]) -> tuple[datetime | None, datetime | None]:
    """The half-open interval in which all the dates hold."""
    low: datetime | None = None
    high: datetime | None = None
    for value in values:
        prefix, text = (value[:2], value[2:]) if value[:2].isalpha() else ("eq", value)
        found = interval(text)
        if found is None or prefix not in ("eq", "ge", "gt", "le", "lt"):
            raise _wrong("date is a date or an instant, with eq, ge, gt, le or lt before it or nothing")
        start = {"eq": found[0], "ge": found[0], "gt": found[1]}.get(prefix)
        end = {"eq": found[1], "le": found[1], "lt": found[0]}.get(prefix)
        low = max(filter(None, (low, start)), default=None)
        high = min(filter(None, (high, end)), default=None)
    return low, high


def _is_uuid(text: str) -> bool:
    try:
        return str(UUID(text)) == text
    except ValueError:
        return False


def _wrong(text: str) -> Refused:
    return Refused("malformed", text, [Issue("error", "value", text)])
