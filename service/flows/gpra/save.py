"""A GPRA interview is saved: its edits hold, the client has one id under the grant, no interview is there twice."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

from service.casework.records.gpra_interview import GpraInterview
from service.coordination.gpra.edits import Episode, Finding, Interview, findings
from service.coordination.gpra.tool import read_tool
from service.coordination.gpra.windows import DECEASED, WINDOWS, Held, span
from service.fhir.json import JsonObject
from service.fhir.outcome import Issue
from service.flows.context import Context
from service.kernel.failures import Refused
from service.mapping.gpra_interview import values
from service.store import gpra
from service.store.unit import Unit

GONE = "entered-in-error"


async def check(context: Context, connection: Any, record: GpraInterview, now: datetime) -> list[Issue]:
    """Warnings. Refused("unprocessable") with every edit that a completed interview breaks, each in its sentence."""
    tool = read_tool(record.tool, record.version)
    if tool is None or record.status == GONE:
        return []
    interview = values(record)
    held = await gpra.of_client(connection, record.grant, record.gpra_client)
    found = findings(tool, interview, episode(interview, held, today(context, now)))
    broken = [each for each in found if each.when == "save"]
    if broken and interview.complete:
        count = "one rule" if len(broken) == 1 else f"{len(broken)} rules"
        issues = [_issue(record, each, "error") for each in broken]
        raise Refused("unprocessable", f"the interview breaks {count} of {tool.name} {tool.version}", issues)
    return [_issue(record, each, "warning") for each in found]


async def remember(unit: Unit, source: str, record: GpraInterview, response: JsonObject) -> None:
    """Put the interview on record. Refused("unprocessable") when the id is another client's, the client has another id
    under this grant, or this interview is on record already."""
    await gpra.forget(unit, source, record.id)
    day = _day(str(record.date))
    if record.status == GONE or day is None:
        return
    type_ = f"annual-{day.year}" if record.type == "annual" else record.type  # there is one every year
    gender = values(record).values.get("GenderCode", "")
    held = Held(
        record.grant, record.gpra_client, type_, record.sequence, day, record.conducted, record.follow_up or "",
        response["subject"]["reference"], gender, record.tool,
    )  # fmt: skip
    for taken, _patient in await gpra.known_as(unit, held):
        theirs = taken == record.gpra_client
        text = (
            "this GPRA client id belongs to another client under this grant; an id is never used again"
            if theirs else "this client has another GPRA client id under this grant; a client has one"
        )  # fmt: skip
        raise Refused(
            "unprocessable", text, [Issue("error", "duplicate", text, "/gpraClient", "gpra-client-id")]
        )
    other = await gpra.record_of(unit, held)
    if other is not None:
        text = (
            f"this interview of this client under this grant is on record already, as gpra-interviews/{other}"
        )
        raise Refused(
            "unprocessable", text, [Issue("error", "duplicate", text, "/type", "gpra-interview-once")]
        )
    await gpra.keep(unit, source, record.id, held)


def today(context: Context, now: datetime) -> str:
    """The agency's date, ISO 8601."""
    return now.astimezone(context.settings.zone).date().isoformat()


def episode(interview: Interview, held: Sequence[Held], today: str) -> Episode:
    """What the other interviews of this client under this grant say that edits ask for."""
    facts: dict[str, str | int] = {}
    others = [each for each in held if (each.type, each.sequence) != (interview.type, interview.sequence)]
    sequences = [each.sequence for each in others if each.type == "intake"]
    if interview.type == "intake":
        facts["nextSequence"] = max((each for each in sequences if each < interview.sequence), default=0) + 1
    own = [each for each in others if each.sequence == interview.sequence]
    facts["deceased"] = int(any(each.follow_up == DECEASED for each in own))
    intake = next((each for each in own if each.type == "intake"), None)
    if intake is not None:
        facts["intakeDate"] = intake.day.isoformat()
        if intake.gender.isdecimal():
            facts["gender"] = int(intake.gender)
        if interview.type in WINDOWS:
            opens, _, closes = span(intake.day, interview.type)
            facts |= {"opens": opens.isoformat(), "closes": closes.isoformat()}
    return Episode(today, facts)


def _day(text: str) -> date | None:
    return date.fromisoformat(text) if len(text) == len("2026-03-03") else None


_MEMBERS = {
    "ClientID": "/gpraClient", "GrantNo": "/grant", "InterviewTypeCode": "/type", "ConductedInterview": "/conducted",
    "InterviewDate": "/date", "IntakeSeqNum": "/sequence", "FLWPStatus": "/followUp",
}  # fmt: skip


def _issue(record: GpraInterview, finding: Finding, severity: str) -> Issue:
    """At the answer where there is one, else at the member that says it."""
    places = {each.question: f"/answers/{n}" for n, each in enumerate(record.answers)}
    place = places.get(finding.at) or _MEMBERS.get(finding.at, "/answers")
    said: Any = severity
    return Issue(said, "business-rule", finding.sentence, place, f"gpra-{finding.key}")
