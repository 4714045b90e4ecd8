"""A file of interviews for the funder: what is ready, why the rest is not, the disclosure on record before it leaves.

The file names nobody: a client is the GPRA client id. It is about substance use treatment all the same, so it goes to a
partner of role `funder` only, and for each client on the client's own consent or on a ground on record: an agreement
for audit and evaluation (42 CFR 2.53) as a rule.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from service.casework import records as words
from service.casework.records.gpra_interview import GpraInterview
from service.consent.permit import Deny, Permit
from service.consent.terms import NOTICE
from service.coordination.gpra import formats
from service.coordination.gpra.edits import Interview, findings, unanswered
from service.coordination.gpra.tool import Tool, read_tool
from service.coordination.gpra.windows import Held
from service.fhir.audited import Audited
from service.fhir.json import JsonObject, decode_object, encode
from service.fhir.outcome import Issue
from service.fhir.references import local
from service.fhir.row import Row
from service.flows.audit.witness import act
from service.flows.context import Context
from service.flows.gpra.report import KIND, records_of
from service.flows.gpra.save import episode, today
from service.flows.permit import weighed_by_client
from service.kernel.failures import Refused
from service.mapping.gpra_interview import values
from service.mapping.names import identifier_system
from service.store import gpra, partners, resources
from service.store.partners import Partner

PURPOSE = "HPRGRP"
"""Programme reporting: v3-ActReason."""
FORMATS = ("csv", "sais", "ndjson")


@dataclass(frozen=True, slots=True)
class Wanted:
    """`to` is the funder by its partner's name; `missing` lets interviews with unanswered questions go, coded −9."""

    grant: str
    tool: str
    to: str
    format: str = "csv"
    missing: bool = False


@dataclass(frozen=True, slots=True)
class Reason:
    """Why an interview does not go: of which client, where, in a sentence without an answer in it."""

    client: str
    type: str
    sequence: int
    place: str
    reason: str


@dataclass(frozen=True, slots=True)
class Report:
    """The preflight: what is ready, and a line for every reason of what is not."""

    ready: int
    held_back: int
    reasons: list[Reason]
    notice: str = ""
    """The statement of 42 CFR 2.32 that must go with the file, where a client's consent is the ground."""
    unfilled: list[Reason] = field(default_factory=list)
    """Of what is ready: each column of the download without an answer, and why it has none."""


@dataclass(frozen=True, slots=True)
class _Candidate:
    held: Held
    record: GpraInterview
    interview: Interview
    row: Row


async def preflight(context: Context, wanted: Wanted) -> Report:
    """What an export would hold back and why. Nothing leaves, nothing is recorded as disclosed."""
    return (await _judged(context, wanted))[0]


async def export(context: Context, wanted: Wanted) -> tuple[bytes, Report]:
    """The file, its disclosures on record for every client in it, and the preflight report.

    Refused: malformed (format, tool), absent (grant), forbidden (the recipient is no funder).
    """
    report, ready, partner, verdicts = await _judged(context, wanted)
    document = _document(wanted, ready)
    rows = [
        _disclosed(context, partner, patient, verdict, ready)
        for patient in _patients(ready)
        if isinstance(verdict := verdicts[patient], Permit)
    ]
    if rows:
        await context.database.record(rows)
    return document, replace(report, notice=_notice(verdicts[each] for each in _patients(ready)))


async def _judged(
    context: Context, wanted: Wanted
) -> tuple[Report, list[_Candidate], Partner, dict[str, Permit | Deny]]:
    if wanted.format not in FORMATS:
        raise _wrong(f"the format is one of {', '.join(FORMATS)}")
    async with context.database.reading() as connection:
        partner = await _funder(connection, wanted.to)
        candidates = await _candidates(connection, wanted)
        rows = [each.row for each in candidates]
        verdicts = await weighed_by_client(context, connection, partner.organization, rows, PURPOSE)
        everyone = await gpra.of_grant(connection, wanted.grant)
    reasons: list[Reason] = []
    ready: list[_Candidate] = []
    for each in candidates:
        found = _reasons(context, wanted, each, everyone, verdicts[each.row.patient or ""])
        reasons += found
        if not found:
            ready.append(each)
    unfilled = [one for each in ready for one in _unfilled(each)]
    report = Report(len(ready), len(candidates) - len(ready), reasons, unfilled=unfilled)
    return report, ready, partner, verdicts


async def _funder(connection: Any, name: str) -> Partner:
    partner = await partners.named(connection, name.strip())
    if partner is None or partner.disabled_at is not None:
        raise Refused("absent", f"there is no enabled partner named {name!r}")
    if "funder" not in partner.roles:
        raise Refused(
            "forbidden", f"{partner.name} is no funder here: only a partner of role funder is sent this file"
        )
    return partner


