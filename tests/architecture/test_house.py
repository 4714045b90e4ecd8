"""The rules of the house that import contracts cannot say."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from service.fhir.catalogue import catalogue
from service.kernel.events import CATALOGUE

ROOT = Path(__file__).resolve().parents[2]
SERVICE = ROOT / "service"


def sources(*folders: str) -> Iterator[tuple[Path, ast.Module]]:
    for folder in folders:
        for path in sorted((SERVICE / folder).rglob("*.py")):
            yield path.relative_to(ROOT), ast.parse(path.read_text())


def calls(tree: ast.AST) -> Iterator[tuple[str, int]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            yield ast.unparse(node.func), node.lineno


def test_only_the_unit_commits() -> None:
    guilty = [
        f"{path}:{line} {name}"
        for path, tree in sources(".")
        for name, line in calls(tree)
        if re.search(r"\.(transaction|commit)$", name) and path.name != "unit.py"
    ]
    assert guilty == []


def test_only_consent_makes_permits_and_released_documents() -> None:
    guilty = [
        f"{path}:{line}"
        for path, tree in sources(".")
        for name, line in calls(tree)
        if name.split(".")[-1] in ("Permit", "Released")
        and path.as_posix() not in ("service/consent/decide.py", "service/consent/release.py")
    ]
    assert guilty == []


def test_pure_rings_never_ask_the_time_or_chance() -> None:
    forbidden = re.compile(
        r"^(datetime\.now|datetime\.utcnow|date\.today|time\.\w+|random\.\w+|secrets\.\w+|uuid\.uuid[14]|new_id|system_clock|open)$"
    )
    guilty = [
        f"{path}:{line} {name}"
        for path, tree in sources("mapping", "consent", "referral", "delivery", "coordination", "casework")
        for name, line in calls(tree)
        if forbidden.match(name)
    ]
    assert guilty == []


def test_nothing_but_settings_reads_the_environment() -> None:
    """Commands may: they start other processes with an environment of their making."""
    guilty = [
        f"{path}:{node.lineno}"
        for path, tree in sources(".")
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute)
        and ast.unparse(node) in ("os.environ", "os.getenv")
        and path.as_posix() != "service/settings.py"
        and not {"commands", "simulator"} & set(path.parts)
    ]
    assert guilty == []


def test_nothing_is_logged_but_by_the_catalogue() -> None:
    """`kernel.events.log` with names and fields it knows; no print, no logger, no traceback where clients' data is.

    Commands speak to who typed them, and the simulator is somebody else's system.
    """
    guilty, quiet = (
        [],
        ("service/kernel/events.py", "service/store/embedded.py"),
    )  # the second silences a library
    for path, tree in sources("."):
        if {"commands", "simulator"} & set(path.parts) or path.as_posix() in quiet:
            continue
        for node in ast.walk(tree):
            modules = [each.name for each in node.names] if isinstance(node, ast.Import) else []
            modules += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            called = ast.unparse(node.func) if isinstance(node, ast.Call) else ""
            if {"logging", "traceback", "warnings"} & set(modules) or called in ("print", "sys.stderr.write"):
                guilty.append(f"{path}:{node.lineno}")
            if called == "log":
                event = node.args[0].value if isinstance(node.args[0], ast.Constant) else None
                fields = {keyword.arg for keyword in node.keywords}
                if event and (event not in CATALOGUE or not fields <= CATALOGUE[event][1]):
                    guilty.append(f"{path}:{node.lineno} {event}")
    assert guilty == []


def test_no_feature_asks_for_a_resource_type_that_the_catalogue_could_tell() -> None:
    """Comparisons with a type's name live where that type's own story is: the referral's Task, the Bundle."""
    home = {"mapping", "consent", "referral", "fhir", "simulator"}
    known = {
        ("service/flows/keep.py", "Task"), ("service/flows/create.py", "Task"), ("service/flows/delete.py", "Task"),
        ("service/flows/writing.py", "Patient"), ("service/flows/advance_referral.py", "ServiceRequest"),
        ("service/flows/follow_tasks.py", "Task"), ("service/flows/follow_tasks.py", "Bundle"),
        ("service/flows/receive_record.py", "Task"), ("service/flows/show_record.py", "Patient"),
        ("service/flows/withdraw_record.py", "Task"), ("service/flows/keep.py", "Organization"),
        ("service/flows/keep.py", "Subscription"), ("service/flows/delete.py", "Subscription"),
        ("service/remote/partner.py", "Subscription"), ("service/flows/subscriptions/poll.py", "Bundle"),
        ("service/flows/questionnaire.py", "Questionnaire"), ("service/flows/questionnaire.py", "QuestionnaireResponse"),
    }  # fmt: skip
    types = {*catalogue, "Bundle"}
    found = {
        (path.as_posix(), constant.value)
        for path, tree in sources(".")
        if path.parts[1] not in home
        for node in ast.walk(tree)
        if isinstance(node, ast.Compare)
        for constant in ast.walk(node)
        if isinstance(constant, ast.Constant) and constant.value in types
    }
    assert found <= known, found - known


def test_no_room_is_called_after_nothing() -> None:
    names = {path.stem for path, _ in sources(".")} | {path.parent.name for path, _ in sources(".")}
    assert names.isdisjoint(
        {"utils", "util", "common", "helpers", "helper", "base", "manager", "managers", "misc"}
    )


def test_every_public_function_says_what_it_is_for() -> None:
    silent = [
        f"{path}:{node.lineno} {node.name}"
        for path, tree in sources(".")
        for node in tree.body
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)
        and not node.name.startswith("_")
        and ast.get_docstring(node) is None
    ]
    assert silent == []
