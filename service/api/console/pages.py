"""Every page of the console, a row each: where, what it is called, who may open it, which story, which template.

To add one: a story in service/flows/console (a Visit in, a View out), a template, a row here. The order of rows with a
`nav` word is the order of the navigation.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from service.flows.console import (
    clients,
    deliveries,
    due,
    events,
    gpra,
    leads,
    measures,
    overview,
    partners,
    records,
    referral,
    referrals,
    subscriptions,
    trail,
)
from service.flows.console.people import Role
from service.flows.console.visit import View, Visit

CARE: frozenset[Role] = frozenset({"case-manager", "supervisor"})
EXCHANGE: frozenset[Role] = frozenset({"engineer", "supervisor"})
PRIVACY: frozenset[Role] = frozenset({"auditor", "supervisor"})
EVERYONE: frozenset[Role] = CARE | EXCHANGE | PRIVACY


@dataclass(frozen=True, slots=True)
class Page:
    """`about`: the type that the path's id is of, for the audit trail; empty where nobody's data is named."""

    path: str
    title: str
    template: str
    who: frozenset[Role]
    story: Callable[[Visit], Awaitable[View]]
    nav: str = ""
    about: str = ""


@dataclass(frozen=True, slots=True)
class Act:
    """A form: POST to `path`, and on to the page that its story answers."""

    path: str
    title: str
    who: frozenset[Role]
    story: Callable[[Visit], Awaitable[str]]


PAGES = (
    Page("/console", "Overview", "overview.html", EVERYONE, overview.show, "Overview"),
    Page("/console/due", "Due", "due.html", CARE, due.show, "Due"),
    Page("/console/referrals", "Referrals", "referrals.html", CARE | EXCHANGE, referrals.show, "Referrals"),
    Page("/console/referrals/{id}", "Referral", "referral.html", CARE | EXCHANGE, referral.show, about="Task"),
    Page("/console/clients", "Clients", "clients.html", CARE, clients.listing, "Clients"),
    Page("/console/clients/{id}", "Client", "client.html", CARE, clients.one, about="Patient"),
    Page("/console/clients/{id}/summary", "Coordination summary", "summary.html", CARE, clients.summary,
         about="Patient"),
    Page("/console/clients/{id}/disclosures", "Disclosures", "disclosures.html", PRIVACY, trail.disclosures,
         about="Patient"),
    Page("/console/leads", "Leads", "leads.html", CARE, leads.show, "Leads"),
    Page("/console/gpra", "GPRA", "gpra.html", CARE, gpra.show, "GPRA"),
    Page("/console/measures", "Measures", "measures.html", CARE, measures.listing, "Measures"),
    Page("/console/measures/{id}", "Measure", "measure.html", CARE, measures.one),
    Page("/console/records", "Records", "records.html", CARE, records.listing, "Records"),
    Page("/console/records/{kind}/{id}", "Record and FHIR", "record.html", CARE, records.beside),
    Page("/console/resources/{type}/{id}", "FHIR resource", "resource.html", CARE, records.resource),
    Page("/console/deliveries", "Deliveries", "deliveries.html", EXCHANGE, deliveries.listing, "Deliveries"),
    Page("/console/deliveries/again", "Try many again", "again.html", EXCHANGE, deliveries.many),
    Page("/console/deliveries/{id}", "Delivery", "delivery.html", EXCHANGE | CARE, deliveries.one),
    Page("/console/partners", "Partners", "partners.html", EXCHANGE | CARE, partners.listing, "Partners"),
    Page("/console/partners/{id}", "Partner", "partner.html", EXCHANGE | CARE, partners.one),
    Page("/console/subscriptions", "Subscriptions", "subscriptions.html", EXCHANGE | CARE, subscriptions.show,
         "Subscriptions"),
    Page("/console/events", "Events", "events.html", EXCHANGE | CARE, events.show, "Events"),
    Page("/console/unmapped", "Unmapped codes", "unmapped.html", EXCHANGE | CARE, records.unmapped, "Codes"),
    Page("/console/trail", "Audit trail", "trail.html", PRIVACY, trail.show, "Audit trail"),
)  # fmt: skip

ACTS = (
    Act("/console/deliveries/{id}/again", "Try again", EXCHANGE, deliveries.again),
    Act("/console/measures/again", "Count again", CARE, measures.again),
    Act("/console/deliveries/again", "Try many again", EXCHANGE, deliveries.again_many),
)
