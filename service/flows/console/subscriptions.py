"""Subscriptions, both sides: partners' at our server, and ours at theirs. Nothing about clients is in them."""

from service.flows.console.visit import View, Visit
from service.flows.subscriptions.overview import overview


async def show(visit: Visit) -> View:
    """Every one, by partner."""
    rows = await overview(visit.context, None)
    return {
        way: [row for row in rows if row["way"] == word]
        for way, word in (("theirs", "to them"), ("ours", "to us"))
    }
