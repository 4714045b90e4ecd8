"""Write docs/golden: every golden pair side by side, a page a kind, for a clinician to read.

    .venv/bin/python scripts/write_golden.py

Left a line of the record; right what it becomes in FHIR, found by changing that line and seeing what else changes;
last the requirements it serves (docs/requirements.md). `tests/golden/test_pages.py` compares what is written here.
"""

import copy
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from service.casework.records import kinds, read, schema
from service.fhir.json import JsonObject, decode, encode
from service.kernel.failures import Refused
from service.mapping.table import table
from tests.golden.test_golden import PAIRS, fhir_side
from tests.mapping.context import HERE

ROOT = Path(__file__).resolve().parents[1]
PAGES = ROOT / "docs" / "golden"
Step = str | int
Path_ = tuple[Step, ...]

FEW = 3
"""A line without which no more places than this are gone is about them."""
LONGEST = 160
"""Characters of one value that are shown."""
SYSTEMS = {
    "http://snomed.info/sct": "SNOMED CT", "http://loinc.org": "LOINC", "urn:ietf:bcp:47": "language",
    "http://www.cms.gov/Medicare/Coding/HCPCSReleaseCodeSets": "HCPCS",
    "http://hl7.org/fhir/sid/icd-10-cm": "ICD-10-CM",
}  # fmt: skip
CODING = frozenset(("system", "code", "display", "userSelected", "version"))
REFERENCE = frozenset(("reference", "identifier", "display", "type"))
UNSHOWN = frozenset(("resourceType", "id", "meta", "text", "identifier", "fullUrl"))
"""At the top of a resource: what the service says of itself, and the narrative, which repeats the rest."""


def leaves(value: Any, path: Path_ = ()) -> Iterator[tuple[Path_, Any]]:
    """Every value of a record that is not made of others, with where it stands; a coding is one value."""
    if isinstance(value, dict) and "code" in value and value.keys() <= CODING:
        yield path, value
    elif isinstance(value, dict):
        for key, member in value.items():
            yield from leaves(member, (*path, key))
    elif isinstance(value, list):
        for number, member in enumerate(value):
            yield from leaves(member, (*path, number))
    else:
        yield path, value


def atoms(value: Any, path: str) -> Iterator[tuple[str, str]]:
    """What a person would call one thing said in a resource: a coding, a reference, a value; with its place."""
    if isinstance(value, list):
        for number, member in enumerate(value):
            yield from atoms(member, f"{path}#{number + 1}" if len(value) > 1 else path)
    elif not isinstance(value, dict):
        yield path, shown(value)
    elif "code" in value and value.keys() <= CODING:
        yield path, coding(value)
    elif value.keys() <= REFERENCE and value.keys() & {"reference", "display", "identifier"}:
        yield path, reference(value)
    elif "url" in value and path.endswith(("extension", *"0123456789")):
        name = value["url"].rsplit("/", 1)[-1]
        for key, member in value.items():
            if key not in ("url", "id"):
                yield from atoms(member, f"{path.rpartition('.')[0]}.{name}")
    else:
        for key, member in value.items():
            if key != "id":
                yield from atoms(member, f"{path}.{key}")


def coding(value: dict[str, Any]) -> str:
    system = value.get("system", "")
    name = SYSTEMS.get(system, system.rstrip("/").rsplit("/", 1)[-1])
    return " ".join(part for part in (name, shown(value["code"]), shown(value.get("display", ""))) if part)


def reference(value: dict[str, Any]) -> str:
    known = value.get("identifier", {}).get("value", "").partition("/")[2]
    name = shown(value.get("display", ""))
    if known and name:
        return f"→ {known} ({name})"
    return "→ " + (known or name or shown(value.get("reference") or value.get("type")))


def shown(value: Any) -> str:
    if isinstance(value, bool) or value is None:
        return {True: "yes", False: "no"}.get(value, "")
    text = str(value)
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}… ({len(text)} characters)"


def said(resources: list[JsonObject]) -> dict[str, str]:
    """Place → what is said there, over all resources of a pair; resources are told apart by their ids."""
    found: dict[str, str] = {}
    for resource in resources:
        for element, value in resource.items():
            if element not in UNSHOWN:
                found.update(atoms(value, f"{resource['resourceType']}/{resource['id']}.{element}"))
    return found


def names(resources: list[JsonObject]) -> dict[str, str]:
    """`Goal/8f…` → `Goal 2`, or `Goal` where there is one."""
    kinds_of = [resource["resourceType"] for resource in resources]
    return {
        f"{kind}/{resource['id']}": f"{kind} {kinds_of[: place + 1].count(kind)}"
        if kinds_of.count(kind) > 1
        else kind
        for place, (kind, resource) in enumerate(zip(kinds_of, resources, strict=True))
    }


