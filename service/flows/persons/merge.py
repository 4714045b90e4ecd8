"""Patient/$merge and Patient/$unmerge: two Patients are one person, says a case manager, or are not after all.

Nothing that refers to the source is rewritten, and nothing that a partner wrote is touched, its Patient included: who
reads follows (docs/decisions/merging-patients.md). So an undoing leaves no trace in what others hold. Our own two
Patients say it in `link`, and the source is inactive.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from service.coordination.leading import Assign, Conflict
from service.fhir.json import JsonObject, decode_object, encode
from service.fhir.outcome import Issue, operation_outcome
from service.fhir.references import local
from service.fhir.row import Row
from service.flows.caller import Caller
from service.flows.context import Context
from service.flows.lead.steer import steer
from service.flows.persons.links import parted, said_of
from service.flows.recognise import PERSON, question
from service.flows.writing import version_of
from service.kernel.clock import instant
from service.kernel.failures import Refused
from service.kernel.ids import new_id
from service.store import leads, partners, persons, records, resources
from service.store.partners import Partner
from service.store.persons import Merged
from service.store.trail import current
from service.store.unit import Told, Unit

MERGED, PARTED = "patients-merged", "patients-unmerged"


@dataclass(frozen=True, slots=True)
class Asking:
    """`source` and `target`: references. `preview`: only say what would happen."""

    source: str
    target: str = ""
    preview: bool = False


async def merge(context: Context, caller: Caller, asking: Asking) -> JsonObject:
    """Parameters: input, outcome, result (the target), task. Refused: forbidden, absent, malformed, unprocessable."""
    _expect_ours(caller)
    source, target = (
        _reference(each, name) for each, name in ((asking.source, "source"), (asking.target, "target"))
    )
    now = context.clock()
    async with context.database.unit(persons.LOCK, source, target) as unit:
        home = await _home(unit)
        rows = await _rows(unit, source, target)
        await _expect_apart(unit, source, target)
        ours = all(row.author == home.client_id for row in rows.values())
        active = decode_object(rows[source].body or b"{}").get("active")
        act = Merged(new_id(), source, target, now, caller.client_id, ours, active)
        found = await _found(unit, source, target)
        task = f"Task/{question(rows[source], rows[target])}"
        if asking.preview:
            result = decode_object(rows[target].body or b"{}")
        else:
            found += await _join(context, unit, home, act, rows, now)
            result = _result(unit, rows[target])
    said = "would be merged" if asking.preview else "merged"
    text = f"{source} {said} into {target}: {_count(found)}"
    issues = [Issue("information", "informational", text), *found]
    return _parameters(asking, issues, result, "" if asking.preview else task)


async def unmerge(context: Context, caller: Caller, asking: Asking) -> JsonObject:
    """Parameters: input, outcome, `filed` (what came to the target since, which stays there), result, task."""
    _expect_ours(caller)
    source = _reference(asking.source, "source")
    now = context.clock()
    async with context.database.unit(persons.LOCK, source) as unit:
        home = await _home(unit)
        act = next((each for each in await persons.of_patient(unit, source) if each.source == source), None)
        if act is None or (asking.target and _reference(asking.target, "target") != act.target):
            raise _wrong(f"{source} is not merged{' into ' + asking.target if asking.target else ''}")
        rows = await _rows(unit, source, act.target, gone=True)
        filed = await persons.filed_since(unit, act.target, act.at)
        if not asking.preview:
            await _part(context, unit, home, act, rows, now)
        result = decode_object(rows[source].body or b"{}") if asking.preview else _result(unit, rows[source])
    said = "would be" if asking.preview else "is"
    text = f"{source} {said} apart from {act.target}; {len(filed)} resources came to {act.target} since and stay there"
    task = "" if asking.preview else f"Task/{question(rows[source], rows[act.target])}"
    made = _parameters(asking, [Issue("information", "informational", text)], result, task)
    stays = [{"name": "filed", "valueReference": {"reference": each}} for each in filed]
    return {**made, "parameter": [*made["parameter"], *stays]}


def _expect_ours(caller: Caller) -> None:
    """A partner is refused whatever it names: neither Patient is told of."""
    caller.require(PERSON, "u")
    if not caller.custodian:
        raise Refused("forbidden", "only the case-management system says who is one person")


def _reference(text: str, name: str) -> str:
    key = local(text)
    if key is None or key[0] != PERSON:
        raise Refused("malformed", f"{name}-patient is a reference to a Patient here")
    return "/".join(key)


async def _home(unit: Unit) -> Partner:
    home = await partners.home(unit)
    if home is None:
        raise Refused("forbidden", "there is no case-management system here")
    return home


async def _rows(unit: Unit, *patients: str, gone: bool = False) -> dict[str, Row]:
    """Locked. Refused("absent") for one that is not here; with `gone`, deleted ones are."""
    keys = [(PERSON, each.partition("/")[2]) for each in patients]
    held = await resources.lock(unit, keys)
    for type_, id_ in keys:
        if (type_, id_) not in held or (held[type_, id_].deleted and not gone):
            raise Refused("absent", f"{type_}/{id_} does not exist here")
    return {row.reference: row for row in held.values()}


async def _expect_apart(unit: Unit, source: str, target: str) -> None:
    """Refused("unprocessable"): themselves, one that is merged already, and so any circle."""
    if source == target:
        raise _wrong("a Patient is not merged into itself")
    for patient in (source, target):
        into = next(
            (each.target for each in await persons.of_patient(unit, patient) if each.source == patient), None
        )
        if into:
            raise _wrong(f"{patient} is merged into {into} already; name {into}, or take that back first")


def _wrong(text: str) -> Refused:
    return Refused("unprocessable", text, [Issue("error", "business-rule", text)])


async def _found(unit: Unit, source: str, target: str) -> list[Issue]:
    """What does not fit together, and is a person's to settle."""
    both = [*await persons.group(unit, source), *await persons.group(unit, target)]
    issues = [
        Issue("information", "informational", f"{await persons.counted(unit, both)} resources are about them")
    ]
    courses = await persons.open_courses(unit, both)
    if len(courses) > 1:
        text = f"{len(courses)} cases are open, of {' and '.join(courses)}: close one by its client's record"
        issues.append(Issue("warning", "business-rule", text, rule="two-episodes"))
    for grant, ids in await persons.gpra_ids(unit, both):
        text = f"under grant {grant} there are the GPRA client ids {' and '.join(ids)}: one of them is to be corrected"
        issues.append(Issue("warning", "business-rule", text, rule="two-gpra-ids"))
    return issues


