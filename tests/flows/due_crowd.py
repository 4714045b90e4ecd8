"""A thousand invented clients with records of every kind that the timers read, as rows of the store: made by number,
so that a run can be repeated. What is late, missing or early is drawn too."""

import random
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

from service.casework import records as words
from service.fhir.json import encode
from service.store.records import Kept

SEED = 20260302
FIRST = date(2025, 1, 1)
LAST = date(2026, 6, 30)
WORKERS = [f"worker-{number}" for number in range(80)]
MODES = ("office", "home", "phone", "community")


def crowd(source: str, count: int) -> list[Kept]:
    """The records of `count` clients, each read by the model of its kind first: nothing here is against the rules."""
    draw = random.Random(SEED)
    return [row for number in range(count) for row in _client(draw, source, f"c{number}")]


def _client(draw: random.Random, source: str, id_: str) -> list[Kept]:
    opened = _day(draw, FIRST, LAST - timedelta(days=60))
    ended = _day(draw, opened + timedelta(days=30), LAST) if draw.random() < 0.3 else None
    episode: dict[str, Any] = {
        "status": "finished" if ended else "active", "start": f"{opened}", "primaryCaseManager": draw.choice(WORKERS),
        "intensity": draw.choice(["intensive", "intensive", "general"]),
    }  # fmt: skip
    if ended:
        episode["end"] = f"{ended}"
    until = ended or LAST
    made = [("clients", id_, {"name": {"text": id_}, "episode": episode})]

    def add(kind: str, chance: float, make: Any, most: int = 1) -> None:
        for number in range(most):
            if draw.random() < chance:
                made.append((kind, f"{id_}-{kind}-{number}", {"client": id_, **make(number)}))

    def some(days: int) -> date:
        return min(opened + timedelta(days=draw.randrange(days)), until)

    plan = some(60)
    reviews = sorted(_day(draw, plan, until) for _ in range(draw.randrange(4)))
    signed = f"{some(70)}T15:00:00-06:00"
    add("care-plans", 0.9, lambda _: {
        "created": f"{plan}", "reviews": [{"on": f"{each}", "found": "on the way"} for each in reviews],
        "signatures": [{"id": role, "role": role, "name": "n", "at": signed}
                       for role in ("client", "case-manager") if draw.random() < 0.9]})  # fmt: skip
    add(
        "assessments",
        0.6,
        lambda _: {"instrument": draw.choice(["prapare", "phq-9"]), "taken": f"{some(500)}"},
        3,
    )
    add("referrals", 0.8, lambda _: {
        "service": "transitional-housing", "requested": f"{opened}", "period": {"start": f"{some(120)}"}}, 2)  # fmt: skip
    add("service-outcomes", 0.7, lambda number: {
        "service": "transitional-housing", "referral": f"{id_}-referrals-{number}", "status": "in-progress",
        "period": {"start": f"{some(150)}"}}, 2)  # fmt: skip
    add("satisfactions", 0.6, lambda number: {
        "referral": f"{id_}-referrals-{number}", "asked": f"{some(200)}", "appropriate": "agree"}, 2)  # fmt: skip
    add("complaints", 0.4, lambda _: _complaint(draw, some(300)))
    add("encounters", 0.8, lambda _: {
        "direct": draw.random() < 0.8, "mode": draw.choice(MODES), "start": f"{_day(draw, opened, until)}T16:00:00Z",
        "status": draw.choice(["finished", "finished", "finished", "cancelled"])}, 30)  # fmt: skip
    rows = [_kept(source, *each, opened) for each in made]
    return [
        *rows,
        *(_kept(source, "gpra-interviews", *each) for each in _interviews(draw, id_, opened, ended)),
    ]


def _interviews(
    draw: random.Random, id_: str, opened: date, ended: date | None
) -> Iterator[tuple[str, dict[str, Any], date]]:
    """Half are under a grant: an intake, mostly a follow-up, at the end mostly a discharge; each filed some days later."""
    if draw.random() < 0.5:
        return
    days = {"intake": min(opened + timedelta(days=draw.randrange(20)), LAST)}
    if draw.random() < 0.7:
        days["six-month"] = days["intake"] + timedelta(days=draw.randrange(140, 260))
    if ended and draw.random() < 0.7:
        days["discharge"] = ended + timedelta(days=draw.randrange(-3, 6))
    for type_, day in days.items():
        if day <= LAST:
            said = {"client": id_, "grant": "TI-1", "gpraClient": id_, "type": type_, "date": f"{day}"}
            yield f"{id_}-{type_}", said, min(day + timedelta(days=draw.randrange(15)), LAST)


def _complaint(draw: random.Random, day: date) -> dict[str, Any]:
    reply = {"text": "seen to", "at": f"{day + timedelta(days=draw.randrange(4))}T23:00:00Z"}
    return {
        "received": f"{day}T20:00:00Z", "words": "too late", "status": "answered", "replies": [reply],
    } if draw.random() < 0.7 else {"received": f"{day}T20:00:00Z", "words": "too late"}  # fmt: skip


def _day(draw: random.Random, first: date, last: date) -> date:
    return first + timedelta(days=draw.randrange(max(1, (last - first).days + 1)))


def _kept(source: str, kind: str, id_: str, record: dict[str, Any], opened: date) -> Kept:
    body = encode(words.write(words.read(kind, id_, record)))
    filed = datetime(opened.year, opened.month, opened.day, 12, tzinfo=UTC)
    return Kept(source, kind, id_, 1, filed, False, body, [f"Patient/{id_}"] if kind == "clients" else [])
