"""A partner becomes known, is looked at, gets a token for local use, and can be shut out.

`casebridge partner add|list|show|token|disable` print what these return.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

from service.delivery import terms
from service.delivery.terms import STANDARD, BadTerms, Terms, written
from service.fhir.json import JsonObject, decode_object
from service.flows.access.certificates import THUMBPRINT
from service.flows.access.registration import checked_key_set, checked_name, checked_roles, checked_scopes
from service.flows.audit.witness import act
from service.flows.context import Context
from service.flows.issue_token import new_token
from service.flows.receive_record import partner_of
from service.flows.writing import version_of
from service.kernel.clock import instant
from service.kernel.failures import Refused
from service.kernel.ids import ClientId, new_id
from service.remote.guard import RefusedAddress, check_url
from service.store import agencies, partners, reach, records, tokens
from service.store.partners import Partner
from service.store.tokens import Issued
from service.store.unit import Unit

DIALECTS = ("sdohcc", "bser", "cow")
DELIVERIES = ("push", "subscribe", "poll")


@dataclass(frozen=True, slots=True)
class Registration:
    """What an operator says of a partner. `jwks` is a file or a URL; `delivery` None: push if it can be.
    `agreed`: terms as `name=value`."""

    name: str
    roles: Sequence[str]
    scopes: Sequence[str] = ()
    jwks: str | None = None
    fhir_base: str | None = None
    token_url: str | None = None
    dialect: str = "sdohcc"
    delivery: str | None = None
    agreed: Sequence[str] = ()


async def add(context: Context, wanted: Registration) -> JsonObject:
    """Register a partner together with its Organization. Refused says what is wrong or taken.

    An agency that the case-management system has filed before it became a partner keeps its Organization, so that
    the consents and referrals that name it mean this partner.
    """
    now = context.clock()
    partner = _partner(context, wanted)
    organization = {"resourceType": "Organization", "active": True, "name": partner.name}
    async with context.database.unit() as unit:
        filed = await _filed_before(unit, partner)
        partner = replace(partner, organization=filed or partner.organization)
        if not await partners.add(unit, partner):
            raise Refused("conflict", f"there is a partner named {partner.name!r} already; names are unique")
        await reach.pace(unit, partner.client_id, partner.terms.paced)
        if filed is None:
            id_ = partner.organization.removeprefix("Organization/")
            unit.put(version_of(context, organization, id_, None, "", now))
        unit.audit(act(context, "administration", "partner-added", about=[partner.organization]))
    return described(context, partner)


async def _filed_before(unit: Unit, partner: Partner) -> str | None:
    """The Organization of an agency record that means this partner, unless another partner has it."""
    for kept in await records.of_kind(unit, "agencies"):
        organization = next((each for each in kept.resources if each.startswith("Organization/")), None)
        if organization and partner_of(kept.id, decode_object(kept.body), [partner]):
            taken = await partners.of_organization(unit, organization)
            return None if taken else organization
    return None


async def everyone(context: Context) -> list[JsonObject]:
    """All partners, by name."""
    async with context.database.reading() as connection:
        return [described(context, partner) for partner in await partners.everyone(connection)]


async def show(context: Context, name: str) -> JsonObject:
    """One partner."""
    return described(context, await found_by_name(context, name))


async def disable(context: Context, name: str) -> JsonObject:
    """Shut a partner out: its next request is refused, whatever token it holds. What it led or was asked for goes to
    whoever must see to it (due/left.py)."""
    partner = await found_by_name(context, name)
    async with context.database.unit() as unit:
        await partners.disable(unit, partner.client_id, context.clock())
        await agencies.stir(unit, [partner.organization])
        unit.audit(act(context, "administration", "partner-disabled", about=[partner.organization]))
    return described(context, await found_by_name(context, name))


async def agree(context: Context, name: str, said: Sequence[str]) -> JsonObject:
    """Speak to a partner on other terms from now on: `said` as `name=value`; the others stay as they are."""
    async with context.database.unit() as unit:
        partner = await partners.named(unit, name.strip())
        if partner is None:
            raise _unknown(name)
        agreed = _spoken(partner.dialect, partner.delivery, _changed(partner.terms, said))
        await partners.agree(unit, partner.client_id, agreed)
        await reach.pace(unit, partner.client_id, agreed.paced)
        unit.audit(act(context, "administration", "partner-changed", about=[partner.organization]))
    return described(context, replace(partner, terms=agreed))


async def mint_token(context: Context, name: str, days: int | None = None) -> str:
    """An access token with all the partner's scopes: short-lived, for an operator on this machine, or for `days`
    days, for a partner whose software knows nothing but a fixed bearer token."""
    partner = await found_by_name(context, name)
    life = timedelta(days=days) if days else timedelta(seconds=context.settings.token_seconds)
    bound = partner.certificate.removeprefix(THUMBPRINT)
    if partner.certificate and not partner.certificate.startswith(THUMBPRINT):
        raise Refused(
            "conflict", f"{partner.name!r} must show a certificate, so its tokens are its own to fetch"
        )
    issued = Issued(partner.client_id, new_token(), partner.scopes, context.clock() + life, bound)
    async with context.database.unit() as unit:
        if not await tokens.issue(unit, issued):
            raise Refused("conflict", f"the partner {partner.name!r} is disabled")
        unit.audit(act(context, "administration", "partner-token", about=[partner.organization]))
    return issued.token


async def revoke_tokens(context: Context, name: str) -> int:
    """Every token the partner holds stops counting at the next request; returns how many there were."""
    partner = await found_by_name(context, name)
    async with context.database.unit() as unit:
        gone = await tokens.revoke_all(unit, partner.client_id)
        unit.audit(act(context, "administration", "partner-tokens-revoked", about=[partner.organization]))
    return gone


def described(context: Context, partner: Partner) -> JsonObject:
    """A registration as JSON: what the partner's engineers need to call us, and how we call them."""
    shown: dict[str, Any] = {
        "client_id": partner.client_id,
        "name": partner.name,
        "organization": partner.organization,
        "roles": partner.roles,
        "scopes": partner.scopes,
        "fhir": context.base,
        "token_endpoint": f"{context.base.removesuffix('/fhir')}/auth/token",
        "jwks_url": partner.jwks_url,
        "kids": [key["kid"] for key in partner.jwks["keys"]] if partner.jwks else None,
        "fhir_base": partner.fhir_base,
        "token_url": partner.token_url,
        "dialect": partner.dialect,
        "delivery": partner.delivery,
        "terms": (written(partner.terms) or None) if partner.terms.readable else "cannot be read",
        "created_at": instant(partner.created_at),
        "certificate": partner.certificate or None,
        "disabled_at": instant(partner.disabled_at) if partner.disabled_at else None,
    }
    return {name: value for name, value in shown.items() if value is not None}


