"""Read-only definitions kept as one compressed file of lines, each decoded the first time it is asked for.

A line is `key TAB json`. Keys are type names (`Patient`), or `StructureDefinition|url`, `ValueSet|url`,
`CodeSystem|url`. Decoding lazily keeps start-up and memory small: a process uses a tenth of what R4 defines.
"""

import gzip
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import orjson

from service.fhir.json import JsonObject, encode


@cache
def data_folder() -> Path:
    """The `fhir_profiles` folder: inside the wheel when installed, at the repository root otherwise."""
    packaged = Path(__file__).parents[1] / "_data" / "fhir_profiles"
    return packaged if packaged.is_dir() else Path(__file__).parents[2] / "fhir_profiles"


class Shelf(Mapping[str, JsonObject]):
    """Definitions by key. Values are shared: never change them."""

    __slots__ = ("_lines", "_read")

    def __init__(self, lines: Mapping[str, bytes]) -> None:
        self._lines = lines
        self._read: dict[str, Any] = {}

    def __getitem__(self, key: str) -> JsonObject:
        found = self._read.get(key)
        if found is None:
            found = self._read[key] = orjson.loads(self._lines[key])
        return found  # type: ignore[no-any-return]

    def __iter__(self) -> Iterator[str]:
        return iter(self._lines)

    def __len__(self) -> int:
        return len(self._lines)

    def __contains__(self, key: object) -> bool:
        return key in self._lines


def read_shelf(path: Path) -> Shelf:
    """Open a file written by `write_shelf`."""
    lines = gzip.decompress(path.read_bytes()).split(b"\n")
    pairs = (line.split(b"\t", 1) for line in lines if line)
    return Shelf({key.decode(): value for key, value in pairs})


def shelf_of(definitions: Iterable[tuple[str, JsonObject]]) -> Shelf:
    """A shelf in memory, for packages an operator adds."""
    return Shelf({key: encode(value) for key, value in definitions})


def write_shelf(path: Path, definitions: Iterable[tuple[str, JsonObject]]) -> int:
    """Write definitions sorted by key, the same bytes for the same input; the size in bytes comes back."""
    lines = sorted(key.encode() + b"\t" + encode(value) for key, value in definitions)
    packed = gzip.compress(b"\n".join(lines), compresslevel=9, mtime=0)
    path.write_bytes(packed)
    return len(packed)