async def _candidates(connection: Any, wanted: Wanted) -> list[_Candidate]:
    """The interviews of this tool under the grant, each with its record and its response."""
    placed = await gpra.placed(connection, wanted.grant)
    if not placed:
        raise Refused("absent", f"no interviews are on record under grant {wanted.grant!r}")
    kept = await records_of(connection, placed)
    found: list[_Candidate] = []
    keys = [key for each in kept.values() for key in map(local, each.resources) if key]
    rows = {row.reference: row for row in await resources.known(connection, keys, None)}
    for source, id_, held in placed:
        one = kept[source, id_]
        record = words.read(KIND, id_, decode_object(one.body))
        row = next((rows[each] for each in one.resources if each in rows), None)
        if isinstance(record, GpraInterview) and record.tool == wanted.tool and row is not None:
            found.append(_Candidate(held, record, values(record), row))
    if not found:
        raise Refused("absent", f"no interviews with {wanted.tool!r} are on record under this grant")
    return found


def _reasons(
    context: Context, wanted: Wanted, each: _Candidate, everyone: Sequence[Held], verdict: Permit | Deny
) -> list[Reason]:
    """Why this interview does not go, by place; none when it is ready."""
    said: list[tuple[str, str]] = []
    if isinstance(verdict, Deny):
        said.append(("consent", verdict.text))
    elif verdict.withheld or any(one.masks for one in verdict.cleared):
        said.append(("consent", "the client's consent covers a part of it only"))
    if not each.interview.complete:
        said.append(("status", "the interview is not completed"))
    tool = read_tool(each.record.tool, each.record.version)
    if tool is not None:
        said += _edited(context, wanted, tool, each, everyone)
    elif wanted.format != "ndjson":
        said.append(
            ("tool", f"no column map of {each.record.tool} {each.record.version} is here; ndjson needs none")
        )
    return [Reason(each.held.client, each.held.type, each.held.sequence, place, text) for place, text in said]


def _edited(
    context: Context, wanted: Wanted, tool: Tool, each: _Candidate, everyone: Sequence[Held]
) -> list[tuple[str, str]]:
    own = [one for one in everyone if one.client == each.held.client]
    around = episode(each.interview, own, today(context, context.clock()))
    said = [(one.at, one.sentence) for one in findings(tool, each.interview, around)]
    if not wanted.missing:
        said += [(one.link, f"{one.link} has no answer.") for one in unanswered(tool, each.interview)]
    return said


def _unfilled(each: _Candidate) -> Iterable[Reason]:
    """The columns of one interview that hold no answer, in their order, each explained without an answer in it."""
    tool = read_tool(each.record.tool, each.record.version)
    for column in tool.columns if tool else ():
        why = formats.explanation(tool, each.interview, column) if tool else ""
        if why != formats.ANSWERED:
            yield Reason(each.held.client, each.held.type, each.held.sequence, column, why)


def _document(wanted: Wanted, ready: Sequence[_Candidate]) -> bytes:
    if wanted.format == "ndjson":
        return b"".join(encode(_nameless(each)) + b"\n" for each in ready)
    tools = {(each.record.tool, each.record.version) for each in ready}
    if len(tools) > 1:
        raise _wrong(
            "interviews of several versions of the tool are on record: export each version's to ndjson"
        )
    found = [tool for key in tools if (tool := read_tool(*key))]
    if not found:
        return b""
    write = formats.spars if wanted.format == "csv" else formats.sais
    return write(found[0], [each.interview for each in ready]).encode()


def _nameless(each: _Candidate) -> JsonObject:
    """The response with the client's GPRA id for a name, and nobody else's."""
    response = decode_object(each.row.body or b"{}")
    system = identifier_system("gpra-client-id")
    who = {"identifier": {"system": system, "value": f"{each.held.grant}|{each.held.client}"}}
    kept = {"resourceType", "questionnaire", "status", "authored", "identifier", "item"}
    key = [
        one for one in response.get("extension", []) if str(one.get("url", "")).endswith("/gpra-interview")
    ]
    meta = {"security": response.get("meta", {}).get("security", [])}
    told = {name: value for name, value in response.items() if name in kept}
    return {"resourceType": told.pop("resourceType"), "meta": meta, "extension": key, **told, "subject": who}


def _notice(verdicts: Iterable[Permit | Deny]) -> str:
    consented = any(isinstance(each, Permit) and each.part2 and each.basis == "consent" for each in verdicts)
    return NOTICE if consented else ""


def _patients(ready: Sequence[_Candidate]) -> list[str]:
    return sorted({each.row.patient or "" for each in ready})


def _disclosed(
    context: Context, partner: Partner, patient: str, verdict: Permit, ready: Sequence[_Candidate]
) -> Audited:
    """The line of the trail, and of the accounting of disclosures, about one client in the file."""
    responses = [each.row.reference for each in ready if each.row.patient == patient]
    row = act(
        context,
        "disclosure",
        "export",
        detail=f"QuestionnaireResponse {len(responses)}",
        about=(patient, *responses),
    )
    return replace(
        row,
        organization=partner.organization,
        purpose=verdict.purpose,
        basis=verdict.basis,
        consents=verdict.consents,
    )


def _wrong(text: str) -> Refused:
    return Refused("malformed", text, [Issue("error", "value", text)])
