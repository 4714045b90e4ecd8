"""The validator's figures: time per resource with all rules, loading, memory."""

import json
import subprocess
import sys
import time

from service.commands.bench_bodies import REQUEST
from service.fhir.json import JsonObject, decode_object, encode

Row = tuple[str, str, str]

_LOAD = """
import json, os, time
import psutil
from service.fhir import catalogue, json as _
def memory():
    return psutil.Process(os.getpid()).memory_info().rss
base = memory()
began = time.perf_counter()
from service.fhir.validate import load
v = load()
v.compile(catalogue.catalogue, [s.profile for s in catalogue.catalogue.values() if s.profile])
print(json.dumps([time.perf_counter() - began, (memory() - base) / 1e6]))
"""


def measure_rules(rounds: int) -> list[Row]:
    """(what, measured, budget) rows."""
    from service.fhir.validate import load
    from service.fhir.validate.questionnaire import check_answers

    rules = load()
    ours = "https://casebridge.example/fhir/StructureDefinition/casebridge-referral-"
    request = decode_object(encode({**REQUEST, "subject": {"reference": "Patient/1"}}))
    task = decode_object(encode(_task()))
    questionnaire, answers = _long_form(200)
    loaded = subprocess.run([sys.executable, "-c", _LOAD], capture_output=True, text=True, check=True)
    seconds, megabytes = json.loads(loaded.stdout)
    return [
        _timed("ServiceRequest against our profile", rounds, 0.5, lambda: rules.validate(request, [ours + "request"])),
        _timed("Task against our profile", rounds, 0.5, lambda: rules.validate(task, [ours + "task"])),
        _timed("QuestionnaireResponse of 200 items, with its form", max(rounds // 5, 5), 8.0,
               lambda: (rules.validate(answers), check_answers(answers, questionnaire))),
        ("load and compile everything", f"{seconds:.2f} s, {megabytes:.0f} MB", "≤ 0.6 s, 60 MB"),
    ]  # fmt: skip


def _timed(name: str, rounds: int, budget: float, work: object) -> Row:
    assert callable(work)
    work()
    times = []
    for _ in range(rounds):
        began = time.perf_counter()
        work()
        times.append((time.perf_counter() - began) * 1000)
    times.sort()
    return name, f"p50 {times[len(times) // 2]:.2f} ms, min {times[0]:.2f} ms", f"p50 ≤ {budget} ms"


def _task() -> JsonObject:
    return {
        "resourceType": "Task", "status": "requested", "intent": "order", "priority": "urgent",
        "identifier": [{"system": "http://bench.example/id", "value": "bench-1"}],
        "code": {"coding": [{"system": "http://hl7.org/fhir/CodeSystem/task-code", "code": "fulfill"}]},
        "focus": {"reference": "ServiceRequest/1"}, "for": {"reference": "Patient/1"},
        "authoredOn": "2026-03-09T16:30:00-05:00", "lastModified": "2026-03-09T16:30:00-05:00",
        "requester": {"reference": "Organization/harbor"}, "owner": {"reference": "Organization/northside"},
    }  # fmt: skip


def _long_form(count: int) -> tuple[JsonObject, JsonObject]:
    items = [
        {"linkId": f"q{number}", "text": f"Question {number}", "type": "integer"} for number in range(count)
    ]
    form = {
        "resourceType": "Questionnaire",
        "url": "http://bench.example/form",
        "status": "active",
        "item": items,
    }
    answers = {
        "resourceType": "QuestionnaireResponse", "status": "completed", "questionnaire": "http://bench.example/form",
        "subject": {"reference": "Patient/1"}, "authored": "2026-03-09",
        "item": [{"linkId": f"q{number}", "answer": [{"valueInteger": number}]} for number in range(count)],
    }  # fmt: skip
    return form, answers
