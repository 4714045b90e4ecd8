"""Parts of collections and collections of parts (N1 sections 5.3, 5.4 and 5.8)."""

from service.fhir.fhirpath.code import Code, listing, single
from service.fhir.fhirpath.distinct import distinct, key
from service.fhir.fhirpath.errors import EvaluationError
from service.fhir.fhirpath.functions.function import Compiles, Function, over_items
from service.fhir.fhirpath.node import Items
from service.fhir.fhirpath.scope import Run
from service.fhir.fhirpath.steps import descendants
from service.fhir.fhirpath.syntax import Call


def _single(_run: Run, items: Items) -> Items:
    if len(items) > 1:
        raise EvaluationError("several items where one is expected")
    return items


def _many(count: Items) -> int:
    number = single(count)
    if type(number) is not int:
        raise EvaluationError("an integer is expected")
    return max(number, 0)


def _intersect(run: Run, items: Items, other: Items) -> Items:
    run.charge(len(items) + len(other))
    kept = {key(item, run.charge) for item in other}
    return distinct([item for item in items if key(item, run.charge) in kept], run.charge)


def _exclude(run: Run, items: Items, other: Items) -> Items:
    run.charge(len(items) + len(other))
    dropped = {key(item, run.charge) for item in other}
    return [item for item in items if key(item, run.charge) not in dropped]


def _combine(run: Run, items: Items, other: Items) -> Items:
    run.charge(len(items) + len(other))
    return items + other


def _union(run: Run, items: Items, other: Items) -> Items:
    return distinct(_combine(run, items, other), run.charge)


def _children(compiler: Compiles, source: Code, _call: Call) -> Code:
    step, values = compiler.children, source.values
    return listing(lambda run, this: step(run, values(run, this)))


def _descendants(compiler: Compiles, source: Code, _call: Call) -> Code:
    step, values = descendants(compiler.children), source.values
    return listing(lambda run, this: step(run, values(run, this)))


FUNCTIONS = {
    "first": over_items(lambda _run, items: items[:1]),
    "last": over_items(lambda _run, items: items[-1:]),
    "tail": over_items(lambda _run, items: items[1:]),
    "single": over_items(_single),
    "skip": over_items(lambda _run, items, count: items[_many(count) :], 1),
    "take": over_items(lambda _run, items, count: items[: _many(count)], 1),
    "intersect": over_items(_intersect, 1),
    "exclude": over_items(_exclude, 1),
    "combine": over_items(_combine, 1),
    "union": over_items(_union, 1),
    "children": Function(_children),
    "descendants": Function(_descendants),
}
