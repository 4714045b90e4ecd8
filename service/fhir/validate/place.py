"""Where we are in a resource, kept as a linked tuple and written as FHIRPath only when something is wrong."""

from typing import TypeAlias

Place: TypeAlias = "tuple[Place | None, str, int]"
"""(place of the parent, segment, index in the array or -1). The root's segment is the resource type."""


def root(resource_type: str) -> Place:
    """The place of a resource that stands alone."""
    return (None, resource_type, -1)


def below(parent: Place, segment: str, index: int = -1) -> Place:
    """The place of a child."""
    return (parent, segment, index)


def expression(place: Place) -> str:
    """`Bundle.entry[0].resource.identifier[1]`, as OperationOutcome.issue.expression wants it."""
    parts: list[str] = []
    here: Place | None = place
    while here is not None:
        here, segment, index = here
        if index >= 0:
            segment = indexed(segment, index)
        parts.append(segment)
    return ".".join(reversed(parts))


def indexed(segment: str, index: int) -> str:
    """`identifier[1]`."""
    return f"{segment}[{index}]"


def names(place: Place) -> list[str]:
    """The plain element names from the innermost resource's type down, without indexes and ofType."""
    found: list[str] = []
    here: Place | None = place
    while here is not None:
        here, segment, _ = here
        found.append(segment.partition(".ofType(")[0])
    return found[::-1]
