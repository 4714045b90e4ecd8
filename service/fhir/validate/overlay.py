"""What a profile adds to R4, compiled: per element only the difference from the base definition."""

from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from service.fhir import r4
from service.fhir.json import JsonObject
from service.fhir.validate.definitions import Definitions
from service.fhir.validate.facts import Invariant, invariants_of
from service.fhir.validate.tree import Branch, BrokenProfile

Shape = list[Any]


@dataclass(slots=True)
class Rule:
    """The difference a profile makes to one element, or to one slice of it. None or empty: no difference."""

    name: str
    label: str
    source: str
    keys: tuple[tuple[str, str], ...] = ()
    many: bool = False
    least: int = 0
    most: int | None = None
    types: frozenset[str] | None = None
    profiles: dict[str, tuple[str, ...]] = field(default_factory=dict)
    targets: tuple[str, ...] | None = None
    local: tuple[str, ...] = ()
    fixed: Shape | None = None
    pattern: Shape | None = None
    low: Shape | None = None
    high: Shape | None = None
    length: int | None = None
    binding: str = ""
    invariants: tuple[Invariant, ...] = ()
    children: tuple["Rule", ...] = ()
    slicing: "Slicing | None" = None
    slice: str = ""
    branch: Branch | None = None
    repeats: str = ""
    changes_values: bool = False
    needs_something: bool = False

    def settle(self) -> "Rule":
        """Note what would otherwise be asked of every value: must it be looked at, may it be absent?"""
        self.changes_values = self._changes_values()
        slices = self.slicing.slices if self.slicing else ()
        self.needs_something = self.least > 0 or any(each.least for each in slices)
        return self

    def _changes_values(self) -> bool:
        return bool(
            self.types is not None or self.profiles or self.targets is not None or self.local or self.fixed
            or self.pattern or self.low or self.high or self.length or self.binding or self.invariants
            or self.children
        )  # fmt: skip

    @property
    def says_nothing(self) -> bool:
        """True when the profile repeats the base here."""
        return not (
            self.changes_values or self.slicing or self.least or self.most is not None or self.repeats
        )


@dataclass(slots=True)
class Slicing:
    """How the values of an element are told apart, and what each kind must look like."""

    by: tuple[tuple[str, str], ...]
    closed: bool
    open_at_end: bool
    ordered: bool
    slices: tuple[Rule, ...]
    tests: dict[str, list[Any]] = field(default_factory=dict)


def compile_overlay(definitions: Definitions, canonical: str) -> Rule | None:
    """The rule for the root of a profile; None when the canonical is unknown."""
    tree = definitions.tree(canonical)
    if tree is None:
        return None
    base = r4.structure(definitions.type_of(canonical))
    return _Compiler(tree.url).root(tree, base)


def compile_strictly(tree: Branch, type_: str) -> None:
    """BrokenProfile when the snapshot of a profile on this type constrains an element R4 does not have."""
    _Compiler(tree.url, strict=True).root(tree, r4.structure(type_))


