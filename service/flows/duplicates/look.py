"""Look at the services of a client: judge, remember, tell. Done by the worker after the commit, so that neither an
answer to a partner nor its time depends on what others have filed.

What is found is a DetectedIssue, shown to an asking agency only where the client's consents let it see both services,
and a Task to the primary case manager. Both have an id derived from the two services: looking again changes nothing.
"""

from dataclasses import dataclass, replace
from datetime import datetime

from service.consent.permit import Deny
from service.coordination import duplicates as table
from service.coordination.duplicates import Pair, Served
from service.fhir.json import JsonObject, decode_object, encode
from service.fhir.meta import content
from service.fhir.row import Row
from service.flows.context import Context
from service.flows.duplicates.gather import Caseload, services_of, today
from service.flows.lead.who import speaks_for
from service.flows.permit import PURPOSE, own, protection, weighed
from service.flows.queue import Queue, work_off
from service.flows.writing import row_of, version_of
from service.kernel.clock import instant
from service.kernel.ids import derived_id
from service.mapping import duplicate as told
from service.mapping.duplicate import Found, Settled
from service.store import duplicates, leads, partners, persons, records, resources
from service.store.duplicates import Duplicate
from service.store.partners import Partner
from service.store.unit import Put, Shared, Told, Unit

ISSUE, TASK = "DetectedIssue", "Task"


async def look(context: Context) -> int:
    """Compare the services of some clients of whom something was filed; returns how many, 0 when nobody waits."""
    waiting = Queue(
        lambda unit, most: duplicates.take(unit, today(context), most),
        lambda unit, patient: _look(context, unit, patient),
        duplicates.out,
        duplicates.behind,
    )
    return await work_off(context, waiting)


@dataclass(frozen=True, slots=True)
class _Case:
    """One client, and what is known of the case."""

    home: Partner
    patient: str
    load: Caseload
    names: dict[str, str]
    now: datetime
    people: list[Row]
    """Of a client who is several Patients, these: who may not see all of them is not told that they are one."""


async def _look(context: Context, unit: Unit, one: str) -> None:
    """Everything that is done for this person, under the Patient that others were merged into first."""
    home = await partners.home(unit)
    patients = await persons.group(unit, one)
    patient = patients[0]
    await unit.lock(f"duplicates/{patient}")
    load = await services_of(context, unit, patients)
    before = await duplicates.of_patients(unit, patients)
    found = {_id(pair): pair for pair in table.find(load.services.values())}
    if home is None or not (found or before):
        return
    names = {each.organization: each.name for each in await partners.everyone(unit)}
    several = [_key(each) for each in patients] if len(patients) > 1 else []
    people = await resources.known(unit, several, None) if several else []
    case = _Case(home, patient, load, names, context.clock(), people)
    keys = [(type_, id_) for id_ in {*found, *before} for type_ in (ISSUE, TASK)]
    held = await resources.lock(unit, keys)
    kept = []
    for id_ in sorted({*found, *before}):
        was = before.get(id_)
        rows = (held.get((ISSUE, id_)), held.get((TASK, id_)))
        item = (
            await _running(context, unit, case, id_, found[id_], was, rows)
            if id_ in found
            else await _gone(context, unit, case, before[id_], rows)
        )
        if item != was:
            kept.append(item)
    await duplicates.keep(unit, kept)


def _id(pair: Pair) -> str:
    return derived_id("duplicate", pair.one.id, pair.two.id)


