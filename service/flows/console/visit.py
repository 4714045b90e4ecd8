"""A visit to a page: who looks, at what, and with whose eyes.

People at the console look with the eyes of the home agency, through the same reads, searches and permits as its
case-management system; which pages a role opens is the table of service/api/console/pages.py.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from service.flows.access.roles import CASEWORK
from service.flows.access.scopes import parse_all
from service.flows.caller import Caller
from service.flows.console.people import Person
from service.flows.context import Context
from service.kernel.failures import Refused
from service.kernel.ids import ClientId
from service.store import partners
from service.store.trail import current

View = dict[str, Any]
"""What a page's template is given."""

PAGE = 25
"""Rows of a list."""
_SCOPES = ("system/*.rs", "casework/*.rs")
_WORD = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:-]{0,79}")
_PLACE = re.compile(r"([0-9T:.+-]{19,40})~([A-Za-z0-9.-]{1,64})")


@dataclass(frozen=True, slots=True)
class Visit:
    """`parts` of the path and what was `asked` in the query, each once and not empty."""

    context: Context
    person: Person
    caller: Caller
    parts: Mapping[str, str]
    asked: Mapping[str, str]

    @property
    def now(self) -> datetime:
        """The moment of the visit."""
        return self.context.clock()

    def word(self, name: str) -> str | None:
        """A filter that is a code or an id; Refused("malformed") for anything else."""
        value = self.asked.get(name)
        if value is not None and not _WORD.fullmatch(value):
            raise Refused("malformed", f"{name} is not one of the words that can be chosen here")
        return value

    def number(self, name: str) -> int | None:
        """A cursor that is a number."""
        value = self.asked.get(name)
        if value is not None and not (value.isascii() and value.isdecimal() and len(value) <= 18):
            raise _no_cursor()
        return int(value) if value is not None else None

    def place(self, name: str = "before") -> tuple[datetime, str] | None:
        """A cursor that is a moment and an id, as `mark` makes it."""
        value = self.asked.get(name)
        if value is None:
            return None
        found = _PLACE.fullmatch(value)
        try:
            at = datetime.fromisoformat(found[1]) if found else None
        except ValueError:
            at = None
        if found is None or at is None or at.tzinfo is None:
            raise _no_cursor()
        return at, found[2]


def mark(at: datetime, id_: str) -> str:
    """Where a page ended."""
    return f"{at.isoformat()}~{id_}"


def _no_cursor() -> Refused:
    return Refused("malformed", "this is not a page of the list; begin at its first page")


async def caller_for(context: Context, person: Person, query: str = "") -> Caller:
    """The home agency's eyes. The audit trail names the person, and keeps the query where it can be shredded."""
    async with context.database.reading() as connection:
        home = await partners.home(connection)
    trail = current()
    trail.client, trail.token, trail.custodian, trail.query = person.id, person.mark, True, query
    trail.organization = home.organization if home else ""
    return Caller(
        client_id=home.client_id if home else ClientId(""),
        name=home.name if home else "",
        organization=trail.organization,
        roles=frozenset({CASEWORK}),
        scopes=parse_all(_SCOPES),
    )
