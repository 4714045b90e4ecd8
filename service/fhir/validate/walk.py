"""The one full pass over a resource: structure, primitives, required bindings, R4's own invariants.

https://hl7.org/fhir/R4/json.html and the definition pages of each type. The world is closed: a key R4 does
not define is an error. Nothing here raises, whatever the shape of the input.
"""

from collections.abc import Callable

from service.fhir import r4
from service.fhir.json import Json, JsonObject
from service.fhir.validate.apply import apply_profile
from service.fhir.validate.bindings import check_binding, check_coding, check_system
from service.fhir.validate.extensions import check_extension
from service.fhir.validate.facts import Child, Need, Node, node, page
from service.fhir.validate.narrative import check_narrative
from service.fhir.validate.place import Place
from service.fhir.validate.primitives import form_of, json_kind
from service.fhir.validate.resources import check_whole
from service.fhir.validate.run import Neighbours, Run, shown
from service.fhir.validate.slim import MOST
from service.fhir.validate.targets import check_reference

JSON_PAGE = "https://hl7.org/fhir/R4/json.html"
_ID_PAGE = "https://hl7.org/fhir/R4/element.html#id"

SPECIAL: dict[str, Callable[[Run, Child, JsonObject, Place], None]] = {
    "Coding": check_coding,
    "Reference": check_reference,
    "Extension": check_extension,
    "Narrative": check_narrative,
    "Identifier": check_system,
    **dict.fromkeys(("Quantity", "Age", "Count", "Distance", "Duration"), check_system),
}
"""What more there is to check on an object of a certain type."""


def walk(run: Run, rules: Node, value: JsonObject, place: Place) -> None:
    """Check one object against the rules of its type, and everything below it."""
    children = rules.children
    chosen: dict[str, str] | None = None
    for key, member in value.items():
        child = children.get(key)
        if child is None:
            _other_key(run, rules, value, key, member=member, place=place)
            continue
        if child.choice:
            chosen = chosen or {}
            _one_choice(run, rules, child, chosen, place)
        if child.many:
            _array(run, child, member, value, place)
        elif child.check is not None:
            _scalar(run, child, member, value, place)
        elif isinstance(member, dict):
            _object(run, child, member, (place, child.segment, -1))
        else:
            _not_an_object(run, child, member, place)
    _needs(run, rules, value, place)
    if not value or (len(value) == 1 and "id" in value and rules.kind != "resource"):
        finding = "an element must have a value or children, not only an id"
        run.report(place, "invariant", "ele-1", rules.source, finding)
    if "id" in value and rules.kind != "resource":
        _element_id(run, rules, value["id"], place)
    if rules.invariants:
        run.invariants(rules.invariants, value, rules.name, place)


def _element_id(run: Run, rules: Node, name: Json, place: Place) -> None:
    if not isinstance(name, str) or rules.name == "ElementDefinition":
        return  # a StructureDefinition names each element twice, in snapshot and differential
    at = (place, "id", -1)
    if any(character.isspace() for character in name):
        run.report(at, "value", "element-id", _ID_PAGE, "the id of an element must not contain white space")
    elif name in run.ids:
        run.report(
            at, "duplicate", "element-id", _ID_PAGE, "another element of this resource has the same id"
        )
    run.ids.add(name)


def walk_resource(run: Run, value: Json, place: Place) -> None:
    """Check a resource that stands alone, is contained, or sits in a Bundle or Parameters."""
    name = value.get("resourceType") if isinstance(value, dict) else None
    if not isinstance(value, dict) or not isinstance(name, str) or not r4.is_resource(name):
        _no_resource(run, value, name, place)
        return
    rules = node(name)
    if name == "Bundle" and isinstance(value.get("entry"), list):
        run.neighbours = Neighbours(value["entry"])
    walk(run, rules, value, place)
    check_whole(run, rules, value, place)


def _no_resource(run: Run, value: Json, name: object, place: Place) -> None:
    if not isinstance(value, dict):
        finding = f"found {json_kind(value)} where a resource is expected"
        run.report(place, "structure", "resource", JSON_PAGE, finding)
    elif name is None:
        run.report(place, "structure", "resourceType", JSON_PAGE, "the resource has no resourceType")
    else:
        finding = f"{shown(name)} is not a resource type of FHIR R4{run.suggest(name, r4.resource_types())}"
        run.report(place, "structure", "resourceType", "https://hl7.org/fhir/R4/resourcelist.html", finding)


