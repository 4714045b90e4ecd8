"""Who a case manager is, and whether they may lead this client: what our directory knows."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

from service.casework.records.case_manager import CaseManager
from service.casework.records.client import Client
from service.coordination.fitness import Facts, Finding, findings, populations, severities
from service.coordination.leading import Worker
from service.fhir.json import JsonObject, decode_object
from service.fhir.outcome import Issue
from service.fhir.references import local
from service.flows.context import Context
from service.kernel.failures import Refused
from service.kernel.ids import derived_id
from service.mapping import client as clients
from service.mapping.context import MappingContext, Source
from service.mapping.names import SUPERVISOR
from service.mapping.parts import extension
from service.mapping.table import table
from service.store import agencies, partners, records, resources
from service.store.partners import Partner

ROLE, PERSON = "PractitionerRole", "Practitioner"
ABOUT = ("Patient", "Flag")
"""What tells of which populations a client is."""


async def worker_of(connection: Any, reference: str, source: str, agency: str) -> Worker:
    """The worker that a `PractitionerRole/…` or `Practitioner/…` is; `agency` where nothing here says for whom.

    A Practitioner of the casework system's records is its PractitionerRole: one worker is one reference.
    """
    kept = await records.becoming(connection, source, reference)
    record = kept.id if kept is not None and kept.kind == "case-managers" else ""
    if record:
        reference = f"{ROLE}/{derived_id(source, 'case-managers', record, ROLE)}"
    type_, _, id_ = reference.partition("/")
    row = await resources.read(connection, type_, id_, None)
    said = decode_object(row.body) if row is not None and row.body else {}
    for_whom, person = _local(said.get("organization")), _local(said.get("practitioner"))
    if type_ == PERSON:
        person = reference
    return Worker(reference, for_whom or agency, person, record)


async def worker_of_record(connection: Any, id_: str, source: str, agency: str) -> Worker:
    """The worker of a casework record, filed already or not yet."""
    reference = f"{ROLE}/{derived_id(source, 'case-managers', id_, ROLE)}"
    found = await worker_of(connection, reference, source, agency)
    person = f"{PERSON}/{derived_id(source, 'case-managers', id_, PERSON)}"
    return Worker(found.reference, found.agency, person, id_)


def _local(reference: object) -> str:
    literal = reference.get("reference") if isinstance(reference, dict) else None
    key = local(literal) if isinstance(literal, str) else None
    return "/".join(key) if key else ""


async def supervisor_of(connection: Any, worker: Worker) -> str:
    """Who supervises the worker, else their agency: a reference."""
    type_, _, id_ = worker.reference.partition("/")
    row = await resources.read(connection, type_, id_, None) if type_ == ROLE else None
    said = extension(decode_object(row.body), SUPERVISOR, "valueReference") if row and row.body else None
    return str(said["reference"]) if isinstance(said, dict) and said.get("reference") else worker.agency


async def works(connection: Any, worker: Worker) -> bool:
    """Does this case manager still work, for an agency that still does?"""
    if await agencies.closed(connection, [worker.agency]):
        return False
    type_, _, id_ = worker.reference.partition("/")
    row = await resources.read(connection, type_, id_, None)
    said = decode_object(row.body) if row is not None and row.body else {}
    return said.get("active") is not False


async def speaks_for(connection: Any, home: str, agency: str) -> bool:
    """Does the casework system speak for this agency: its own, one that is no partner with a word of its own, or one
    that is closed?"""
    if agency == home or await partners.of_organization(connection, agency) is None:
        return True
    return bool(await agencies.closed(connection, [agency]))


def moment(text: str, context: Context) -> datetime | None:
    """A date (its first instant where the agency is) or a moment; None where nothing is said. Refused("malformed")."""
    if not text:
        return None
    try:
        found = datetime.fromisoformat(text.replace(" ", "+"))
    except ValueError:
        raise Refused("malformed", "start and end are dates or moments, like 2026-09-01") from None
    return (found if found.tzinfo else found.replace(tzinfo=context.settings.zone)).astimezone(UTC)


async def weigh_worker(
    context: Context,
    connection: Any,
    worker: Worker,
    about: Sequence[JsonObject],
    home: Partner,
    now: datetime,
) -> list[Issue]:
    """What speaks against this worker, as notes. `about`: the client's Patient and Flags. Refused("unprocessable") when
    a rule of the operator's blocks."""
    found = await _findings(context, connection, worker, about, home, now)
    issues = [
        Issue("error" if each.blocks else "warning", "business-rule", each.text, "/episode/primaryCaseManager",
              f"lead-{each.rule}")
        for each in found
    ]  # fmt: skip
    if any(each.blocks for each in found):
        text = next(each.text for each in found if each.blocks)
        raise Refused("unprocessable", text, issues)
    return issues


async def _findings(
    context: Context,
    connection: Any,
    worker: Worker,
    about: Sequence[JsonObject],
    home: Partner,
    now: datetime,
) -> list[Finding]:
    mapping = MappingContext(context.base, now, Source(home.client_id, home.organization, None, home.name))
    today = now.astimezone(context.settings.zone).date()
    keys = [key for each in (worker.reference, worker.person) if each and (key := local(each))]
    rows = await resources.known(connection, keys, None)
    facts = _facts(tuple(decode_object(row.body) for row in rows if row.body), mapping)
    if await agencies.closed(connection, [worker.agency]):
        facts = replace(facts or Facts(), active=False)
    try:
        client: Client | None = clients.to_record(tuple(about), mapping).record
    except (ValueError, LookupError):
        client = None
    whose = populations(client.populations, _day(client.birth_date), today) if client else frozenset()
    return findings(facts, whose, today, severities(context.settings.lead_rules))


def _facts(found: tuple[JsonObject, ...], mapping: MappingContext) -> Facts | None:
    try:
        told: CaseManager = table["case-managers"].to_record(found, mapping).record
    except LookupError:
        return None
    check = told.background_check
    return Facts(
        active=told.active,
        qualifications=frozenset(each.code for each in told.qualifications if each.code),
        supervisor=told.supervisor is not None or "supervisor" in told.roles,
        check=check.status if check else None,
        check_expires=_day(check.expires) if check else None,
        cleared_for=frozenset(check.populations) if check else frozenset(),
    )


def _day(said: object) -> date | None:
    """A date where a whole one is said."""
    try:
        return date.fromisoformat(str(said)[:10])
    except ValueError:
        return None
