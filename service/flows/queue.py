"""A queue of clients whom the worker looks at: many in one commit, and each alone where one of them fails.

Whoever cannot be looked at holds up nobody else: it goes to the end, and the worker's log says what failed.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from service.flows.context import Context
from service.kernel.failures import Refused, Unavailable
from service.store.unit import Unit

AT_ONCE = 20


@dataclass(frozen=True, slots=True)
class Queue:
    """How to take some (at most so many), how to look at one, how to take just that one, how to put it to the end."""

    take: Callable[[Unit, int], Awaitable[list[str]]]
    look: Callable[[Unit, str], Awaitable[None]]
    out: Callable[[Unit, str], Awaitable[None]]
    behind: Callable[[Unit, str], Awaitable[None]] | None = None
    """None: who could not be looked at stays in its place, beside others."""


async def work_off(context: Context, queue: Queue) -> int:
    """Look at some; how many there were, 0 when nobody waits or one has to wait. Raises what failed for one of them
    when all others are done, but not Refused: then a person or another worker changes the same in this moment."""
    taken: list[str] = []
    try:
        async with context.database.unit() as unit:
            taken = await queue.take(unit, AT_ONCE)
            for each in taken:
                await queue.look(unit, each)
        return len(taken)
    except Unavailable:
        raise
    except Exception:
        if not taken:
            raise
        failed = [error for each in taken if (error := await _alone(context, queue, each))]
        if unexpected := next((each for each in failed if not isinstance(each, Refused)), None):
            raise unexpected from error
        return 0


async def _alone(context: Context, queue: Queue, one: str) -> Exception | None:
    try:
        async with context.database.unit() as unit:
            await queue.out(unit, one)
            await queue.look(unit, one)
        return None
    except Unavailable:
        raise
    except (
        Exception
    ) as error:  # a case that no code foresaw must not keep everybody else's from being looked at
        if queue.behind:
            async with context.database.unit() as unit:
                await queue.behind(unit, one)
        return error
