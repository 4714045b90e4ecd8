"""What a Subscription asks for, read and judged: everything that we would not honour is refused with its place.

Profile backport-subscription, for R4: criteria is a topic's canonical, the rest stands in extensions.
https://hl7.org/fhir/uv/subscriptions-backport/STU1.1/StructureDefinition-backport-subscription.html
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, get_args
from urllib.parse import unquote_plus

from service.fhir.json import Json, JsonObject
from service.fhir.outcome import Issue, IssueCode
from service.fhir.search.asking import MAX_ALTERNATIVES
from service.fhir.subscriptions.topics import Filter, Topic, find, topics, understood
from service.kernel.failures import Refused

GUIDE = "http://hl7.org/fhir/uv/subscriptions-backport"
PROFILE = f"{GUIDE}/StructureDefinition/backport-subscription"
_EXTENSION = f"{GUIDE}/StructureDefinition/backport-"
CAPABILITY = f"{GUIDE}/CapabilityStatement/backport-subscription-server-r4"
TOPIC_EXTENSION = f"{GUIDE}/StructureDefinition/capabilitystatement-subscriptiontopic-canonical"

Content = Literal["empty", "id-only", "full-resource"]
CONTENTS: tuple[Content, ...] = get_args(Content)
Channel = Literal["rest-hook", "email"]
CHANNELS: tuple[Channel, ...] = get_args(Channel)
Form = Literal["json", "xml", "text"]
_FORMS: dict[str, Form] = {
    "application/fhir+json": "json", "application/json": "json", "application/fhir+xml": "xml",
    "application/xml": "xml", "text/plain": "text",
}  # fmt: skip
MOST_EVENTS = 100
"""In one notification; a larger max-count is no promise to fill it."""
DEFAULT_EVENTS = 20
LONGEST_PERIOD = 7 * 86_400
MOST_HEADERS = 20

_HEADER = re.compile(
    r"([!#$%&'*+.^_`|~0-9A-Za-z-]{1,100}):[ \t]*([\x21-\x7e](?:[\x20-\x7e\t]{0,4000}[\x21-\x7e])?)\Z"
)
_OURS = frozenset({
    "host", "content-length", "content-type", "content-encoding", "transfer-encoding", "connection", "te", "trailer",
    "upgrade", "expect", "keep-alive", "proxy-authorization", "proxy-connection", "accept-encoding",
})  # fmt: skip
"""Headers of the connection itself: a subscriber that could set them could say what is not so."""
MASK = "***"
"""Header values are kept apart, sealed; in the resource they are this."""
_R5 = "http://hl7.org/fhir/5.0/StructureDefinition/extension-Subscription"
MAILBOX = re.compile(r"[A-Za-z0-9._%+'-]{1,64}@[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63})+\Z")
"""One address, and nothing that a mail program could read as two or as a header."""


@dataclass(frozen=True, slots=True)
class Asked:
    """`mime` is the channel's payload as it was written. Times in seconds. `headers`: name and value."""

    topic: Topic
    filters: tuple[Filter, ...]
    channel: Channel
    endpoint: str
    headers: tuple[tuple[str, str], ...]
    content: Content
    mime: str
    form: Form
    heartbeat: int | None
    timeout: int | None
    max_count: int
    until: datetime | None


def asked(resource: JsonObject, now: datetime, base: str, *, mail: bool) -> Asked:
    """A Subscription read. `mail`: an SMTP server is configured. Refused("invalid") with all that is wrong."""
    issues: list[Issue] = []
    topic = _topic(resource, issues)
    channel = resource.get("channel")
    channel = channel if isinstance(channel, dict) else {}
    kind = _kind(channel, issues, mail=mail)
    content, mime, form = _content(channel, kind, issues)
    found = Asked(
        topic=topic or next(iter(topics().values())),
        filters=_filters(resource, topic, issues, now, base),
        channel=kind,
        endpoint=_endpoint(channel, kind, issues),
        headers=_headers(channel, kind, issues),
        content=content,
        mime=mime,
        form=form,
        heartbeat=_number(channel, "heartbeat-period", "UnsignedInt", issues),
        timeout=_number(channel, "timeout", "UnsignedInt", issues),
        max_count=_number(channel, "max-count", "PositiveInt", issues) or DEFAULT_EVENTS,
        until=_until(resource, now, issues),
    )
    _no_other_version(resource, issues)
    if issues:
        raise Refused("invalid", issues[0].text, issues)
    return found


def _wrong(issues: list[Issue], at: str, text: str, code: IssueCode = "not-supported") -> None:
    issues.append(Issue("error", code, text, f"Subscription.{at}" if at else "Subscription", source=PROFILE))