def mapped(kind: str, record: Any) -> list[JsonObject] | None:
    """What a record becomes; None for one that is not a record."""
    try:
        made = table[kind].to_fhir(read(kind, record["id"], decode(json.dumps(record).encode())), HERE)
    except Refused:
        return None
    resources: list[JsonObject] = decode(encode(list(made.resources)))
    return resources


def changes(record: Any, path: Path_, kind: str) -> Iterator[Any]:
    """The record with another value there, or none: the first that is a record is taken."""
    value = record
    for step in path:
        value = value[step]
    for other in others(value, kind):
        yield put(record, path, other)
    yield without(record, path)


def others(value: Any, kind: str) -> Iterator[Any]:
    if isinstance(value, dict):
        yield {**value, "code": value["code"] + "-x"}
    elif isinstance(value, bool):
        yield not value
    elif isinstance(value, (int, float)):
        yield value + 1
        yield value - 1
    elif re.match(r"\d{4}", value):
        yield str(int(value[:4]) + 1) + value[4:].replace("-29", "-28")
        yield str(int(value[:4]) - 1) + value[4:].replace("-29", "-28")
    else:
        yield from (each for each in enumerated(kind) if value in enumerated(kind) and each != value)
        yield value + "-x"


@cache
def enumerated(kind: str) -> tuple[str, ...]:
    """Every word that some list of words in the record's schema has."""
    return tuple(
        dict.fromkeys(
            re.findall(r'"([^"]+)"', "".join(re.findall(r'"enum": \[[^\]]*\]', json.dumps(schema(kind)))))
        )
    )


def put(record: Any, path: Path_, value: Any) -> Any:
    changed = copy.deepcopy(record)
    place = changed
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = value
    return changed


def without(record: Any, path: Path_) -> Any:
    changed = copy.deepcopy(record)
    place = changed
    for step in path[:-1]:
        place = place[step]
    del place[path[-1]]
    return changed


def becomes(kind: str, record: Any, path: Path_, now: dict[str, str]) -> tuple[set[str], set[str]]:
    """The places of `now` that say something else when this value of the record does, and those that are gone."""
    for changed in changes(record, path, kind):
        made = mapped(kind, changed)
        if made is not None:
            then = said(made)
            other = {place for place, what in now.items() if place in then and then[place] != what}
            gone = now.keys() - then.keys()
            if other or gone:
                return other, gone
    return set(), set()


def place_in_record(record: Any, path: Path_) -> str:
    """`goals[home].targets.due`: parts by their own id where they have one."""
    text, value = "", record
    for step in path:
        value = value[step]
        if isinstance(step, int):
            own = next(
                (value[k] for k in ("id", "question", "name") if isinstance(value, dict) and k in value),
                step + 1,
            )
            text += f"[{own}]"
        else:
            text += f".{step}" if text else step
    return text


@cache
def serving() -> dict[str, list[int]]:
    """Field → the numbers of the requirements it serves, as docs/requirements.md has them."""
    found: dict[str, list[int]] = {}
    for line in (ROOT / "docs" / "requirements.md").read_text(encoding="utf-8").splitlines():
        if match := re.match(r"\| (\d+) \|", line):
            for field in re.findall(r"`([^`]+)`", line.split(" | ")[2]):
                found.setdefault(field, []).append(int(match[1]))
    return found


def served(kind: str, path: Path_) -> str:
    names = [step for step in path if isinstance(step, str)]
    fields = [f"{kind}.{'.'.join(names[:length])}" for length in range(1, len(names) + 1)]
    numbers = sorted({number for field in fields for number in serving().get(field, ())})
    return ", ".join(f"#{number}" for number in numbers)


