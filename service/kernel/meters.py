"""What this service counts of itself, for Prometheus: requests by the template of their route, and events of the log.

Labels come from our own tables (routes, statuses, the catalogue), never from what somebody sent. With
`serve --workers N` the processes count into one folder, so that whichever answers a scrape answers for all; `serve`
names the folder to its children (`PROMETHEUS_MULTIPROC_DIR`), and the library reads that when it is loaded.
"""

from typing import Final

from prometheus_client import CollectorRegistry, Counter, Histogram, multiprocess, values
from prometheus_client.exposition import generate_latest
from prometheus_client.registry import Collector

METHODS: Final = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
FOLDER: Final = "PROMETHEUS_MULTIPROC_DIR"

_OWN: Final = CollectorRegistry()
_REQUESTS: Final = Counter(
    "casebridge_requests", "Requests answered", ("method", "route", "status"), registry=_OWN
)
_SECONDS: Final = Histogram(
    "casebridge_request_seconds", "Seconds to the last byte of an answer", ("route",), registry=_OWN,
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
)  # fmt: skip
_EVENTS: Final = Counter("casebridge_events", "Events of the log's catalogue", ("event",), registry=_OWN)


def method_of(method: str) -> str:
    """The method as a label and in the log: one of HTTP's, or `other`; what was sent may be anything."""
    return method if method in METHODS else "other"


def answered(method: str, route: str, status: int, seconds: float) -> None:
    """One request. `route` is the template (`/fhir/{type}/{id}`), `status` 0 for one that was given up."""
    _REQUESTS.labels(method_of(method), route, str(status)).inc()
    _SECONDS.labels(route).observe(seconds)


def happened(event: str) -> None:
    """One event of the catalogue."""
    _EVENTS.labels(event).inc()


def page(more: Collector) -> bytes:
    """Everything in the Prometheus text format 0.0.4, and what `more` says now."""
    registry = CollectorRegistry()
    registry.register(more)
    if values.ValueClass is values.MutexValue:
        return generate_latest(_OWN) + generate_latest(registry)
    multiprocess.MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    return generate_latest(registry)
