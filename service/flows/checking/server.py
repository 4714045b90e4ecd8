"""The partner's server: is it there, what does it say of itself, does it know us, can it be asked?"""

from urllib.parse import urlsplit

from service.consent.synthetic import IDENTIFIER
from service.delivery.outcome import Answer
from service.fhir.json import JsonObject
from service.fhir.subscriptions.asked import TOPIC_EXTENSION
from service.flows.checking.steps import Sheet, body_of, good, why
from service.flows.context import Context
from service.kernel.ids import new_id
from service.remote.door import Failed
from service.remote.outside import Outside
from service.remote.partner import Peer, Reply
from service.remote.tokens import TokenFailed
from service.store.partners import Partner

NEEDED = ("Patient", "ServiceRequest", "Task")
ALGORITHMS = ("ES384", "RS384")


async def reach(sheet: Sheet, outside: Outside, peer: Peer) -> Reply | None:
    """Step `address`; the answer to `metadata`, or None when nothing answers there."""
    reply = await sheet.tried(lambda id_: outside.partners.look("metadata", peer, id_))
    parts = urlsplit(peer.fhir_base)
    if not isinstance(reply.result, Answer):
        them = {"refused-address": "; correct the address, or CASEBRIDGE_OUTBOUND_ALLOW"}.get(
            reply.result, "; ask them whether it is up, and whether it lets us in"
        )
        sheet.failed("address", f"{parts.netloc}: {why(reply)}{them}.", reply)
        return None
    how = (
        "over TLS with a certificate we trust"
        if parts.scheme == "https"
        else "over plain http, as allowed here"
    )
    sheet.passed("address", f"{parts.netloc} answers {how}.", reply)
    return reply


def describes(sheet: Sheet, partner: Partner, reply: Reply) -> None:
    """Step `metadata`: FHIR R4, the types of a referral, transactions, subscriptions, profiles."""
    statement = body_of(reply)
    if not good(reply) or statement.get("resourceType") != "CapabilityStatement":
        said = "no CapabilityStatement is there" if good(reply) else why(reply)
        sheet.failed("metadata", f"{said}; they must serve GET metadata without a token.", reply)
        return
    version = str(statement.get("fhirVersion", "none"))
    if not version.startswith("4.0"):
        sheet.failed("metadata", f"it says FHIR {version[:20]}; we speak 4.0.1 (R4).", reply)
        return
    rows = _rows(statement)
    missing = [each for each in NEEDED if each not in rows]
    if not _transacts(statement):
        missing.append("transaction")
    if missing:
        sheet.failed("metadata", f"it does not offer {', '.join(missing)}, which a referral needs.", reply)
        return
    sheet.passed("metadata", f"FHIR {version}; {', '.join(NEEDED)} and transactions{_more(rows)}.", reply)


def _rows(statement: JsonObject) -> dict[str, JsonObject]:
    found = [row for rest in _list(statement, "rest") for row in _list(rest, "resource")]
    return {str(row.get("type")): row for row in found}


def _list(holder: JsonObject, name: str) -> list[JsonObject]:
    held = holder.get(name)
    return [each for each in held if isinstance(each, dict)] if isinstance(held, list) else []


def _transacts(statement: JsonObject) -> bool:
    rests = _list(statement, "rest")
    return any(each.get("code") == "transaction" for rest in rests for each in _list(rest, "interaction"))


def _more(rows: dict[str, JsonObject]) -> str:
    topics = [e for row in rows.values() for e in _list(row, "extension") if e.get("url") == TOPIC_EXTENSION]
    profiles = {str(url) for row in rows.values() for url in row.get("supportedProfile") or []}
    said = "; subscriptions to topics" if topics else "; no subscriptions"
    return f"{said}; {len(profiles)} profiles" if profiles else said


async def authorises(sheet: Sheet, context: Context, outside: Outside, partner: Partner, peer: Peer) -> bool:
    """Steps `smart` and `token`; False when nothing can be asked without the token that was not given."""
    smart = await sheet.tried(lambda id_: outside.partners.look(".well-known/smart-configuration", peer, id_))
    offered = _smart(sheet, partner, smart)
    found = await outside.partners.token_url(peer)
    if isinstance(found, Failed):
        sheet.failed("token", f"{found.text}.")
        return False
    if found is None:
        sheet.skipped("no token is fetched: none is asked for, or they gave us one for good.", "token")
        return True
    return await _token(sheet, context, outside, found, offered)


