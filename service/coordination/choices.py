"""What an operator chose about timers (CASEBRIDGE_TIMERS), checked before the service starts.

{"T1": {"due": 1}, "T5": {"off": true}, "tiers": {"intensive": {"T4": {"due": 1}}},
 "grants": {"TI-1": {"T24": {"due": 90}}}}
"""

from collections.abc import Mapping
from typing import Any, Final

from service.coordination.timers import Choice, Chosen, rows

_NUMBERS: Final = ("due", "soon", "escalate")
_MOST: Final = 3660


class BadTimers(ValueError):
    """What is wrong with the file, naming the place."""


def choices(said: Any) -> Chosen:
    """From the decoded JSON of the file. BadTimers names the place of what cannot be used."""
    if not isinstance(said, dict):
        raise BadTimers("the file holds one JSON object: timer → what is chosen")
    tiers = said.get("tiers", {})
    if not isinstance(tiers, dict) or not all(isinstance(each, dict) for each in tiers.values()):
        raise BadTimers("tiers: say tier → timer → what is chosen")
    grants = said.get("grants", {})
    if not isinstance(grants, dict) or not all(isinstance(each, dict) for each in grants.values()):
        raise BadTimers("grants: say grant → timer → what is chosen")
    own = {name: value for name, value in said.items() if name not in ("tiers", "grants")}
    return Chosen(
        _timers(own, ""),
        {name: _timers(each, f"tiers.{name}.") for name, each in tiers.items()},
        {name: _timers(each, f"grants.{name}.") for name, each in grants.items()},
    )


def _timers(said: Mapping[str, Any], place: str) -> dict[str, Choice]:
    return {name: _choice(name, value, place + name) for name, value in said.items()}


def _choice(name: str, said: Any, place: str) -> Choice:
    if name not in rows:
        raise BadTimers(f"{place}: there is no such timer; there are {', '.join(rows)}")
    if not isinstance(said, dict):
        raise BadTimers(f"{place}: say an object with due, soon, escalate, tier or off")
    if strange := said.keys() - {*_NUMBERS, "tier", "off"}:
        raise BadTimers(
            f"{place}.{min(strange)}: no such choice; there are due, soon, escalate, tier and off"
        )
    for number in _NUMBERS:
        value = said.get(number, 0)
        if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= _MOST:
            raise BadTimers(f"{place}.{number}: a whole number from 0 to {_MOST}")
    if said.get("due") == 0 and rows[name].clock in ("months", "month-end"):
        raise BadTimers(f"{place}.due: at least 1; off: true turns a timer off")
    if not isinstance(said.get("off", False), bool) or not isinstance(said.get("tier", ""), str):
        raise BadTimers(f"{place}: off is true or false, tier a word (empty: every tier)")
    return Choice(**said)
