"""A partner proves who it is with a signed assertion and gets a short token: SMART Backend Services 2.2.

https://hl7.org/fhir/smart-app-launch/STU2.2/backend-services.html. The checks and their errors are the table
of SECURITY.md §1.1; the order is: form, header, whose keys, signature, claims, scopes, and last, in one
statement with the token, that the assertion was never used before.
"""

import secrets
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Literal

from service.fhir.json import JsonObject
from service.flows.access import assertion as assertions
from service.flows.access.assertion import Assertion, Proof, Unproven
from service.flows.access.certificates import matches, thumbprint
from service.flows.access.public_keys import choose_key
from service.flows.access.scopes import grant, parse_all
from service.flows.audit.witness import STRANGER, token_given
from service.kernel.clock import Clock
from service.kernel.failures import Failure
from service.remote.jwks import KeySets, NoKeys
from service.store import partners, tokens
from service.store.database import Database
from service.store.partners import Partner
from service.store.tokens import Issued
from service.store.trail import current

JWT_BEARER = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
MAX_SCOPES = 400
_KEEP = timedelta(seconds=60)
"""A used assertion is remembered this much longer than it lives, for replicas whose clocks differ."""

OAuthError = Literal[
    "invalid_request", "invalid_client", "invalid_scope", "unsupported_grant_type", "unauthorized_client"
]
_NO_TERMS = "what was agreed with this client cannot be read here: the operator must mend it before anything is granted"
_STRANGER = (
    "no registered client with a usable key is behind this assertion: the client_id is unknown or disabled, "
    "its key set has not exactly one key with this kid that fits alg, or the signature is not that key's"
)
"""One sentence for all of them: nobody learns which client_ids exist."""


class TokenRefused(Failure):
    """An OAuth error (RFC 6749 §5.2). The text becomes `error_description`."""

    def __init__(self, error: OAuthError, text: str) -> None:
        super().__init__(text)
        self.error: OAuthError = error
        self.text = text


@dataclass(frozen=True, slots=True)
class TokenServer:
    """What the token endpoint stands on. `url` is our token URL, the only audience; `certificate` (DER) is what the
    connection has shown."""

    database: Database
    clock: Clock
    key_sets: KeySets
    url: str
    seconds: int
    certificate: bytes | None = None


@dataclass(frozen=True, slots=True)
class Grant:
    """A token response's content, and whose it is."""

    client_id: str
    token: str = field(repr=False)
    seconds: int
    scope: str


async def issue_token(server: TokenServer, form: dict[str, str]) -> Grant:
    """Answer a client_credentials request (its form, each parameter once). TokenRefused otherwise."""
    if form.get("grant_type") is None:
        raise TokenRefused("invalid_request", "grant_type is required")
    if form["grant_type"] != "client_credentials":
        raise TokenRefused("unsupported_grant_type", "grant_type must be client_credentials")
    if not form.get("scope", "").strip():
        raise TokenRefused("invalid_request", "scope is required")
    partner, proof = await prove_client(server, form)
    granted = _granted(form["scope"], partner)
    expires = server.clock() + timedelta(seconds=server.seconds)
    bound = thumbprint(server.certificate) if partner.certificate and server.certificate else ""
    issued = Issued(partner.client_id, new_token(), granted, expires, bound)
    async with server.database.unit() as unit:
        fresh = await tokens.spend(unit, proof.jti, _forget_at(proof), issued)
        if fresh:
            unit.audit(token_given(server.clock(), partner, issued.token))
    if not fresh:
        raise used_before()
    return Grant(issued.client_id, issued.token, server.seconds, " ".join(granted))


def new_token() -> str:
    """256 random bits, opaque."""
    return secrets.token_urlsafe(32)


async def authenticate_client(server: TokenServer, form: dict[str, str]) -> Partner:
    """Who signed the assertion in this form, for endpoints beside the token endpoint. Uses it up."""
    partner, proof = await prove_client(server, form)
    async with server.database.unit() as unit:
        fresh = await tokens.use_up(unit, partner.client_id, proof.jti, _forget_at(proof))
    if not fresh:
        raise used_before()
    return partner


def used_before() -> TokenRefused:
    """The assertion's jti has been seen."""
    return TokenRefused("invalid_client", "this assertion was used before: every request needs a new jti")


def _forget_at(proof: Proof) -> datetime:
    return datetime.fromtimestamp(proof.expires, UTC) + _KEEP


async def prove_client(server: TokenServer, form: dict[str, str]) -> tuple[Partner, Proof]:
    """The partner behind a form's assertion, which the caller must still use up. TokenRefused otherwise."""
    if form.get("client_assertion_type") != JWT_BEARER:
        raise TokenRefused("invalid_request", f"client_assertion_type must be {JWT_BEARER}")
    if "client_assertion" not in form:
        raise TokenRefused("invalid_request", "client_assertion is required")
    try:
        assertion = assertions.read(form["client_assertion"])
        if form.get("client_id", assertion.issuer) != assertion.issuer:
            raise Unproven("client_id differs from the assertion's iss")
        partner = await _signer(server, assertion)
        if not matches(partner.certificate, server.certificate):
            raise Unproven("this client is registered with a certificate that the connection does not show")
        if not partner.terms.readable:
            raise Unproven(_NO_TERMS)
        return partner, assertions.prove(assertion, server.url, server.clock())
    except Unproven as error:
        raise TokenRefused("invalid_client", str(error)) from None


async def _signer(server: TokenServer, assertion: Assertion) -> Partner:
    """The partner whose registered key made the signature."""
    async with server.database.reading() as connection:
        partner = await partners.known(connection, assertion.issuer)
    current().client = partner.client_id if partner else STRANGER  # a refusal takes as long for either
    key = await _key(server, partner, assertion) if partner else None
    if key is None:
        assertions.pretend(assertion)
    if partner is None or key is None or not assertions.verified(assertion, key):
        raise Unproven(_STRANGER)
    return partner


async def _key(server: TokenServer, partner: Partner, assertion: Assertion) -> JsonObject | None:
    """The key that must have signed; none for a disabled partner, or a jku that is not the registered one."""
    if partner.disabled_at is not None or assertion.jku not in (None, partner.jwks_url):
        return None
    wanted = (assertion.algorithm, assertion.kid)
    if partner.jwks_url is None:
        return choose_key(partner.jwks, *wanted)
    try:
        key = choose_key(await server.key_sets.get(partner.jwks_url), *wanted)
        if key is None and (anew := await server.key_sets.again(partner.jwks_url)):
            key = choose_key(anew, *wanted)
    except NoKeys as error:
        raise Unproven(f"{error}; nothing can be verified without it") from None
    return key


def _granted(asked: str, partner: Partner) -> list[str]:
    texts = asked.split()
    if len(texts) > MAX_SCOPES:
        raise TokenRefused("invalid_scope", f"at most {MAX_SCOPES} scopes may be asked for at once")
    granted = grant(parse_all(texts), parse_all(partner.scopes))
    if not granted:
        raise TokenRefused("invalid_scope", "none of the scopes asked for is registered for this client")
    return [scope.text for scope in granted]
