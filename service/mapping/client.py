"""Client ⇄ Patient, with RelatedPerson for each support, EpisodeOfCare for the episode and Flag for what
to heed.

US Core 7.0.0 Patient and RelatedPerson; R4 EpisodeOfCare with exactly one careManager (CASEWORK.md #22).
"""

from collections.abc import Iterable, Iterator
from typing import Any, Final, cast, get_args

from service.casework.records.client import Client, Episode, FollowUp, StandIn, Support
from service.casework.records.words import PersonName
from service.fhir.json import JsonObject
from service.fhir.models import build
from service.fhir.outcome import Issue
from service.mapping import parts
from service.mapping.context import Mapped, MappingContext, Told, note, one
from service.mapping.identity import (
    identifier,
    own_identifier,
    own_organization,
    path_of,
    record_id,
    refer,
    refer_person,
    referred,
    resource_id,
)
from service.mapping.names import (
    CASE_ROLE,
    CLIENT_FLAG,
    CONTACT_NOTE,
    COVERS_FOR,
    INTENSITY,
    INTENSITY_TIER,
    INTERPRETER,
    PRIMARY,
    RELATIONSHIP,
    identifier_system,
    profile,
)
from service.mapping.terms import terms

_LEADING: Final = frozenset({"primary-case-manager", "covering-case-manager"})
"""Those who lead, led or stand in are said apart from the team."""
_NAMELESS: Final = "name not given"
_SEEN: Final = frozenset((
    "resourceType", "id", "meta", "text", "identifier", "active", "name", "telecom", "gender", "birthDate",
    "deceasedBoolean", "deceasedDateTime", "address", "communication", "managingOrganization", "extension",
    "implicitRules", "language",
))  # fmt: skip


def to_fhir(client: Client, context: MappingContext) -> Mapped:
    """Patient, then what names it: supports, flags, team and episode."""
    patient = _patient(client, context)
    supports = [_related_person(client, support, context) for support in client.supports]
    episode = [*_care_team(client, context), *_episode(client, context)] if client.episode else []
    return Mapped((patient, *supports, *_flags(client, context), *episode))


def to_record(resources: tuple[JsonObject, ...], context: MappingContext) -> Told[Client]:
    """From a Patient in any conformant shape, with the RelatedPersons, Flags and EpisodeOfCare beside it."""
    patient = one(resources, "Patient")
    if patient is None:
        raise LookupError("no Patient among the resources")
    client = Client(
        id=record_id(context, "clients", patient),
        active=patient.get("active", True),
        name=_names(patient)[0],
        other_names=_names(patient)[1:],
        birth_date=parts.when(patient.get("birthDate")),
        deceased=patient.get("deceasedBoolean", parts.when(patient.get("deceasedDateTime", "")[:10])),
        gender=patient.get("gender", "unknown"),
        identifiers=parts.other_identifiers(patient.get("identifier", []), identifier_system("client")),
        languages=parts.communications(patient.get("communication", [])),
        interpreter_needed=parts.extension(patient, INTERPRETER, "valueBoolean"),
        contacts=parts.several(parts.contact, patient.get("telecom")),
        contact_note=parts.text(parts.extension(patient, CONTACT_NOTE, "valueString")),
        addresses=parts.several(parts.address, patient.get("address")),
        supports=tuple(_support(r, context) for r in resources if r["resourceType"] == "RelatedPerson"),
        populations=tuple(_flag_codes(resources, "population")),
        follow_up=_follow_up(resources),
        episode=_read_episode(resources, context),
    )
    return Told(client, tuple(_unread(patient)))


def _patient(client: Client, context: MappingContext) -> JsonObject:
    deceased: dict[str, Any] = {}
    if client.deceased is not None:
        key = "deceasedBoolean" if isinstance(client.deceased, bool) else "deceasedDateTime"
        deceased = {key: client.deceased}
    return build(
        "Patient",
        id=resource_id(context, "clients", client.id, "Patient"),
        meta={"profile": [profile("casebridge-client")]},
        extension=[
            parts.fhir_extension(CONTACT_NOTE, "valueString", client.contact_note),
            parts.fhir_extension(INTERPRETER, "valueBoolean", client.interpreter_needed),
        ],
        identifier=[
            own_identifier(context, "clients", client.id),
            *map(parts.fhir_other_identifier, client.identifiers),
        ],
        active=client.active,
        name=[parts.fhir_name(n) for n in (client.name, *client.other_names)],
        telecom=[parts.fhir_contact(c) for c in client.contacts],
        gender=client.gender,
        birthDate=client.birth_date,
        **deceased,
        address=[parts.fhir_address(a) for a in client.addresses],
        communication=[parts.fhir_communication(spoken) for spoken in client.languages],
        managingOrganization=own_organization(context),
    )


