"""Who is at the console: a person with roles, in a session that ends."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Literal, cast

from service.fhir.audit import PERSON
from service.fhir.json import Json, JsonObject
from service.flows.context import Context
from service.settings import PEOPLE, Settings
from service.store import sessions, tokens
from service.store.sessions import Session

Role = Literal["case-manager", "supervisor", "engineer", "auditor"]
ROLES = cast("tuple[Role, ...]", PEOPLE)
LOCAL = ""
"""The issuer of sessions that began with a link made on this machine."""


@dataclass(frozen=True, slots=True)
class Person:
    """`id` is what the audit trail calls the person; `session` the digest of the session's token."""

    id: str
    name: str
    roles: frozenset[Role]
    session: bytes = field(repr=False)
    mark: str = ""
    """What the audit trail knows the session by."""

    @property
    def sees_clients(self) -> bool:
        """Case managers, their supervisors and auditors see names and notes; engineers see exchanges without them."""
        return bool(self.roles & {"case-manager", "supervisor", "auditor"})


def idle(settings: Settings) -> timedelta:
    """How long a session may rest."""
    return timedelta(minutes=settings.console_idle_minutes)


def name_of(session: Session) -> str:
    """The audit trail's name for a person: the issuer's subject, or the operator's word on this machine."""
    return f"{PERSON}{session.subject}" if session.issuer != LOCAL else f"{PERSON}local:{session.subject}"


async def person_of(context: Context, token: str) -> Person | None:
    """Whose session this is, None when it is over. A read; once a minute it is noted that the person is there."""
    now = context.clock()
    async with context.database.reading() as connection:
        session = await sessions.living(connection, token, now, idle(context.settings))
    if session is None:
        return None
    if now - session.seen > sessions.STEP:
        async with context.database.unit() as unit:
            await sessions.seen(unit, session.digest, now)
    roles = frozenset(role for role in ROLES if role in session.roles)
    return Person(name_of(session), session.name, roles, session.digest, tokens.mark(token))


def roles_of(settings: Settings, claims: JsonObject) -> list[str]:
    """The roles that an ID token's claim means; a word that is not mapped means nothing."""
    value: Json = claims
    for step in settings.oidc_roles_claim.split("."):
        value = value.get(step) if isinstance(value, dict) else None
    words: Sequence[Json] = value if isinstance(value, list) else [value]
    meant = dict(pair.rpartition("=")[::2] for pair in settings.oidc_roles) or {role: role for role in ROLES}
    found = {meant[word] for word in words if isinstance(word, str) and word in meant}
    return [role for role in ROLES if role in found]
