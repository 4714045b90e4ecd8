"""References between the entries of a transaction become references to resources.

`urn:uuid:` and `urn:oid:` names of entries, their fullUrl, and conditional references (`Patient?identifier=…`)
are replaced wherever they stand: nested, contained, and in uris. Narrative is left alone.
https://hl7.org/fhir/R4/http.html#trules
"""

import re
from collections.abc import Mapping, Sequence

from service.fhir.json import JsonObject
from service.fhir.outcome import Issue
from service.fhir.references import local, rewritten, texts
from service.flows.aims import Aim, at
from service.flows.caller import Caller
from service.flows.conditional import condition_lock, the_one
from service.flows.context import Context
from service.flows.writing import spec_of
from service.kernel.failures import Refused
from service.store.unit import Unit

_CONDITIONAL = re.compile(r"([A-Z][A-Za-z]+)\?(.+)\Z", re.DOTALL)


class Links:
    """Where the texts of references lead, for one transaction."""

    def __init__(self, aims: Sequence[Aim], base: str) -> None:
        self._base = base
        self._targets = {
            each.entry.full_url: f"{each.type}/{each.id}" for each in aims if each.entry.full_url and each.id
        }
        self._relative = {"/".join(url.split("/")[-2:]): target for url, target in self._targets.items()}
        self._conditions = {
            each.condition: f"{each.type}/{each.id}" for each in aims if each.condition and each.id
        }
        self._met: dict[str, str] = {}

    async def meet(
        self, context: Context, unit: Unit, caller: Caller, aim: Aim, resource: JsonObject
    ) -> None:
        """Find what the conditional references of a resource mean: exactly one resource each."""
        for text in texts(resource):
            match = _CONDITIONAL.match(text.removeprefix(self._base + "/"))
            if match is None or text in self._met:
                continue
            with at(aim.entry):
                self._met[text] = await self._one(context, unit, caller, match[1], match[2])

    async def _one(self, context: Context, unit: Unit, caller: Caller, type_: str, criteria: str) -> str:
        inside = self._conditions.get(condition_lock(type_, criteria))
        if inside is not None:
            return inside
        spec_of(type_, "search")
        caller.require(type_, "s")
        row = await the_one(context, unit, caller, type_, criteria)
        if row is None:
            text = f"the conditional reference to a {type_} matches nothing"
            raise Refused("unprocessable", text, [Issue("error", "not-found", text)])
        return row.reference

    def linked(self, aim: Aim, resource: JsonObject, *, names_only: bool = False) -> JsonObject:
        """The resource with its references resolved; Refused for a name that no entry has.

        `names_only`: texts that could be addresses are left, as in the stored part of a patched resource.
        """
        given: Mapping[str, str] = self._targets if names_only else self._relative
        found: JsonObject = rewritten(resource, lambda text: self._target(text, given))
        for text in texts(found):
            if text.startswith(("urn:uuid:", "urn:oid:")):
                with at(aim.entry):
                    raise Refused(
                        "malformed", f"the reference {text[:60]} names no entry of this transaction"
                    )
        return found

    def _target(self, text: str, given: Mapping[str, str]) -> str | None:
        plain, mark, fragment = text.partition("#")
        if text in self._met:
            return self._met[text]
        if plain in self._targets:
            return self._targets[plain] + mark + fragment
        found = local(text, self._base)
        return given.get(f"{found[0]}/{found[1]}") if found else None