def _related_person(client: Client, support: Support, context: MappingContext) -> JsonObject:
    coding = terms().coding(RELATIONSHIP, support.relationship)
    standard = terms().translate("support-relationship-to-role", support.relationship)
    return build(
        "RelatedPerson",
        id=resource_id(context, "clients", client.id, f"support:{support.id}"),
        identifier=[identifier(context, "support", client.id, support.id)],
        active=support.active,
        patient=refer(context, "clients", client.id),
        relationship=[{"coding": [*standard, coding], "text": support.relationship_text}],
        name=[parts.fhir_name(support.name)] if support.name else None,
        telecom=[parts.fhir_contact(c) for c in support.contacts],
        birthDate=support.birth_date,
        address=[parts.fhir_address(a) for a in support.addresses],
    )


def _support(person: JsonObject, context: MappingContext) -> Support:
    path = path_of(context, person.get("identifier", []), "support")
    relationship = (person.get("relationship") or [{}])[0]
    local = parts.code_in(relationship, RELATIONSHIP)
    code = local or terms().untranslate("support-relationship-to-role", relationship.get("coding", []))
    names = _names(person)
    return Support(
        id=path[-1] if path else person["id"],
        name=names[0] if names[0].text != _NAMELESS else None,
        relationship=code or "other",
        relationship_text=parts.text(relationship.get("text")),
        birth_date=parts.when(person.get("birthDate")),
        contacts=parts.several(parts.contact, person.get("telecom")),
        addresses=parts.several(parts.address, person.get("address")),
        active=person.get("active", True),
    )


def _flags(client: Client, context: MappingContext) -> Iterator[JsonObject]:
    for population in client.populations:
        yield _flag(client, "population", population, context)
    if client.follow_up:
        yield _flag(client, "follow-up", client.follow_up, context)


def _flag(client: Client, category: str, code: str, context: MappingContext) -> JsonObject:
    coding = terms().coding(CLIENT_FLAG, code)
    role = f"flag:{category}:{code}" if category == "population" else f"flag:{category}"
    return build(
        "Flag",
        id=resource_id(context, "clients", client.id, role),
        identifier=[identifier(context, "client-flag", client.id, category, code)],
        status="active",
        category=[{"coding": [terms().coding(CLIENT_FLAG, category)]}],
        code={"coding": [coding], "text": coding.get("display") or code},
        subject=refer(context, "clients", client.id),
    )


def _flag_codes(resources: Iterable[JsonObject], category: str) -> Iterator[str]:
    for flag in resources:
        if flag["resourceType"] != "Flag" or flag.get("status") != "active":
            continue
        categories = {parts.code_in(c, CLIENT_FLAG) for c in flag.get("category", [])}
        code = parts.code_in(flag.get("code"), CLIENT_FLAG)
        if category in categories and code:
            yield code


def _follow_up(resources: Iterable[JsonObject]) -> FollowUp | None:
    code = next(_flag_codes(resources, "follow-up"), None)
    return cast(FollowUp, code) if code in get_args(FollowUp) else None


def _care_team(client: Client, context: MappingContext) -> Iterator[JsonObject]:
    """The team the record names, its primary marked; without one it is only proposed."""
    episode = client.episode
    if episode is None or not (episode.team or episode.covers):
        return
    lead = episode.primary_case_manager
    yield build(
        "CareTeam",
        id=resource_id(context, "clients", client.id, "CareTeam"),
        meta={"profile": [profile("casebridge-care-team")]},
        identifier=[identifier(context, "care-team", client.id)],
        status="active" if lead else "proposed",
        subject=refer(context, "clients", client.id),
        participant=[
            *([_participant("primary-case-manager", lead, episode, context)] if lead else []),
            *(_participant("case-manager", worker, episode, context) for worker in episode.team),
            *(_covering(each, episode, context) for each in episode.covers),
        ],
        managingOrganization=[_managing(episode, context)],
    )


