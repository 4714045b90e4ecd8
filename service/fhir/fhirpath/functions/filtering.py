"""Functions that look at each item: where, select, repeat, ofType, aggregate, iif, trace (N1 5.2, 5.9, 7)."""

from collections.abc import Callable

from service.fhir.fhirpath import types
from service.fhir.fhirpath.access import is_type, of_type
from service.fhir.fhirpath.code import Code, listing
from service.fhir.fhirpath.distinct import key
from service.fhir.fhirpath.errors import BadExpression, EvaluationError
from service.fhir.fhirpath.functions.function import Compiles, Function
from service.fhir.fhirpath.node import Items, members
from service.fhir.fhirpath.scope import Run
from service.fhir.fhirpath.syntax import Call, Expression, Member


def _where(compiler: Compiles, source: Code, call: Call) -> Code:
    values = source.values
    criterion = compiler.compile(call.arguments[0]).truth

    def where(run: Run, this: Items) -> Items:
        items = values(run, this)
        if not items:
            return items
        run.charge(len(items))
        outer = run.index
        found: Items = []
        for run.index, item in enumerate(items):
            if criterion(run, [item]) is True:
                found.append(item)
        run.index = outer
        return found

    return listing(where)


def _select(compiler: Compiles, source: Code, call: Call) -> Code:
    values = source.values
    projection = compiler.compile(call.arguments[0]).values

    def select(run: Run, this: Items) -> Items:
        items, outer = values(run, this), run.index
        found: Items = []
        for run.index, item in enumerate(items):
            found.extend(projection(run, [item]))
            run.charge(1 + len(found) // 64)
        run.index = outer
        return found

    return listing(select)


def _repeat(compiler: Compiles, source: Code, call: Call) -> Code:
    values = source.values
    projection = compiler.compile(call.arguments[0]).values

    def repeat(run: Run, this: Items) -> Items:
        found: Items = []
        seen: set[object] = set()
        level = values(run, this)
        while level:
            fresh: Items = []
            for run.index, item in enumerate(level):
                for result in projection(run, [item]):
                    run.charge(1)
                    identity = _identity(run, result)
                    if identity not in seen:
                        seen.add(identity)
                        fresh.append(result)
            found.extend(fresh)
            level = fresh
        return found

    return listing(repeat)


def _identity(run: Run, item: object) -> object:
    # Elements of a tree are never met twice, so their place is their identity; computed values have none.
    holder = members(item)
    return key(item, run.charge) if holder is None else ("element", id(holder))


def _aggregate(compiler: Compiles, source: Code, call: Call) -> Code:
    values = source.values
    step = compiler.compile(call.arguments[0]).values
    start = compiler.compile(call.arguments[1]).values if len(call.arguments) > 1 else None

    def aggregate(run: Run, this: Items) -> Items:
        outer = run.index, run.total
        items = values(run, this)
        total = start(run, this) if start else []
        for run.index, item in enumerate(items):
            run.total = total
            total = step(run, [item])
            run.charge(1 + len(total))
        run.index, run.total = outer
        return total

    return listing(aggregate)


def _iif(compiler: Compiles, source: Code, call: Call) -> Code:
    codes = [compiler.compile(argument) for argument in call.arguments]
    values, criterion, then = source.values, codes[0].truth, codes[1].values
    otherwise = codes[2].values if len(codes) > 2 else None

    def iif(run: Run, this: Items) -> Items:
        # `member.resolve().iif(empty(), …)` (ctm-1): the arguments are about what stands before the dot.
        items = values(run, this)
        if len(items) > 1 and call.source is not None:
            raise EvaluationError("iif is about one item")
        if criterion(run, items) is True:
            return then(run, items)
        return otherwise(run, items) if otherwise else []

    return listing(iif)


def _trace(compiler: Compiles, source: Code, call: Call) -> Code:
    for argument in call.arguments:
        compiler.compile(argument)
    return source


def type_name(tree: Expression) -> str:
    """The type an argument names: `Patient`, `FHIR.Patient`, `System.String`."""
    if isinstance(tree, Member) and tree.source is None:
        name = tree.name
    elif isinstance(tree, Member) and isinstance(tree.source, Member) and tree.source.source is None:
        name = f"{tree.source.name}.{tree.name}"
    else:
        raise BadExpression("the name of a type is expected", tree.at)
    if not types.known(name):
        raise BadExpression(f"the type {name[:40]} is not known", tree.at)
    return name


def _typing(make: Callable[[Code, str], Code]) -> Function:
    return Function(lambda _compiler, source, call: make(source, type_name(call.arguments[0])), 1, 1)


def _type(_compiler: Compiles, source: Code, _call: Call) -> Code:
    def values(run: Run, this: Items) -> Items:
        return [_described(types.type_of(item)) for item in source.values(run, this)]

    return listing(values)


def _described(name: str) -> dict[str, str]:
    space, _, bare = name.rpartition(".") if name.startswith("System.") else ("FHIR", "", name)
    return {"namespace": space, "name": bare}


FUNCTIONS = {
    "where": Function(_where, 1, 1),
    "select": Function(_select, 1, 1),
    "repeat": Function(_repeat, 1, 1),
    "aggregate": Function(_aggregate, 1, 2),
    "iif": Function(_iif, 2, 3),
    "trace": Function(_trace, 1, 2),
    "ofType": _typing(of_type),
    "as": _typing(of_type),
    "is": _typing(is_type),
    "type": Function(_type),
}
