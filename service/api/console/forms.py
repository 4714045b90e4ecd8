"""Forms of the console: read strictly, and only from our own pages."""

import hashlib
import hmac
import secrets
from urllib.parse import parse_qsl

from starlette.requests import Request

from service.api.content import body_of
from service.kernel.failures import Refused

FIELD = "csrf"
MAX_FORM = 16_384
_MAX_FIELDS = 30


def csrf(token: str) -> str:
    """A value that only this session's pages can hold; another one on every page, so that compression tells nothing."""
    nonce = secrets.token_hex(16)
    return f"{nonce}.{_mac(token, nonce)}"


def _mac(token: str, nonce: str) -> str:
    return hmac.digest(token.encode(), f"csrf {nonce}".encode(), hashlib.sha256).hex()


async def form_of(request: Request, token: str) -> dict[str, str]:
    """The fields of a form that one of this session's pages sent. Refused("forbidden") otherwise."""
    fields = await plain_form(request)
    nonce, _, mac = fields.pop(FIELD, "").partition(".")
    if not token or not hmac.compare_digest(mac.encode(), _mac(token, nonce).encode()):
        raise Refused(
            "forbidden", "this form is not of a page of this session; go back, reload the page and try again"
        )
    return fields


async def plain_form(request: Request) -> dict[str, str]:
    """The fields of an urlencoded body, each once. Refused("forbidden") when another site sent it."""
    if request.headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
        raise Refused("forbidden", "this form was sent from another site")
    if request.headers.get("content-type", "").split(";")[0].strip() != "application/x-www-form-urlencoded":
        raise Refused("media-type", "a form is application/x-www-form-urlencoded")
    return fields_of((await body_of(request, MAX_FORM)).decode("ascii", "replace"))


def fields_of(text: str) -> dict[str, str]:
    """Names and values of a query or a form; what is left empty is absent. Refused("malformed")."""
    try:
        pairs = parse_qsl(text, keep_blank_values=True, errors="strict", max_num_fields=_MAX_FIELDS)
    except ValueError:
        raise Refused("malformed", "what was sent cannot be read") from None
    fields = dict(pairs)
    if len(fields) != len(pairs) or any("\x00" in each for pair in pairs for each in pair):
        raise Refused("malformed", "what was sent cannot be read")
    return {name: value for name, value in fields.items() if value}
