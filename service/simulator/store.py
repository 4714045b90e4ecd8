"""What the agency remembers: every version of every resource, in memory and, if asked, in a file."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from service.fhir.json import JsonObject, decode_object, encode
from service.kernel.clock import Clock, instant, system_clock


class Refusal(Exception):
    """An answer other than success: an HTTP status, an issue code of FHIR and a sentence."""

    def __init__(self, status: int, code: str, text: str) -> None:
        super().__init__(text)
        self.status, self.code, self.text = status, code, text


@dataclass(frozen=True, slots=True)
class Version:
    """One version; `resource` is None for a deletion."""

    type: str
    id: str
    number: int
    at: str
    resource: JsonObject | None

    @property
    def reference(self) -> str:
        """`Type/id`."""
        return f"{self.type}/{self.id}"

    @property
    def etag(self) -> str:
        """The weak ETag of FHIR: `W/"3"`."""
        return f'W/"{self.number}"'


@dataclass(frozen=True, slots=True)
class Put:
    """What is to be kept. `expected`: the version number of If-Match; `resource` None deletes."""

    type: str
    id: str
    resource: JsonObject | None
    expected: int | None = None


class Store:
    """All versions, oldest first. `keep` is all or nothing; with a file, what is answered is on disk."""

    def __init__(self, file: Path | None = None, clock: Clock = system_clock) -> None:
        self._versions: dict[tuple[str, str], list[Version]] = {}
        self._file = file
        self._clock = clock
        self._last: datetime | None = None
        self.watch: Callable[[Sequence[Version]], None] = lambda _: None
        if file is not None and file.exists():
            for line in file.read_bytes().splitlines():
                row = decode_object(line)
                self._add(Version(row["type"], row["id"], row["number"], row["at"], row["resource"]))

    def keep(self, puts: Sequence[Put]) -> list[Version]:
        """New versions, in order. Refusal 412 for another version than expected; then nothing is kept."""
        for put in puts:
            now = self.current(put.type, put.id)
            if put.expected is not None and (now is None or now.number != put.expected):
                raise Refusal(412, "conflict", f"{put.type}/{put.id} is not at version {put.expected}")
        moment = self._moment()
        made = [self._version(put, moment) for put in puts]
        for version in made:
            self._add(version)
        self._write(made)
        self.watch(made)
        return made

    def current(self, type_: str, id_: str) -> Version | None:
        """The newest version unless it is a deletion."""
        found = self.history(type_, id_)
        return found[-1] if found and found[-1].resource is not None else None

    def history(self, type_: str, id_: str) -> list[Version]:
        """Every version, oldest first; empty for what never was."""
        return self._versions.get((type_, id_), [])

    def all(self, type_: str) -> Iterator[Version]:
        """The current version of every living resource of a type."""
        for (kind, _), versions in self._versions.items():
            if kind == type_ and versions[-1].resource is not None:
                yield versions[-1]

    def _version(self, put: Put, moment: datetime) -> Version:
        number, at = len(self.history(put.type, put.id)) + 1, instant(moment)
        if put.resource is None:
            return Version(put.type, put.id, number, at, None)
        given = put.resource.get("meta")
        meta = {**(given if isinstance(given, dict) else {}), "versionId": str(number), "lastUpdated": at}
        rest = {
            name: value for name, value in put.resource.items() if name not in ("resourceType", "id", "meta")
        }
        whole = {"resourceType": put.type, "id": put.id, "meta": meta, **rest}
        return Version(put.type, put.id, number, at, whole)

    def _moment(self) -> datetime:
        """Now, but never twice the same millisecond, so that `_lastUpdated` orders everything."""
        now = self._clock()
        if self._last is not None and now <= self._last:
            now = self._last + timedelta(milliseconds=1)
        self._last = now
        return now

    def _add(self, version: Version) -> None:
        self._versions.setdefault((version.type, version.id), []).append(version)

    def _write(self, versions: Sequence[Version]) -> None:
        if self._file is None:
            return
        lines = [
            encode({"type": v.type, "id": v.id, "number": v.number, "at": v.at, "resource": v.resource})
            for v in versions
        ]
        with self._file.open("ab") as file:
            file.write(b"".join(line + b"\n" for line in lines))
