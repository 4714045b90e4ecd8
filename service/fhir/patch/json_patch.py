"""JSON Patch (RFC 6902) over JSON Pointers (RFC 6901).

Our own, because the libraries compare `true` with `1`, copy the whole document for each operation, and let
one small patch double a document until memory ends. Containers along a path are replaced, everything else is
shared with the document that came in.
"""

import re
from collections.abc import Callable
from decimal import Decimal
from typing import Any

from service.fhir.json import MAX_DEPTH, Json, JsonObject, printable
from service.fhir.patch.identity import same_resource
from service.kernel.failures import Refused

MAX_OPERATIONS = 1_000
MAX_COPIED = 200_000
"""Values that all `copy` operations of a patch may duplicate together."""

_INDEX = re.compile(r"0|[1-9][0-9]{0,8}")
_ESCAPE = re.compile(r"~(?![01])")

Container = dict[str, Any] | list[Any]
Edit = Callable[[Container, str], None]


def json_patch(document: JsonObject, operations: Json) -> JsonObject:
    """The document after all operations in order, or Refused naming the operation that fails."""
    if type(operations) is not list or not operations:
        raise Refused("malformed", "a JSON Patch is an array of operations")
    if len(operations) > MAX_OPERATIONS:
        raise Refused("malformed", f"a JSON Patch has at most {MAX_OPERATIONS} operations")
    patched: Json = document
    allowance = MAX_COPIED
    for number, operation in enumerate(operations):
        try:
            name = _name(operation)
            if name == "copy":
                allowance -= _size(_at(patched, _pointer(operation, "from")), allowance)
            patched = _OPERATIONS[name](patched, operation)
        except _Fails as failure:
            raise Refused(failure.reason, f"operation {number + 1} of the patch: {failure}") from None
    return same_resource(document, patched)


class _Fails(Exception):
    """Why one operation cannot be done."""

    reason: Any = "unprocessable"


class _Malformed(_Fails):
    reason = "malformed"


def _name(operation: Json) -> str:
    if type(operation) is not dict:
        raise _Malformed("an operation is an object")
    name = operation.get("op")
    if type(name) is not str or name not in _OPERATIONS:
        raise _Malformed("op is one of add, remove, replace, move, copy, test")
    return name


def _pointer(operation: JsonObject, member: str) -> list[str]:
    text = operation.get(member)
    if type(text) is not str:
        raise _Malformed(f"{member} is missing")
    if text == "":
        return []
    if not text.startswith("/") or _ESCAPE.search(text):
        raise _Malformed(f"{member} is not a JSON Pointer")
    tokens = [token.replace("~1", "/").replace("~0", "~") for token in text[1:].split("/")]
    if len(tokens) > MAX_DEPTH:
        raise _Malformed(f"{member} goes deeper than {MAX_DEPTH} levels")
    return tokens


def _value(operation: JsonObject) -> Json:
    if "value" not in operation:
        raise _Malformed("value is missing")
    return operation["value"]


def _at(document: Json, tokens: list[str]) -> Json:
    for token in tokens:
        document = _child(document, token)
    return document


def _child(container: Json, token: str) -> Json:
    if type(container) is dict and token in container:
        return container[token]
    if type(container) is list:
        return container[_existing(container, token)]
    raise _Fails(f"there is nothing at {printable(token)}")


def _existing(items: list[Any], token: str) -> int:
    if not _INDEX.fullmatch(token):
        raise _Fails(f"{printable(token)} is no index of an array")
    if int(token) >= len(items):
        raise _Fails(f"the array has no item {token}")
    return int(token)


def _changed(document: Json, tokens: list[str], edit: Edit) -> Json:
    """The document with `edit` done to a copy of the container that the pointer's last token lies in."""
    chain = [document]
    for token in tokens[:-1]:
        chain.append(_child(chain[-1], token))
    if type(chain[-1]) not in (dict, list):
        raise _Fails(f"there is nothing at {printable(tokens[-1])}")
    changed = chain.pop().copy()
    edit(changed, tokens[-1])
    for container, token in zip(reversed(chain), reversed(tokens[:-1]), strict=True):
        above = container.copy()
        above[token if type(above) is dict else int(token)] = changed
        changed = above
    return changed


def _with(document: Json, tokens: list[str], value: Json) -> Json:
    def insert(container: Container, token: str) -> None:
        if isinstance(container, dict):
            container[token] = value
        elif token in ("-", str(len(container))):
            container.append(value)
        else:
            container.insert(_existing(container, token), value)

    return _changed(document, tokens, insert) if tokens else value


def _without(document: Json, tokens: list[str]) -> Json:
    if not tokens:
        raise _Fails("the whole resource cannot be removed")
    _at(document, tokens)

    def remove(container: Container, token: str) -> None:
        if isinstance(container, dict):
            del container[token]
        else:
            del container[int(token)]

    return _changed(document, tokens, remove)


def _add(document: Json, operation: JsonObject) -> Json:
    return _with(document, _pointer(operation, "path"), _value(operation))


def _remove(document: Json, operation: JsonObject) -> Json:
    return _without(document, _pointer(operation, "path"))


def _replace(document: Json, operation: JsonObject) -> Json:
    tokens, value = _pointer(operation, "path"), _value(operation)
    if not tokens:
        return value
    _at(document, tokens)

    def put(container: Container, token: str) -> None:
        if isinstance(container, dict):
            container[token] = value
        else:
            container[int(token)] = value

    return _changed(document, tokens, put)


def _move(document: Json, operation: JsonObject) -> Json:
    source, target = _pointer(operation, "from"), _pointer(operation, "path")
    if source == target:
        _at(document, source)
        return document
    if target[: len(source)] == source:
        raise _Fails("a value cannot be moved into itself")
    return _with(_without(document, source), target, _at(document, source))


def _copy(document: Json, operation: JsonObject) -> Json:
    value = _at(document, _pointer(operation, "from"))
    return _with(document, _pointer(operation, "path"), value)


def _test(document: Json, operation: JsonObject) -> Json:
    wanted = _value(operation)
    if not _equal(_at(document, _pointer(operation, "path")), wanted):
        raise _Fails("the tested value is a different one")
    return document


def _equal(one: Json, other: Json) -> bool:
    if isinstance(one, int | Decimal) and isinstance(other, int | Decimal):
        return (type(one) is bool) == (type(other) is bool) and one == other
    if type(one) is not type(other):
        return False
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(_equal(value, other[key]) for key, value in one.items())
    if isinstance(one, list):
        return len(one) == len(other) and all(map(_equal, one, other))
    return bool(one == other)


def _size(value: Json, limit: int) -> int:
    """How many values there are inside; _Fails beyond the limit. Walks no further than the limit."""
    count, pending = 0, [value]
    while pending:
        one = pending.pop()
        count += 1
        if count > limit:
            raise _Fails("the patch copies too much")
        if isinstance(one, dict):
            pending.extend(one.values())
        elif isinstance(one, list):
            pending.extend(one)
    return count


_OPERATIONS: dict[str, Callable[[Json, JsonObject], Json]] = {
    "add": _add,
    "remove": _remove,
    "replace": _replace,
    "move": _move,
    "copy": _copy,
    "test": _test,
}
