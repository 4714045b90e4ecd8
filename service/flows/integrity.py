"""References that hold: what is referred to is not deleted; with `strict_references`, what is written exists.

By default a write may refer to what is not here yet, since partners send resources in any order. What counts
as a reference is what a search parameter finds; `free_references` names those that hold nothing back.
"""

from collections.abc import Collection, Sequence
from functools import cache

from service.fhir.catalogue import catalogue
from service.fhir.json import JsonObject
from service.fhir.outcome import Issue
from service.fhir.references import local, texts
from service.fhir.row import Row
from service.fhir.search import extract, keys
from service.fhir.search.parameters import parameters
from service.flows.caller import Caller
from service.flows.context import Context
from service.flows.permit import visible
from service.kernel.failures import Refused
from service.store import resources
from service.store.unit import Unit

SHOWN = 5


async def expect_free(
    context: Context, unit: Unit, caller: Caller, going: Sequence[tuple[str, str]],
    written: Sequence[JsonObject] = (), changing: Collection[tuple[str, str]] = (),
) -> None:  # fmt: skip
    """Refused("conflict", 409) when something else that is here refers to one of the resources to be deleted.

    `written`: what the same transaction leaves behind, under the keys `changing`; it counts as it will be. Only
    what the caller may know is named.
    """
    wanted = [
        keys.target(name, f"{type_}/{id_}")
        for type_, id_ in going
        for name in holders(type_, context.settings.free_references)
    ]
    if any(set(wanted).intersection(extract(each, context.base).keys) for each in written):
        raise _held("an entry of this transaction refers to what another one deletes")
    found = await resources.carrying(unit, wanted, [*going, *changing], SHOWN) if wanted else []
    if found:
        known = await resources.known(unit, [(row.type, row.id) for row in found], caller.viewer)
        names = sorted(row.reference for row in await visible(context, unit, caller, known))
        raise _held("other resources still refer to it" + (f": {', '.join(names)}" if names else ""))


def _held(text: str) -> Refused:
    return Refused("conflict", text, [Issue("error", "conflict", text)])


@cache
def holders(type_: str, free: tuple[str, ...]) -> tuple[str, ...]:
    """The reference parameters (`Task.focus`) by which a resource of this type is held."""
    found = (
        (name, parameter)
        for each in catalogue
        for code, parameter in parameters(each).items()
        if parameter.type == "reference" and (name := keys.name(each, code)) not in free
    )
    return tuple(name for name, parameter in found if not parameter.targets or type_ in parameter.targets)


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
    rows: list[Row] = await resources.known(unit, sorted(asked), caller.viewer) if asked else []
    missing = sorted(asked - {(row.type, row.id) for row in rows})
    if missing:
        issues = [Issue("error", "not-found", f"{type_}/{id_} does not exist here") for type_, id_ in missing]
        raise Refused("unprocessable", issues[0].text, issues)
