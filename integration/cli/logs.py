"""Commands of the sync log."""

from __future__ import annotations

import click

from integration.cli import desk
from integration.models.audit import AuditAction
from integration.operations import audit
from integration.pipeline import logclear
from integration.pipeline.logpages import read_page
from integration.pipeline.logquery import LogQuery
from integration.pipeline.ports import Ports

_COLUMNS = ("time", "type", "object_id", "action", "status", "contact_id", "message")


@click.command(name="log")
@desk.connector_argument
@click.option("--type", "type_", help="contact, order or abandoned_cart.")
@click.option("--status", help="success or error.")
@click.option("--action", help="create_or_update, create_note, skip, …")
@click.option("--object", "object_", help="Customer id or order number.")
@click.option("--limit", type=click.IntRange(1, 100), default=25, show_default=True)
@desk.as_json
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
    with desk.opened() as ports:
        desk.connector(ports, connector_id)
        query, notices = LogQuery.parse(connector_id, {key: value for key, value in asked.items() if value})
        with ports.db.read() as session:
            page = read_page(session, query)
    for notice in notices:
        click.echo(notice, err=True)
    rows = [{name: getattr(entry, "at" if name == "time" else name) for name in _COLUMNS} for entry in page.entries]
    desk.show(rows, as_json=as_json, text=f"{desk.table(rows, _COLUMNS)}\n{page.total} entries.")


@click.command(name="clear-log")
@desk.connector_argument
@click.option("--older-than", metavar="DAYS", type=click.IntRange(1, 36500), help="Only entries older than this.")
@desk.as_json
def clear_log(connector_id: int, older_than: int | None, as_json: bool) -> None:
    """Remove entries of the sync log for good; Mautic and the store are not touched."""
    with desk.opened() as ports:
        desk.connector(ports, connector_id)
        cleared = logclear.clear(ports, connector_id, older_than_days=older_than)
        _audit(ports, connector_id, cleared, older_than)
    desk.show({"cleared": cleared}, as_json=as_json, text=f"{cleared} entries cleared.")


def _audit(ports: Ports, connector_id: int, cleared: int, older_than: int | None) -> None:
    connector = desk.connector(ports, connector_id)
    with ports.db.write() as session:
        audit.record(
            session,
            clock_now=ports.clock.now(),
            organisation_id=connector.organisation_id,
            connector_id=connector_id,
            actor="command line",
            ip="",
            action=AuditAction.LOG_CLEARED,
            entity="sync log",
            diff={"entries": [cleared, 0], "older_than_days": [None, older_than]},
        )


COMMANDS: tuple[click.Command, ...] = (show_log, clear_log)
