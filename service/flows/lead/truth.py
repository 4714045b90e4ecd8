"""EpisodeOfCare and CareTeam say who leads, in the commit in which it changes."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from service.coordination.leading import Course
from service.fhir.json import JsonObject, decode_object
from service.fhir.meta import content
from service.fhir.row import Row
from service.flows.context import Context
from service.flows.writing import version_of
from service.kernel.failures import Refused
from service.kernel.ids import derived_id
from service.mapping import lead as told
from service.mapping import parts
from service.mapping.names import PART2_PROGRAM
from service.store import records, resources
from service.store.leads import Case
from service.store.unit import Unit

EPISODE, TEAM = "EpisodeOfCare", "CareTeam"

Held = dict[tuple[str, str], Row]


def team_key(source: str, client: str) -> tuple[str, str]:
    """(type, id) of the CareTeam of a client of the casework system."""
    return "CareTeam", derived_id(source, "clients", client, "CareTeam")


async def truthful(
    connection: Any, made: Sequence[JsonObject], case: Case, client: str, held: Held, now: datetime
) -> list[JsonObject]:
    """The resources a client's record becomes, with the lead as it is. `held`: the versions until now."""
    course, source = case.course, case.source
    episode = next((each for each in made if each["resourceType"] == EPISODE), None)
    if episode is None or not course.leads:
        return list(made)
    part2 = await _names_part2(connection, course, str(_managing(episode)))
    type_, id_ = team_key(source, client)
    said = next((each for each in made if each["resourceType"] == type_), None)
    before = _body(held.get(("EpisodeOfCare", case.episode)))
    fresh = told.episode(episode, before, course, source, now, part2=part2)
    withdrawn = said is not None and said.get("status") == "entered-in-error"
    rest = [each for each in made if each is not episode and each is not said]
    if (said is None or withdrawn) and not told.needs_team(course, str(_managing(episode))):
        return [*rest, *([said] if said else []), fresh]
    base = said if said is not None and not withdrawn else _body(held.get((type_, id_)))
    team = told.team(base, fresh, id_, course, source, client, part2=part2)
    return [*rest, team, {**fresh, "team": [{"reference": f"CareTeam/{id_}"}]}]


async def write_truth(context: Context, unit: Unit, case: Case, now: datetime) -> None:
    """New versions of the stored EpisodeOfCare and CareTeam, where they say something else than is."""
    kept = await records.becoming(unit, case.source, f"EpisodeOfCare/{case.episode}")
    client = kept.id if kept else case.episode
    episode_key, team = ("EpisodeOfCare", case.episode), team_key(case.source, client)
    held = await resources.lock(unit, [episode_key, team])
    made = [body for key in (team, episode_key) if (body := _body(held.get(key)))]
    for resource in await truthful(unit, made, case, client, held, now):
        key = (resource["resourceType"], team[1] if resource["resourceType"] == TEAM else case.episode)
        before = held.get(key)
        if before is not None and content(decode_object(before.body or b"{}")) == content(resource):
            continue
        if unit.collects(*key):
            raise Refused(
                "conflict", f"{'/'.join(key)} is changed in the same request; please send one after the other"
            )
        unit.put(version_of(context, resource, key[1], before, case.source, now))


def _body(row: Row | None) -> JsonObject | None:
    return decode_object(row.body) if row is not None and row.body else None


def _managing(episode: JsonObject) -> object:
    return episode.get("managingOrganization", {}).get("reference", "")


async def _names_part2(connection: Any, course: Course, home: str) -> bool:
    """Is another agency of the team a Part 2 programme? Ours is known to be one, or not, by the settings."""
    others = {each.worker.agency for each in course.leads} | {each.worker.agency for each in course.covers}
    others -= {home}
    keys = [(type_, id_) for type_, _, id_ in (each.partition("/") for each in sorted(others))]
    rows = await resources.known(connection, keys, None) if keys else []
    return any(
        parts.extension(decode_object(row.body), PART2_PROGRAM, "valueBoolean") for row in rows if row.body
    )
