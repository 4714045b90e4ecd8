"""Which codes of the records no map of ours translates: what a ConceptMap dropped into fhir_profiles would cure."""

from collections import defaultdict
from dataclasses import dataclass

from service.casework import records as words
from service.fhir.json import decode_object
from service.flows.context import Context
from service.flows.remap_records import PAGE
from service.kernel.failures import Refused
from service.mapping.context import MappingContext, Source
from service.mapping.table import table
from service.store import records
from service.store.console import records as latest

RULES = frozenset({"unmapped-code", "unknown-instrument", "unmapped-coding"})


@dataclass(frozen=True, slots=True)
class Unmapped:
    """One finding and how many records have it; `example` is the id of one of them."""

    kind: str
    finding: str
    records: int
    example: str


async def report_unmapped(context: Context) -> list[Unmapped]:
    """Findings over all living records, most frequent first."""
    found: dict[tuple[str, str], list[str]] = defaultdict(list)
    behind = ("", "", "")
    mapping = _mapping(context)
    while True:
        async with context.database.reading() as connection:
            page = await records.everything(connection, behind, PAGE)
        for kept in page:
            behind = (kept.source, kept.kind, kept.id)
            for finding in _findings(kept.kind, kept.id, kept.body, mapping):
                found[kept.kind, finding].append(kept.id)
        if len(page) < PAGE:
            break
    return _told(found)


async def newest(context: Context, limit: int) -> list[Unmapped]:
    """As `report_unmapped`, over the `limit` records written last: quick enough for a page."""
    found: dict[tuple[str, str], list[str]] = defaultdict(list)
    mapping = _mapping(context)
    async with context.database.reading() as connection:
        for _, kind, id_, body in await latest.newest_bodies(connection, limit):
            for finding in _findings(kind, id_, body, mapping):
                found[kind, finding].append(id_)
    return _told(found)


def _mapping(context: Context) -> MappingContext:
    return MappingContext(context.base, context.clock(), Source("report", "Organization/report"))


def _told(found: dict[tuple[str, str], list[str]]) -> list[Unmapped]:
    told = [Unmapped(kind, text, len(ids), ids[0]) for (kind, text), ids in found.items()]
    return sorted(told, key=lambda each: (-each.records, each.kind, each.finding))


def _findings(kind: str, id_: str, body: bytes, mapping: MappingContext) -> set[str]:
    try:
        record = words.read(kind, id_, decode_object(body))
    except Refused:
        return set()
    return {note.text for note in table[kind].to_fhir(record, mapping).notes if note.rule in RULES}
