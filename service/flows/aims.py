"""What the entries of a transaction mean: which resource each one writes, found or made.

https://hl7.org/fhir/R4/http.html#trules
"""

from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace

from service.fhir.bundle import Entry, address
from service.fhir.outcome import Issue
from service.fhir.row import Row
from service.flows.caller import Caller
from service.flows.conditional import condition_lock, the_one
from service.flows.context import Context
from service.flows.update import expect_own_id, meant
from service.flows.writing import expect_id, spec_of
from service.kernel.failures import Refused
from service.kernel.ids import new_id
from service.store.unit import Unit

_NEEDS = {"POST": ("create", "c"), "PUT": ("update", "u"), "PATCH": ("patch", "u"), "DELETE": ("delete", "d")}


@dataclass(frozen=True, slots=True)
class Aim:
    """Where an entry goes. `criteria` names the resource by a search until it is met; then `id` has it.

    `match`: a conditional create that found its resource. `nothing`: a conditional delete that found none.
    `fresh`: the id is ours and new.
    """

    entry: Entry
    type: str
    id: str = ""
    criteria: str = ""
    fresh: bool = False
    match: Row | None = None
    nothing: bool = False

    @property
    def key(self) -> tuple[str, str]:
        """(type, id)."""
        return (self.type, self.id)

    @property
    def writes(self) -> bool:
        """It leaves a version with content behind."""
        return self.entry.method in ("POST", "PUT", "PATCH") and self.match is None

    @property
    def condition(self) -> str:
        """The lock of its search, empty without one."""
        return condition_lock(self.type, self.criteria) if self.criteria else ""


@contextmanager
def at(entry: Entry) -> Iterator[None]:
    """Failures inside name the entry: `Bundle.entry[n]`."""
    try:
        yield
    except Refused as error:
        path = entry.path
        found = [each for each in error.issues if isinstance(each, Issue)]
        issues = [_placed(issue, path) for issue in found] or [
            Issue("error", "processing", f"{path}: {error.text}", path)
        ]
        raise Refused(error.reason, f"{path}: {error.text}", issues, **error.facts) from None


def _placed(issue: Issue, path: str) -> Issue:
    where = f"{path}.resource" if not issue.expression else f"{path}.resource{_tail(issue.expression)}"
    return replace(issue, expression=where)


def _tail(expression: str) -> str:
    _, dot, tail = expression.partition(".")
    return f".{tail}" if dot else ""


def aim(entry: Entry, caller: Caller, base: str) -> Aim:
    """Read `request.url`; the scope of every entry is asked for (SMART 2.2: batch and transaction per entry)."""
    segments, query = address(entry.url, base)
    with at(entry):
        if not 1 <= len(segments) <= 2 or segments[-1].startswith(("$", "_")):
            raise Refused("unsupported", f"{entry.method} of this URL is not offered inside a transaction")
        type_, id_ = segments[0], segments[1] if len(segments) == 2 else ""
        interaction, letter = _NEEDS[entry.method]
        spec_of(type_, interaction)
        caller.require(type_, letter)  # type: ignore[arg-type]
        if entry.method in ("POST", "PUT"):
            _expect_body(entry, type_)
        _expect_sense(entry, id_, query)
        if entry.method == "POST":
            return Aim(entry, type_, new_id(), entry.if_none_exist, fresh=True)
        if query:
            return Aim(entry, type_, criteria=query)
        expect_id(id_)
        if entry.method == "PUT" and entry.resource is not None and "id" in entry.resource:
            expect_own_id(entry.resource, id_)
    return Aim(entry, type_, id_)


def _expect_body(entry: Entry, type_: str) -> None:
    found = entry.resource["resourceType"] if entry.resource else None
    if found != type_:
        raise Refused("malformed", f"the resource is not a {type_}, as request.url says")


def _expect_sense(entry: Entry, id_: str, query: str) -> None:
    """Conditions that would do nothing are refused, never ignored."""
    if entry.method == "POST" and (id_ or query):
        raise Refused("malformed", "POST goes to a type, without id or parameters")
    if entry.method != "POST" and (bool(id_) == bool(query)):
        raise Refused("malformed", f"{entry.method} names its resource by an id or by search parameters")
    if entry.if_none_exist and entry.method != "POST":
        raise Refused("malformed", "ifNoneExist is for POST")
    if entry.if_match and entry.method == "POST":
        raise Refused("malformed", "a create has no version to match")
    if entry.if_none_match and (entry.method != "PUT" or query or entry.if_none_match.strip() != "*"):
        raise Refused("malformed", "on a write, ifNoneMatch can only be * at a PUT to an id")


def expect_distinct(aims: Sequence[Aim]) -> None:
    """Two entries of one transaction may not mean the same resource."""
    seen: set[str] = set()
    for each in aims:
        names = [f"{each.type}/{each.id}"] if each.id else []
        names += [name for name in (each.condition, each.entry.full_url) if name]
        if seen.intersection(names):
            with at(each.entry):
                raise Refused("malformed", "two entries of one transaction may not mean the same resource")
        seen.update(names)


async def meet(context: Context, unit: Unit, caller: Caller, aims: Sequence[Aim]) -> list[Aim]:
    """The aims with their searches answered. What the transaction deletes is not found by the rest of it."""
    met = {
        id(each): await _met(context, unit, caller, each, ())
        for each in aims
        if each.entry.method == "DELETE"
    }
    gone = {each.key for each in met.values()}
    return [met.get(id(each)) or await _met(context, unit, caller, each, gone) for each in aims]


async def _met(
    context: Context, unit: Unit, caller: Caller, each: Aim, gone: Collection[tuple[str, str]]
) -> Aim:
    if not each.criteria:
        return each
    with at(each.entry):
        row = await the_one(context, unit, caller, each.type, each.criteria)
        row = None if row is not None and (row.type, row.id) in gone else row
        match each.entry.method:
            case "POST":
                return replace(each, id=row.id, match=row, fresh=False) if row else each
            case "PUT":
                assert each.entry.resource is not None
                wish = meant(each.entry.resource, row.id if row else None, None)
                return replace(each, id=wish.id, fresh=wish.fresh)
            case "PATCH" if row is None:
                raise Refused("absent", f"no resource of type {each.type} matches")
    return replace(each, id=row.id) if row else replace(each, nothing=True)
