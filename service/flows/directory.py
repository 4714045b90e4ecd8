"""Who is asking, and whom do the client's papers mean? Gathered in four statements for all the rows of an answer.

The first brings the recipient and the home agency, the second the clients' consents and care teams, the third what
the directory says of the recipient and of everybody the consents name, the fourth the grounds other than consent on
record for the recipient.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from service.consent import classes, terms
from service.consent.model import Consent, of_same_person, read, signed
from service.consent.request import Agreement, Directory, Emergency, Posture
from service.fhir.json import JsonObject, decode_object
from service.fhir.references import local, rewritten
from service.fhir.row import Row
from service.fhir.search import keys
from service.flows.context import Context
from service.store import directory as entries_of
from service.store import grounds, partners, persons, resources
from service.store.grounds import Ground
from service.store.partners import Partner
from service.store.persons import Paper

PAPERS = (classes.PAPER, classes.TEAM)
BY_ID = ("PractitionerRole", "Group")


@dataclass(frozen=True, slots=True)
class Standing:
    """What a decision stands on: the clients' consents, the directory, and how this deployment stands to the law."""

    consents: Mapping[str, list[Consent]]
    directory: Directory
    posture: Posture
    now: datetime
    grounds: tuple[Emergency | Agreement, ...] = ()

    def of(self, rows: Sequence[Row]) -> list[Consent]:
        """The consents of the clients these rows are about."""
        return [each for patient in _clients(rows) for each in self.consents.get(patient, ())]


async def gather(context: Context, connection: Any, organization: str, rows: Sequence[Row]) -> Standing:
    """For one recipient (`Organization/…`) and everything it would see, as it stands at this moment."""
    now = context.clock()
    parties = await partners.parties(connection, organization)
    ours = [each for each in parties if "casework" in each.roles]
    home = next((each for each in ours if each.disabled_at is None), None)
    us = home.organization if home else ""
    trusted = ["", *(each.client_id for each in ours)]
    papers = await persons.papers(connection, _clients(rows), PAPERS)
    consents = [(each, _here(context.base, each.row)) for each in papers if each.row.type == classes.PAPER]
    teams = _teams(context.base, [each.row for each in papers if each.since is None], trusted)
    named = classes.mentioned(each for _, each in consents)
    entries = await _entries(context, connection, (organization, us), named, teams, trusted, now)
    witnessed = await _signed(connection, [each for _, each in consents], trusted)
    posture = Posture(context.settings.part2_program, us, zone=context.settings.zone)
    acts = await grounds.running(connection, organization, now)
    operates = any(act.basis == "qsoa" for act in acts)
    return Standing(
        _read(consents, posture, trusted, witnessed),
        _directory(context.base, entries, parties, (organization, us), teams, operates=operates),
        posture,
        now,
        tuple(_ground(act, organization) for act in acts),
    )


def _ground(act: Ground, organization: str) -> Emergency | Agreement:
    """As the engine knows it. An act without clients is about all of them."""
    types, id_ = frozenset(act.types or ()), f"urn:uuid:{act.id}"
    patients = None if act.patients is None else frozenset(act.patients)
    if act.basis != "emergency":
        basis: Any = act.basis
        purposes = frozenset(act.purposes)
        return Agreement(
            basis, act.document, organization, purposes, act.starts, act.ends, patients, types, id_
        )
    assert act.ends is not None
    return Emergency(
        act.recipient, act.affiliation, act.discloser, act.starts, act.nature, organization,
        patients or frozenset(), act.ends, types, id_,
    )  # fmt: skip


