"""What a partner says in its own Task of our referral becomes what ours says: read by polling, heard in a message."""

from service.fhir.json import JsonObject
from service.flows import advance_referral
from service.flows.advance_referral import performed, side_of, task_of
from service.flows.context import Context
from service.flows.writing import version_of
from service.referral import lifecycle
from service.referral import loop as referral
from service.store import resources
from service.store.loops import Loop
from service.store.partners import Partner
from service.store.unit import Unit


async def take_over(
    context: Context, unit: Unit, loop: Loop, partner: Partner, said: JsonObject
) -> lifecycle.Illegal | None:
    """The performer's elements of `said` into our Task, and what follows from them; what came late changes nothing.

    The loop must be locked; references in `said` mean here what they mean there. Illegal is what the dialect's table
    cannot explain: then nothing was taken over.
    """
    row = (await resources.lock(unit, [("Task", loop.id)])).get(("Task", loop.id))
    if row is None or row.deleted:
        return None
    before, side = task_of(row), side_of(partner)
    verdict = lifecycle.settle(side.dialect, referral.state(before), referral.state(said), "target")
    told = {name: said[name] for name in advance_referral.PERFORMERS if name in said}
    after = performed(before, told)
    if isinstance(verdict, lifecycle.Illegal):
        return verdict
    if isinstance(verdict, lifecycle.Late) or after == before:
        return None
    now = context.clock()
    unit.put(version_of(context, after, loop.id, row, row.author, now))
    await advance_referral.advance_referral(
        context, unit, loop, side, before, after, now, inform_partner=False
    )
    return None
