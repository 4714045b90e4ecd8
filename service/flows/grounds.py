"""A ground other than consent becomes an act on record: who, about whom, which data, why, until when.

Medical emergency (42 CFR 2.51), audit and evaluation (2.53), qualified service organisation (2.11), court order
(2.61 ff.). Nothing of this is ever assumed: somebody records it, the trail says who, the case-management system is
told, and decisions use it only where the client's consents say no. Ending it stops the next read and the next delivery.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from service.consent import terms
from service.fhir.catalogue import catalogue
from service.fhir.json import JsonObject, encode
from service.fhir.outcome import Issue
from service.fhir.references import local
from service.flows.audit.witness import act
from service.flows.caller import Caller
from service.flows.context import Context
from service.flows.keep import absent
from service.kernel.clock import instant
from service.kernel.failures import Refused
from service.kernel.ids import new_id
from service.store import grounds, partners, records, resources
from service.store.grounds import Ground
from service.store.partners import Partner
from service.store.trail import current
from service.store.unit import Told, Unit

HOME = "Patient"
BREAKS_GLASS = "ehr"
"""The role that may declare an emergency itself."""

EMERGENCY = timedelta(hours=24)
LONGEST = timedelta(hours=72)
"""How long an emergency opens data unless it says less, and at most."""

PURPOSES = {
    "emergency": "ETREAT",
    "audit-evaluation": "HPRGRP",
    "qsoa": "HOPERAT",
    "court-order": "HLEGAL",
}
"""Basis → the purpose it serves unless the agreement or order says otherwise."""

FACTS = ("recipient", "affiliation", "discloser", "nature")
MOST = 1000


@dataclass(frozen=True, slots=True)
class Act:
    """What is to be recorded. `party` is a partner's name; `clients` the casework system's own ids or `Patient/…`, none
    for all; `types` none for all; the last four are the facts of an emergency (2.51(c)), timed by the recording."""

    basis: str
    party: str
    clients: Sequence[str] = ()
    types: Sequence[str] = ()
    purposes: Sequence[str] = ()
    document: str = ""
    until: datetime | None = None
    recipient: str = ""
    affiliation: str = ""
    discloser: str = ""
    nature: str = ""


async def record(context: Context, wanted: Act) -> JsonObject:
    """For an operator. Refused says what is missing, unknown or too long."""
    now = context.clock()
    async with context.database.unit() as unit:
        party = await partners.named(unit, wanted.party.strip())
        if party is None or party.disabled_at is not None:
            raise _wrong(f"there is no enabled partner named {wanted.party!r}")
        clients = [await _client(unit, each) for each in wanted.clients]
        return await _recorded(context, unit, replace(wanted, clients=clients), party, now)


async def break_glass(context: Context, caller: Caller, id_: str, facts: Act) -> JsonObject:
    """For an `ehr` caller: the client's data opens to it for the emergency's time, the case-management system is told
    at once. Refused: forbidden for other roles, absent, malformed without the four facts."""
    caller.require(HOME, "r")
    if BREAKS_GLASS not in caller.roles:
        raise Refused("forbidden", "only a partner with role ehr declares a medical emergency here")
    now = context.clock()
    wanted = replace(facts, basis="emergency", clients=[f"{HOME}/{id_}"], purposes=["BTG"])
    async with context.database.unit() as unit:
        party = await partners.find(unit, caller.client_id)
        _expect_facts(wanted)
        if await resources.read(unit, HOME, id_, None) is None:
            raise absent(HOME, id_)
        return await _recorded(context, unit, wanted, party, now)


async def listing(context: Context) -> list[JsonObject]:
    """What was recorded, the newest first, over or not."""
    async with context.database.reading() as connection:
        names: dict[str, str] = {each.client_id: each.name for each in await partners.everyone(connection)}
        return [_told(each, names[each.party]) for each in await grounds.everything(connection, MOST)]


async def end(context: Context, id_: str) -> None:
    """From now on it carries nothing. Refused("absent") when nothing of this id is running."""
    now = context.clock()
    async with context.database.unit() as unit:
        if not await grounds.end(unit, id_, now):
            raise Refused("absent", f"no ground {id_} is running; `casebridge ground list` shows them")
        [ground] = await grounds.known(unit, [id_])
        party = await partners.find(unit, ground.party)
        unit.audit(act(context, "administration", "ground-ended", about=_about(ground, party)))


async def _recorded(context: Context, unit: Unit, wanted: Act, party: Partner, now: datetime) -> JsonObject:
    _expect(wanted, now)
    trail = current()
    emergency = wanted.basis == "emergency"
    ground = Ground(
        id=new_id(),
        basis=wanted.basis,
        party=party.client_id,
        patients=list(wanted.clients) or None,
        types=list(wanted.types) or None,
        purposes=list(wanted.purposes) or [PURPOSES[wanted.basis]],
        document=wanted.document.strip(),
        recipient=wanted.recipient.strip(),
        affiliation=wanted.affiliation.strip(),
        discloser=wanted.discloser.strip(),
        nature=wanted.nature.strip(),
        starts=now,
        ends=wanted.until or (now + EMERGENCY if emergency else None),
        recorded=now,
        recorded_by=trail.client or "unknown",
    )
    await grounds.add(unit, ground)
    row = act(context, "administration", "ground-recorded", detail=wanted.basis, about=_about(ground, party))
    unit.audit(
        replace(
            row, basis=wanted.basis, purpose=" ".join(ground.purposes), consents=(f"urn:uuid:{ground.id}",)
        )
    )
    home = await partners.home(unit)
    if home is not None:
        unit.tell(
            Told(home.client_id, "ground-recorded", now, encode(await _event(unit, home, ground, party)))
        )
    return _told(ground, party.name)


def _expect(wanted: Act, now: datetime) -> None:
    if wanted.basis not in PURPOSES:
        raise _wrong(f"the ground is one of {', '.join(PURPOSES)}")
    if unknown := [each for each in wanted.types if each not in catalogue]:
        raise _wrong(f"{unknown[0]} is not a type that is kept here")
    if wanted.until is not None and wanted.until <= now:
        raise _wrong("it would be over before it begins: until must be in the future")
    for purpose in wanted.purposes:
        if purpose not in terms.PURPOSE_WORDS:
            raise _wrong(f"{purpose} is not a purpose known here: {', '.join(terms.PURPOSE_WORDS)}")
    if wanted.basis == "emergency":
        _expect_facts(wanted)
        if not wanted.clients:
            raise _wrong("an emergency is about a client: name the client")
        if wanted.until is not None and wanted.until > now + LONGEST:
            raise _wrong("an emergency lasts 72 hours at most; record another if it goes on")
        return
    if not wanted.document.strip():
        raise _wrong("name the written agreement or order by which it can be found")
    if wanted.basis != "qsoa" and wanted.until is None:
        raise _wrong(
            "say until when: only an agreement with a qualified service organisation may be open-ended"
        )
    if wanted.basis == "court-order" and not wanted.clients:
        raise _wrong("a court order is about the clients it names: name them")


def _expect_facts(wanted: Act) -> None:
    missing = [name for name in FACTS if not getattr(wanted, name).strip()]
    if missing:
        raise _wrong(
            f"42 CFR 2.51(c) wants all of {', '.join(FACTS)} on record; missing: {', '.join(missing)}"
        )
    if long := [name for name in FACTS if len(getattr(wanted, name)) > 500]:
        raise _wrong(f"{long[0]} is longer than 500 characters")


async def _client(unit: Unit, text: str) -> str:
    """`Patient/[id]` of a client given so, or by the casework system's own id."""
    found = local(text)
    if found and found[0] == HOME:
        if await resources.read(unit, HOME, found[1], None) is None:
            raise absent(*found)
        return "/".join(found)
    home = await partners.home(unit)
    kept = await records.find(unit, home.client_id if home else "", "clients", text)
    patient = next((each for each in kept.resources if each.startswith(f"{HOME}/")), "") if kept else ""
    if not patient:
        raise Refused("absent", f"there is no client {text!r}")
    return patient


