"""A notice of a closing was delivered, or withheld at the last moment: the Communication says so."""

from collections.abc import Sequence
from datetime import datetime

from service.delivery.outcome import Dead, Delivered, Outcome, Withheld
from service.fhir.json import decode_object
from service.fhir.row import Row
from service.flows.closing.ask import ask_primary, tell, told_otherwise
from service.flows.context import Context
from service.flows.writing import version_of
from service.kernel.clock import instant
from service.mapping.closing import is_notice
from service.store import resources
from service.store.unit import Unit


async def note_outcome(
    context: Context, unit: Unit, source: str, rows: Sequence[Row], outcome: Outcome, now: datetime
) -> None:
    """What came of it, in the unit that settles the delivery. A try that is repeated changes nothing."""
    keys = [(row.type, row.id) for row in rows if is_notice(decode_object(row.body or b"{}"))]
    for row in (await resources.lock(unit, keys)).values() if keys else ():
        notice = decode_object(row.body or b"{}")
        if notice.get("status") not in ("preparation", "not-done"):
            continue
        patient, agency = notice["subject"]["reference"], notice["recipient"][0].get("reference", "")
        match outcome:
            case Delivered():
                after = {key: value for key, value in notice.items() if key != "statusReason"}
                after |= {"status": "completed", "sent": instant(now)}
                await told_otherwise(context, unit, source, notice, now)
                await tell(unit, source, "closing-told", patient, now, {"agency": agency})
            case Withheld() | Dead():
                after = {**notice, "status": "not-done", "statusReason": {"text": outcome.why}}
                await ask_primary(context, unit, source, notice, outcome.why, now)
            case _:
                continue
        unit.put(version_of(context, after, row.id, row, source, now))
