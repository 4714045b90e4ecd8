"""Existence and subsets of collections (N1 sections 5.1 and 5.3)."""

from service.fhir.fhirpath.code import Code, deciding
from service.fhir.fhirpath.distinct import distinct, key
from service.fhir.fhirpath.errors import EvaluationError
from service.fhir.fhirpath.functions.function import Compiles, Function, on_items, over_items
from service.fhir.fhirpath.node import Items, plain
from service.fhir.fhirpath.scope import Run
from service.fhir.fhirpath.syntax import Call


def _empty(_compiler: Compiles, source: Code, _call: Call) -> Code:
    values = source.values
    return deciding(lambda run, this: not values(run, this))


def _exists(compiler: Compiles, source: Code, call: Call) -> Code:
    values = source.values
    if not call.arguments:
        return deciding(lambda run, this: bool(values(run, this)))
    criterion = compiler.compile(call.arguments[0]).truth

    def truth(run: Run, this: Items) -> bool:
        items, outer = values(run, this), run.index
        run.charge(len(items))
        found = False
        for run.index, item in enumerate(items):
            if criterion(run, [item]) is True:
                found = True
                break
        run.index = outer
        return found

    return deciding(truth)


def _all(compiler: Compiles, source: Code, call: Call) -> Code:
    values = source.values
    criterion = compiler.compile(call.arguments[0]).truth

    def truth(run: Run, this: Items) -> bool:
        items, outer = values(run, this), run.index
        run.charge(len(items))
        holds = True
        for run.index, item in enumerate(items):
            if criterion(run, [item]) is not True:
                holds = False
                break
        run.index = outer
        return holds

    return deciding(truth)


def _not(_compiler: Compiles, source: Code, _call: Call) -> Code:
    truth = source.truth

    def negated(run: Run, this: Items) -> bool | None:
        decided = truth(run, this)
        return None if decided is None else not decided

    return deciding(negated)


def _booleans(items: Items) -> list[bool]:
    values = [plain(item) for item in items]
    if any(type(value) is not bool for value in values):
        raise EvaluationError("booleans are expected")
    return values


def _within(run: Run, smaller: Items, larger: Items) -> bool:
    return {key(item, run.charge) for item in smaller} <= {key(item, run.charge) for item in larger}


def _is_distinct(run: Run, items: Items) -> bool:
    run.charge(len(items))
    return len(items) < 2 or len({key(item, run.charge) for item in items}) == len(items)


def _distinct(run: Run, items: Items) -> Items:
    run.charge(len(items))
    return distinct(items, run.charge)


FUNCTIONS = {
    "empty": Function(_empty),
    "exists": Function(_exists, 0, 1),
    "all": Function(_all, 1, 1),
    "not": Function(_not),
    "allTrue": on_items(lambda _run, items: all(_booleans(items))),
    "anyTrue": on_items(lambda _run, items: any(_booleans(items))),
    "allFalse": on_items(lambda _run, items: not any(_booleans(items))),
    "anyFalse": on_items(lambda _run, items: not all(_booleans(items))),
    "subsetOf": on_items(_within, 1),
    "supersetOf": on_items(lambda run, items, other: _within(run, other, items), 1),
    "count": over_items(lambda _run, items: [len(items)]),
    "distinct": over_items(_distinct),
    "isDistinct": on_items(_is_distinct),
}
