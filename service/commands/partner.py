"""`casebridge partner`: onboarding is data."""

import json
from pathlib import Path
from typing import Annotated, Literal

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from service.commands.running import run
from service.delivery.terms import Terms
from service.flows import credentials
from service.flows import onboard_partner as story
from service.flows.checking.check import Report
from service.flows.checking.check import check as tried_out

app = typer.Typer(no_args_is_help=True, help="Partners: who may call us, and whom we call.")


Agreed = Annotated[
    list[str] | None,
    typer.Option("--term", help=f"NAME=VALUE, of {', '.join(Terms.__dataclass_fields__)}; NAME= lifts it"),
]


@app.command()
def add(
    name: str,
    role: Annotated[
        list[str], typer.Option(help="casework, referral-source, referral-recipient, ehr, funder, auditor")
    ],
    jwks: Annotated[str | None, typer.Option(help="public keys: a file or an https URL")] = None,
    fhir_base: Annotated[str | None, typer.Option(help="the partner's FHIR server")] = None,
    dialect: Annotated[str, typer.Option(help="sdohcc, bser or cow")] = "sdohcc",
    scope: Annotated[
        list[str] | None, typer.Option(help="pre-authorised SMART scopes; default by role")
    ] = None,
    token_url: Annotated[str | None, typer.Option(help="the partner's token endpoint")] = None,
    delivery: Annotated[
        str | None, typer.Option(help="push, subscribe or poll; default push with --fhir-base")
    ] = None,
    term: Agreed = None,
) -> None:
    """Register a partner; prints its client_id, organization and scopes as JSON."""
    wanted = story.Registration(
        name=name, roles=role, scopes=scope or (), jwks=jwks, fhir_base=fhir_base, token_url=token_url,
        dialect=dialect, delivery=delivery,
        agreed=term or (),
    )  # fmt: skip
    print(json.dumps(run(lambda wiring: story.add(wiring.context, wanted)), indent=2))


@app.command()
def change(name: str, term: Agreed = None) -> None:
    """Speak to a partner on other terms; what is not named stays as it is."""
    print(json.dumps(run(lambda wiring: story.agree(wiring.context, name, term or ())), indent=2))


@app.command("list")
def list_() -> None:
    """All partners, as a table."""
    rows = run(lambda wiring: story.everyone(wiring.context))
    table = Table("partner", "roles", "dialect", "delivery", "FHIR base", "state")
    for row in rows:
        state = "disabled" if row.get("disabled_at") else "enabled"
        table.add_row(
            row["name"],
            " ".join(row["roles"]),
            row["dialect"],
            row["delivery"],
            row.get("fhir_base") or "–",
            state,
        )
    Console().print(table)


@app.command()
def show(name: str) -> None:
    """One partner, as JSON."""
    print(json.dumps(run(lambda wiring: story.show(wiring.context, name)), indent=2))


@app.command()
def check(
    name: str,
    format_: Annotated[Literal["table", "json"], typer.Option("--format")] = "table",
    wait: Annotated[float, typer.Option(min=0, max=600, help="seconds for somebody there to answer")] = 5.0,
) -> None:
    """Try a partner out with a referral about nobody; exit 1 when something needs doing."""
    report = run(lambda wiring: tried_out(wiring.context, wiring.outside, name, wait=wait))
    if format_ == "json":
        print(json.dumps(report.shown(), indent=2))
    else:
        _table(report)
    if report.failed:
        raise typer.Exit(1)


def _table(report: Report) -> None:
    table = Table(title=f"{report.partner}, self-test {report.number}")
    for head in ("step", "", "what was found", "ms", "request"):
        table.add_column(head, overflow="fold")
    marks = {"passed": "[green]passed", "failed": "[red]failed", "skipped": "skipped"}
    for step in report.steps:
        took = str(step.milliseconds) if step.request_id else ""
        table.add_row(step.name, marks[step.result], escape(step.words), took, step.request_id)
    Console().print(table)


@app.command()
def token(
    name: str,
    days: Annotated[
        int | None, typer.Option(min=1, max=366, help="a fixed token for software that knows nothing else")
    ] = None,
) -> None:
    """A short-lived access token for local use, alone on one line; with --days one that lives so long."""
    print(run(lambda wiring: story.mint_token(wiring.context, name, days)))


@app.command("revoke-tokens")
def revoke_tokens(name: str) -> None:
    """Every token of this partner stops counting at the next request; it may fetch new ones."""
    print(f"{run(lambda wiring: story.revoke_tokens(wiring.context, name))} tokens revoked")


@app.command()
def certificate(
    name: str,
    file: Annotated[Path | None, typer.Option(help="the partner's client certificate, PEM")] = None,
    subject: Annotated[str | None, typer.Option(help="or its subject: CN=ehr.example,O=Clinic")] = None,
) -> None:
    """The partner must show this client certificate from now on (mutual TLS); without options none is asked for."""
    asked = run(lambda wiring: credentials.require_certificate(wiring.context, name, file, subject))
    print(json.dumps(asked, indent=2))


@app.command()
def credential(
    name: str,
    url: Annotated[str, typer.Option(help="the partner's server: what is shown there is shown nowhere else")],
    certificate: Annotated[Path | None, typer.Option(help="our client certificate there, PEM")] = None,
    key: Annotated[Path | None, typer.Option(help="its private key, PEM")] = None,
    bearer: Annotated[Path | None, typer.Option(help="or a file with a bearer token they gave us")] = None,
) -> None:
    """What we show at a partner's server beside our SMART token, or instead; without options nothing any more."""
    shown = run(lambda w: credentials.present(w.context, name, url, certificate, key, bearer))
    print(json.dumps(shown, indent=2))


@app.command()
def disable(name: str) -> None:
    """From the next request on, nothing this partner sends is accepted."""
    print(json.dumps(run(lambda wiring: story.disable(wiring.context, name)), indent=2))
