"""Sorting the values of a sliced element into its slices, and what follows from where they land.

https://hl7.org/fhir/R4/profiling.html#slicing
"""

from collections.abc import Callable

from service.fhir.validate.discriminator import Test, tests_of
from service.fhir.validate.instance import Item
from service.fhir.validate.matching import written
from service.fhir.validate.overlay import Rule, Slicing
from service.fhir.validate.place import Place
from service.fhir.validate.run import Run

CheckSlice = Callable[[Run, Rule, list[Item], Place], None]
_OTHER = -1


def check_slicing(run: Run, rule: Rule, items: list[Item], owner: Place, check_slice: CheckSlice) -> None:
    """Put each value into its slice, then check every slice, and the order and closedness of the whole."""
    slicing = rule.slicing
    if slicing is None:
        return
    sorted_: dict[str, list[Item]] = {each.slice: [] for each in slicing.slices}
    positions: list[tuple[int, Item]] = []
    unsure: set[str] = set()
    for item in items:
        sure, perhaps = _matches(run, slicing, item)
        if len(sure) > 1:
            _ambiguous(run, rule, sure, item)
        elif sure:
            sorted_[sure[0].slice].append(item)
            positions.append((slicing.slices.index(sure[0]), item))
        elif perhaps:
            unsure.update(each.slice for each in perhaps)
        else:
            positions.append((_OTHER, item))
            if slicing.closed:
                _outside(run, rule, slicing, item)
    if slicing.ordered:
        _order(run, rule, slicing, positions)
    for each in slicing.slices:
        doubt = each.slice in unsure
        _check_one(run, each, sorted_[each.slice], owner, unsure=doubt, check_slice=check_slice)


def _check_one(
    run: Run, rule: Rule, items: list[Item], owner: Place, *, unsure: bool, check_slice: CheckSlice
) -> None:
    at = (owner, rule.name, -1)
    if len(items) < rule.least and not unsure:
        few = f"found {len(items)}" if items else "found none"
        finding = f"the slice {rule.label} is required at least {_times(rule.least)}, {few}{_looks(rule)}"
        run.report(at, "required", rule.slice, rule.source, finding)
    if rule.most is not None and len(items) > rule.most:
        finding = f"the slice {rule.label} is allowed at most {_times(rule.most)}, found {len(items)}"
        run.report(at, "structure", rule.slice, rule.source, finding)
    if items:
        check_slice(run, rule, items, owner)


def _looks(rule: Rule) -> str:
    """How a value of the slice is known, as far as one fixed value or pattern tells."""
    for each in (rule, *rule.children):
        shape = each.fixed or each.pattern
        if shape is not None:
            where = "" if each is rule else f"{each.name} "
            return f"; it is known by {where}{written(shape[1])}"
    return ""


def _times(number: int) -> str:
    return "once" if number == 1 else f"{number} times"


def _matches(run: Run, slicing: Slicing, item: Item) -> tuple[list[Rule], list[Rule]]:
    sure: list[Rule] = []
    perhaps: list[Rule] = []
    for each in slicing.slices:
        tests = slicing.tests.get(each.slice)
        if tests is None:
            tests = _compile(run, slicing, each)
        answer = _all(run, tests, item)
        if answer:
            sure.append(each)
        elif answer is None:
            perhaps.append(each)
    return sure, perhaps


def _compile(run: Run, slicing: Slicing, rule: Rule) -> list[Test]:
    tests: list[Test] = []
    if rule.branch is not None:
        tests = tests_of(run.definitions, rule.branch, slicing.by)
    slicing.tests[rule.slice] = tests
    return tests


def _all(run: Run, tests: list[Test], item: Item) -> bool | None:
    if not tests:
        return None
    answer: bool | None = True
    for test in tests:
        verdict = test(run, item)
        if verdict is False:
            return False
        if verdict is None:
            answer = None
    return answer


def _ambiguous(run: Run, rule: Rule, sure: list[Rule], item: Item) -> None:
    names = " and ".join(each.slice for each in sure)
    finding = f"the value belongs to more than one slice of {rule.label}: {names}"
    run.report(item.place, "structure", "slicing-ambiguous", rule.source, finding)


def _outside(run: Run, rule: Rule, slicing: Slicing, item: Item) -> None:
    names = ", ".join(each.slice for each in slicing.slices)
    finding = f"the value is none of the slices {rule.label} allows ({names}), and the slicing is closed"
    run.report(item.place, "structure", "slicing-closed", rule.source, finding)


def _order(run: Run, rule: Rule, slicing: Slicing, positions: list[tuple[int, Item]]) -> None:
    last, ended = 0, False
    for index, item in positions:
        if index == _OTHER:
            ended = ended or slicing.open_at_end
            continue
        if ended or index < last:
            name = slicing.slices[index].slice
            finding = f"the slice {name} stands in the wrong order in {rule.label}"
            run.report(item.place, "structure", "slicing-order", rule.source, finding)
        last = max(last, index)
