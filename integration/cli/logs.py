"""Commands of the sync log."""

from __future__ import annotations

from typing import Any

import click
from sqlalchemy.orm import Session

from integration.cli import console
from integration.cli.filter_options import asked, filter_options
from integration.models.audit import AuditAction
from integration.pipeline.sync_log import clearing as sync_log_clearing
from integration.queries.sync_log import read_page
from integration.queries.sync_log_filters import ACTIONS, ROWS_MAX, STATUSES, TYPES, LogQuery
from integration.web.tools import export
from integration.words import counted

_COLUMNS = ("time", "type", "object_id", "action", "status", "contact_id", "message")


@click.command(name="log")
@console.connector_argument
@click.option("--type", "type_", type=click.Choice(list(TYPES)))
@click.option("--status", type=click.Choice(list(STATUSES)))
@click.option("--action", type=click.Choice(list(ACTIONS)))
@click.option("--object", "object_", help="Customer id or order number.")
@click.option("--limit", type=click.IntRange(1, ROWS_MAX), default=25, show_default=True)
@console.as_json
def show_log(
    connector_id: int,
    type_: str | None,
    status: str | None,
    action: str | None,
    object_: str | None,
    limit: int,
    as_json: bool,
) -> None:
    """Print the newest entries of the sync log."""
    asked: dict[str, Any] = {"type": type_, "status": status, "action": action, "object": object_}
    if object_ == "":
        raise click.UsageError("--object is empty; leave it out for all.")
    with console.opened() as services:
        zone = console.zone(services, connector_id)
        query = LogQuery(connector_id=connector_id, size=limit, **{key: value for key, value in asked.items() if value})
        with services.db.read() as session:
            page = read_page(session, query)
    rows = [{name: getattr(entry, "at" if name == "time" else name) for name in _COLUMNS} for entry in page.entries]
    console.show(rows, as_json=as_json, text=f"{console.table(rows, _COLUMNS, zone)}\n{page.total.number} entries.")


@click.command(name="clear-log")
@console.connector_argument
@click.option("--older-than", metavar="DAYS", type=click.IntRange(1, 36500), help="Only entries older than this.")
@console.yes_option
@console.as_json
def clear_log(connector_id: int, older_than: int | None, yes: bool, as_json: bool) -> None:
    """Remove entries of the sync log for good; Mautic and the store are not touched."""
    with console.opened() as services:
        connector = console.connector(services, connector_id)
        with services.db.read() as session:
            going = sync_log_clearing.preview(session, services.clock.now(), connector_id, older_than)
        which = f" older than {older_than} days" if older_than else ""
        entries = counted(going.entries, "entry", "entries")
        console.confirmed(yes, f"Remove {entries}{which} of the sync log of “{connector.name}” for good?")

        def audit(session: Session, cleared: int) -> None:
            diff = {"entries": [cleared, 0], "older_than_days": [None, older_than]}
            console.record(services, session, connector, AuditAction.LOG_CLEARED, "sync log", diff)

        # What comes while somebody is asked was not asked about, so it stays.
        cleared = sync_log_clearing.clear(
            services, connector_id, older_than_days=older_than, upto=going.upto, audit=audit
        )
    console.show({"cleared": cleared}, as_json=as_json, text=f"{cleared} entries cleared.")


@click.command(name="export-log")
@console.connector_argument
@click.option("--format", "form", type=click.Choice(list(export.MIMETYPES)), default="csv", show_default=True)
@filter_options(LogQuery, "size", "page")
def export_log(connector_id: int, form: str, **typed: Any) -> None:
    """Print the sync log, newest entry first, as CSV or as JSON lines."""
    with console.opened() as services:
        zone = console.zone(services, connector_id)
        query = asked(LogQuery, typed, zone.key, connector_id=connector_id)
        for part in export.stream(services.db, query, form):
            click.echo(part, nl=False)


COMMANDS: tuple[click.Command, ...] = (show_log, clear_log, export_log)