def _smart(sheet: Sheet, partner: Partner, reply: Reply) -> list[str]:
    """What assertions it takes, as far as it says."""
    config = body_of(reply)
    endpoint = config.get("token_endpoint")
    if not good(reply) or not isinstance(endpoint, str):
        said = why(reply) if not good(reply) else "it names no token endpoint"
        if partner.token_url:
            sheet.passed(
                "smart", f"no SMART configuration ({said}); the registered token URL is used.", reply
            )
        else:
            sheet.skipped(f"no SMART configuration ({said}); requests go without a token.", "smart")
        return []
    held = config.get("token_endpoint_auth_signing_alg_values_supported")
    algorithms = [str(each) for each in held] if isinstance(held, list) else []
    grants = config.get("grant_types_supported")
    if isinstance(grants, list) and "client_credentials" not in grants:
        sheet.failed(
            "smart", "client_credentials is not among its grant types: SMART Backend Services need it.", reply
        )
    elif partner.token_url and partner.token_url != endpoint:
        sheet.failed(
            "smart", "it names another token endpoint than the one registered here (--token-url).", reply
        )
    elif algorithms and not set(algorithms) & set(ALGORITHMS):
        sheet.failed(
            "smart",
            f"it takes assertions by {', '.join(algorithms)[:80]} only; ours are ES384 or RS384.",
            reply,
        )
    else:
        sheet.passed(
            "smart", f"token endpoint named; assertions by {', '.join(algorithms)[:80] or 'unsaid'}.", reply
        )
    return algorithms


async def _token(sheet: Sheet, context: Context, outside: Outside, url: str, offered: list[str]) -> bool:
    lives: dict[str, int] = {}
    refused: list[str] = []
    for algorithm in [each for each in ALGORITHMS if each in offered] or ALGORITHMS:
        found = await _one_token(sheet, outside, url, algorithm)
        if isinstance(found, TokenFailed):
            refused.append(f"{algorithm}: {found.text}")
        else:
            lives[algorithm] = found
    if not lives:
        ours = f"{context.base.removesuffix('/fhir')}/.well-known/jwks.json"
        who = context.settings.our_client_id or context.base
        words = (
            f"{refused[0]}. They must know us as client {who} with the keys at {ours} (served while we run)."
        )
        sheet.failed("token", words)
        return False
    good_ones = ", ".join(lives)
    words = f"given for an assertion signed with {good_ones}; it lives {min(lives.values())} s"
    if "ES384" not in lives:
        sheet.failed("token", f"{words}, but not with ES384, which we sign with ({refused[0]}).")
        return False
    sheet.passed("token", f"{words}." if not refused else f"{words}; {refused[0]}.")
    return True


async def _one_token(sheet: Sheet, outside: Outside, url: str, algorithm: str) -> int | TokenFailed:
    """Seconds it lives. A token endpoint that does not answer is asked again."""
    last: list[int | TokenFailed] = []

    async def ask(request_id: str) -> Reply:
        found = await outside.partners.trial(url, algorithm)
        if not isinstance(found, TokenFailed):
            last.append(round(found.total_seconds()))
            return Reply(Answer(200), 0, request_id, {})
        last.append(found)
        if found.status is None:
            return Reply("connection", 0, request_id, {}, found.text)
        return Reply(Answer(found.status), 0, request_id, {}, found.text)

    await sheet.tried(ask)
    return last[-1]


async def searches(sheet: Sheet, outside: Outside, peer: Peer) -> bool:
    """Step `search`: an authenticated search that finds nothing, by POST."""
    query = {"identifier": f"{IDENTIFIER}|{new_id()}"}
    reply = await sheet.tried(lambda id_: outside.partners.search("Task", query, peer, id_))
    if not good(reply) or body_of(reply).get("type") != "searchset":
        said = why(reply) if not good(reply) else "its answer is no searchset Bundle"
        words = f"POST Task/_search by identifier: {said}; our token must let us search and read Task."
        sheet.failed("search", words, reply)
        return False
    if body_of(reply).get("entry"):
        words = "a search for an identifier that nobody has finds something: it ignores the parameter."
        sheet.failed("search", words, reply)
        return False
    sheet.passed("search", "Task can be searched by identifier.", reply)
    return True
