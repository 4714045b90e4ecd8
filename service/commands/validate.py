"""`casebridge validate FILE…`: the service's own validator, for files. Needs no database."""

import sys
from pathlib import Path
from typing import Annotated, Literal

import typer

from service.commands.running import settings as chosen_settings
from service.fhir.json import BadJson, Json, JsonObject, decode, pretty
from service.fhir.outcome import Issue, operation_outcome
from service.fhir.validate import BrokenPackage
from service.fhir.xml import BadXml, from_xml
from service.wiring import validator

STANDARD_INPUT = "-"


def validate(
    files: Annotated[list[str], typer.Argument(help="FHIR JSON, NDJSON or XML; - for standard input")],
    profile: Annotated[
        list[str] | None, typer.Option(help="a profile they must meet; may be given again")
    ] = None,
    format: Annotated[
        Literal["text", "json"], typer.Option(help="one line an issue, or an OperationOutcome")
    ] = "text",
) -> None:
    """Say what is wrong with FHIR resources; exit 1 when something is an error."""
    guides = tuple(str(guide) for guide in chosen_settings().guides)
    try:
        rules = validator(guides)
    except BrokenPackage as broken:
        print(f"casebridge: {broken}", file=sys.stderr)
        raise typer.Exit(1) from None
    found = [(file, issue) for file in files for issue in _findings(rules.validate, file, profile or [])]
    if format == "json":
        shown = [_in_file(file, issue) if len(files) > 1 else issue for file, issue in found]
        print(pretty(operation_outcome(shown)).decode())
    else:
        for file, issue in found:
            print(_line(file, issue))
        if not found:
            print("All OK")
    if any(issue.fails for _, issue in found):
        raise typer.Exit(1)


def _findings(check, file: str, profiles: list[str]) -> list[Issue]:  # type: ignore[no-untyped-def]
    """All issues of all resources in a file."""
    try:
        raw = sys.stdin.buffer.read() if file == STANDARD_INPUT else Path(file).read_bytes()
    except OSError as error:
        return [Issue("fatal", "not-found", f"cannot be read: {error.strerror}")]
    try:
        resources = _resources(file, raw)
    except (BadJson, BadXml) as error:
        return [Issue("fatal", "structure", str(error))]
    found: list[Issue] = []
    for resource in resources:
        if isinstance(resource, dict) and isinstance(resource.get("resourceType"), str):
            found += check(resource, profiles)
        else:
            found.append(Issue("fatal", "structure", "this is not a resource: it has no `resourceType`"))
    return found


def _resources(file: str, raw: bytes) -> list[Json] | list[JsonObject]:
    if file.endswith(".ndjson"):
        return [decode(line) for line in raw.splitlines() if line.strip()]
    if file.endswith(".xml") or raw.lstrip()[:1] == b"<":
        return [from_xml(raw)]
    return [decode(raw)]


def _line(file: str, issue: Issue) -> str:
    place = (
        f" {issue.expression}:" if issue.expression and not issue.text.startswith(issue.expression) else ""
    )
    rule = f" [{issue.rule}]" if issue.rule else ""
    return f"{file}: {issue.severity}:{place} {issue.text}{rule}"


def _in_file(file: str, issue: Issue) -> Issue:
    return Issue(
        issue.severity, issue.code, f"{file}: {issue.text}", issue.expression, issue.rule, issue.source
    )
