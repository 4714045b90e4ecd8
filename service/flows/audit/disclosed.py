"""Rows about what leaves: the decision, durable before anything is sent, and what became of the attempt."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from urllib.parse import urlsplit

from service.consent.permit import Deny, Permit
from service.delivery.outcome import Answer, Fault
from service.fhir.audited import Audited, Kind
from service.fhir.row import Row
from service.kernel.ids import new_id
from service.remote.partner import Reply
from service.store.partners import Partner
from service.store.trail import Ground

UNREACHED = ("connection", "tls", "dns", "refused-address", "token")
"""Faults that come before anything is sent."""


def decided(
    at: datetime, partner: Partner, patient: str, verdict: Permit | Deny, purpose: str, request: str
) -> Audited:
    """A consent decision: permit or deny, on whose word or by which rule."""
    row = _row(at, "consent", "decide", partner, request)
    if isinstance(verdict, Deny):
        return replace(row, outcome="4", about=_clients(patient), purpose=purpose, rule=verdict.code)
    rules = sorted({each.code for each in verdict.withheld})
    return replace(
        row, about=_clients(patient), purpose=verdict.purpose, basis=verdict.basis, consents=verdict.consents,
        rule=" ".join(rules), detail=f"{len(verdict.withheld)} withheld" if rules else "",
    )  # fmt: skip


def disclosed(
    at: datetime, partner: Partner, patient: str, task: str, permit: Permit, reply: Reply, request: str
) -> Audited:
    """An attempt to bring something to a partner. Success: it took it. `rule` is the status or the fault if not."""
    result = reply.result
    status = result.status if isinstance(result, Answer) else 0
    taken = 200 <= status < 300
    sent = [each.item for each in permit.cleared if each.item.nature == "client"]
    counts = Counter(item.type for item in sent)
    return replace(
        _row(at, "disclosure", "deliver", partner, request),
        outcome="0" if taken else "4" if status else "8",
        resource=task,
        about=tuple(dict.fromkeys((*_clients(patient), task, *(item.reference for item in sent)))),
        purpose=permit.purpose,
        basis=permit.basis,
        consents=permit.consents,
        rule="" if taken else str(status or result),
        detail=", ".join(f"{type_} {counts[type_]}" for type_ in sorted(counts)),
    )


def _row(at: datetime, kind: Kind, action: str, partner: Partner, request: str) -> Audited:
    address = urlsplit(partner.fhir_base).netloc if partner.fhir_base else ""
    return Audited(new_id(), at, kind, action, "0", partner.client_id, partner.organization, address, request)


def _clients(patient: str) -> tuple[str, ...]:
    return (patient,) if patient else ()


def notified(
    at: datetime,
    partner: Partner,
    subscription: str,
    told: Sequence[tuple[Row, Ground]],
    withheld: Sequence[Ground],
    result: Answer | Fault,
    request: str,
) -> list[Audited]:
    """What a notification told a subscriber about clients: a row for each client and ground, and one for each that
    was withheld. An attempt without an answer may have arrived all the same, and is listed as what it is."""
    status = result.status if isinstance(result, Answer) else 0
    taken = 200 <= status < 300
    base = replace(
        _row(at, "disclosure", "notify", partner, request),
        outcome="0" if taken else "4" if status else "8",
        resource=subscription,
        rule="" if taken else str(status or result),
    )
    groups: dict[tuple[str, Ground], list[str]] = {}
    for row, ground in told:
        groups.setdefault((row.patient or "", ground), []).append(row.reference)
    rows = [
        replace(
            base, id=new_id(), about=tuple(dict.fromkeys((*_clients(patient), *references))), basis=ground.basis,
            purpose=ground.purpose, consents=(ground.consent,) if ground.consent else (),
        )
        for (patient, ground), references in groups.items()
    ]  # fmt: skip
    return rows + [held_back(at, partner, subscription, ground, request) for ground in withheld]


def held_back(at: datetime, partner: Partner, resource: str, ground: Ground, request: str = "") -> Audited:
    """Something of a client's that a notification or an export (`resource`) does not tell, by which rule."""
    row = _row(at, "consent", "decide", partner, request)
    return replace(
        row, outcome="4", resource=resource, about=_clients(ground.patient), purpose=ground.purpose,
        rule=ground.rule,
    )  # fmt: skip
