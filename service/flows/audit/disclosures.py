"""The accounting of disclosures: to whom a client's information went, when, what, for which purpose, on whose word.

42 CFR 2.25 (three years) and 45 CFR 164.528 (six): date, recipient, brief description, purpose. A disclosure is what
we brought to a partner, and what a partner read or found here on a ground that is not its own authorship.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from service.fhir.audited import DISCLOSED, Audited
from service.flows.audit import may_audit
from service.flows.audit.disclosed import UNREACHED
from service.flows.caller import Caller
from service.flows.context import Context
from service.flows.keep import absent
from service.kernel.failures import Refused
from service.store import audit, partners, records, resources, seals
from service.store.audit import Sought

HOME = "Patient"
PAGE = 5000


@dataclass(frozen=True, slots=True)
class Disclosure:
    """A line of the accounting. `arrived`: yes, refused (it was sent and not taken), or unknown (no answer came)."""

    date: datetime
    client: str
    recipient: str
    organization: str
    description: str
    purpose: str
    basis: str
    consents: tuple[str, ...]
    arrived: str
    event: str


async def of_client(context: Context, caller: Caller, id_: str, years: int | None) -> list[Disclosure]:
    """For the door. Refused: absent for whoever may not audit, and where there is no such client."""
    if not may_audit(caller):
        raise absent(HOME, id_)
    async with context.database.reading() as connection:
        if await resources.read(connection, HOME, id_, None) is None:
            raise absent(HOME, id_)
    return await listing(context, f"{HOME}/{id_}", years)


async def listing(context: Context, client: str | None, years: int | None = None) -> list[Disclosure]:
    """Newest first; of one client (`Patient/[id]`, or the casework system's own id) or of all."""
    async with context.database.reading() as connection:
        home = await partners.home(connection)
        patient = client
        if client and "/" not in client:
            record = await records.find(connection, home.client_id if home else "", "clients", client)
            patient = (
                next((each for each in record.resources if each.startswith(f"{HOME}/")), None)
                if record
                else None
            )
            if patient is None:
                raise Refused("absent", f"there is no client {client!r}")
        sought = Sought(
            about=[patient] if patient else [], bases=DISCLOSED, kinds=["access", "disclosure"],
            low=_since(context, years),
        )  # fmt: skip
        rows = await _all(connection, sought)
        names = {each.organization: each.name for each in await partners.everyone(connection)}
    ours = home.organization if home else ""
    return [
        _line(row, one, names.get(row.organization, row.organization))
        for row in rows
        if _happened(row) and row.organization != ours
        for one in ([patient] if patient else row.patients)
    ]


async def _all(connection: Any, sought: Sought) -> list[Audited]:
    """Every row, however many: an accounting leaves nothing out."""
    rows: list[Audited] = []
    while page := await audit.find(connection, sought, PAGE):
        rows += page
        sought = replace(sought, before=(page[-1].at, page[-1].id))
    return rows


async def archived_before(context: Context, years: int | None = None) -> datetime | None:
    """Where the database's trail begins, if the years asked for go back further and older rows were archived: what was
    disclosed before is in the archives (`casebridge audit archive`), not in the listing."""
    async with context.database.reading() as connection:
        if await seals.last_archive(connection) is None:
            return None
        begins = await audit.oldest(connection)
    return begins if begins and _since(context, years) < begins else None


def _since(context: Context, years: int | None) -> datetime:
    return context.clock() - timedelta(days=round(365.25 * (years or context.settings.disclosure_years)))


def _happened(row: Audited) -> bool:
    """Something left, as far as we can know."""
    return row.outcome == "0" or (row.kind == "disclosure" and row.rule not in UNREACHED)


def _line(row: Audited, client: str, recipient: str) -> Disclosure:
    how = "sent" if row.kind == "disclosure" else f"{row.action} here"
    return Disclosure(
        row.at, client, recipient, row.organization, f"{row.detail or row.resource} ({how})", row.purpose, row.basis,
        row.consents, {"0": "yes", "4": "refused"}.get(row.outcome, "unknown"), row.id,
    )  # fmt: skip