def _other_key(run: Run, rules: Node, owner: JsonObject, key: object, *, member: Json, place: Place) -> None:
    sibling = rules.siblings.get(key) if isinstance(key, str) else None
    if sibling is not None:
        _sibling(run, sibling, owner, member, place)
    elif key == "resourceType" and rules.kind == "resource":
        return
    elif not (isinstance(key, str) and key == "fhir_comments"):
        _unknown(run, rules, str(key), place)


def _unknown(run: Run, rules: Node, key: str, place: Place) -> None:
    finding = f"{rules.name} has no element {shown(key)}"
    element = rules.structure.by_name.get(key)
    if element is not None and element.choice:
        keys = [element.key(t) for t in element.types]
        finding += f"; the type belongs into the name: {', '.join(keys[:8])}{' …' if len(keys) > 8 else ''}"
    else:
        finding += run.suggest(key, rules.children) or (
            "" if not key.startswith("_") else "; only primitives take `_`"
        )
    at = (place, key if key.isidentifier() else shown(key), -1)
    run.report(at, "structure", "unknown-element", rules.source, finding)


def _one_choice(run: Run, rules: Node, child: Child, chosen: dict[str, str], place: Place) -> None:
    name = child.element.name
    first = chosen.setdefault(name, child.key)
    if first != child.key:
        finding = f"{name}[x] is given twice, as {first} and as {child.key}; only one type is allowed"
        run.report((place, child.segment, -1), "structure", "choice", rules.source, finding)


def _array(run: Run, child: Child, member: Json, owner: JsonObject, place: Place) -> None:
    if not isinstance(member, list):
        finding = (
            f"found {json_kind(member)}, expected an array: {child.key} may repeat, so JSON writes [ … ]"
        )
        run.report((place, child.segment, -1), "structure", "json-array", JSON_PAGE, finding)
        return
    if not member:
        finding = "an array must not be empty; leave the element out"
        run.report((place, child.segment, -1), "structure", "json-empty", JSON_PAGE, finding)
    elif child.check is not None:
        beside = owner.get(f"_{child.key}")
        for index, each in enumerate(member):
            if each is None:
                _hole(run, child, beside, index, place)
            else:
                _primitive(run, child, each, (place, child.segment, index))
    else:
        for index, each in enumerate(member):
            if isinstance(each, dict):
                _object(run, child, each, (place, child.segment, index))
            else:
                _not_an_object(run, child, each, place, index)


def _hole(run: Run, child: Child, beside: Json, index: int, place: Place) -> None:
    filled = isinstance(beside, list) and index < len(beside) and beside[index] is not None
    if not filled:
        finding = f"null is only allowed where _{child.key} has something at the same index"
        run.report((place, child.segment, index), "structure", "json-null", JSON_PAGE, finding)


def _scalar(run: Run, child: Child, member: Json, owner: JsonObject, place: Place) -> None:
    at = (place, child.segment, -1)
    if isinstance(member, list):
        finding = f"found an array, expected one value: {child.key} does not repeat"
        run.report(at, "structure", "json-scalar", JSON_PAGE, finding)
    elif member is None:
        run.report(at, "structure", "json-null", JSON_PAGE, "null is not allowed; leave the element out")
    else:
        _primitive(run, child, member, at)


def _primitive(run: Run, child: Child, value: Json, at: Place) -> None:
    if isinstance(value, (list, dict)):
        finding = f"found {json_kind(value)}, expected {child.type}"
        run.report(at, "structure", "json-type", JSON_PAGE, finding)
        return
    fault = child.check(value) if child.check else None
    if fault:
        form = form_of(child.type, value)
        found = f"found the form '{form}', " if form else ""
        finding = f"this is not a valid {child.type}: {found}expected {fault}"
        source = f"https://hl7.org/fhir/R4/datatypes.html#{child.type}"
        run.report(at, "value", f"format-{child.type}", source, finding)
    elif not child.plain:
        _more_on_primitive(run, child, value, at)


def _page(child: Child) -> str:
    return page(child.element.path)


def _more_on_primitive(run: Run, child: Child, value: Json, at: Place) -> None:
    if child.binding:
        check_binding(run, child.binding, value, child.type, at, source=_page(child))
    if child.invariants:
        run.invariants(child.invariants, value, child.type, at)


