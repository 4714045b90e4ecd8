"""Print how fast validation is: load, memory, and milliseconds per resource of our examples.

.venv/bin/python scripts/bench_validation.py
"""

import resource
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from service.fhir.json import JsonObject, decode_object
from service.fhir.validate import load
from service.fhir.validate.questionnaire import check_answers

EXAMPLES = Path(__file__).parents[1] / "fhir_profiles" / "examples"
RESPONSE = "https://casebridge.example/fhir/StructureDefinition/casebridge-assessment-response"


def main() -> None:
    before = memory()
    started = time.perf_counter()
    validator = load()
    print(f"load {time.perf_counter() - started:.3f} s")
    for path in sorted(EXAMPLES.glob("*.json")):
        example = decode_object(path.read_bytes())
        report(path.stem, lambda example=example: validator.validate(example))
    questionnaire, response = long_form(200)
    report("200 items against the profile", lambda: validator.validate(response, [RESPONSE]))
    report("200 items against their questionnaire", lambda: check_answers(response, questionnaire))
    print(f"memory {memory() - before:.0f} MB")


def report(name: str, run: Callable[[], Any], times: int = 200) -> None:
    run()
    taken = []
    for _ in range(times):
        started = time.perf_counter()
        run()
        taken.append((time.perf_counter() - started) * 1000)
    taken.sort()
    print(f"{taken[times // 2]:8.3f} ms p50 {taken[0]:8.3f} ms min  {name}")


def long_form(items: int) -> tuple[JsonObject, JsonObject]:
    coding = {"system": "https://example.org/answers", "code": "b"}
    options = [{"valueCoding": {**coding, "code": code}} for code in "abcd"]
    condition = {"question": "0", "operator": "exists", "answerBoolean": True}
    rows = [
        {
            "linkId": str(n),
            "type": "choice",
            "required": True,
            "answerOption": options,
            "enableWhen": [condition] if n % 4 == 3 else [],
        }
        for n in range(items)
    ]
    answers = [{"linkId": str(n), "answer": [{"valueCoding": coding}]} for n in range(items)]
    url = "https://example.org/form"
    form = {"resourceType": "Questionnaire", "url": url, "status": "active", "item": rows}
    response = {
        "resourceType": "QuestionnaireResponse",
        "questionnaire": url,
        "status": "completed",
        "subject": {"reference": "Patient/1"},
        "authored": "2026-01-01",
        "item": answers,
    }
    return form, response


def memory() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    main()
