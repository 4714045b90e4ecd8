"""FHIR → what is served: ServiceRequest, CarePlan.activity.detail, Procedure and Encounter, ours or a partner's, as
coordination/duplicates.py compares them. What a code is for is said by our ConceptMaps, and by the operator's."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from functools import cache
from typing import Final

from service.coordination.dose import DAYS, UNSAID, Dose, in_words, per
from service.coordination.duplicates import Need, Served, State
from service.fhir.json import JsonObject
from service.fhir.references import local
from service.mapping import parts
from service.mapping.names import RSS_SERVICE, SDOHCC_CODES, SERVICE_AREA, SESSIONS, SNOMED
from service.mapping.services import chosen
from service.mapping.terms import terms

KINDS: Final = ("ServiceRequest", "CarePlan", "Procedure", "Encounter")
"""Resources in which a service is asked for, planned or given."""
DIRECTORY: Final = ("PractitionerRole", "HealthcareService")
"""What names an agency by its own reference to one."""
_MAPS: Final = ("rss-service-to-procedure", "rss-service-to-hcpcs", "rss-service-to-service-type")
_AREA_MAPS: Final = ("service-area-to-procedure", "service-area-to-hcpcs", "service-area-to-service-type")
_WIDER, _AREA, _SDOH = "rss-service-to-wider", "rss-service-to-area", "rss-service-to-sdoh"
_ANYTHING: Final = (SNOMED, "410606002")
_TAKEN_BACK: Final = frozenset({
    "revoked", "entered-in-error", "draft", "cancelled", "rejected", "failed", "stopped", "not-done", "proposal",
})  # fmt: skip
_DONE: Final = frozenset({"completed", "finished"})


@dataclass(frozen=True, slots=True)
class Known:
    """What is known beside the resources. `agencies`: PractitionerRole or HealthcareService → Organization; `authors`:
    resource → the Organization of who wrote it; `base`: our own FHIR address; `today`: where the agency is."""

    agencies: Mapping[str, str]
    authors: Mapping[str, str]
    base: str
    today: date


def served(resources: Iterable[JsonObject], known: Known) -> list[Served]:
    """Everything the resources of one client ask for, plan or give, over or not. Their Tasks say how requests stand."""
    held = list(resources)
    stand = _stand(held, known)
    found = [one for each in held if each["resourceType"] in _READERS
             for one in _READERS[each["resourceType"]](each, known, stand)]  # fmt: skip
    return [each for each in found if each.need != Need()]


def mentions(resource: JsonObject) -> Iterator[str]:
    """Directory entries that say for whom somebody asks or gives."""
    for each in _people(resource):
        reference = str(each.get("reference", ""))
        if reference.rpartition("/")[0].rpartition("/")[2] in DIRECTORY:
            yield reference


def _people(resource: JsonObject) -> Iterator[JsonObject]:
    for name in ("requester", "author", "performer", "owner", "serviceProvider"):
        yield from _list(resource.get(name))
    for activity in _list(resource.get("activity")):
        yield from _list(activity.get("detail", {}).get("performer"))
    for each in _list(resource.get("performer")):
        yield from _list(each.get("actor"))
        yield from _list(each.get("onBehalfOf"))


def _list(value: object) -> list[JsonObject]:
    found = value if isinstance(value, list) else [value]
    return [each for each in found if isinstance(each, dict)]


def _reference(value: object, base: str) -> str:
    literal = value.get("reference") if isinstance(value, dict) else None
    key = local(literal, base) if isinstance(literal, str) else None
    return "/".join(key) if key else ""


def _agency(people: Iterable[JsonObject], known: Known) -> str:
    """The one agency that these are, or are for; '' for none or several."""
    found = set()
    for each in people:
        reference = _reference(each, known.base)
        found.add(reference if reference.startswith("Organization/") else known.agencies.get(reference, ""))
    found -= {""}
    return found.pop() if len(found) == 1 else ""


def _stand(resources: Iterable[JsonObject], known: Known) -> dict[str, list[JsonObject]]:
    """Request → the Tasks that ask somebody to fulfil it."""
    found: dict[str, list[JsonObject]] = {}
    for each in resources:
        if each["resourceType"] == "Task" and (focus := _reference(each.get("focus"), known.base)):
            asks = any(c.get("code") == "fulfill" for c in each.get("code", {}).get("coding", []))
            if asks:
                found.setdefault(focus, []).append(each)
    return found


def _requests(resource: JsonObject, known: Known, stand: Mapping[str, list[JsonObject]]) -> Iterator[Served]:
    own = f"ServiceRequest/{resource['id']}"
    tasks = stand.get(own, [])
    first, last = _period(resource, "occurrence")
    performers = [
        *_list(resource.get("performer")),
        *(t["owner"] for t in tasks if isinstance(t.get("owner"), dict)),
    ]
    yield Served(
        own,
        _agency(_list(resource.get("requester")), known) or known.authors.get(own, ""),
        _need([resource.get("code", {})], _list(resource.get("category"))),
        _agency(performers, known),
        first or _day(resource.get("authoredOn")),
        last,
        _dose(resource),
        _request_state(resource, tasks, last, known.today),
        _links(resource, known, "ServiceRequest"),
        next(iter(sorted(_links(resource, known, "CarePlan"))), ""),
    )


def _request_state(
    resource: JsonObject, tasks: Iterable[JsonObject], last: date | None, today: date
) -> State:
    """A request is over as itself, or when everybody who was asked is done with it."""
    if resource.get("doNotPerform") is True or resource.get("intent") == "proposal":
        return "withdrawn"
    said = [_state(task.get("status"), last, today) for task in tasks]
    own = _state(resource.get("status"), last, today)
    return said[0] if own == "open" and said and "open" not in said else own


def _state(status: object, last: date | None, today: date) -> State:
    if status in _TAKEN_BACK:
        return "withdrawn"
    return "done" if status in _DONE or (last is not None and last < today) else "open"


def _plans(resource: JsonObject, known: Known, _: object) -> Iterator[Served]:
    """What is arranged by a referral is told by that. A plan that is over has nothing that is not."""
    own = f"CarePlan/{resource['id']}"
    whole = "proposal" if resource.get("intent") == "proposal" else resource.get("status")
    asker = _agency(_list(resource.get("author")), known) or known.authors.get(own, "")
    start, end = _period(resource, "period")
    for number, activity in enumerate(_list(resource.get("activity")), 1):
        detail = activity.get("detail")
        if not isinstance(detail, dict):
            continue
        first, last = _period(detail, "scheduled")
        last = last or end
        states = [_state(status, last, known.today) for status in (whole, detail.get("status"))]
        yield Served(
            f"{own}#{activity.get('id') or number}",
            asker,
            _need([detail.get("code", {})], []),
            _agency(_list(detail.get("performer")), known),
            first or start or _day(resource.get("created")),
            last,
            _dose(detail),
            "withdrawn" if detail.get("doNotPerform") is True else max(states, key=_WORST.index),
        )


_WORST: Final[tuple[State, ...]] = ("open", "done", "withdrawn")


def _given(resource: JsonObject, known: Known, _: object) -> Iterator[Served]:
    """A Procedure under way: who performs it asks nobody."""
    own = f"Procedure/{resource['id']}"
    people = [one for each in _list(resource.get("performer"))
              for one in (*_list(each.get("onBehalfOf")), *_list(each.get("actor")))]  # fmt: skip
    agency = _agency(people, known) or known.authors.get(own, "")
    first, last = _period(resource, "performed")
    sessions = parts.extension(resource, SESSIONS, "valuePositiveInt")
    yield Served(
        own, agency, _need([resource.get("code", {})], _list(resource.get("category"))), agency, first, last,
        Dose(total=sessions) if isinstance(sessions, int) else UNSAID,
        _state(resource.get("status"), last, known.today), _links(resource, known, "ServiceRequest"),
    )  # fmt: skip


def _visits(resource: JsonObject, known: Known, _: object) -> Iterator[Served]:
    """An Encounter that is planned or under way: one time of a service."""
    own = f"Encounter/{resource['id']}"
    agency = _agency(_list(resource.get("serviceProvider")), known) or known.authors.get(own, "")
    first, last = _period(resource, "period")
    yield Served(
        own, agency, _need([*_list(resource.get("serviceType")), *_list(resource.get("type"))], []), agency, first,
        last or first, Dose(total=1), _state(resource.get("status"), last, known.today),
        _links(resource, known, "ServiceRequest"),
    )  # fmt: skip


_READERS: Final[Mapping[str, Callable[[JsonObject, Known, Mapping[str, list[JsonObject]]], Iterator[Served]]]] = {
    "ServiceRequest": _requests, "CarePlan": _plans, "Procedure": _given, "Encounter": _visits,
}  # fmt: skip


def _links(resource: JsonObject, known: Known, type_: str) -> frozenset[str]:
    found = (
        _reference(each, known.base) for name in ("basedOn", "replaces") for each in _list(resource.get(name))
    )
    return frozenset(each for each in found if each.startswith(f"{type_}/"))


def _period(resource: JsonObject, name: str) -> tuple[date | None, date | None]:
    once = _day(resource.get(f"{name}DateTime"))
    said = resource.get(f"{name}Period") or resource.get(name)
    timing = resource.get(f"{name}Timing")
    if isinstance(timing, dict):
        events = sorted(filter(None, map(_day, timing.get("event", []))))
        said = timing.get("repeat", {}).get("boundsPeriod") or (
            {"start": str(events[0]), "end": str(events[-1])} if events else None
        )
    if once or not isinstance(said, dict):
        return once, once
    return _day(said.get("start")), _day(said.get("end"))


def _day(text: object) -> date | None:
    """The day of a date or an instant, a month's or a year's first."""
    said = str(text or "")[:10]
    try:
        return date.fromisoformat(said + "-01" * ((10 - len(said)) // 3))
    except ValueError:
        return None


def _dose(resource: JsonObject) -> Dose:
    """By FHIR where it is said there, else by the words."""
    for name in ("occurrenceTiming", "scheduledTiming"):
        timing = resource.get(name)
        if isinstance(timing, dict) and (found := _timed(timing)).said:
            return found
    amount = resource.get("quantityQuantity") or resource.get("quantity") or {}
    if isinstance(amount, dict) and isinstance(amount.get("value"), int):
        return Dose(total=amount["value"])
    if resource.get("occurrenceDateTime"):
        return Dose(total=1)
    said = (resource.get("scheduledString"), resource.get("description"))
    return next((found for each in said if isinstance(each, str) and (found := in_words(each)).said), UNSAID)


def _timed(timing: JsonObject) -> Dose:
    repeat = timing.get("repeat", {})
    period, unit = repeat.get("period"), repeat.get("periodUnit")
    if period is not None and unit in DAYS:
        days = len(repeat.get("dayOfWeek", [])) if unit == "wk" else 0
        return per(int(repeat.get("frequency") or days or 1), Fraction(str(period)) * DAYS[unit])
    if days := len(repeat.get("dayOfWeek", [])):
        return per(days, DAYS["wk"])
    if isinstance(repeat.get("count"), int):
        return Dose(total=repeat["count"])
    if isinstance(timing.get("event"), list) and timing["event"]:
        return Dose(total=len(timing["event"]))
    return in_words(parts.concept_text(timing.get("code")) or "")


def _need(concepts: Iterable[JsonObject], categories: Iterable[JsonObject]) -> Need:
    """What a service is for: the most exact of its codings, the area and categories it is in."""
    said = [concept for concept in map(chosen, concepts) if concept]
    codings = [
        (str(c.get("system", "")), str(c.get("code", "")))
        for concept in said
        for c in _list(concept.get("coding"))
    ]
    services = _services(codings)
    kinds = [
        (str(c.get("system", "")), str(c.get("code", "")))
        for each in categories
        for c in _list(each.get("coding"))
    ]
    areas = {code for system, code in (*codings, *kinds) if system == SERVICE_AREA}
    sdoh = {code for system, code in (*codings, *kinds) if system == SDOHCC_CODES}
    by_code = (
        frozenset(area for coding in codings for area in _areas(*coding)) if not services else frozenset()
    )
    other = frozenset(f"{s}|{c}" for s, c in codings if c and not services and not by_code and _unknown(s, c))
    words = next((text.casefold().strip() for each in said if (text := parts.concept_text(each))), "")
    return Need(
        services,
        frozenset(wider for each in services for wider in _wider(each)),
        frozenset(areas)
        | by_code
        | {str(c["code"]) for each in services for c in terms().translate(_AREA, each)},
        frozenset(sdoh) | {str(c["code"]) for each in services for c in terms().translate(_SDOH, each)},
        other,
        "" if services or other else words,
    )


def _services(codings: Iterable[tuple[str, str]]) -> frozenset[str]:
    """Our own code where it is said; else the fewest that any coding leaves open."""
    own = frozenset(code for system, code in codings if system == RSS_SERVICE and code)
    if own:
        return own
    found = [each for coding in codings if (each := _translated(*coding))]
    return min(found, key=lambda each: (len(each), sorted(each)), default=frozenset())


@cache
def _backward(_terms: int) -> Mapping[tuple[str, str], frozenset[str]]:
    """Standard code → our services, all that it may be where none is its exact translation."""
    found: dict[tuple[str, str], frozenset[str]] = {}
    for (name, system, code), sources in terms().backward.items():
        if name in _MAPS:
            best = min(rank for rank, _ in sources)
            found[system, code] = frozenset(source for rank, source in sources if rank == best)
    return found


def _translated(system: str, code: str) -> frozenset[str]:
    known = _backward(id(terms()))
    if (system, code) in known:
        return known[system, code]
    foreign = terms().translate_coding(system, code)
    ours = frozenset(str(c["code"]) for c in foreign if c["system"] == RSS_SERVICE)
    return ours or frozenset(
        one for c in foreign for one in known.get((str(c["system"]), str(c["code"])), ())
    )


def _areas(system: str, code: str) -> frozenset[str]:
    """Areas of a code that is none of our services."""
    found = (source for name in _AREA_MAPS for _, source in terms().backward.get((name, system, code), ()))
    return frozenset(found)


def _unknown(system: str, code: str) -> bool:
    return (system, code) != _ANYTHING and system not in (SERVICE_AREA, SDOHCC_CODES)


def _wider(service: str) -> Iterator[str]:
    """Services that include it, and those that include these."""
    for coding in terms().translate_all(_WIDER, service):
        yield str(coding["code"])
        yield from _wider(str(coding["code"]))
