"""Commands of reconciliations: begin one, list them and what they found, and repair it."""

from __future__ import annotations

from typing import Any

import click
from sqlalchemy.orm import Session

from integration.cli import console
from integration.cli.filter_options import asked, filter_options, numbers
from integration.errors import SettingError
from integration.models.audit import AuditAction
from integration.models.connector import Connector
from integration.models.drift import Reconciliation
from integration.models.run import Run
from integration.operations import reconciliation
from integration.operations.reconciliation import DriftQuery, listing
from integration.operations.reconciliation.repairs import REPAIRABLE
from integration.pipeline.services import Services
from integration.words import counted

_FOUND = ("id", "kind", "source_kind", "source_id", "contact_id", "sentence")
_LISTED = ("id", "state", "created_at", "ended_at", "missing", "doubled", "differs", "surplus")
_number = click.option("--number", type=click.IntRange(1), help="Which reconciliation; without it the newest.")


@click.group()
def reconcile() -> None:
    """Compare the store with Mautic, list what differs, and repair it."""


@reconcile.command()
@console.connector_argument
@console.as_json
def start(connector_id: int, as_json: bool) -> None:
    """Begin a reconciliation; a worker does it. `woo-mautic run` tells how far it is, `cancel` stops it."""
    with console.opened() as services:
        connector = console.connector(services, connector_id)

        def audit(session: Session, run: Run) -> None:
            diff = {"kind": [None, run.kind]}
            console.record(services, session, connector, AuditAction.SYNC_TRIGGERED, f"reconciliation {run.id}", diff)

        number = reconciliation.start(services, connector_id, "command line", audit=audit)
    console.show({"run": number}, as_json=as_json, text=f"Reconciliation {number} begins.")


@reconcile.command(name="list")
@console.connector_argument
@console.as_json
def list_reconciliations(connector_id: int, as_json: bool) -> None:
    """List the last reconciliations and how much each found."""
    with console.opened() as services, services.db.read() as session:
        zone = console.zone(services, connector_id)
        rows = [
            {name: getattr(each, name) for name in _LISTED} for each in reconciliation.latest(session, connector_id)
        ]
    console.show(rows, as_json=as_json, text=console.table(rows, _LISTED, zone))


@reconcile.command()
@console.connector_argument
@_number
@filter_options(DriftQuery)
@console.as_json
def findings(connector_id: int, number: int | None, as_json: bool, **typed: Any) -> None:
    """List what a reconciliation found; go on with --after and the last id."""
    with console.opened() as services:
        console.connector(services, connector_id)
        with services.db.read() as session:
            found = _one(session, connector_id, number)
            query = asked(DriftQuery, typed, "UTC", connector_id=connector_id, reconciliation_id=found.id)
            page = reconciliation.read_page(session, query)
    rows = [{name: getattr(each, name) for name in _FOUND} | {"detail": each.detail} for each in page.rows]
    console.show(rows, as_json=as_json, text=f"{console.table(rows, _FOUND)}\n{counted(page.total, 'finding')}.")


def _one(session: Session, connector_id: int, number: int | None) -> Reconciliation:
    newest = next(iter(reconciliation.latest(session, connector_id, 1)), None)
    found = newest if number is None else listing.one(session, connector_id, number)
    if found is None:
        sentence = "There is no such reconciliation." if number else "There was no reconciliation yet."
        raise SettingError("number", sentence, "See `woo-mautic reconcile list`.")
    return found


@reconcile.command()
@console.connector_argument
@_number
@click.option("--ids", metavar="IDS", help="Only these findings, with commas.")
@click.option("--kind", type=click.Choice(REPAIRABLE), help="All findings of a kind.")
@click.option("--all", "every", is_flag=True, help="Everything that can be repaired.")
@console.yes_option
@console.as_json
def repair(
    connector_id: int, number: int | None, ids: str | None, kind: str | None, every: bool, yes: bool, as_json: bool
) -> None:
    """Give what was found to the sync again; the records are read from the store anew."""
    if sum((ids is not None, kind is not None, every)) != 1:
        raise click.UsageError("Give one of --ids, --kind and --all.")
    chosen = numbers(ids, "ids") if ids is not None else None
    with console.opened() as services:
        connector = console.connector(services, connector_id)
        with services.db.read() as session:
            found = _one(session, connector_id, number)
        if chosen is None:
            console.confirmed(yes, f"Repair {kind or 'everything'} of reconciliation {found.id}?")
        asked_for = _asked(services, connector, found.id, chosen, kind)
    console.show({"asked": asked_for}, as_json=as_json, text=f"{counted(asked_for, 'finding')} given to the sync.")


def _asked(services: Services, connector: Connector, number: int, ids: list[int] | None, kind: str | None) -> int:
    with services.db.write() as session:
        now = services.clock.now()
        done = reconciliation.ask(session, now, connector.id, number, ids=ids, kind=kind)
        if done:
            diff = {"records": [0, done], "kind": ["", kind or "all"]}
            console.record(services, session, connector, AuditAction.REPAIRED, f"reconciliation {number}", diff)
    return done


COMMANDS: tuple[click.Command, ...] = (reconcile,)