class _Compiler:
    def __init__(self, url: str, *, strict: bool = False) -> None:
        self.url = url
        self.strict = strict
        self.rules: dict[str, Rule] = {}

    def root(self, tree: Branch, base: r4.Structure) -> Rule:
        known = _expressions(base.facts) | _inherited(base.name)
        rule = Rule(tree.name, tree.label, self.url, branch=tree)
        rule.invariants = invariants_of(tree.row, self.url, known)
        rule.children = self.children(tree, (base,))
        self.recur()
        return rule

    def recur(self) -> None:
        """Elements that repeat another of the same definition (`Consent.provision.provision`) get its rules."""
        for rule in [each for each in self.rules.values() if each.repeats]:
            other = self.rules.get(rule.repeats)
            if other is not None and not rule.children:
                rule.children = other.children
                rule.invariants += tuple(each for each in other.invariants if each not in rule.invariants)
                rule.settle()

    def children(self, branch: Branch, owners: tuple[r4.Structure, ...]) -> tuple[Rule, ...]:
        rules = []
        for child in branch.children.values():
            found = _find(owners, child.name)
            if found is not None:
                element, only = found
                rules.append(self.element(child, element, only))
            elif self.strict:
                raise BrokenProfile(f"{child.label}: {owners[0].name} has no element {child.name}")
        return tuple(rule for rule in rules if not rule.says_nothing)

    def element(self, branch: Branch, base: r4.Element, only: str) -> Rule:
        """`only`: the type when the profile names a choice by its key (`valueQuantity`)."""
        rule = self.rule(branch, base, base.facts)
        rule.name = base.name
        keyed = [(base.key(t), t) for t in base.types]
        rule.keys = tuple(pair for pair in keyed if not only or pair[1] == only)
        rule.many = base.many
        rule.least = branch.row["min"] if branch.row["min"] > base.min else 0
        most = _most(branch.row)
        rule.most = most if most is not None and (base.max is None or most < base.max) else None
        rule.slicing = self.slicing(branch, base, _implied(base))
        rule.repeats = branch.row.get("reference", "") if branch.row.get("within") else ""
        self.rules[branch.label] = rule
        return rule.settle()

    def slice(self, branch: Branch, base: r4.Element, outer: JsonObject, how: JsonObject) -> Rule:
        rule = self.rule(branch, base, outer)
        rule.slice = branch.slice
        rule.many = base.many
        rule.least = branch.row["min"]
        rule.most = _most(branch.row)
        # a re-slice without discriminators of its own is told apart as its slice is
        rule.slicing = self.slicing(branch, base, {**how, "rules": "open", "ordered": False})
        return rule.settle()

    def slicing(self, branch: Branch, base: r4.Element, how: JsonObject) -> Slicing | None:
        if not branch.slices:
            return None
        published = branch.row.get("slicing") or how
        slices = tuple(self.slice(b, base, branch.row, published) for b in branch.slices.values())
        return Slicing(
            by=tuple((kind, path) for kind, path in published["by"]),
            closed=published["rules"] == "closed",
            open_at_end=published["rules"] == "openAtEnd",
            ordered=published["ordered"] or published["rules"] == "openAtEnd",
            slices=slices,
        )

    def rule(self, branch: Branch, base: r4.Element, outer: JsonObject) -> Rule:
        row = branch.row
        rule = Rule(branch.name, branch.label, self.url, branch=branch)
        self.shapes(rule, row, outer)
        self.typing(rule, row, base, outer)
        codes = tuple(t["code"] for t in row.get("types", ())) or base.types
        types = base.types if base.types and "." in base.types[0] else codes
        structures = tuple(s for t in types if (s := r4.find(t)) is not None)
        known = frozenset().union(*(_expressions(s.facts) for s in structures))
        known |= _expressions(base.facts) | _expressions(outer) | _profiled_extension(row)
        rule.invariants = () if known is None else invariants_of(row, self.url, known)
        rule.children = self.children(branch, structures)
        return rule

    def shapes(self, rule: Rule, row: JsonObject, outer: JsonObject) -> None:
        for name in ("fixed", "pattern", "low", "high"):
            if row.get(name) and row[name] != outer.get(name):
                setattr(rule, name, [row[name][0], exact(row[name][1])])
        if row.get("length") != outer.get("length"):
            rule.length = row.get("length")
        if row.get("binding", "") != outer.get("binding", ""):
            rule.binding = row.get("binding", "")

    def typing(self, rule: Rule, row: JsonObject, base: r4.Element, outer: JsonObject) -> None:
        types = row.get("types")
        if not types or (base.types and "." in base.types[0]):
            return
        codes = frozenset(t["code"] for t in types)
        if codes != frozenset(t["code"] for t in outer.get("types", ())) and codes < frozenset(base.types):
            rule.types = codes
        before = {t["code"]: t for t in outer.get("types", ())}
        for published in types:
            old = before.get(published["code"], {})
            if published.get("profile") and published["profile"] != old.get("profile"):
                rule.profiles[published["code"]] = tuple(published["profile"])
            if published["code"] == "Reference":
                self.targets(rule, published, old)

    def targets(self, rule: Rule, published: JsonObject, old: JsonObject) -> None:
        targets = published.get("target")
        if targets and targets != old.get("target"):
            rule.targets = tuple(targets)
        if published.get("aggregation") != old.get("aggregation"):
            rule.local = tuple(published.get("aggregation", ()))


def exact(value: Any) -> Any:
    """Decimals as they were written, where the table's decoder made floats of them."""
    if isinstance(value, float):
        return Decimal(repr(value))
    if isinstance(value, dict):
        return {key: exact(member) for key, member in value.items()}
    return [exact(member) for member in value] if isinstance(value, list) else value


def _implied(base: r4.Element) -> JsonObject:
    by = [["type", "$this"]] if base.choice else [["value", "url"]] if base.types == ("Extension",) else []
    return {"by": by, "rules": "open", "ordered": False}


def _most(row: JsonObject) -> int | None:
    return None if row["max"] == "*" else int(row["max"])


def _expressions(row: JsonObject) -> frozenset[str]:
    return frozenset(c[2] for c in row.get("constraints", ()))


def _inherited(name: str) -> frozenset[str]:
    return frozenset().union(*(_expressions(r4.structure(a).facts) for a in r4.ancestors(name)))


def _profiled_extension(row: JsonObject) -> frozenset[str]:
    # the constraints of an extension's own definition are checked with the extension
    types = row.get("types", ())
    if len(types) == 1 and types[0]["code"] == "Extension" and types[0].get("profile"):
        return _expressions(row)
    return frozenset()


def _find(owners: tuple[r4.Structure, ...], name: str) -> tuple[r4.Element, str] | None:
    for owner in owners:
        element = owner.by_name.get(name)
        if element is not None:
            return element, ""
        slot = owner.by_key.get(name)
        if slot is not None:
            return slot.element, slot.type
    return None
