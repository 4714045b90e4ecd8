"""Is the trail what it was? Every row against its link, every link against the one before, the head against what was
anchored outside the database, every checkpoint against its signature."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from service.flows.audit.chain import Inspection
from service.flows.audit.seal import seal
from service.flows.context import Context
from service.kernel.clock import instant
from service.settings import Settings
from service.store import anchor, seals
from service.store.anchor import Anchor
from service.store.seals import Seal

PAGE = 5000
MOST_STRAYS = 20


@dataclass(frozen=True, slots=True)
class Verdict:
    """How much was looked at, and what is wrong with it: sentences that name row and seal, and nobody's data."""

    rows: int
    checkpoints: int
    findings: list[str]


async def verify(context: Context) -> Verdict:
    """Seal what waits, then walk the whole chain."""
    missing = await _no_anchor(context)
    await seal(context)
    walk = Inspection()
    async with context.database.reading() as connection:
        archived = await seals.archives(connection)
        if archived:
            walk.last = Seal(archived[-1].last, "", b"", archived[-1].hash)
        while page := await seals.links(connection, walk.last.seq if walk.last else 0, PAGE):
            for each in page:
                walk.look(each)
        findings = walk.said()
        found = await seals.strays(connection, MOST_STRAYS)
        findings += [f"row {id_}: not in the chain; it was put in beside the service" for id_ in found]
        former = anchor.former(context.settings, await seals.former_keys(connection))
        held = anchor.found(context.settings, former)
        findings += missing or await _outside(connection, held, walk.seen)
        marks = await seals.checkpoints(connection)
        findings += _gaps(marks, held, archived[-1].last if archived else 0)
        findings += _archives(context.settings, former, archived)
        for mark in marks:
            findings += await _checkpoint(connection, context.settings, former, mark)
    return Verdict(walk.seen, len(marks), findings)


def statement(first: int, last: int, hash_: bytes, digest: bytes, at: datetime) -> bytes:
    """What is signed when links are archived."""
    told = [str(first), str(last), hash_.hex(), digest.hex(), instant(at)]
    return b"casebridge audit archive|" + "|".join(told).encode()


def _archives(settings: Settings, former: list[bytes], archived: list[seals.Archive]) -> list[str]:
    """Every statement ours, each going on where the one before ended."""
    findings, due = [], 1
    for each in archived:
        said = statement(each.first, each.last, each.hash, each.digest, each.at)
        if each.first != due:
            findings.append(f"seals {due} to {each.first - 1} are in no archive that is known")
        if not anchor.holds(settings, said, each.signature, former):
            findings.append(f"the statement about {each.file} does not bear our signature")
        due = each.last + 1
    return findings


async def _no_anchor(context: Context) -> list[str]:
    """Asked before anything is sealed, since sealing puts a new anchor where there is none."""
    async with context.database.reading() as connection:
        begun = await seals.head(connection) is not None
    if begun and anchor.found(context.settings) is None:
        return [f"there is no {anchor.FILE} file in {context.settings.data_dir}"]
    return []


def _gaps(marks: list[seals.Checkpoint], held: Anchor | None, archived: int) -> list[str]:
    """Each checkpoint knows the one before it, the anchor the last: which of them are gone?"""
    known = {mark.previous for mark in marks} | {held.checkpoint if held and held.genuine else None}
    wanted = {each for each in known if each is not None and each > archived}
    return [
        f"the checkpoint at seal {each} is missing" for each in sorted(wanted - {mark.seq for mark in marks})
    ]


async def _outside(connection: Any, held: Anchor | None, rows: int) -> list[str]:
    head = await seals.head(connection)
    if held is None:
        return [f"{anchor.FILE} could not be written"] if rows else []
    if not held.genuine:
        return [f"{anchor.FILE} does not bear our signature: the file was changed, or the secret key was"]
    ends = head.seq if head else 0
    if ends < held.seq:
        return [f"the tail was cut off: {anchor.FILE} knows seal {held.seq}, the chain ends at {ends}"]
    if await seals.hash_at(connection, held.seq) != held.hash:
        return [f"seal {held.seq} is not the one that {anchor.FILE} knows: the chain was written anew"]
    return []


async def _checkpoint(
    connection: Any, settings: Settings, former: list[bytes], mark: seals.Checkpoint
) -> list[str]:
    if not anchor.genuine(settings, mark, former):
        return [f"the checkpoint at seal {mark.seq} does not bear our signature"]
    if await seals.hash_at(connection, mark.seq) != mark.hash:
        return [f"seal {mark.seq} is not the one that its checkpoint knows: cut off or written anew"]
    return []