def _object(run: Run, child: Child, value: JsonObject, at: Place) -> None:
    if child.type == "Resource":
        _inner_resource(run, child, value, at)
        return
    walk(run, child.node, value, at)
    special = SPECIAL.get(child.type)
    if special is not None:
        special(run, child, value, at)
    if not child.bare:
        _more_on_object(run, child, value, at)


def _more_on_object(run: Run, child: Child, value: JsonObject, at: Place) -> None:
    if child.binding:
        check_binding(run, child.binding, value, child.type, at, source=_page(child))
    if child.invariants:
        run.invariants(child.invariants, value, child.type, at)
    for url in child.profiles:
        apply_profile(run, url, value, child.type, at)


def _inner_resource(run: Run, child: Child, value: JsonObject, at: Place) -> None:
    contained = child.element.name == "contained"
    inner = run.inside(value, run.root if contained else value, at)
    walk_resource(inner, value, at)


def _not_an_object(run: Run, child: Child, value: Json, place: Place, index: int = -1) -> None:
    at = (place, child.segment, index)
    rule = "json-null" if value is None else "json-scalar" if isinstance(value, list) else "json-type"
    expected = "one object" if isinstance(value, list) else f"an object of type {child.type}"
    run.report(at, "structure", rule, JSON_PAGE, f"found {json_kind(value)}, expected {expected}")


def _sibling(run: Run, child: Child, owner: JsonObject, member: Json, place: Place) -> None:
    if not child.many:
        _one_sibling(run, child, member, child.key in owner, (place, child.segment, -1))
        return
    if not isinstance(member, list) or not member:
        finding = f"_{child.key} must be an array that is not empty, as {child.key} may repeat"
        run.report((place, child.segment, -1), "structure", "json-array", JSON_PAGE, finding)
        return
    values = owner.get(child.key)
    if isinstance(values, list) and len(values) != len(member):
        finding = f"{child.key} has {len(values)} entries and _{child.key} has {len(member)}; they must align"
        run.report((place, child.segment, -1), "structure", "json-sibling", JSON_PAGE, finding)
    for index, each in enumerate(member):
        valued = isinstance(values, list) and index < len(values) and values[index] is not None
        if each is not None:
            _one_sibling(run, child, each, valued, (place, child.segment, index))
        elif not valued:
            finding = f"neither {child.key} nor _{child.key} has anything at this index"
            run.report((place, child.segment, index), "structure", "json-null", JSON_PAGE, finding)


def _one_sibling(run: Run, child: Child, member: Json, valued: bool, at: Place) -> None:
    if not isinstance(member, dict):
        finding = f"_{child.key} holds {json_kind(member)}, expected an object with id or extension"
        run.report(at, "structure", "json-sibling", JSON_PAGE, finding)
        return
    element = node("Element")
    before = len(run.issues)
    for key, part in member.items():
        inner = element.children.get(key)
        if inner is None:
            _unknown(run, element, str(key), at)
        elif inner.many:
            _array(run, inner, part, member, at)
        else:
            _scalar(run, inner, part, member, at)
    if not valued and child.type == "code" and child.binding and not child.binding.endswith(MOST):
        finding = "a code from the required value set is needed here, found only an extension or an id"
        run.report(at, "code-invalid", "binding", _page(child), finding)
    elif "extension" not in member and not (valued and member) and len(run.issues) == before:
        finding = (
            "an element must have a value or an extension, not only an id"
            if member
            else (f"_{child.key} is an empty object; leave it out")
        )
        run.report(at, "invariant", "ele-1", element.source, finding)


def _needs(run: Run, rules: Node, value: JsonObject, place: Place) -> None:
    for need in rules.needs:
        for key in need.keys:
            if key in value:
                break
        else:
            if not any(key in value for key in need.siblings):
                _missing(run, rules, need, place)
    for limit in rules.limits:
        _count(run, rules, limit, value, place)


def _missing(run: Run, rules: Node, need: Need, place: Place) -> None:
    named = need.name if len(need.keys) == 1 else f"{need.name}[x]"
    finding = f"the element {named} of {rules.name} is required, found none"
    run.report((place, need.name, -1), "required", "cardinality-min", rules.source, finding)


def _count(run: Run, rules: Node, limit: Need, value: JsonObject, place: Place) -> None:
    member = value.get(limit.keys[0])
    if isinstance(member, list) and limit.most is not None and len(member) > limit.most:
        finding = f"found {len(member)}, at most {limit.most} allowed"
        run.report((place, limit.name, -1), "structure", "cardinality-max", rules.source, finding)
