"""Functions with regular expressions, under a stopwatch: patterns of strangers can explode (ReDoS)."""

from collections.abc import Callable
from functools import lru_cache
from time import perf_counter
from typing import Any

import regex

from service.fhir.fhirpath.code import single
from service.fhir.fhirpath.errors import EvaluationError
from service.fhir.fhirpath.functions.function import on_items, over_items
from service.fhir.fhirpath.node import Items
from service.fhir.fhirpath.operators.arithmetic import bounded
from service.fhir.fhirpath.scope import Run

MAX_PATTERN = 2_000


@lru_cache(maxsize=512)
def _pattern(text: str) -> regex.Pattern[str]:
    if len(text) > MAX_PATTERN:
        raise EvaluationError("a pattern too long to be tried")
    try:
        return regex.compile(text, regex.DOTALL)
    except (regex.error, RecursionError, OverflowError, MemoryError) as error:
        raise EvaluationError("a pattern that is no regular expression") from error


def _timed(run: Run, search: Callable[[float], Any]) -> Any:
    began = perf_counter()
    try:
        return search(max(run.patience, 0.001))
    except TimeoutError:
        raise EvaluationError("a pattern that takes too long") from None
    finally:
        run.patience -= perf_counter() - began


def _texts(*collections: Items) -> list[str] | None:
    texts = [single(items) for items in collections]
    if None in texts:
        return None
    if any(type(text) is not str for text in texts):
        raise EvaluationError("a text is expected")
    return texts


def _matches(run: Run, items: Items, pattern: Items) -> bool | None:
    """The pattern occurs in the text; only `^…$` ties it to both ends."""
    texts = _texts(items, pattern)
    if texts is None:
        return None
    compiled = _pattern(texts[1])
    return _timed(run, lambda limit: compiled.search(texts[0], timeout=limit)) is not None


def _matches_full(run: Run, items: Items, pattern: Items) -> bool | None:
    texts = _texts(items, pattern)
    if texts is None:
        return None
    compiled = _pattern(texts[1])
    return _timed(run, lambda limit: compiled.fullmatch(texts[0], timeout=limit)) is not None


def _replace_matches(run: Run, items: Items, pattern: Items, substitution: Items) -> Items:
    texts = _texts(items, pattern, substitution)
    if texts is None:
        return []
    if not texts[1]:
        return [texts[0]]
    compiled, template = _pattern(texts[1]), _template(texts[2])
    try:
        replaced = _timed(run, lambda limit: compiled.sub(template, texts[0], timeout=limit))
    except (regex.error, IndexError) as error:
        raise EvaluationError("a substitution that names no group") from error
    return [bounded(str(replaced), run)]


def _template(substitution: str) -> str:
    """`$1` and `${name}` as Python writes them."""
    return str(regex.sub(r"\$\{?(\w+)\}?", r"\\g<\1>", substitution.replace("\\", "\\\\")))


FUNCTIONS = {
    "matches": on_items(_matches, 1),
    "matchesFull": on_items(_matches_full, 1),
    "replaceMatches": over_items(_replace_matches, 2),
}
