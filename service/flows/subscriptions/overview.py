"""All subscriptions for people: partners' at our server, and ours at theirs; no secrets, nothing about clients."""

from service.fhir.json import JsonObject
from service.flows.context import Context
from service.kernel.clock import instant
from service.store import listening, partners, subscriptions


async def overview(context: Context, name: str | None) -> list[JsonObject]:
    """Rows by partner: which way, the state, how many events there were and how many were taken, and why it is so."""
    async with context.database.reading() as connection:
        names: dict[str, str] = {each.client_id: each.name for each in await partners.everyone(connection)}
        theirs = [each for id_ in names for each in await subscriptions.of_partner(connection, id_)]
        ours = await listening.everyone(connection)
    rows: list[JsonObject] = [
        {
            "way": "to them", "id": each.id, "partner": names[each.partner], "about": each.topic.rpartition("/")[2],
            "state": each.status, "events": each.counter, "taken": each.sent, "attempts": each.attempts,
            "last": instant(each.spoken), "why": each.why,
        }
        for each in theirs
    ] + [
        {
            "way": "to us", "id": each.remote or "–", "partner": names[each.partner], "about": "task",
            "state": each.state + (", catching up" if each.missing else ""), "events": each.heard, "taken": each.heard,
            "attempts": each.failures, "last": instant(each.heard_at) if each.heard_at else "–", "why": each.why,
        }
        for each in ours
    ]  # fmt: skip
    return [row for row in rows if name is None or row["partner"] == name]
