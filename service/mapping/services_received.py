"""Procedures and Encounters of a client as the services that GPRA section K counts, for `$populate`."""

from collections.abc import Iterable, Iterator
from datetime import date
from typing import Final

from service.coordination.gpra.received import Given, received
from service.coordination.gpra.tool import Tool
from service.fhir.json import JsonObject
from service.mapping import parts
from service.mapping.names import SESSIONS, code_system
from service.mapping.terms import terms

RSS: Final = code_system("rss-service")
AREA: Final = code_system("service-area")
SERVICE: Final = code_system("gpra-service")
CONTACT: Final = "modality-1"
"""A finished contact of ours is a day of case management."""
_GIVEN: Final = ("completed", "in-progress", "stopped")


def counted(tool: Tool, resources: Iterable[JsonObject], today: date, since: date | None) -> dict[str, int]:
    """Column of the download → days or sessions, across agencies, no service twice."""
    columns = {each.service: each.column for each in tool.questions if each.section == "K" and each.service}
    given = [one for resource in resources for one in _given(resource, today)]
    return {columns[code]: min(n, 999) for code, n in received(given, since).items() if code in columns}


def _given(resource: JsonObject, today: date) -> Iterator[Given]:
    if resource.get("resourceType") == "Encounter":
        start = _day(resource.get("period", {}).get("start"))
        if resource.get("status") == "finished" and start:
            yield Given(CONTACT, str(resource.get("serviceProvider", {}).get("reference", "")), start, start)
        return
    if resource.get("status") not in _GIVEN:
        return
    period = resource.get("performedPeriod", {})
    once = _day(resource.get("performedDateTime"))
    start = once or _day(period.get("start"))
    code = _service(resource.get("code", {}))
    if start and code:
        end = once or _day(period.get("end")) or today
        sessions = parts.extension(resource, SESSIONS, "valuePositiveInt") or 1
        actors = (str(each.get("actor", {}).get("reference", "")) for each in resource.get("performer", []))
        yield Given(code, next(actors, ""), start, max(start, end), sessions)


def _service(concept: JsonObject) -> str:
    """The GPRA service a code is, by our maps: the service itself, else its area; empty when neither says."""
    for coding in concept.get("coding", []):
        if coding.get("system") == SERVICE:
            return str(coding.get("code", ""))
        areas = (
            [str(coding.get("code"))]
            if coding.get("system") == AREA
            else _best("rss-service-to-area", coding, RSS)
        )
        for area in areas:
            for found in terms().translate("service-area-to-gpra-service", area):
                return str(found["code"])
    return ""


def _best(concept_map: str, coding: JsonObject, system: str) -> list[str]:
    if coding.get("system") != system:
        return []
    return [str(each["code"]) for each in terms().translate(concept_map, str(coding.get("code")))]


def _day(text: object) -> date | None:
    said = str(text or "")[:10]
    return date.fromisoformat(said) if len(said) == len("2026-03-03") else None
