"""Webhooks are the events feed pushed: registered by an operator, each event signed, in order, until it is taken."""

import random
import secrets
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from service.delivery import webhook as rules
from service.delivery.outcome import Answer
from service.delivery.retry import retry_after
from service.fhir.json import JsonObject, decode_object, encode
from service.flows.audit.witness import act
from service.flows.context import Context
from service.kernel.clock import instant
from service.kernel.events import log
from service.kernel.failures import Refused
from service.kernel.ids import new_id
from service.remote.door import Failed
from service.remote.guard import RefusedAddress, check_url
from service.remote.outside import Outside
from service.store import events, partners, webhooks
from service.store.events import Stored, parse_cursor
from service.store.vault import vault
from service.store.webhooks import Webhook

LEASE = timedelta(seconds=60)
AT_ONCE = 50
"""Events one look pushes to one receiver; the next look goes on."""


async def add(
    context: Context, url: str, secret: str | None, partner: str | None, after: str | None
) -> JsonObject:
    """Register a receiver for the events of a casework system; `after`: a cursor, `now`, or None for all there is.

    Refused: malformed (url, secret, cursor), absent (no such partner).
    """
    key = rules.key_of(secret) if secret else secrets.token_bytes(32)
    if key is None:
        raise Refused("malformed", "--secret is `whsec_` and base64 of 24 to 64 bytes")
    _expect_url(context, url)
    now = context.clock()
    async with context.database.unit() as unit:
        source = await partners.named(unit, partner) if partner else await partners.home(unit)
        if source is None or "casework" not in source.roles:
            raise Refused("absent", "there is no partner with role casework of this name to push events of")
        cursor = await _cursor(unit, source.client_id, after)
        held = vault(context.settings).encrypt(encode({"keys": [rules.secret_text(key)]}))
        made = Webhook(new_id(), source.client_id, url, held, "", 0, None, "", "", now)
        await webhooks.add(unit, made, cursor)
        unit.audit(act(context, "administration", "webhook-added", detail=made.id))
    return {"id": made.id, "url": url, "secret": rules.secret_text(key), "after": f"{cursor[0]}-{cursor[1]}"}


async def listing(context: Context) -> list[JsonObject]:
    """All receivers and how they do; no secrets."""
    async with context.database.reading() as connection:
        names: dict[str, str] = {each.client_id: each.name for each in await partners.everyone(connection)}
        found = await webhooks.everyone(connection)
    return [
        {
            "id": each.id, "partner": names.get(each.source, "–"), "url": each.url, "after": each.after,
            "state": "stopped" if each.stopped else "retrying" if each.attempts else "running",
            "attempts": each.attempts, "why": each.stopped or each.last, "created": instant(each.created),
        }
        for each in found
    ]  # fmt: skip


async def remove(context: Context, id_: str) -> None:
    """Push nothing more to it. Refused: absent."""
    async with context.database.unit() as unit:
        if not await webhooks.remove(unit, id_):
            raise _absent()
        unit.audit(act(context, "administration", "webhook-removed", detail=id_))


async def replay(context: Context, id_: str, after: str | None) -> None:
    """Start it again where it stopped, or push again what is behind a cursor (`0-0`: everything)."""
    cursor = parse_cursor(after) if after is not None else None
    async with context.database.unit() as unit:
        if not await webhooks.restart(unit, id_, cursor, context.clock()):
            raise _absent()
        unit.audit(act(context, "administration", "webhook-replayed", detail=id_))


async def rotate(context: Context, id_: str) -> str:
    """A new secret; each event is signed with it and with the one before, until the next rotation."""
    kept_in = vault(context.settings)
    fresh = rules.secret_text(secrets.token_bytes(32))
    async with context.database.unit(f"webhook/{id_}") as unit:
        held = await webhooks.known(unit, id_)
        if held is None:
            raise _absent()
        kept = decode_object(kept_in.decrypt(held.secrets))["keys"]
        await webhooks.with_secrets(unit, id_, kept_in.encrypt(encode({"keys": [fresh, kept[0]]})))
        unit.audit(act(context, "administration", "webhook-rotated", detail=id_))
    return fresh


