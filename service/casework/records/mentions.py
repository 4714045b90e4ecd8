"""Which other records a record names, so that the caller can look them all up at once."""

from collections.abc import Iterator
from typing import Annotated, Any, get_args, get_origin

from pydantic import BaseModel

from service.casework.records.words import Mention


def mentions(record: BaseModel) -> list[tuple[str, str]]:
    """`(kind, id)` of every record named, each once, in order: `[("clients", "leslie-moreno"), …]`."""
    return list(dict.fromkeys(_within(record)))


def _within(part: BaseModel) -> Iterator[tuple[str, str]]:
    for name, field in type(part).model_fields.items():
        kind = _kind((*field.metadata, field.annotation))
        for value in _each(getattr(part, name)):
            if isinstance(value, BaseModel):
                yield from _within(value)
            elif kind and isinstance(value, str):
                yield kind, value


def _each(value: Any) -> tuple[Any, ...]:
    if value is None:
        return ()
    return value if isinstance(value, tuple) else (value,)


def _kind(marks: tuple[Any, ...]) -> str | None:
    """The Mention among these annotations, looking into `X | None` and arrays."""
    for mark in marks:
        if isinstance(mark, Mention):
            return mark.kind
        if get_origin(mark) is Annotated or get_args(mark):
            inner = _kind(get_args(mark))
            if inner:
                return inner
    return None
