"""Rates as a FHIR MeasureReport (https://hl7.org/fhir/R4/measurereport.html), and the Measure they report on."""

from collections.abc import Iterable, Sequence
from datetime import date, datetime
from typing import Final

from service.coordination.gpra.measure import ALL, RATE, Rate
from service.coordination.gpra.questionnaire import BASE
from service.coordination.gpra.tool import Tool
from service.fhir.json import JsonObject, Number
from service.kernel.clock import instant

URL: Final = f"{BASE}/Measure/gpra-outcomes"
ABSENT: Final = "http://hl7.org/fhir/StructureDefinition/data-absent-reason"
_POPULATIONS: Final = "http://terminology.hl7.org/CodeSystem/measure-population"
_SCORING: Final = {"system": "http://terminology.hl7.org/CodeSystem/measure-scoring", "code": "proportion"}


def definition(tool: Tool) -> JsonObject:
    """The Measure: a group for the follow-up rate, and one for each outcome at intake and at follow-up."""
    named = [
        (RATE, "Six-month follow-ups held inside the window (status 11), of intakes whose window has closed")
    ]
    for each in tool.outcomes:
        named += [
            (f"{each.key}-intake", f"{each.title}: at intake"),
            (f"{each.key}-follow-up", f"{each.title}: at follow-up"),
        ]
    return {
        "resourceType": "Measure", "id": "gpra-outcomes", "url": URL, "version": "1.0.0", "name": "GpraOutcomes",
        "title": "GPRA follow-up rate and outcomes, intake to six months", "status": "active", "experimental": False,
        "publisher": "Casebridge", "scoring": {"coding": [_SCORING]},
        "group": [{"code": {"text": key}, "description": text} for key, text in named],
    }  # fmt: skip


def report(rates: Sequence[Rate], period: tuple[date, date], made: datetime, reporter: str) -> JsonObject:
    """A summary. Counts that are hidden are said to be masked, never 0. `reporter` is a reference."""
    keys = list(dict.fromkeys(each.measure for each in rates))
    start, end = period
    return {
        "resourceType": "MeasureReport",
        "status": "complete",
        "type": "summary",
        "measure": f"{URL}|1.0.0",
        "date": instant(made),
        **({"reporter": {"reference": reporter}} if reporter else {}),
        "period": {"start": start.isoformat(), "end": end.isoformat()},
        "group": [_group(key, [each for each in rates if each.measure == key]) for key in keys],
    }


def _group(key: str, rates: Sequence[Rate]) -> JsonObject:
    [whole] = [each for each in rates if each.stratum == ALL]
    strata = [{"value": {"text": each.stratum}, **_counted(each)} for each in rates if each.stratum != ALL]
    parts: JsonObject = {"stratifier": [{"code": [{"text": "gender"}], "stratum": strata}]} if strata else {}
    return {"code": {"text": key}, **_counted(whole), **parts}


def _counted(rate: Rate) -> JsonObject:
    score: JsonObject = {} if rate.rate is None else {"measureScore": {"value": Number(str(rate.rate))}}
    return {"population": list(_populations(rate)), **score}


def _populations(rate: Rate) -> Iterable[JsonObject]:
    for code, count in (("denominator", rate.denominator), ("numerator", rate.numerator)):
        shown: JsonObject = {"count": count}
        if count is None:
            shown = {"_count": {"extension": [{"url": ABSENT, "valueCode": "masked"}]}}
        yield {"code": {"coding": [{"system": _POPULATIONS, "code": code}]}, **shown}
