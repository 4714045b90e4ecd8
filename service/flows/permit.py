"""May this leave? The question every door and every delivery asks, with what it takes to answer it gathered.

`consent.decide` is pure; this file brings it the client's consents, the directory and the posture of this
deployment, at the moment of asking.
"""

from collections.abc import Sequence
from typing import Any

from service.consent import label as labelling
from service.consent.decide import decide
from service.consent.permit import Deny, Permit
from service.consent.request import Directory, Labelled, Posture, Request
from service.fhir.catalogue import catalogue
from service.fhir.json import JsonObject, decode_object
from service.fhir.row import Row
from service.flows.caller import Caller
from service.flows.context import Context
from service.store import partners, resources
from service.store.partners import Partner

PURPOSE = "COC"
"""Coordination of care: the narrowest purpose that a referral between agencies serves."""

NOTHING_FREE = frozenset[str]()


def _plain(row: Row, viewer: str, organization: str) -> Labelled | None:
    """The label of what needs no look inside: directory rows, and a partner's own unchanged resources."""
    nature = catalogue[row.type].nature
    if nature in ("directory", "definition"):
        return Labelled(row.reference, row.type, "directory", {}, raw=row.body)
    if row.author == viewer:
        return Labelled(
            row.reference,
            row.type,
            "client",
            {},
            patient=row.patient or "",
            author=organization,
            raw=row.body,
        )
    return None


def _labelled(context: Context, row: Row, viewer: str, organization: str) -> Labelled:
    plain = _plain(row, viewer, organization)
    if plain is not None:
        return plain
    return labelling.label(
        decode_object(row.body or b"{}"),
        part2_source=context.settings.part2_program,
        categories={},
        patient=row.patient or "",
        raw=row.body,
    )


async def visible(context: Context, connection: Any, caller: Caller, rows: Sequence[Row]) -> list[Row]:
    """Those of the rows that the caller may see now, in order. The custodian sees its own agency's all."""
    if caller.custodian:
        return list(rows)
    seen = []
    for row in rows:
        if await may_see(context, connection, caller, row):
            seen.append(row)
    return seen


async def may_see(context: Context, connection: Any, caller: Caller, row: Row) -> bool:
    """One row; a deletion is as visible as what was deleted, since it says nothing more."""
    if caller.custodian or row.author == caller.client_id or catalogue[row.type].nature != "client":
        return True
    if row.deleted:
        return False
    verdict = await ask(context, connection, caller.client_id, caller.organization, [row], NOTHING_FREE)
    return isinstance(verdict, Permit)


async def ask(
    context: Context, connection: Any, viewer: str, organization: str, rows: Sequence[Row], essential: frozenset[str],
) -> Permit | Deny:  # fmt: skip
    """Decide for one recipient, one document, now. The consents are read in the same breath."""
    items = [_labelled(context, row, viewer, organization) for row in rows]
    return await _decided(context, connection, organization, items, rows, essential)


async def _decided(
    context: Context, connection: Any, organization: str, items: Sequence[Labelled], rows: Sequence[Row],
    essential: frozenset[str],
) -> Permit | Deny:  # fmt: skip
    consents: list[JsonObject] = []
    for patient in sorted({row.patient for row in rows if row.patient}):
        found = await resources.of_patient(connection, patient, "Consent")
        consents += [decode_object(row.body or b"{}") for row in found]
    home = await partners.home(connection)
    return decide(
        Request(
            recipient=organization,
            purpose=PURPOSE,
            resources=tuple(items),
            now=context.clock(),
            essential=essential,
        ),
        consents,
        Posture(part2_program=context.settings.part2_program, organization=home.organization if home else ""),
        await directory(context, connection),
    )


async def ask_about(
    context: Context,
    connection: Any,
    partner: Partner,
    pairs: Sequence[tuple[Row, JsonObject]],
    essential: frozenset[str],
    *,
    own: bool = False,
) -> Permit | Deny:
    """As `ask`, for resources as they will travel (the second of each pair) to a partner.

    `own`: the partner asked us, in a referral it made about a client it named; the answer to its own Task is its
    own (docs/decisions/answering-a-referral.md).
    """
    items = []
    for row, resource in pairs:
        author = partner.organization if row.author == partner.client_id and own else ""
        items.append(
            labelling.label(
                resource, part2_source=context.settings.part2_program, categories={}, author=author,
                patient=row.patient or "",
            )
        )  # fmt: skip
    return await _decided(
        context, connection, partner.organization, items, [row for row, _ in pairs], essential
    )


async def directory(context: Context, connection: Any) -> Directory:
    """The partner registry as the consent engine wants it: every name an organisation goes by."""
    everyone = await partners.everyone(connection)
    return Directory(
        names={each.organization: frozenset({f"{context.base}/{each.organization}"}) for each in everyone},
        titles={each.organization: each.name for each in everyone},
    )