def _read(
    consents: Sequence[tuple[Paper, JsonObject]],
    posture: Posture,
    trusted: Sequence[str],
    signed: frozenset[str],
) -> dict[str, list[Consent]]:
    """By client. What another party wrote here denies and never permits: nobody gets anything on its own word.

    So does what was signed under another Patient of the same person before the two were merged: it permits what it was
    signed for, and denies both.
    """
    found: dict[str, list[Consent]] = defaultdict(list)
    for paper, resource in consents:
        foreign = paper.row.author not in trusted
        one = read(resource, posture.zone, signed=paper.row.reference in signed, foreign=foreign)
        if paper.since is not None:
            one = of_same_person(one, paper.patient, paper.since)
        found[paper.patient].append(one)
    return found


def _clients(rows: Iterable[Row]) -> list[str]:
    return sorted({row.patient for row in rows if row.patient})


def _teams(base: str, papers: Sequence[Row], trusted: Sequence[str]) -> dict[str, list[JsonObject]]:
    found: dict[str, list[JsonObject]] = defaultdict(list)
    for row in papers:
        if row.type == classes.TEAM and row.author in trusted:
            found[row.patient or ""].append(_here(base, row))
    return found


def _here(base: str, row: Row) -> JsonObject:
    """The resource with its references to this server relative, as ours are: one client by either name."""
    body = row.body or b"{}"
    resource = decode_object(body)
    if base.encode() not in body:
        return resource
    plain: JsonObject = rewritten(resource, lambda text: text.removeprefix(f"{base}/"))
    return plain


async def _entries(
    context: Context,
    connection: Any,
    organizations: Sequence[str],
    named: frozenset[str],
    teams: Mapping[str, list[JsonObject]],
    trusted: Sequence[str],
    now: datetime,
) -> classes.Entries:
    everybody = set(named)
    if (
        terms.TREATING in named
        or terms.TEAM in named
        or any(each.startswith((f"{classes.TEAM}/", terms.PARTICIPANTS)) for each in named)
    ):
        everybody |= classes.members_of_teams(team for listed in teams.values() for team in listed)
    found = [key for each in sorted(everybody) if (key := local(each))]
    by_id = [key for key in found if key[0] in BY_ID]
    people = ["/".join(key) for key in found if key[0] == classes.PERSON]
    ids = [each.removeprefix("Organization/") for each in organizations if each]
    rows = await entries_of.around(connection, ids, by_id, people, trusted)
    by_type: dict[str, list[JsonObject]] = defaultdict(list)
    for row in rows:
        by_type[row.type].append(_here(context.base, row))
    return classes.Entries(by_type, now, context.settings.zone)


def _directory(
    base: str,
    entries: classes.Entries,
    parties: Sequence[Partner],
    organizations: tuple[str, str],
    teams: Mapping[str, list[JsonObject]],
    *,
    operates: bool,
) -> Directory:
    own, us = organizations
    always = classes.classes(entries, own, base) | classes.circle(entries, own, [], operates=operates)
    return Directory(
        names={each: classes.names(entries, each, base) for each in {own, us} if each},
        members={each: frozenset({own}) for each in always},
        circles={
            patient: {each: frozenset({own}) for each in classes.circle(entries, own, listed)}
            for patient, listed in teams.items()
        },
        titles={each.organization: each.name for each in parties},
        covered=frozenset({own}) if classes.covered(entries, own) else frozenset(),
    )


async def _signed(connection: Any, consents: Sequence[JsonObject], trusted: Sequence[str]) -> frozenset[str]:
    """Active consents that carry no signature, but have one in a Provenance that the casework system wrote."""
    bare = [
        f"Consent/{one.get('id')}" for one in consents if one.get("status") == "active" and not signed(one)
    ]
    if not bare:
        return frozenset()
    wanted = [keys.target("Provenance.target", each) for each in bare]
    found = [
        row
        for row in await resources.carrying(connection, wanted, [], None, ("", ""), 1000)
        if row.author in trusted
    ]
    kept = [decode_object(row.body or b"{}") for row in found]
    targets = {
        str(target.get("reference", "")).split("/_history/")[0]
        for one in kept
        if one.get("signature")
        for target in one.get("target", [])
    }
    return frozenset(targets & set(bare))