def _participant(role: str, worker: str, episode: Episode, context: MappingContext) -> JsonObject:
    codings = [*terms().translate("case-role-to-standard", role), terms().coding(CASE_ROLE, role)]
    primary = role == "primary-case-manager"
    return {
        "extension": [parts.fhir_extension(PRIMARY, "valueBoolean", primary or None)],
        "role": [{"coding": codings}],
        "member": refer_person(context, worker),
        "onBehalfOf": _managing(episode, context) if primary else None,
    }


def _covering(cover: StandIn, episode: Episode, context: MappingContext) -> JsonObject:
    lead = episode.primary_case_manager
    covered = refer(context, "case-managers", lead) if lead else None
    return {
        **_participant("covering-case-manager", cover.case_manager, episode, context),
        "extension": [parts.fhir_extension(COVERS_FOR, "valueReference", covered)],
        "period": {"start": cover.start, "end": cover.end},
    }


def _episode(client: Client, context: MappingContext) -> Iterator[JsonObject]:
    episode = client.episode
    if episode is None:
        return
    team = resource_id(context, "clients", client.id, "CareTeam")
    manager = episode.primary_case_manager
    tier = {"coding": [terms().coding(INTENSITY, episode.intensity)]} if episode.intensity else None
    yield build(
        "EpisodeOfCare",
        id=resource_id(context, "clients", client.id, "EpisodeOfCare"),
        meta={"profile": [profile("casebridge-episode")]},
        identifier=[identifier(context, "episode", client.id)],
        status=episode.status,
        extension=[parts.fhir_extension(INTENSITY_TIER, "valueCodeableConcept", tier)],
        patient=refer(context, "clients", client.id),
        managingOrganization=_managing(episode, context),
        period={"start": episode.start, "end": episode.end},
        careManager=refer(context, "case-managers", manager) if manager else None,
        team=[{"reference": f"CareTeam/{team}"}] if episode.team or episode.covers else None,
    )


def _managing(episode: Episode, context: MappingContext) -> JsonObject:
    return refer(context, "agencies", episode.agency) if episode.agency else own_organization(context)


def _read_episode(resources: tuple[JsonObject, ...], context: MappingContext) -> Episode | None:
    episode = one(resources, "EpisodeOfCare")
    if episode is None:
        return None
    team = one(resources, "CareTeam") or {}
    members = [(_role(p), referred(context, "case-managers", p.get("member")), p.get("period", {}))
               for p in team.get("participant", []) if not parts.extension(p, PRIMARY, "valueBoolean")]  # fmt: skip
    status = episode["status"]
    return Episode(
        status="finished" if status == "entered-in-error" else status,
        start=parts.when(episode.get("period", {}).get("start")),
        end=parts.when(episode.get("period", {}).get("end")),
        agency=referred(context, "agencies", episode.get("managingOrganization")),
        primary_case_manager=referred(context, "case-managers", episode.get("careManager")),
        team=tuple(member for role, member, _ in members if member and role not in _LEADING),
        covers=tuple(_read_covers(members)),
        intensity=parts.code_in(parts.extension(episode, INTENSITY_TIER, "valueCodeableConcept"), INTENSITY),
    )


def _role(participant: JsonObject) -> str | None:
    return next((c for c in (parts.code_in(r, CASE_ROLE) for r in participant.get("role", [])) if c), None)


def _read_covers(members: Iterable[tuple[str | None, str | None, JsonObject]]) -> Iterator[StandIn]:
    for role, member, period in members:
        start, end = parts.when(period.get("start")), parts.when(period.get("end"))
        if role == "covering-case-manager" and member and start and end:
            yield StandIn(case_manager=member, start=start, end=end)


def _names(person: JsonObject) -> tuple[PersonName, ...]:
    """Names in their order; a person without any name is still somebody."""
    return parts.several(parts.name, person.get("name")) or (PersonName(text=_NAMELESS, use="anonymous"),)


def _unread(patient: JsonObject) -> Iterator[Issue]:
    for element in patient:
        if element not in _SEEN:
            yield note(f"the client record has no place for Patient.{element}", f"Patient.{element}")
    for held in patient.get("extension", []):
        if held.get("url") not in (CONTACT_NOTE, INTERPRETER):
            yield note(
                f"the client record has no place for the extension {held.get('url')}", "Patient.extension"
            )
