"""How an expression reaches its material: `$this`, the name of a type, an index, a type test."""

from service.fhir import r4
from service.fhir.fhirpath import types
from service.fhir.fhirpath.code import Code, Values, deciding, listing, single
from service.fhir.fhirpath.errors import EvaluationError
from service.fhir.fhirpath.node import Items
from service.fhir.fhirpath.scope import Run


def special(name: str) -> Code:
    """`$this`, `$index`, `$total`."""
    if name == "this":
        return listing(lambda _run, this: this)
    if name == "index":
        return listing(lambda run, _this: [run.index])
    return listing(lambda run, _this: run.total)


def rooted(name: str) -> Values:
    """A capitalised first name is the type of the focus: `Patient` in `Patient.name`."""

    def values(_run: Run, this: Items) -> Items:
        return [item for item in this if _may_be(item, name)]

    return values


def _may_be(item: object, name: str) -> bool:
    actual = types.type_of(item)
    if actual == "":
        return not r4.is_resource(name)
    return name in types.lineage(actual)


def indexed(source: Code, position: Code) -> Code:
    """`source[position]`."""

    def values(run: Run, this: Items) -> Items:
        items, at = source.values(run, this), single(position.values(run, this))
        if at is None:
            return []
        if type(at) is not int:
            raise EvaluationError("an index is an integer")
        return items[at : at + 1] if at >= 0 else []

    return listing(values)


def is_type(operand: Code, name: str) -> Code:
    """`operand is name`: unknown for nothing, an error for several."""

    def truth(run: Run, this: Items) -> bool | None:
        items = operand.values(run, this)
        if not items:
            return None
        if len(items) > 1:
            raise EvaluationError("several items where one is expected")
        return types.is_a(items[0], name)

    return deciding(truth)


def of_type(operand: Code, name: str) -> Code:
    """`operand as name` and `ofType(name)`: R4's own invariants use `as` on collections, so both filter."""

    def values(run: Run, this: Items) -> Items:
        return [item for item in operand.values(run, this) if types.is_a(item, name)]

    return listing(values)
