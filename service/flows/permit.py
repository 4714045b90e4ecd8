"""May this leave? The question every door and every delivery asks, with what it takes to answer it gathered.

`consent.decide` is pure; this file brings it the client's consents, the directory and the posture of this
deployment, at the moment of asking.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from service.consent import label as labelling
from service.consent.decide import decide
from service.consent.permit import Deny, Permit
from service.consent.release import release, release_stored
from service.consent.request import Labelled, Request
from service.consent.terms import ACT_CODE, PART2
from service.fhir.catalogue import catalogue
from service.fhir.json import JsonObject, decode_object, encode
from service.fhir.row import Row
from service.fhir.search import extract
from service.fhir.search.asked import said
from service.flows.caller import Caller
from service.flows.context import Context
from service.flows.directory import Standing, gather
from service.store.partners import Partner
from service.store.trail import Ground, current

PURPOSE = "COC"
"""Coordination of care: the narrowest purpose that a referral between agencies serves."""
ANSWER = "Task"
"""In what somebody asked us to do, what others write is the answer to who asked."""


def _free(caller: Caller, row: Row) -> bool:
    """What needs nobody's permission: the custodian's own, a partner's own, and what names no client."""
    return caller.custodian or own(caller.client_id, row) or catalogue[row.type].nature != "client"


def own(party: str, row: Row) -> bool:
    """Is every version so far this partner's word, so that it learns nothing? The answer in its own Task is its own,
    too (docs/decisions/answering-a-referral.md)."""
    return row.author == party and (not row.rewritten or row.type == ANSWER)


async def visible(
    context: Context, connection: Any, caller: Caller, rows: Sequence[Row], by: frozenset[str] = frozenset(),
    purpose: str = PURPOSE,
) -> list[Row]:  # fmt: skip
    """Those of the rows that the caller may see now, in order, each as it may see it: masked where consent says
    so, labelled, with the notice of 42 CFR 2.32. A deletion says as much as what was deleted.

    `by`: the search parameters the rows were found by. What is masked for the caller finds nothing for it either.
    """
    free = [_free(caller, row) for row in rows]
    if all(free):
        return list(rows)
    asked = [row for row, needs_nobody in zip(rows, free, strict=True) if not needs_nobody]
    standing = await gather(context, connection, caller.organization, asked)
    seen = [
        row if needs_nobody else _seen(context, standing, caller, row, by, purpose)
        for row, needs_nobody in zip(rows, free, strict=True)
    ]
    return [row for row in seen if row is not None]


async def may_see(context: Context, connection: Any, caller: Caller, row: Row) -> bool:
    """Is this row visible at all?"""
    return bool(await visible(context, connection, caller, [row]))


def _seen(
    context: Context, standing: Standing, caller: Caller, row: Row, by: frozenset[str], purpose: str
) -> Row | None:
    if row.deleted:
        return None
    resource = decode_object(row.body or b"{}")
    item = _labelled(context, row, resource)
    verdict = _decided(standing, caller.organization, [item], [row], frozenset(), purpose)
    if isinstance(verdict, Deny):
        current().denied(row, Ground(purpose, rule=verdict.code, patient=row.patient or ""))
        return None
    cleared = verdict.cleared[0] if verdict.cleared else None
    released = release_stored(verdict) or release(verdict, resource)
    document = released.document
    if by and cleared and cleared.masks and isinstance(document, dict):
        forms = [said(extract(each, context.base), by) for each in (resource, document)]
        if forms[0] != forms[1]:
            return None
    current().permitted(row, Ground(verdict.purpose, verdict.basis, cleared.consent if cleared else ""))
    return replace(row, body=document if isinstance(document, bytes) else encode(document))


def _decided(
    standing: Standing,
    organization: str,
    items: Sequence[Labelled],
    rows: Sequence[Row],
    essential: frozenset[str],
    purpose: str = PURPOSE,
) -> Permit | Deny:
    patients = {row.patient for row in rows if row.patient}
    request = Request(
        recipient=organization,
        purpose=purpose,
        resources=tuple(items),
        now=standing.now,
        patient=patients.pop() if len(patients) == 1 else "",
        essential=essential,
        recorded=standing.grounds,
    )
    return decide(request, standing.of(rows), standing.posture, standing.directory)


async def ask_about(
    context: Context,
    connection: Any,
    partner: Partner,
    pairs: Sequence[tuple[Row, JsonObject]],
    essential: frozenset[str],
    *,
    asked: bool = False,
) -> Permit | Deny:
    """One decision on one document: resources as they will travel (the second of each pair) to a partner.

    `asked`: the partner asked us, in a referral it made about a client it named; the answer to its own Task is its
    own (docs/decisions/answering-a-referral.md).
    """
    rows = [row for row, _ in pairs]
    items = [
        _travelling(
            context, row, resource, partner.organization if asked and own(partner.client_id, row) else ""
        )
        for row, resource in pairs
    ]
    standing = await gather(context, connection, partner.organization, rows)
    return _decided(standing, partner.organization, items, rows, essential)


def _travelling(context: Context, row: Row, resource: JsonObject, author: str) -> Labelled:
    """Labelled as it will travel; what it refers to is known by its names here, which are those a consent uses."""
    there = replace(_labelled(context, row, resource), author=author)
    if there.nature != "client":
        return there
    mentions, written_by = labelling.named(decode_object(row.body or b"{}"))
    return replace(there, mentions=mentions, written_by=written_by)


def _labelled(context: Context, row: Row, resource: JsonObject) -> Labelled:
    return labelling.label(
        resource,
        part2_source=context.settings.part2_program,
        categories=context.categories(),
        patient=row.patient or "",
        raw=row.body,
        zone=context.settings.zone,
    )


async def weighed(
    context: Context, connection: Any, organization: str, rows: Sequence[Row], purpose: str
) -> Permit | Deny:
    """What consent would say of these rows as they are stored, for any recipient and purpose; nothing is released."""
    items = [_labelled(context, row, decode_object(row.body or b"{}")) for row in rows]
    standing = await gather(context, connection, organization, rows)
    return _decided(standing, organization, items, rows, frozenset(), purpose)


async def weighed_by_client(
    context: Context, connection: Any, organization: str, rows: Sequence[Row], purpose: str
) -> dict[str, Permit | Deny]:
    """As `weighed`, one verdict a client (`Patient/…`), with the grounds gathered once for all of them."""
    standing = await gather(context, connection, organization, rows)
    verdicts: dict[str, Permit | Deny] = {}
    for patient in sorted({row.patient or "" for row in rows}):
        own = [row for row in rows if (row.patient or "") == patient]
        items = [_labelled(context, row, decode_object(row.body or b"{}")) for row in own]
        verdicts[patient] = _decided(standing, organization, items, own, frozenset(), purpose)
    return verdicts


def protection(context: Context, rows: Sequence[Row]) -> list[JsonObject]:
    """Security labels for what is made of these rows: it is as protected as they are together."""
    found = [_labelled(context, row, decode_object(row.body or b"{}")).labels for row in rows]
    marks = sorted({mark for each in found for mark in each.marks})
    codes = [*marks, *([PART2] if any(each.part2 for each in found) else [])]
    return [{"system": ACT_CODE, "code": code} for code in codes]
