"""The events feed: what partners did, in order, from any point, waiting for news if asked to."""

import asyncio
from contextlib import suppress
from dataclasses import dataclass

from service.fhir.json import JsonObject, decode_object
from service.flows.caller import Caller
from service.flows.context import Context
from service.store import events

_NAP = 0.25
MOST = 1000
LONGEST = 60.0


@dataclass(frozen=True, slots=True)
class Page:
    """Events in order; `cursor` is where to go on, equal to the one asked from when there was no news."""

    events: list[JsonObject]
    cursor: str


async def read_events(context: Context, caller: Caller, after: str | None, limit: int, wait: float) -> Page:
    """Up to `limit` events behind `after`; an empty page only after `wait` seconds (at most 60) without news, or when
    this process is about to end: the reader asks again, elsewhere."""
    caller.require_casework("events", "read")
    cursor = events.parse_cursor(after)
    deadline = asyncio.get_running_loop().time() + min(wait, LONGEST)
    while True:
        async with context.database.reading() as connection:
            found = await events.after(connection, caller.client_id, cursor, min(limit, MOST))
        if found or context.ending.is_set() or asyncio.get_running_loop().time() >= deadline:
            return Page([_told(each) for each in found], found[-1].cursor if found else (after or ""))
        with suppress(TimeoutError):
            await asyncio.wait_for(context.ending.wait(), _NAP)


def _told(event: events.Stored) -> JsonObject:
    return {"cursor": event.cursor, **decode_object(event.body)}
