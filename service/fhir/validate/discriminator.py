"""Which slice does a value belong to? Discriminators compiled to tests on values.

https://hl7.org/fhir/R4/profiling.html#discriminator. A test answers True, False, or None when the value does
not tell (a reference that cannot be resolved here). A discriminator a slice does not constrain has no test.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from service.fhir.json import Json
from service.fhir.validate.definitions import Definitions
from service.fhir.validate.instance import Item, Step, Steps, follow, members, parse
from service.fhir.validate.matching import contains, equals, extract
from service.fhir.validate.overlay import exact
from service.fhir.validate.run import Run
from service.fhir.validate.tree import Branch

Answer = bool | None
Value = Callable[[Run, Item], Answer]


@dataclass(frozen=True, slots=True)
class Test:
    """One discriminator of one slice: where to look, and what the values found there must be."""

    steps: Steps
    passes: Callable[[Run, Sequence[Item]], Answer]

    def __call__(self, run: Run, item: Item) -> Answer:
        """Does this value belong, as far as this discriminator tells?"""
        found = follow(run.resolve, item, self.steps)
        return None if found is None else self.passes(run, found)


def tests_of(definitions: Definitions, slice_: Branch, by: Sequence[tuple[str, str]]) -> list[Test]:
    """The tests of a slice; empty when its definition decides nothing."""
    return [test for kind, path in by if (test := _test(definitions, slice_, kind, parse(path))) is not None]


def _test(definitions: Definitions, branch: Branch, kind: str, steps: Steps) -> Test | None:
    if kind == "exists":
        return _exists(definitions, branch, steps)
    if kind == "type":
        types = frozenset(t for b in _reach(definitions, branch, steps) for t in _types(definitions, b))
        return Test(steps, lambda _, items: any(i.type in types for i in items)) if types else None
    if kind == "profile":
        return _profile(definitions, branch, steps)
    expected = _expected(definitions, branch, steps)
    return Test(steps, _any(expected)) if expected else None


def _any(expected: Value) -> Callable[[Run, Sequence[Item]], Answer]:
    def passes(run: Run, items: Sequence[Item]) -> Answer:
        answers = [None if item.partial else expected(run, item) for item in items]
        return True if True in answers else None if None in answers else False

    return passes


def _exists(definitions: Definitions, branch: Branch, steps: Steps) -> Test | None:
    for found in _reach(definitions, branch, steps):
        if found.row["max"] == "0":
            return Test(steps, lambda _, items: not items)
        if found.row["min"] >= 1:
            return Test(steps, lambda _, items: bool(items))
    return None


def _types(definitions: Definitions, branch: Branch) -> list[str]:
    row = branch.row
    if "." not in row["id"] and ":" not in row["id"]:
        return [definitions.type_of(branch.url)]
    if branch.slices:  # a choice sliced by type says with its slices which types it means
        return [code for inner in branch.slices.values() for code in _types(definitions, inner)]
    codes = [t["code"] for t in row.get("types", ())]
    return [] if codes == ["Resource"] else codes


def _profile(definitions: Definitions, branch: Branch, steps: Steps) -> Test | None:
    urls: list[str] = []
    if steps and steps[-1].kind == "resolve":
        for found in _reach(definitions, branch, steps[:-1]):
            urls += [url for t in found.row.get("types", ()) for url in t.get("target", ())]
    else:
        for found in _reach(definitions, branch, steps):
            urls += [url for t in found.row.get("types", ()) for url in t.get("profile", ())]
    return Test(steps, _conforms(definitions, tuple(urls))) if urls else None


def _conforms(definitions: Definitions, urls: tuple[str, ...]) -> Callable[[Run, Sequence[Item]], Answer]:
    def passes(run: Run, items: Sequence[Item]) -> Answer:
        answers: list[Answer] = []
        for item in items:
            fitting = [url for url in urls if definitions.type_of(url) in (item.type, "")]
            if not fitting:
                answers.append(False)
            elif item.partial:
                answers.append(None)
            else:
                answers.append(any(run.conforms(item, url) for url in fitting))
        return True if True in answers else None if None in answers else False

    return passes


def _reach(definitions: Definitions, branch: Branch, steps: Steps) -> list[Branch]:
    """The element definitions at the end of a path, through profiled types and resolved references."""
    if not steps:
        return [branch]
    head, rest = steps[0], steps[1:]
    found: list[Branch] = []
    for inner in _below(definitions, branch, head):
        found += _reach(definitions, inner, rest)
    return found


def _below(definitions: Definitions, branch: Branch, step: Step) -> list[Branch]:
    return _own(definitions, branch, step) + _inherited(definitions, branch, step)


def _inherited(definitions: Definitions, branch: Branch, step: Step) -> list[Branch]:
    if step.kind in ("resolve", "type"):
        return []
    return [
        found for tree in _trees(definitions, branch, "profile") for found in _below(definitions, tree, step)
    ]


def _own(definitions: Definitions, branch: Branch, step: Step) -> list[Branch]:
    if step.kind == "resolve":
        return _trees(definitions, branch, "target")
    if step.kind == "type":
        typed = [s for s in branch.slices.values() if step.argument in _types(definitions, s)]
        return typed or [branch]
    child = branch.children.get("extension" if step.kind == "extension" else step.argument)
    if child is None:
        return []
    if step.kind == "extension":
        return _extensions(child, step.argument)
    return [child, *(s for s in child.slices.values() if s.row["min"] >= 1)]


def _extensions(child: Branch, url: str) -> list[Branch]:
    return [s for s in child.slices.values() if url in (_extension_url(s), *_profiles(s, "profile"))]


def _extension_url(branch: Branch) -> str:
    fixed = branch.children["url"].row.get("fixed") if "url" in branch.children else None
    return str(fixed[1]) if fixed else ""


def _profiles(branch: Branch, kind: str) -> list[str]:
    return [url for t in branch.row.get("types", ()) for url in t.get(kind, ())]


def _trees(definitions: Definitions, branch: Branch, kind: str) -> list[Branch]:
    trees = [definitions.tree(url) for url in _profiles(branch, kind)]
    return [tree for tree in trees if tree is not None]


def _expected(definitions: Definitions, branch: Branch, steps: Steps) -> Value | None:
    shape = _shaped(branch, steps)
    if shape is not None:
        return shape
    if not steps:
        return _whole(definitions, branch)
    for inners in (_own(definitions, branch, steps[0]), _inherited(definitions, branch, steps[0])):
        answers = [e for inner in inners if (e := _expected(definitions, inner, steps[1:]))]
        if answers:
            return answers[0] if len(answers) == 1 else _either(answers)
    if steps == (Step("name", "url"),):
        urls = _profiles(branch, "profile")
        return (lambda _, item: item.value in urls) if urls else None
    return None


def _either(answers: list[Value]) -> Value:
    return lambda run, item: any(answer(run, item) for answer in answers)


def _shaped(branch: Branch, steps: Steps) -> Value | None:
    if any(step.kind != "name" for step in steps):
        return None
    names = tuple(step.argument for step in steps)
    for key, agree in (("fixed", equals), ("pattern", contains)):
        if key in branch.row:
            parts = extract(exact(branch.row[key][1]), names)
            if parts:
                return _agrees(agree, parts[0])
    return None


def _agrees(agree: Callable[[Json, Json], bool], wanted: Json) -> Value:
    return lambda _, item: agree(item.value, wanted)


def _whole(definitions: Definitions, branch: Branch) -> Value | None:
    binding = branch.row.get("binding")
    if binding:
        return lambda run, item: run.definitions.member_of(item.value, binding)
    inner = [(name, e) for name, child in branch.children.items() if (e := _required(definitions, child))]
    for tree in _trees(definitions, branch, "profile"):
        inner += [(name, e) for name, child in tree.children.items() if (e := _required(definitions, child))]
    if not inner:
        return None

    def every(run: Run, item: Item) -> Answer:
        owner = item.value if isinstance(item.value, dict) else {}
        return all(any(e(run, i) for i in members(owner, item.type, name, item.place)) for name, e in inner)

    return every


def _required(definitions: Definitions, child: Branch) -> Value | None:
    if child.row["min"] < 1:
        return None
    found = _shaped(child, ())
    if found is None and not child.row.get("binding"):
        found = _whole(definitions, child)
    if found is not None:
        return found
    slices = [s for s in child.slices.values() if s.row["min"] >= 1]
    return next((e for s in slices if (e := _required(definitions, s))), None)
