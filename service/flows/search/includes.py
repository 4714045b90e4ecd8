"""`_include` and `_revinclude`: what the matches refer to, and what refers to them.

With `:iterate` what was added is looked at again, until nothing new comes or a limit is reached. What the
caller's token does not cover or consent withholds is not added. https://hl7.org/fhir/R4/search.html#revinclude
"""

from collections.abc import Iterable, Sequence
from typing import Any

from service.fhir.catalogue import catalogue
from service.fhir.json import decode_object
from service.fhir.references import local
from service.fhir.row import Row
from service.fhir.search import extract, keys
from service.fhir.search.parameters import Parameter, parameters
from service.fhir.search.query import Include
from service.flows.caller import Caller
from service.flows.search.consented import Permitted
from service.store import resources
from service.store import search as store

MOST = 1000
ROUNDS = 8
_ANY: frozenset[str] = frozenset()


class Companions:
    """What is added to a page of matches. `cut_short` when there was more than MOST."""

    def __init__(self, connection: Any, caller: Caller, permitted: Permitted, base: str) -> None:
        self._connection = connection
        self._caller = caller
        self._permitted = permitted
        self._base = base
        self._seen: set[str] = set()
        self.rows: list[Row] = []
        self.cut_short = False

    async def gather(self, matches: Sequence[Row], includes: Sequence[Include]) -> None:
        """Fill `rows` for these matches."""
        self._seen = {row.reference for row in matches}
        frontier = await self._round(matches, includes)
        again = [include for include in includes if include.iterate]
        for _ in range(ROUNDS):
            if not frontier or not again or self.cut_short:
                return
            frontier = await self._round(frontier, again)

    async def _round(self, frontier: Sequence[Row], includes: Sequence[Include]) -> list[Row]:
        found: dict[str, Row] = {}
        for include in includes:
            rows = await (self._referring if include.reverse else self._referred)(frontier, include)
            new = [row for row in rows if row.reference not in self._seen and row.reference not in found]
            by = (
                frozenset(p.code for p in _references(include.source, include.code))
                if include.reverse
                else _ANY
            )
            found.update((row.reference, row) for row in await self._permitted(new, by))
        new = list(found.values())
        room = MOST - len(self.rows)
        self.cut_short = self.cut_short or len(new) > room
        self.rows += new[:room]
        self._seen |= found.keys()
        return new[:room]

    def _may(self, type_: str) -> bool:
        return type_ in catalogue and self._caller.some(type_, "r")

    async def _referred(self, frontier: Sequence[Row], include: Include) -> list[Row]:
        names = [keys.name(p.base, p.code) for p in _references(include.source, include.code)]
        texts = list(
            dict.fromkeys(
                key.partition("=")[2]
                for row in frontier
                if row.type == include.source
                for key in extract(decode_object(row.body or b"{}"), self._base).keys
                if key.partition("=")[0] in names and "=" in key
            )
        )
        pairs = [found for text in texts if (found := local(text)) and self._wanted(found[0], include)]
        rows = await resources.known(self._connection, pairs, self._caller.viewer) if pairs else []
        return rows + await self._canonical([t for t in texts if ":" in t], include)

    def _wanted(self, type_: str, include: Include) -> bool:
        return include.target in ("", type_) and self._may(type_)

    async def _canonical(self, urls: list[str], include: Include) -> list[Row]:
        """Definitions of ours that a canonical names."""
        found: list[Row] = []
        for type_ in _targets(include):
            if urls and "url" in parameters(type_) and self._wanted(type_, include):
                wanted = [keys.target(keys.name(type_, "url"), url) for url in urls]
                found += await self._carrying(type_, wanted)
        return found

    async def _referring(self, frontier: Sequence[Row], include: Include) -> list[Row]:
        if not self._may(include.source):
            return []
        wanted = [
            keys.target(keys.name(parameter.base, parameter.code), text)
            for parameter in _references(include.source, include.code)
            for row in frontier
            if not parameter.targets or row.type in parameter.targets
            if include.target in ("", row.type)
            for text in self._names_of(row)
        ]
        return await self._carrying(include.source, wanted) if wanted else []

    def _names_of(self, row: Row) -> list[str]:
        if "url" not in parameters(row.type):
            return [row.reference]
        url = decode_object(row.body or b"{}").get("url")
        return [row.reference, url] if isinstance(url, str) else [row.reference]

    async def _carrying(self, type_: str, wanted: list[str]) -> list[Row]:
        eyes = store.Eyes.of(self._caller.viewer)
        rows = await store.referring(self._connection, type_, wanted, eyes, MOST + 1)
        self.cut_short = self.cut_short or len(rows) > MOST
        return rows[:MOST]


def _references(type_: str, code: str) -> list[Parameter]:
    found = parameters(type_)
    return [p for p in found.values() if p.type == "reference" and code in ("*", p.code)]


def _targets(include: Include) -> Iterable[str]:
    return dict.fromkeys(t for p in _references(include.source, include.code) for t in p.targets or catalogue)
