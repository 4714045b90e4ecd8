"""Compare our validator with the official Java validator, and write down where they agree.

    .venv/bin/python scripts/oracle.py [--packages DIR] [--also FOLDER ...] [--keep DIR]

Runs the HL7/HAPI validator (oracle/, one JVM) over our profiles and examples, the seeded faults of
oracle/faults.json, folders given with `--also`, and the example resources of the guides in `--packages`, with
our profiles and the guides loaded. Prints a table, every difference with its cause (oracle/causes.json; where
one side is stricter by intent, oracle/differences.json), and writes the verdicts to
tests/fhir/validate/verdicts.json, which `make test` checks without Java. Exit 1 when the two disagree about
something of ours.
"""

import argparse
import copy
import hashlib
import json
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from service.fhir.json import BadJson, decode, encode
from service.fhir.validate import Validator, load

ROOT = Path(__file__).resolve().parent.parent
ORACLE = ROOT / "oracle"
PROFILES = ROOT / "fhir_profiles"
VERDICTS = ROOT / "tests" / "fhir" / "validate" / "verdicts.json"

GUIDES = (
    "hl7.fhir.us.core-7.0.0", "hl7.fhir.us.sdoh-clinicalcare-3.0.0", "hl7.fhir.uv.sdc-4.0.0",
    "hl7.fhir.uv.security-label-ds4p-1.0.0", "hl7.fhir.uv.subscriptions-backport.r4-1.1.0",
    "ihe.iti.balp-1.1.5-current", "hl7.fhir.uv.cow-1.0.0-ballot",
)  # fmt: skip
"""Loaded into the Java chain, in this order, after our own."""
EXAMPLES = ("hl7.fhir.r4.examples-4.0.1", *GUIDES)
FOLDERS = {"profiles": "package", "terms": "terms", "instruments": "instruments", "examples": "examples"}
OURS = ("profiles", "terms", "instruments", "examples", "golden", "faults", "also")
NO_INSTANCE = {
    "StructureDefinition", "CodeSystem", "ValueSet", "ConceptMap", "SearchParameter", "CapabilityStatement",
    "OperationDefinition", "ImplementationGuide", "NamingSystem", "StructureMap", "CompartmentDefinition",
    "ActorDefinition", "Requirements", "SubscriptionTopic",
}  # fmt: skip
"""In a guide these are its definitions (some of them R5), not examples of use."""


@dataclass
class Compared:
    """What both validators say of one file."""

    suite: str
    name: str
    digest: str
    java: list[str]
    """Error-level findings, `location id`, without those a cause explains."""
    excused: list[str]
    """Causes of the findings left out."""
    ours: list[str] = field(default_factory=list)
    """Error-level findings, `expression rule`."""

    @property
    def agreed(self) -> bool:
        """Both accept, or both refuse."""
        return bool(self.java) == bool(self.ours)


def examples_of(archive: Path, work: Path) -> Path:
    """Unpack the instances of a guide to a folder of their own."""
    folder = work / archive.name.removesuffix(".tgz")
    folder.mkdir(parents=True, exist_ok=True)
    with tarfile.open(archive) as packed:
        for member in packed:
            name = Path(member.name).name
            stream = packed.extractfile(member) if name.endswith(".json") else None
            content = stream.read() if stream is not None else b""
            if type_of(content) and (type_of(content) not in NO_INSTANCE or "examples" in archive.name):
                (folder / name).write_bytes(content)
    return folder


def type_of(content: bytes) -> str | None:
    """The resource type a file claims, without reading all of it."""
    found = re.search(rb'"resourceType"\s*:\s*"(\w+)"', content)
    return found[1].decode() if found else None


def seed_faults(work: Path) -> Path:
    """Write each fault of oracle/faults.json, made in a copy of an example of ours, to a folder."""
    folder = work / "faults"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for fault in json.loads((ORACLE / "faults.json").read_text(encoding="utf-8")):
        resource = json.loads((PROFILES / "examples" / fault["example"]).read_text(encoding="utf-8"))
        for path, value in fault["set"].items():
            edit(resource, path.split("/"), value)
        (folder / f"{fault['name']}.json").write_text(json.dumps(resource, indent=1), encoding="utf-8")
    return folder


def golden_of(work: Path) -> Path:
    """Write every resource the golden pairs say we author to a folder of files, one a resource."""
    folder = work / "golden"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for pair in sorted((ROOT / "tests" / "golden").rglob("*.fhir.json")):
        resources: Any = decode(pair.read_bytes())
        for number, resource in enumerate(resources if isinstance(resources, list) else [resources]):
            name = f"{pair.parent.name}.{pair.name.removesuffix('.fhir.json')}.{number}.json"
            (folder / name).write_bytes(encode(resource))
    return folder


def edit(node: Any, path: list[str], value: Any) -> None:
    """Set the value at a path (`name/0/family`; `-` appends); null removes what is there."""
    key: Any = path[0] if isinstance(node, dict) else (len(node) if path[0] == "-" else int(path[0]))
    if len(path) > 1:
        edit(node[key], path[1:], value)
    elif value is None:
        del node[key]
    elif isinstance(node, list):
        node[key : key + 1] = [copy.deepcopy(value)]
    else:
        node[key] = copy.deepcopy(value)


