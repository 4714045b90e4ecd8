"""What a request leaves behind when it ends: rows of the trail, durable before anybody is answered.

A write's rows are in its own transaction already (`store.unit`). Here come the reads, the searches, the refusals. A
partner's answer has a row for each client in it (BALP: one AuditEvent for each patient), with the ground on which the
client's data was shown, because for a partner that is a disclosure; the custodian's look at its own data is one row.
"""

import getpass
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime

from service.casework.records import kinds
from service.fhir.audited import DISCLOSED, Audited, Kind, outcome_of
from service.fhir.references import ID
from service.fhir.row import Row
from service.flows.context import Context
from service.kernel.failures import Failure, Refused
from service.kernel.ids import new_id
from service.store.audit import Query, query_for
from service.store.partners import Partner
from service.store.tokens import mark
from service.store.trail import Ground, Trail, begin, current

STRANGER = "unknown"
"""The client of a token request that claims to be nobody we know."""

MOST_ABOUT = 1000
"""Clients named by one row of the custodian's."""


def witness(request: str, address: str, action: str, parts: Mapping[str, str]) -> Trail:
    """Begin the trail of an HTTP request. `parts` of its path: type (or kind), id, vid.

    An id that cannot be one, or a kind that there is not, may be somebody's name, and is left out.
    """
    id_, version = parts.get("id", ""), parts.get("vid", "")
    kind = parts.get("kind", "")
    type_ = (
        parts.get("type") or (kind if kind in (*kinds, "") else "unknown") or ("Patient" if id_ else "")
    )[:40]
    named = bool(ID.match(id_))
    return begin(
        Trail(
            action=action,
            request=request,
            address=address,
            resource=f"{type_}/{id_}" if named else "",
            detail="" if named else type_,
            version=int(version) if version.isascii() and version.isdecimal() and len(version) < 10 else 0,
        )
    )


def operator() -> Trail:
    """Begin the trail of a command on this machine."""
    name = "unknown"
    with suppress(OSError, KeyError):
        name = getpass.getuser()
    return begin(Trail(client=f"operator:{name}"))


async def testify(context: Context, trail: Trail, status: int) -> None:
    """Write what the request was, unless its writes have said it. Raises Unavailable when that cannot be done."""
    rows, queries = testimony(trail, context.clock(), status)
    if rows:
        await context.database.record(rows, queries)


def testimony(trail: Trail, at: datetime, status: int) -> tuple[list[Audited], list[Query]]:
    """The rows of a request that ended so. Nobody is known: no row (a stranger at the door is in the log)."""
    if not trail.client:
        return [], []
    rows = [_refused(trail, at, *each) for each in trail.refusals]
    if not (trail.written and status < 400 and not trail.shown and not trail.withheld):
        rows += _looked(trail, at, status)
    if not trail.query:
        return rows, []
    queries = [query_for(row.id, trail.query) for row in rows]
    return [replace(row, query_mac=each.mac) for row, each in zip(rows, queries, strict=True)], queries


def _looked(trail: Trail, at: datetime, status: int) -> list[Audited]:
    if status >= 400 or trail.custodian or len(trail.shown) + len(trail.withheld) < 2:
        return [_single(trail, at, status)]
    patients = {row.patient or "" for row in trail.shown} | {each.patient for each in trail.withheld.values()}
    return [_about(trail, at, patient) for patient in sorted(patients)]


def _single(trail: Trail, at: datetime, status: int) -> Audited:
    """One row for everything that was shown, or for why it was not. The hot path: a read makes one object."""
    about = dict.fromkeys((trail.resource,)) if trail.resource else {}
    for row in trail.shown[:MOST_ABOUT]:
        if row.patient:
            about[row.patient] = None
    for each in trail.withheld.values():
        if each.patient:
            about[each.patient] = None
    obvious = not trail.shown or (trail.resource and len(trail.shown) == 1)
    detail = trail.detail if obvious else _brief(trail, trail.shown)
    kind: Kind = "token" if trail.action.startswith("auth-") else "access"
    plain = _row(trail, at, trail.action, status, kind, tuple(about), detail)
    if not (trail.grounds or trail.withheld):
        return plain
    known = {row.reference for row in trail.shown}
    grounds = [ground for reference, ground in trail.grounds.items() if reference in known]
    return _grounded(plain, grounds, trail.withheld)


def _about(trail: Trail, at: datetime, patient: str) -> Audited:
    """The row about one of the clients in an answer (or about none: agencies, forms)."""
    shown = [row for row in trail.shown if (row.patient or "") == patient]
    withheld = {ref: each for ref, each in trail.withheld.items() if each.patient == patient}
    grounds = [trail.grounds[row.reference] for row in shown if row.reference in trail.grounds]
    about = (patient,) if patient else ()
    plain = _row(trail, at, trail.action, 200, "access", about, _brief(trail, shown))
    return _grounded(plain, grounds, withheld) if grounds or withheld else plain


def _grounded(row: Audited, grounds: Sequence[Ground], withheld: Mapping[str, Ground]) -> Audited:
    rules = sorted({each.rule for each in withheld.values()})
    detail = f"{row.detail}; {len(withheld)} withheld" if withheld and row.outcome == "0" else row.detail
    purposes = sorted({each.purpose for each in (*grounds, *withheld.values())} - {""})
    return replace(
        row,
        purpose=" ".join(purposes),
        basis=_weightiest({each.basis for each in grounds}),
        consents=tuple(sorted({each.consent for each in grounds} - {""})),
        rule=" ".join([*([row.rule] if row.rule else []), *rules]),
        detail=detail,
    )


def _weightiest(bases: set[str]) -> str:
    """What makes it a disclosure, if anything does."""
    return next((basis for basis in DISCLOSED if basis in bases), min(bases, default=""))


def _brief(trail: Trail, shown: Iterable[Row]) -> str:
    """The brief description that an accounting gives: how many of which type, never what they say."""
    counts = Counter(row.type for row in shown)
    return ", ".join(f"{type_} {counts[type_]}" for type_ in sorted(counts)) or trail.detail


def _row(
    trail: Trail, at: datetime, action: str, status: int, kind: Kind = "access", about: tuple[str, ...] = (),
    detail: str = "",
) -> Audited:  # fmt: skip
    return Audited(
        new_id(), at, kind, action or "unknown", outcome_of(status), trail.client, trail.organization,
        trail.address, trail.request, trail.token, trail.resource, trail.version, about,
        rule="" if status < 400 else str(status), detail=detail,
    )  # fmt: skip


def _refused(trail: Trail, at: datetime, action: str, resource: str, rule: str) -> Audited:
    row = _row(trail, at, action, 400)
    return replace(row, resource=resource, about=(resource,) if resource else (), rule=rule)


def refused_part(action: str, resource: str, failure: Failure) -> None:
    """An entry of a batch was refused; the rest goes on."""
    reason = failure.reason if isinstance(failure, Refused) else "unavailable"
    current().refusals.append((action, resource, reason))


def token_given(at: datetime, partner: Partner, token: str) -> Audited:
    """A token was issued; the row knows it by its digest."""
    trail = current()
    trail.client, trail.organization, trail.token = partner.client_id, partner.organization, mark(token)
    return _row(trail, at, "token-issued", 200, "token")


def act(context: Context, kind: Kind, action: str, *, detail: str = "", about: Iterable[str] = ()) -> Audited:
    """A row for an act that is no access: a unit collects it (`unit.audit`), or `database.record` writes it."""
    names = tuple(about)
    row = _row(current(), context.clock(), action, 200, kind, names, detail)
    return replace(row, resource=names[0] if names else "")
