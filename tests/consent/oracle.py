"""A second, slow opinion on consent, written from the rule text; shares no code with service/consent.

It does not read FHIR: it decides on a situation written in plain facts (days are integers, sets are spelled
out in full), by listing every statement that every paper makes and crossing them. `situations.py` writes the
same facts as FHIR for the engine.

Rules (42 CFR Part 2 as revised 2024; HL7 FHIR R4 Consent; CONSENT.md 2.3; docs/decisions/consent.md):
R1  Directory entries and definitions concern no client.                       R2 The custodian reads its own.
R3  The author reads what it wrote.
R4  An invoked ground other than consent decides alone (2.51, 2.53, 2.11, 2.61).
R4b A ground on record for the recipient is used where R5-R12 say no, for what was asked or else for its own purpose.
R5  Only active privacy (or, for research, research) papers of this client speak.
R6  A statement is a way from a paper's root down its exceptions. It speaks if every rule on it applies. The
    longest ones speak; a denial among them silences that paper's permits.
R7  A permit applies when it covers the request in everything; a denial when it touches it in everything.
R8  A base rule the client did not state is silence.
R9  A permit counts only if signed, dated, complete, taken up by us, and meant for us to act on; for protected data
    also recipient, purpose and discloser must be named (2.31(a)(2), (4), (5)).
R10 A denial defeats a permit that is not newer (by day; same day: denial) or that is less specific.
R11 A permit that no denial defeats lets it go. Otherwise a denial stops it. Otherwise, unprotected data goes
    for TPO to covered entities if the posture says so. Otherwise it stays.
R12 If it stays, and all that codes reveal is in elements that can be masked, R5-R11 judge what remains.
R13 A document without its essential parts, or without any client part left, stays altogether.
"""

from dataclasses import dataclass, replace

# every purpose with all that is done for it (v3-ActReason; TPO from 2.31(a)(4)(i))
TREATMENT = {"TREAT", "COC", "ETREAT", "BTG"}
OPERATIONS = {"HOPERAT", "CAREMGT", "HPRGRP"}
INCLUDES = {
    "TPO": {"TPO", "HPAYMT", *TREATMENT, *OPERATIONS},
    "TREAT": TREATMENT,
    "HOPERAT": OPERATIONS,
    "HPAYMT": {"HPAYMT"},
    "COC": {"COC"},
    "ETREAT": {"ETREAT", "BTG"},
    "BTG": {"BTG"},
    "CAREMGT": {"CAREMGT"},
    "HPRGRP": {"HPRGRP"},
    "HLEGAL": {"HLEGAL"},
    "HRESCH": {"HRESCH"},
}
# every sensitivity with all that it comprises (v3-ActCode; ETH is SUD's older name)
MEANS = {
    "BH": {"BH", "MH", "SUD", "ETH", "OPIOIDUD", "PSY", "PSYTHPN"},
    "SUD": {"SUD", "ETH", "OPIOIDUD"},
    "ETH": {"SUD", "ETH", "OPIOIDUD"},
    "OPIOIDUD": {"OPIOIDUD"},
    "MH": {"MH"},
    "PSY": {"PSY", "PSYTHPN"},
    "PSYTHPN": {"PSYTHPN"},
    "HIV": {"HIV"},
}
LOWER = {"N": {"N"}, "R": {"N", "R"}, "V": {"N", "R", "V"}}  # high-water mark: the label and everything lower
HIGHER = {"N": {"N", "R", "V"}, "R": {"R", "V"}, "V": {"V"}}


@dataclass(frozen=True)
class Rule:
    kind: str | None  # "permit", "deny", None: not written
    recipients: frozenset[str] = frozenset()
    custodians: frozenset[str] = frozenset()
    purposes: frozenset[str] = frozenset()
    types: frozenset[str] = frozenset()
    codes: frozenset[str] = frozenset()
    confidentiality: str = ""
    marks: frozenset[str] = frozenset()
    part2_only: bool = False
    first_day: int | None = None
    last_day: int | None = None
    data_first: int | None = None
    data_last: int | None = None
    instance: str = ""
    related: str = ""
    correct_only: bool = False
    puzzling: bool = False
    but: tuple["Rule", ...] = ()


@dataclass(frozen=True)
class Paper:
    id: str
    root: Rule
    status: str = "active"
    policy: str = ""
    day: int | None = 0
    signed: bool = True
    own_client: bool = True
    scope: str = "patient-privacy"
    disclosers: frozenset[str] = frozenset({"Organization/harbor"})
    from_a_partner: bool = False


