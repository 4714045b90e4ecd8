"""One parameter with its modifier and value to a condition. https://hl7.org/fhir/R4/search.html#ptypes"""

from collections.abc import Callable

from service.fhir import r4
from service.fhir.references import ID, local
from service.fhir.search import keys, near, terms
from service.fhir.search.amounts import amount, moment, quantity
from service.fhir.search.asking import MAX_ALTERNATIVES, Asking, Wrong
from service.fhir.search.escapes import plain, split
from service.fhir.search.folding import fold
from service.fhir.search.parameters import Parameter
from service.fhir.search.query import (
    NOTHING,
    Condition,
    Dates,
    Ids,
    Keys,
    Numbers,
    OneOf,
    Strings,
    Updated,
)  # fmt: skip

_COMMON = frozenset({
    "owner", "requester", "performer", "organization", "location", "author", "recipient", "service-provider",
    "participant", "practitioner", "recorder", "source", "agent", "actor", "questionnaire",
    "managing-organization", "instantiates-canonical", "general-practitioner", "care-team",
    "primary-organization",
})  # fmt: skip
"""References of which one value may name a large part of all rows: left to the planner's statistics."""

_RARE_TOKENS = frozenset({"email", "phone", "telecom"})


def condition(asking: Asking, code: str, modifier: str, value: str) -> Condition:
    """The condition of `code[:modifier]=value` for the types asked. Raises Wrong or Unknown."""
    parameter = asking.parameter(code)
    if code == "_id":
        return _id(parameter, modifier, alternatives(code, value))
    if modifier == "missing":
        return _missing(asking, parameter, value)
    read = _BY_KIND.get(parameter.type)
    if read is None:
        raise Wrong(f"{code} is not offered", "not-supported")
    return read(asking, parameter, modifier, alternatives(code, value))


def alternatives(code: str, value: str) -> list[str]:
    """The comma-separated alternatives, still escaped; never an empty one."""
    found = split(value, ",")
    if not all(found):
        raise Wrong(f"{code} has an empty value")
    if len(found) > MAX_ALTERNATIVES:
        raise Wrong(f"{code} has more than {MAX_ALTERNATIVES} alternatives", "too-costly")
    return found


def _unsupported(parameter: Parameter, modifier: str) -> Wrong:
    known = modifier if modifier.replace("-", "").isalpha() and len(modifier) < 30 else "of that name"
    return Wrong(
        f"{parameter.code}: the modifier {known} is not offered for a {parameter.type}", "not-supported"
    )


def _names(asking: Asking, parameter: Parameter) -> list[str]:
    return [keys.name(type_, parameter.code) for type_ in asking.types]


def _id(parameter: Parameter, modifier: str, values: list[str]) -> Condition:
    if modifier:
        raise _unsupported(parameter, modifier)
    return Ids(tuple(plain(value) for value in values))


def _missing(asking: Asking, parameter: Parameter, value: str) -> Condition:
    if parameter.code == "_lastUpdated":
        raise _unsupported(parameter, "missing")
    if value not in ("true", "false"):
        raise Wrong(f"{parameter.code}:missing needs true or false")
    present = tuple(keys.present(name) for name in _names(asking, parameter))
    return Keys(present, negated=value == "true")


# tokens


def token_form(code: str, text: str) -> str:
    """`[code]`, `[system]|[code]`, `|[code]` or `[system]|`, still escaped, to the form of its key."""
    parts = [plain(part) for part in split(text, "|")]
    if len(parts) > 2 or not any(parts):
        raise Wrong(f"{code} needs [code], [system]|[code], |[code] or [system]|")
    if len(parts) == 1:
        return keys.code_of(parts[0])
    return keys.coding_of(*parts) if parts[1] else keys.system_of(parts[0])


def _token(asking: Asking, parameter: Parameter, modifier: str, values: list[str]) -> Condition:
    code = parameter.code
    if modifier == "text":
        return Strings(f"{code}:text", _folded(code, values))
    if modifier in ("in", "not-in"):
        return terms.members(asking, parameter, modifier, values)
    if modifier in ("above", "below"):
        return terms.kin(asking, parameter, modifier, values)
    if modifier == "of-type":
        found = [keys.typed(n, *_of_type(code, v)) for n in _names(asking, parameter) for v in values]
        return Keys(tuple(found), selective=True)
    if modifier not in ("", "not"):
        raise _unsupported(parameter, modifier)
    forms = [token_form(code, value) for value in values]
    found = [keys.token(name, form) for name in _names(asking, parameter) for form in forms]
    selective = (code.endswith("identifier") or code in _RARE_TOKENS) and not any(
        f.endswith("|") for f in forms
    )
    return Keys(tuple(found), negated=modifier == "not", selective=selective and not modifier)


def _of_type(code: str, text: str) -> tuple[str, str]:
    parts = [plain(part) for part in split(text, "|")]
    if len(parts) != 3 or not all(parts):
        raise Wrong(f"{code}:of-type needs [system]|[code]|[value]")
    return keys.coding_of(parts[0], parts[1]), parts[2]


# references and uris


