"""What reading a search needs to know besides the search, and the ways it can be wrong."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Protocol

from service.fhir.outcome import IssueCode
from service.fhir.search.parameters import Parameter, parameters

MAX_DEPTH = 3
MAX_BREADTH = 64
MAX_ALTERNATIVES = 1000


class Set(Protocol):
    """A value set as far as its codes are known; `open` are the systems of which some codes are not."""

    @property
    def systems(self) -> Mapping[str, frozenset[str]]:
        """System → codes."""

    @property
    def open(self) -> frozenset[str]:
        """Systems of which nobody here can tell which codes belong."""


class Terms(Protocol):
    """What a search needs of terminologies: None for what is not known here."""

    def value_set(self, canonical: str) -> Set | None:
        """The codes of a value set, by its canonical or as `ValueSet/[id]`."""

    def below(self, system: str, code: str) -> frozenset[str] | None:
        """A code and those it subsumes."""

    def above(self, system: str, code: str) -> frozenset[str] | None:
        """A code and those that subsume it."""


class Wrong(Exception):
    """A parameter that cannot be answered. The text names the parameter, never its value."""

    def __init__(self, text: str, code: IssueCode = "invalid") -> None:
        super().__init__(text)
        self.text = text
        self.code: IssueCode = code


class Unknown(Wrong):
    """No such parameter here: left out with a warning when the caller asked for lenient handling."""

    def __init__(self, text: str) -> None:
        super().__init__(text, "not-supported")


@dataclass(frozen=True, slots=True)
class Asking:
    """The types searched, the time (for `ap`), our base URL, the types that chains may enter, and how deep
    we are in chains already. `terms` are asked for when needed: they take a second to load."""

    types: tuple[str, ...]
    now: datetime
    base: str
    reachable: Callable[[str], bool]
    served: tuple[str, ...]
    depth: int = 0
    breadth: int = 1
    terms: Callable[[], Terms] | None = None

    def inside(self, type_: str, ways: int = 1) -> "Asking":
        """The same question one link further on, one of so many ways. Raises Wrong for too many."""
        if self.depth >= MAX_DEPTH:
            raise Wrong(f"chains and _has go {MAX_DEPTH} links deep at most", "too-costly")
        breadth = self.breadth * ways
        if breadth > MAX_BREADTH:
            raise Wrong(
                "the chain may lead over too many types: name them, as in subject:Patient", "too-costly"
            )
        return replace(self, types=(type_,), depth=self.depth + 1, breadth=breadth)

    def parameter(self, code: str) -> Parameter:
        """The parameter as each of the types has it (they agree where there are several). Raises Unknown."""
        for type_ in self.types:
            if code not in parameters(type_):
                raise Unknown(f"{type_} has no search parameter {shown(code)}")
        return parameters(self.types[0])[code]


def shown(code: str) -> str:
    """A parameter name fit for a message."""
    return code[:60] if code.replace("-", "").replace("_", "").replace(":", "").isalnum() else "of that name"