def _topic(resource: JsonObject, issues: list[Issue]) -> Topic | None:
    criteria = resource.get("criteria")
    topic = find(criteria) if isinstance(criteria, str) else None
    if topic is None:
        text = "criteria is the canonical URL of a topic that this server offers, not a query; "
        _wrong(issues, "criteria", text + "GET SubscriptionTopic lists them")
    return topic


def _extensions(owner: Json, name: str) -> Iterator[tuple[int, JsonObject]]:
    rows = owner.get("extension") if isinstance(owner, dict) else None
    for place, row in enumerate(rows if isinstance(rows, list) else []):
        if isinstance(row, dict) and row.get("url") == _EXTENSION + name:
            yield place, row


def _filters(
    resource: JsonObject, topic: Topic | None, issues: list[Issue], now: datetime, base: str
) -> tuple[Filter, ...]:
    found: list[Filter] = []
    for place, row in _extensions(resource.get("_criteria"), "filter-criteria"):
        at = f"criteria.extension[{place}]"
        text = row.get("valueString")
        if not isinstance(text, str) or not text:
            _wrong(issues, at, "a filter is a valueString of the form [parameter]=[value]", "value")
        elif topic is not None:
            found += _filter(topic, text, at, issues, now, base)
    return tuple(found)


def _filter(
    topic: Topic, text: str, at: str, issues: list[Issue], now: datetime, base: str
) -> Iterator[Filter]:
    """`[Type]?[a]=[b]&[c]=[d]`, `[Type].[a]=[b]` or `[a]=[b]`; all must hold."""
    head, mark, rest = text.partition("?")
    if mark and head and head != topic.type:
        return _wrong(issues, at, f"this topic is about {topic.type} alone")
    for part in (rest if mark else text).split("&"):
        name, equals, value = part.partition("=")
        name = name.removeprefix(f"{topic.type}.")
        code, _, modifier = name.partition(":")
        allowed = topic.filters.get(code)
        shown = (
            code if code.replace("-", "").replace("_", "").isalnum() and len(code) < 40 else "of that name"
        )
        if not equals or not value:
            _wrong(issues, at, "a filter is [parameter]=[value]", "value")
        elif allowed is None:
            offered = ", ".join(topic.filters)
            _wrong(issues, at, f"this topic cannot be filtered by {shown}; it can by {offered}")
        elif modifier and modifier not in allowed:
            _wrong(issues, at, f"this topic does not know that modifier of {shown}")
        elif value.count(",") >= MAX_ALTERNATIVES:
            _wrong(issues, at, f"{shown} has too many alternatives", "too-costly")
        else:
            plain = (name, unquote_plus(value) if "%" in value else value)
            try:
                understood(topic, [plain], now, base)
            except Refused as refused:
                _wrong(issues, at, refused.text, "value")
            else:
                yield plain


def _kind(channel: JsonObject, issues: list[Issue], *, mail: bool) -> Channel:
    for _ in _extensions(channel.get("_type"), "channel-type"):
        _wrong(
            issues,
            "channel.type.extension",
            "channels of other types than rest-hook and email are not offered",
        )
    kind = channel.get("type")
    if kind == "email" and not mail:
        _wrong(issues, "channel.type", "this server has no way to send e-mail; use rest-hook")
    elif kind not in CHANNELS:
        _wrong(issues, "channel.type", "the channels offered are rest-hook, and email where it is configured")
    return "email" if kind == "email" else "rest-hook"


def _content(channel: JsonObject, kind: Channel, issues: list[Issue]) -> tuple[Content, str, Form]:
    mime = channel.get("payload")
    text = mime if isinstance(mime, str) else ""
    media, _, rest = (part.strip() for part in text.lower().partition(";"))
    form = _FORMS.get(media)
    if form is None or (form == "text") > (kind == "email"):
        offered = "application/fhir+json or application/fhir+xml" + (
            " or text/plain" if kind == "email" else ""
        )
        _wrong(issues, "channel.payload", f"the payload is {offered}")
    version = re.search(r"fhirversion\s*=\s*\"?([0-9.]+)", rest)
    if version and version[1] not in ("4.0", "4.0.1"):
        _wrong(issues, "channel.payload", "notifications are FHIR 4.0 only")
    levels = [row.get("valueCode") for _, row in _extensions(channel.get("_payload"), "payload-content")]
    level = levels[0] if len(levels) == 1 else None
    if level not in CONTENTS:
        words = ", ".join(CONTENTS)
        _wrong(
            issues,
            "channel.payload.extension",
            f"one backport-payload-content is needed: {words}",
            "required",
        )
        return "empty", text, form or "json"
    if kind == "email" and level == "full-resource":
        _wrong(
            issues, "channel.payload.extension", "no content about clients goes by e-mail: empty or id-only"
        )
    return level, text, form or "json"