@dataclass(frozen=True)
class Thing:
    id: str
    type: str
    part2: bool = True
    primary: frozenset[str] = frozenset()  # sensitivities of what it is
    reason: frozenset[str] = frozenset()  # sensitivities of its reasonCode
    received: frozenset[str] = frozenset()  # sensitivities it came labelled with
    received_level: str = ""
    code: str = ""
    day: int | None = None
    mentions: str = ""
    author: str = ""
    custodian: str = ""


@dataclass(frozen=True)
class Ground:
    basis: str
    facts_complete: bool = True
    recipient: str = ""
    purposes: frozenset[str] = frozenset()
    first_day: int = 0
    end_day: int | None = None
    names_client: bool | None = None
    types: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Situation:
    recipient: str
    purpose: str
    day: int
    things: tuple[Thing, ...]
    papers: tuple[Paper, ...]
    groups: tuple[tuple[str, frozenset[str]], ...] = ()
    circles: tuple[tuple[str, str, frozenset[str]], ...] = ()  # (client, class, who is in it for this client)
    covered: frozenset[str] = frozenset()
    tpo: bool = False
    ground: Ground | None = None
    recorded: tuple[Ground, ...] = ()


US = "Organization/harbor"
DIRECTORY = {"Organization"}
MASKED_REASON = {"ServiceRequest", "Encounter", "Procedure", "Task"}
ESSENTIAL = {"Patient", "ServiceRequest", "Task"}


def verdict(situation: Situation) -> dict[str, str] | None:
    """id → basis (with `+mask`) for what goes; None when nothing goes."""
    goes: dict[str, str] = {}
    for thing in situation.things:
        basis = one(situation, thing)
        if basis:
            goes[thing.id] = basis
        elif thing.type in ESSENTIAL:
            return None
    clients = [thing for thing in situation.things if thing.id in goes and thing.type not in DIRECTORY]
    stays = len(goes) < len(situation.things)
    return None if stays and not clients else goes


def one(situation: Situation, thing: Thing) -> str:
    if thing.type in DIRECTORY:
        return "directory"  # R1
    if thing.custodian == situation.recipient:
        return "custodian"  # R2
    if thing.author == situation.recipient:
        return "author"  # R3
    if situation.ground is not None:
        return by_ground(situation, situation.ground, thing)
    whole = by_papers(situation, thing, thing.primary | thing.reason | thing.received, masked=False)
    if whole in ("consent", "tpo"):
        return whole
    if not thing.primary and thing.reason and thing.type in MASKED_REASON:
        rest = by_papers(situation, thing, thing.received, masked=True)  # R12
        if rest in ("consent", "tpo"):
            return rest + "+mask"
    return on_record(situation, thing)


def on_record(situation: Situation, thing: Thing) -> str:
    """R4b: its own purpose never stands in the way; everything else of it does."""
    for ground in situation.recorded:
        for purpose in ("ETREAT",) if ground.basis == "emergency" else sorted(ground.purposes):
            if basis := by_ground(replace(situation, purpose=purpose), ground, thing):
                return basis
    return ""


def by_ground(situation: Situation, ground: Ground, thing: Thing) -> str:
    """R4: every ground is with somebody, about somebody, for a time, and for its own purposes; perhaps for some types."""
    if ground.types and thing.type not in ground.types:
        return ""
    in_time = ground.first_day <= situation.day and (ground.end_day is None or situation.day < ground.end_day)
    right = ground.recipient == situation.recipient
    if ground.basis == "emergency":
        treating = situation.purpose in ("ETREAT", "BTG")
        whole = ground.facts_complete and ground.names_client is not False
        return "emergency" if whole and treating and in_time and right else ""
    for_this = any(situation.purpose in INCLUDES[purpose] for purpose in ground.purposes)
    client = ground.names_client if ground.names_client is not None else ground.basis != "court-order"
    return ground.basis if in_time and for_this and client and right and ground.facts_complete else ""


@dataclass(frozen=True)
class Statement:
    paper: Paper
    way: tuple[Rule, ...]
    kinds: tuple[str, ...]

    @property
    def kind(self) -> str:
        return self.kinds[-1]