def _count(issues: Sequence[Issue]) -> str:
    settle = sum(each.severity == "warning" for each in issues)
    return f"{settle} to be settled by a person" if settle else "nothing to be settled"


async def _join(
    context: Context, unit: Unit, home: Partner, act: Merged, rows: dict[str, Row], now: datetime
) -> list[Issue]:
    issues = await _leads(context, unit, act, now)
    await persons.merge(unit, act)
    await _remember(context, unit, home, act, rows, "completed", now)
    if act.links:
        for patient, row in rows.items():
            body = said_of(decode_object(row.body or b"{}"), await persons.of_patient(unit, patient))
            unit.put(version_of(context, body, row.id, row, row.author, now))
    await _tell(unit, home, MERGED, act, rows, now, [each.rule or "" for each in issues])
    return issues


async def _leads(context: Context, unit: Unit, act: Merged, now: datetime) -> list[Issue]:
    """Two open cases with different leads are a question to both supervisors."""
    theirs, ours = await leads.lock(unit, act.source), await leads.lock(unit, act.target)
    if theirs is None or ours is None or theirs.course.lead is None:
        return []
    step = await steer(context, unit, ours, Assign(theirs.course.lead.worker), now)
    if not isinstance(step.verdict, Conflict):
        return []
    return [
        Issue("warning", "business-rule", f"two lead: {step.task} asks both supervisors", rule="two-leads")
    ]


