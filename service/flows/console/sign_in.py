"""How people come in: through the operator's OpenID Connect issuer, or by a one-time link made on this machine.

The browser keeps a ticket (256 random bits) from leaving for the issuer until it is back. State, nonce and PKCE
verifier are derived from it, so that nothing of a sign-in is stored but the ticket's digest, which counts once.
"""

import hashlib
import hmac
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from service.fhir.json import JsonObject
from service.flows.audit.witness import act
from service.flows.console.people import LOCAL, ROLES, Person, name_of, roles_of
from service.flows.context import Context
from service.flows.issue_token import new_token
from service.kernel.events import log
from service.kernel.failures import Refused, Unavailable
from service.remote.issuer import Issuer, NotProven
from service.store import partners, sessions, tokens
from service.store.sessions import Session
from service.store.trail import current

ON_THE_WAY = timedelta(minutes=10)
"""How long a person may take at the issuer."""
LONGEST_NAME = 100


@dataclass(frozen=True, slots=True)
class Leaving:
    """Send the browser to `url`; it keeps the ticket."""

    url: str
    ticket: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Begun:
    """A new session: its token for the browser, and when it ends whatever happens."""

    token: str = field(repr=False)
    expires: datetime


def derived(ticket: str, what: str) -> str:
    """A value that only the holder of the ticket knows: 43 characters."""
    made = hmac.digest(ticket.encode(), what.encode(), hashlib.sha256)
    return urlsafe_b64encode(made).rstrip(b"=").decode()


async def leave(context: Context, issuer: Issuer | None) -> Leaving:
    """Off to the issuer. Refused("absent") where there is none, Unavailable where it does not answer."""
    if issuer is None:
        raise Refused("absent", "no identity provider is set up here; ask for a sign-in link")
    ticket = new_token()
    try:
        url = await issuer.leave(
            derived(ticket, "state"), derived(ticket, "nonce"), derived(ticket, "verifier")
        )
    except NotProven as error:
        log("sign-in-refused", check=str(error))
        raise Unavailable("the identity provider cannot be used now", 30) from None
    async with context.database.unit() as unit:
        await sessions.leave(unit, ticket, context.clock() + ON_THE_WAY)
    return Leaving(url, ticket)


async def come_back(context: Context, issuer: Issuer | None, ticket: str, said: Mapping[str, str]) -> Begun:
    """Back from the issuer, with what the URL says. Refused in one sentence whatever was wrong: the log knows."""
    if issuer is None:
        raise Refused("absent", "no identity provider is set up here; ask for a sign-in link")
    if not ticket or not hmac.compare_digest(
        said.get("state", "").encode(), derived(ticket, "state").encode()
    ):
        raise _not_in("the state is not of a sign-in that this browser began")
    async with context.database.unit() as unit:
        fresh = await sessions.come_back(unit, ticket, context.clock())
    if not fresh:
        raise _not_in("the sign-in came back too late, or twice")
    if "error" in said or not said.get("code"):
        raise _not_in("the issuer sent an error")
    nonce, verifier = derived(ticket, "nonce"), derived(ticket, "verifier")
    try:
        claims = await issuer.come_back(said["code"], nonce, verifier, said.get("iss"))
    except NotProven as error:
        raise _not_in(str(error)) from None
    return await _begin_for(context, issuer.client.issuer, claims)


async def _begin_for(context: Context, issuer: str, claims: JsonObject) -> Begun:
    roles = roles_of(context.settings, claims)
    sid = claims.get("sid")
    name = next(
        (
            value
            for key in ("name", "preferred_username", "email", "sub")
            if isinstance(value := claims.get(key), str)
        ),
        "",
    )
    if not roles:
        log("sign-in-refused", check="the ID token gives none of our roles")
        raise Refused("forbidden", "your account has no role at this console; ask whoever manages accounts")
    return await begin(context, issuer, claims["sub"], sid if isinstance(sid, str) else "", name, roles)


