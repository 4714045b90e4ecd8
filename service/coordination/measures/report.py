"""Measures as FHIR: the Measure, and rates as a MeasureReport (https://hl7.org/fhir/R4/measurereport.html)."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import Final

from service.coordination.measures.rates import Rate
from service.coordination.measures.table import Measure
from service.fhir.json import JsonObject, Number
from service.kernel.clock import instant

BASE: Final = "https://casebridge.example/fhir/Measure"
VERSION: Final = "1.0.0"
ABSENT: Final = "http://hl7.org/fhir/StructureDefinition/data-absent-reason"
_TERMS: Final = "http://terminology.hl7.org/CodeSystem"
UNITS: Final[Mapping[str, str]] = {
    "days": "d",
    "clients": "{clients}",
    "workers": "{workers}",
    "sessions": "{sessions}",
}
"""UCUM codes of the units."""


def definition(row: Measure) -> JsonObject:
    """The Measure of a row: a group with its share, and one with its number where there is a unit."""
    share: JsonObject = {
        "code": {"text": row.name},
        "description": f"{row.population}; counted: {row.numerator}",
    }
    share["stratifier"] = [{"code": {"text": each}} for each in row.stratifiers]
    groups: list[JsonObject] = [
        {
            **share,
            "population": [
                _population("denominator", row.population),
                _population("numerator", row.numerator),
            ],
        }
    ]
    if row.unit:
        groups.append({
            "code": {"text": f"{row.name}-{row.unit}"}, "description": f"{row.population}: {row.unit}, the median",
            "population": [_population("measure-population", row.population)],
        })  # fmt: skip
    return {
        "resourceType": "Measure", "id": row.name, "url": f"{BASE}/{row.name}", "version": VERSION,
        "name": "".join(word.title() for word in row.name.split("-")), "title": row.title, "status": "active",
        "experimental": False, "publisher": "Casebridge", "scoring": _scoring("proportion"),
        "purpose": f"Requirements of case management {', '.join(map(str, row.requirements))}.", "group": groups,
    }  # fmt: skip


def _scoring(code: str) -> JsonObject:
    return {"coding": [{"system": f"{_TERMS}/measure-scoring", "code": code}]}


def _population(code: str, words: str) -> JsonObject:
    named = {"coding": [{"system": f"{_TERMS}/measure-population", "code": code}]}
    return {"code": named, "description": words, "criteria": {"language": "text/plain", "expression": words}}


def report(
    url: str, rates: Sequence[Rate], period: tuple[date, date], made: datetime, reporter: str, unit: str = "",
    subject: str = "",
) -> JsonObject:  # fmt: skip
    """A summary. Counts that are hidden are said to be masked, never 0. `reporter` and `subject` are references."""
    keys = list(dict.fromkeys(each.measure for each in rates))
    groups = [_group(key, [each for each in rates if each.measure == key], _share) for key in keys]
    if unit:
        groups += [_group(f"{key}-{unit}", rates, lambda each: _median(each, unit)) for key in keys]
    start, end = period
    return {
        "resourceType": "MeasureReport",
        "status": "complete",
        "type": "summary",
        "measure": f"{url}|{VERSION}",
        **({"subject": {"reference": subject}} if subject else {}),
        "date": instant(made),
        **({"reporter": {"reference": reporter}} if reporter else {}),
        "period": {"start": start.isoformat(), "end": end.isoformat()},
        "group": groups,
    }


def _group(key: str, rates: Sequence[Rate], told: Callable[[Rate], JsonObject]) -> JsonObject:
    """The whole, and each stratum of each stratifier, told alike."""
    [whole] = [each for each in rates if not each.stratifier]
    named = list(dict.fromkeys(each.stratifier for each in rates if each.stratifier))
    stratifiers = [
        {
            "code": [{"text": name}],
            "stratum": [
                {"value": {"text": each.stratum}, **told(each)} for each in rates if each.stratifier == name
            ],
        }
        for name in named
    ]
    parts: JsonObject = {"stratifier": stratifiers} if stratifiers else {}
    return {"code": {"text": key}, **told(whole), **parts}


def _share(rate: Rate) -> JsonObject:
    score: JsonObject = {} if rate.rate is None else {"measureScore": {"value": Number(str(rate.rate))}}
    counts = (("denominator", rate.denominator), ("numerator", rate.numerator))
    return {"population": list(_populations(counts)), **score}


def _median(rate: Rate, unit: str) -> JsonObject:
    score: JsonObject = {}
    if rate.typical is not None:
        told = {
            "value": Number(str(rate.typical)),
            "unit": unit,
            "system": "http://unitsofmeasure.org",
            "code": UNITS[unit],
        }
        score = {"measureScore": told}
    return {"population": list(_populations((("measure-population", rate.denominator),))), **score}


def _populations(counts: Iterable[tuple[str, int | None]]) -> Iterable[JsonObject]:
    for code, count in counts:
        shown: JsonObject = {"count": count}
        if count is None:
            shown = {"_count": {"extension": [{"url": ABSENT, "valueCode": "masked"}]}}
        yield {"code": {"coding": [{"system": f"{_TERMS}/measure-population", "code": code}]}, **shown}
