"""One table: what went wrong → HTTP status and FHIR issue code. Both doors answer from it.

FHIR: OperationOutcome. Casework and operations: RFC 9457 problem details. Neither names a stack, a table,
another client or another partner.
"""

from starlette.responses import Response

from service.api.negotiation import FHIR, Form
from service.fhir.json import encode
from service.fhir.outcome import Issue, IssueCode, operation_outcome
from service.fhir.xml import NotXml, to_xml
from service.kernel.failures import Failure, Reason, Refused, Unavailable

TABLE: dict[Reason, tuple[int, IssueCode, str]] = {
    "malformed": (400, "invalid", "The request cannot be read"),
    "unsupported": (400, "not-supported", "Not offered"),
    "unauthenticated": (401, "login", "Who is calling?"),
    "forbidden": (403, "forbidden", "Not allowed"),
    "absent": (404, "not-found", "Not found"),
    "method": (405, "not-supported", "Method not offered"),
    "not-acceptable": (406, "not-supported", "No form that the client reads"),
    "slow": (408, "timeout", "Too slow"),
    "conflict": (409, "conflict", "Conflict"),
    "gone": (410, "deleted", "Deleted"),
    "stale": (412, "conflict", "Changed meanwhile"),
    "ambiguous": (412, "multiple-matches", "More than one match"),
    "too-large": (413, "too-long", "Too large"),
    "media-type": (415, "not-supported", "Media type not offered"),
    "invalid": (422, "invalid", "Not valid"),
    "unprocessable": (422, "business-rule", "Against the rules"),
    "throttled": (429, "throttled", "Too many requests"),
}


def status_of(failure: Failure) -> int:
    """The HTTP status of a failure."""
    return TABLE[failure.reason][0] if isinstance(failure, Refused) else 503


def issues_of(failure: Failure) -> list[Issue]:
    """The findings of a failure; always at least one."""
    if isinstance(failure, Refused):
        found = [issue for issue in failure.issues if isinstance(issue, Issue)]
        return found or [Issue("error", TABLE[failure.reason][1], failure.text)]
    if isinstance(failure, Unavailable):
        return [Issue("error", "transient", failure.text)]
    return [Issue("fatal", "exception", "an unexpected error; the request id finds it in our log")]


def headers_of(failure: Failure) -> dict[str, str]:
    """Headers the status asks for (RFC 6750, RFC 9110)."""
    headers = {"Cache-Control": "no-store"}
    if isinstance(failure, Unavailable):
        headers["Retry-After"] = str(failure.retry_after)
    elif isinstance(failure, Refused):
        if failure.reason == "unauthenticated":
            headers["WWW-Authenticate"] = failure.facts.get("challenge", 'Bearer realm="casebridge"')
        if failure.reason == "throttled":
            headers["Retry-After"] = failure.facts.get("retry_after", "5")
        if failure.reason == "method":
            headers["Allow"] = failure.facts.get("allow", "GET")
    return headers


def outcome_response(failure: Failure, form: Form = "json") -> Response:
    """The FHIR door's answer."""
    outcome = operation_outcome(issues_of(failure))
    try:
        body = to_xml(outcome) if form == "xml" else encode(outcome)
    except NotXml:  # it names something in characters that XML does not have
        form, body = "json", encode(outcome)
    return Response(body, status_of(failure), headers_of(failure), FHIR[form])


def _points(issue: Issue) -> bool:
    """The empty pointer is a place too: the whole record."""
    return bool(issue.expression) or (issue.rule or "").startswith("record-")


def problem_response(failure: Failure) -> Response:
    """The casework door's answer: problem details with a JSON Pointer per finding where there is one."""
    status = status_of(failure)
    title = TABLE[failure.reason][2] if isinstance(failure, Refused) else "Not available now"
    issues = issues_of(failure)
    problem = {
        "type": "about:blank",
        "title": title,
        "status": status,
        "detail": issues[0].text,
        "errors": [
            {"detail": issue.text, **({"pointer": issue.expression} if _points(issue) else {})}
            for issue in issues
        ],
    }
    return Response(encode(problem), status, headers_of(failure), "application/problem+json")
