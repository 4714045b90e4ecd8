"""HSDS schedules (RFC 5545 rules) → FHIR hours. What FHIR's weekdays cannot say is said in words."""

import re
from collections.abc import Iterable
from datetime import date

from service.fhir.json import JsonObject
from service.mapping.hsds.listing import Entry, Trouble

_DAYS = {"MO": "mon", "TU": "tue", "WE": "wed", "TH": "thu", "FR": "fri", "SA": "sat", "SU": "sun"}
_CLOCK = re.compile(r"^(\d{1,2}):(\d\d)(?::\d\d)?(?:\s*(Z|[+-]\d\d:?\d\d))?$")
_ENDLESS = ("23:59:00", "00:00:00")


def hours(schedules: Iterable[Entry], today: date) -> tuple[list[JsonObject], str, list[Trouble]]:
    """Weekly hours (`daysOfWeek`, `allDay`, `opens`, `closes`), the rest in words, and what could not be read.

    Times are the place's own; an offset that a list writes behind them is left out. Schedules that are over are too.
    """
    made: list[JsonObject] = []
    words: list[str] = []
    troubles: list[Trouble] = []
    for each in schedules:
        if _over(each, today):
            continue
        opens, closes = _clock(each["opens_at"]), _clock(each["closes_at"])
        wrong = [
            name for name, found in (("opens_at", opens), ("closes_at", closes)) if each[name] and not found
        ]
        if wrong:
            troubles.append(
                Trouble(each.place, f"{' and '.join(wrong)} is no time of day (09:00); it is left out")
            )
        days = _days(each)
        if days and (opens or closes):
            made.append(_weekly(days, opens, closes))
        elif opens or closes:
            words.append(_said(each, opens, closes))
        words += [text for text in (each["description"], each["notes"]) if text]
    return made, "; ".join(dict.fromkeys(words)), troubles


def _over(schedule: Entry, today: date) -> bool:
    ends = [each for each in (schedule["valid_to"], schedule["until"]) if re.match(r"^\d{4}-\d\d-\d\d", each)]
    return any(each[:10] < today.isoformat() for each in ends)


def _clock(text: str) -> str:
    found = _CLOCK.match(text)
    if not found or int(found[1]) > 24 or int(found[2]) > 59:
        return ""
    hour = int(found[1]) % 24
    return f"{hour:02}:{found[2]}:00"


def _days(schedule: Entry) -> list[str]:
    """The weekdays of a rule that holds every week; none for one that FHIR cannot say."""
    often = schedule["freq"].upper()
    named = [each.strip().upper() for each in schedule["byday"].split(",") if each.strip()]
    plain = schedule["interval"] in ("", "1") and not any(
        schedule[name] for name in ("byweekno", "bymonthday", "byyearday")
    )
    if not plain or any(each not in _DAYS for each in named):
        return []
    if often == "DAILY" and not named:
        return list(_DAYS.values())
    return [_DAYS[each] for each in _DAYS if each in named] if often in ("", "WEEKLY", "DAILY") else []


def _weekly(days: list[str], opens: str, closes: str) -> JsonObject:
    if opens == "00:00:00" and closes in _ENDLESS:
        return {"daysOfWeek": days, "allDay": True}
    return {"daysOfWeek": days} | ({"opens": opens} if opens else {}) | ({"closes": closes} if closes else {})


def _said(schedule: Entry, opens: str, closes: str) -> str:
    rule = " ".join(
        schedule[name] for name in ("freq", "byday", "bymonthday", "dtstart") if schedule[name]
    ).lower()
    return f"{rule or 'hours'}: {opens[:5] or '?'} to {closes[:5] or '?'}"