async def begin(context: Context, issuer: str, subject: str, sid: str, name: str, roles: list[str]) -> Begun:
    """A session with a token of its own, never one that was known before."""
    now, token = context.clock(), new_token()
    expires = now + timedelta(hours=context.settings.console_hours)
    made = Session(
        sessions.digest(token), issuer, subject, sid, name[:LONGEST_NAME], roles, now, now, expires
    )  # fmt: skip
    async with context.database.unit() as unit:
        await sessions.begin(unit, made)
        home = await partners.home(unit)
        trail = current()
        trail.client, trail.token = name_of(made), tokens.mark(token)
        trail.organization = home.organization if home else ""
        unit.audit(act(context, "token", "person-signed-in", detail=" ".join(roles)))
    log("signed-in", roles=" ".join(roles))
    return Begun(token, expires)


async def make_link(context: Context, name: str, roles: list[str], minutes: int) -> str:
    """A token for a one-time link. Refused("malformed") for a role or a name that is none."""
    unknown = [role for role in roles if role not in ROLES]
    if unknown or not roles:
        raise Refused("malformed", f"roles are {', '.join(ROLES)}")
    if not name.strip() or len(name) > LONGEST_NAME or not name.isprintable():
        raise Refused("malformed", f"a name is printable and at most {LONGEST_NAME} characters long")
    token = new_token()
    expires = context.clock() + timedelta(minutes=minutes)
    async with context.database.unit() as unit:
        await sessions.make_link(unit, token, name.strip(), roles, expires)
        unit.audit(act(context, "administration", "console-link-made", detail=" ".join(roles)))
    return token


async def link_for(context: Context, token: str) -> str:
    """For whom a link is. Looking does not use it up: mail programs and previews look too. Refused("gone")."""
    async with context.database.reading() as connection:
        name = await sessions.link(connection, token, context.clock())
    if name is None:
        raise _used()
    return name


async def by_link(context: Context, token: str) -> Begun:
    """Use a link up. Refused("gone") when that was done, or it is too late."""
    async with context.database.unit() as unit:
        found = await sessions.use_link(unit, token, context.clock())
    if found is None:
        log("sign-in-refused", check="a link that is used, too old or unknown")
        raise _used()
    return await begin(context, LOCAL, found[0], "", *found)


async def sign_out(context: Context, person: Person) -> None:
    """The session is over at once, in every replica."""
    async with context.database.unit() as unit:
        await sessions.end(unit, person.session)
        unit.audit(act(context, "token", "person-signed-out"))


async def ended(context: Context, issuer: Issuer | None, token: str) -> None:
    """The issuer says that a session is over (Back-Channel Logout 1.0). Refused("malformed") for a token that is not
    its own, or was used before."""
    if issuer is None:
        raise Refused("absent", "no identity provider is set up here")
    try:
        word = await issuer.ended(token)
    except NotProven as error:
        log("sign-in-refused", check=str(error))
        raise Refused("malformed", "this is no logout token of our issuer") from None
    keep = datetime.fromtimestamp(word.expires, UTC) + ON_THE_WAY
    async with context.database.unit() as unit:
        if not await tokens.use_up(unit, issuer.client.issuer, word.jti, keep):
            raise Refused("malformed", "this logout token was used before")
        for session in await sessions.end_of(unit, issuer.client.issuer, word.subject, word.sid):
            current().client = name_of(session)
            unit.audit(act(context, "token", "person-signed-out", detail="by the issuer"))


async def end_all(context: Context, name: str) -> int:
    """An operator ends every session of a person, by the name that the audit trail uses; returns how many."""
    now = context.clock()
    async with context.database.unit() as unit:
        there = [
            each for each in await sessions.listing(unit, now, timedelta(days=1)) if name_of(each) == name
        ]
        for session in there:
            await sessions.end(unit, session.digest)
        unit.audit(act(context, "administration", "console-sessions-ended", detail=f"{len(there)} of {name}"))
    return len(there)


async def signed_in(context: Context) -> list[Session]:
    """Who is signed in."""
    async with context.database.reading() as connection:
        idle = timedelta(minutes=context.settings.console_idle_minutes)
        return await sessions.listing(connection, context.clock(), idle)


def _not_in(check: str) -> Refused:
    log("sign-in-refused", check=check)
    return Refused("unauthenticated", "that sign-in could not be completed; please begin again")


def _used() -> Refused:
    return Refused("gone", "this link was used, or its time is over; ask for a new one")
