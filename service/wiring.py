"""The only place that knows which concrete thing is used: database, clock, validator, keys, the way out."""

from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from threading import Event, Thread
from typing import TYPE_CHECKING

from service.consent.sensitive import Categories
from service.coordination.choices import BadTimers, choices
from service.coordination.fitness import severities
from service.coordination.timers import Chosen
from service.fhir.catalogue import catalogue
from service.fhir.json import BadJson, decode
from service.fhir.search.asking import Terms
from service.flows import sensitivity
from service.flows.context import Check, Context
from service.kernel.clock import Clock, system_clock
from service.kernel.failures import Unavailable
from service.mapping import terms
from service.mapping.terms import BadTerms
from service.remote.door import Credentials
from service.remote.outside import Outside, outside
from service.settings import Settings
from service.store import credentials, embedded, keys, migrate
from service.store.credentials import Credential
from service.store.database import Database, open_database
from service.store.vault import vault
from service.worker.loop import Worker

if TYPE_CHECKING:
    from service.fhir.validate import Validator


@dataclass
class Wiring:
    """What one process runs on. `context` and `outside` exist while `running()` is entered."""

    settings: Settings
    url: str
    public_url: str
    clock: Clock
    started: datetime
    context: Context = None  # type: ignore[assignment]
    outside: Outside = None  # type: ignore[assignment]

    @asynccontextmanager
    async def running(self) -> AsyncIterator["Wiring"]:
        """Connect on entry, close on exit."""
        async with AsyncExitStack() as stack:
            database = await open_database(self.url, self.settings.pool_size)
            stack.push_async_callback(database.close)
            base = f"{self.public_url}/fhir"
            settings = self.settings
            _use_maps(settings)
            _check_rules(settings)
            self.context = Context(
                database,
                self.clock,
                settings,
                _check(settings),
                self._terms,
                base,
                lambda: categories(settings),
                timers=_timers(settings),
            )
            signers = await _signers(database, self.settings, self.clock)
            back = f"{self.public_url}/console/sign-in/back"
            our_id, shown = self.settings.our_client_id or base, _credentials(database, self.settings)
            way = outside(self.settings, self.clock, signers, our_id, credentials=shown, back=back)
            self.outside = await stack.enter_async_context(way)
            yield self

    def warm(self) -> None:
        """Compile ahead what the first request would otherwise wait for."""
        categories(self.settings)
        self.rules().compile(catalogue, [spec.profile for spec in catalogue.values() if spec.profile])

    def rules(self) -> "Validator":
        """The validator of this process, as `rules` makes it."""
        return rules(self.settings)

    def _terms(self) -> Terms:
        return self.rules().definitions

    def worker(self) -> Worker:
        """The clock of this process; call within `running()`."""
        return Worker(self.context, self.outside)


async def _signers(database: Database, settings: Settings, clock: Clock):  # type: ignore[no-untyped-def]
    """Make our keys if they are missing; answers a function that reads the active ones."""
    async with database.unit(keys.LOCK) as unit:
        await keys.ensure(unit, vault(settings), clock())

    async def active() -> Sequence[keys.SigningKey]:
        async with database.reading() as connection:
            return await keys.active(connection, vault(settings), clock())

    return active


def _credentials(database: Database, settings: Settings) -> Credentials:
    async def at(origin: str) -> Credential | None:
        async with database.reading() as connection:
            return await credentials.at(connection, vault(settings), origin)

    return at


def database_url(settings: Settings) -> str:
    """The PostgreSQL to use: the configured one, or our own in the data directory, started if need be."""
    if settings.database_url is not None:
        return settings.database_url.get_secret_value()
    return embedded.start(settings.data_dir)


@contextmanager
def database_kept(settings: Settings) -> Iterator[None]:
    """While entered, our own PostgreSQL is started again should it die. A configured one is its operator's."""
    if not settings.embedded:
        yield
        return
    done = Event()
    keeping = Thread(target=embedded.keep_running, args=(settings.data_dir, done), daemon=True)
    keeping.start()
    try:
        yield
    finally:
        done.set()
        keeping.join(15)


async def prepared(settings: Settings, *, upgrade: bool = True) -> str:
    """The URL of a database whose schema is current. Raises Unavailable with what to do otherwise."""
    url = database_url(settings)
    if upgrade:
        await migrate.migrate(url)
        return url
    state = await migrate.schema_state(url)
    if state != "current":
        raise Unavailable(f"the database schema is {state}; run `casebridge migrate`")
    return url


@cache
def validator(guides: tuple[str, ...] = ()) -> "Validator":
    """Our profiles, R4 and the operator's guides, compiled once a process; loaded at the first use."""
    from service.fhir.validate import load

    return load(guides)


def _use_maps(settings: Settings) -> None:
    """The ConceptMaps among the operator's guides. Raises Unavailable naming the one that cannot be used."""
    try:
        terms.use(settings.guides)
    except (BadJson, BadTerms, KeyError) as broken:
        raise Unavailable(f"a ConceptMap of CASEBRIDGE_GUIDES cannot be used: {broken}") from broken


def _timers(settings: Settings) -> Chosen:
    """What the operator chose about what falls due. Raises Unavailable naming the place of what cannot be used."""
    if settings.timers is None:
        return Chosen()
    try:
        return choices(decode(settings.timers.read_bytes()))
    except (OSError, BadJson, BadTimers) as broken:
        reason = broken.strerror if isinstance(broken, OSError) else broken
        raise Unavailable(f"CASEBRIDGE_TIMERS cannot be used: {reason}") from broken


def _check_rules(settings: Settings) -> None:
    """Raises Unavailable naming a word of CASEBRIDGE_LEAD_RULES that says nothing."""
    try:
        severities(settings.lead_rules)
    except ValueError as wrong:
        raise Unavailable(f"CASEBRIDGE_LEAD_RULES: {wrong}") from wrong


def rules(settings: Settings) -> "Validator":
    """The validator with the operator's guides. Raises Unavailable naming what is wrong with one of them."""
    from service.fhir.validate import BrokenPackage

    try:
        return validator(tuple(str(guide) for guide in settings.guides))
    except BrokenPackage as broken:
        raise Unavailable(f"a guide of CASEBRIDGE_GUIDES cannot be used: {broken}") from broken


def categories(settings: Settings) -> Categories:
    """What codes reveal here. Raises Unavailable naming a value set that the settings ask for and that is not there."""
    if settings.guides:
        rules(settings)
    return _revealing(settings.sensitive_value_sets, tuple(str(guide) for guide in settings.guides))


@cache
def _revealing(chosen: tuple[str, ...], guides: tuple[str, ...]) -> Categories:
    return sensitivity.categories(chosen, _codes_of(validator(guides)) if guides else None)


def _codes_of(known: "Validator") -> sensitivity.Lookup:
    def lookup(canonical: str) -> Mapping[str, frozenset[str]] | None:
        found = known.definitions.value_set(canonical)
        return found.systems if found and not found.open else None

    return lookup


def _check(settings: Settings) -> Check:
    return lambda resource, profiles: rules(settings).validate(resource, profiles)


def wire(settings: Settings, url: str, public_url: str, clock: Clock = system_clock) -> Wiring:
    """Everything a process needs, not yet connected."""
    return Wiring(settings, url, public_url.rstrip("/"), clock, clock())
