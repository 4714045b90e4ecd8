"""The words every record is written with: ids, texts, days, moments, names, contacts, addresses, concepts.

Everything is strict (no `"true"` for true, no epoch number for a date), frozen, and refuses unknown members.
JSON names are camelCase. Dates are ISO 8601; a moment always carries its zone.
"""

import re
from calendar import monthrange
from dataclasses import dataclass
from datetime import date, datetime
from typing import Annotated, Any, Literal, TypeVar

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    Strict,
    StringConstraints,
    model_validator,
)
from pydantic.alias_generators import to_camel

Item = TypeVar("Item")
Several = Annotated[tuple[Item, ...], Strict(False)]
"""A JSON array."""


class Written(BaseModel):
    """How every record and part of one is read: frozen, strict, closed, camelCase."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", strict=True, alias_generator=to_camel, validate_by_name=True,
        validate_by_alias=True, serialize_by_alias=True, use_attribute_docstrings=True,
    )  # fmt: skip


def speaks(*members: str) -> Any:
    """A check that at least one of these members is said: an empty part says nothing and cannot be mapped."""

    def check(part: Any) -> Any:
        if not any(getattr(part, member) not in (None, ()) for member in members):
            raise ValueError("say at least one of " + ", ".join(map(to_camel, members)))
        return part

    return model_validator(mode="after")(check)


def one_of(*members: str) -> Any:
    """A check that exactly one of these members is said."""

    def check(part: Any) -> Any:
        if sum(getattr(part, member) not in (None, ()) for member in members) != 1:
            raise ValueError("say exactly one of " + ", ".join(map(to_camel, members)))
        return part

    return model_validator(mode="after")(check)


def distinct(**keys: str) -> Any:
    """A check that parts of one list are told apart by a member: `distinct(goals="id", scores="name")`."""

    def check(part: Any) -> Any:
        for listed, key in keys.items():
            named = [getattr(each, key) for each in getattr(part, listed)]
            if len(set(named)) != len(named):
                raise ValueError(f"{to_camel(listed)}: the same {key} occurs twice")
        return part

    return model_validator(mode="after")(check)


def ordered(start: str, end: str) -> Any:
    """A check that what starts does so before it ends (per-1), both said equally exactly where it matters."""

    def check(part: Any) -> Any:
        first, last = getattr(part, start), getattr(part, end)
        if first and last and not _before(first, last):
            raise ValueError(f"{to_camel(start)} is not before {to_camel(end)}, or one is less exact")
        return part

    return model_validator(mode="after")(check)


def _before(first: str, last: str) -> bool:
    if "T" in first and "T" in last:
        return datetime.fromisoformat(first) <= datetime.fromisoformat(last)
    shared = min(len(first), len(last), 10)
    same = first[:shared] == last[:shared]
    return first[:shared] < last[:shared] or (same and len(first) == len(last))


@dataclass(frozen=True)
class Mention:
    """Marks a field that names another record: `Mention("clients")`."""

    kind: str


RecordId = Annotated[
    str, StringConstraints(pattern=r"^[A-Za-z0-9._~:-]*[A-Za-z0-9_~:-][A-Za-z0-9._~:-]*$", max_length=100)
]
"""The case-management system's own id: what stands in its URL (RFC 3986 unreserved, and not only dots)."""
ClientId = Annotated[RecordId, Mention("clients")]
CaseManagerId = Annotated[RecordId, Mention("case-managers")]
AgencyId = Annotated[RecordId, Mention("agencies")]
ConsentId = Annotated[RecordId, Mention("consents")]
CarePlanId = Annotated[RecordId, Mention("care-plans")]
AssessmentId = Annotated[RecordId, Mention("assessments")]
ReferralId = Annotated[RecordId, Mention("referrals")]
EncounterId = Annotated[RecordId, Mention("encounters")]

_UNSPOKEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")


def _spoken(text: str) -> str:
    if _UNSPOKEN.search(text):
        raise ValueError("holds a control character")
    return text


Text = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=20_000), AfterValidator(_spoken)
]
"""Words for people, lines allowed; outer blanks are cut."""
Slug = Annotated[str, StringConstraints(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$", max_length=64)]
"""A code of one of our own lists, such as `transitional-housing`."""
Uri = Annotated[str, StringConstraints(pattern=r"^[A-Za-z][A-Za-z0-9+.-]*:\S+$", max_length=500)]


def _day(value: object) -> object:
    if isinstance(value, str):
        if not re.fullmatch(r"\d{4}-\d\d-\d\d", value):
            raise ValueError("write a day as 2026-03-09")
        return date.fromisoformat(value)
    return value


def _moment(value: object) -> object:
    if isinstance(value, str):
        if not re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d{1,6})?)?(Z|[+-]\d\d:\d\d)", value):
            raise ValueError("write a moment with its zone, as 2026-03-09T10:00:00-06:00")
        return datetime.fromisoformat(value)
    return value