def _endpoint(channel: JsonObject, kind: Channel, issues: list[Issue]) -> str:
    endpoint = channel.get("endpoint")
    text = endpoint if isinstance(endpoint, str) else ""
    if kind == "email" and not (text.startswith("mailto:") and MAILBOX.match(text, len("mailto:"))):
        _wrong(
            issues, "channel.endpoint", "the endpoint of an email channel is mailto: and one address", "value"
        )
    if kind == "rest-hook" and not text.startswith(("https://", "http://")):
        _wrong(
            issues,
            "channel.endpoint",
            "a rest-hook needs the https URL that notifications are posted to",
            "value",
        )
    return text


def _headers(channel: JsonObject, kind: Channel, issues: list[Issue]) -> tuple[tuple[str, str], ...]:
    rows = channel.get("header", [])
    rows = rows if isinstance(rows, list) else []
    found = []
    if len(rows) > MOST_HEADERS or (rows and kind == "email"):
        _wrong(issues, "channel.header", f"a rest-hook has at most {MOST_HEADERS} headers, an email none")
    for place, row in enumerate(rows[:MOST_HEADERS]):
        match = _HEADER.match(row) if isinstance(row, str) else None
        if match is None:
            _wrong(issues, f"channel.header[{place}]", "a header is `Name: value` in plain ASCII", "value")
        elif match[2] == MASK:
            _wrong(
                issues,
                f"channel.header[{place}]",
                "the value of this header is not known here; send it",
                "value",
            )
        elif match[1].lower() in _OURS:
            _wrong(
                issues, f"channel.header[{place}]", "this header belongs to the connection and is set by us"
            )
        else:
            found.append((match[1], match[2]))
    return tuple(found)


def _number(channel: JsonObject, name: str, type_: str, issues: list[Issue]) -> int | None:
    rows = list(_extensions(channel, name))
    if not rows:
        return None
    place, row = rows[0]
    value = row.get(f"value{type_}")
    at = f"channel.extension[{place}]"
    if len(rows) > 1 or not isinstance(value, int) or isinstance(value, bool):
        _wrong(issues, at, f"backport-{name} is one value{type_}", "value")
        return None
    number: int = value
    if not 0 < number <= LONGEST_PERIOD:
        _wrong(issues, at, f"backport-{name} is a whole number from 1 to {LONGEST_PERIOD}", "value")
    return number


def _until(resource: JsonObject, now: datetime, issues: list[Issue]) -> datetime | None:
    text = resource.get("end")
    if not isinstance(text, str):
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        moment = now
    if moment.tzinfo is None or moment <= now:
        _wrong(issues, "end", "end is an instant in the future", "value")
        return None
    return moment


def _no_other_version(resource: JsonObject, issues: list[Issue]) -> None:
    """R5 cross-version extensions say what this server would not do: better refused than ignored."""
    for name in ("", "_criteria", "channel"):
        owner = resource.get(name) if name else resource
        rows = owner.get("extension", []) if isinstance(owner, dict) else []
        if any(isinstance(row, dict) and str(row.get("url", "")).startswith(_R5) for row in rows):
            _wrong(
                issues,
                name.removeprefix("_"),
                "extensions of the R5 Subscription are not read; use the Backport's",
            )


def masked(resource: JsonObject) -> JsonObject:
    """The Subscription as it is kept and shown: header names without their values."""
    channel = resource.get("channel")
    rows = channel.get("header") if isinstance(channel, dict) else None
    if not isinstance(channel, dict) or not isinstance(rows, list):
        return resource
    shown = [f"{str(row).partition(':')[0]}: {MASK}" for row in rows]
    return {**resource, "channel": {**channel, "header": shown}}


def unmasked(resource: JsonObject, known: tuple[tuple[str, str], ...]) -> JsonObject:
    """What was sent, with `***` in place of a header's value meaning the value that is kept already."""
    channel = resource.get("channel")
    rows = channel.get("header") if isinstance(channel, dict) else None
    if not isinstance(channel, dict) or not isinstance(rows, list):
        return resource
    values = {name.lower(): value for name, value in known}
    told = []
    for row in rows:
        name, _, value = (part.strip() for part in str(row).partition(":"))
        told.append(f"{name}: {values[name.lower()]}" if value == MASK and name.lower() in values else row)
    return {**resource, "channel": {**channel, "header": told}}
