"""The instruments: Questionnaires of `fhir_profiles/instruments`, with their codes and scoring, read once."""

from functools import cache
from pathlib import Path

import service
from service.fhir.json import JsonObject, decode_object


@cache
def instruments() -> dict[str, JsonObject]:
    """Every Questionnaire shipped, by its id."""
    here = Path(service.__file__).parent
    packaged = here / "_data" / "fhir_profiles"
    folder = (packaged if packaged.is_dir() else here.parent / "fhir_profiles") / "instruments"
    read = [decode_object(path.read_bytes()) for path in sorted(folder.glob("Questionnaire-*.json"))]
    return {questionnaire["id"]: questionnaire for questionnaire in read}


def instrument(name: str) -> JsonObject | None:
    """The Questionnaire of this name; None for an instrument of the agency's own."""
    return instruments().get(name)
