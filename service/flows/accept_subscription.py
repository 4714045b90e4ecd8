"""A Subscription is written: taken as far as we will honour it, refused with the places where we would not.

Its status is ours to give: `requested` until the endpoint has answered a handshake. Header values are kept sealed,
beside the resource; in it they are masked, except in the answer to the write that brought them.
"""

from dataclasses import replace
from datetime import datetime
from typing import Any

from service.fhir.json import JsonObject, decode, decode_object, encode
from service.fhir.outcome import Issue
from service.fhir.row import Row
from service.fhir.subscriptions.asked import PROFILE, Asked, asked, masked, unmasked
from service.flows.caller import Caller, lacking
from service.flows.context import Context
from service.kernel.failures import Refused
from service.remote.guard import RefusedAddress, check_endpoint
from service.store import subscriptions
from service.store.subscriptions import Subscription
from service.store.unit import Put, Unit
from service.store.vault import vault

MOST = 100
"""Subscriptions of one partner."""


async def accept(
    context: Context,
    unit: Unit,
    caller: Caller,
    resource: JsonObject,
    id_: str,
    before: Row | None,
    now: datetime,
) -> tuple[JsonObject, JsonObject]:
    """The Subscription as it is kept, and as its writer sent it; how it is served is collected in `unit`.

    Refused: invalid (422) with every place, forbidden for a topic whose type the token does not cover.
    """
    held = (await subscriptions.known(unit, [id_])).get(id_)
    told = unmasked(resource, _values_for(context, held, resource))
    off = resource.get("status") == "off"
    spoken = {name: value for name, value in told.items() if name != "end"} if off else told
    wish = asked(spoken, now, context.base, mail=context.settings.smtp_url is not None)
    if not caller.allows(wish.topic.type, "r"):
        raise lacking(f"system/{wish.topic.type}.r")
    await _expect_endpoint(context, wish)
    partner = before.author if before else caller.client_id
    if held is None and len(await subscriptions.of_partner(unit, partner)) >= MOST:
        raise _wrong("too-costly", f"a partner has at most {MOST} subscriptions; delete one", "")
    made = _served(context, wish, id_, partner, held, str(resource.get("status")), now)
    await subscriptions.put(unit, made)
    told = {**told, "status": made.status}
    if made.status != "error":
        told.pop("error", None)
    return masked(told), resource


def echo(put: Put, told: JsonObject) -> bytes:
    """The version as it is kept, with the header values its writer sent: for the answer to that write alone."""
    whole = decode_object(put.body or b"{}")
    return encode({**whole, "channel": told["channel"]} if "channel" in told else whole)


def headers_of(context: Context, held: Subscription | None) -> tuple[tuple[str, str], ...]:
    """The headers to be sent to an endpoint, opened."""
    if held is None:
        return ()
    kept: Any = decode(vault(context.settings).decrypt(held.headers))
    return tuple((name, value) for name, value in kept)


def _values_for(
    context: Context, held: Subscription | None, resource: JsonObject
) -> tuple[tuple[str, str], ...]:
    """The header values that `***` may stand for: those of the same endpoint, so that none is sent to another."""
    channel = resource.get("channel")
    endpoint = channel.get("endpoint") if isinstance(channel, dict) else None
    return headers_of(context, held) if held is not None and held.endpoint == endpoint else ()


def _served(
    context: Context,
    wish: Asked,
    id_: str,
    partner: str,
    held: Subscription | None,
    status: str,
    now: datetime,
) -> Subscription:
    sealed = vault(context.settings).encrypt(encode([list(pair) for pair in wish.headers]))
    made = Subscription(
        id=id_, partner=partner, type=wish.topic.type, topic=wish.topic.url, filters=wish.filters,
        content=wish.content, channel=wish.channel, endpoint=wish.endpoint, mime=wish.mime, headers=sealed,
        heartbeat=wish.heartbeat, timeout=wish.timeout, max_count=wish.max_count, until=wish.until,
        status="requested", counter=held.counter if held else 0, sent=held.sent if held else 0, attempts=0, due=now,
        spoken=now, lease=None, why="", created=held.created if held else now,
    )  # fmt: skip
    same = held is not None and _door(context, held) == _door(context, made)
    return replace(made, status=_standing(status, held.status if held else "", same=same))


def _door(context: Context, one: Subscription) -> tuple[object, ...]:
    """What a handshake has proved."""
    return one.channel, one.endpoint, one.mime, one.content, headers_of(context, one)


def _standing(wanted: str, held: str, *, same: bool) -> str:
    """The status that a write leads to. A client asks (`requested`) or ends (`off`); whether it is served, we say.

    What is served already (`active`) stays so while the endpoint stays; after an error the client asks anew.
    """
    match wanted:
        case "off":
            return "off"
        case "requested":
            return "requested"
        case "active" if same and held in ("active", "requested"):
            return held
        case "active" if held:
            return "requested"
        case "error" if held == "error":
            return "error"
    raise _wrong(
        "business-rule", "ask with the status requested; active and error are the server's to say", "status"
    )


async def _expect_endpoint(context: Context, wish: Asked) -> None:
    if wish.channel != "rest-hook":
        return
    try:
        check_endpoint(wish.endpoint, context.settings.outbound_allow)
    except RefusedAddress as error:
        raise _wrong("security", f"this endpoint is not called: {error}", "channel.endpoint") from None


def _wrong(code: str, text: str, at: str) -> Refused:
    place = f"Subscription.{at}" if at else "Subscription"
    return Refused("invalid", text, [Issue("error", code, text, place, source=PROFILE)])  # type: ignore[arg-type]
