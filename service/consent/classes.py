"""Which classes is the recipient in? The names a consent may use instead of an agency's own, resolved.

42 CFR 2.31(a)(4): a consent may name a class ("my treating providers"), an intermediary with its participants, a
person or a team. Who is meant is decided at the moment of disclosure from the directory (Organization.partOf,
PractitionerRole, OrganizationAffiliation, Group) and from the client's care teams. `docs/consent.md`
says each rule in words.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo

from service.consent import terms
from service.consent.model import reference
from service.consent.spans import period
from service.fhir.json import JsonObject

COVERED = "https://casebridge.example/fhir/StructureDefinition/hipaa-covered-entity"
_PROVIDER = ("http://terminology.hl7.org/CodeSystem/organization-type", "prov")
PAPER, TEAM, PERSON = "Consent", "CareTeam", "Practitioner"


@dataclass(frozen=True, slots=True)
class Entries:
    """Directory entries at hand, by type, and the moment and zone in which they are looked at."""

    by_type: Mapping[str, Sequence[JsonObject]]
    now: datetime
    zone: tzinfo

    def all(self, type_: str) -> Sequence[JsonObject]:
        """Those of a type."""
        return self.by_type.get(type_, ())

    def holds(self, value: object) -> bool:
        """Is this Period running? None is always; one that cannot be read never is."""
        if value is None:
            return True
        running = period(value, self.zone)
        return running is not None and running.holds(self.now)

    def organization(self, own: str) -> JsonObject:
        """The Organization of this reference, empty if it is not at hand."""
        return next((one for one in self.all("Organization") if _name(one) == own), {})


def mentioned(consents: Iterable[JsonObject]) -> frozenset[str]:
    """Every actor that a provision of one of these consents names, intermediaries among them."""
    return frozenset(who for one in consents for who in _actors(one.get("provision")) if who)


def members_of_teams(teams: Iterable[JsonObject]) -> frozenset[str]:
    """Every participant of these teams, whoever they work for."""
    listed = (one for team in teams for one in _objects(team.get("participant")))
    return frozenset(who for one in listed if (who := reference(one.get("member"))))


def names(entries: Entries, own: str, base: str) -> frozenset[str]:
    """Every way in which a consent can name this very organisation."""
    found = entries.organization(own)
    identifiers = (
        f"{one.get('system', '')}|{one['value']}"
        for one in _objects(found.get("identifier"))
        if one.get("value")
    )
    return frozenset({own, f"{base}/{own}", *identifiers})


def covered(entries: Entries, own: str) -> bool:
    """Does the directory say that it is a HIPAA covered entity or business associate (2.33)?"""
    return _flag(entries.organization(own), COVERED)


def classes(entries: Entries, own: str, base: str) -> frozenset[str]:
    """The names that mean this organisation among others, for every client: what it is part of, who works for it,
    the groups it is in. (A HealthcareService cannot be an actor of an R4 Consent.)"""
    parts = {own}
    found = {name for above in _above(entries, own) for name in names(entries, above, base)}
    for role in _roles(entries):
        if _is(role.get("organization"), parts):
            found |= {_name(role), reference(role.get("practitioner"))}
    found |= {_name(one) for one in entries.all("Group") if _in_group(entries, one, found | parts)}
    return frozenset(found - {""})


def circle(
    entries: Entries, own: str, teams: Sequence[JsonObject], *, operates: bool = False
) -> frozenset[str]:
    """The names that mean this organisation among others for one client, whose care teams are `teams`.

    `operates`: it helps to operate the programme under a qualified service organisation agreement (2.11).
    """
    ours = [team for team in teams if _on_team(entries, team, own)]
    found = {_name(team) for team in ours}
    if ours:
        found.add(terms.TEAM)
    if ours and _provides(entries, own):
        found.add(terms.TREATING)
        found |= {f"{terms.PARTICIPANTS}@{through}" for through in _through(entries, own)}
    if operates:
        found.add(terms.OPERATORS)
    return frozenset(found)


def _above(entries: Entries, own: str) -> Iterator[str]:
    """What it is part of, to the top: a consent to an organisation covers its departments."""
    seen = {own}
    above = reference(entries.organization(own).get("partOf"))
    while above and above not in seen:
        yield above
        seen.add(above)
        above = reference(entries.organization(above).get("partOf"))


def _roles(entries: Entries) -> Iterator[JsonObject]:
    for role in entries.all("PractitionerRole"):
        if role.get("active", True) and entries.holds(role.get("period")):
            yield role


def _in_group(entries: Entries, group: JsonObject, own: set[str]) -> bool:
    """An inactive group has no members; an excluding one never says who is meant."""
    if not group.get("active", True) or group.get("actual") is not True:
        return False
    members = (one for one in _objects(group.get("member")) if not one.get("inactive"))
    return any(_is(one.get("entity"), own) for one in members if entries.holds(one.get("period")))


def _on_team(entries: Entries, team: JsonObject, own: str) -> bool:
    """An active team, with a participant who is there for this organisation now."""
    if team.get("status") != "active" or not entries.holds(team.get("period")):
        return False
    running = (one for one in _objects(team.get("participant")) if entries.holds(one.get("period")))
    return any(own in _employers(entries, one) for one in running)


def _employers(entries: Entries, participant: JsonObject) -> frozenset[str]:
    """For whom a participant is there: as it says; else the organisation itself, or that of the role or of the
    person's only role."""
    said, member = reference(participant.get("onBehalfOf")), reference(participant.get("member"))
    if said or member.startswith("Organization/"):
        return frozenset({said or member})
    roles = [one for one in _roles(entries) if member in (_name(one), reference(one.get("practitioner")))]
    found = frozenset(reference(one.get("organization")) for one in roles)
    return found if len(found) == 1 else frozenset()


def _provides(entries: Entries, own: str) -> bool:
    """Does it treat (2.11, treating provider relationship), as far as the directory tells?"""
    found = entries.organization(own)
    codings = (coding for one in _objects(found.get("type")) for coding in _objects(one.get("coding")))
    return _flag(found, COVERED) or any((one.get("system"), one.get("code")) == _PROVIDER for one in codings)


def _through(entries: Entries, own: str) -> Iterator[str]:
    for one in entries.all("OrganizationAffiliation"):
        if (
            one.get("active", True)
            and entries.holds(one.get("period"))
            and _is(one.get("participatingOrganization"), {own})
        ):
            yield reference(one.get("organization"))


def _actors(provision: object) -> Iterator[str]:
    if isinstance(provision, dict):
        for actor in _objects(provision.get("actor")):
            yield reference(actor.get("reference"))
        for inner in _objects(provision.get("provision")):
            yield from _actors(inner)


def _flag(organization: JsonObject, url: str) -> bool:
    return any(
        one.get("url") == url and one.get("valueBoolean") is True
        for one in _objects(organization.get("extension"))
    )


def _is(value: object, own: set[str]) -> bool:
    return reference(value) in own


def _name(resource: JsonObject) -> str:
    return f"{resource.get('resourceType')}/{resource.get('id')}"


def _objects(value: object) -> list[JsonObject]:
    return [entry for entry in value if isinstance(entry, dict)] if isinstance(value, list) else []
