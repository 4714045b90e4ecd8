"""A list of programmes becomes our directory: what is new is filed, what changed gets a version, what vanished rests.

Every entry is the list's (`author`): it may be read by everybody who may read a directory, and has no say in a
decision of consent, which trusts what the service and the case-management system wrote and nobody else.
"""

import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from service.fhir.json import JsonObject, decode_object
from service.fhir.meta import content
from service.fhir.row import Row
from service.flows.audit.witness import act
from service.flows.context import Context
from service.flows.writing import version_of
from service.kernel.failures import Refused
from service.mapping.hsds.listing import Listing, Trouble
from service.mapping.hsds.programmes import programmes
from service.store import programmes as kept
from service.store import resources
from service.store.unit import Unit

BATCH = 200
SMALL = 20
"""A list so short may lose most of its entries without anybody being asked."""
_NAME = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
Watch = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Report:
    """What came of a list. `unmapped`: taxonomy terms that no ConceptMap knows, with the number of services."""

    name: str
    counts: Counter[str]
    troubles: tuple[Trouble, ...]
    unmapped: Counter[str]
    hidden: int

    def shown(self) -> JsonObject:
        """As JSON."""
        return {
            "list": self.name,
            **{word: self.counts[word] for word in ("new", "changed", "unchanged", "inactive", "refused")},
            "private": self.hidden,
            "troubles": [{"at": each.place, "words": each.words} for each in self.troubles],
            "unmapped": [{"term": term, "services": count} for term, count in self.unmapped.most_common()],
        }


async def take(
    context: Context,
    listing: Listing,
    name: str,
    watch: Watch = lambda done, total: None,
    *,
    shrink: bool = False,
) -> Report:
    """File the list called `name` (a slug, the same at every import of it). `watch` is told how far it is.

    `shrink`: believe it when most of the entries have vanished; without, such a list is refused as a whole.
    """
    if len(name) > 40 or not _NAME.fullmatch(name):
        raise Refused("malformed", "a list is called like `county-211`: lower case, digits, hyphens")
    if not listing.rows("service"):
        raise Refused("unprocessable", "the list holds no service; nothing was changed")
    now, author = context.clock(), f"list:{name}"
    made = programmes(listing, name, now.astimezone(context.settings.zone).date())
    async with context.database.reading() as connection:
        held = await kept.active_of(connection, author)
    gone = [each for each in held if f"{each[0]}/{each[1]}" not in made.known]
    if len(held) > SMALL and len(gone) * 2 > len(held) and not shrink:
        text = f"{len(gone)} of {len(held)} entries have vanished from the list; with --shrink they become inactive"
        raise Refused("conflict", text)
    counts, troubles = Counter[str](), list(made.troubles)
    good = []
    for resource, place in made.resources:
        wrong = next((issue for issue in context.check(resource, []) if issue.fails), None)
        if wrong is None:
            good.append(resource)
        else:
            counts["refused"] += 1
            troubles.append(Trouble(place, f"is not filed: {wrong.text} ({wrong.expression})"))
    total = len(good) + len(gone)
    for start in range(0, len(good), BATCH):
        counts += await _file(context, author, good[start : start + BATCH], now)
        watch(min(start + BATCH, len(good)), total)
    for start in range(0, len(gone), BATCH):
        counts["inactive"] += await _rest(context, author, gone[start : start + BATCH], now)
        watch(len(good) + min(start + BATCH, len(gone)), total)
    await context.database.record(
        [act(context, "administration", "directory-imported", detail=_brief(name, counts))]
    )
    return Report(name, counts, tuple(troubles), made.unmapped, listing.hidden)


def _brief(name: str, counts: Counter[str]) -> str:
    return f"list {name}: " + ", ".join(f"{counts[each]} {each}" for each in ("new", "changed", "inactive"))


async def _file(context: Context, author: str, wanted: Sequence[JsonObject], now: datetime) -> Counter[str]:
    counts = Counter[str]()
    async with context.database.unit(f"directory/{author}") as unit:
        held = await resources.lock(unit, [(each["resourceType"], each["id"]) for each in wanted])
        for resource in wanted:
            before = held.get((resource["resourceType"], resource["id"]))
            if before is not None and before.body is not None and _same(before, resource):
                counts["unchanged"] += 1
                continue
            counts["new" if before is None else "changed"] += 1
            unit.put(version_of(context, resource, resource["id"], before, author, now))
    return counts


def _same(before: Row, resource: JsonObject) -> bool:
    return bool(content(decode_object(before.body or b"")) == content(resource))


async def _rest(context: Context, author: str, gone: Sequence[tuple[str, str]], now: datetime) -> int:
    """Inactive, with everything they said: referrals made to them still name them."""
    async with context.database.unit(f"directory/{author}") as unit:
        held = await resources.lock(unit, list(gone))
        for before in held.values():
            _inactive(context, unit, author, before, now)
    return len(held)


def _inactive(context: Context, unit: Unit, author: str, before: Row, now: datetime) -> None:
    resource = decode_object(before.body or b"")
    off: JsonObject = {"status": "inactive"} if "status" in resource else {"active": False}
    unit.put(version_of(context, {**resource, **off}, before.id, before, author, now))
