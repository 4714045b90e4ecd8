"""Measures for pages: counted now and then over the last year, kept, and read in one statement by everybody.

Counting goes through all records of all clients, a few milliseconds each; a page cannot wait for that every time.
"""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Final

from service.coordination.measures.counting import Asked
from service.coordination.measures.rates import Rate
from service.coordination.measures.table import WORKER, Measure, measures
from service.fhir.json import decode_object, encode
from service.flows.context import Context
from service.flows.gpra.report import today_of
from service.flows.measures.tell import Result, told
from service.kernel.failures import Refused
from service.store import measures as store
from service.store.measures import Tally

YEAR: Final = timedelta(days=365)
FRESH: Final = timedelta(hours=1)
"""A page counts again what is older than this."""
MANY: Final = 1000
"""Of more clients than this a page does not count; a command does."""
LISTED: Final = 500
"""How much of what does not count is kept for the page: the oldest."""


@dataclass(frozen=True, slots=True)
class Open:
    """One thing that does not count: a record, whose (`Patient/…`), of which day, who leads the client."""

    what: str
    patient: str
    on: str
    worker: str


@dataclass(frozen=True, slots=True)
class Kept:
    """A measure as it was counted last. `open` holds the oldest of `left`."""

    measure: Measure
    at: datetime
    since: date
    until: date
    rates: list[Rate]
    open: list[Open]
    left: int


async def counted(context: Context) -> dict[str, Kept]:
    """What was counted last, by measure; counted anew first where that is old and there are not too many clients."""
    async with context.database.reading() as connection:
        found = await store.tallies(connection)
        fresh = (
            found.keys() >= measures.keys()
            and min(each.at for each in found.values()) > context.clock() - FRESH
        )
        few = fresh or await store.clients(connection) <= MANY
    if few and not fresh:
        return await count(context)
    return {name: _read(found[name]) for name in measures if name in found}


async def count(context: Context) -> dict[str, Kept]:
    """Count every measure over the last year and keep it for the pages."""
    until = today_of(context)
    now, since = context.clock(), until - YEAR
    found = await told(context, [], Asked(since, until))
    patients = found.gathered.patients
    kept = [
        Tally(each.measure.name, now, since, until, encode(_body(each, patients))) for each in found.results
    ]
    async with context.database.unit() as unit:
        await store.keep_tallies(unit, kept)
    return {each.measure: _read(each) for each in kept}


async def count_now(context: Context) -> None:
    """As `count`, for a person who waits. Refused("forbidden") when there are too many clients for that."""
    async with context.database.reading() as connection:
        many = await store.clients(connection) > MANY
    if many:
        raise Refused(
            "forbidden",
            "there are too many clients to count while you wait; casebridge report measures --console",
        )
    await count(context)


def _body(result: Result, patients: dict[str, str]) -> dict[str, Any]:
    rates = [
        [each.stratifier, each.stratum, each.numerator, each.denominator, each.typical]
        for each in result.rates
    ]
    left = [
        [each.what, patients.get(each.client, ""), each.on.isoformat(), each.strata.get(WORKER, "")]
        for each in result.open[:LISTED]
    ]
    return {"rates": rates, "open": left, "left": len(result.open)}


def _read(tally: Tally) -> Kept:
    body: Any = decode_object(tally.body)
    rates = [
        Rate(tally.measure, stratum, n, d, by, None if typical is None else float(str(typical)))
        for by, stratum, n, d, typical in body["rates"]
    ]
    left = [Open(*each) for each in body["open"]]
    return Kept(measures[tally.measure], tally.at, tally.since, tally.until, rates, left, body["left"])
