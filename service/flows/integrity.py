"""References that hold: what is referred to is not deleted; with `strict_references`, what is written exists.

By default a write may refer to what is not here yet, since partners send resources in any order. Every local
reference counts, in whatever element it stands, but for those that name a version (it stays readable), and those
that the catalogue calls loose or `free_references` names.
"""

from collections.abc import Collection, Sequence

from service.fhir.catalogue import catalogue
from service.fhir.json import JsonObject, decode_object
from service.fhir.outcome import Issue
from service.fhir.references import leading, local, texts
from service.fhir.row import Row
from service.fhir.search import keys
from service.flows.caller import Caller
from service.flows.context import Context
from service.flows.permit import visible
from service.kernel.failures import Refused
from service.store import resources
from service.store.unit import Unit

SHOWN = 5
PAGE = 200


async def expect_free(
    context: Context, unit: Unit, caller: Caller, going: Sequence[tuple[str, str]],
    written: Sequence[JsonObject] = (), changing: Collection[tuple[str, str]] = (),
) -> None:  # fmt: skip
    """Refused("conflict", 409) when something else that exists for the caller refers to what is to be deleted.

    `written`: what the same transaction leaves behind, under the keys `changing`; it counts as it will be. What the
    caller may not know does not hold it back: the refusal would tell of it. Deletions keep their history.
    """
    if any(_holds(context, each, going) for each in written):
        raise _held("an entry of this transaction refers to what another one deletes")
    names = sorted(row.reference for row in await _holders(context, unit, caller, going, [*going, *changing]))
    if names:
        raise _held(f"other resources still refer to it: {', '.join(names)}")


async def _holders(
    context: Context,
    unit: Unit,
    caller: Caller,
    going: Sequence[tuple[str, str]],
    others: Sequence[tuple[str, str]],
) -> list[Row]:
    """Up to SHOWN rows that exist for the caller, besides `others`, with a reference that holds and it may see: one
    in a masked element would tell of what is masked."""
    found: list[Row] = []
    behind = ("", "")
    asked = [keys.leading(*key) for key in going]
    while len(found) < SHOWN:
        page = await resources.carrying(unit, asked, others, caller.viewer, behind, PAGE)
        holding = [row for row in page if _holds(context, decode_object(row.body or b"{}"), going)]
        shown = await visible(context, unit, caller, holding)
        found += [row for row in shown if _holds(context, decode_object(row.body or b"{}"), going)]
        if len(page) < PAGE:
            break
        behind = (page[-1].type, page[-1].id)
    return found[:SHOWN]


def _holds(context: Context, resource: JsonObject, going: Collection[tuple[str, str]]) -> bool:
    """Does one of its references keep one of these from deletion?"""
    type_ = resource["resourceType"]
    loose = [f"{type_}.{name}" for name in catalogue[type_].loose] if type_ in catalogue else []
    free = (*loose, *context.settings.free_references)
    return any(
        target in going and not any(path == name or path.startswith(name + ".") for name in free)
        for path, target in leading(resource, context.base)
    )


def _held(text: str) -> Refused:
    return Refused("conflict", text, [Issue("error", "conflict", text)])


async def expect_known(
    context: Context,
    unit: Unit,
    caller: Caller,
    written: Sequence[JsonObject],
    beside: Collection[tuple[str, str]] = (),
) -> None:
    """With `strict_references`: Refused("unprocessable") naming local references to what is not here.

    `beside`: what the same transaction writes.
    """
    if not context.settings.strict_references:
        return
    asked = {
        found
        for resource in written
        for text in texts(resource)
        if (found := local(text, context.base)) and found[0] in catalogue and found not in beside
    }
    known: list[Row] = await resources.known(unit, sorted(asked), caller.viewer) if asked else []
    rows = await visible(context, unit, caller, known)
    missing = sorted(asked - {(row.type, row.id) for row in rows})
    if missing:
        issues = [Issue("error", "not-found", f"{type_}/{id_} does not exist here") for type_, id_ in missing]
        raise Refused("unprocessable", issues[0].text, issues)
