"""One validation of one resource: what it stands in, and the list its findings go to."""

from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from difflib import get_close_matches
from functools import cached_property
from typing import Any

from service.fhir.fhirpath import Scope
from service.fhir.json import Json, JsonObject, printable
from service.fhir.outcome import Issue, IssueCode, Severity
from service.fhir.validate.definitions import Definitions
from service.fhir.validate.facts import Invariant
from service.fhir.validate.instance import Item
from service.fhir.validate.invariants import holds, surroundings
from service.fhir.validate.place import Place, expression

MOST = 1000
"""Findings kept of one resource: enough for a person, and a bound on what a hostile input can cost."""
FEW, MANY = 20, 400
"""Suggestions are looked for while findings are few, among not too many names."""


@dataclass(frozen=True)
class Neighbours:
    """The entries of a Bundle, found by fullUrl and by Type/id."""

    entries: list[Any]

    @cached_property
    def index(self) -> dict[str, JsonObject]:
        """fullUrl, and the relative Type/id, to the resource; the first of two wins."""
        found: dict[str, JsonObject] = {}
        for entry in self.entries:
            resource = entry.get("resource") if isinstance(entry, dict) else None
            if not isinstance(resource, dict):
                continue
            name = f"{resource.get('resourceType')}/{resource.get('id')}"
            for key in (entry.get("fullUrl"), name):
                if isinstance(key, str):
                    found.setdefault(key, resource)
        return found


@dataclass(slots=True)
class Whole:
    """What all runs of one call share: the definitions, and answers that need not be found twice."""

    definitions: Definitions
    judge: "Judge"
    verdicts: dict[tuple[int, str], bool] = field(default_factory=dict)
    contained: dict[int, dict[str, JsonObject]] = field(default_factory=dict)

    def contained_in(self, container: JsonObject) -> dict[str, JsonObject]:
        """The contained resources of a container by id; the first of two wins."""
        found = self.contained.get(id(container))
        if found is None:
            found = self.contained[id(container)] = {}
            inside = container.get("contained")
            for each in inside if isinstance(inside, list) else ():
                if isinstance(each, dict) and isinstance(each.get("id"), str):
                    found.setdefault(each["id"], each)
        return found


