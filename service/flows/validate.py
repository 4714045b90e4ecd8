"""$validate: what would be said about this resource? https://hl7.org/fhir/R4/resource-operation-validate.html

Nothing is kept. Any R4 type can be looked at, of profiles those that are loaded here.
"""

import asyncio
from dataclasses import dataclass

from service.fhir import r4
from service.fhir.catalogue import catalogue
from service.fhir.json import JsonObject, decode_object
from service.fhir.outcome import Issue
from service.flows.caller import Caller
from service.flows.context import Context
from service.flows.delete import expect_deletable
from service.flows.integrity import expect_free
from service.flows.keep import absent
from service.flows.permit import may_see
from service.flows.read import read
from service.flows.writing import findings
from service.kernel.failures import Refused
from service.store import resources

MODES = ("", "create", "update", "delete", "profile")


@dataclass(frozen=True, slots=True)
class Doubt:
    """What is asked: a resource or the stored one at `type/id`, against profiles, for an intention."""

    type: str | None
    id: str | None
    resource: JsonObject | None
    profiles: tuple[str, ...]
    mode: str


async def validate(context: Context, caller: Caller, doubt: Doubt) -> list[Issue]:
    """All findings, also about the intention. Refused only when the question cannot be answered."""
    if doubt.mode not in MODES:
        raise Refused("malformed", "mode is create, update, delete or profile")
    if doubt.type is not None and not r4.is_resource(doubt.type):
        raise Refused("absent", "there is no such resource type in R4")
    if doubt.mode == "delete":
        return await _about_deletion(context, caller, doubt)
    resource = doubt.resource if doubt.resource is not None else await _stored(context, caller, doubt)
    if doubt.mode == "profile" and not doubt.profiles:
        raise Refused("malformed", "mode profile needs the parameter profile")
    issues = _about_intention(doubt, resource)
    return issues + await asyncio.to_thread(_about_content, context, resource, doubt.profiles)


def _about_content(context: Context, resource: JsonObject, profiles: tuple[str, ...]) -> list[Issue]:
    return context.check(resource, profiles) if profiles else findings(context, resource)


def _about_intention(doubt: Doubt, resource: JsonObject) -> list[Issue]:
    found = resource["resourceType"]
    if doubt.type is not None and found != doubt.type:
        return [
            Issue("error", "invalid", f"the resource is not a {doubt.type}, as the URL says", "resourceType")
        ]
    spec = catalogue.get(found)
    if doubt.mode in ("create", "update") and (spec is None or doubt.mode not in spec.interactions):
        return [Issue("error", "not-supported", f"{doubt.mode} of this type is not offered here")]
    if doubt.mode == "update" and doubt.id is not None and resource.get("id") != doubt.id:
        text = "the resource's id is not the id in the URL, so an update would be refused"
        return [Issue("error", "invalid", text, f"{found}.id")]
    return []


async def _stored(context: Context, caller: Caller, doubt: Doubt) -> JsonObject:
    if doubt.type is None or doubt.id is None:
        raise Refused("malformed", "there is no resource to validate: send it as the body or in Parameters")
    row = await read(context, caller, doubt.type, doubt.id)
    return decode_object(row.body or b"")


async def _about_deletion(context: Context, caller: Caller, doubt: Doubt) -> list[Issue]:
    if doubt.type is None or doubt.id is None:
        raise Refused("malformed", "mode delete is asked of a resource: [type]/[id]/$validate")
    await read(context, caller, doubt.type, doubt.id)
    caller.require(doubt.type, "d")
    key = (doubt.type, doubt.id)
    try:
        async with context.database.unit() as unit:
            row = (await resources.lock_known(unit, [key], caller.viewer))[0].get(key)
            if row is None or row.deleted or not await may_see(context, unit, caller, row):
                raise absent(*key)
            await expect_deletable(unit, caller, row)
            await expect_free(context, unit, caller, [key])
    except Refused as refused:
        if refused.reason == "absent":
            raise
        return [Issue("error", "business-rule", refused.text)]
    return []
