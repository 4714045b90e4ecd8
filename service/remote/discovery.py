"""Where a partner's token endpoint is, when nobody registered it: its SMART configuration says.

Only an endpoint on the partner's own origin is believed. Otherwise a partner could name another partner's
token endpoint, let us fetch a token there, and be shown that token (a mix-up, as in CVE-2025-27370). A token
server elsewhere is for a person to register (`--token-url`).
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from service.fhir.json import BadJson, decode_object
from service.kernel.clock import Clock
from service.remote.door import Door, Failed, Received
from service.remote.guard import RefusedAddress, same_origin

KEPT = timedelta(hours=1)
_NONE = frozenset({400, 401, 403, 404, 405, 406, 410, 501})
"""Answers of a server that has no SMART configuration."""
_MAX_ANSWER = 262_144


@dataclass(frozen=True, slots=True)
class _Found:
    token_url: str | None
    until: datetime


class Discovery:
    """Token endpoints by FHIR base, remembered for an hour. One a process."""

    def __init__(self, door: Door, clock: Clock) -> None:
        self._door = door
        self._clock = clock
        self._found: dict[str, _Found] = {}

    async def token_url(self, fhir_base: str) -> str | Failed | None:
        """The token endpoint; None for a server without one; Failed when it cannot be known now."""
        found = self._found.get(fhir_base)
        if found is not None and self._clock() < found.until:
            return found.token_url
        url = f"{fhir_base}/.well-known/smart-configuration"
        answer = await self._door.ask("GET", url, {"Accept": "application/json"}, cap=_MAX_ANSWER)
        told = answer if isinstance(answer, Failed) else _told(answer, fhir_base)
        if not isinstance(told, Failed):
            self._found[fhir_base] = _Found(told, self._clock() + KEPT)
        return told


def _told(answer: Received, fhir_base: str) -> str | Failed | None:
    if answer.status in _NONE:
        return None
    if answer.status != 200:
        return Failed("token", f"the SMART configuration answered {answer.status}", answer.milliseconds)
    try:
        url = decode_object(answer.body).get("token_endpoint")
    except BadJson:
        return Failed("token", "the SMART configuration is not usable JSON", answer.milliseconds)
    if url is None:
        return None
    if not isinstance(url, str) or not _same(url, fhir_base):
        text = (
            "the SMART configuration names a token endpoint on another server; register it with --token-url"
        )
        return Failed("token", text, answer.milliseconds)
    return url


def _same(url: str, fhir_base: str) -> bool:
    try:
        return same_origin(url, fhir_base)
    except RefusedAddress:
        return False
