"""The expressions a Questionnaire carries: constraints, variables, and SDC's enableWhenExpression.

http://hl7.org/fhir/StructureDefinition/questionnaire-constraint, …/variable, …/targetConstraint and
http://hl7.org/fhir/uv/sdc. An expression that cannot be evaluated is a finding, never a silent pass.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from service.fhir.fhirpath import Scope, compile
from service.fhir.json import JsonObject
from service.fhir.outcome import IssueCode, Severity
from service.fhir.validate.answers import MemberOf
from service.fhir.validate.items import HL7, SDC, extension, extensions, objects

_CONSTRAINTS = (f"{HL7}questionnaire-constraint", f"{HL7}targetConstraint")


@dataclass(frozen=True, slots=True)
class Broken:
    """A constraint that does not hold, or could not be evaluated."""

    key: str
    finding: str
    code: IssueCode
    severity: Severity


@dataclass(frozen=True, slots=True)
class Expressions:
    """Evaluates what a questionnaire asks of one response."""

    response: JsonObject
    questionnaire: JsonObject
    member_of: MemberOf
    _known: dict[int, dict[str, Any]] = field(default_factory=dict)
    """Variables by the element that owns the expression: a form of forty rules declares them once."""

    def enables(self, facts: JsonObject, focus: JsonObject) -> bool | None:
        """What `enableWhenExpression` says of an item; None when it has none, or none that can be read."""
        rule = extension(facts, f"{SDC}sdc-questionnaire-enableWhenExpression")
        text = rule.get("expression") if isinstance(rule, dict) else None
        return self.truth(text, focus, self.variables(facts)) if isinstance(text, str) else None

    def broken(self, owner: JsonObject, focus: JsonObject) -> Iterator[Broken]:
        """The constraints on the questionnaire, or on one item, that do not hold for `focus`."""
        for each in objects(owner.get("extension")):
            if each.get("url") in _CONSTRAINTS:
                parts = {str(e.get("url")): _value(e) for e in objects(each.get("extension"))}
                found = self._one(parts, owner, focus)
                if found:
                    yield found

    def _one(self, parts: dict[str, Any], owner: JsonObject, focus: JsonObject) -> Broken | None:
        text = parts.get("expression")
        if isinstance(text, dict):
            text = text.get("expression")
        key = str(parts.get("key") or "qr-constraint")
        if not isinstance(text, str):
            return None
        holds = self.truth(text, focus, self.variables(owner))
        if holds is None:
            return Broken(key, f"the rule {key} could not be evaluated", "exception", "error")
        if holds:
            return None
        severity: Severity = "warning" if parts.get("severity") == "warning" else "error"
        return Broken(
            key, f"the rule {key} does not hold: {parts.get('human') or text}", "invariant", severity
        )

    def truth(self, text: str, focus: JsonObject, known: dict[str, Any]) -> bool | None:
        """What an expression says here; None when it cannot be evaluated."""
        scope = Scope(resource=self.response, member_of=self.member_of, variables=known)
        of = "QuestionnaireResponse" if focus is self.response else "QuestionnaireResponse.item"
        try:
            found = compile(text).evaluate(focus, scope, of)
        except Exception:
            return None
        return bool(found) and all(each is not False for each in found)

    def variables(self, owner: JsonObject) -> dict[str, Any]:
        """`%questionnaire`, `%qitem`, and the variables declared on the questionnaire and on the item."""
        if id(owner) not in self._known:
            self._known[id(owner)] = self._declared(owner)
        return self._known[id(owner)]

    def _declared(self, owner: JsonObject) -> dict[str, Any]:
        known: dict[str, Any] = {"questionnaire": self.questionnaire, "qitem": owner}
        for declaring in (self.questionnaire, owner) if owner is not self.questionnaire else (owner,):
            for each in extensions(declaring, f"{HL7}variable"):
                if isinstance(each, dict) and isinstance(each.get("name"), str):
                    known[each["name"]] = self._variable(str(each.get("expression")), known)
        return known

    def _variable(self, text: str, known: dict[str, Any]) -> Any:
        scope = Scope(resource=self.response, variables=known)
        try:
            return compile(text).evaluate(self.response, scope, "QuestionnaireResponse")
        except Exception:
            return []


def _value(part: JsonObject) -> Any:
    return next((value for key, value in part.items() if key.startswith("value")), None)
