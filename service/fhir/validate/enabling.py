"""Is an item of a Questionnaire enabled, given what has been answered so far?

https://hl7.org/fhir/R4/questionnaire-definitions.html#Questionnaire.item.enableWhen. The answers that count
are the nearest: those inside the same group first, then those of the groups around it.
"""

from collections.abc import Callable, Iterator, Sequence
from decimal import Decimal

from service.fhir.json import Json, JsonObject
from service.fhir.validate.items import Definition, objects
from service.fhir.validate.matching import equals

Comparison = Callable[[Json, Json], bool]


class Given:
    """What has been answered, by linkId, for the whole response and for each group: indexed once."""

    def __init__(self) -> None:
        self._known: dict[int, dict[str, list[JsonObject]]] = {}

    def below(self, owner: JsonObject, link: str) -> list[JsonObject]:
        """The items with this linkId anywhere below an item, an answer, or the response."""
        index = self._known.get(id(owner))
        if index is None:
            index = self._known[id(owner)] = {}
            for item in _below(owner):
                index.setdefault(str(item.get("linkId")), []).append(item)
        return index.get(link, [])


def enabled(item: Definition, around: Sequence[JsonObject], given: Given) -> bool:
    """True when the item may be answered. `around`: the response, then the items around this one."""
    if "enableWhen" not in item.facts:
        return True
    conditions = objects(item.facts["enableWhen"])
    if not conditions:
        return True
    answers = (_holds(condition, around, given) for condition in conditions)
    return all(answers) if item.facts.get("enableBehavior") == "all" else any(answers)


def _holds(condition: JsonObject, around: Sequence[JsonObject], known: Given) -> bool:
    question, operator = condition.get("question"), condition.get("operator")
    wanted = next((value for key, value in condition.items() if key.startswith("answer")), None)
    given = _nearest(str(question), around, known)
    if operator == "exists":
        return bool(given) is (wanted is not False)
    if operator == "!=":
        return bool(given) and not any(_same(value, wanted) for value in given)
    compare = COMPARISONS.get(str(operator))
    return compare is not None and any(compare(value, wanted) for value in given)


def _nearest(link: str, around: Sequence[JsonObject], known: Given) -> list[Json]:
    for owner in reversed(around):
        found = known.below(owner, link)
        if found:
            return [value for item in found for value in values(item)]
    return []


def _below(owner: JsonObject) -> Iterator[JsonObject]:
    for item in objects(owner.get("item")):
        yield item
        yield from _below(item)
        for answer in objects(item.get("answer")):
            yield from _below(answer)


def values(item: JsonObject) -> list[Json]:
    """The answered values of a response item."""
    return [
        value
        for answer in objects(item.get("answer"))
        for key, value in answer.items()
        if key.startswith("value")
    ]


def _same(value: Json, wanted: Json) -> bool:
    if isinstance(value, dict) and isinstance(wanted, dict) and "code" in wanted:
        mine, theirs = value.get("system"), wanted.get("system")
        if "value" in wanted and not equals(value.get("value"), wanted["value"]):
            return False
        return value.get("code") == wanted.get("code") and (mine == theirs or theirs is None)
    return equals(value, wanted)


def ordered(value: Json, other: Json) -> int | None:
    """-1, 0 or 1 as value is below, equal to or above other; None when they cannot be compared."""
    if isinstance(value, dict) and isinstance(other, dict):
        if value.get("code", value.get("unit")) != other.get("code", other.get("unit")):
            return None
        return ordered(value.get("value"), other.get("value"))
    if isinstance(value, bool) or isinstance(other, bool):
        return None
    if isinstance(value, (int, Decimal, float)) and isinstance(other, (int, Decimal, float)):
        left, right = Decimal(str(value)), Decimal(str(other))
        return (left > right) - (left < right)
    if isinstance(value, str) and isinstance(other, str):
        known = min(len(value), len(other))
        a, b = value[:known], other[:known]
        return (a > b) - (a < b)
    return None


def _compared(accepted: tuple[int, ...]) -> Comparison:
    return lambda value, wanted: ordered(value, wanted) in accepted


COMPARISONS: dict[str, Comparison] = {
    "=": _same,
    ">": _compared((1,)),
    "<": _compared((-1,)),
    ">=": _compared((0, 1)),
    "<=": _compared((-1, 0)),
}
