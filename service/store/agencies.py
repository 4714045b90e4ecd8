"""Agencies that work no longer, and whose cases that concerns."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from service.store.unit import Unit

_SHUT = """
(EXISTS (SELECT 1 FROM partner p WHERE p.organization = o.ref)
   AND NOT EXISTS (SELECT 1 FROM partner p WHERE p.organization = o.ref AND p.disabled_at IS NULL)
 OR EXISTS (SELECT 1 FROM resource r WHERE r.type = 'Organization' AND r.id = split_part(o.ref, '/', 2)
   AND NOT r.deleted AND convert_from(r.body, 'UTF8')::jsonb -> 'active' = 'false'::jsonb))"""


@dataclass(frozen=True, slots=True)
class Asked:
    """A referral of ours that an agency has: the loop, the record's id, our request, whom we asked."""

    loop: str
    record: str
    request: str
    partner: str
    organization: str
    closed: bool


async def closed(connection: Any, organizations: Sequence[str]) -> set[str]:
    """Which of these (`Organization/…`) work no longer: disabled as partners, or said to be inactive."""
    sql = f"SELECT o.ref FROM unnest($1::text[]) AS o(ref) WHERE {_SHUT}"  # noqa: S608
    return {each[0] for each in await connection.fetch(sql, sorted(set(organizations)))}


async def asked(connection: Any, patient: str) -> list[Asked]:
    """Our referrals for this client, whatever became of them."""
    found = await connection.fetch(
        """SELECT l.id, l.record, coalesce(l.request, ''), p.name, p.organization, l.closed
           FROM loop l JOIN partner p ON p.client_id = l.partner
           WHERE l.patient = $1 AND l.direction = 'outbound' ORDER BY l.opened, l.id""",
        patient,
    )
    return [Asked(*each) for each in found]


async def stir(unit: Unit, who: Sequence[str]) -> None:
    """Whoever's case one of these (`Organization/…`, `PractitionerRole/…`) has a part in, as lead, to lead, standing in
    or asked for a service, is looked at."""
    await unit.execute(
        """INSERT INTO stirred (patient) SELECT d.patient FROM due_client d WHERE d.patient IN (
             SELECT c.patient FROM course c JOIN lead l ON l.course = c.id
               WHERE c.closed IS NULL AND (l.agency = ANY($1::text[]) OR l.worker = ANY($1::text[]))
             UNION SELECT c.patient FROM course c JOIN transfer t ON t.course = c.id
               WHERE t.agency = ANY($1::text[]) OR t.worker = ANY($1::text[])
             UNION SELECT c.patient FROM course c JOIN cover v ON v.course = c.id
               WHERE NOT v.ended AND (v.agency = ANY($1::text[]) OR v.worker = ANY($1::text[]))
             UNION SELECT l.patient FROM loop l JOIN partner p ON p.client_id = l.partner
               WHERE p.organization = ANY($1::text[]) AND NOT l.closed)""",
        list(who),
    )
