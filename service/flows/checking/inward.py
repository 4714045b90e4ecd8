"""A partner without a server works on ours: what it needs here, and whether it ever came."""

from service.fhir.json import JsonObject
from service.flows.checking.steps import Sheet
from service.flows.context import Context
from service.kernel.failures import Failure
from service.remote.outside import Outside
from service.store import tokens
from service.store.partners import Partner

STEPS = ("address", "metadata", "smart", "token", "search")
_NEEDED = ("Task", "ServiceRequest")


async def inward(sheet: Sheet, context: Context, outside: Outside, partner: Partner) -> None:
    """Steps `keys`, `scopes` and `visit`, all on our side."""
    await _keys(sheet, outside, partner)
    _scopes(sheet, partner)
    async with context.database.reading() as connection:
        living = await tokens.living_of(connection, partner.client_id, context.clock())
    if living:
        sheet.passed("visit", f"it holds {living} tokens that count now: it can work here.")
    else:
        words = "it holds no token now; ask them to fetch one and to search Task?owner={}&status=requested."
        sheet.skipped(words.format(partner.organization), "visit")


async def _keys(sheet: Sheet, outside: Outside, partner: Partner) -> None:
    found: JsonObject | None = partner.jwks
    if partner.jwks_url is not None:
        try:
            found = await outside.key_sets.get(partner.jwks_url)
        except Failure as failure:
            sheet.failed("keys", f"their key set cannot be read: {failure}.")
            return
    if not found or not found.get("keys"):
        sheet.failed("keys", "no public keys are registered (--jwks): they cannot fetch tokens.")
        return
    kinds = sorted({str(key.get("alg") or key.get("kty")) for key in found["keys"]})
    sheet.passed("keys", f"{len(found['keys'])} public keys ({', '.join(kinds)}).")


def _scopes(sheet: Sheet, partner: Partner) -> None:
    types = {scope.partition("/")[2].partition(".")[0] for scope in partner.scopes}
    missing = [each for each in _NEEDED if not {each, "*"} & types]
    if missing:
        sheet.failed("scopes", f"its scopes do not reach {', '.join(missing)}; register it with --scope.")
    else:
        sheet.passed("scopes", "its scopes reach Task and ServiceRequest.")
