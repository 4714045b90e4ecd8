"""A profile applied to a value: the thin pass that adds what the profile demands beyond R4."""

from decimal import Decimal

from service.fhir.json import Json, JsonObject
from service.fhir.validate.bindings import check_binding
from service.fhir.validate.instance import Item, at_key
from service.fhir.validate.matching import contains, equals, written
from service.fhir.validate.overlay import Rule, compile_overlay
from service.fhir.validate.place import Place
from service.fhir.validate.run import Run
from service.fhir.validate.slicing import check_slicing
from service.fhir.validate.targets import check_local, check_targets


def overlay(run: Run, canonical: str) -> Rule | None:
    """The compiled profile; None when it is unknown."""
    definitions = run.definitions
    found: Rule | None = definitions.compiled(canonical, lambda url: compile_overlay(definitions, url))
    return found


def apply(run: Run, rule: Rule, value: JsonObject, type_: str, place: Place) -> None:
    """Check an object against the root rule of a profile."""
    if rule.invariants:
        run.invariants(rule.invariants, value, type_, place)
    _children(run, rule, value, place)


def conforms(run: Run, item: Item, canonical: str) -> bool:
    """Would this value pass the profile? An unknown profile decides nothing, so it passes."""
    key = (id(item.value), canonical)
    rule = overlay(run, canonical)
    if rule is None or key in run.active or not isinstance(item.value, dict):
        return rule is None or key in run.active
    trial = run.trial(item.value)
    trial.active = run.active | {key}
    apply(trial, rule, item.value, item.type, item.place)
    return not trial.fails


def _children(run: Run, rule: Rule, value: JsonObject, place: Place) -> None:
    for child in rule.children:
        items = [
            item
            for key, type_ in child.keys
            if key in value or f"_{key}" in value
            for item in at_key(value, key, type_, child.name, place, choice=key != child.name)
        ]
        if items or child.needs_something:
            _counted(run, child, items, place)
            _values(run, child, items, place)


def _counted(run: Run, rule: Rule, items: list[Item], owner: Place) -> None:
    at = (owner, rule.name, -1)
    if len(items) < rule.least:
        wanted = "is required" if rule.least == 1 else f"is required {rule.least} times"
        few = f"found {len(items)}" if items else "found none"
        run.report(
            at, "required", "cardinality-min", rule.source, f"{rule.label} {wanted} by this profile, {few}"
        )
    if rule.most is not None and len(items) > rule.most:
        allowed = f"at most {rule.most} allowed" if rule.most else "not allowed"
        finding = f"{rule.label} is {allowed} by this profile, found {len(items)}"
        run.report(at, "structure", "cardinality-max", rule.source, finding)


def _values(run: Run, rule: Rule, items: list[Item], owner: Place) -> None:
    if rule.changes_values:
        for item in items:
            _value(run, rule, item)
    if rule.slicing is not None:
        check_slicing(run, rule, items, owner, _values)


def _value(run: Run, rule: Rule, item: Item) -> None:
    if rule.types is not None and item.type not in rule.types:
        allowed = " or ".join(sorted(rule.types))
        finding = f"{rule.label} must be {allowed} in this profile, found {item.type}"
        run.report(item.place, "structure", "type", rule.source, finding)
        return
    _shape(run, rule, item)
    if rule.binding and item.value is not None:
        check_binding(run, rule.binding, item.value, item.type, item.place, source=rule.source)
    if isinstance(item.value, dict):
        if rule.targets is not None:
            check_targets(run, rule, item)
        if rule.local:
            check_local(run, rule, item)
    if rule.invariants and item.value is not None:
        run.invariants(rule.invariants, item.value, item.type, item.place)
    if rule.profiles:
        _typed(run, rule, item)
    if rule.children:
        owner = item.value if isinstance(item.value, dict) else item.sibling or {}
        _children(run, rule, owner, item.place)


def _shape(run: Run, rule: Rule, item: Item) -> None:
    if rule.fixed is not None and not equals(item.value, rule.fixed[1]):
        finding = f"{rule.label} must be exactly {written(rule.fixed[1])}"
        run.report(item.place, "value", "fixed", rule.source, finding)
    if rule.pattern is not None and not contains(item.value, rule.pattern[1]):
        finding = f"{rule.label} must have {written(rule.pattern[1])}"
        run.report(item.place, "value", "pattern", rule.source, finding)
    if rule.length and isinstance(item.value, str) and len(item.value) > rule.length:
        finding = f"found {len(item.value)} characters, at most {rule.length} allowed"
        run.report(item.place, "too-long", "maxLength", rule.source, finding)
    if rule.low is not None and _below(item.value, rule.low[1]):
        run.report(item.place, "value", "minValue", rule.source, f"must not be below {written(rule.low[1])}")
    if rule.high is not None and _below(rule.high[1], item.value):
        run.report(item.place, "value", "maxValue", rule.source, f"must not be above {written(rule.high[1])}")


_UNIT = ("system", "code")


def _below(value: Json, limit: Json) -> bool:
    if isinstance(value, dict) and isinstance(limit, dict):
        same = all(part not in limit or part not in value or value[part] == limit[part] for part in _UNIT)
        return same and _below(value.get("value"), limit.get("value"))
    if isinstance(value, bool) or isinstance(limit, bool):
        return False
    if isinstance(value, (int, Decimal)) and isinstance(limit, (int, Decimal)):
        return value < limit
    if isinstance(value, str) and isinstance(limit, str):
        known = min(len(value), len(limit))
        return value[:known] < limit[:known]
    return False


def _typed(run: Run, rule: Rule, item: Item) -> None:
    """`type.profile`: any one of the profiles. Extensions are checked with their own definition instead."""
    urls = rule.profiles.get(item.type) or rule.profiles.get("Resource") or ()
    if not urls or item.type == "Extension" or not isinstance(item.value, dict):
        return
    if len(urls) == 1:
        only = overlay(run, urls[0])
        if only is not None:
            apply(run, only, item.value, item.type, item.place)
            return
    if not any(run.conforms(item, url) for url in urls):
        finding = f"{rule.label} must conform to one of {', '.join(urls)}"
        run.report(item.place, "structure", "profile", rule.source, finding)


def apply_profile(run: Run, canonical: str, value: JsonObject, type_: str, place: Place) -> bool:
    """Check a resource or datatype against a profile by its canonical; False when it is unknown."""
    rule = overlay(run, canonical)
    if rule is None:
        return False
    apply(run, rule, value, type_, place)
    return True
