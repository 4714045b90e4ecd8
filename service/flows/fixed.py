"""What a party may say in somebody else's Task, and nothing else of it."""

from collections.abc import Collection

from service.fhir.json import JsonObject
from service.fhir.outcome import Issue
from service.kernel.failures import Refused

_NOBODYS = frozenset({"id", "meta", "text", "implicitRules", "language"})


def expect_fixed(shown: JsonObject, after: JsonObject, free: Collection[str], whose: str) -> None:
    """Refused("unprocessable") naming the first element beside `free` in which `after` is not as `shown`.

    `whose` ends the sentence that begins with the element.
    """
    for element in sorted((shown.keys() | after.keys()) - _NOBODYS - set(free)):
        if shown.get(element) != after.get(element):
            text = f"Task.{element} {whose}"
            raise Refused("unprocessable", text, [Issue("error", "business-rule", text, f"Task.{element}")])
