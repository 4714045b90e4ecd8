"""Where we listen by Subscription: is it there, is it active, and did what happened to the test Task reach us?"""

import asyncio

from service.fhir.subscriptions.notice import Heard, heard
from service.flows.checking.steps import Sheet, body_of, good, why
from service.flows.context import Context
from service.kernel.failures import Refused
from service.remote.outside import Outside
from service.remote.partner import Peer
from service.store import listening
from service.store.listening import Listening
from service.store.partners import Partner


async def standing(context: Context, partner: Partner) -> Listening | None:
    """Our Subscription at this partner, as we know it."""
    async with context.database.reading() as connection:
        everyone = await listening.everyone(connection)
    return next((each for each in everyone if each.partner == partner.client_id), None)


async def notices(
    sheet: Sheet, context: Context, outside: Outside, partner: Partner, peer: Peer, before: Listening | None
) -> None:
    """Step `notice`. `before`: how our Subscription stood before the test referral was sent."""
    if partner.delivery != "subscribe":
        sheet.skipped(f"delivery is {partner.delivery}: we do not subscribe there, we look.", "notice")
        return
    if before is None or before.remote is None:
        said = (
            before.why
            if before and before.why
            else "no Subscription is there yet; `casebridge serve` asks for it"
        )
        sheet.failed("notice", f"{said}.")
        return
    reply = await sheet.tried(lambda id_: outside.partners.read(f"{before.remote}/$status", peer, id_))
    told = _status(body_of(reply)) if good(reply) else None
    if told is None:
        said = why(reply) if not good(reply) else "its answer is no subscription status"
        sheet.failed("notice", f"{before.remote}/$status: {said}.", reply)
    elif told.status != "active":
        words = f"our Subscription is {told.status} there: the handshake to our endpoint did not succeed."
        sheet.failed("notice", words, reply)
    else:
        here = await _arrived(context, partner, told.counter)
        if here >= told.counter > before.heard:
            words = f"active; the test Task made {told.counter - before.heard} notifications, and all came."
            sheet.passed("notice", words, reply)
        elif told.counter <= before.heard:
            sheet.failed(
                "notice", "active, but the test Task made no event there: do they match its topic?", reply
            )
        else:
            words = f"active; {told.counter} events there, {here} came here. Can they reach {context.base}?"
            sheet.failed("notice", words, reply)


async def _arrived(context: Context, partner: Partner, counter: int, seconds: float = 3.0) -> int:
    """The number of the last event that came; waits a moment for those on their way."""
    for _ in range(round(seconds / 0.2)):
        now = await standing(context, partner)
        if now is not None and now.heard >= counter:
            return now.heard
        await asyncio.sleep(0.2)
    return now.heard if now is not None else 0


def _status(bundle: dict[str, object]) -> Heard | None:
    try:
        return heard({**bundle, "type": "history"})
    except Refused:
        return None