async def found_by_name(context: Context, name: str) -> Partner:
    """The partner of this name; Refused("absent") otherwise."""
    async with context.database.reading() as connection:
        partner = await partners.named(connection, name.strip())
    if partner is None:
        raise _unknown(name)
    return partner


def _unknown(name: str) -> Refused:
    return Refused("absent", f"there is no partner named {name!r}; `casebridge partner list` shows them")


def _changed(before: Terms, said: Sequence[str]) -> Terms:
    try:
        return terms.changed(before, said)
    except BadTerms as error:
        raise Refused("malformed", str(error)) from None


def _partner(context: Context, wanted: Registration) -> Partner:
    roles = checked_roles(wanted.roles)
    by_url = wanted.jwks is not None and wanted.jwks.startswith(("https://", "http://"))
    return Partner(
        client_id=ClientId(new_id()),
        name=checked_name(wanted.name),
        organization=f"Organization/{new_id()}",
        roles=roles,
        scopes=checked_scopes(wanted.scopes, roles),
        jwks=_key_set(Path(wanted.jwks)) if wanted.jwks and not by_url else None,
        jwks_url=_url(context, wanted.jwks, "--jwks") if by_url else None,
        fhir_base=_base(context, wanted.fhir_base),
        token_url=_url(context, wanted.token_url, "--token-url"),
        dialect=_one_of(wanted.dialect, DIALECTS, "--dialect"),
        delivery=_delivery(wanted),
        disabled_at=None,
        created_at=context.clock(),
        terms=_spoken(wanted.dialect, _delivery(wanted), _changed(STANDARD, wanted.agreed)),
    )


def _spoken(dialect: str, delivery: str, agreed: Terms) -> Terms:
    """The terms; Refused for messages to a partner whose dialect or delivery does not have them."""
    if agreed.transport == "message" and (dialect, delivery) != ("bser", "push"):
        raise Refused("malformed", "transport=message is for partners of dialect bser with delivery push")
    return agreed


def _key_set(path: Path) -> JsonObject:
    try:
        with path.open("rb") as file:
            raw = file.read(262_145)
    except OSError as error:
        raise Refused("malformed", f"--jwks: {path} cannot be read: {error.strerror}") from None
    if len(raw) > 262_144:
        raise Refused("malformed", f"--jwks: {path} is too large for a key set")
    return checked_key_set(raw)


def _url(context: Context, url: str | None, option: str) -> str | None:
    """A URL whose form we may use; what it resolves to is judged at every connection."""
    if url is None:
        return None
    try:
        parts = check_url(url)
    except RefusedAddress as error:
        raise Refused("malformed", f"{option}: {error}") from None
    if parts.scheme == "http" and not context.settings.outbound_allow:
        text = f"{option}: https is required unless CASEBRIDGE_OUTBOUND_ALLOW lists the network"
        raise Refused("malformed", text)
    return url


def _base(context: Context, url: str | None) -> str | None:
    url = _url(context, url, "--fhir-base")
    if url and ("?" in url or "#" in url):
        raise Refused("malformed", "--fhir-base: a FHIR base has no query and no fragment")
    return url.rstrip("/") if url else None


def _delivery(wanted: Registration) -> str:
    delivery = wanted.delivery or ("push" if wanted.fhir_base else "poll")
    if delivery in ("push", "subscribe") and not wanted.fhir_base:
        raise Refused("malformed", f"--delivery {delivery} needs --fhir-base")
    return _one_of(delivery, DELIVERIES, "--delivery")


def _one_of(value: str, allowed: tuple[str, ...], option: str) -> str:
    if value not in allowed:
        raise Refused("malformed", f"{option} is one of {', '.join(allowed)}")
    return value
