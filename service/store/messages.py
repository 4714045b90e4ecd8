"""Messages that were taken: what each said, and how it was answered, so that the same again is answered the same."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from service.store.unit import Unit


@dataclass(frozen=True, slots=True)
class Taken:
    """See schema.Message."""

    partner: str
    id: str
    digest: str
    answer: bytes
    at: datetime


def lock_name(partner: str, id_: str) -> str:
    """The advisory lock under which a message is taken, once."""
    return f"message/{partner}/{id_}"


async def find(connection: Any, partner: str, id_: str) -> Taken | None:
    """The message of this partner with this id, if it was taken."""
    sql = "SELECT partner, id, digest, answer, at FROM message WHERE partner = $1 AND id = $2"
    found = await connection.fetchrow(sql, partner, id_)
    return Taken(*found) if found else None


async def keep(unit: Unit, taken: Taken) -> None:
    """Remember it."""
    await unit.execute(
        "INSERT INTO message (partner, id, digest, answer, at) VALUES ($1, $2, $3, $4, $5)",
        taken.partner, taken.id, taken.digest, taken.answer, taken.at,
    )  # fmt: skip


async def sweep(unit: Unit, before: datetime) -> None:
    """Forget what was taken before this instant."""
    await unit.execute("DELETE FROM message WHERE at < $1", before)
