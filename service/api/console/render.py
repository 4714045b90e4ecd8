"""Templates to pages, and the headers of every page. Autoescape is on; nothing is inline; nothing is kept."""

import hashlib
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from jinja2 import Environment, FileSystemLoader, StrictUndefined, pass_context
from jinja2.runtime import Context as Template
from markupsafe import Markup, escape
from starlette.responses import Response

from service.fhir.json import Json
from service.fhir.json import pretty as pretty_json

HERE = Path(__file__).parent
STATIC = {
    "console.css": ((HERE / "static" / "console.css").read_bytes(), "text/css; charset=utf-8"),
    "icon.svg": ((HERE / "static" / "icon.svg").read_bytes(), "image/svg+xml"),
}
VERSION = hashlib.sha256(b"".join(body for body, _ in STATIC.values())).hexdigest()[:12]

HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'",
    "X-Frame-Options": "DENY",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=()",
    "Cache-Control": "no-store",
}
TONES = {
    "good": ("delivered", "completed", "accepted", "active", "achieved", "enabled", "fits", "yes", "done",
             "conducted", "open"),
    "warn": ("failing", "requested", "received", "on hold", "draft", "stalled", "waitlist", "unknown", "none",
             "due today", "asked", "not conducted"),
    "bad": ("dead", "withheld", "rejected", "failed", "cancelled", "disabled", "broken", "refused", "entered in error",
            "overdue", "with supervisor"),
}  # fmt: skip


def page(template: str, view: Mapping[str, Any], *, zone: str, status: int = 200) -> Response:
    """A page. `zone` is the IANA time zone in which moments are shown."""
    html = _templates.get_template(template).render({"zone": ZoneInfo(zone), **view})
    return Response(html, status, HEADERS, "text/html; charset=utf-8")


def trouble(status: int, title: str, text: str, **more: Any) -> Response:
    """A page that says what went wrong, to whoever it is."""
    return page(
        "trouble.html",
        {"status": status, "title": title, "text": text, "person": None, **more},
        zone="UTC",
        status=status,
    )


@pass_context
def _moment(context: Template, value: datetime | None, *, seconds: bool = False) -> Markup:
    if value is None:
        return Markup('<span class="none">never</span>')
    there = value.astimezone(context["zone"])
    clock = "%H:%M:%S" if seconds else "%H:%M"
    return Markup('<time datetime="{}">{}</time>').format(
        value.isoformat(), f"{there.day} {there:%b %Y}, {there.strftime(clock)}"
    )


@pass_context
def _when(context: Template, value: str) -> str | Markup:
    """A FHIR date or dateTime: an instant as a moment, anything less exact as it was said."""
    try:
        return _moment(context, datetime.fromisoformat(value)) if "T" in value else value
    except ValueError:
        return value


def _badge(value: object) -> Markup:
    text = str(value).replace("-", " ")
    tone = next((tone for tone, words in TONES.items() if text in words), "plain")
    return Markup('<span class="badge {}">{}</span>').format(tone, text)


def _words(value: object) -> str:
    """A code as words: `in-progress` is `in progress`, `CarePlan` is `Care plan`."""
    text = "".join(
        f" {each.lower()}" if each.isupper() and place else each for place, each in enumerate(str(value))
    )
    return text.replace("-", " ")


def _pretty(value: Json) -> str:
    return pretty_json(value).decode()


def _url(path: str, **asked: object) -> str:
    """A path of ours with a query; what is None or empty is left away."""
    given = {name: value for name, value in asked.items() if value not in (None, "")}
    return f"{path}?{urlencode(given)}" if given else path


_templates = Environment(
    loader=FileSystemLoader(HERE / "templates"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
_templates.filters |= {"moment": _moment, "badge": _badge, "words": _words, "when": _when, "pretty": _pretty}
_templates.globals |= {"url": _url, "version": VERSION, "escape": escape}
