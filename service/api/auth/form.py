"""The form of an OAuth request, read strictly: RFC 6749 §3.2 and the limits of SECURITY.md §3.2."""

from urllib.parse import parse_qsl

from starlette.requests import Request

from service.flows.issue_token import TokenRefused

MAX_FORM = 32_768
_MAX_FIELDS = 20


async def form_of(request: Request) -> dict[str, str]:
    """The parameters of an urlencoded body; those without a value count as absent.

    TokenRefused("invalid_request") for another media type, too much, a repeated parameter, bad encoding.
    Parameters in the URL are not looked at: they end up in logs.
    """
    kind = request.headers.get("content-type", "").split(";")[0].strip().lower()
    if kind != "application/x-www-form-urlencoded":
        raise TokenRefused("invalid_request", "send application/x-www-form-urlencoded")
    try:
        text = (await _body(request)).decode("ascii")
        pairs = parse_qsl(text, keep_blank_values=True, errors="strict", max_num_fields=_MAX_FIELDS)
    except ValueError:
        raise TokenRefused("invalid_request", "the form cannot be read, or has too many fields") from None
    form = dict(pairs)
    if len(form) != len(pairs):
        raise TokenRefused("invalid_request", "a parameter is repeated")
    return {name: value for name, value in form.items() if value}


async def _body(request: Request) -> bytes:
    chunks, size = [], 0
    async for chunk in request.stream():
        size += len(chunk)
        if size > MAX_FORM:
            raise TokenRefused("invalid_request", f"the form is larger than {MAX_FORM} bytes")
        chunks.append(chunk)
    return b"".join(chunks)