def by_papers(situation: Situation, thing: Thing, marks: frozenset[str], masked: bool) -> str:
    facts = Facts(situation, thing, marks, masked)
    permits: list[Statement] = []
    denials: list[Statement] = []
    for paper in situation.papers:
        if paper.status != "active" or not paper.own_client or paper.scope == "treatment":
            continue  # R5
        spoken = spoken_by(paper, facts)
        if any(statement.kind == "deny" for statement in spoken):
            denials += [statement for statement in spoken if statement.kind == "deny"]
        else:
            permits += [statement for statement in spoken if acted_on(statement, facts)]
    for permit in permits:
        if not any(defeats(denial, permit, facts) for denial in denials):
            return "consent"  # R11
    if denials:
        return "denied"
    ordinary = (
        situation.tpo
        and not facts.protected
        and situation.purpose in INCLUDES["TPO"]
        and situation.recipient in situation.covered
    )
    return "tpo" if ordinary else ""


class Facts:
    """What is known of one thing for one recipient."""

    def __init__(self, situation: Situation, thing: Thing, marks: frozenset[str], masked: bool) -> None:
        self.situation, self.thing, self.marks = situation, thing, marks
        self.codes = {thing.code} if thing.code else set()
        self.codes |= {f"sensitive-{mark}" for mark in thing.primary}
        self.codes |= set() if masked else {f"sensitive-{mark}" for mark in thing.reason}
        level = "V" if "PSYTHPN" in marks else "R" if thing.part2 or marks else "N"
        self.level = max([level, thing.received_level or "N"], key="NRV".index)
        self.protected = thing.part2 or bool(marks) or self.level != "N"
        self.groups = {name for name, members in situation.groups if situation.recipient in members}
        self.groups |= {
            name
            for client, name, members in situation.circles
            if client == "Patient/leslie" and situation.recipient in members
        }


def spoken_by(paper: Paper, facts: Facts) -> list[Statement]:
    """R6, R8."""
    base, stated = base_rule(paper)
    if (
        paper.policy == "EMRGONLY"
        and paper.root.kind is None
        and facts.situation.purpose in ("ETREAT", "BTG")
    ):
        return []
    ways = [Statement(paper, way, kinds) for way, kinds in all_ways(paper.root, base)]
    speaking = [
        statement
        for statement in ways
        if all(
            rule_applies(rule, kind, facts) for rule, kind in zip(statement.way, statement.kinds, strict=True)
        )
    ]
    if not speaking:
        opted_out = paper.policy == "OPTOUT" and paper.root.kind is not None
        running = inside(facts.situation.day, paper.root.first_day, paper.root.last_day)
        return [Statement(paper, (), ("deny",))] if opted_out and running else []
    longest = [
        statement
        for statement in speaking
        if not any(
            len(other.way) > len(statement.way)
            and all(a is b for a, b in zip(statement.way, other.way, strict=False))
            for other in speaking
        )
    ]
    return [statement for statement in longest if stated or len(statement.way) > 1]


def base_rule(paper: Paper) -> tuple[str, bool]:
    """The base, and whether the client stated it."""
    root = paper.root
    if root.kind is not None:
        return root.kind, True
    exceptions = {rule.kind for rule in root.but}
    if paper.policy == "OPTIN" and exceptions == {"permit"}:
        return "deny", False  # permits as exceptions to a permit: only they were meant
    if paper.policy == "OPTIN" and not exceptions:
        narrowed = root.types or root.codes or root.confidentiality or root.marks or root.part2_only
        narrowed = narrowed or root.data_first is not None or root.data_last is not None
        narrowed = narrowed or root.instance or root.related or root.recipients
        return ("deny", True) if narrowed else ("permit", True)  # what an opt-in names is its exception
    if paper.policy == "OPTIN":
        return "permit", True
    return "deny", paper.policy in ("OPTOUT", "EMRGONLY")


def all_ways(rule: Rule, kind: str) -> list[tuple[tuple[Rule, ...], tuple[str, ...]]]:
    ways: list[tuple[tuple[Rule, ...], tuple[str, ...]]] = [((rule,), (kind,))]
    for inner in rule.but:
        for way, kinds in all_ways(inner, inner.kind or "deny"):
            ways.append(((rule, *way), (kind, *kinds)))
    return ways


def inside(day: int, first: int | None, last: int | None) -> bool:
    return (first is None or first <= day) and (last is None or day <= last)


