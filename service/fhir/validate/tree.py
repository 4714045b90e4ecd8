"""A snapshot as a tree: elements below elements, slices beside the element they slice."""

from dataclasses import dataclass, field

from service.fhir.json import JsonObject


@dataclass
class Branch:
    """One element of a snapshot. `slices` are the slices of this element; re-slices live in their slice."""

    name: str
    row: JsonObject
    url: str
    slice: str = ""
    children: dict[str, "Branch"] = field(default_factory=dict)
    slices: dict[str, "Branch"] = field(default_factory=dict)

    @property
    def label(self) -> str:
        """The element id, as a person finds it in the profile: `Observation.category:us-core`."""
        return str(self.row["id"])


class BrokenProfile(ValueError):
    """A snapshot that cannot be compiled; the message names the element."""


def grow(definition: JsonObject) -> Branch:
    """The tree of a slim StructureDefinition; BrokenProfile when an element hangs in the air."""
    head, *rows = definition["rows"]
    root = Branch(head["path"], head, definition["url"])
    for row in rows:
        _attach(root, row)
    return root


def _attach(root: Branch, row: JsonObject) -> None:
    here = root
    *path, last = row["id"].split(".")[1:]
    for part in path:
        here = _step(here, part, row)
    name, _, slice_name = last.partition(":")
    if not slice_name:
        here.children[_plain(name)] = Branch(_plain(name), row, root.url)
        return
    parent = here.children.get(_plain(name))
    if parent is None:
        raise BrokenProfile(f"{row['id']}: the slice stands before the element it slices")
    _place_slice(parent, slice_name, row, root.url)


def _place_slice(parent: Branch, slice_name: str, row: JsonObject, url: str) -> None:
    outer, _, _ = slice_name.rpartition("/")
    holder = _find_slice(parent, outer) if outer else parent
    (holder or parent).slices[slice_name] = Branch(parent.name, row, url, slice_name)


def _find_slice(parent: Branch, slice_name: str) -> Branch | None:
    found = parent.slices.get(slice_name)
    if found is None and "/" in slice_name:
        outer = _find_slice(parent, slice_name.rpartition("/")[0])
        found = outer.slices.get(slice_name) if outer else None
    return found


def _step(here: Branch, part: str, row: JsonObject) -> Branch:
    name, _, slice_name = part.partition(":")
    child = here.children.get(_plain(name))
    if child is not None and slice_name:
        child = _find_slice(child, slice_name)
    if child is None:
        raise BrokenProfile(f"{row['id']}: no element {part} stands above it in the snapshot")
    return child


def _plain(name: str) -> str:
    return name.removesuffix("[x]")