def cell(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace("|", "\\|").replace("\n", "<br>")


def grouped(places: list[str], now: dict[str, str], called: dict[str, str]) -> list[str]:
    """One line a place; the same thing said in the same element of many resources is one line."""
    alike: dict[tuple[str, str], list[str]] = {}
    for place in places:
        kind, _, element = place.partition(".")
        plain = f"{kind.partition('/')[0]}.{re.sub(r'#[0-9]+', '', element)}"
        alike.setdefault((plain, now[place]), []).append(f"{called[kind]}.{element.replace('#', ' ')}")
    return [
        f"**{cell(f'{plain} ×{len(those)}' if len(those) > 1 else those[0])}** {cell(what)}"
        for (plain, what), those in alike.items()
    ]


@dataclass
class Line:
    """A line of a record: where, what it says there, and the places in FHIR that follow it or go with it."""

    path: Path_
    value: Any
    other: set[str]
    gone: set[str]


def lines(kind: str, record: Any, now: dict[str, str]) -> list[Line]:
    """A question is told with its answer, and the id of a part not at all."""
    found: list[Line] = []
    question: set[str] = set()
    for path, value in leaves(record):
        other, gone = becomes(kind, record, path, now) if path[-1] != "id" else (set(), set())
        if path[-1] == "question":
            question = other | gone
        elif path[-1] != "id":
            found.append(Line(path, value, other, gone | (question - other)))
            question = set()
    return found


def owned(told: list[Line], now: dict[str, str]) -> dict[int, list[str]]:
    """Line → its places: those that follow it or go with it and hardly any other; else the nearest line."""
    owners: dict[int, list[str]] = {}
    for place in now:
        following = [number for number, line in enumerate(told) if place in line.other]
        going = [number for number, line in enumerate(told) if place in line.gone]
        closest = sorted(going, key=lambda number: len(told[number].gone))[:1]
        few = [number for number in going if len(told[number].gone) <= FEW]
        for number in sorted({*following, *few}) or closest:
            owners.setdefault(number, []).append(place)
    return owners


def pair_of(path: Path) -> str:
    """One pair: its lines, then what is said beside them."""
    kind, name = path.parent.name, path.name.removesuffix(".record.json")
    record = json.loads(path.read_text(encoding="utf-8"))
    resources: list[JsonObject] = decode(fhir_side(path).read_bytes())
    now, called = said(resources), names(resources)
    told = lines(kind, record, now)
    owners = owned(told, now)
    rows = [row(kind, record, line, grouped(owners.get(n, []), now, called)) for n, line in enumerate(told)]
    claimed = {place for places in owners.values() for place in places}
    rest = grouped([place for place in now if place not in claimed], now, called)
    beside = f"\nBeside it, without a line of the record: {'; '.join(rest)}\n" if rest else ""
    source = " · ".join(
        f"[{side}](../../tests/golden/{kind}/{name}.{end}.json)"
        for side, end in (("record", "record"), ("FHIR", "fhir"))
    )
    head = "| in the record | in FHIR | serves |\n|---|---|---|\n"
    return f"## {name.replace('-', ' ').capitalize()}\n\n{source}\n\n{head}" + "\n".join(rows) + "\n" + beside


def row(kind: str, record: Any, line: Line, places: list[str]) -> str:
    told = coding(line.value) if isinstance(line.value, dict) else shown(line.value)
    return (
        f"| {cell(place_in_record(record, line.path))}: **{cell(told)}** | {'<br>'.join(places)} "
        f"| {served(kind, line.path)} |"
    )


def page(kind: str) -> str:
    """The page of one kind."""
    title = kind.replace("-", " ").capitalize().replace("Gpra", "GPRA")
    numbers = "Numbers are those of [the requirements](../requirements.md)."
    intro = f"# {title}, side by side\n\n{GENERATED}\n\n{numbers}\n\n"
    return intro + "\n".join(pair_of(path) for path in PAIRS if path.parent.name == kind)


GENERATED = "<!-- written by scripts/write_golden.py from tests/golden: edit there -->"


def index() -> str:
    rows = []
    for kind in kinds:
        names = [
            path.name.removesuffix(".record.json").replace("-", " ")
            for path in PAIRS
            if path.parent.name == kind
        ]
        rows.append(f"| [{kind}]({kind}.md) | {len(names)} | {', '.join(names)} |")
    intro = (
        "What a record says and what it becomes, line beside line, for those who know the work and not the format.\n"
        "Each pair is held by `tests/golden`: the record becomes the FHIR, the FHIR becomes the record again, and our\n"
        "validator and the official Java one find no error in it. Names and numbers are invented."
    )
    return (
        f"# Golden pairs\n\n{GENERATED}\n\n{intro}\n\n| kind | pairs | which |\n|---|---|---|\n"
        + "\n".join(rows)
        + "\n"
    )


def pages() -> dict[str, str]:
    """File name → what is in it."""
    return {"README.md": index(), **{f"{kind}.md": page(kind) for kind in kinds}}


def main() -> None:
    PAGES.mkdir(exist_ok=True)
    for name, content in pages().items():
        (PAGES / name).write_text(content, encoding="utf-8")


if __name__ == "__main__":
    main()