Day = Annotated[date, BeforeValidator(_day)]
Moment = Annotated[AwareDatetime, BeforeValidator(_moment)]

_PARTIAL = re.compile(r"(\d{4})(?:-(\d\d)(?:-(\d\d)(T\d\d:\d\d:\d\d(?:\.\d{1,6})?(?:Z|[+-]\d\d:\d\d))?)?)?")


def _partial(text: str) -> str:
    match = _PARTIAL.fullmatch(text)
    if not match:
        raise ValueError("write 2026, 2026-03, 2026-03-09 or 2026-03-09T10:00:00-06:00")
    year, month, day = int(match[1]), int(match[2] or 1), int(match[3] or 1)
    if year < 1 or not 1 <= month <= 12 or not 1 <= day <= monthrange(year, month)[1]:
        raise ValueError("there is no such day")
    if match[4]:
        datetime.fromisoformat(text)
    return text


def _undated(text: str) -> str:
    if "T" in text:
        raise ValueError("write 1991, 1991-11 or 1991-11-23")
    return _partial(text)


When = Annotated[str, AfterValidator(_partial)]
"""A year, a month, a day or a moment: as exact as is known, kept exactly as written."""


def _exact(text: str) -> str:
    if len(text) < 10:
        raise ValueError("say at least the day: 2026-03-09")
    return text


ExactWhen = Annotated[str, AfterValidator(_partial), AfterValidator(_exact)]
"""A day or a moment, kept exactly as written."""
PartialDay = Annotated[str, AfterValidator(_undated)]
"""A year, a month or a day: as exact as is known."""


class Span(Written):
    """From when until when; either end may be open."""

    start: When | None = None
    end: When | None = None

    _says = speaks("start", "end")
    _order = ordered("start", "end")


class Coding(Written):
    """One code of one system."""

    system: Uri | None = None
    code: Annotated[str, StringConstraints(pattern=r"^\S+( \S+)*$", max_length=200)] | None = None
    display: Text | None = None

    _says = speaks("code", "display")


class Concept(Written):
    """Something said in words, with the codes that say the same; at least one of the two."""

    text: Text | None = None
    codings: Several[Coding] = ()

    _says = speaks("text", "codings")


class PersonName(Written):
    """A name as the person writes it; any script, any length up to a page."""

    family: Text | None = None
    given: Several[Text] = ()
    prefix: Several[Text] = ()
    suffix: Several[Text] = ()
    text: Text | None = None
    """The whole name, where its parts are not known or do not apply."""
    use: Literal["usual", "official", "nickname", "maiden", "old", "temp", "anonymous"] | None = None

    _says = speaks("family", "given", "text")


class Contact(Written):
    """One way to reach someone."""

    kind: Literal["phone", "text", "email", "fax", "url", "pager", "other"]
    """`text` is a telephone that takes text messages."""
    value: Text
    use: Literal["home", "work", "mobile", "temp", "old"] | None = None
    rank: Annotated[int, Field(ge=1, le=99)] | None = None
    """1 is tried first."""
    permitted: bool | None = None
    """False: nobody may call, write or leave a message there (#60)."""


class Address(Written):
    """A place to live, work or receive letters."""

    lines: Several[Text] = ()
    city: Text | None = None
    district: Text | None = None
    state: Text | None = None
    postal_code: Text | None = None
    country: Text | None = None
    text: Text | None = None
    """The whole address in words: `no fixed address, usually near the river park`."""
    use: Literal["home", "work", "temp", "old", "billing"] | None = None
    _says = speaks("lines", "city", "district", "state", "postal_code", "country", "text")


class OtherIdentifier(Written):
    """A number somebody else knows this person or agency by."""

    system: Uri
    value: Text
    label: Text | None = None
    """What people call it: `Medicaid number`."""


LanguageCode = Annotated[str, StringConstraints(pattern=r"^[a-z]{2,3}(-[A-Za-z0-9]{2,8})*$")]
"""BCP 47: `en`, `es`, `ar`, `zh-Hant`."""


class Language(Written):
    """A language someone speaks (#47)."""

    code: LanguageCode
    preferred: bool | None = None


class Note(Written):
    """A remark, with who made it and when where that is known."""

    text: Text
    at: When | None = None
    by: Text | None = None
