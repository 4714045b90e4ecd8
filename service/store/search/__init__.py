"""Search in SQL: a Query of fhir.search becomes one statement for a page, and one for a count.

`run` pages, `count` counts, `estimate` guesses, `referring` serves `_revinclude`. Whose eyes look is part of
every statement, at every depth: see `Statement.visible`.
"""

from service.store.search.ask import Page, Place, count, estimate, matching_ids, referring, run, snapshot
from service.store.search.statement import EVERYTHING, Eyes

__all__ = [
    "EVERYTHING",
    "Eyes",
    "Page",
    "Place",
    "count",
    "estimate",
    "matching_ids",
    "referring",
    "run",
    "snapshot",
]
