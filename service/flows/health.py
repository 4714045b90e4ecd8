"""Can we serve, and what have we counted?"""

from service.flows.context import Context
from service.store import counts as store


async def ping(context: Context) -> None:
    """Raises Unavailable when the database does not answer."""
    await context.database.ping()


async def counts(context: Context) -> list[store.Count]:
    """Rows for the metrics page."""
    async with context.database.reading() as connection:
        return await store.counts(connection)