async def _part(
    context: Context, unit: Unit, home: Partner, act: Merged, rows: dict[str, Row], now: datetime
) -> None:
    together = await persons.group(unit, act.source)
    await persons.part(unit, act, now)
    await _remember(context, unit, home, act, rows, "rejected", now, together)
    if act.links:
        for patient, row in rows.items():
            if row.deleted:
                continue
            body = parted(decode_object(row.body or b"{}"), patient, act)
            unit.put(
                version_of(
                    context,
                    said_of(body, await persons.of_patient(unit, patient)),
                    row.id,
                    row,
                    row.author,
                    now,
                )
            )
    await _tell(unit, home, PARTED, act, rows, now, [])


async def _remember(
    context: Context, unit: Unit, home: Partner, act: Merged, rows: dict[str, Row], status: str, now: datetime,
    together: Sequence[str] = (),
) -> None:  # fmt: skip
    """The Task that asked, or would have asked, says it; the audit trail does; everything due is looked at again."""
    source, target = rows[act.source], rows[act.target]
    id_ = question(source, target)
    held = (await resources.lock(unit, [("Task", id_)])).get(("Task", id_))
    task = decode_object(held.body) if held and held.body else _question(home, source, target, now)
    words = f"merged into {act.target}" if status == "completed" else f"taken apart from {act.target}"
    task |= {"status": status, "statusReason": {"text": words}, "lastModified": instant(now)}
    unit.put(version_of(context, task, id_, held, home.client_id, now))
    for row in (source, target):
        said = current().row(
            now, MERGED if status == "completed" else PARTED, row.reference, row.version, row.reference
        )
        unit.audit(replace(said, kind="administration", about=(act.source, act.target)))
    await persons.stir(
        unit, sorted({act.source, act.target, *together, *await persons.group(unit, act.source)})
    )


def _question(home: Partner, source: Row, target: Row, now: datetime) -> JsonObject:
    """As the worker would have asked it: the versions that were compared."""
    kinds = "https://casebridge.example/fhir/CodeSystem"
    seen = [f"{row.reference}/_history/{row.version}" for row in (source, target)]
    return {
        "resourceType": "Task", "intent": "order", "priority": "routine", "authoredOn": instant(now),
        "code": {"coding": [{"system": f"{kinds}/due-task", "code": "same-person"}]},
        "focus": {"reference": seen[0]}, "for": {"reference": seen[0]}, "owner": {"reference": home.organization},
        "input": [{"type": {"coding": [{"system": f"{kinds}/task-detail", "code": "possible-same-person"}]},
                   "valueReference": {"reference": seen[1]}}],
    }  # fmt: skip


async def _tell(
    unit: Unit,
    home: Partner,
    kind: str,
    act: Merged,
    rows: dict[str, Row],
    now: datetime,
    settle: Sequence[str],
) -> None:
    clients = [await records.becoming(unit, home.client_id, each) for each in (act.source, act.target)]
    body: JsonObject = {
        "kind": kind, "at": instant(now), "source": act.source, "target": act.target,
        "clients": [each.id for each in clients if each],
        "task": f"Task/{question(rows[act.source], rows[act.target])}", "settle": list(settle),
    }  # fmt: skip
    unit.tell(Told(home.client_id, kind, now, encode(body)))


def _result(unit: Unit, row: Row) -> JsonObject:
    put = next((each for each in unit.collected() if (each.type, each.id) == (row.type, row.id)), None)
    return decode_object((put.body if put else row.body) or b"{}")


def _parameters(asking: Asking, issues: Sequence[Issue], result: JsonObject, task: str) -> JsonObject:
    """As FHIR R5 answers: https://hl7.org/fhir/R5/patient-operation-merge.html"""
    given: list[JsonObject] = [{"name": "source-patient", "valueReference": {"reference": asking.source}}]
    if asking.target:
        given.append({"name": "target-patient", "valueReference": {"reference": asking.target}})
    if asking.preview:
        given.append({"name": "preview", "valueBoolean": True})
    parameters: list[JsonObject] = [
        {"name": "input", "resource": {"resourceType": "Parameters", "parameter": given}},
        {"name": "outcome", "resource": operation_outcome(list(issues))},
        {"name": "result", "resource": result},
    ]
    if task:
        parameters.append({"name": "task", "valueReference": {"reference": task}})
    return {"resourceType": "Parameters", "parameter": parameters}
