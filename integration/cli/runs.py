"""Commands of runs and records: lists, one run with its lines, and cancelling."""

from __future__ import annotations

from typing import Any

import click
from sqlalchemy.orm import Session

from integration.cli import console
from integration.cli.filter_options import asked, filter_options
from integration.errors import SettingError
from integration.models.audit import AuditAction
from integration.models.connector import Connector
from integration.models.run import Run
from integration.pipeline.connectors.time_zones import written, zone_of
from integration.pipeline.runs import cancelling, progress
from integration.pipeline.services import Services
from integration.queries import record_statuses, records as record_queries, runs as run_queries
from integration.queries.record_filters import RecordQuery
from integration.queries.runs import RunQuery
from integration.words import counted

_RUNS = ("id", "kind", "state", "trigger", "created_at", "pulled", "pushed", "skipped", "failed", "waiting")
_LINES = ("id", "at", "level", "text")
_RECORDS = ("id", "kind", "source_id", "number", "event", "status", "contact_id", "created_at", "error")


@click.command(name="runs")
@console.connector_argument
@filter_options(RunQuery)
@console.as_json
def list_runs(connector_id: int, as_json: bool, **typed: Any) -> None:
    """List runs, newest first; go on with --before and the last id."""
    with console.opened() as services:
        zone = console.zone(services, connector_id)
        query = asked(RunQuery, typed, zone.key, connector_id=connector_id)
        with services.db.read() as session:
            found, _ = run_queries.read_list(session, query)
            waiting = run_queries.waiting_of(session, found)
    rows = [_run(each, waiting[each.id]) for each in found]
    console.show(rows, as_json=as_json, text=console.table(rows, _RUNS, zone))


def _run(found: Run, waiting: int) -> dict[str, Any]:
    return {name: getattr(found, name) for name in _RUNS if name != "waiting"} | {"waiting": waiting}


@click.command(name="run")
@click.argument("run_id", metavar="RUN", type=int)
@click.option("--after", metavar="LINE", type=click.IntRange(0), default=0, help="Only lines behind this id.")
@console.as_json
def show_run(run_id: int, after: int, as_json: bool) -> None:
    """Show a run, how far it is, and its lines."""
    with console.opened() as services, services.db.read() as session:
        found, connector = console.run(session, run_id)
        zone = zone_of(connector, services.deployment.timezone)
        far = progress.progress(session, run_id, services.clock.now())
        lines = run_queries.new_lines(session, run_id, after).lines
        shown = _run(found, far.left) | {"ended_at": found.ended_at, "error": found.error}
        rows: list[dict[str, Any]] = [{name: getattr(line, name) for name in _LINES} for line in lines]
    text = ", ".join(f"{name} {value}" for name, value in shown.items() if value not in (None, ""))
    said = [f"{written(row['at'], zone)}  {row['level']:8}{row['text']}" for row in rows]
    console.show(shown | {"lines": rows}, as_json=as_json, text="\n".join([text, *said]))


@click.command()
@click.argument("run_id", metavar="RUN", type=int)
@console.as_json
def cancel(run_id: int, as_json: bool) -> None:
    """Stop a run, or a reconciliation, after the batch in flight; what was sent stays."""
    with console.opened() as services:
        with services.db.read() as session:
            _, connector = console.run(session, run_id)
        if not cancelling.cancel(services, run_id, audit=_audited(services, connector)):
            raise SettingError("RUN", f"The run {run_id} has ended already.", "There is nothing to cancel.")
    console.show({"run": run_id}, as_json=as_json, text="It stops after the batch in flight.")


def _audited(services: Services, connector: Connector) -> Any:
    def audit(session: Session, run: Run) -> None:
        diff = {"state": [run.kind, "cancelled"]}
        console.record(services, session, connector, AuditAction.SYNC_CANCELLED, f"run {run.id}", diff)

    return audit


@click.command(name="records")
@console.connector_argument
@filter_options(RecordQuery)
@console.as_json
def list_records(connector_id: int, as_json: bool, **typed: Any) -> None:
    """List records, newest first; go on with --before and the last id."""
    with console.opened() as services:
        zone = console.zone(services, connector_id)
        query = asked(RecordQuery, typed, zone.key, connector_ids=(connector_id,))
        with services.db.read() as session:
            page = record_queries.read_page(session, query)
        rows = [
            {name: getattr(each, name) for name in _RECORDS if name != "status"}
            | {"status": record_statuses.status_of(each).label}
            for each in page.records
        ]
    text = f"{console.table(rows, _RECORDS, zone)}\n{counted(page.figures.found.number, 'record')}."
    console.show(rows, as_json=as_json, text=text)


COMMANDS: tuple[click.Command, ...] = (list_runs, show_run, cancel, list_records)
