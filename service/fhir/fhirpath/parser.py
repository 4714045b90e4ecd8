"""Tokens to a tree: a Pratt parser over the precedence table of FHIRPath N1."""

from decimal import Decimal

from service.fhir.fhirpath.errors import BadExpression
from service.fhir.fhirpath.quantity import CALENDAR, Quantity
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
from service.fhir.fhirpath.temporal import literal
from service.fhir.fhirpath.tokens import Token, tokens

MAX_DEPTH = 60
"""Nesting of an expression; every closure costs a few Python frames when it runs."""
MAX_NODES = 2_000

# `is` and `as` bind looser than `|` and `<`: the grammar of N1 says otherwise, its test suite and every other
# engine do not (`1 > 2 is Boolean` is true).
_STRENGTH = {
    "implies": 1, "or": 2, "xor": 2, "and": 3, "in": 4, "contains": 4,
    "=": 5, "~": 5, "!=": 5, "!~": 5, "is": 6, "as": 6, "<": 7, ">": 7, "<=": 7, ">=": 7, "|": 8,
    "+": 9, "-": 9, "&": 9, "*": 10, "/": 10, "div": 10, "mod": 10,
}  # fmt: skip
_SIGN = 11


def parse(text: str) -> Expression:
    """The tree of an expression, or BadExpression with the place where it stops making sense."""
    reader = _Reader(text)
    tree = reader.expression(0)
    if reader.token.kind != "end":
        raise BadExpression("something follows the expression", reader.token.at)
    return tree


class _Reader:
    def __init__(self, text: str) -> None:
        self.rest = tokens(text)
        self.token: Token = next(self.rest)
        self.depth = 0
        self.nodes = 0

    def take(self) -> Token:
        taken, self.token = self.token, next(self.rest, self.token)
        return taken

    def sees(self, symbol: str) -> bool:
        return self.token.kind == "symbol" and self.token.text == symbol

    def expect(self, symbol: str) -> None:
        if not self.sees(symbol):
            raise BadExpression(f"{symbol} expected", self.token.at)
        self.take()

    def expression(self, strength: int) -> Expression:
        """One operand and every operator binding tighter than `strength`."""
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise BadExpression(f"nested deeper than {MAX_DEPTH} levels", self.token.at)
        left = self.postfix(self.operand())
        while (binding := self.binding()) > strength:
            left = self.infix(left, binding)
        self.depth -= 1
        return left

    def binding(self) -> int:
        return _STRENGTH.get(self.token.text, 0) if self.token.kind in ("symbol", "word") else 0

    def infix(self, left: Expression, binding: int) -> Expression:
        operator = self.take()
        self.count(operator.at)
        if operator.text in ("is", "as"):
            return Typing(operator.text, left, self.type_name(), operator.at)
        return Binary(operator.text, left, self.expression(binding), operator.at)

    def count(self, at: int) -> None:
        self.nodes += 1
        if self.nodes > MAX_NODES:
            raise BadExpression(f"more than {MAX_NODES} parts", at)

    def type_name(self) -> str:
        name = self.word()
        while self.sees("."):
            self.take()
            name += "." + self.word()
        return name

    def word(self) -> str:
        if self.token.kind != "word":
            raise BadExpression("a name expected", self.token.at)
        return self.take().text

    def operand(self) -> Expression:
        self.count(self.token.at)
        token = self.take()
        match token.kind:
            case "number":
                return self.number(token)
            case "string":
                return Literal(token.text, token.at)
            case "moment":
                return Literal(literal(token.text, token.at), token.at)
            case "special":
                return Special(token.text, token.at)
            case "external":
                return External(token.text, token.at)
            case "word":
                return self.named(None, token)
            case _:
                return self.symbolic(token)

    def symbolic(self, token: Token) -> Expression:
        if token.text == "(":
            inside = self.expression(0)
            self.expect(")")
            return inside
        if token.text == "{":
            self.expect("}")
            return Literal(None, token.at)
        if token.text in ("+", "-"):
            operand = self.expression(_SIGN)
            return Sign(operand, token.at) if token.text == "-" else operand
        raise BadExpression("an operand expected", token.at)

    def number(self, token: Token) -> Literal:
        value = Decimal(token.text) if "." in token.text else int(token.text[:40])
        if self.token.kind == "string":
            return Literal(Quantity(Decimal(token.text), self.take().text), token.at)
        if self.token.kind == "word" and self.token.text in CALENDAR:
            return Literal(Quantity(Decimal(token.text), CALENDAR[self.take().text]), token.at)
        return Literal(value, token.at)

    def named(self, source: Expression | None, token: Token) -> Expression:
        if self.sees("("):
            return Call(source, token.text, self.arguments(), token.at)
        if source is None and token.text in ("true", "false"):
            return Literal(token.text == "true", token.at)
        return Member(source, token.text, token.at)

    def arguments(self) -> tuple[Expression, ...]:
        self.expect("(")
        found: list[Expression] = []
        while not self.sees(")"):
            if found:
                self.expect(",")
            found.append(self.expression(0))
        self.expect(")")
        return tuple(found)

    def postfix(self, source: Expression) -> Expression:
        while True:
            if self.sees("."):
                self.take()
                source = self.step(source)
            elif self.sees("["):
                at = self.take().at
                source = Index(source, self.expression(0), at)
                self.expect("]")
            else:
                return source

    def step(self, source: Expression) -> Expression:
        token = self.token
        self.count(token.at)
        if token.kind == "special":
            # `name.$this` is odd but in the grammar: the special name, whatever stood before it.
            return Special(self.take().text, token.at)
        if token.kind != "word":
            raise BadExpression("a name expected", token.at)
        return self.named(source, self.take())
