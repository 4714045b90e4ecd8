"""Partners: who may call us and whom we call, as registered."""

from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any

import orjson

from service.delivery.terms import STANDARD, UNREADABLE, BadTerms, Terms, read, written
from service.fhir.json import JsonObject, decode_object, encode
from service.kernel.events import log
from service.kernel.failures import Refused
from service.kernel.ids import ClientId
from service.store.unit import Unit


@dataclass(frozen=True, slots=True)
class Partner:
    """A registration. `organization` is a reference (`Organization/…`); keys are given by value or by URL."""

    client_id: ClientId
    name: str
    organization: str
    roles: list[str]
    scopes: list[str]
    jwks: JsonObject | None
    jwks_url: str | None
    fhir_base: str | None
    token_url: str | None
    dialect: str
    delivery: str
    disabled_at: datetime | None
    created_at: datetime
    terms: Terms = STANDARD
    certificate: str = ""

    @property
    def pushed_to(self) -> bool:
        """Do we bring news to this partner, or does it come and look?"""
        return (
            self.disabled_at is None and self.fhir_base is not None and self.delivery in ("push", "subscribe")
        )


_NAMES = tuple(Partner.__dataclass_fields__)
_COLUMNS = ", ".join(_NAMES)
_SELECT = f"SELECT {_COLUMNS} FROM partner"  # noqa: S608
_INSERT = f"""
INSERT INTO partner ({_COLUMNS}) VALUES ($1,$2,$3,$4,$5,$6::jsonb,$7,$8,$9,$10,$11,$12,$13,$14::jsonb,$15)
ON CONFLICT DO NOTHING RETURNING client_id"""  # noqa: S608


def _partner(record: Any) -> Partner:
    values = dict(zip(_NAMES, record, strict=True))
    if values["jwks"] is not None:
        values["jwks"] = decode_object(values["jwks"].encode())
    values["terms"] = terms_of(values["terms"], values["client_id"])
    return Partner(**values)


@lru_cache(maxsize=1024)
def terms_of(text: str, partner: str) -> Terms:
    """A partner's terms as stored. Those that cannot be read are said once a process, and stop this partner alone."""
    try:
        return read(orjson.loads(text))
    except BadTerms as bad:
        log("partner-terms-unreadable", partner=partner, error=str(bad))
        return UNREADABLE


async def known(connection: Any, client_id: str) -> Partner | None:
    """The partner with this client_id, disabled or not, or None."""
    found = await connection.fetchrow(f"{_SELECT} WHERE client_id = $1", client_id)
    return _partner(found) if found else None


async def find(connection: Any, client_id: str) -> Partner:
    """As `known`, where there must be one; Refused("absent") otherwise."""
    partner = await known(connection, client_id)
    if partner is None:
        raise Refused("absent", "there is no such partner")
    return partner


async def named(connection: Any, name: str) -> Partner | None:
    """The partner with this name, or None. Names are unique."""
    found = await connection.fetchrow(f"{_SELECT} WHERE name = $1", name)
    return _partner(found) if found else None


async def of_organization(connection: Any, organization: str) -> Partner | None:
    """The enabled partner that is this Organization (`Organization/…`), or None."""
    sql = f"{_SELECT} WHERE organization = $1 AND disabled_at IS NULL ORDER BY created_at LIMIT 1"
    found = await connection.fetchrow(sql, organization)
    return _partner(found) if found else None


async def home(connection: Any) -> Partner | None:
    """The case-management system: the oldest enabled partner with role `casework`, or None."""
    where = "'casework' = ANY(roles) AND disabled_at IS NULL"
    found = await connection.fetchrow(f"{_SELECT} WHERE {where} ORDER BY created_at, client_id LIMIT 1")
    return _partner(found) if found else None


async def everyone(connection: Any) -> list[Partner]:
    """All partners, by name."""
    return [_partner(found) for found in await connection.fetch(f"{_SELECT} ORDER BY name")]


async def parties(connection: Any, organization: str) -> list[Partner]:
    """Whoever is this Organization, and every casework system, enabled or not, oldest first: in one statement."""
    sql = f"{_SELECT} WHERE organization = $1 OR 'casework' = ANY(roles) ORDER BY created_at, client_id"
    return [_partner(found) for found in await connection.fetch(sql, organization)]


async def add(unit: Unit, partner: Partner) -> bool:
    """Register; False when the name or client_id is taken, and nothing is written."""
    values = [getattr(partner, name) for name in _NAMES]
    values[_NAMES.index("jwks")] = None if partner.jwks is None else encode(partner.jwks).decode()
    values[_NAMES.index("terms")] = orjson.dumps(written(partner.terms)).decode()
    return await unit.fetchrow(_INSERT, *values) is not None


async def agree(unit: Unit, client_id: str, terms: Terms) -> None:
    """From the commit on, the partner is spoken to on these terms."""
    text = orjson.dumps(written(terms)).decode()
    await unit.execute("UPDATE partner SET terms = $2::jsonb WHERE client_id = $1", client_id, text)


async def require_certificate(unit: Unit, client_id: str, certificate: str) -> None:
    """From the commit on the partner must show this certificate ('' for none): flows/access/certificates.py."""
    await unit.execute("UPDATE partner SET certificate = $2 WHERE client_id = $1", client_id, certificate)


async def disable(unit: Unit, client_id: str, now: datetime) -> None:
    """From the commit on, no token of this partner counts. Disabling twice keeps the first moment."""
    await unit.execute("DELETE FROM access_token WHERE client_id = $1", client_id)
    sql = "UPDATE partner SET disabled_at = COALESCE(disabled_at, $2) WHERE client_id = $1"
    await unit.execute(sql, client_id, now)
