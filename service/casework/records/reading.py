"""JSON to records and back, with findings a person can act on (RFC 6901 pointers, no content quoted)."""

import re
from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from service.casework.records.kinds import Record, kinds
from service.casework.records.referral import ReferralAnswer
from service.fhir.json import Json, JsonObject
from service.fhir.outcome import Issue, IssueCode
from service.kernel.failures import Refused

_CODES: dict[str, IssueCode] = {
    "missing": "required",
    "extra_forbidden": "structure",
    "too_short": "required",
}
_MEMBER = re.compile(r"[a-z][A-Za-z0-9]*")
_BRANCHES = frozenset(("bool", "str"))


def read(kind: str, record_id: str, value: Json) -> Record:
    """The record at `/casework/v1/{kind}/{record_id}`, or Refused("unprocessable") with every finding.

    `value` is a decoded JSON object; its `id` may be left out but not differ. `Issue.expression` is a JSON
    Pointer.
    """
    if not isinstance(value, dict):
        raise _refused([Issue("error", "structure", "a record is a JSON object", rule="record-object")])
    if value.get("id", record_id) != record_id:
        raise _refused([Issue("error", "value", "id differs from the id in the URL", "/id")])
    record: Record = _validated(kinds[kind].model, {**value, "id": record_id})
    return record


def read_answer(value: Json) -> ReferralAnswer:
    """The answer to a referral, or Refused("unprocessable") with every finding."""
    answer: ReferralAnswer = _validated(ReferralAnswer, value)
    return answer


def is_answer(value: Json) -> bool:
    """Is this body an answer to a referral rather than a whole referral? An answer names no client."""
    return isinstance(value, dict) and "status" in value and "client" not in value


def write(record: BaseModel) -> JsonObject:
    """A record as JSON in the order of its schema; what was never said is left out."""
    said: JsonObject = _said(record.model_dump(by_alias=True, exclude_none=True))
    return said


def _said(value: Json) -> Json:
    """Python values as JSON: dates as text, decimals with their digits; empty parts left out."""
    if isinstance(value, dict):
        return {key: _said(member) for key, member in value.items() if member not in ((), [], {})}
    if isinstance(value, (tuple, list)):
        return [_said(member) for member in value]
    if isinstance(value, datetime):
        return value.isoformat().replace("+00:00", "Z")
    return value.isoformat() if isinstance(value, date) else value


def _validated(model: type[BaseModel], value: Json) -> Any:
    try:
        return model.model_validate(value, by_alias=True, by_name=False)
    except ValidationError as error:
        details = error.errors(include_url=False, include_input=False)
        raise _refused(list(dict.fromkeys(_issue(detail) for detail in details))) from None


def _refused(issues: Sequence[Issue]) -> Refused:
    count = "one thing" if len(issues) == 1 else f"{len(issues)} things"
    return Refused("unprocessable", f"the record cannot be read: {count} to correct", issues)


def _issue(detail: ErrorDetails) -> Issue:
    place = "".join(f"/{step}" for step in _path(detail))
    code = _CODES.get(detail["type"], "value")
    return Issue("error", code, _sentence(detail), place, rule=f"record-{detail['type']}")


def _path(detail: ErrorDetails) -> list[str]:
    """The members on the way, without the branches of a union that pydantic also names."""
    steps = [str(step).replace("~", "~0").replace("/", "~1") for step in detail["loc"]]
    unknown = steps[-1:] if detail["type"] == "extra_forbidden" else []
    known = steps[: len(steps) - len(unknown)]
    return [s for s in known if s.isdigit() or (_MEMBER.fullmatch(s) and s not in _BRANCHES)] + unknown


def _sentence(detail: ErrorDetails) -> str:
    name = next((step for step in reversed(_path(detail)) if not step.isdigit()), "the record")
    if detail["type"] == "missing":
        return f"{name} is required"
    if detail["type"] == "extra_forbidden":
        return f"{name} is not a member known here; see the schema of this record"
    text = detail["msg"].removeprefix("Value error, ")
    return f"{name}: {text[:1].lower()}{text[1:]}"
