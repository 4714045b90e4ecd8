"""What can be wrong, said so that a person can act: Issue, and the OperationOutcome it becomes.

https://hl7.org/fhir/R4/operationoutcome.html; codes from http://hl7.org/fhir/issue-type.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from service.fhir.json import JsonObject

Severity = Literal["fatal", "error", "warning", "information"]
IssueCode = Literal[
    "invalid", "structure", "required", "value", "invariant",
    "security", "login", "unknown", "expired", "forbidden", "suppressed",
    "processing", "not-supported", "duplicate", "multiple-matches", "not-found", "deleted", "too-long",
    "code-invalid", "extension", "too-costly", "business-rule", "conflict",
    "transient", "lock-error", "no-store", "exception", "timeout", "incomplete", "throttled",
    "informational",
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Issue:
    """One finding.

    `text` is a sentence for a person: the place, what was found, what was expected. It never quotes
    clinical content. `expression` is FHIRPath (`Bundle.entry[0].resource.identifier[1]`). `rule` is the
    stable name of what was broken: an invariant key (`ele-1`), a slice, or a code of our own catalogue.
    `source` is the canonical of the profile or the URL of the page where the rule is written.
    """

    severity: Severity
    code: IssueCode
    text: str
    expression: str = ""
    rule: str = ""
    source: str = ""

    @property
    def fails(self) -> bool:
        """True for what must stop a write."""
        return self.severity in ("fatal", "error")


RULES = "https://casebridge.example/fhir/CodeSystem/rule"


def operation_outcome(issues: Iterable[Issue]) -> JsonObject:
    """The OperationOutcome resource for these issues, in order; never empty."""
    rows: list[JsonObject] = []
    for issue in issues:
        row: JsonObject = {"severity": issue.severity, "code": issue.code}
        details: JsonObject = {"text": issue.text}
        if issue.rule:
            details = {"coding": [{"system": issue.source or RULES, "code": issue.rule}], **details}
        row["details"] = details
        row["diagnostics"] = issue.text
        if issue.expression:
            row["expression"] = [issue.expression]
        rows.append(row)
    if not rows:
        rows.append({"severity": "information", "code": "informational", "details": {"text": "All OK"}})
    return {"resourceType": "OperationOutcome", "issue": rows}