async def _running(
    context: Context, unit: Unit, case: _Case, id_: str, pair: Pair, was: Duplicate | None,
    held: tuple[Row | None, Row | None],
) -> Duplicate:  # fmt: skip
    """Both services run: new, as it was, begun again, or settled by a person in the Task."""
    service = told.named(pair)
    first = was.found if was else case.now
    versions, rows = _versions(case, pair, _body(held[0]))
    agencies = (_agency(case, pair.one), _agency(case, pair.two))
    labels = tuple(protection(context, rows))
    found = Found(id_, case.patient, pair, service, versions, agencies, labels, first)
    again = was is not None and was.resolution in ("withdrawn", "over")
    task = None if again else _body(held[1])
    settled = _by_person(was, task, case.now)
    issue = version_of(
        context, told.issue_of(found, settled, instant(first)), id_, held[0], case.home.client_id, case.now
    )
    hidden = await _hidden(context, unit, case, pair, rows, row_of(issue))
    owner, sees = await _owner(context, unit, case, rows, row_of(issue))
    made = told.task_of(found, owner, hidden, settled, task)
    _write(unit, context, case, issue, held[0])
    _write(
        unit, context, case, version_of(context, made, id_, held[1], case.home.client_id, case.now), held[1]
    )
    await _show(unit, case, pair, hidden, sees, id_)
    item = Duplicate(
        id_, case.patient, pair.one.id, pair.two.id, service, pair.verdict.grade, pair.verdict.rule, tuple(hidden),
        first, pair.until, *((settled.how, settled.at, settled.reason) if settled else ("", None, "")),
    )  # fmt: skip
    if was is None or again:
        await _tell(unit, case, "duplicate-found", item, agencies)
    elif settled and not was.resolution:
        await _tell(unit, case, "duplicate-resolved", item, agencies)
    return item


def _by_person(was: Duplicate | None, task: JsonObject | None, now: datetime) -> Settled | None:
    """What a person has answered in the Task. rejected: both are kept; completed: one will be withdrawn."""
    how = {"completed": "agreed", "rejected": "kept"}.get(str(task["status"])) if task else None
    if task is None or how is None:
        return None
    said = task.get("statusReason", {}).get("text") or next(
        (each.get("text") for each in reversed(task.get("note", []))), ""
    )
    at = was.resolved if was and was.resolution == how and was.resolved else now
    return Settled(how, at, str(said or ""))


async def _gone(
    context: Context, unit: Unit, case: _Case, was: Duplicate, held: tuple[Row | None, Row | None]
) -> Duplicate:
    """They are not both running any more, or no longer alike: by whom, and what that spares the client."""
    if was.resolution not in ("", "agreed"):
        return was
    one, two = case.load.services.get(was.one), case.load.services.get(was.two)
    back = ""
    for id_, each in ((was.one, one), (was.two, two)):
        back = back or (id_ if await _withdrawn(unit, case, id_, each) else "")
    settled = Settled(
        "withdrawn" if back else "over", case.now, was.reason, _version(case, back) if back else ""
    )
    if was.resolution == "agreed" and not back:
        return was
    item = replace(was, resolution=settled.how, resolved=case.now, withdrawn=back)
    if back and one and two:
        gone, stays = (one, two) if back == was.one else (two, one)
        units, weekly = table.avoided(gone, stays, today(context))
        item = replace(item, units=units, weekly=weekly)
    for row, make in zip(held, (_issue_closed, told.closed), strict=True):
        if row is not None and row.body:
            body = make(decode_object(row.body), settled)
            _write(
                unit,
                context,
                case,
                version_of(context, body, was.id, row, case.home.client_id, case.now),
                row,
            )
    await _tell(
        unit,
        case,
        "duplicate-resolved",
        item,
        tuple(_agency(case, each) if each else "" for each in (one, two)),
    )
    return item


async def _withdrawn(unit: Unit, case: _Case, id_: str, one: Served | None) -> bool:
    """Was it taken back? What is no more among the client's services may be another client's by now: not so."""
    if one is not None:
        return one.state == "withdrawn"
    reference = id_.partition("#")[0]
    return reference in case.load.rows or not await resources.known(unit, [_key(reference)], None)


def _key(reference: str) -> tuple[str, str]:
    type_, _, id_ = reference.partition("/")
    return type_, id_


def _issue_closed(issue: JsonObject, settled: Settled) -> JsonObject:
    return {**issue, "status": "final", "mitigation": [told.mitigation(settled)]}


def _body(row: Row | None) -> JsonObject | None:
    return decode_object(row.body) if row is not None and row.body else None


def _versions(case: _Case, pair: Pair, issue: JsonObject | None) -> tuple[tuple[str, str], list[Row]]:
    """Each service in the version in which it was first compared, and the rows as they are."""
    before = [str(each.get("reference", "")) for each in (issue or {}).get("implicated", [])]
    now = (_version(case, pair.one.id), _version(case, pair.two.id))
    same = [each.partition("/_history/")[0] for each in before] == [
        each.partition("/_history/")[0] for each in now
    ]
    rows = [row for each in (pair.one, pair.two) if (row := case.load.row(each.id))]
    return ((before[0], before[1]) if same else now), rows


