"""Retention: what is older than the policy leaves the database for a signed file, and the chain stays provable.

The oldest links of the chain, rows and all, are written to a file (gzip, one JSON a line), read back and proven. Only
then are they deleted, in one transaction with the signed statement of where the chain stood there (`audit_archive`).
From then on `verify` begins behind the last statement; a file can be proven against its own at any time. The words of
searches, which may be somebody's data, are not archived: they end here.
"""

import asyncio
import gzip
import hashlib
import os
import zlib
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from service.fhir.json import BadJson, JsonObject, decode_object, encode
from service.flows.audit.chain import BEGINNING, LOST, link
from service.flows.audit.verify import statement, verify
from service.flows.audit.witness import act
from service.flows.context import Context
from service.kernel.clock import instant
from service.kernel.failures import Refused
from service.store import anchor, seals
from service.store.seals import Archive, Seal

PAGE = 5000
MOST_LINE = 1_000_000


@dataclass(frozen=True, slots=True)
class Archived:
    """What went where; `rows` 0 when nothing was old enough."""

    rows: int
    file: Path | None


async def archive(context: Context, folder: Path | None = None) -> Archived:
    """Archive what is older than `audit_keep_years`, or than accountings of disclosures go back if that is longer.

    Refused("conflict") if the chain does not hold: what is broken stays where it is, as evidence.
    """
    verdict = await verify(context)
    if verdict.findings:
        raise Refused(
            "conflict", "the audit trail does not hold (`casebridge audit verify`); nothing was archived"
        )
    now, years = context.clock(), max(context.settings.audit_keep_years, context.settings.disclosure_years)
    async with context.database.reading() as connection:
        before = await seals.last_archive(connection)
        first = before.last + 1 if before else 1
        last = await seals.last_before(connection, now - timedelta(days=365.25 * years))
        if last < first:
            return Archived(0, None)
        path = (folder or context.settings.data_dir / "audit-archive") / f"audit-{first}-{last}.ndjson.gz"
        start = Seal(first - 1, "", b"", before.hash if before else BEGINNING)
        end = await _write(connection, path, start, last)
    proven, digest = await asyncio.to_thread(prove, path, start.hash)
    if proven != (first, last, end):
        raise Refused("conflict", f"{path} could not be read back as it was written; nothing was archived")
    signature = anchor.sign(context.settings, statement(first, last, end, digest, now))
    made = Archive(last, first, end, digest, path.name, now, signature)
    await asyncio.to_thread(_place_statement, path, made)
    async with context.database.unit() as unit:
        await seals.move_out(unit, made)
        told = f"{last - first + 1} rows in {path.name}"
        unit.audit(act(context, "administration", "audit-archived", detail=told))
    return Archived(last - first + 1, path)


async def _write(connection: Any, path: Path, start: Seal, last: int) -> bytes:
    """The links behind `start` up to `last`, into a file that is durable on return; gives the hash of the last one."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    at, hash_ = start.seq, start.hash
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "wb") as raw:
        with gzip.GzipFile(fileobj=raw, mode="wb", mtime=0) as file:
            while at < last:
                for each in await seals.links(connection, at, min(PAGE, last - at)):
                    await asyncio.to_thread(file.write, encode(_line(each)) + b"\n")
                    at, hash_ = each.seal.seq, each.seal.hash
        raw.flush()
        os.fsync(raw.fileno())
    return hash_


def _line(sealed: seals.Sealed) -> JsonObject:
    seal, record = sealed.seal, seals.record_text(sealed)
    return {
        "seq": seal.seq,
        "id": seal.id,
        "leaf": seal.leaf.hex(),
        "hash": seal.hash.hex(),
        "record": record,
    }


def _place_statement(path: Path, made: Archive) -> None:
    said = {
        "file": made.file, "first": made.first, "last": made.last, "hash": made.hash.hex(),
        "digest": made.digest.hex(), "at": instant(made.at), "signature": made.signature.hex(),
    }  # fmt: skip
    with path.with_name(f"{path.name}.json").open("wb") as file:
        file.write(encode(said) + b"\n")
        file.flush()
        os.fsync(file.fileno())


Proven = tuple[int, int, bytes]


def prove(path: Path, previous: bytes) -> tuple[Proven | None, bytes]:
    """(first, last, hash of the last) if every line of the file follows from the one before, and `previous`, the hash
    before the first; None if not. And the SHA-256 of the file."""
    first, last = 0, 0
    try:
        digest = hashlib.sha256(path.read_bytes()).digest()
        with gzip.open(path) as file:
            while line := file.readline(MOST_LINE):
                said = decode_object(line)
                seq, leaf = int(said["seq"]), bytes.fromhex(said["leaf"])
                record: str = said["record"]
                if leaf != LOST and hashlib.sha256(record.encode()).digest() != leaf:
                    return None, digest
                seal = link(previous, seq, said["id"], leaf)
                if seal.hash.hex() != said["hash"] or (last and seq != last + 1):
                    return None, digest
                first, last, previous = first or seq, seq, seal.hash
    except FileNotFoundError:
        return None, b""
    except (OSError, EOFError, zlib.error, BadJson, KeyError, TypeError, ValueError):
        return None, digest
    return (first, last, previous), digest


async def verify_files(context: Context, folder: Path | None = None) -> list[str]:
    """Findings about the files of all archives, held against their signed statements; none when all are whole."""
    place = folder or context.settings.data_dir / "audit-archive"
    async with context.database.reading() as connection:
        known = await seals.archives(connection)
    findings, previous = [], BEGINNING
    for each in known:
        proven, digest = await asyncio.to_thread(prove, place / each.file, previous)
        if not digest:
            findings.append(f"{each.file} is not in {place}")
        elif digest != each.digest or proven != (each.first, each.last, each.hash):
            findings.append(f"{each.file} is not what was archived: it was changed")
        previous = each.hash
    return findings
