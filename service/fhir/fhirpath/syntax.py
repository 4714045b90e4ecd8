"""The shapes an expression is made of. Every shape knows where in the text it began."""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Literal:
    """A constant: text, number, boolean, moment, quantity; `None` is the empty collection `{}`."""

    value: Any
    at: int


@dataclass(frozen=True, slots=True)
class Special:
    """`this`, `index` or `total`."""

    name: str
    at: int


@dataclass(frozen=True, slots=True)
class External:
    """`%name`."""

    name: str
    at: int


@dataclass(frozen=True, slots=True)
class Member:
    """`source.name`; without a source, `name` looked up on `$this` (or the name of its type)."""

    source: "Expression | None"
    name: str
    at: int


@dataclass(frozen=True, slots=True)
class Call:
    """`source.name(arguments)`."""

    source: "Expression | None"
    name: str
    arguments: tuple["Expression", ...]
    at: int


@dataclass(frozen=True, slots=True)
class Index:
    """`source[position]`."""

    source: "Expression"
    position: "Expression"
    at: int


@dataclass(frozen=True, slots=True)
class Sign:
    """`-operand`; a plus says nothing and is dropped when reading."""

    operand: "Expression"
    at: int


@dataclass(frozen=True, slots=True)
class Binary:
    """`left operator right`."""

    operator: str
    left: "Expression"
    right: "Expression"
    at: int


@dataclass(frozen=True, slots=True)
class Typing:
    """`operand is type` and `operand as type`."""

    operator: str
    operand: "Expression"
    type: str
    at: int


Expression = Literal | Special | External | Member | Call | Index | Sign | Binary | Typing
