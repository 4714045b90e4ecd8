"""The audit trail for people: who did what, newest first, and how its chain stands."""

from datetime import datetime, timedelta
from typing import Any

from service.flows.audit.disclosures import listing
from service.flows.console.clients import expect_client
from service.flows.console.telling import content
from service.flows.console.visit import PAGE, View, Visit, mark
from service.flows.context import Context
from service.flows.keep import absent
from service.kernel.failures import Refused
from service.mapping.saying import name_of
from service.store import anchor, audit, partners, resources, seals
from service.store.audit import Sought
from service.store.trail import current

KINDS = ("access", "token", "consent", "disclosure", "administration")
OUTCOMES = {"0": "done", "4": "refused", "8": "failed"}
MOST = 1000


async def show(visit: Visit) -> View:
    """A search over the trail, which is itself on the trail."""
    about = _about(visit.asked.get("about", "").strip())
    low, high = _days(visit)
    kind, outcome, partner = visit.word("kind"), visit.word("outcome"), visit.word("partner")
    sought = Sought(
        about=[about] if about else [], kinds=[kind] if kind else None, outcomes=[outcome] if outcome else None,
        organizations=[f"Organization/{partner}"] if partner else None, low=low, high=high, before=visit.place(),
    )  # fmt: skip
    async with visit.context.database.reading() as connection:
        found = await audit.find(connection, sought, PAGE + 1)
        everyone = await partners.everyone(connection)
        chain = await _chain(visit.context, connection)
    rows = found[:PAGE]
    names: dict[str, str] = {each.client_id: each.name for each in everyone}
    return {
        "rows": [(each, names.get(each.client, each.client) or "Casebridge") for each in rows],
        "next": mark(rows[-1].at, rows[-1].id) if len(found) > PAGE else None,
        "kinds": KINDS,
        "outcomes": OUTCOMES,
        "partners": [(each.organization.partition("/")[2], each.name) for each in everyone],
        "chain": chain,
    }


async def _chain(context: Context, connection: Any) -> View:
    """The cheap part of the proof: does the anchor outside the database still fit? The whole is a command."""
    head = await seals.head(connection)
    last = await seals.last_checkpoint(connection)
    held = anchor.found(context.settings)
    fits = held is not None and held.genuine and await seals.hash_at(connection, held.seq) == held.hash
    return {
        "length": head.seq if head else 0,
        "head": head.hash.hex()[:16] if head else "",
        "waiting": await seals.waiting(connection),
        "checkpoint": last.at if last else None,
        "state": "none" if head is None and held is None else "fits" if fits else "broken",
    }


async def disclosures(visit: Visit) -> View:
    """The accounting of disclosures of one client. Refused: absent."""
    reference = expect_client(visit)
    years = visit.number("years")
    if years is not None and not 1 <= years <= 100:
        raise Refused("malformed", "years is a number from 1 to 100")
    async with visit.context.database.reading() as connection:
        patient = await resources.read(connection, "Patient", visit.parts["id"], None)
    if patient is None:
        raise absent("Patient", visit.parts["id"])
    current().show([patient])
    found = await listing(visit.context, reference, years)
    return {
        "rows": found[:MOST],
        "more": len(found) > MOST,
        "name": name_of(content(patient)),
        "id": patient.id,
        "years": years or visit.context.settings.disclosure_years,
    }


def _about(text: str) -> str:
    """`Type/id`, or an id alone, which is a client's."""
    if not text:
        return ""
    if len(text) > 120 or any(not (each.isalnum() or each in "-._/:") for each in text) or not text.isascii():
        raise Refused("malformed", "about is a reference like Patient/…, or a client's id")
    return text if "/" in text else f"Patient/{text}"


def _days(visit: Visit) -> tuple[datetime | None, datetime | None]:
    """Whole days in the console's time zone, both inclusive."""
    zone = visit.context.settings.zone
    found: list[datetime | None] = []
    for name, after in (("from", 0), ("to", 1)):
        text = visit.asked.get(name)
        try:
            day = datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=zone) if text else None
            found.append(day + timedelta(days=after) if day else None)
        except (ValueError, OverflowError):
            raise Refused("malformed", f"{name} is a day, like 2026-03-02") from None
    return found[0], found[1]
