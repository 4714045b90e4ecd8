"""The functions FHIR R4 adds (https://hl7.org/fhir/R4/fhirpath.html#functions)."""

from typing import Any

from service.fhir.fhirpath.code import Code, deciding, listing, single
from service.fhir.fhirpath.errors import EvaluationError
from service.fhir.fhirpath.functions.function import Compiles, Function, on_items, over_items
from service.fhir.fhirpath.node import Items, Node, members, plain
from service.fhir.fhirpath.scope import Run
from service.fhir.fhirpath.syntax import Call
from service.fhir.json import JsonObject


def _extension(compiler: Compiles, source: Code, call: Call) -> Code:
    step, url = compiler.step("extension"), compiler.compile(call.arguments[0]).values

    def values(run: Run, this: Items) -> Items:
        found, wanted = step(run, source.values(run, this)), single(url(run, this))
        run.charge(len(found))
        return [item for item in found if (members(item) or {}).get("url") == wanted]

    return listing(values)


def _has_value(_run: Run, items: Items) -> bool:
    if len(items) != 1:
        return False
    value = plain(items[0])
    return value is not None and type(value) is not dict


def _get_value(run: Run, items: Items) -> Items:
    return [plain(items[0])] if _has_value(run, items) else []


def _resolve(run: Run, items: Items) -> Items:
    found: Items = []
    for item in items:
        value = plain(item)
        reference = value.get("reference") if type(value) is dict else value
        if type(reference) is str:
            target = _target(run, reference)
            if target is not None:
                found.append(target)
    run.charge(len(items))
    return found


def _target(run: Run, reference: str) -> JsonObject | None:
    if not reference.startswith("#"):
        return run.scope.resolve(reference)
    root = run.scope.root_resource or run.scope.resource
    if root is None or reference == "#":
        return root
    contained = root.get("contained", ())
    run.charge(len(contained))
    return next((c for c in contained if type(c) is dict and c.get("id") == reference[1:]), None)


def _member_of(run: Run, items: Items, value_set: Items) -> bool | None:
    url = single(value_set)
    if len(items) != 1 or type(url) is not str:
        return None
    return run.scope.member_of(_code(items[0]), url)


def _code(item: Any) -> Any:
    value = plain(item)
    return item.element if value is None and type(item) is Node else value


def _conforms_to(run: Run, items: Items, profile: Items) -> bool | None:
    if run.scope.conforms_to is None:
        raise EvaluationError("conformsTo() is not offered here")
    value, url = single(items), single(profile)
    return None if value is None or url is None else run.scope.conforms_to(value, url)


def _html_checks(run: Run, items: Items) -> bool | None:
    if run.scope.html_is_safe is None:
        raise EvaluationError("htmlChecks() is not offered here")
    text = single(items)
    return None if text is None else run.scope.html_is_safe(text)


def _has_extension(compiler: Compiles, source: Code, call: Call) -> Code:
    # Not in the standard's list, but R4's own search parameter `item-subject` uses it.
    values = _extension(compiler, source, call).values
    return deciding(lambda run, this: bool(values(run, this)))


FUNCTIONS = {
    "hasExtension": Function(_has_extension, 1, 1),
    "extension": Function(_extension, 1, 1),
    "hasValue": on_items(_has_value),
    "getValue": over_items(_get_value),
    "resolve": over_items(_resolve),
    "memberOf": on_items(_member_of, 1),
    "conformsTo": on_items(_conforms_to, 1),
    "htmlChecks": on_items(_html_checks),
}
