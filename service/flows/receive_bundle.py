"""A transaction: everything in the Bundle or nothing. https://hl7.org/fhir/R4/http.html#trules

Gather the entries, give every one its id, rewrite the references between them, check all of them at once (one
answer lists everything that is wrong), and remember them in one commit.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from service.fhir.bundle import Entry, entries
from service.fhir.json import JsonObject
from service.fhir.outcome import Issue
from service.fhir.references import local, rewritten, texts
from service.flows.caller import Caller
from service.flows.context import Context
from service.flows.delete import drop
from service.flows.keep import Wish, keep, lock_names
from service.flows.read import read_in
from service.flows.search import matches
from service.flows.writing import checked, expect_id, spec_of
from service.kernel.failures import Refused
from service.kernel.ids import new_id
from service.store import resources
from service.fhir.row import Row
from service.store.unit import Unit


@dataclass(frozen=True, slots=True)
class Done:
    """The answer to one entry. `row` is None for a delete of nothing, or a body-less answer."""

    status: str
    row: Row | None


@dataclass(frozen=True, slots=True)
class _Aim:
    """Where an entry goes: the id it will have; `match` when a conditional create found one already."""

    entry: Entry
    type: str
    id: str
    match: bool = False
    fresh: bool = False

    @property
    def key(self) -> tuple[str, str]:
        return (self.type, self.id)


async def receive_bundle(context: Context, caller: Caller, bundle: JsonObject) -> list[Done]:
    """Answers in the order of the entries. Refused names `Bundle.entry[n]` and leaves nothing behind."""
    rows = entries(bundle, context.settings.max_bundle_entries)
    aims = [_aim(entry, caller) for entry in rows]
    conditions = sorted({f"{aim.type}?{aim.entry.if_none_exist}" for aim in aims if aim.entry.if_none_exist})
    _expect_distinct(aims)
    locks = [
        *conditions,
        *lock_names([aim.key for aim in aims if aim.entry.method in ("POST", "PUT", "DELETE")]),
    ]
    async with context.database.unit(*locks) as unit:
        aims = [await _met(unit, caller, aim) for aim in aims]
        resources_ = _linked(context, aims)
        _check_all(context, aims, resources_)
        now = context.clock()
        done: dict[int, Done] = {}
        await _deletes(context, unit, caller, aims, done)
        await _writes(context, unit, caller, aims, resources_, now, done)
    async with context.database.reading() as connection:
        for aim in aims:
            if aim.entry.method in ("GET", "HEAD"):
                row = await read_in(context, connection, caller, aim.type, aim.id, None)
                done[aim.entry.place] = Done("200 OK", row)
    return [done[entry.place] for entry in rows]


def _aim(entry: Entry, caller: Caller) -> _Aim:
    """Read `request.url`; the scope of every entry is asked for (SMART 2.2: batch and transaction per entry)."""
    path, _, query = entry.url.partition("?")
    type_, _, id_ = path.strip("/").partition("/")
    letters = {"POST": "c", "PUT": "u", "DELETE": "d", "GET": "r", "HEAD": "r", "PATCH": "u"}
    names = {
        "POST": "create",
        "PUT": "update",
        "DELETE": "delete",
        "GET": "read",
        "HEAD": "read",
        "PATCH": "patch",
    }
    with _at(entry):
        if query or (entry.method != "POST" and not id_) or entry.method == "PATCH":
            raise Refused("unsupported", f"{entry.method} {path}?… is not offered inside a transaction")
        spec_of(type_, names[entry.method])
        caller.require(type_, letters[entry.method])
        if entry.method == "POST":
            _expect_body(entry, type_)
            return _Aim(entry, type_, new_id(), fresh=True)
        expect_id(id_)
        if entry.method == "PUT":
            _expect_body(entry, type_)
    return _Aim(entry, type_, id_)


def _expect_body(entry: Entry, type_: str) -> None:
    found = entry.resource["resourceType"] if entry.resource else None
    if found != type_:
        raise Refused("malformed", f"the resource is not a {type_}, as request.url says")


class _at:
    """Failures inside name the entry: `Bundle.entry[n]`."""

    def __init__(self, entry: Entry) -> None:
        self.entry = entry

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, Refused):
            path = self.entry.path
            found = [each for each in error.issues if isinstance(each, Issue)]
            issues = [_placed(issue, path) for issue in found] or [
                Issue("error", "processing", f"{path}: {error.text}", path)
            ]
            raise Refused(error.reason, f"{path}: {error.text}", issues, **error.facts) from None


def _placed(issue: Issue, path: str) -> Issue:
    at = f"{path}.resource" if not issue.expression else f"{path}.resource{_tail(issue.expression)}"
    return Issue(issue.severity, issue.code, issue.text, at, issue.rule, issue.source)


def _tail(expression: str) -> str:
    head, dot, tail = expression.partition(".")
    return f".{tail}" if dot else ""


def _expect_distinct(aims: Sequence[_Aim]) -> None:
    seen: set[str] = set()
    for aim in aims:
        if aim.entry.method in ("GET", "HEAD"):
            continue
        names = [f"{aim.type}/{aim.id}"]
        if aim.entry.if_none_exist:
            names.append(f"{aim.type}?{aim.entry.if_none_exist}")
        if aim.entry.full_url:
            names.append(aim.entry.full_url)
        for name in names:
            if name in seen:
                with _at(aim.entry):
                    raise Refused(
                        "malformed", "two entries of one transaction may not mean the same resource"
                    )
        seen.update(names)


async def _met(unit: Unit, caller: Caller, aim: _Aim) -> _Aim:
    """A conditional create whose search finds one resource becomes that resource."""
    if not aim.entry.if_none_exist:
        return aim
    with _at(aim.entry):
        found = await matches(unit, caller, aim.type, aim.entry.if_none_exist)
        if len(found) > 1:
            raise Refused(
                "ambiguous", f"ifNoneExist matches {len(found)} resources; it must match one or none"
            )
    return _Aim(aim.entry, aim.type, found[0], match=True) if found else aim


def _linked(context: Context, aims: Sequence[_Aim]) -> dict[int, JsonObject]:
    """Every resource with the references to other entries replaced by `Type/id`."""
    targets = {aim.entry.full_url: f"{aim.type}/{aim.id}" for aim in aims if aim.entry.full_url}
    linked = {}
    for aim in aims:
        if aim.entry.resource is None or aim.entry.method not in ("POST", "PUT"):
            continue
        resource: JsonObject = rewritten(
            aim.entry.resource, lambda text: _target(text, targets, context.base)
        )
        for text in texts(resource):
            if text.startswith(("urn:uuid:", "urn:oid:")):
                with _at(aim.entry):
                    raise Refused(
                        "malformed", f"the reference {text[:60]} names no entry of this transaction"
                    )
        linked[aim.entry.place] = resource
    return linked


def _target(text: str, targets: dict[str, str], base: str) -> str | None:
    plain, mark, fragment = text.partition("#")
    if plain in targets:
        return targets[plain] + mark + fragment
    found = local(text, base)
    if found is None:
        return None
    relative = f"{found[0]}/{found[1]}"
    suffix = next((url for url in targets if url.endswith(f"/{relative}")), None)
    return targets[suffix] if suffix else None


def _check_all(context: Context, aims: Sequence[_Aim], linked: dict[int, JsonObject]) -> None:
    issues: list[Issue] = []
    for aim in aims:
        if aim.entry.place in linked and not aim.match:
            try:
                with _at(aim.entry):
                    checked(context, linked[aim.entry.place])
            except Refused as refused:
                issues += [issue for issue in refused.issues if isinstance(issue, Issue)]
    if issues:
        first = next(issue for issue in issues if issue.fails)
        raise Refused("invalid", first.text, issues)


async def _deletes(
    context: Context, unit: Unit, caller: Caller, aims: Sequence[_Aim], done: dict[int, Done]
) -> None:
    going = [aim for aim in aims if aim.entry.method == "DELETE"]
    held = await resources.lock(unit, [aim.key for aim in going]) if going else {}
    for aim in going:
        with _at(aim.entry):
            await drop(context, unit, caller, held.get(aim.key), aim.key, _expected(aim.entry))
        done[aim.entry.place] = Done("204 No Content", None)


async def _writes(
    context: Context, unit: Unit, caller: Caller, aims: Sequence[_Aim], linked: dict[int, JsonObject],
    now: datetime, done: dict[int, Done],
) -> None:  # fmt: skip
    going = [aim for aim in aims if aim.entry.place in linked and not aim.match]
    wishes = [
        Wish({**linked[aim.entry.place], "id": aim.id}, aim.id, _expected(aim.entry), aim.fresh)
        for aim in going
    ]
    kept = await keep(context, unit, caller, wishes, now)
    for aim, each in zip(going, kept, strict=True):
        done[aim.entry.place] = Done("201 Created" if each.created else "200 OK", each.row)
    for aim in aims:
        if aim.match:
            done[aim.entry.place] = Done("200 OK", await resources.read(unit, *aim.key, caller.viewer))


def _expected(entry: Entry) -> int | None:
    if not entry.if_match:
        return None
    text = entry.if_match.removeprefix("W/").strip('"')
    if not text.isdecimal() or len(text) > 9:
        with _at(entry):
            raise Refused("malformed", 'ifMatch must be an ETag like W/"3"')
    return int(text)
