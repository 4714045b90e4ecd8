"""What a search asks, understood: conditions that must all hold, an order, and what to show."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Literal

from service.fhir.outcome import Issue

Prefix = Literal["eq", "ne", "gt", "lt", "ge", "le", "sa", "eb", "ap"]


@dataclass(frozen=True, slots=True)
class Keys:
    """At least one of the keys (none of them when `negated`). `selective`: few rows have any one of them."""

    any_of: tuple[str, ...]
    negated: bool = False
    selective: bool = False


@dataclass(frozen=True, slots=True)
class Moment:
    """A date asked for: prefix and [low, high); for `ap` already widened."""

    prefix: Prefix
    low: datetime
    high: datetime


@dataclass(frozen=True, slots=True)
class Dates:
    """A value of the date parameter is in one of the relations; `code` is the stored parameter name."""

    code: str
    any_of: tuple[Moment, ...]


@dataclass(frozen=True, slots=True)
class Updated:
    """`_lastUpdated` is in one of the relations."""

    any_of: tuple[Moment, ...]


@dataclass(frozen=True, slots=True)
class Strings:
    """A value of the string parameter begins with (`starts`), contains, or is exactly one of the texts.

    Texts are folded, except for `exact` and `below` (uris: the text itself or something under it).
    """

    code: str
    any_of: tuple[str, ...]
    match: Literal["starts", "contains", "exact", "below"] = "starts"


@dataclass(frozen=True, slots=True)
class Amount:
    """A number asked for: the value, the interval [low, high) of its precision, a unit or None for any."""

    prefix: Prefix
    value: Decimal
    low: Decimal
    high: Decimal
    unit: str | None = None


@dataclass(frozen=True, slots=True)
class Numbers:
    """A value of the number or quantity parameter is in one of the relations."""

    code: str
    any_of: tuple[Amount, ...]


@dataclass(frozen=True, slots=True)
class Ids:
    """The id is one of these."""

    any_of: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Near:
    """The Location is at most so many kilometres away."""

    latitude: float
    longitude: float
    km: float


@dataclass(frozen=True, slots=True)
class InList:
    """The resource is an item of this List."""

    list_id: str


@dataclass(frozen=True, slots=True)
class Chain:
    """A reference of ours (`Task.subject`) leads to a `target` that meets all of `where`. `broad`: there are many such
    targets, as the database knows and nobody else."""

    reference: str
    target: str
    where: tuple["Condition", ...]
    broad: bool = False


@dataclass(frozen=True, slots=True)
class Has:
    """A `source` that meets all of `where` refers to us by `reference` (`Observation.patient`)."""

    source: str
    reference: str
    where: tuple["Condition", ...]


@dataclass(frozen=True, slots=True)
class OneOf:
    """At least one alternative holds; an alternative is a conjunction. No alternative: nothing matches."""

    alternatives: tuple[tuple["Condition", ...], ...]


Condition = Keys | Dates | Updated | Strings | Numbers | Ids | Near | InList | Chain | Has | OneOf

NOTHING = OneOf(())
"""Matches no resource."""


@dataclass(frozen=True, slots=True)
class Sort:
    """One key of the order. `code` is a stored parameter name, empty for `id` and `updated`.

    `text` is a token or reference. `single`: a resource has at most one value of the parameter.
    """

    by: Literal["id", "updated", "date", "string", "number", "text"]
    code: str = ""
    descending: bool = False
    single: bool = False


@dataclass(frozen=True, slots=True)
class Include:
    """`_include` or `_revinclude`: `source:code[:target]`; code `*` is every reference parameter."""

    source: str
    code: str
    target: str = ""
    reverse: bool = False
    iterate: bool = False


Total = Literal["none", "estimate", "accurate"]
Summary = Literal["false", "true", "text", "data", "count"]


@dataclass(frozen=True, slots=True)
class Query:
    """A whole search. `types` has several members only for a search of the system.

    `accepted` are the pairs that took part, for the self link; `warnings` say what was left out and why.
    """

    types: tuple[str, ...]
    where: tuple[Condition, ...]
    sort: tuple[Sort, ...] = ()
    count: int = 50
    total: Total = "none"
    summary: Summary = "false"
    elements: tuple[str, ...] = ()
    includes: tuple[Include, ...] = ()
    cursor: str = ""
    accepted: tuple[tuple[str, str], ...] = ()
    warnings: tuple[Issue, ...] = ()
