"""How a function is declared, and the plain ways to build one."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

from service.fhir.fhirpath.code import Code, Values, deciding, listing, single
from service.fhir.fhirpath.errors import EvaluationError
from service.fhir.fhirpath.node import Items
from service.fhir.fhirpath.operators.arithmetic import bounded
from service.fhir.fhirpath.scope import Run
from service.fhir.fhirpath.steps import Step
from service.fhir.fhirpath.syntax import Call, Expression


class Compiles(Protocol):
    """What a function may ask of the compiler."""

    children: Step

    @property
    def step(self) -> Callable[[str], Step]:
        """How one child element is reached."""

    def compile(self, tree: Expression, /) -> Code:
        """The code of an argument."""


_LONG = 256

Build = Callable[[Compiles, Code, Call], Code]


@dataclass(frozen=True, slots=True)
class Function:
    """A function of the language: how few and how many arguments it takes, and how a call is compiled.

    Arguments are evaluated against the `$this` around the call; only the functions that iterate (`where`)
    evaluate theirs once per item.
    """

    build: Build
    least: int = 0
    most: int = 0


def over_items(compute: Callable[..., Items], least: int = 0, most: int | None = None) -> Function:
    """A function of a collection and collections: `compute(run, items, *arguments)`."""

    def build(compiler: Compiles, source: Code, call: Call) -> Code:
        items = source.values
        arguments = _arguments(compiler, call)
        if not arguments:
            return listing(lambda run, this: compute(run, items(run, this)))
        return listing(lambda run, this: compute(run, items(run, this), *[a(run, this) for a in arguments]))

    return Function(build, least, least if most is None else most)


def on_items(decide: Callable[..., bool | None], least: int = 0) -> Function:
    """As `over_items`, for a function that decides."""

    def build(compiler: Compiles, source: Code, call: Call) -> Code:
        items = source.values
        arguments = _arguments(compiler, call)
        if not arguments:
            return deciding(lambda run, this: decide(run, items(run, this)))
        return deciding(lambda run, this: decide(run, items(run, this), *[a(run, this) for a in arguments]))

    return Function(build, least, least)


def of_value(compute: Callable[..., Any], least: int = 0, most: int | None = None) -> Function:
    """A function of one value and single arguments: `compute(value, *arguments)`, None for no result.

    Nothing in, or nothing for an argument, gives nothing.
    """

    def build(compiler: Compiles, source: Code, call: Call) -> Code:
        result = _applied(compute, source.values, _arguments(compiler, call))

        def values(run: Run, this: Items) -> Items:
            value = result(run, this)
            return [] if value is None else [bounded(value, run)]

        return listing(values)

    return Function(build, least, least if most is None else most)


def on_text(decide: Callable[..., bool], least: int = 0) -> Function:
    """As `of_value`, for a function of a text that decides."""

    def build(compiler: Compiles, source: Code, call: Call) -> Code:
        return deciding(_applied(_text_only(decide), source.values, _arguments(compiler, call)))

    return Function(build, least, least)


def of_text(compute: Callable[..., Any], least: int = 0, most: int | None = None) -> Function:
    """As `of_value`, for a function of a text."""
    return of_value(_text_only(compute), least, most)


def _text_only(compute: Callable[..., Any]) -> Callable[..., Any]:
    def checked(value: Any, *arguments: Any) -> Any:
        if type(value) is not str:
            raise EvaluationError("a text is expected")
        return compute(value, *arguments)

    return checked


def _arguments(compiler: Compiles, call: Call) -> list[Values]:
    return [compiler.compile(argument).values for argument in call.arguments]


def _applied(
    compute: Callable[..., Any], source: Values, arguments: list[Values]
) -> Callable[[Run, Items], Any]:
    def applied(run: Run, this: Items) -> Any:
        value = single(source(run, this))
        given = [single(argument(run, this)) for argument in arguments]
        if value is None or None in given:
            return None
        if type(value) is str and len(value) > _LONG:
            run.charge(len(value) >> 6)
        return compute(value, *given)

    return applied
