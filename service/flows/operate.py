"""An operation, however it came: by a URL of its own, or as an entry of a Bundle. https://hl7.org/fhir/R4/operations.html

Where each one may be asked is in its OperationDefinition (fhir_profiles/operations); what it is given and what it does,
in the table below.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass

from service.fhir.arguments import Arguments, arguments
from service.fhir.artefacts import shelf
from service.fhir.json import Json, JsonObject, encode
from service.fhir.outcome import Issue, operation_outcome
from service.flows import meta as meta_story
from service.flows.caller import Caller
from service.flows.context import Context
from service.flows.everything import Wanted, everything
from service.flows.match import Sought, match
from service.flows.persons import merge as persons
from service.flows.summary import coordination_summary
from service.flows.validate import Doubt, validate
from service.flows.writing import spec_of
from service.kernel.failures import Refused

MAX_COUNT = 1000


@dataclass(frozen=True, slots=True)
class Target:
    """What an operation is asked of: the system, a type, a resource, one version of it. `expected`: If-Match."""

    code: str
    type: str | None = None
    id: str | None = None
    version: str | None = None
    expected: int | None = None

    @property
    def key(self) -> tuple[str, str]:
        """(type, id) of the instance."""
        return (self.type or "", self.id or "")


async def _validate(context: Context, caller: Caller, target: Target, given: Arguments) -> bytes:
    doubt = Doubt(target.type, target.id, given.resource, tuple(given.texts("profile")), given.text("mode"))
    return encode(operation_outcome(await validate(context, caller, doubt)))


async def _meta(context: Context, caller: Caller, target: Target, given: Arguments) -> bytes:
    if target.id is None:
        return encode(await meta_story.meta_of_all(context, caller, target.type))
    text = target.version
    if text is not None and (not (text.isascii() and text.isdecimal()) or len(text) > 9):
        raise Refused("absent", "there is no such version")
    version = int(text) if text is not None else None
    return encode(await meta_story.meta(context, caller, *target.key, version))


async def _meta_add(context: Context, caller: Caller, target: Target, given: Arguments) -> bytes:
    value = _one(given, "meta")
    return encode(await meta_story.meta_add(context, caller, *target.key, value, target.expected))


async def _meta_delete(context: Context, caller: Caller, target: Target, given: Arguments) -> bytes:
    value = _one(given, "meta")
    return encode(await meta_story.meta_delete(context, caller, *target.key, value, target.expected))


def _one(given: Arguments, name: str) -> Json:
    found = given.values.get(name, [])
    if len(found) != 1:
        raise Refused("malformed", f"the parameter {name} is needed, once")
    return found[0]


async def _everything(context: Context, caller: Caller, target: Target, given: Arguments) -> bytes:
    wanted = Wanted(
        given.text("_since").replace(" ", "+"), tuple(given.texts("_type")), given.number("_count", MAX_COUNT),
        given.text("_cursor"),
    )  # fmt: skip
    return await everything(context, caller, target.type or "", target.id, wanted)


async def _summary(context: Context, caller: Caller, target: Target, given: Arguments) -> bytes:
    return encode(await coordination_summary(context, caller, target.id or ""))


async def _match(context: Context, caller: Caller, target: Target, given: Arguments) -> bytes:
    if given.resource is None:
        raise Refused("malformed", "send the person to be found as the parameter resource, a Patient")
    count = given.number("count", MAX_COUNT) or 20
    return await match(context, caller, Sought(given.resource, given.flag("onlyCertainMatches"), count))


async def _merge(context: Context, caller: Caller, target: Target, given: Arguments) -> bytes:
    return encode(await persons.merge(context, caller, _asking(given)))


async def _unmerge(context: Context, caller: Caller, target: Target, given: Arguments) -> bytes:
    return encode(await persons.unmerge(context, caller, _asking(given)))


def _asking(given: Arguments) -> persons.Asking:
    source, target = (_literal(given, f"{each}-patient") for each in ("source", "target"))
    return persons.Asking(source, target, given.flag("preview"))


def _literal(given: Arguments, name: str) -> str:
    """The literal reference of a parameter; empty when it is not given."""
    found = given.values.get(name, [])
    value = found[0].get("reference") if len(found) == 1 and isinstance(found[0], dict) else None
    if found and not isinstance(value, str):
        raise Refused("malformed", f"the parameter {name} is one reference")
    return value if isinstance(value, str) else ""


Story = Callable[[Context, Caller, Target, Arguments], Awaitable[bytes]]

STORIES: Mapping[str, tuple[tuple[str, ...], Story]] = {
    "validate": (("resource", "mode", "profile"), _validate),
    "meta": ((), _meta),
    "meta-add": (("meta",), _meta_add),
    "meta-delete": (("meta",), _meta_delete),
    "everything": (("_since", "_type", "_count", "_cursor"), _everything),
    "coordination-summary": ((), _summary),
    "match": (("resource", "onlyCertainMatches", "count"), _match),
    "merge": (("source-patient", "target-patient", "preview"), _merge),
    "unmerge": (("source-patient", "target-patient", "preview"), _unmerge),
}
"""The parameters of an operation, and its story. What is not here has a route of its own, and no Bundle takes it."""


def definition_of(target: Target) -> JsonObject:
    """The OperationDefinition that offers this. Refused("absent") when there is none at this level."""
    level = "instance" if target.id is not None else "type" if target.type is not None else "system"
    for artefact in shelf("OperationDefinition").values():
        definition = artefact.resource
        fits = target.type is None or {target.type, "Resource"} & set(definition["resource"])
        if definition["code"] == target.code and definition[level] and fits:
            return definition
    text = "this operation is not offered here; GET metadata lists those that are"
    raise Refused("absent", text, [Issue("error", "not-supported", text)])


async def operate(
    context: Context,
    caller: Caller,
    target: Target,
    body: JsonObject | None,
    query: Sequence[tuple[str, str]],
) -> bytes:
    """The answer of an operation: a resource, as the Parameters `return` or alone."""
    definition = definition_of(target)
    if target.type is not None and "Resource" not in definition["resource"]:
        spec_of(target.type, "read")
    if target.expected is not None and not definition["affectsState"]:
        raise Refused("malformed", "this operation changes nothing; send no If-Match")
    known, story = STORIES[target.code]
    return await story(context, caller, target, arguments(body, query, known))
