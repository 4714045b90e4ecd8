"""How a database that goes away shows itself in the driver."""

from typing import Final

import asyncpg

AWAY: Final = (
    asyncpg.PostgresConnectionError,
    asyncpg.OperatorInterventionError,  # shut down, crashed, starting, or the statement was cancelled
    asyncpg.InsufficientResourcesError,
    asyncpg.InterfaceError,  # the pool took a dead connection back under us
    asyncpg.InternalClientError,  # the server ended in the middle of a message
    OSError,
)
"""All of them mean Unavailable: the same request may succeed in a moment."""
