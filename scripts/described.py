"""Requests made from the OpenAPI document, and answers compared with it (schemathesis): nothing answers 5xx, and every
status, media type, header and body is one that the document has. Same seed, same requests."""

import json
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import schemathesis
from hypothesis import HealthCheck, Phase, Verbosity, given, settings
from hypothesis import seed as seeded
from schemathesis.checks import not_a_server_error
from schemathesis.core.failures import Failure, FailureGroup
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]


@dataclass
class Report:
    """What came of it: how often each status, and every answer that the document does not have."""

    statuses: Counter[int] = field(default_factory=Counter)
    faults: list[str] = field(default_factory=list)


def everything(_path: str) -> bool:
    """Every path of the document."""
    return True


def attack(
    document: dict[str, Any], base: str, token: Callable[[], str], each: int, seed: int,
    wanted: Callable[[str], bool] = everything,
) -> Report:  # fmt: skip
    """`each` requests for every operation on the `wanted` paths, each operation with a token of its own (they are
    short-lived, and one may be revoked). Blocking: run it in a thread."""
    report = Report()
    schema = schemathesis.openapi.from_dict(document)
    for found in schema.get_all_operations():
        operation = found.ok()
        if wanted(operation.path):
            _run(operation, report, base, {"Authorization": f"Bearer {token()}"}, each, seed)
    return report


def _run(operation: Any, report: Report, base: str, headers: dict[str, str], each: int, seed: int) -> None:
    @seeded(seed)
    @settings(
        max_examples=each,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        verbosity=Verbosity.quiet,
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy())
    def one(case: Any) -> None:
        response = case.call(base_url=base, headers=headers)
        report.statuses[response.status_code] += 1
        try:
            case.validate_response(response, checks=CHECKS)
        except (Failure, FailureGroup) as failure:
            said = getattr(failure, "exceptions", (failure,))
            what = "; ".join(f"{type(one).__name__}: {str(one)[:160]}" for one in said)
            asked = f"{operation.method.upper()} {response.request.url}"
            content = json.dumps(case.body, default=repr)[:200] if case.body is not None else ""
            report.faults.append(f"{asked} {content} → {response.status_code}: {what}".replace("\n", " "))

    one()
