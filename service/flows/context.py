"""What every story is given: the store, the time, the rules. Made once by wiring."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from service.consent.sensitive import Categories
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
    `terms`: the value sets and code systems that searches may name."""

    database: Database
    clock: Clock
    settings: Settings
    check: Check
    terms: Callable[[], Terms]
    base: str
    categories: Callable[[], Categories] = dict
