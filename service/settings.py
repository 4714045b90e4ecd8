"""One frozen Settings; nothing else reads the environment. Every field is `CASEBRIDGE_<NAME>` or a `.env` line."""

import ipaddress
import os
from difflib import get_close_matches
from functools import cached_property
from pathlib import Path
from typing import Annotated, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from dotenv import dotenv_values
from pydantic import Field, SecretStr, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

PEOPLE = ("case-manager", "supervisor", "engineer", "auditor")
"""Roles of people at the console."""

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


class Settings(BaseSettings):
    """What an operator may choose. `casebridge settings` prints these with where each value came from."""

    model_config = SettingsConfigDict(env_prefix="CASEBRIDGE_", env_file=".env", frozen=True, extra="ignore")

    data_dir: Path = Field(Path("data"), description="where the embedded database, keys and exports live")
    database_url: SecretStr | None = Field(None, description="postgresql://… (14+); without it, embedded")
    public_url: str = Field("", description="how partners reach us; default http://HOST:PORT of serve")
    our_client_id: str = Field("", description="our client_id at partners; default our FHIR base URL")
    secret_key: SecretStr | None = Field(
        None, description="encrypts stored secrets; default a file in data_dir"
    )
    secret_key_also: SecretStr | None = Field(
        None, description="another secret that stored secrets may be under, while one replaces the other"
    )
    outbound_allow: Annotated[tuple[Network, ...], NoDecode] = Field(
        (), description="private or non-TLS networks (CIDR, comma-separated) that outbound calls may reach"
    )
    guides: Annotated[tuple[Path, ...], NoDecode] = Field(
        (),
        description="operator FHIR packages: folders or .tgz, comma-separated; ConceptMaps in folders map codes",
    )
    validate_outbound: bool = Field(True, description="validate what we author before it leaves")
    part2_program: bool = Field(True, description="the home agency is a 42 CFR Part 2 programme")
    time_zone: str = Field(
        "UTC",
        description="where the agency's days begin and end (IANA name): a consent ends with its last day there",
    )
    timers: Path | None = Field(
        None,
        description="JSON file that changes when what falls due: other amounts, tiers, off (docs/coordination.md)",
    )
    sensitive_value_sets: Annotated[tuple[str, ...], NoDecode] = Field(
        (),
        description="value sets of your guides that reveal something sensitive: CODE=canonical, comma-separated; "
        "CODE is a sensitivity of v3-ActCode (SUD, OPIOIDUD, MH, HIV, SEX, STD, SDV, …)",
    )
    poll_seconds: float = Field(
        900.0, ge=0.2, description="how often a partner's open Tasks are read (15 min)"
    )
    worker_idle_seconds: float = Field(1.0, ge=0.05, description="longest nap of an idle worker")
    delivery_timeout_seconds: float = Field(
        15.0, gt=0, description="one outbound request, connect to last byte"
    )
    stalled_days: float = Field(
        14.0, gt=0, description="after how many days without a move an open referral is reported"
    )
    smtp_url: SecretStr | None = Field(
        None,
        description="smtp://[user:password@]host[:port] (STARTTLS) or smtps://…, for subscriptions and links by e-mail",
    )
    smtp_from: str = Field("casebridge@localhost", description="sender of our e-mails")
    subscription_days: int = Field(
        30, ge=1, le=3650, description="how long a subscription's events can be asked for again"
    )
    export_hours: float = Field(
        24.0, gt=0, le=720, description="how long a finished bulk export can be fetched"
    )
    lead_rules: Annotated[tuple[str, ...], NoDecode] = Field(
        (),
        description="what is asked of a case manager who is to lead: RULE=off, warn or block, comma-separated; rules "
        "and what they are otherwise: docs/coordination.md",
    )
    token_seconds: int = Field(300, ge=30, le=300, description="life of an access token")
    max_body_bytes: int = Field(5_000_000, gt=0, description="largest request body")
    max_bundle_entries: int = Field(1000, gt=0, description="most entries of a batch or transaction")
    small_cells: int = Field(
        11, ge=1, description="counts below this are hidden in reports about clients (0 is shown)"
    )
    disclosure_years: int = Field(
        3, ge=1, le=100, description="how far back an accounting of disclosures goes"
    )
    audit_keep_years: int = Field(
        6,
        ge=1,
        le=100,
        description="how long audit rows stay in the database; `audit archive` moves out older ones",
    )
    strict_references: bool = Field(False, description="refuse a write that refers to what is not here")
    free_references: Annotated[tuple[str, ...], NoDecode] = Field(
        (),
        description="elements (Task.focus, comma-separated) whose references do not keep their target from deletion, "
        "beside those that the catalogue names",
    )
    caller_rate: float = Field(
        100.0, ge=0, description="requests a second of one partner, ten seconds' worth at once; 0: no limit"
    )
    caller_seats: int = Field(8, ge=1, description="requests of one caller served at a time; the rest wait")
    address_rate: float = Field(
        50.0, ge=0, description="requests a second of one address without a good token; 0: no limit"
    )
    token_rate: float = Field(
        5.0, ge=0, description="requests a second of one address at the token endpoints; 0: no limit"
    )
    body_seconds: float = Field(60.0, gt=0, description="longest time a request body may take to arrive")
    head_seconds: float = Field(10.0, gt=0, description="longest time a request's headers may take to arrive")
    connections: int = Field(1000, ge=10, description="most connections of one API process")
    address_connections: int = Field(200, ge=1, description="most of them from one address")
    proxies: Annotated[tuple[Network, ...], NoDecode] = Field(
        (), description="proxies (CIDR, comma-separated) whose X-Forwarded-For and certificate header count"
    )
    partner_ids: Literal["own", "free"] = Field(
        "own",
        description="ids a partner may choose by PUT: below its Organization's id, or any (tells which are taken)",
    )
    certificate_header: str = Field(
        "", description="header in which those proxies pass on the caller's certificate, like client-cert"
    )
    tls_certificate: Path | None = Field(None, description="PEM certificate (chain) to serve TLS with")
    tls_key: Path | None = Field(None, description="its private key, PEM")
    tls_client_ca: Path | None = Field(
        None, description="PEM certificates of those whose client certificates are believed (mutual TLS)"
    )
    outbound_ca: Path | None = Field(
        None,
        description="PEM certificates of further authorities that partners' servers may be vouched for by",
    )
    oidc_issuer: str = Field(
        "", description="who signs people in to the console: an OpenID Connect issuer's URL"
    )
    oidc_client_id: str = Field("", description="our client_id at that issuer")
    oidc_client_secret: SecretStr | None = Field(
        None, description="our secret there; none for a public client"
    )
    oidc_scopes: str = Field("openid profile", description="what the console asks the issuer for")
    oidc_roles_claim: str = Field("roles", description="the ID token's claim with roles; dots go inwards")
    oidc_roles: Annotated[tuple[str, ...], NoDecode] = Field(
        (), description="their words for our roles (theirs=ours, comma-separated); default: the same words"
    )
    console_idle_minutes: int = Field(
        30, ge=1, le=1440, description="a console session ends when idle this long"
    )
    console_hours: int = Field(10, ge=1, le=24, description="and after this long in any case")
    pool_size: int = Field(10, ge=2, description="database connections per process")
    log_level: Literal["debug", "info", "warning", "error"] = "info"

    @field_validator(
        "outbound_allow",
        "proxies",
        "guides",
        "free_references",
        "sensitive_value_sets",
        "oidc_roles",
        "lead_rules",
        mode="before",
    )
    @classmethod
    def _split(cls, value: object) -> object:
        if isinstance(value, str):
            return tuple(part.strip() for part in value.split(",") if part.strip())
        return value

    @field_validator("time_zone")
    @classmethod
    def _known(cls, value: str) -> str:
        try:
            ZoneInfo(value)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            raise ValueError("no time zone of this name is known here; like America/New_York") from None
        return value

    @cached_property
    def zone(self) -> ZoneInfo:
        """Where the agency's days begin and end."""
        return ZoneInfo(self.time_zone)

    @field_validator("oidc_roles")
    @classmethod
    def _pairs(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for pair in value:
            theirs, _, ours = pair.rpartition("=")
            if not theirs or ours not in PEOPLE:
                raise ValueError(f"{pair!r} should be theirs=ours, ours one of {', '.join(PEOPLE)}")
        return value

    @cached_property
    def sees_certificates(self) -> bool:
        """True when callers' certificates reach us: in TLS, or from a proxy."""
        return self.tls_client_ca is not None or bool(self.certificate_header and self.proxies)

    @cached_property
    def embedded(self) -> bool:
        """True when the service runs its own PostgreSQL in `data_dir`."""
        return self.database_url is None


PREFIX = "CASEBRIDGE_"
INTERNAL = frozenset({"CASEBRIDGE_PARENT_PIPE", "CASEBRIDGE_TEST_DATABASE_URL", "CASEBRIDGE_PROBES"})
"""Not settings: what our own processes and tests tell each other."""


def strangers() -> list[tuple[str, str]]:
    """Names of the environment and of `.env` that look like settings and are none, each with the nearest that is one
    (empty when none is near): a misspelt name would otherwise be a default that nobody chose."""
    known = {name.upper() for name in Settings.model_fields}
    written = {
        name.upper() for name in (*os.environ, *(dotenv_values(".env") if Path(".env").is_file() else ()))
    }
    given = {name.removeprefix(PREFIX) for name in written - INTERNAL if name.startswith(PREFIX)}
    near = {name: next(iter(get_close_matches(name, known, 1, 0.75)), "") for name in given - known}
    return [(PREFIX + name, PREFIX + found if found else "") for name, found in sorted(near.items())]
