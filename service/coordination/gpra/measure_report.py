"""The Measure that rates of a grant report on; the report itself is as of every measure."""

from typing import Final

from service.coordination.gpra.measure import RATE
from service.coordination.gpra.questionnaire import BASE
from service.coordination.gpra.tool import Tool
from service.fhir.json import JsonObject

URL: Final = f"{BASE}/Measure/gpra-outcomes"
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
