"""What the body of a 2xx says: was the transaction or message taken, and where does the Task live now?

FHIR answers a transaction with a `transaction-response` Bundle (https://hl7.org/fhir/R4/http.html#trans-rules), a
message with a message whose header says `ok`, `transient-error` or `fatal-error`.
Partners also answer nothing at all, or an OperationOutcome. A log-in page or half a document is no receipt: the
transaction is sent again, which makes nothing twice.
"""

import re

from service.fhir.json import BadJson, JsonObject, decode_object

_ANSWERS = {"transient-error": 503, "fatal-error": 422}
_STATUS = re.compile(r"[1-5]\d\d(?=\D|$)")


def told_status(status: int, body: bytes) -> int | None:
    """The status as the body tells it: the transport's, or the worst of an entry; None if it is no receipt."""
    if not body.strip():
        return status
    found = _read(body)
    match found:
        case {"resourceType": "Bundle", "type": "message"}:
            return _answered(found, status)
        case {"resourceType": "Bundle"}:
            return max((each for each in map(_entry_status, _entries(found)) if each >= 400), default=status)
        case {"resourceType": "OperationOutcome"}:
            return 422 if _failed(found) else status
    return None


def task_location(body: bytes, base: str) -> str | None:
    """The absolute URL of the Task in a transaction response, without its version; None if it is not said."""
    for entry in _entries(_read(body)):
        match entry:
            case {"response": {"location": str(location)}}:
                relative = "/".join(location.split("/_history/")[0].split("/")[-2:])
                if relative.startswith("Task/"):
                    return f"{base}/{relative}"
            case {"resource": {"resourceType": "Task", "id": str(id_)}}:
                return f"{base}/Task/{id_}"
    return None


def found_task(body: bytes, base: str) -> str | None:
    """The absolute URL of the one Task a search by our identifier found; None if it found none."""
    for entry in _entries(_read(body)):
        match entry:
            case {"resource": {"resourceType": "Task", "id": str(id_)}}:
                return f"{base}/Task/{id_}"
    return None


def _read(body: bytes) -> JsonObject:
    try:
        return decode_object(body)
    except BadJson:
        return {}


def _entries(bundle: JsonObject) -> list[JsonObject]:
    entries = bundle.get("entry")
    return [each for each in entries if isinstance(each, dict)] if isinstance(entries, list) else []


def _answered(bundle: JsonObject, status: int) -> int | None:
    """None for a message that answers nothing."""
    match next(iter(_entries(bundle)), {}):
        case {"resource": {"resourceType": "MessageHeader", "response": {"code": str(code)}}}:
            return status if code == "ok" else _ANSWERS.get(code)
    return None


def _entry_status(entry: JsonObject) -> int:
    match entry:
        case {"response": {"status": str(text)}} if _STATUS.match(text):
            return int(text[:3])
    return 0


def _failed(outcome: JsonObject) -> bool:
    issues = outcome.get("issue")
    rows = [each for each in issues if isinstance(each, dict)] if isinstance(issues, list) else []
    return any(each.get("severity") in ("error", "fatal") for each in rows)
