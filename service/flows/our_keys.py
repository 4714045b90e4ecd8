"""Our own keys come and go: those we sign with at partners, and the secret that keeps what is stored unreadable.

`casebridge keys list|rotate|retire|reseal` print what these return.
"""

from datetime import datetime

from service.fhir.json import JsonObject
from service.flows.audit.witness import act
from service.flows.context import Context
from service.kernel.clock import instant
from service.kernel.failures import Refused
from service.store import anchor, keys, seals, vault
from service.store.keys import Held
from service.store.unit import Unit


async def listing(context: Context) -> list[JsonObject]:
    """All keys, newest first, each with its state."""
    now = context.clock()
    async with context.database.reading() as connection:
        return [_described(each, now) for each in await keys.everyone(connection)]


def _described(held: Held, now: datetime) -> JsonObject:
    told: JsonObject = {"kid": held.kid, "algorithm": held.algorithm, "signs_from": instant(held.since)}
    if held.retired_at is None or held.retired_at > now:
        until = {"signs_until": instant(held.retired_at)} if held.retired_at else {}
        return {**told, **until, "state": "signing" if held.since <= now else "published"}
    gone = held.retired_at + keys.AFTERGLOW
    return {**told, "state": "retired", "published_until": instant(gone)}


async def rotate(context: Context, *, at_once: bool = False) -> list[JsonObject]:
    """New keys: published now, signing after LEAD (or now), and the old ones published for AFTERGLOW beyond that."""
    now = context.clock()
    since = now if at_once else now + keys.LEAD
    async with context.database.unit(keys.LOCK) as unit:
        await keys.rotate(unit, vault.vault(context.settings), now, since)
        unit.audit(act(context, "administration", "keys-rotated"))
    return await listing(context)


async def retire(context: Context, kid: str, *, compromised: bool = False) -> list[JsonObject]:
    """Sign no more with this key; `compromised`: and nobody finds it any more. Refused("absent") for no such key."""
    async with context.database.unit(keys.LOCK) as unit:
        kept = vault.vault(context.settings)
        if not await keys.retire(unit, kept, kid, context.clock(), compromised=compromised):
            raise Refused("absent", "we have no key of this name; `casebridge keys list` shows them")
        unit.audit(act(context, "administration", "key-retired", detail="compromised" if compromised else ""))
    return await listing(context)


async def reseal(context: Context, *, new: bool = False, forget: bool = False) -> dict[str, int]:
    """Everything stored under the newest secret; how many rows of which table.

    `new`: with a secret made now, where the secret is a file of ours. `forget`: the secrets before it open nothing any
    more. Unavailable, and nothing changed, if a row is under a secret that is not accepted.
    """
    if new:
        vault.renew_file(context.settings)
    async with context.database.unit(keys.LOCK) as unit:
        done = await vault.reseal(unit, vault.vault(context.settings))
        await _vouch(context, unit)
        unit.audit(act(context, "administration", "secrets-resealed"))
    if forget:
        vault.forget_file(context.settings)
    return done


async def _vouch(context: Context, unit: Unit) -> None:
    """The newest key's word for all that signed checkpoints, anchors and archives before it."""
    settings = context.settings
    newest, *others = anchor.public_keys(settings)
    known = anchor.former(settings, await seals.former_keys(unit))
    for public in dict.fromkeys((*others, *known)):
        if public != newest:
            signature = anchor.sign(settings, anchor.succession(public))
            await seals.vouch(unit, public, signature, context.clock())
