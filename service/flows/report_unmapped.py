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
    mapping = MappingContext(context.base, context.clock(), Source("report", "Organization/report"))
    while True:
        async with context.database.reading() as connection:
            page = await records.everything(connection, behind, PAGE)
        for kept in page:
            behind = (kept.source, kept.kind, kept.id)
            for finding in _findings(kept, mapping):
                found[kept.kind, finding].append(kept.id)
        if len(page) < PAGE:
            break
    told = [Unmapped(kind, text, len(ids), ids[0]) for (kind, text), ids in found.items()]
    return sorted(told, key=lambda each: (-each.records, each.kind, each.finding))


def _findings(kept: records.Kept, mapping: MappingContext) -> set[str]:
    try:
        record = words.read(kept.kind, kept.id, decode_object(kept.body))
    except Refused:
        return set()
    return {note.text for note in table[kept.kind].to_fhir(record, mapping).notes if note.rule in RULES}