def rule_applies(rule: Rule, kind: str, facts: Facts) -> bool:
    """R7, one dimension after another."""
    thing, situation = facts.thing, facts.situation
    if not inside(situation.day, rule.first_day, rule.last_day):
        return False
    if rule.puzzling:
        return kind == "deny"
    if rule.correct_only:
        return False
    if rule.recipients and situation.recipient not in rule.recipients and not rule.recipients & facts.groups:
        return False
    if rule.custodians and US not in rule.custodians:
        return False
    if rule.types and thing.type not in rule.types:
        return False
    if rule.codes and not rule.codes & facts.codes:
        return False
    own = f"{thing.type}/{thing.id}"
    meant = rule.instance == own or (rule.related != "" and rule.related in (own, thing.mentions))
    if (rule.instance or rule.related) and not meant:
        return False
    return covered(rule, facts) if kind == "permit" else touched(rule, facts)


def covered(rule: Rule, facts: Facts) -> bool:
    thing = facts.thing
    if rule.purposes and not any(facts.situation.purpose in INCLUDES[purpose] for purpose in rule.purposes):
        return False
    if rule.confidentiality and facts.level not in LOWER[rule.confidentiality]:
        return False
    if rule.part2_only and not thing.part2:
        return False
    if rule.marks:
        allowed = set().union(*(MEANS[mark] for mark in rule.marks))
        if not facts.marks or not facts.marks <= allowed:
            return False
    dated = rule.data_first is not None or rule.data_last is not None
    return not dated or (thing.day is not None and inside(thing.day, rule.data_first, rule.data_last))


def touched(rule: Rule, facts: Facts) -> bool:
    thing, purpose = facts.thing, facts.situation.purpose
    if rule.purposes and not any(
        purpose in INCLUDES[other] or other in INCLUDES[purpose] for other in rule.purposes
    ):
        return False
    if rule.confidentiality and facts.level not in HIGHER[rule.confidentiality]:
        return False
    if rule.marks or rule.part2_only:
        shared = any(
            mark in MEANS[other] or other in MEANS[mark] for mark in facts.marks for other in rule.marks
        )
        if not shared and not (rule.part2_only and thing.part2):
            return False
    dated = rule.data_first is not None or rule.data_last is not None
    return not dated or thing.day is None or inside(thing.day, rule.data_first, rule.data_last)


def every(rule: Rule) -> list[Rule]:
    return [rule] + [deeper for inner in rule.but for deeper in every(inner)]


def kinds_of(paper: Paper) -> list[str]:
    """permit or deny, for each rule of `every`."""
    return [base_rule(paper)[0]] + [rule.kind or "deny" for rule in every(paper.root)[1:]]


def acted_on(statement: Statement, facts: Facts) -> bool:
    """R9: 2.31(a), (b), (c), (d)."""
    paper = statement.paper
    rules = every(paper.root)
    purposes = {purpose for rule in rules for purpose in rule.purposes}
    if not paper.signed or paper.day is None or paper.from_a_partner:
        return False
    authorised = set(paper.disclosers)
    authorised |= {
        who
        for rule, kind in zip(rules, kinds_of(paper), strict=True)
        if kind == "permit"
        for who in rule.custodians
    }
    if (authorised or facts.protected) and US not in authorised:
        return False
    if "HLEGAL" in purposes and len(purposes) > 1:
        return False
    permitted = {
        mark
        for rule, kind in zip(rules, kinds_of(paper), strict=True)
        if kind == "permit"
        for mark in rule.marks
    }
    if "PSYTHPN" in permitted and permitted != {"PSYTHPN"}:
        return False
    if paper.scope == "research" and facts.situation.purpose != "HRESCH":
        return False
    if "PSYTHPN" in facts.marks and not any("PSYTHPN" in rule.marks for rule in statement.way):
        return False
    if not facts.protected:
        return True
    named = any(rule.recipients for rule in statement.way)
    purposed = any(
        facts.situation.purpose in INCLUDES[purpose] for rule in statement.way for purpose in rule.purposes
    )
    return named and purposed


def defeats(denial: Statement, permit: Statement, facts: Facts) -> bool:
    """R10."""
    assert permit.paper.day is not None
    if denial.paper.day is None or denial.paper.day >= permit.paper.day:
        return True
    return specificity(denial, facts) > specificity(permit, facts)


def specificity(statement: Statement, facts: Facts) -> tuple[int, int]:
    what = who = 0
    for rule in statement.way:
        if rule.instance or rule.related:
            what = max(what, 3)
        if rule.codes or rule.marks or rule.part2_only or rule.confidentiality:
            what = max(what, 2)
        if rule.types or rule.data_first is not None or rule.data_last is not None:
            what = max(what, 1)
        if facts.situation.recipient in rule.recipients:
            who = max(who, 2)
        if rule.recipients & facts.groups:
            who = max(who, 1)
    return what, who
