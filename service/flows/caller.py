"""Who is calling, and what their token lets them ask for. Whether they may *know*, consent says."""

from dataclasses import dataclass
from typing import Literal, assert_never

from service.fhir.outcome import Issue
from service.flows.access.roles import CASEWORK
from service.flows.access.scopes import Scope
from service.kernel.failures import Refused
from service.kernel.ids import ClientId

Interaction = Literal[
    "read", "vread", "history", "history-instance", "search", "search-type", "search-system", "history-type",
    "history-system", "create", "update", "patch", "upsert", "delete",
]  # fmt: skip
"""FHIR restful interactions. `history` is that of an instance."""


Letter = Literal["c", "r", "u", "d", "s"]
"""A letter of a v2 scope."""


def _letter(interaction: Interaction | Letter) -> Letter:
    """The scope letter an interaction needs (SMART 2.2, scopes-for-requesting-fhir-resources)."""
    match interaction:
        case "c" | "r" | "u" | "d" | "s":
            return interaction
        case "read" | "vread" | "history" | "history-instance":
            return "r"
        case "search" | "search-type" | "search-system" | "history-type" | "history-system":
            return "s"
        case "create":
            return "c"
        case "update" | "patch" | "upsert":
            return "u"
        case "delete":
            return "d"
        case _ as never:
            assert_never(never)


@dataclass(frozen=True, slots=True)
class Whole:
    """Every resource of the type, as far as scopes go."""


@dataclass(frozen=True, slots=True)
class Narrowed:
    """Only what matches at least one of `queries`, each a tuple of `param=value` that must all hold."""

    queries: tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True)
class Nothing:
    """The token does not cover it."""


Reach = Whole | Narrowed | Nothing


@dataclass(frozen=True, slots=True)
class Caller:
    """A partner with a living token. `organization` is a reference (`Organization/…`)."""

    client_id: ClientId
    name: str
    organization: str
    roles: frozenset[str]
    scopes: tuple[Scope, ...]

    @property
    def custodian(self) -> bool:
        """True for the case-management system, whose data this is."""
        return CASEWORK in self.roles

    @property
    def viewer(self) -> ClientId | None:
        """Whose eyes the store looks with: None for the custodian, who knows everything."""
        return None if self.custodian else self.client_id

    def require(self, type_: str, interaction: Interaction | Letter) -> None:
        """Nothing when `allows`; Refused("forbidden") naming the missing scope otherwise."""
        if not self.allows(type_, interaction):
            raise lacking(f"system/{type_}.{_letter(interaction)}")

    def expect_some(self, type_: str, interaction: Interaction | Letter) -> None:
        """As `require`, for a door that applies what a `Narrowed` reach leaves: some of the type is enough."""
        if isinstance(self.reach(type_, interaction), Nothing):
            raise lacking(f"system/{type_}.{_letter(interaction)}")

    def some(self, type_: str, interaction: Interaction | Letter) -> bool:
        """Whether the token covers any of the type; for doors that apply the rest themselves."""
        return not isinstance(self.reach(type_, interaction), Nothing)

    def require_casework(self, kind: str, interaction: Interaction | Letter) -> None:
        """As `require`, for a record kind of the casework door."""
        if not self.allows_casework(kind, interaction):
            raise lacking(f"casework/{kind}.{_letter(interaction)}")

    def reach(self, type_: str, interaction: Interaction | Letter) -> Reach:
        """How far this token goes for a resource type; `*` as type asks about the whole system."""
        letter = _letter(interaction)
        queries = [s.query for s in self.scopes if _speaks(s, "system", type_, letter)]
        if not queries:
            return Nothing()
        return Whole() if () in queries else Narrowed(tuple(dict.fromkeys(queries)))

    def allows(self, type_: str, interaction: Interaction | Letter) -> bool:
        """True when the token covers *every* resource of the type.

        A token that is `Narrowed` answers False here: who forgets the constraint refuses too much, not too
        little. A door that applies the constraint (`flows.search.scoped`) asks `some` or `expect_some`.
        """
        return isinstance(self.reach(type_, interaction), Whole)

    def allows_casework(self, kind: str, interaction: Interaction | Letter) -> bool:
        """True for the case-management system: role `casework` and a scope for this record kind.

        The scope is `casework/<kind>.<letters>` (or `casework/*`), or `system/*.cruds` for clients that
        know SMART scopes only.
        """
        letter = _letter(interaction)
        spoken = any(_speaks(s, "casework", kind, letter) and not s.query for s in self.scopes)
        return self.custodian and (spoken or any(scope.covers(_EVERYTHING) for scope in self.scopes))


_EVERYTHING = Scope("system", "*", "cruds")


def lacking(scope: str) -> Refused:
    """The refusal that RFC 6750 calls insufficient_scope."""
    text = f"the access token does not cover {scope}"
    challenge = f'Bearer realm="casebridge", error="insufficient_scope", scope="{scope}"'
    return Refused("forbidden", text, [Issue("error", "forbidden", text)], challenge=challenge)


def _speaks(scope: Scope, context: str, type_: str, letter: str) -> bool:
    return scope.context == context and scope.type in ("*", type_) and letter in scope.letters
