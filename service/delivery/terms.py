"""On what terms a partner is spoken to: data agreed at onboarding, kept with its registration.

What is not agreed has the default of `Terms`. `read` and `written` are each other's inverse.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, time
from typing import Any, Final, Literal, get_args
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from service.fhir.json import Json

Payload = Literal["empty", "id-only", "full"]
Transport = Literal["transaction", "message"]
MOST_AT_ONCE: Final = 16
_QUIET = re.compile(r"([01]\d|2[0-3]):([0-5]\d)-([01]\d|2[0-3]):([0-5]\d) (\S+)")


class BadTerms(ValueError):
    """What is wrong with the terms, for the operator who wrote them."""


@dataclass(frozen=True, slots=True)
class Quiet:
    """Hours in which nothing is sent, in the partner's own time zone; may span midnight."""

    begins: time
    ends: time
    zone: str

    def __str__(self) -> str:
        return f"{self.begins:%H:%M}-{self.ends:%H:%M} {self.zone}"

    def holds(self, now: datetime) -> bool:
        """Is it quiet at this instant?"""
        local = now.astimezone(ZoneInfo(self.zone)).time()
        if self.begins <= self.ends:
            return self.begins <= local < self.ends
        return local >= self.begins or local < self.ends


@dataclass(frozen=True, slots=True)
class Terms:
    """`rate`: deliveries a minute, None for no limit. `types`: resource types we may send, () for all that a
    referral needs. `transport`: what a referral travels as. `profiles`: what the partner says it conforms to.
    `poll`: seconds between looks at its Tasks."""

    at_once: int = 4
    rate: int | None = None
    quiet: Quiet | None = None
    payload: Payload = "id-only"
    transport: Transport = "transaction"
    types: tuple[str, ...] = ()
    purposes: tuple[str, ...] = ()
    profiles: tuple[str, ...] = ()
    poll: int | None = None
    contact: str = ""

    @property
    def readable(self) -> bool:
        """False for UNREADABLE alone."""
        return self.at_once > 0

    @property
    def paced(self) -> bool:
        """Must somebody count before something is sent?"""
        return self.rate is not None or self.quiet is not None


STANDARD: Final = Terms()
UNREADABLE: Final = Terms(at_once=0)
"""What stands for terms that cannot be read: nothing begins before an operator has mended them."""
_KINDS: Final = {
    "at_once": int, "rate": int, "poll": int, "quiet": str, "payload": str, "transport": str, "contact": str,
    "types": list, "purposes": list, "profiles": list,
}  # fmt: skip


def quiet(text: str) -> Quiet:
    """`22:00-06:00 America/Denver`; BadTerms otherwise."""
    found = _QUIET.fullmatch(text.strip())
    if found is None:
        raise BadTerms("quiet hours are written as 22:00-06:00 America/Denver")
    one, two, three, four, zone = found.groups()
    try:
        ZoneInfo(zone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise BadTerms(f"{zone} is not a time zone of the IANA database") from None
    begins, ends = time(int(one), int(two)), time(int(three), int(four))
    if begins == ends:
        raise BadTerms("quiet hours that begin when they end would be all day or never")
    return Quiet(begins, ends, zone)


def checked(terms: Terms) -> Terms:
    """The same terms; BadTerms for a number out of its range or an unknown payload."""
    if not 1 <= terms.at_once <= MOST_AT_ONCE:
        raise BadTerms(f"at once: from 1 to {MOST_AT_ONCE}")
    if terms.rate is not None and not 1 <= terms.rate <= 100_000:
        raise BadTerms("rate: deliveries a minute, from 1 to 100000")
    if terms.poll is not None and not 60 <= terms.poll <= 86_400:
        raise BadTerms("poll: seconds, from 60 to 86400 (a day)")
    if terms.payload not in get_args(Payload):
        raise BadTerms(f"payload is one of {', '.join(get_args(Payload))}")
    if terms.transport not in get_args(Transport):
        raise BadTerms(f"transport is one of {', '.join(get_args(Transport))}")
    return terms


def changed(terms: Terms, said: Iterable[str]) -> Terms:
    """The terms after `said`, each `name=value` as an operator writes it: lists with commas, nothing for the default.

    BadTerms names what is wrong. What could not be read is agreed anew, from the defaults.
    """
    values: dict[str, Any] = {}
    for each in said:
        name, equals, text = each.partition("=")
        default = getattr(STANDARD, name, None)
        if not equals or name not in Terms.__dataclass_fields__:
            raise BadTerms(
                f"terms are written NAME=VALUE; the names are {', '.join(Terms.__dataclass_fields__)}"
            )
        if not text:
            values[name] = default
        elif name in ("at_once", "rate", "poll"):
            if not re.fullmatch(r"\d{1,6}", text, re.ASCII):
                raise BadTerms(f"{name} is a number")
            values[name] = int(text)
        elif name == "quiet":
            values[name] = quiet(text)
        elif isinstance(default, tuple):
            values[name] = tuple(part.strip() for part in text.split(",") if part.strip())
        else:
            values[name] = text
    return checked(replace(terms if terms.readable else STANDARD, **values))


def written(terms: Terms) -> dict[str, Any]:
    """As JSON: only what differs from the defaults."""
    found: dict[str, Any] = {}
    for name in Terms.__dataclass_fields__:
        value = getattr(terms, name)
        if value != getattr(STANDARD, name):
            found[name] = (
                str(value) if isinstance(value, Quiet) else list(value) if isinstance(value, tuple) else value
            )
    return found


def read(stored: Json) -> Terms:
    """The inverse of `written`; BadTerms for what that never writes."""
    if not isinstance(stored, dict):
        raise BadTerms("terms are an object")
    for name, value in stored.items():
        if type(value) is not _KINDS.get(name):
            raise BadTerms(f"{name} is no term, or has a value of another kind")
    values: dict[str, Any] = {
        name: tuple(value) if isinstance(value, list) else value for name, value in stored.items()
    }
    if "quiet" in values:
        values["quiet"] = quiet(values["quiet"])
    return checked(Terms(**values))
