"""A record is filed, and its answer says that somebody else serves the same need already. To our own casework system
only, which may see everything: a partner's answer never depends on what it may not see (look.py tells it)."""

from collections.abc import Sequence
from typing import Any

from service.coordination.duplicates import find
from service.fhir.json import JsonObject
from service.fhir.outcome import Issue
from service.flows.caller import Caller
from service.flows.context import Context
from service.flows.duplicates.gather import services_of
from service.mapping import duplicate as told
from service.mapping.served import KINDS
from service.store import partners, persons

RECORDS = ("referrals", "care-plans", "service-outcomes", "encounters")


async def noted(
    context: Context, connection: Any, caller: Caller, kind: str, made: Sequence[JsonObject]
) -> list[Issue]:
    """Warnings for what a record, as the resources it becomes, asks for a second time."""
    fresh = [each for each in made if each["resourceType"] in KINDS]
    patient = next((str(each.get("subject", {}).get("reference", "")) for each in fresh), "")
    if kind not in RECORDS or not patient:
        return []
    instead = [(each, caller.organization) for each in made]
    load = await services_of(context, connection, await persons.group(connection, patient), instead)
    ours = {f"{each['resourceType']}/{each['id']}" for each in fresh}
    names = {each.organization: each.name for each in await partners.everyone(connection)}
    issues = []
    for pair in find(load.services.values()):
        for one, other in ((pair.one, pair.two), (pair.two, pair.one)):
            if one.id.partition("#")[0] in ours and other.id.partition("#")[0] not in ours:
                who = names.get(other.asker) or other.asker or "another agency"
                text = f"possible duplicate, {told.sentence(pair)}: {who}, {other.id.partition('#')[0]}"
                issues.append(Issue("warning", "duplicate", text, _place(kind, one.id), "possible-duplicate"))
    return issues


def _place(kind: str, id_: str) -> str:
    return f"/services/{id_.partition('#')[2]}" if kind == "care-plans" else "/service"
