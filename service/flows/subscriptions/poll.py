"""What a partner changed since we last asked, by search: `Task?_lastUpdated=ge…`, oldest first.

Pages are not followed by their numbers: a Task that changes while we turn pages would push another over the edge. The
next page is asked for from the last instant seen, so whatever moves, moves ahead of us. Only where a page is all of one
instant is the server's own next link followed. Each round begins an overlap before the last instant of the one before,
for servers whose clocks or commits are not in order. Instants are the partner's own.
"""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from service.delivery.outcome import Answer
from service.fhir.json import BadJson, JsonObject, decode_object
from service.flows.context import Context
from service.flows.deliver import peer_of
from service.kernel.clock import instant
from service.kernel.ids import new_id
from service.remote.outside import Outside
from service.remote.partner import Peer, Reply
from service.store import listening
from service.store.listening import Listening
from service.store.partners import Partner

OVERLAP = timedelta(minutes=5)
PAGE = 100
MOST_PAGES = 200
"""In one round; the next goes on where this one ended."""


async def poll(context: Context, outside: Outside, partner: Partner, one: Listening) -> int:
    """One round; the loops of what was found are looked at. Answers how many Tasks there were; where the partner cannot
    be searched so, every open Task of ours is looked at by its address instead."""
    now, peer = context.clock(), peer_of(partner)
    async with context.database.reading() as connection:
        opened = await listening.oldest(connection, one.partner)
    since = (one.polled or opened or now) - OVERLAP
    found, up_to, whole = await _round(outside, peer, since)
    again = now + timedelta(seconds=partner.terms.poll or context.settings.poll_seconds)
    async with context.database.unit() as unit:
        tasks = [f"{peer.fhir_base}/Task/{each}" for each in found]
        await listening.look_at(unit, one.partner, tasks if whole else None, now)
        await listening.polled(unit, one.partner, up_to, again)
    return len(found)


async def _round(outside: Outside, peer: Peer, since: datetime) -> tuple[set[str], datetime | None, bool]:
    """Ids of the Tasks changed since, the last instant seen, and whether the partner answered all of it."""
    found: set[str] = set()
    up_to: datetime | None = None
    bundle = await _page(outside, peer, since)
    for _ in range(MOST_PAGES):
        if bundle is None:
            return found, up_to, False
        rows = list(_tasks(bundle))
        found |= {id_ for id_, _ in rows}
        newest = max((at for _, at in rows), default=None)
        up_to = max(filter(None, (up_to, newest)), default=None)
        following = _next(bundle)
        if following is None:
            break
        if newest is not None and newest > since:
            since = newest
            bundle = await _page(outside, peer, since)
        else:
            bundle = _bundle(await outside.partners.read(following, peer, new_id()))
    return found, up_to, True


async def _page(outside: Outside, peer: Peer, since: datetime) -> JsonObject | None:
    query = {"_lastUpdated": f"ge{instant(since)}", "_sort": "_lastUpdated", "_count": str(PAGE)}
    reply = await outside.partners.search("Task", query, peer, new_id())
    return _bundle(reply)


def _bundle(reply: Reply) -> JsonObject | None:
    if not isinstance(reply.result, Answer) or reply.result.status != 200:
        return None
    try:
        found = decode_object(reply.result.body)
    except BadJson:
        return None
    return found if found.get("resourceType") == "Bundle" else None


def _tasks(bundle: JsonObject) -> Iterator[tuple[str, datetime]]:
    """(id, lastUpdated); a Task that does not say when counts as the oldest there is."""
    for entry in bundle.get("entry") or []:
        resource: Any = entry.get("resource") if isinstance(entry, dict) else None
        if isinstance(resource, dict) and isinstance(resource.get("id"), str) and "status" in resource:
            meta = resource.get("meta")
            text = meta.get("lastUpdated") if isinstance(meta, dict) else None
            yield resource["id"], _moment(text)


def _moment(text: object) -> datetime:
    try:
        moment = datetime.fromisoformat(text) if isinstance(text, str) else None
    except ValueError:
        moment = None
    if moment is None:
        return datetime.min.replace(tzinfo=UTC)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _next(bundle: JsonObject) -> str | None:
    for link in bundle.get("link") or []:
        if isinstance(link, dict) and link.get("relation") == "next" and isinstance(link.get("url"), str):
            return str(link["url"])
    return None
