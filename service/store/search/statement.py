"""A statement in the making: its values, and whose eyes it is for."""

from dataclasses import dataclass
from typing import Any

from service.fhir.catalogue import DIRECTORY


@dataclass(frozen=True, slots=True)
class Eyes:
    """Who looks: a partner by client_id, or, as the one value EVERYTHING, the custodian.

    An empty client_id is nobody and cannot be made: a lost session must never read as "no restriction".
    """

    client_id: str

    def __post_init__(self) -> None:
        if not self.client_id:
            raise ValueError("nobody is looking")

    @staticmethod
    def of(viewer: str | None) -> "Eyes":
        """A caller's `viewer`: None is the custodian."""
        return EVERYTHING if viewer is None else Eyes(viewer)


EVERYTHING = Eyes("*")
"""The custodian's eyes; no client_id is `*`. Compared by identity, never by value."""


_WRITTEN_OUT = 100


class Statement:
    """Collects values for `$1`, `$2` …, and names for tables."""

    def __init__(self, eyes: Eyes) -> None:
        self.values: list[Any] = []
        self._eyes = eyes
        self._names = 0

    def bind(self, value: Any, cast: str = "text") -> str:
        """A placeholder for the value."""
        self.values.append(value)
        return f"${len(self.values)}::{cast}"

    def alias(self, stem: str) -> str:
        """A table name not used yet."""
        self._names += 1
        return f"{stem}{self._names}"

    def hash(self, key: str) -> str:
        """The hash under which a search key is kept."""
        return f"hashtextextended({self.bind(key)}, 0)"

    def hashes(self, keys: tuple[str, ...]) -> str:
        """An array of hashes. Written out, so that the planner knows how common each one is; unless long."""
        if len(keys) > _WRITTEN_OUT:
            many = self.bind(list(keys), "text[]")
            return f"ARRAY(SELECT hashtextextended(k, 0) FROM unnest({many}) k)"  # noqa: S608
        return "ARRAY[" + ", ".join(self.hash(key) for key in dict.fromkeys(keys)) + "]::bigint[]"

    def visible(self, row: str) -> str:
        """The row is not deleted and exists for these eyes: theirs, a directory's, shared with them, or
        about a client of whom a ground other than consent lets them know."""
        if self._eyes is EVERYTHING:
            return f"NOT {row}.deleted"
        me, free = self.bind(self._eyes.client_id), self.bind(list(DIRECTORY), "text[]")
        share, ground = self.alias("share"), self.alias("ground")
        running = f"{ground}.starts <= now() AND ({ground}.ends IS NULL OR now() < {ground}.ends)"
        about = (
            f"{ground}.party = {me} AND ({ground}.patients IS NULL OR {row}.patient = ANY({ground}.patients))"
        )
        return (
            f"NOT {row}.deleted AND ({row}.author = {me} OR {row}.type = ANY({free}) OR EXISTS ("  # noqa: S608
            f"SELECT 1 FROM share {share} WHERE {share}.party = {me}"
            f" AND {share}.type = {row}.type AND {share}.id = {row}.id)"
            f" OR ({row}.patient IS NOT NULL AND EXISTS (SELECT 1 FROM ground {ground} WHERE {running} AND {about})))"
        )