async def take_webhooks(context: Context, worker: int, free: int, busy: Sequence[str]) -> list[Webhook]:
    """Lease up to `free` receivers that have news."""
    now = context.clock()
    async with context.database.unit() as unit:
        return await webhooks.lease(unit, now, now + LEASE, f"{worker}:{new_id()}", free, busy)


async def push(context: Context, outside: Outside, webhook: Webhook) -> int:
    """Push what is behind the cursor, one event after the other, until one is not taken; returns how many were."""
    async with context.database.reading() as connection:
        found = await events.after(connection, webhook.source, parse_cursor(webhook.after), AT_ONCE)
    signing = _keys(context, webhook)
    for number, event in enumerate(found):
        attempt = webhook.attempts + 1 if number == 0 else 1
        outcome = await _attempt(context, outside, webhook, event, signing, attempt)
        now = context.clock()
        if isinstance(outcome, rules.Taken):
            async with context.database.unit() as unit:
                cursor = parse_cursor(event.cursor)
                if not await webhooks.taken(unit, webhook, cursor, "delivered", now + LEASE):
                    return number
            continue
        async with context.database.unit() as unit:
            await _failed(unit, webhook, outcome, attempt, now)
        return number
    async with context.database.unit() as unit:
        await webhooks.settle(unit, webhook, due=context.clock(), attempts=0)
    return len(found)


async def _failed(
    unit: Any, webhook: Webhook, outcome: rules.Later | rules.Stopped, attempt: int, now: datetime
) -> None:
    if isinstance(outcome, rules.Stopped):
        await webhooks.settle(unit, webhook, due=now, attempts=attempt, last=outcome.why, stopped=outcome.why)
    else:
        due = now + outcome.delay
        await webhooks.settle(unit, webhook, due=due, attempts=attempt, last=outcome.why)


async def _attempt(
    context: Context,
    outside: Outside,
    webhook: Webhook,
    event: Stored,
    signing: Sequence[bytes],
    attempt: int,
) -> rules.Taken | rules.Later | rules.Stopped:
    body = encode(
        {
            "type": event.kind,
            "timestamp": instant(event.at),
            "data": {"cursor": event.cursor, **decode_object(event.body)},
        }
    )
    now = context.clock()
    headers = rules.headers(signing, f"evt_{event.cursor}", now, body)
    answer = await outside.door.ask("POST", webhook.url, headers, body, cap=65_536)
    if isinstance(answer, Failed):
        outcome = rules.judge(answer.fault, attempt, random.random())  # noqa: S311 - spreads a wait
        status = None
    else:
        status = answer.status
        wish = retry_after(answer.headers.get("retry-after"), now)
        outcome = rules.judge(Answer(status, wish), attempt, random.random())  # noqa: S311
    log(
        "webhook-attempted", webhook=webhook.id, cursor=event.cursor, attempt=attempt, status=status,
        outcome=type(outcome).__name__, ms=answer.milliseconds,
    )  # fmt: skip
    return outcome


def _keys(context: Context, webhook: Webhook) -> list[bytes]:
    held = decode_object(vault(context.settings).decrypt(webhook.secrets))["keys"]
    return [key for secret in held if (key := rules.key_of(secret))]


def _expect_url(context: Context, url: str) -> None:
    try:
        parts = check_url(url)
    except RefusedAddress as error:
        raise Refused("malformed", f"the URL of a webhook: {error}") from None
    if parts.scheme == "http" and not context.settings.outbound_allow:
        text = "a webhook needs https unless CASEBRIDGE_OUTBOUND_ALLOW lists the network"
        raise Refused("malformed", text)


async def _cursor(unit: Any, source: str, after: str | None) -> tuple[int, int]:
    return await events.newest(unit, source) if after == "now" else parse_cursor(after)


def _absent() -> Refused:
    return Refused("absent", "there is no such webhook; `casebridge webhook list` shows them")
