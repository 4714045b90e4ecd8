"""What every story is given: the store, the time, the rules. Made once by wiring."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from service.consent.sensitive import Categories
from service.coordination.timers import STANDARD, Chosen
from service.fhir.json import JsonObject
from service.fhir.outcome import Issue
from service.fhir.search.asking import Terms
from service.kernel.clock import Clock
from service.settings import Settings
from service.store.database import Database

Check = Callable[[JsonObject, Sequence[str]], list[Issue]]
"""A resource and the profiles it must meet (beyond those it claims) to findings."""


@dataclass(frozen=True)
class Context:
    """`base` is the absolute URL of our FHIR door, without a trailing slash. `categories`: what codes reveal.
    `terms`: the value sets and code systems that searches may name. `ending`: set when the process is told to stop, so
    that who waits for news answers with what there is. `timers`: what the operator chose about what falls due."""

    database: Database
    clock: Clock
    settings: Settings
    check: Check
    terms: Callable[[], Terms]
    base: str
    categories: Callable[[], Categories] = dict
    ending: asyncio.Event = field(default_factory=asyncio.Event)
    timers: Chosen = STANDARD
