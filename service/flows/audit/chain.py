"""The arithmetic of the chain, and what a broken one says.

leaf = SHA-256(canonical record); hash = SHA-256(previous hash, seq, id, leaf). The leaf is kept too, so that a changed
row, an exchanged pair and a forged link can be told apart, and one fault does not hide the next.
"""

import hashlib
from dataclasses import dataclass, field
from uuid import UUID

from service.fhir.audited import Audited, record_of
from service.store.seals import Seal, Sealed

BEGINNING = bytes(32)
LOST = bytes(32)
"""The leaf of a row that vanished before it was sealed."""


def leaf_of(row: Audited | None) -> bytes:
    """What a link says of its row."""
    return hashlib.sha256(record_of(row)).digest() if row else LOST


def link(previous: bytes, seq: int, id_: str, leaf: bytes) -> Seal:
    """The next link."""
    whole = previous + seq.to_bytes(8, "big") + UUID(id_).bytes + leaf
    return Seal(seq, id_, leaf, hashlib.sha256(whole).digest())


def extend(head: Seal | None, rows: list[tuple[str, Audited | None]]) -> list[Seal]:
    """Links for rows in their order."""
    made: list[Seal] = []
    for id_, row in rows:
        last = made[-1] if made else head
        made.append(link(last.hash if last else BEGINNING, last.seq + 1 if last else 1, id_, leaf_of(row)))
    return made


@dataclass
class Inspection:
    """Walks the links once, remembering only the last one and what is wrong."""

    seen: int = 0
    last: Seal | None = None  # to begin with: the last link that was archived
    findings: list[str] = field(default_factory=list)
    changed: list[tuple[Seal, bytes]] = field(default_factory=list)
    torn: list[tuple[bytes, Seal]] = field(default_factory=list)

    def look(self, sealed: Sealed) -> None:
        """The next link."""
        seal, row = sealed.seal, sealed.row
        before = self.last.hash if self.last else BEGINNING
        if self._expect_next(seal) and link(before, seal.seq, seal.id, seal.leaf).hash != seal.hash:
            self.torn.append((before, seal))
        if seal.leaf == LOST:
            self.findings.append(f"{_name(seal)}: the row was deleted before it was sealed")
        elif row is None:
            self.findings.append(f"{_name(seal)}: the row was deleted")
        elif (leaf := leaf_of(row)) != seal.leaf:
            self.changed.append((seal, leaf))
        elif not sealed.words_match:
            self.findings.append(f"{_name(seal)}: the words kept of its search are not those that were asked")
        self.seen, self.last = self.seen + 1, seal

    def _expect_next(self, seal: Seal) -> bool:
        """False behind a gap, which is a finding; what stands behind it can be held against nothing."""
        due = self.last.seq + 1 if self.last else 1
        if seal.seq != due:
            gap = f"seal {due} is" if seal.seq == due + 1 else f"seals {due} to {seal.seq - 1} are"
            self.findings.append(f"{gap} missing")
        return seal.seq == due

    def said(self) -> list[str]:
        """Every finding: exchanged pairs first named as such, the rest as changed."""
        return [*self.findings, *self._rows(), *self._links()]

    def _rows(self) -> list[str]:
        told, named = [], set[int]()
        by_leaf = {seal.leaf: seal for seal, _ in self.changed}
        for seal, leaf in self.changed:
            other = by_leaf.get(leaf)
            if seal.seq in named:
                continue
            if other is not None and (other, seal.leaf) in self.changed:
                named |= {seal.seq, other.seq}
                told.append(f"{_name(seal)} and {_name(other)}: the rows were exchanged")
            else:
                told.append(f"{_name(seal)}: the row was changed")
        return told

    def _links(self) -> list[str]:
        told, named = [], set[int]()
        for before, seal in self.torn:
            if seal.seq in named or seal.seq - 1 in named:
                continue
            other = next((one for _, one in self.torn if one is not seal and _fits(before, seal, one)), None)
            if other is not None:
                named |= {seal.seq, other.seq}
                told.append(f"seals {seal.seq} and {other.seq} were exchanged")
            else:
                told.append(f"{_name(seal)}: the seal does not follow from the one before")
        return told


def _fits(before: bytes, seal: Seal, other: Seal) -> bool:
    """Does the other's row, in this link's place, give a hash that one of the two has?"""
    return link(before, seal.seq, other.id, other.leaf).hash in (seal.hash, other.hash)


def _name(seal: Seal) -> str:
    return f"row {seal.id} (seal {seal.seq})"
