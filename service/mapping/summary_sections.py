"""The sections of the coordination summary: for each its LOINC code, its narrative, the resources it names. Pure."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, tzinfo
from html import escape
from typing import Final

from service.fhir.json import Json, JsonObject
from service.mapping.gpra_interview import NAMES
from service.mapping.instruments import instrument
from service.mapping.merged_plan import is_running, merged
from service.mapping.names import COVERS_FOR, CRISIS_PROCEDURE, DUE_TASK, GPRA_INTERVIEW, LOINC, PRIMARY
from service.mapping.parts import code_in, extension
from service.mapping.saying import said
from service.mapping.told_of import Held, held_by, who

_TEAM: Final = ("85847-2", "Team", "Patient Care team information")
_RISKS: Final = ("75310-3", "What to heed", "Health concerns Document")
_DUE: Final = ("62387-6", "What is due", "Interventions Narrative")
PLAN: Final = "Plan: who does what"
_PLAN: Final = ("18776-5", PLAN, "Plan of care note")
_GOALS: Final = ("61146-7", "Goals and progress", "Goals Narrative")
_REFERRALS: Final = ("57133-1", "Open referrals", "Referral note")
_CONTACTS: Final = ("46240-8", "Last contacts", "History of Hospitalizations+Outpatient visits Narrative")
_GPRA: Final = ("51848-0", "GPRA", "Evaluation note")
_MOST_DUE: Final = 20


@dataclass(frozen=True, slots=True)
class Whole:
    """What a document is made of, as its reader may see it. `custodian`: a Reference to the agency that keeps the
    record; `interviews`: GPRA responses, of which no more is told than when and whether they were held."""

    patient: JsonObject
    held: Held
    interviews: tuple[JsonObject, ...]
    custodian: JsonObject
    base: str
    now: datetime
    zone: tzinfo


def sections(whole: Whole) -> list[JsonObject]:
    """Those that have something to say."""
    made = (_team, _risks, _due, _plan, _goals, _referrals, _contacts, _gpra)
    return [found for each in made if (found := each(whole)) is not None]


def div(html: str) -> str:
    """XHTML of a narrative."""
    return f'<div xmlns="http://www.w3.org/1999/xhtml">{html}</div>'


def paragraph(text: str) -> str:
    """Words, escaped."""
    return f"<p>{escape(text, quote=False)}</p>"


def when(whole: Whole, value: Json) -> str:
    """A FHIR date or moment as a day where the agency is; the empty text for none."""
    if not isinstance(value, str) or not value:
        return ""
    try:
        found = (
            datetime.fromisoformat(value).astimezone(whole.zone).date()
            if "T" in value
            else date.fromisoformat(value)
        )
    except ValueError:
        return value
    return f"{found.day} {found:%b %Y}"


def _listed(lines: Iterable[str]) -> str:
    rows = "".join(f"<li>{escape(each, quote=False)}</li>" for each in lines)
    return f"<ul>{rows}</ul>" if rows else ""


def _table(heads: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    if not rows:
        return ""
    top = "".join(f'<th scope="col">{each}</th>' for each in heads)
    body = "".join(
        "<tr>" + "".join(f"<td>{escape(cell, quote=False)}</td>" for cell in row) + "</tr>" for row in rows
    )
    return f"<table><thead><tr>{top}</tr></thead><tbody>{body}</tbody></table>"


def _section(
    kind: tuple[str, str, str], html: str, entries: Iterable[str], inner: list[JsonObject] | None = None
) -> JsonObject | None:
    """None where there is nothing to say."""
    if not html and not inner:
        return None
    code, title, display = kind
    named = [{"reference": each} for each in dict.fromkeys(entries)]
    return {
        "title": title,
        "code": {"coding": [{"system": LOINC, "code": code, "display": display}]},
        **({"text": {"status": "generated", "div": div(html)}} if html else {}),
        **({"entry": named} if named else {}),
        **({"section": inner} if inner else {}),
    }


def _all(whole: Whole, *types: str) -> list[JsonObject]:
    return [each for each in whole.held.values() if each["resourceType"] in types]


def _names(resources: Iterable[JsonObject]) -> list[str]:
    return [f"{each['resourceType']}/{each['id']}" for each in resources]


def _team(whole: Whole) -> JsonObject | None:
    episodes, teams = _all(whole, "EpisodeOfCare"), _all(whole, "CareTeam")
    rows = list(dict.fromkeys([*_leading(whole, episodes, teams), *_members(whole, teams)]))
    return _section(_TEAM, _table(("Who", "What", "When"), rows), _names([*episodes, *teams]))


def _leading(whole: Whole, episodes: list[JsonObject], teams: list[JsonObject]) -> Iterator[tuple[str, ...]]:
    primaries = [
        p for team in teams for p in team.get("participant", []) if extension(p, PRIMARY, "valueBoolean")
    ]
    for each in primaries:
        yield (
            _member(whole, each),
            "leads the case",
            f"since {when(whole, each.get('period', {}).get('start'))}",
        )
    for episode in episodes if not primaries else ():
        if name := who(whole.held, episode.get("careManager")):
            yield name, "leads the case", f"case since {when(whole, episode.get('period', {}).get('start'))}"


def _members(whole: Whole, teams: list[JsonObject]) -> Iterator[tuple[str, ...]]:
    """Who stands in, and everybody else of the team now."""
    for participant in (each for team in teams for each in team.get("participant", [])):
        start, end = (participant.get("period", {}).get(name) for name in ("start", "end"))
        covered = extension(participant, COVERS_FOR, "valueReference")
        over = bool(end) and str(end)[:10] < whole.now.date().isoformat()
        name = _member(whole, participant)
        if not name or over or extension(participant, PRIMARY, "valueBoolean"):
            continue
        role = f"stands in for {who(whole.held, covered)}" if covered else said(participant.get("role"))
        span = [f"from {when(whole, start)}" if start else "", f"to {when(whole, end)}" if end else ""]
        yield name, role.split(", ")[-1] if not covered else role, " ".join(filter(None, span))


def _member(whole: Whole, participant: JsonObject) -> str:
    name = who(whole.held, participant.get("member"))
    agency = who(whole.held, participant.get("onBehalfOf"))
    return f"{name}, {agency}" if name and agency and agency not in name else name


def _risks(whole: Whole) -> JsonObject | None:
    flags, plans = _all(whole, "Flag"), [each for each in whole.held.values() if is_running(each)]
    crisis = [(plan, text) for plan in plans if (text := extension(plan, CRISIS_PROCEDURE, "valueMarkdown"))]
    lines = [*(f"In a crisis: {text}" for _, text in crisis), *(said(each.get("code")) for each in flags)]
    return _section(_RISKS, _listed(filter(None, lines)), _names([*flags, *(plan for plan, _ in crisis)]))


def _due(whole: Whole) -> JsonObject | None:
    kinds = [(task, code_in(task.get("code"), DUE_TASK)) for task in _all(whole, "Task")]
    tasks = [task for task, kind in kinds if kind and not kind.startswith("gpra")]
    tasks = sorted(tasks, key=lambda task: _end(task) or "9999")[:_MOST_DUE]
    rows = [(when(whole, _end(task)) or "open", str(task.get("description", "")), who(whole.held, task.get("owner")))
            for task in tasks]  # fmt: skip
    return _section(_DUE, _table(("Until", "What", "Who"), rows), _names(tasks))


def _end(task: JsonObject) -> str:
    return str(task.get("restriction", {}).get("period", {}).get("end", ""))


def _plan(whole: Whole) -> JsonObject | None:
    """Several agencies' plans as one: a section for each need."""
    plans = [each for each in whole.held.values() if is_running(each)]
    inner = []
    for need in merged(whole.held) if plans else ():
        goals = _listed(_words(each) for each in need.goals)
        does = _table(("Agency", "Does"), list(dict.fromkeys(need.does)))
        made = _section((_PLAN[0], need.title, _PLAN[2]), goals + does, need.entries)
        inner += [made] if made else []
    inner += _own_words(whole)
    return _section(_PLAN, _listed(_title(whole, plan) for plan in plans), _names(plans), inner)


