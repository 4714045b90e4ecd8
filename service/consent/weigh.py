"""What one consent says to one question, and what several together say.

Two asymmetries keep doubt on the client's side: a permit must *cover* the request, a denial need only *touch*
it; and a denial given at the same time as a permit is the newer one. R4 Consent
(https://hl7.org/fhir/R4/consent.html), IHE PCF, `CONSENT.md` 2.3.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from service.consent import terms
from service.consent.model import Consent, DataRef, Kind, Provision
from service.consent.request import Labelled
from service.consent.spans import Span

Way = tuple[Provision, ...]
Specificity = tuple[int, int]
"""(how exactly the data is named, how exactly the recipient is named), greater is more specific."""

_NEWEST = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Ask:
    """One resource for one recipient: `names` mean the recipient itself, `groups` the classes it is in."""

    item: Labelled
    purpose: str
    now: datetime
    names: frozenset[str]
    groups: frozenset[str]
    disclosers: frozenset[str]

    @property
    def emergency(self) -> bool:
        """Is the purpose emergency treatment?"""
        return terms.purpose_within(self.purpose, "ETREAT")


@dataclass(frozen=True, slots=True)
class Word:
    """What one consent says. `named`, `purposed`: recipient and purpose are spelled out on the way there."""

    consent: Consent
    kind: Kind
    specificity: Specificity = (0, 0)
    named: bool = False
    purposed: bool = False
    marks: frozenset[str] = frozenset()
    silent: bool = False

    @property
    def given(self) -> datetime:
        """When it counts as said; a denial without a date is newer than everything."""
        if self.kind == "deny":
            return self.consent.denies_from or _NEWEST
        return self.consent.permits_from or datetime.min.replace(tzinfo=UTC)


def words(consent: Consent, ask: Ask) -> tuple[Word, ...]:
    """What this consent says about this request: () if it does not speak of it, else words of one kind.

    Exceptions speak instead of what they are exceptions to; where several apply, a denial silences permits.
    """
    if consent.emergency_only and ask.emergency:
        return ()
    if not applies(consent.root, ask):
        opted_out = consent.otherwise == "deny" and _in_force(consent, ask)
        return (Word(consent, "deny"),) if opted_out else ()
    said = [_word(consent, way, ask) for way in _ways(consent.root, ask, ())]
    return tuple(one for one in said if one.kind == "deny") or tuple(said)


def winner(words: Iterable[Word]) -> Word | None:
    """The word that decides. An explicit denial beats an older, simultaneous or less specific permit.

    Among permits that no denial beats the most specific and then the newest is told; likewise among denials.
    """
    spoken = [one for one in words if not one.silent]
    denials = [one for one in spoken if one.kind == "deny"]
    permits = [one for one in spoken if one.kind == "permit"]
    standing = [one for one in permits if not any(_beats(denial, one) for denial in denials)]
    return max(standing or denials, key=_rank, default=None)


def applies(provision: Provision, ask: Ask) -> bool:
    """Does this rule speak of the request? Permits must cover it, denials touch it."""
    return _covers(provision, ask) if provision.kind == "permit" else _touches(provision, ask)


def _beats(denial: Word, permit: Word) -> bool:
    return denial.given >= permit.given or denial.specificity > permit.specificity


def _rank(one: Word) -> tuple[Specificity, datetime, str]:
    return one.specificity, one.given, one.consent.reference


def _in_force(consent: Consent, ask: Ask) -> bool:
    return consent.root.period is None or consent.root.period.holds(ask.now)


def _word(consent: Consent, way: Way, ask: Ask) -> Word:
    return Word(
        consent,
        way[-1].kind,
        specificity=(max(_what(one) for one in way), max(_who(one, ask) for one in way)),
        named=any(one.recipients for one in way),
        purposed=any(one.purposes and _purpose_covered(one, ask) for one in way),
        marks=frozenset(mark for one in way for mark in one.marks),
        silent=consent.silent and len(way) == 1,
    )


def _ways(provision: Provision, ask: Ask, above: Way) -> Iterator[Way]:
    """From the root to each deepest provision that applies."""
    here = (*above, provision)
    exceptions = [one for one in provision.nested if applies(one, ask)]
    if not exceptions:
        yield here
    for one in exceptions:
        yield from _ways(one, ask, here)


def _covers(rule: Provision, ask: Ask) -> bool:
    labels = ask.item.labels
    when = ask.item.span
    return (
        not rule.unknown
        and (rule.period is None or rule.period.holds(ask.now))
        and (not rule.recipients or bool(rule.recipients & (ask.names | ask.groups)))
        and (not rule.custodians or bool(rule.custodians & ask.disclosers))
        and (not rule.purposes or _purpose_covered(rule, ask))
        and (not rule.actions or bool(rule.actions & terms.DISCLOSING_ACTIONS))
        and (not rule.classes or bool(rule.classes & ask.item.classes))
        and (not rule.codes or bool(rule.codes & ask.item.codes))
        and (
            not rule.confidentiality or terms.RANK[labels.confidentiality] <= terms.RANK[rule.confidentiality]
        )
        and _marks_covered(rule, ask)
        and (rule.data_period is None or (when is not None and rule.data_period.contains(Span(*when))))
        and (not rule.data or any(_is_data(entry, ask.item) for entry in rule.data))
    )


def _touches(rule: Provision, ask: Ask) -> bool:
    labels = ask.item.labels
    when = ask.item.span
    if rule.unknown:
        return rule.period is None or rule.period.holds(ask.now)
    return (
        (rule.period is None or rule.period.holds(ask.now))
        and (not rule.recipients or bool(rule.recipients & (ask.names | ask.groups)))
        and (not rule.custodians or bool(rule.custodians & ask.disclosers))
        and (not rule.purposes or any(_purposes_meet(one, ask.purpose) for one in rule.purposes))
        and (not rule.actions or bool(rule.actions & terms.DISCLOSING_ACTIONS))
        and (not rule.classes or bool(rule.classes & ask.item.classes))
        and (not rule.codes or bool(rule.codes & ask.item.codes))
        and (
            not rule.confidentiality or terms.RANK[labels.confidentiality] >= terms.RANK[rule.confidentiality]
        )
        and _marks_touched(rule, ask)
        and (rule.data_period is None or when is None or rule.data_period.meets(Span(*when)))
        and (not rule.data or any(_is_data(entry, ask.item) for entry in rule.data))
    )


def _purpose_covered(rule: Provision, ask: Ask) -> bool:
    return any(terms.purpose_within(ask.purpose, one) for one in rule.purposes)


def _purposes_meet(one: str, other: str) -> bool:
    return terms.purpose_within(one, other) or terms.purpose_within(other, one)


def _marks_covered(rule: Provision, ask: Ask) -> bool:
    """Every sensitivity the resource has must be one the permit names; 42CFRPart2 means Part 2 data only."""
    labels = ask.item.labels
    named = rule.marks - {terms.PART2}
    if terms.PART2 in rule.marks and not labels.part2:
        return False
    if not named:
        return True
    return bool(labels.marks) and all(
        any(terms.sensitivity_within(mark, one) for one in named) for mark in labels.marks
    )


def _marks_touched(rule: Provision, ask: Ask) -> bool:
    """One shared sensitivity is enough, in either direction of the hierarchy."""
    if not rule.marks:
        return True
    labels = ask.item.labels
    if terms.PART2 in rule.marks and labels.part2:
        return True
    return any(
        terms.sensitivity_within(mark, one) or terms.sensitivity_within(one, mark)
        for mark in labels.marks
        for one in rule.marks
    )


def _is_data(entry: DataRef, item: Labelled) -> bool:
    """consent-data-meaning: the instance itself, what refers to it, or what somebody wrote."""
    if entry.meaning == "authoredby":
        return entry.reference in item.written_by
    if entry.meaning == "instance":
        return entry.reference == item.reference
    return entry.reference == item.reference or entry.reference in item.mentions


def _what(rule: Provision) -> int:
    if rule.data:
        return 3
    if rule.codes or rule.marks or rule.confidentiality:
        return 2
    return 1 if rule.classes or rule.data_period else 0


def _who(rule: Provision, ask: Ask) -> int:
    if rule.recipients & ask.names:
        return 2
    return 1 if rule.recipients & ask.groups else 0
