"""Commands of the sync log."""

from __future__ import annotations

import click

from integration.cli import console
from integration.models.audit import AuditAction
from integration.models.connector import Connector
from integration.operations import audit as trail
from integration.pipeline.audited import Audit
from integration.pipeline.connectors.time_zones import written, zone_of
from integration.pipeline.services import Services
from integration.pipeline.sync_log import clearing as sync_log_clearing
from integration.queries.sync_log import read_page
from integration.queries.sync_log_filters import LogQuery

_COLUMNS = ("time", "type", "object_id", "action", "status", "contact_id", "message")


@click.command(name="log")
@console.connector_argument
@click.option("--type", "type_", help="contact, order or abandoned_cart.")
@click.option("--status", help="success, skipped or error.")
@click.option("--action", help="create_or_update, create_note, skip, …")
@click.option("--object", "object_", help="Customer id or order number.")
@click.option("--limit", type=click.IntRange(1, 100), default=25, show_default=True)
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
    asked = {"type": type_, "status": status, "action": action, "object": object_, "size": str(limit)}
    with console.opened() as services:
        zone = zone_of(console.connector(services, connector_id), services.deployment.timezone)
        query, notices = LogQuery.parse(connector_id, {key: value for key, value in asked.items() if value})
        with services.db.read() as session:
            page = read_page(session, query)
    for notice in notices:
        click.echo(notice, err=True)
    rows = [{name: getattr(entry, "at" if name == "time" else name) for name in _COLUMNS} for entry in page.entries]
    told = [row | {"time": written(row["time"], zone)} for row in rows]
    console.show(rows, as_json=as_json, text=f"{console.table(told, _COLUMNS)}\n{page.total} entries.")


@click.command(name="clear-log")
@console.connector_argument
@click.option("--older-than", metavar="DAYS", type=click.IntRange(1, 36500), help="Only entries older than this.")
@console.as_json
def clear_log(connector_id: int, older_than: int | None, as_json: bool) -> None:
    """Remove entries of the sync log for good; Mautic and the store are not touched."""
    with console.opened() as services:
        audit = _audit(services, console.connector(services, connector_id), older_than)
        cleared = sync_log_clearing.clear(services, connector_id, older_than_days=older_than, audit=audit)
    console.show({"cleared": cleared}, as_json=as_json, text=f"{cleared} entries cleared.")


def _audit(services: Services, connector: Connector, older_than: int | None) -> Audit[int]:
    return lambda session, cleared: trail.record(
        session,
        clock_now=services.clock.now(),
        organisation_id=connector.organisation_id,
        connector_id=connector.id,
        actor="command line",
        ip="",
        action=AuditAction.LOG_CLEARED,
        entity="sync log",
        diff={"entries": [cleared, 0], "older_than_days": [None, older_than]},
    )


COMMANDS: tuple[click.Command, ...] = (show_log, clear_log)
