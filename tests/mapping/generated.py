"""Records of every kind, generated from their models: what Hypothesis draws from."""

import os
import string
from datetime import UTC, date, datetime, timedelta, timezone
from types import UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

from annotated_types import Ge, Le, MinLen
from hypothesis import strategies as st
from pydantic import BaseModel, StringConstraints, ValidationError

from service.casework.records import agency, answers, client_task, consent, words
from service.casework.records.kinds import kinds

CASES = 160 if os.environ.get("CI") else 30
"""Records of each kind a property is tried on: over 2,000 for the kinds in CI, fewer at one's desk."""
ALPHABET = string.ascii_letters + string.digits + " .,;:'\"-/()&<>\\éßñøŁаЖשלוםسلام漢字हिंदी😀\t\n"
texts = st.text(ALPHABET, min_size=1, max_size=40).map(str.strip).filter(bool)
slugs = st.from_regex(r"[a-z0-9]{1,6}(-[a-z0-9]{1,6}){0,2}", fullmatch=True)
days = st.dates(date(1900, 1, 1), date(2100, 12, 31))
zones = st.integers(-12 * 4, 14 * 4).map(lambda quarter: timezone(timedelta(minutes=15 * quarter)))
seconds = st.integers(0, 86399).map(lambda second: timedelta(seconds=second))
midnights = days.map(lambda day: datetime(day.year, day.month, day.day, tzinfo=UTC))
moments = st.builds(lambda day, second, zone: (day + second).astimezone(zone), midnights, seconds, zones)
partial_days = st.one_of(
    days.map(lambda d: f"{d.year:04}"), days.map(lambda d: d.isoformat()[:7]), days.map(date.isoformat)
)
whens = st.one_of(partial_days, moments.map(lambda m: m.isoformat().replace("+00:00", "Z")))

_NAMED: dict[Any, st.SearchStrategy[Any]] = {
    words.Text: texts,
    words.Slug: slugs,
    words.Day: days,
    words.Moment: moments,
    words.When: whens,
    words.ExactWhen: whens.filter(lambda when: len(when) >= 10),
    words.PartialDay: partial_days,
    client_task.Link: st.from_regex(r"https://[a-z]{1,8}\.example/[a-z0-9/]{0,10}", fullmatch=True),
    words.RecordId: st.from_regex(r"[A-Za-z0-9_][A-Za-z0-9._~:-]{0,20}", fullmatch=True),
    words.Uri: st.from_regex(
        r"(https?://[a-z]{1,8}\.example/[a-z0-9/]{0,10}|urn:oid:[12](\.[1-9][0-9]{0,4}){2,5})", fullmatch=True
    ),
    words.LanguageCode: st.sampled_from(("en", "es", "ar", "zh-Hant", "pt-BR", "hmn")),
    answers.Amount: st.decimals(-10_000, 10_000, places=2),
    agency.Latitude: st.decimals(-90, 90, places=5),
    agency.Longitude: st.decimals(-180, 180, places=5),
    bool: st.booleans(),
    int: st.integers(0, 1000),
}


def record(kind: str, **fixed: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """Records of this kind; `fixed` says how some fields are drawn."""
    if kind == "consents" and not fixed:
        return st.one_of(consents("draft", "proposed", "rejected", "inactive"), active_consents())
    return model(kinds[kind].model, **fixed)


def consents(*statuses: str, **fixed: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """Consents of these statuses: drawn at random, hardly one has every element that 42 CFR 2.31 asks."""
    revoked = {} if "inactive" in statuses and len(statuses) == 1 else {"revoked": st.none()}
    return model(consent.ConsentRecord, status=st.sampled_from(statuses), **revoked, **fixed)


def active_consents() -> st.SearchStrategy[Any]:
    """Whole ones, and ones taken back."""
    whole = {
        "signature": model(consent.Signature),
        "expires_on": texts,
        "statements": st.just(("right-to-revoke", "redisclosure")),
    }
    return st.one_of(consents("active", **whole), consents("inactive", **whole))


def model(which: type[BaseModel], **fixed: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    hints = get_type_hints(which, include_extras=True)
    required: dict[str, st.SearchStrategy[Any]] = {}
    optional: dict[str, st.SearchStrategy[Any]] = {}
    for name, field in which.model_fields.items():
        strategy = fixed[name] if name in fixed else of(hints[name], tuple(field.metadata))
        (required if field.is_required() or name in fixed else optional)[name] = strategy
    drawn = st.fixed_dictionaries(required, optional=optional)
    return drawn.map(lambda values: _built(which, values)).filter(lambda built: built is not None)


def _built(which: type[BaseModel], values: dict[str, Any]) -> BaseModel | None:
    try:
        return which(**{name: value for name, value in values.items() if value is not None})
    except ValidationError:
        return None


def of(hint: Any, metadata: tuple[Any, ...] = ()) -> st.SearchStrategy[Any]:
    if _hashable(hint) and hint in _NAMED:
        return _limited(_NAMED[hint], hint, metadata)
    origin, arguments = get_origin(hint), get_args(hint)
    if origin is Annotated:
        if any(isinstance(mark, words.Mention) for mark in hint.__metadata__):
            return _NAMED[words.RecordId]
        pattern = next(
            (m.pattern for m in hint.__metadata__ if isinstance(m, StringConstraints) and m.pattern), None
        )
        if pattern:
            return st.from_regex(
                pattern, fullmatch=True, alphabet=string.ascii_letters + string.digits + "-.:/"
            ).filter(lambda s: len(s) < 60)
        fields = [m for m in hint.__metadata__ if hasattr(m, "metadata")]
        inner = tuple(x for m in fields for x in m.metadata)
        for mark in inner:
            if getattr(mark, "pattern", None) and "https" in str(mark.pattern):
                return st.just("https://forms.example/consent.pdf")
        return of(arguments[0], (*metadata, *inner))
    if origin in (Union, UnionType):
        return st.one_of([st.none() if a is type(None) else of(a, metadata) for a in arguments])
    if origin is Literal:
        return st.sampled_from(arguments)
    if origin is tuple:
        least = next((m.min_length for m in metadata if isinstance(m, MinLen)), 0)
        return st.lists(of(arguments[0]), min_size=least, max_size=max(3, least)).map(tuple)
    if isinstance(hint, type) and issubclass(hint, BaseModel):
        return st.deferred(lambda: model(hint))
    raise NotImplementedError(f"no strategy for {hint}")


def _limited(
    strategy: st.SearchStrategy[Any], hint: Any, metadata: tuple[Any, ...]
) -> st.SearchStrategy[Any]:
    if hint is not int:
        return strategy
    least = next((m.ge for m in metadata if isinstance(m, Ge)), 0)
    most = next((m.le for m in metadata if isinstance(m, Le)), 1000)
    return st.integers(int(least), int(most))


def _hashable(hint: Any) -> bool:
    try:
        hash(hint)
    except TypeError:
        return False
    return True
