"""Text to something that can be run, kept so that each expression is read once."""

from functools import cached_property, lru_cache
from typing import Any

from service.fhir.fhirpath.code import Code
from service.fhir.fhirpath.compiler import Compiler
from service.fhir.fhirpath.errors import BadExpression, EvaluationError
from service.fhir.fhirpath.node import Items, Node, plain
from service.fhir.fhirpath.parser import parse
from service.fhir.fhirpath.scope import Run, Scope
from service.fhir.fhirpath.syntax import Binary, Call, Expression, Index, Member, Sign, Typing
from service.fhir.fhirpath.types import type_of

_ASKS_TYPES = frozenset(("is", "as", "ofType", "type"))
_EMPTY = Scope()


class Program:
    """A compiled expression; stateless, so one serves every thread."""

    def __init__(self, expression: str) -> None:
        self.expression = expression
        self._tree = parse(expression)
        self.asks_types = _asks_types(self._tree)
        code = Compiler(self.asks_types).compile(self._tree)
        self._values, self._truth = code.values, code.truth

    @cached_property
    def _typed(self) -> Code:
        return Compiler(typed=True).compile(self._tree)

    def evaluate(self, focus: Any, scope: Scope = _EMPTY, of: str = "") -> list[Any]:
        """The resulting values: decoded JSON, bool, int, Decimal, Temporal, Quantity.

        `focus` is one element (dict, primitive or Node), `of` its type where JSON does not tell
        (default `scope.type_of_root`). EvaluationError when there is no answer.
        """
        items = self._run(self._values, focus, scope, of, self.asks_types)
        return [value for item in items if (value := plain(item)) is not None]

    def nodes(self, focus: Any, scope: Scope = _EMPTY, of: str = "") -> list[Node]:
        """As `evaluate`, each element with its type, `_x` sibling and place; others as `System.…`."""
        items = self._run(self._typed.values, focus, scope, of, True)
        return [item if type(item) is Node else Node(item, type_of(item)) for item in items]

    def holds(self, focus: Any, scope: Scope = _EMPTY, of: str = "") -> bool:
        """Invariant semantics: the answer is exactly true; nothing at all is not true."""
        try:
            return self._truth(*self._start(focus, scope, of, self.asks_types)) is True
        except RecursionError:
            raise EvaluationError("the expression or the resource is nested too deeply") from None

    def _run(self, values: Any, focus: Any, scope: Scope, of: str, typed: bool) -> Items:
        try:
            items: Items = values(*self._start(focus, scope, of, typed))
        except RecursionError:
            raise EvaluationError("the expression or the resource is nested too deeply") from None
        return items

    def _start(self, focus: Any, scope: Scope, of: str, typed: bool) -> tuple[Run, Items]:
        if typed and type(focus) is not Node:
            focus = Node(focus, of or scope.type_of_root)
        this = [] if focus is None else [focus]
        return Run(scope, this), this


def _asks_types(tree: Expression) -> bool:
    pending: list[Expression | None] = [tree]
    while pending:
        match pending.pop():
            case Typing():
                return True
            case Call(source, name, arguments):
                if name in _ASKS_TYPES:
                    return True
                pending += [source, *arguments]
            case Member(source):
                pending.append(source)
            case Index(source, position):
                pending += [source, position]
            case Sign(operand):
                pending.append(operand)
            case Binary(_, left, right):
                pending += [left, right]
            case _:
                pass
    return False


def compile(expression: str) -> Program:
    """Read and compile an expression; BadExpression with the place where it stops making sense.

    Short ones are kept, so asking again costs nothing; whoever runs a long one often keeps the Program.
    """
    return _kept(expression) if len(expression) <= _SHORT else _compiled(expression)


def _compiled(expression: str) -> Program:
    try:
        return Program(expression)
    except RecursionError:
        raise BadExpression("nested too deeply", 0) from None


# Patches and questionnaires bring expressions of strangers: the cache must not become a way to fill memory.
_SHORT = 1_000
_kept = lru_cache(maxsize=1024)(_compiled)
