"""FHIRPath Patch (https://hl7.org/fhir/R4/fhirpatch.html): add, insert, delete, replace and move.

Paths are FHIRPath; each operation sees the resource as the ones before it left it.
"""

from service.fhir.fhirpath import BadExpression, EvaluationError, Node, Scope, compile
from service.fhir.json import Json, JsonObject
from service.fhir.patch.identity import same_resource
from service.fhir.patch.operation import Operation, given, key_for, operations
from service.fhir.patch.places import Pair, copied, read, write
from service.fhir.r4 import Element, find
from service.kernel.failures import Refused


def fhirpath_patch(resource: JsonObject, parameters: Json) -> JsonObject:
    """The resource after all operations in order, or Refused naming the operation that fails."""
    patched = copied(resource)
    for number, operation in enumerate(operations(parameters)):
        try:
            _APPLY[operation.kind](patched, operation)
        except Refused as refusal:
            text = f"operation {number + 1} of the patch ({operation.kind}): {refusal.text}"
            raise Refused(refusal.reason, text) from None
    return same_resource(resource, patched)


def _found(resource: JsonObject, path: str) -> list[Node]:
    try:
        nodes = compile(path).nodes(resource, Scope(resource=resource))
    except BadExpression as error:
        raise Refused("malformed", f"the path is not FHIRPath: {error}") from None
    except EvaluationError as error:
        raise Refused("unprocessable", f"the path cannot be followed: {error}") from None
    if any(node.holder is None and node.value is not resource for node in nodes):
        raise Refused("unprocessable", "the path does not name an element of this resource")
    return nodes


def _one(resource: JsonObject, path: str) -> Node:
    nodes = _found(resource, path)
    if len(nodes) != 1:
        raise Refused("unprocessable", f"the path finds {len(nodes) or 'no'} elements instead of one")
    return nodes[0]


def _element(node: Node) -> tuple[JsonObject, Element]:
    """The object that holds a node, and the definition of the element it is."""
    structure = find(node.owner) if node.owner else None
    slot = structure.by_key.get(node.key) if structure else None
    if node.holder is None or slot is None:
        raise Refused("unprocessable", "the path does not find an element that R4 defines")
    return node.holder, slot.element


def _add(resource: JsonObject, operation: Operation) -> None:
    node = _one(resource, operation.path)
    holder, owner = _inside(node)
    structure = find(owner)
    element = structure.by_name.get(operation.name) if structure else None
    if element is None:
        raise Refused("unprocessable", f"{owner or 'the element'} has no element of that name")
    one = given(operation.value, element)
    key = key_for(element, one.type)
    present = [k for k in map(element.key, element.types) if k in holder or "_" + k in holder]
    if present and not element.many:
        raise Refused("unprocessable", f"{element.path} is there already")
    write(holder, key, [*read(holder, key), (one.value, one.beside)], element.many)


def _inside(node: Node) -> tuple[JsonObject, str]:
    if isinstance(node.value, dict):
        return node.value, str(node.value.get("resourceType", node.type))
    if node.holder is None:
        raise Refused("unprocessable", "the path does not name an element of this resource")
    # Into a primitive only an id or extensions can be put; FHIR JSON keeps these in its sibling.
    if node.element is None:
        node.element = {}
        pairs: list[Pair] = read(node.holder, node.key)
        at = max(node.index, 0)
        pairs[at] = (pairs[at][0], node.element)
        write(node.holder, node.key, pairs, node.index >= 0)
    return node.element, "Element"


def _insert(resource: JsonObject, operation: Operation) -> None:
    holder, element, key = _list(resource, operation.path)
    pairs = read(holder, key)
    if operation.index > len(pairs):
        raise Refused("unprocessable", f"the list has {len(pairs)} items, none can come at {operation.index}")
    one = given(operation.value, element)
    if key_for(element, one.type) != key:
        raise Refused("unprocessable", f"a {one.type} does not fit into this list")
    pairs.insert(operation.index, (one.value, one.beside))
    write(holder, key, pairs, True)


def _list(resource: JsonObject, path: str) -> tuple[JsonObject, Element, str]:
    nodes = _found(resource, path)
    if not nodes:
        raise Refused("unprocessable", "the path finds no elements")
    holder, element = _element(nodes[0])
    if any(node.holder is not holder or node.key != nodes[0].key for node in nodes) or not element.many:
        raise Refused("unprocessable", "the path does not find one list")
    return holder, element, nodes[0].key


def _delete(resource: JsonObject, operation: Operation) -> None:
    nodes = _found(resource, operation.path)
    if not nodes:
        return
    if len(nodes) > 1:
        raise Refused("unprocessable", f"the path finds {len(nodes)} elements, one is deleted at a time")
    holder, element = _element(nodes[0])
    pairs = read(holder, nodes[0].key)
    del pairs[max(nodes[0].index, 0)]
    write(holder, nodes[0].key, pairs, element.many)


def _replace(resource: JsonObject, operation: Operation) -> None:
    node = _one(resource, operation.path)
    holder, element = _element(node)
    one = given(operation.value, element)
    key = key_for(element, one.type)
    pairs = read(holder, node.key)
    pairs[max(node.index, 0)] = (one.value, one.beside)
    if key != node.key:
        write(holder, node.key, [], element.many)
    write(holder, key, pairs, element.many)


def _move(resource: JsonObject, operation: Operation) -> None:
    holder, _, key = _list(resource, operation.path)
    pairs = read(holder, key)
    if max(operation.source, operation.destination) >= len(pairs):
        raise Refused("unprocessable", f"the list has only {len(pairs)} items")
    pairs.insert(operation.destination, pairs.pop(operation.source))
    write(holder, key, pairs, True)


_APPLY = {"add": _add, "insert": _insert, "delete": _delete, "replace": _replace, "move": _move}