def _title(whole: Whole, plan: JsonObject) -> str:
    start = when(whole, plan.get("period", {}).get("start"))
    words = (
        str(plan.get("title", "Care plan")),
        who(whole.held, plan.get("author")),
        f"from {start}" if start else "",
    )
    return " – ".join(filter(None, words))


def _own_words(whole: Whole) -> list[JsonObject]:
    """What the client answered about how things go (000 6b3: formed jointly with the client's self-report)."""
    made = []
    for response in _all(whole, "QuestionnaireResponse"):
        form = instrument(str(response.get("questionnaire", "")).partition("|")[0].rpartition("/")[2])
        rows = list(
            _answers(
                response, {each["linkId"]: each.get("text", "") for each in (form or {}).get("item", [])}
            )
        )
        day = when(whole, response.get("authored"))
        title = f"In the client's own words{f', {day}' if day else ''}"
        found = _section(
            ("51855-5", title, "Patient Note"), _table(("Asked", "Answered"), rows), _names([response])
        )
        made += [found] if found else []
    return made


def _answers(item: JsonObject, asked: dict[str, str]) -> Iterator[tuple[str, ...]]:
    for each in item.get("item", []):
        shown = [
            _value(value)
            for answer in each.get("answer", [])
            for key, value in answer.items()
            if key.startswith("value")
        ]
        if any(shown):
            link = str(each.get("linkId", ""))
            yield str(each.get("text") or asked.get(link) or link), ", ".join(filter(None, shown))
        yield from _answers(each, asked)


