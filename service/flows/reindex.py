"""The rules of searching have changed: write what finds the resources anew, while everybody goes on working.

Needed after a release that adds a search parameter or changes the form of the index, and after the service has got
another base URL. A row remembers which edition of the rules wrote it, so a run that was ended goes on where it was,
and what is written meanwhile is right already.
"""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass

from service.fhir.catalogue import catalogue
from service.fhir.json import decode_object
from service.fhir.search import extract
from service.flows.context import Context
from service.flows.writing import spec_of
from service.store.search import index

BATCH = 200
"""Resources a commit: others who want one of them wait for a fraction of a second."""


@dataclass(frozen=True, slots=True)
class Progress:
    """So many of the resources of a type are done. `done` may pass `total`, when others write meanwhile."""

    type: str
    done: int
    total: int


async def reindex(
    context: Context, types: Sequence[str] = (), *, everything: bool = False
) -> AsyncIterator[Progress]:
    """Rewrite the index of the types (all), of the resources that other rules indexed or of `everything`.

    Says how far it is after each commit. Refused for a type that is not kept here.
    """
    for type_ in types:
        spec_of(type_, "search")
    async with context.database.reading() as connection:
        waiting = await index.behind(connection, types or tuple(catalogue), everything)
    for type_, total in waiting.items():
        done, after = 0, ""
        while batch := await _batch(context, type_, after, everything):
            done, after = done + len(batch), batch[-1]
            yield Progress(type_, done, total)


async def needed(context: Context) -> bool:
    """Whether some resources are not found by all that this release searches by: a sample, cheap to take."""
    async with context.database.reading() as connection:
        return await index.any_behind(connection, tuple(catalogue))


async def _batch(context: Context, type_: str, after: str, everything: bool) -> list[str]:
    """Ids of those that were written."""
    async with context.database.unit() as unit:
        held = await index.take(unit, type_, after, BATCH, everything)
        if held:
            found = [(each.id, extract(decode_object(each.body), context.base)) for each in held]
            await index.rewrite(unit, type_, found)
    return [each.id for each in held]
