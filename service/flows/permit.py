"""May this leave? The question every door and every delivery asks, with what it takes to answer it gathered.

`consent.decide` is pure; this file brings it the client's consents, the directory and the posture of this
deployment, at the moment of asking.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from service.consent import label as labelling
from service.consent.decide import decide
from service.consent.permit import Deny, Permit
from service.consent.release import release, release_stored
from service.consent.request import Directory, Labelled, Posture, Request
from service.fhir.catalogue import catalogue
from service.fhir.json import JsonObject, decode_object, encode
from service.fhir.row import Row
from service.flows.caller import Caller
from service.flows.context import Context
from service.store import partners, resources
from service.store.partners import Partner
from service.store.trail import Ground, current

PURPOSE = "COC"
"""Coordination of care: the narrowest purpose that a referral between agencies serves."""


@dataclass(frozen=True, slots=True)
class _Ground:
    """What a decision stands on, gathered once for all the rows of an answer."""

    consents: Mapping[str, list[JsonObject]]
    directory: Directory
    posture: Posture
    now: datetime

    def of(self, rows: Sequence[Row]) -> list[JsonObject]:
        """The consents of the clients these rows are about."""
        return [
            each
            for patient in {row.patient for row in rows if row.patient}
            for each in self.consents[patient]
        ]


async def _gather(context: Context, connection: Any, rows: Sequence[Row]) -> _Ground:
    consents: dict[str, list[JsonObject]] = {}
    for patient in sorted({row.patient for row in rows if row.patient}):
        found = await resources.of_patient(connection, patient, "Consent")
        consents[patient] = [decode_object(row.body or b"{}") for row in found]
    everyone = await partners.everyone(connection)
    home = await partners.home(connection)
    return _Ground(
        consents,
        Directory(
            names={
                each.organization: frozenset({f"{context.base}/{each.organization}"}) for each in everyone
            },
            titles={each.organization: each.name for each in everyone},
        ),
        Posture(part2_program=context.settings.part2_program, organization=home.organization if home else ""),
        context.clock(),
    )


def _free(caller: Caller, row: Row) -> bool:
    """What needs nobody's permission: the custodian's own, the author's own, and what names no client."""
    return caller.custodian or row.author == caller.client_id or catalogue[row.type].nature != "client"


async def visible(context: Context, connection: Any, caller: Caller, rows: Sequence[Row]) -> list[Row]:
    """Those of the rows that the caller may see now, in order, each as it may see it: masked where consent says
    so, labelled, with the notice of 42 CFR 2.32. A deletion says as much as what was deleted.
    """
    asked = [row for row in rows if not _free(caller, row)]
    ground = await _gather(context, connection, asked) if asked else None
    seen = [row if _free(caller, row) else _seen(context, ground, caller, row) for row in rows]
    return [row for row in seen if row is not None]


async def may_see(context: Context, connection: Any, caller: Caller, row: Row) -> bool:
    """Is this row visible at all?"""
    return bool(await visible(context, connection, caller, [row]))


def _seen(context: Context, ground: _Ground | None, caller: Caller, row: Row) -> Row | None:
    if ground is None or row.deleted:
        return None
    resource = decode_object(row.body or b"{}")
    item = labelling.label(
        resource,
        part2_source=context.settings.part2_program,
        categories={},
        patient=row.patient or "",
        raw=row.body,
    )
    verdict = _decided(ground, caller.organization, [item], [row], frozenset())
    if isinstance(verdict, Deny):
        current().denied(row, Ground(PURPOSE, rule=verdict.code, patient=row.patient or ""))
        return None
    cleared = verdict.cleared[0] if verdict.cleared else None
    current().permitted(row, Ground(PURPOSE, verdict.basis, cleared.consent if cleared else ""))
    released = release_stored(verdict) or release(verdict, resource)
    document = released.document
    return replace(row, body=document if isinstance(document, bytes) else encode(document))


def _decided(
    ground: _Ground,
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
        now=ground.now,
        patient=patients.pop() if len(patients) == 1 else "",
        essential=essential,
    )
    return decide(request, ground.of(rows), ground.posture, ground.directory)


async def ask_about(
    context: Context,
    connection: Any,
    partner: Partner,
    pairs: Sequence[tuple[Row, JsonObject]],
    essential: frozenset[str],
    *,
    own: bool = False,
) -> Permit | Deny:
    """One decision on one document: resources as they will travel (the second of each pair) to a partner.

    `own`: the partner asked us, in a referral it made about a client it named; the answer to its own Task is its
    own (docs/decisions/answering-a-referral.md).
    """
    rows = [row for row, _ in pairs]
    items = [
        labelling.label(
            resource,
            part2_source=context.settings.part2_program,
            categories={},
            author=partner.organization if own and row.author == partner.client_id else "",
            patient=row.patient or "",
        )
        for row, resource in pairs
    ]
    ground = await _gather(context, connection, rows)
    return _decided(ground, partner.organization, items, rows, essential)


async def weighed(
    context: Context, connection: Any, organization: str, rows: Sequence[Row], purpose: str
) -> Permit | Deny:
    """What consent would say of these rows as they are stored, for any recipient and purpose; nothing is released."""
    items = [
        labelling.label(
            decode_object(row.body or b"{}"),
            part2_source=context.settings.part2_program,
            categories={},
            patient=row.patient or "",
        )
        for row in rows
    ]
    ground = await _gather(context, connection, rows)
    return _decided(ground, organization, items, rows, frozenset(), purpose)