def ask_java(packages: Path, folders: Iterable[Path]) -> list[dict[str, Any]]:
    """Build the oracle where needed, run it once over all folders, and answer its lines."""
    target = ORACLE / "target"
    sources = [ORACLE / "pom.xml", *ORACLE.rglob("*.java")]
    built = target / "classpath"
    if not built.exists() or any(source.stat().st_mtime > built.stat().st_mtime for source in sources):
        subprocess.run(["mvn", "-q", "-B", "-f", str(ORACLE / "pom.xml"), "package"], check=True)
    classpath = f"{target / 'classes'}:{built.read_text(encoding='utf-8').strip()}"
    command = ["java", "-Xmx3g", "-cp", classpath, "example.casebridge.oracle.Oracle"]
    for package in (
        *(PROFILES / own for own in ("package", "terms", "instruments")),
        *(packages / f"{g}.tgz" for g in GUIDES),
    ):
        command += ["--package", str(package)] if package.exists() else []
    command += ["--", *map(str, folders)]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    return [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]


def excuse(errors: list[dict[str, str]], causes: list[dict[str, str]]) -> tuple[list[str], list[str]]:
    """Split the Java findings into those that decide and the causes of those that do not.

    A value set that cannot be expanded excuses the binding errors at the same place.
    """
    deciding, excused = [], []
    blind = {e["location"] for e in errors if re.search(causes[0]["match"], e["text"])}
    for error in errors:
        said = f"{error['id']} {error['text']}"
        cause = next((c["cause"] for c in causes if re.search(c["match"], said)), None)
        if "modifierExtension" in error["location"]:
            cause = None
        if cause is None and error["location"] in blind and "Terminology_TX" in error["id"]:
            cause = "terminology"
        if cause is None:
            deciding.append(f"{error['location']} {error['id'].split('#')[-1]}: {error['text'][:140]}")
        else:
            excused.append(cause)
    return deciding, sorted(set(excused))


def ask_ours(validator: Validator, content: bytes) -> list[str]:
    """Our error-level findings about one file."""
    try:
        resource = decode(content)
    except BadJson as problem:
        return [f"$ json {problem}"]
    if not isinstance(resource, dict):
        return ["$ json not an object"]
    return [f"{issue.expression} {issue.rule}" for issue in validator.validate(resource) if issue.fails]


def compare(validator: Validator, suites: dict[Path, str], lines: list[dict[str, Any]]) -> list[Compared]:
    """Put both verdicts side by side, file by file."""
    causes = json.loads((ORACLE / "causes.json").read_text(encoding="utf-8"))
    rows = []
    for line in lines:
        file = Path(line["file"])
        content = file.read_bytes()
        deciding, excused = excuse(line["errors"], causes)
        if line.get("crash"):
            deciding.append(f"crash {line['crash']}")
        digest = hashlib.sha256(content).hexdigest()[:16]
        row = Compared(
            suites[file.parent], file.name, digest, deciding, excused, ask_ours(validator, content)
        )
        rows.append(row)
    return rows


def report(rows: list[Compared]) -> None:
    """Print figures by suite, then every difference."""
    print(f"{'suite':44} {'files':>6} {'valid':>6} {'invalid':>8} {'java only':>10} {'ours only':>10}")
    for suite in dict.fromkeys(row.suite for row in rows):
        mine = [row for row in rows if row.suite == suite]
        java_only = sum(bool(row.java) and not row.ours for row in mine)
        ours_only = sum(bool(row.ours) and not row.java for row in mine)
        invalid = sum(bool(row.ours) and bool(row.java) for row in mine)
        valid = len(mine) - invalid - java_only - ours_only
        print(f"{suite:44} {len(mine):6} {valid:6} {invalid:8} {java_only:10} {ours_only:10}")
    for row in (row for row in rows if not row.agreed):
        print(f"\n{row.suite}/{row.name}")
        for said in row.java[:5]:
            print(f"  java: {said}")
        for said in row.ours[:5]:
            print(f"  ours: {said}")


def record(rows: list[Compared]) -> None:
    """Write the agreed verdicts, and the differences, as data for `make test`."""
    agreed: dict[str, dict[str, Any]] = {}
    for row in (row for row in rows if row.agreed and row.suite not in ("golden", "also")):
        verdict = "invalid" if row.java else "valid"
        agreed.setdefault(row.suite, {})[row.name] = f"{verdict} {row.digest}"
    known = json.loads((ORACLE / "differences.json").read_text(encoding="utf-8"))
    causes = {file: each["why"] for each in known for file in each.get("files", ())}
    differences = [
        {"suite": row.suite, "file": row.name, "java": row.java[:3], "ours": row.ours[:3],
         "cause": causes.get(row.name, "")}
        for row in rows
        if not row.agreed
    ]  # fmt: skip
    hapi = re.findall(r"<hapi.version>(.*?)<", (ORACLE / "pom.xml").read_text(encoding="utf-8"))[0]
    content = {"oracle": f"HAPI FHIR {hapi}", "verdicts": agreed, "differences": differences}
    VERDICTS.parent.mkdir(parents=True, exist_ok=True)
    VERDICTS.write_text(json.dumps(content, indent=1, sort_keys=True) + "\n", encoding="utf-8")


def main() -> None:
    """Run the comparison."""
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    options.add_argument("--packages", type=Path, default=Path("/work/shared/fhir-packages"))
    options.add_argument("--also", type=Path, nargs="*", default=[], help="further folders of resources")
    options.add_argument("--keep", type=Path, help="work in this folder and leave it")
    chosen = options.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        work = chosen.keep or Path(temporary)
        suites = {PROFILES / folder: suite for suite, folder in FOLDERS.items()}
        suites |= {golden_of(work): "golden", seed_faults(work): "faults"}
        suites |= {folder.resolve(): "also" for folder in chosen.also}
        for name in EXAMPLES:
            if (chosen.packages / f"{name}.tgz").exists():
                suites[examples_of(chosen.packages / f"{name}.tgz", work)] = name
        rows = compare(load(), suites, ask_java(chosen.packages, [s for s in suites if s.is_dir()]))
    report(rows)
    record(rows)
    sys.exit(any(not row.agreed and row.suite in OURS for row in rows))


if __name__ == "__main__":
    main()
