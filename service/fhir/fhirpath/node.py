"""An element together with what its plain value does not say: its type, its `_x` sibling, its place.

Collections hold plain decoded JSON wherever that is enough. A `Node` stands in for a primitive that has an
id or extensions, and for everything while an expression asks about types or places.
"""

from typing import Any

Items = list[Any]
"""A FHIRPath collection: plain values, Nodes, Temporals and Quantities."""


class Node:
    """`value` is None for a primitive with extensions only; `element` is the `_x` sibling, a dict or None.

    `type` is a FHIR type name, the path of a nested structure, or "" where nothing tells. `holder[key]`
    (`[index]` where that is a list, otherwise index is -1) is where the value was found, `owner` the type of
    the holder.
    """

    __slots__ = ("element", "holder", "index", "key", "owner", "type", "value")

    def __init__(
        self,
        value: Any,
        type: str = "",
        element: dict[str, Any] | None = None,
        holder: dict[str, Any] | None = None,
        key: str = "",
        index: int = -1,
        owner: str = "",
    ) -> None:
        self.value = value
        self.type = type
        self.element = element
        self.holder = holder
        self.key = key
        self.index = index
        self.owner = owner


def plain(item: Any) -> Any:
    """The value without its wrapping."""
    return item.value if type(item) is Node else item


def members(item: Any) -> dict[str, Any] | None:
    """The object in which this item's children are: itself, or the `_x` sibling of a primitive."""
    if type(item) is Node:
        return item.value if type(item.value) is dict else item.element
    return item if type(item) is dict else None