async def _event(unit: Unit, home: Partner, ground: Ground, party: Partner) -> JsonObject:
    """The privacy officer's alarm: who got access to whose data, why, until when."""
    clients = [await records.becoming(unit, home.client_id, each) for each in ground.patients or ()]
    known = [each.id for each in clients if each is not None]
    body: dict[str, Any] = {
        "kind": "ground-recorded",
        "at": instant(ground.recorded),
        "ground": ground.id,
        "basis": ground.basis,
        "partner": party.name,
        "until": instant(ground.ends) if ground.ends else None,
        "client": known[0] if len(known) == 1 else None,
        "clients": known if len(known) > 1 else None,
        "document": ground.document or None,
    }
    if ground.basis == "emergency":
        body |= {name: getattr(ground, name) for name in FACTS}
    return {name: value for name, value in body.items() if value is not None}


def _told(ground: Ground, party: str) -> JsonObject:
    shown: dict[str, Any] = {
        "id": ground.id,
        "basis": ground.basis,
        "partner": party,
        "clients": ground.patients or "all",
        "types": ground.types or "all",
        "purposes": ground.purposes,
        "document": ground.document,
        **{name: getattr(ground, name) for name in FACTS},
        "from": instant(ground.starts),
        "until": instant(ground.ends) if ground.ends else "",
        "recorded_by": ground.recorded_by,
    }
    return {name: value for name, value in shown.items() if value}


def _about(ground: Ground, party: Partner) -> list[str]:
    return [party.organization, *(ground.patients or ())]


def _wrong(text: str) -> Refused:
    return Refused("malformed", text, [Issue("error", "value", text)])
