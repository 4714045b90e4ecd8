"""SMART scopes as a set algebra: parse, cover, intersect, write back.

https://hl7.org/fhir/smart-app-launch/STU2.2/scopes-and-launch-context.html: v2 `system/Task.rs?status=draft`
(letters in the order `cruds`), v1 `system/Task.read`. `casework/referrals.cruds` is ours and speaks of the
casework door's records in the same grammar. Search modifiers, chains and `_filter` in scopes are
experimental in the guide and refused here: a constraint we cannot apply must not look like one we do.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Literal

Context = Literal["patient", "user", "system", "casework"]

LETTERS = "cruds"
_V1 = {"read": "rs", "write": "cud", "*": "cruds"}
_V1_TEXT = {letters: word for word, letters in _V1.items()}
_SCOPE = re.compile(
    r"(?P<context>patient|user|system|casework)/(?P<type>\*|[A-Za-z][A-Za-z-]{0,63})"
    r"\.(?:(?P<v1>read|write|\*)|(?P<v2>c?r?u?d?s?))(?:\?(?P<query>[^?#]+))?"
)
_TOKEN = re.compile(r"[\x21\x23-\x5B\x5D-\x7E]+")
_PAIR = re.compile(r"_?[A-Za-z][A-Za-z0-9-]*=[^&=]+")


@dataclass(frozen=True, slots=True)
class Scope:
    """One scope. `query` holds `param=value` pairs, all of which must hold; empty is no constraint.

    `v1` remembers how it was asked, so that it is answered the same way.
    """

    context: Context
    type: str
    letters: str
    query: tuple[str, ...] = ()
    v1: bool = False

    @property
    def text(self) -> str:
        """As it stands in a token response. v1 has no word for some sets of letters: those come out as v2."""
        letters = _V1_TEXT.get(self.letters, self.letters) if self.v1 and not self.query else self.letters
        return f"{self.context}/{self.type}.{letters}" + ("?" + "&".join(self.query) if self.query else "")

    def covers(self, other: "Scope") -> bool:
        """True when everything `other` allows is allowed by this one."""
        return (
            self.context == other.context
            and self.type in ("*", other.type)
            and set(other.letters) <= set(self.letters)
            and set(self.query) <= set(other.query)
        )


@lru_cache(maxsize=4096)
def parse(text: str) -> Scope | None:
    """A scope, or None for anything undefined, out of order, or beyond the grammar we can enforce."""
    match = _SCOPE.fullmatch(text)
    if not match or not _TOKEN.fullmatch(text):
        return None
    letters = _V1[match["v1"]] if match["v1"] else match["v2"]
    query = tuple(match["query"].split("&")) if match["query"] else ()
    named_well = match["type"] == "*" or match["type"][0].islower() == (match["context"] == "casework")
    if not letters or not named_well or (match["v1"] and query) or not all(map(_PAIR.fullmatch, query)):
        return None
    context: Context = match["context"]  # type: ignore[assignment]
    return Scope(context, match["type"], letters, tuple(dict.fromkeys(query)), bool(match["v1"]))


def parse_all(texts: Iterable[str]) -> tuple[Scope, ...]:
    """Those that parse, in order."""
    return tuple(scope for text in texts if (scope := parse(text)))


def _meet(asked: Scope, held: Scope) -> Scope | None:
    """What both allow, or None."""
    letters = "".join(letter for letter in asked.letters if letter in held.letters)
    if asked.context != held.context or not letters:
        return None
    if "*" not in (asked.type, held.type) and asked.type != held.type:
        return None
    type_ = held.type if asked.type == "*" else asked.type
    query = tuple(dict.fromkeys((*asked.query, *held.query)))
    return replace(asked, type=type_, letters=letters, query=query)


def grant(asked: Iterable[Scope], held: Iterable[Scope]) -> tuple[Scope, ...]:
    """The intersection of what is asked and what is pre-authorised, in its shortest form.

    Never wider than either side: whatever the result allows, some asked and some held scope allow.
    """
    held = tuple(held)
    return _shortest(both for one in asked for other in held if (both := _meet(one, other)))


def _shortest(scopes: Iterable[Scope]) -> tuple[Scope, ...]:
    merged: dict[tuple[str, str, frozenset[str]], Scope] = {}
    for scope in scopes:
        key = (scope.context, scope.type, frozenset(scope.query))
        before = merged.get(key, scope)
        letters = "".join(letter for letter in LETTERS if letter in scope.letters + before.letters)
        merged[key] = replace(scope, letters=letters, v1=scope.v1 and before.v1)
    found = tuple(merged.values())
    return tuple(one for one in found if not any(other != one and other.covers(one) for other in found))