@dataclass(slots=True)
class Run:
    """The resource being checked (`%resource`), its container (`%rootResource`), and the findings."""

    whole: Whole
    resource: JsonObject
    root: JsonObject
    place: Place
    neighbours: Neighbours | None = None
    issues: list[Issue] = field(default_factory=list)
    said: set[tuple[str, str, str]] = field(default_factory=set)
    ids: set[str] = field(default_factory=set)
    active: frozenset[tuple[int, str]] = frozenset()
    scope: Scope | None = None

    @property
    def definitions(self) -> Definitions:
        """What is known: R4, our profiles, the guides."""
        return self.whole.definitions

    def inside(self, resource: JsonObject, root: JsonObject, place: Place) -> "Run":
        """The run for a resource inside this one; findings go to the same list."""
        return Run(
            self.whole, resource, root, place, self.neighbours, self.issues, self.said, active=self.active
        )

    def trial(self, value: JsonObject) -> "Run":
        """A run whose findings are only counted: does this value, or the resource it is, conform?"""
        resource, root = self.resource, self.root
        if "resourceType" in value:
            resource = value
            if self.whole.contained_in(root).get(str(value.get("id"))) is not value:
                root = value
        return Run(self.whole, resource, root, self.place, self.neighbours, active=self.active)

    def conforms(self, item: Item, canonical: str) -> bool:
        """Would this value pass the profile?"""
        key = (id(item.value), canonical)
        if key not in self.whole.verdicts:
            self.whole.verdicts[key] = self.whole.judge(self, item, canonical)
        return self.whole.verdicts[key]

    @property
    def fails(self) -> bool:
        """True when something found so far is an error."""
        return any(issue.fails for issue in self.issues)

    def report(
        self,
        place: Place,
        code: IssueCode,
        rule: str,
        source: str,
        finding: str,
        *,
        severity: Severity = "error",
    ) -> None:
        """Add a finding: the sentence becomes `place: finding (source)`.

        MOST findings are kept, and as many errors again, so that warnings never push an error out.
        """
        if len(self.issues) >= (2 * MOST if severity == "error" else MOST):
            return
        where = expression(place)
        if (where, rule, severity) in self.said:
            return  # the base has said it; a profile that says it again helps nobody
        self.said.add((where, rule, severity))
        self.issues.append(Issue(severity, code, f"{where}: {finding} ({source})", where, rule, source))

    def located(self, place: Place) -> Json:
        """The value at a place inside this run's resource; None when it is not there."""
        if place == self.place:
            return self.resource
        parent, segment, index = place
        owner = self.located(parent) if parent else None
        if not isinstance(owner, dict):
            return None
        name, _, typed = segment.partition(".ofType(")
        value = owner.get(name + typed[:1].upper() + typed[1:-1] if typed else name)
        if index < 0:
            return value
        return value[index] if isinstance(value, list) and index < len(value) else None

    def holds_for(self, rule: str, value: Json, type_: str, variables: JsonObject) -> bool | None:
        """Does an expression hold of a value? None when it cannot be evaluated."""
        scope = Scope(resource=self.resource, root_resource=self.root, variables=variables)
        try:
            return holds(rule, value, scope, type_)
        except Exception:
            return None

    def invariants(self, rules: tuple[Invariant, ...], value: Json, type_: str, place: Place) -> None:
        """Evaluate constraints on a value; what does not hold, or cannot be evaluated, is a finding."""
        scope = self.scope
        if scope is None:
            scope = self.scope = surroundings(
                self.root, self.resource, self.resolve, self.definitions.member_of, self._conforms_to
            )
        for rule in rules:
            try:
                good = holds(rule.expression, value, scope, type_)
            except Exception as problem:  # the engine's failure must never pass silently
                reason = f"the rule {rule.key} could not be evaluated: {type(problem).__name__}"
                self.report(place, "exception", rule.key, rule.source, reason)
                continue
            if not good:
                meaning = f"the rule {rule.key} does not hold: {rule.human or rule.expression}"
                severity: Severity = "error" if rule.severity == "error" else "warning"
                self.report(place, "invariant", rule.key, rule.source, meaning, severity=severity)

    def _conforms_to(self, resource: JsonObject, canonical: str) -> bool:
        if not self.definitions.knows(canonical):
            raise LookupError(canonical)
        type_ = str(resource.get("resourceType"))
        return self.definitions.type_of(canonical) == type_ and self.conforms(
            Item(resource, None, type_, self.place), canonical
        )

    def resolve(self, reference: str) -> JsonObject | None:
        """The resource a reference names, if it is contained or in the same Bundle."""
        if reference.startswith("#"):
            return self.whole.contained_in(self.root).get(reference[1:]) if reference != "#" else self.root
        if self.neighbours is None:
            return None
        bare = reference.partition("/_history/")[0]
        return self.neighbours.index.get(bare)

    def suggest(self, name: object, known: Collection[str]) -> str:
        """ "; did you mean …?" where something close is known and findings are still few."""
        if len(self.issues) > FEW or len(known) > MANY:
            return ""
        close = get_close_matches(str(name)[:200], known, n=1, cutoff=0.7)
        return f"; did you mean {shown_url(close[0])}?" if close else ""


Judge = Callable[[Run, Item, str], bool]
"""How a run asks whether a value conforms to a profile: `apply.conforms`."""


def shown(text: object) -> str:
    """A code or name fit for a message: quoted, cut, control characters escaped."""
    return printable(text) if isinstance(text, str) else "a value that is not a text"


def shown_url(url: str) -> str:
    """A canonical in full, as long as it is one."""
    return url if ":" in url and len(url) <= 200 and url.isascii() and url.isprintable() else printable(url)
