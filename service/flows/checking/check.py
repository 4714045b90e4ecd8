"""The story of a self-test: reach it, ask it, refer nobody to it, follow, clean up; a report both sides can act on."""

from dataclasses import dataclass
from datetime import datetime

from service.consent.synthetic import SelfTest
from service.fhir.audited import Audited
from service.fhir.json import JsonObject
from service.flows.audit.witness import act
from service.flows.checking import inward, notice, referral, server
from service.flows.checking.steps import PATIENCE, Sheet, Step
from service.flows.context import Context
from service.flows.deliver import peer_of
from service.flows.onboard_partner import found_by_name
from service.kernel.clock import instant
from service.kernel.ids import new_id
from service.referral.dialects import FIRST, Dialect
from service.remote.outside import Outside
from service.remote.partner import Peer
from service.store import partners
from service.store.partners import Partner


@dataclass(frozen=True, slots=True)
class Report:
    """What a self-test came to; `number` is the test's, in every identifier it left at the partner."""

    partner: str
    at: datetime
    number: str
    steps: tuple[Step, ...]

    @property
    def failed(self) -> int:
        """How many steps want somebody to do something."""
        return sum(each.result == "failed" for each in self.steps)

    def shown(self) -> JsonObject:
        """As JSON."""
        rows = [
            {"step": each.name, "result": each.result, "words": each.words}
            | ({"milliseconds": each.milliseconds, "request": each.request_id} if each.request_id else {})
            for each in self.steps
        ]
        at = instant(self.at)
        return {"partner": self.partner, "at": at, "test": self.number, "failed": self.failed, "steps": rows}


async def check(
    context: Context, outside: Outside, name: str, *, wait: float = 5.0, pause: float = 0.3
) -> Report:
    """Try the partner of this name out. `wait`: seconds for somebody there to answer the test referral; `pause`:
    before the first repetition of what stumbled. Refused when there is no such partner."""
    partner = await found_by_name(context, name)
    number, began, sheet = new_id(), context.clock(), Sheet(pause=pause)
    await context.database.record([_said(context, partner, f"self-test {number} begins")])
    if partner.disabled_at is not None:
        sheet.failed("registration", "it is disabled here; nothing is sent and nothing accepted.")
    elif partner.fhir_base is None:
        sheet.skipped("it has no FHIR base: it works on our server.", *inward.STEPS, *referral.STEPS)
        await inward.inward(sheet, context, outside, partner)
    else:
        await _outward(sheet, context, outside, partner, number, wait)
    report = Report(partner.name, began, number, tuple(sheet.steps))
    words = f"self-test {number}: {report.failed} of {len(report.steps)} failed"
    await context.database.record([_said(context, partner, words)])
    return report


def _said(context: Context, partner: Partner, detail: str) -> Audited:
    return act(context, "administration", "partner-checked", detail=detail, about=[partner.organization])


async def _outward(
    sheet: Sheet, context: Context, outside: Outside, partner: Partner, number: str, wait: float
) -> None:
    peer = peer_of(partner)
    told = await server.reach(sheet, outside, peer)
    if told is None:
        sheet.skipped("not tried: nothing answers there.", *inward.STEPS[1:], *referral.STEPS)
        return
    server.describes(sheet, partner, told)
    if not await server.authorises(sheet, context, outside, partner, peer):
        sheet.skipped("not tried: no token.", "search", *referral.STEPS)
    elif not await server.searches(sheet, outside, peer):
        sheet.skipped("not tried: without a search, a test could not be found again.", *referral.STEPS)
    else:
        await _refer(sheet, context, outside, partner, peer, number, wait)
    _steady(sheet, context)


async def _refer(
    sheet: Sheet, context: Context, outside: Outside, partner: Partner, peer: Peer, number: str, wait: float
) -> None:
    async with context.database.reading() as connection:
        home = await partners.home(connection)
    if home is None:
        words = "not tried: no case-management system is registered here (--role casework) to refer."
        sheet.skipped(words, *referral.STEPS)
        return
    first = _first(partner)
    requester, owner = (f"{context.base}/{each.organization}" for each in (home, partner))
    test = SelfTest(number, requester, owner, context.clock(), first)
    before = await notice.standing(context, partner)
    placed = await referral.place(sheet, context, outside, peer, test)
    if placed is None:
        left = [each for each in referral.STEPS if each not in {step.name for step in sheet.steps}]
        sheet.skipped("not tried: the test referral is not there.", *left)
        return
    await referral.follow(sheet, outside, peer, placed, first[0], wait)
    await notice.notices(sheet, context, outside, partner, peer, before)
    await referral.withdraw(sheet, context, outside, peer, test, placed)


def _first(partner: Partner) -> tuple[str, str]:
    dialects: dict[str, Dialect] = {"sdohcc": "sdohcc", "bser": "bser", "cow": "cow"}
    return FIRST[dialects[partner.dialect]]


def _steady(sheet: Sheet, context: Context) -> None:
    """Step `steadiness`: what stumbled on the way, and how long the slowest answer took."""
    times, allowed = sum(sheet.stumbles.values()), context.settings.delivery_timeout_seconds
    if times:
        rows = ", ".join(f"{kind} {count}" for kind, count in sorted(sheet.stumbles.items()))
        words = f"{times} of {sheet.asked} requests stumbled and were sent again ({rows}); deliveries will arrive late."
        sheet.failed("steadiness", words)
    elif sheet.slowest > PATIENCE * 1000:
        words = f"its slowest answer took {sheet.slowest / 1000:.1f} s; we wait {allowed:g} s at most."
        sheet.failed("steadiness", words)
    else:
        sheet.passed("steadiness", f"{sheet.asked} requests, none stumbled, the slowest {sheet.slowest} ms.")
