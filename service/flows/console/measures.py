"""How well case management goes: every measure as a bar, one measure by its strata, the network's service areas."""

from service.casework.records import kinds
from service.coordination.measures.table import AREAS, measures
from service.flows.console.telling import content, noticed
from service.flows.console.visit import PAGE, View, Visit
from service.flows.measures import tally
from service.flows.measures.network import network
from service.flows.measures.tally import Kept, Open
from service.kernel.failures import Refused
from service.mapping.counting import area_words
from service.mapping.saying import name_of
from service.store import partners, resources
from service.store.trail import current


async def listing(visit: Visit) -> View:
    """All of them, each as a whole; nobody is named."""
    found = await tally.counted(visit.context)
    return {"rows": list(found.values()), "when": next(iter(found.values()), None), "many": tally.MANY}


async def one(visit: Visit) -> View:
    """A measure by each of its stratifiers, and what does not count. Refused("absent")."""
    name = visit.parts["id"]
    if name not in measures:
        raise Refused("absent", "there is no such measure here")
    start = visit.number("from") or 0
    found = (await tally.counted(visit.context)).get(name)
    shown = found.open[start : start + PAGE] if found else []
    async with visit.context.database.reading() as connection:
        rows = await resources.known(connection, [_key(each) for each in shown if each.patient], None)
        home = await partners.home(connection)
        ways = (
            await network(connection, home.organization, found.until)
            if found and home and name == "coverage"
            else None
        )
    current().show(rows)
    clients = {row.reference: name_of(content(row)) for row in rows}
    agencies = sorted(
        ((ways.names.get(agency, agency), own) for agency, own in ways.ways.items() if {*own} & {*AREAS}),
        key=lambda each: each[0],
    ) if ways else []  # fmt: skip
    return {
        "notice": noticed(rows, visit.caller.client_id),
        "measure": measures[name],
        "found": found,
        "strata": _strata(found) if found else [],
        "open": [(each, clients.get(each.patient), _record(each.what)) for each in shown],
        "next": str(start + PAGE) if found and len(found.open) > start + PAGE else None,
        "areas": [(each, area_words(each)) for each in AREAS],
        "agencies": agencies,
        "many": tally.MANY,
    }


def _strata(found: Kept) -> list[tuple[str, list[object]]]:
    """The rates of each stratifier, in the order of the table."""
    return [
        (stratifier, [each for each in found.rates if each.stratifier == stratifier])
        for stratifier in found.measure.stratifiers
    ]


def _record(what: str) -> str:
    """The casework record (`care-plans/x`) that a thing is or belongs to; empty where it is none."""
    named = (word for word in what.split(" ") if word.partition("/")[0] in kinds)
    return next(named, "")


def _key(open_: Open) -> tuple[str, str]:
    type_, _, id_ = open_.patient.partition("/")
    return type_, id_


async def again(visit: Visit) -> str:
    """Count anew now. Refused("forbidden") where that would take too long for a page."""
    await tally.count_now(visit.context)
    return "/console/measures"