def _version(case: _Case, id_: str) -> str:
    row = case.load.row(id_)
    return f"{row.reference}/_history/{row.version}" if row else ""


def _agency(case: _Case, one: Served) -> str:
    return case.names.get(one.asker, one.asker)


async def _hidden(
    context: Context, unit: Unit, case: _Case, pair: Pair, rows: list[Row], issue: Row
) -> list[str]:
    """The asking agencies that may not be told."""
    found = []
    for asker in dict.fromkeys((pair.one.asker, pair.two.asker)):
        if asker and not await _may_know(context, unit, case, asker, [*rows, issue]):
            found.append(asker)
    return sorted(found)


async def _may_know(context: Context, unit: Unit, case: _Case, organization: str, rows: list[Row]) -> bool:
    """May this agency see all of these? Ours may, and whom we speak for. Its own it knows."""
    if await speaks_for(unit, case.home.organization, organization):
        return True
    partner = await partners.of_organization(unit, organization)
    if partner is None or "casework" in partner.roles:
        return partner is not None
    for row in (*rows, *case.people):
        if not own(partner.client_id, row) and isinstance(
            await weighed(context, unit, organization, [row], PURPOSE), Deny
        ):
            return False
    return True


async def _owner(context: Context, unit: Unit, case: _Case, rows: list[Row], issue: Row) -> tuple[str, str]:
    """Who is asked: the primary case manager, or who stands in. One at a partner that may not see both is not asked,
    our agency is instead. Answers the owner and, where that is a partner's, its Organization."""
    leading = (await leads.who_leads(unit, [case.patient], case.now)).get(case.patient)
    if leading is None:
        return case.home.organization, ""
    worker = leading.acts
    if await speaks_for(unit, case.home.organization, worker.agency):
        return worker.reference, ""
    if await _may_know(context, unit, case, worker.agency, [*rows, issue]):
        return worker.reference, worker.agency
    return case.home.organization, ""


def _write(unit: Unit, context: Context, case: _Case, put: Put, before: Row | None) -> None:
    if (
        before is None
        or before.body is None
        or content(decode_object(before.body)) != content(decode_object(put.body or b"{}"))
    ):
        unit.put(put)


async def _show(unit: Unit, case: _Case, pair: Pair, hidden: list[str], owner: str, id_: str) -> None:
    """Made known to the agencies that may see both; whether they still may is asked of the consents at each read."""
    for asker in hidden:
        partner = await partners.of_organization(unit, asker)
        if partner is not None:
            await duplicates.hide(unit, partner.client_id, id_)
    for asker in dict.fromkeys((pair.one.asker, pair.two.asker, owner)):
        partner = await partners.of_organization(unit, asker) if asker and asker not in hidden else None
        if partner is None or partner.client_id == case.home.client_id:
            continue
        unit.share(Shared(partner.client_id, ISSUE, id_, id_, case.now))
        if asker == owner:
            unit.share(Shared(partner.client_id, TASK, id_, id_, case.now))


async def _tell(unit: Unit, case: _Case, kind: str, item: Duplicate, agencies: tuple[str, ...]) -> None:
    kept = await records.becoming(unit, case.home.client_id, case.patient)
    body = _event(case, kind, item, agencies)
    if kept:
        body["client"] = kept.id
    unit.tell(Told(case.home.client_id, kind, case.now, encode(body)))


def _event(case: _Case, kind: str, item: Duplicate, agencies: tuple[str, ...]) -> JsonObject:
    """In the casework system's words."""
    said: JsonObject = {
        "kind": kind, "at": instant(case.now), "patient": case.patient, "service": item.service, "grade": item.grade,
        "why": table.TEXTS[item.rule], "services": [item.one, item.two], "agencies": sorted(set(agencies) - {""}),
        "hiddenFrom": sorted(case.names.get(each, each) for each in item.hidden),
        "task": f"Task/{item.id}", "issue": f"DetectedIssue/{item.id}",
    }  # fmt: skip
    if item.resolution:
        said |= {"how": item.resolution, "reason": item.reason, "withdrawn": item.withdrawn}
    return said
