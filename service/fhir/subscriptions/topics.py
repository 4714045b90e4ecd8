"""Our SubscriptionTopics: what can be subscribed to, and by what it can be narrowed. Data in fhir_profiles/topics.

https://hl7.org/fhir/R5/subscriptiontopic.html. A topic that a release cannot decide stops the start (`topics`).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from urllib.parse import parse_qsl

from service.fhir.artefacts import shelf
from service.fhir.catalogue import catalogue
from service.fhir.json import JsonObject
from service.fhir.search.asking import Asking
from service.fhir.search.holds import Held, meets, plain
from service.fhir.search.parse import conditions
from service.fhir.search.query import Condition

TYPE = "SubscriptionTopic"
_EVER = datetime.min.replace(tzinfo=UTC)
Filter = tuple[str, str]
"""A parameter with its modifier, and the value: (`status:not`, `draft`)."""


@dataclass(frozen=True, slots=True)
class Topic:
    """`on`: interactions that trigger it. `current`: what the resource must meet. `filters`: parameter → modifiers."""

    url: str
    version: str
    type: str
    on: frozenset[str]
    current: tuple[Filter, ...]
    filters: Mapping[str, frozenset[str]]


@cache
def topics() -> Mapping[str, Topic]:
    """All topics by URL. ValueError for one that speaks of what this service cannot decide."""
    found = {}
    for artefact in shelf(TYPE).values():
        topic = _topic(artefact.resource)
        asking = _asking(topic.type, _EVER, "")
        if topic.type not in catalogue or not all(plain(each) for each in conditions(asking, topic.current)):
            raise ValueError(f"the topic {topic.url} cannot be decided here")
        for code in topic.filters:
            asking.parameter(code)
        found[topic.url] = topic
    return found


def _topic(resource: JsonObject) -> Topic:
    [trigger] = resource["resourceTrigger"]
    criteria = trigger.get("queryCriteria", {}).get("current", "")
    filters = {
        each["filterParameter"]: frozenset(each.get("modifier", ())) for each in resource["canFilterBy"]
    }
    on = frozenset(trigger["supportedInteraction"])
    return Topic(
        resource["url"], resource["version"], trigger["resource"], on, tuple(parse_qsl(criteria)), filters
    )


def find(canonical: str) -> Topic | None:
    """By canonical, with or without `|version`."""
    url, _, version = canonical.partition("|")
    topic = topics().get(url)
    return topic if topic and version in ("", topic.version) else None


def understood(topic: Topic, filters: Sequence[Filter], now: datetime, base: str) -> tuple[Condition, ...]:
    """Filters as conditions. Refused("malformed") for a value that cannot be read."""
    return conditions(_asking(topic.type, now, base), filters)


def _asking(type_: str, now: datetime, base: str) -> Asking:
    return Asking((type_,), now, base, lambda _: False, tuple(catalogue))


def concerns(
    topic: Topic, filters: Sequence[Condition], before: Held | None, after: Held | None, base: str
) -> str | None:
    """The interaction this change is to a subscription (create, update, delete), or None when it does not concern it.

    `before` and `after`: the resource as the subscriber may see it, None where there is nothing to be seen. What it
    may not see any more is no event: that would tell what it may not know.
    """
    shown = after or before
    if shown is None:
        return None
    word = "delete" if after is None else "create" if before is None else "update"
    current = understood(topic, topic.current, _EVER, base)
    return word if word in topic.on and meets(shown, current) and meets(shown, filters) else None
