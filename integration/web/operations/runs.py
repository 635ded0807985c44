"""Runs: the list, one run with its lines, cancel and resume."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from integration.errors import IntegrationError
from integration.models.audit import AuditAction
from integration.models.connector import Connector
from integration.models.run import Run
from integration.models.user import Role
from integration.pipeline.audited import Audit
from integration.pipeline.dry_run import forecast
from integration.pipeline.runs import lifecycle as run_lifecycle, options as run_options, progress as run_progress
from integration.queries import run_records, runs as querie_runs
from integration.queries.run_records import EntityQuery
from integration.queries.runs import RunLineQuery, RunQuery
from integration.web.frame import filters
from integration.web.frame.access import connector_view, me, needs, record
from integration.web.frame.services import services

bp = Blueprint("runs", __name__, url_prefix="/connectors/<int:connector_id>/runs")
KINDS = querie_runs.KINDS
PHASES = {
    "ledger": "adding up earlier orders",
    "customers": "reading customers",
    "orders": "reading orders",
    "changes": "reading changed orders",
    "trash": "reading trashed orders",
    "moved": "reading changed customers",
    "replay": "taking dead letters",
    "deliver": "sending to Mautic",
    "buyers": "comparing people who ordered without an account",
    "links": "looking for contacts whose person the store has no more",
    "strangers": "looking for other contacts with our fields",
}


@bp.get("")
@connector_view
def index(connector: Connector) -> ResponseReturnValue:
    """List the runs that fit the address, newest first."""
    with services().db.read() as session:
        query, notices = RunQuery.parse(connector.id, request.args, filters.zone_of(connector).key)
        found, older = querie_runs.read_list(session, query)
        total = querie_runs.count(session, query)
        summary = querie_runs.summary(session, connector.id, services().clock.now())
    older_url = url_for("runs.index", connector_id=connector.id, **query.args(before=older)) if older else None
    return render_template(
        "operations/runs/index.html",
        connector=connector,
        runs=found,
        query=query,
        notices=notices,
        older_url=older_url,
        total=total,
        summary=summary,
        kinds=KINDS,
        states=querie_runs.STATES,
        may_run=me().may(Role.SUPPORT),
    )


@bp.get("/<int:run_id>")
@connector_view
def show(connector: Connector, run_id: int) -> ResponseReturnValue:
    """Show one run with its newest lines; a page that follows it asks for the lines behind `after` only."""
    query, notices = RunLineQuery.parse(request.args)
    following = bool(request.headers.get("HX-Request"))
    with services().db.read() as session:
        run = _run_or_404(session, connector.id, run_id)
        if following:
            lines = querie_runs.new_lines(session, run_id, query.after, query)
        else:
            lines = querie_runs.page_of_lines(session, run_id, query)
        values = _state(session, connector, run)
    return render_template(
        "operations/runs/_live.html" if following else "operations/runs/show.html",
        connector=connector,
        run=run,
        lines=lines,
        query=query,
        notices=notices,
        levels=querie_runs.LEVELS,
        **values,
    )


_SOME = 10


def _state(session: Session, connector: Connector, run: Run) -> dict[str, Any]:
    """Return what a page that follows a run shows besides its lines."""
    progress = run_progress.progress(session, run.id, services().clock.now())
    some, _ = run_records.entities(session, run, EntityQuery(), _SOME)
    return {
        "progress": progress,
        "nothing_sent": querie_runs.nothing_sent(run, progress.waiting),
        "options": run_options.described(run.options),
        "entities": some,
        "forecast": run.cursor.get("forecast"),
        "touched": forecast.fields_of(run),
        "calls": forecast.calls_of(run, services().modules(connector).sync.batch_start),
        "seconds": forecast.seconds_of(session, run) if run.options.get("dry_run") else None,
        "kinds": KINDS,
        "phases": PHASES,
        "statuses": run_records.STATUSES,
        "may_run": me().may(Role.SUPPORT),
        "may_resume": run_lifecycle.may_resume(run),
    }


@bp.get("/<int:run_id>/records")
@connector_view
def entities(connector: Connector, run_id: int) -> ResponseReturnValue:
    """Show the records of a run, each with its operation and status, and their totals (C10)."""
    query, notices = EntityQuery.parse(request.args)
    with services().db.read() as session:
        run = _run_or_404(session, connector.id, run_id)
        found, older = run_records.entities(session, run, query)
        totals = run_records.totals(session, run)
    return render_template(
        "operations/runs/entities.html",
        connector=connector,
        run=run,
        entities=found,
        older=older,
        totals=totals,
        query=query,
        notices=notices,
        kinds=KINDS,
        statuses=run_records.STATUSES,
    )


@bp.post("/<int:run_id>/cancel")
@needs(Role.SUPPORT)
@connector_view
def cancel(connector: Connector, run_id: int) -> ResponseReturnValue:
    """Ask the run to stop after the batch in flight."""
    with services().db.read() as session:
        _run_or_404(session, connector.id, run_id)
    run_lifecycle.cancel(services(), run_id, audit=_audit(AuditAction.SYNC_CANCELLED, connector))
    flash("The run stops after the batch that is on its way. What was sent stays.", "ok")
    return redirect(url_for("runs.show", connector_id=connector.id, run_id=run_id))


@bp.post("/<int:run_id>/resume")
@needs(Role.SUPPORT)
@connector_view
def resume(connector: Connector, run_id: int) -> ResponseReturnValue:
    """Let an ended run go on."""
    with services().db.read() as session:
        _run_or_404(session, connector.id, run_id)
    try:
        run_lifecycle.resume(services(), run_id, audit=_audit(AuditAction.SYNC_TRIGGERED, connector))
    except IntegrationError as error:
        flash(str(error), "bad")
    else:
        flash("The run goes on.", "ok")
    return redirect(url_for("runs.show", connector_id=connector.id, run_id=run_id))


def _audit(action: AuditAction, connector: Connector) -> Audit[Run]:
    return lambda session, run: record(session, action, f"run {run.id}", {}, connector)


def _run_or_404(session: Session, connector_id: int, run_id: int) -> Run:
    run = session.get(Run, run_id)
    if run is None or run.connector_id != connector_id:
        abort(404)
    return run