def _reference(asking: Asking, parameter: Parameter, modifier: str, values: list[str]) -> Condition:
    names = _names(asking, parameter)
    if modifier == "identifier":
        forms = [token_form(parameter.code, value) for value in values]
        return Keys(tuple(keys.identified(n, f) for n in names for f in forms), selective=True)
    if modifier and not r4.is_resource(modifier):
        raise _unsupported(parameter, modifier)
    found = [form for value in values for form in _targets(asking, parameter, modifier, plain(value))]
    if not found:
        return NOTHING
    any_of = tuple(keys.target(name, form) for name in names for form in found)
    return Keys(any_of, selective=parameter.code not in _COMMON)


def _targets(asking: Asking, parameter: Parameter, wanted: str, text: str) -> list[str]:
    """What a reference is stored as: `Type/id` for every type it may mean, or the URL."""
    if text.startswith(asking.base + "/"):
        text = text[len(asking.base) + 1 :]
    if ID.match(text):
        types = (wanted,) if wanted else parameter.targets or asking.served
        return [f"{type_}/{text}" for type_ in types]
    found = local(text)
    if wanted and (found or local("/".join(text.split("/")[-2:])) or ("",))[0] != wanted:
        return []
    return [text]


def _uri(asking: Asking, parameter: Parameter, modifier: str, values: list[str]) -> Condition:
    texts = [plain(value) for value in values]
    if modifier == "below":
        return Strings(parameter.code, tuple(text.rstrip("/") for text in texts), "below")
    if modifier not in ("", "above"):
        raise _unsupported(parameter, modifier)
    wanted = [above for text in texts for above in _above(text)] if modifier else texts
    found = tuple(keys.target(name, text) for name in _names(asking, parameter) for text in wanted)
    return Keys(found, selective=not parameter.code.startswith("_"))


def _above(text: str) -> list[str]:
    parts = text.split("/")
    stems = ["/".join(parts[:end]) for end in range(len(parts), 0, -1)]
    return [form for stem in stems if stem for form in (stem, stem + "/")]


# strings, dates, numbers


def _folded(code: str, values: list[str]) -> tuple[str, ...]:
    found = tuple(fold(plain(value)) for value in values)
    if not all(found):
        raise Wrong(f"{code} has an empty value")
    return found


def _string(_: Asking, parameter: Parameter, modifier: str, values: list[str]) -> Condition:
    match modifier:
        case "exact":
            return Strings(parameter.code, tuple(plain(value) for value in values), "exact")
        case "contains":
            return Strings(parameter.code, _folded(parameter.code, values), "contains")
        case "":
            return Strings(parameter.code, _folded(parameter.code, values))
        case _:
            raise _unsupported(parameter, modifier)


def _date(asking: Asking, parameter: Parameter, modifier: str, values: list[str]) -> Condition:
    if modifier:
        raise _unsupported(parameter, modifier)
    found = tuple(moment(parameter.code, value, asking.now) for value in values)
    return Updated(found) if parameter.code == "_lastUpdated" else Dates(parameter.code, found)


def _number(_: Asking, parameter: Parameter, modifier: str, values: list[str]) -> Condition:
    if modifier:
        raise _unsupported(parameter, modifier)
    return Numbers(parameter.code, tuple(amount(parameter.code, value) for value in values))


def _quantity(_: Asking, parameter: Parameter, modifier: str, values: list[str]) -> Condition:
    if modifier:
        raise _unsupported(parameter, modifier)
    return Numbers(parameter.code, tuple(quantity(parameter.code, value) for value in values))


# composites


def _composite(asking: Asking, parameter: Parameter, modifier: str, values: list[str]) -> Condition:
    if modifier:
        raise _unsupported(parameter, modifier)
    found = tuple((_pair(asking, parameter, value),) for value in values)
    return found[0][0] if len(found) == 1 else OneOf(found)


def _pair(asking: Asking, parameter: Parameter, value: str) -> Condition:
    parts = split(value, "$")
    if len(parts) != 2 or not all(parts):
        raise Wrong(f"{parameter.code} needs two values joined by $")
    form, code = token_form(parameter.code, parts[0]), parameter.code
    stored = keys.pair(code, form)
    match parameter.components[1].type:
        case "token":
            return _pair_keys(asking, parameter, form, [token_form(code, parts[1])])
        case "reference":
            return _pair_keys(asking, parameter, form, _targets(asking, parameter, "", plain(parts[1])))
        case "date":
            return Dates(stored, (moment(code, parts[1], asking.now),))
        case "string":
            return Strings(stored, _folded(code, [parts[1]]))
        case _:
            return Numbers(stored, (quantity(code, parts[1]),))


def _pair_keys(asking: Asking, parameter: Parameter, form: str, others: list[str]) -> Condition:
    return Keys(tuple(keys.pair(name, form, other) for name in _names(asking, parameter) for other in others))


def _near(_: Asking, parameter: Parameter, modifier: str, values: list[str]) -> Condition:
    if modifier or parameter.code != "near":
        raise _unsupported(parameter, modifier)
    return OneOf(tuple((near.understand(value),) for value in values))


_Read = Callable[[Asking, Parameter, str, list[str]], Condition]
_BY_KIND: dict[str, _Read] = {
    "token": _token,
    "reference": _reference,
    "uri": _uri,
    "string": _string,
    "date": _date,
    "number": _number,
    "quantity": _quantity,
    "composite": _composite,
    "special": _near,
}
