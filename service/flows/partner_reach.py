"""A partner stops answering, or answers again: remembered with the attempt that showed it, told once."""

from dataclasses import replace
from datetime import datetime

from service.delivery import breaker
from service.delivery.outcome import Answer, Fault
from service.fhir.json import encode
from service.flows.context import Context
from service.kernel.clock import instant
from service.kernel.events import log
from service.store import partners, reach
from service.store.partners import Partner
from service.store.unit import Told, Unit


async def remember_reach(
    context: Context, unit: Unit, partner: Partner, result: Answer | Fault, now: datetime, *, watched: bool
) -> None:
    """What this attempt says of the partner. A healthy one that was healthy costs nothing.

    When a partner that had been given up is back, what waits for it is due now: its referrals need not wait for
    the hours that their own schedule had reached.
    """
    alive = breaker.shows_life(result)
    if alive and not watched:
        return
    before = await reach.held(unit, partner.client_id)
    after = breaker.succeeded(before.breaker) if alive else breaker.failed(before.breaker, now)
    if after == before.breaker:
        return
    await reach.keep(unit, partner.client_id, replace(before, breaker=after))
    if alive:
        await reach.pace(unit, partner.client_id, partner.terms.paced)
    if alive and breaker.recovered(before.breaker):
        await reach.released(unit, partner.client_id, now)
        await _tell(context, unit, partner, "partner-recovered", now)
    elif not alive and breaker.degraded(before.breaker, after):
        await _tell(context, unit, partner, "partner-degraded", now)


async def _tell(context: Context, unit: Unit, partner: Partner, kind: str, now: datetime) -> None:
    """Who hears of it: the case-management system, and the log's reader."""
    log(kind, partner=partner.client_id)
    home = await partners.home(unit)
    if home is not None:
        body = {"kind": kind, "at": instant(now), "partner": partner.name}
        unit.tell(Told(home.client_id, kind, now, encode(body)))
