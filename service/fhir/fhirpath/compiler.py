"""A tree to closures, once. Each shape of the syntax has its case here; the functions live in `functions`."""

from service.fhir.fhirpath import steps, types
from service.fhir.fhirpath.access import indexed, is_type, of_type, rooted, special
from service.fhir.fhirpath.code import Code, constant, listing
from service.fhir.fhirpath.distinct import distinct
from service.fhir.fhirpath.errors import BadExpression, EvaluationError
from service.fhir.fhirpath.externals import external
from service.fhir.fhirpath.functions import TABLE
from service.fhir.fhirpath.operators import BINARY
from service.fhir.fhirpath.operators.arithmetic import negative
from service.fhir.fhirpath.scope import Run, Scope
from service.fhir.fhirpath.syntax import (
    Binary,
    Call,
    Expression,
    External,
    Index,
    Literal,
    Member,
    Sign,
    Special,
    Typing,
)

MAX_NESTING = 150
"""Closures within closures; with two or three Python frames each this stays far from the recursion limit."""


class Compiler:
    """Compiles a tree; `typed` decides which of the two ways to walk is used throughout."""

    def __init__(self, typed: bool) -> None:
        self.step = steps.typed_step if typed else steps.bare_step
        self.children: steps.Step = steps.typed_children if typed else steps.bare_children
        self.depth = 0

    def compile(self, tree: Expression) -> Code:
        """The code of a tree; BadExpression for unknown functions and types and the like."""
        self.depth += 1
        if self.depth > MAX_NESTING:
            raise BadExpression(f"nested deeper than {MAX_NESTING} levels", tree.at)
        code = self._compile(tree)
        self.depth -= 1
        return code

    def _compile(self, tree: Expression) -> Code:
        match tree:
            case Literal(value):
                return constant([] if value is None else [value])
            case Special(name):
                return special(name)
            case External(name):
                return external(name)
            case Member():
                return self._member(tree)
            case Call():
                return self._call(tree)
            case Index(source, position):
                return indexed(self.compile(source), self.compile(position))
            case Sign(operand):
                return _folded(self.compile(operand))
            case Binary():
                return self._binary(tree)
            case Typing(operator, operand, name):
                return self._typing(self.compile(operand), operator, name, tree.at)

    def _member(self, tree: Member) -> Code:
        if tree.source is None:
            return listing(rooted(tree.name) if tree.name[:1].isupper() else self.step(tree.name))
        step, source = self.step(tree.name), self.compile(tree.source).values
        return listing(lambda run, this: step(run, source(run, this)))

    def _call(self, tree: Call) -> Code:
        function = TABLE.get(tree.name)
        if function is None:
            raise BadExpression(f"the function {tree.name[:40]} is not known", tree.at)
        if not function.least <= len(tree.arguments) <= function.most:
            raise BadExpression(f"{tree.name} does not take {len(tree.arguments)} arguments", tree.at)
        source = special("this") if tree.source is None else self.compile(tree.source)
        return function.build(self, source, tree)

    def _binary(self, tree: Binary) -> Code:
        left, right = self.compile(tree.left), self.compile(tree.right)
        if tree.operator == "|" and left.constant is not None and right.constant is not None:
            return constant(distinct(left.constant + right.constant, Run(Scope(), []).charge))
        return BINARY[tree.operator](left, right)

    def _typing(self, operand: Code, operator: str, name: str, at: int) -> Code:
        if not types.known(name):
            raise BadExpression(f"the type {name[:40]} is not known", at)
        return is_type(operand, name) if operator == "is" else of_type(operand, name)


def _folded(operand: Code) -> Code:
    """A sign before a literal becomes part of the literal."""
    code = negative(operand)
    if operand.constant is None:
        return code
    try:
        return constant(code.values(Run(Scope(), []), []))
    except EvaluationError:
        return code
