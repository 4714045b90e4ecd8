"""Chains (`subject:Patient.name`) and `_has` (`_has:Observation:patient:code`).

https://hl7.org/fhir/R4/search.html#chaining, https://hl7.org/fhir/R4/search.html#has
"""

import re

from service.fhir import r4
from service.fhir.search import keys
from service.fhir.search.asking import Asking, Unknown, Wrong, shown
from service.fhir.search.conditions import alternatives, condition
from service.fhir.search.escapes import plain
from service.fhir.search.parameters import Parameter, parameters
from service.fhir.search.query import Chain, Condition, Has, InList, OneOf

_CHAIN = re.compile(r"([^.:]+)(?::([A-Za-z]+))?\.(.+)\Z", re.S)
_HAS = re.compile(r"_has:([A-Za-z]+):([^:.]+):(.+)\Z", re.S)


def understand(asking: Asking, name: str, value: str) -> Condition:
    """Any filter parameter of a search to a condition. Raises Wrong or Unknown."""
    if name.startswith("_has:"):
        return _has(asking, name, value)
    chain = _CHAIN.match(name)
    if chain:
        return _chain(asking, chain[1], chain[2] or "", chain[3], value)
    code, _, modifier = name.partition(":")
    if code == "_list":
        return _in_list(asking, modifier, value)
    return condition(asking, code, modifier, value)


def _in_list(asking: Asking, modifier: str, value: str) -> Condition:
    if modifier or value.startswith("$"):
        raise Wrong("_list takes the id of a List", "not-supported")
    if "List" not in asking.served or not asking.reachable("List"):
        raise Wrong("_list is not offered here", "not-supported")
    found = [InList(plain(text)) for text in alternatives("_list", value)]
    return found[0] if len(found) == 1 else OneOf(tuple((each,) for each in found))


def _chain(asking: Asking, code: str, wanted: str, rest: str, value: str) -> Condition:
    parameter = asking.parameter(code)
    if parameter.type != "reference":
        raise Wrong(f"{code} is not a reference, so nothing can be chained to it")
    targets = _targets(asking, parameter, wanted, rest)
    ways = len(targets) * len(asking.types)
    found = [
        (Chain(keys.name(source, code), target, (understand(asking.inside(target, ways), rest, value),)),)
        for source in asking.types
        for target in targets
    ]
    return found[0][0] if len(found) == 1 else OneOf(tuple(found))


def _targets(asking: Asking, parameter: Parameter, wanted: str, rest: str) -> list[str]:
    """The types a chain leads to: the one named, or all that have the next parameter."""
    if wanted:
        _expect_reachable(asking, wanted)
        return [wanted]
    possible = [type_ for type_ in parameter.targets or asking.served if type_ in asking.served]
    following = rest.partition(":")[0].partition(".")[0]
    able = [t for t in possible if following in ("_has", "_list") or following in parameters(t)]
    if not able:
        raise Unknown(f"{parameter.code}: what it refers to has no search parameter {shown(following)}")
    open_ = [type_ for type_ in able if asking.reachable(type_)]
    if not open_:
        _expect_reachable(asking, able[0])
    return open_


def _expect_reachable(asking: Asking, type_: str) -> None:
    if not r4.is_resource(type_) or type_ not in asking.served:
        raise Unknown(f"{shown(type_)} is not a type of this server")
    if not asking.reachable(type_):
        raise Wrong(f"the access token does not cover a search of {type_}", "forbidden")


def _has(asking: Asking, name: str, value: str) -> Condition:
    match = _HAS.match(name)
    if match is None:
        raise Wrong("_has is written _has:[type]:[reference parameter]:[parameter]")
    source, code, rest = match.groups()
    _expect_reachable(asking, source)
    inside = asking.inside(source)
    if inside.parameter(code).type != "reference":
        raise Wrong(f"_has: {code} of {source} is not a reference")
    return Has(source, keys.name(source, code), (understand(inside, rest, value),))
