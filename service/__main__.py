"""The command line: `casebridge …`. docs/commands.md lists every command with an example."""

import typer

from service.commands import (
    audit,
    console,
    deliveries,
    directory,
    disclosures,
    due,
    duplicates,
    gpra,
    ground,
    housekeeping,
    keys,
    mapping,
    measures,
    partner,
    serve,
    simulate,
    subscriptions,
    webhook,
)
from service.commands.bench import bench
from service.commands.demo import demo
from service.commands.ingest import ingest
from service.commands.reindex import reindex
from service.commands.validate import validate

app = typer.Typer(
    name="casebridge",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="Case management and FHIR R4, joined: referrals that close, consent that holds.",
)
app.command()(serve.serve)
app.command()(serve.worker)
app.command("serve-child", hidden=True)(serve.serve_child)
app.command()(housekeeping.migrate)
app.command()(housekeeping.settings)
app.add_typer(partner.app, name="partner")
app.add_typer(keys.app, name="keys")
app.add_typer(audit.app, name="audit")
app.add_typer(console.app, name="console")
app.add_typer(webhook.app, name="webhook")
app.add_typer(ground.app, name="ground")
app.add_typer(directory.app, name="directory")
app.add_typer(due.app, name="calendar")
app.command("deliveries")(deliveries.deliveries)
app.command("replay")(deliveries.replay)
app.command()(subscriptions.subscriptions)
app.command()(simulate.simulate)
app.command()(demo)
app.command()(validate)
app.command()(ingest)
app.command()(bench)
app.command()(mapping.remap)
app.command("reindex")(reindex)
report = typer.Typer(no_args_is_help=True, help="What the records and the exchange tell.")
report.command("unmapped")(mapping.unmapped)
report.command("disclosures")(disclosures.disclosures)
report.command("gpra")(gpra.report_gpra)
report.command("measures")(measures.measures)
report.command("timeliness")(due.timeliness)
report.command("caseload")(due.caseload)
report.command("duplicates")(duplicates.duplicates)
app.add_typer(report, name="report")
app.add_typer(gpra.export_app, name="export")


def main() -> None:
    """Entry point of the `casebridge` script."""
    app()


if __name__ == "__main__":
    main()