def _value(value: Json) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return said(value) if isinstance(value, (dict, list, str)) else str(value)


def _words(goal: JsonObject) -> str:
    return said(goal.get("description"))


def _goals(whole: Whole) -> JsonObject | None:
    goals = _all(whole, "Goal")
    rows = [
        (_words(goal), _progress(goal), when(whole, goal.get("statusDate")), _target(whole, goal))
        for goal in goals
    ]
    return _section(_GOALS, _table(("Goal", "Progress", "As of", "By when"), rows), _names(goals))


def _progress(goal: JsonObject) -> str:
    return (said(goal.get("achievementStatus")) or str(goal.get("lifecycleStatus", ""))).replace("-", " ")


def _target(whole: Whole, goal: JsonObject) -> str:
    return ", ".join(filter(None, (when(whole, each.get("dueDate")) for each in goal.get("target", []))))


def _referrals(whole: Whole) -> JsonObject | None:
    tasks = [each for each in _all(whole, "Task") if code_in(each.get("code"), DUE_TASK) is None]
    asked = [found for each in tasks if (found := held_by(whole.held, each.get("focus"))) is not None]
    alone = [each for each in _all(whole, "ServiceRequest")
             if each.get("status") in ("active", "on-hold") and each not in asked]  # fmt: skip
    rows = [_referral(whole, held_by(whole.held, task.get("focus")) or {}, task) for task in tasks]
    rows += [_referral(whole, each, {}) for each in alone]
    html = _table(("Service", "With", "Stands", "Since"), rows)
    return _section(_REFERRALS, html, _names([*tasks, *asked, *alone]))


def _referral(whole: Whole, request: JsonObject, task: JsonObject) -> tuple[str, ...]:
    owner = who(whole.held, task.get("owner")) or next(
        (name for each in request.get("performer", []) if (name := who(whole.held, each))), "")  # fmt: skip
    stands = str(task.get("status") or request.get("status", "")).replace("-", " ")
    more = said(task.get("businessStatus"))
    return (
        said(request.get("code")) or str(task.get("description", "")),
        owner,
        f"{stands} ({more})" if more else stands,
        when(whole, task.get("authoredOn") or request.get("authoredOn")),
    )


def _contacts(whole: Whole) -> JsonObject | None:
    met = sorted(
        _all(whole, "Encounter"), key=lambda each: str(each.get("period", {}).get("start", "")), reverse=True
    )
    rows = [
        (when(whole, each.get("period", {}).get("start")), said(each.get("type", [])[:1]) or said(each.get("class")),
         ", ".join(filter(None, (who(whole.held, p.get("individual")) for p in each.get("participant", [])))),
         str(each.get("status", "")).replace("-", " "))
        for each in met
    ]  # fmt: skip
    return _section(_CONTACTS, _table(("When", "What", "Who", "Stands"), rows), _names(met))


def _gpra(whole: Whole) -> JsonObject | None:
    """Which interview was held and which is owed; nothing of what was answered."""
    tasks = [
        each for each in _all(whole, "Task") if (code_in(each.get("code"), DUE_TASK) or "").startswith("gpra")
    ]
    rows = sorted(_interview(whole, each) for each in whole.interviews)
    rows += [
        ("", f"owed: {task.get('description', '')}", f"until {when(whole, _end(task))}") for task in tasks
    ]
    return _section(_GPRA, _table(("Day", "Interview", "Stands"), [row[-3:] for row in rows]), _names(tasks))


def _interview(whole: Whole, response: JsonObject) -> tuple[str, ...]:
    key: JsonObject = next((e for e in response.get("extension", []) if e.get("url") == GPRA_INTERVIEW), {})
    held = extension(key, "conducted", "valueBoolean")
    kind = NAMES.get(str(extension(key, "type", "valueCode")), "interview").replace("-", " ")
    day = str(response.get("authored", ""))
    done = response.get("status") in ("completed", "amended")
    return day, when(whole, day), kind, "not held" if held is False else "held" if done else "begun"
