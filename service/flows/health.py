"""Can we serve, and what have we counted?"""

from collections.abc import Iterator

from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from service.flows.context import Context
from service.kernel import meters
from service.store import counts as store
from service.store import outbox
from service.store.counts import Gauge


async def ping(context: Context) -> None:
    """Raises Unavailable when the database does not answer."""
    await context.database.ping()


class _Now(Collector):
    """What the database says, in the form that the page is made of."""

    def __init__(self, gauges: list[Gauge]) -> None:
        self._gauges = gauges

    def collect(self) -> Iterator[Metric]:
        """As the library asks for it."""
        for gauge in self._gauges:
            family = GaugeMetricFamily(gauge.name, gauge.about, labels=gauge.labels)
            for labels, number in gauge.rows:
                family.add_metric(labels, number)
            yield family


async def metrics(context: Context) -> bytes:
    """The page for Prometheus: what the processes counted, and how the outbox, the audit and the pool stand."""
    async with context.database.reading() as connection:
        found = await store.counts(connection, outbox.WORKERS)
    return meters.page(_Now(found))
