"""Who exchanges with us, how, and when they were last heard of."""

from service.flows.console.visit import View, Visit
from service.store import partners as store
from service.store.console.contacts import contacts


async def listing(visit: Visit) -> View:
    """Everybody, by name."""
    async with visit.context.database.reading() as connection:
        everyone = await store.everyone(connection)
        heard = await contacts(connection)
    return {"rows": [(each, heard.get(each.client_id)) for each in everyone]}


async def one(visit: Visit) -> View:
    """One registration. Refused: absent."""
    async with visit.context.database.reading() as connection:
        partner = await store.find(connection, visit.parts["id"])
        heard = await contacts(connection, partner.client_id)
    kids = [str(key.get("kid", "")) for key in partner.jwks["keys"]] if partner.jwks else []
    return {"partner": partner, "heard": heard.get(partner.client_id), "kids": kids}
