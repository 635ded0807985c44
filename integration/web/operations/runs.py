"""Runs: the list, one run with its lines, cancel and resume."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from integration.errors import NotNow
from integration.models.audit import AuditAction
from integration.models.connector import Connector
from integration.models.run import Run
from integration.models.sql import COUNTED_ROWS_MAX
from integration.models.user import Role
from integration.pipeline.audited import Audit
from integration.pipeline.dry_run import forecast
from integration.pipeline.runs import (
    cancelling,
    lifecycle as run_lifecycle,
    options as run_options,
    progress as run_progress,
    resumption,
)
from integration.queries import run_records, runs as querie_runs
from integration.queries.run_records import EntityQuery
from integration.queries.runs import RunLineQuery, RunQuery
from integration.web.frame import filters, live
from integration.web.frame.access import connector_view, me, needs, record, row_view
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
    "drafts": "reading unfinished orders",
    "recurring": "reading the store's subscriptions",
    "recurring_changes": "reading changed subscriptions",
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
        waiting = querie_runs.waiting_of(session, found)
        total = querie_runs.count(session, query)
        summary = querie_runs.summary(session, connector.id, services().clock.now())
    older_url = url_for("runs.index", connector_id=connector.id, **query.args(before=older)) if older else None
    return render_template(
        "operations/runs/index.html",
        connector=connector,
        runs=found,
        waiting=waiting,
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
@row_view(Run, "run_id")
def show(connector: Connector, run: Run) -> ResponseReturnValue:
    """Show one run with its newest lines; a page that follows it asks for the lines behind `after` only."""
    query, notices = RunLineQuery.parse(request.args)
    following = live.is_part()
    with services().db.read() as session:
        # A page stops following when the progress says so, so the run beside it must not be an older one.
        run = session.get_one(Run, run.id)
        if following:
            lines = querie_runs.new_lines(session, run.id, query.after, query)
        else:
            lines = querie_runs.page_of_lines(session, run.id, query)
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
        "seconds": forecast.seconds_of(session, run) if run.is_dry else None,
        "kinds": KINDS,
        "phases": PHASES,
        "statuses": run_records.STATUSES,
        "may_run": me().may(Role.SUPPORT),
        "may_pause": run_lifecycle.may_pause(run),
        "may_resume": resumption.may_resume(run),
    }


@bp.get("/<int:run_id>/records")
@row_view(Run, "run_id")
def entities(connector: Connector, run: Run) -> ResponseReturnValue:
    """Show the records of a run, each with its operation and status, and their totals (C10)."""
    query, notices = EntityQuery.parse(request.args)
    with services().db.read() as session:
        found, older = run_records.entities(session, run, query)
        totals = run_records.totals(session, run)
    return render_template(
        "operations/runs/entities.html",
        connector=connector,
        run=run,
        entities=found,
        older=older,
        totals=totals,
        counted_max=COUNTED_ROWS_MAX,
        query=query,
        notices=notices,
        kinds=KINDS,
        statuses=run_records.STATUSES,
    )


@bp.post("/<int:run_id>/cancel")
@needs(Role.SUPPORT)
@row_view(Run, "run_id")
def cancel(connector: Connector, run: Run) -> ResponseReturnValue:
    """Ask the run to stop after the batch in flight."""
    flash(*cancelled(cancelling.cancel(services(), run.id, audit=_audit(AuditAction.SYNC_CANCELLED, connector))))
    return redirect(url_for("runs.show", connector_id=connector.id, run_id=run.id))


@bp.post("/<int:run_id>/pause")
@needs(Role.SUPPORT)
@row_view(Run, "run_id")
def pause(connector: Connector, run: Run) -> ResponseReturnValue:
    """Ask the run to rest where it stands."""
    try:
        run_lifecycle.pause(services(), run.id, audit=_audit(AuditAction.SYNC_PAUSED, connector))
    except NotNow as error:
        flash(str(error), "warn")
    else:
        flash("The run rests after the page that is being read. What it has read is still sent.", "ok")
    return redirect(url_for("runs.show", connector_id=connector.id, run_id=run.id))


@bp.post("/<int:run_id>/resume")
@needs(Role.SUPPORT)
@row_view(Run, "run_id")
def resume(connector: Connector, run: Run) -> ResponseReturnValue:
    """Let an ended run go on."""
    going = run.id
    try:
        going = resumption.resume(services(), run.id, audit=_audit(AuditAction.SYNC_TRIGGERED, connector))
    except NotNow as error:
        flash(str(error), "warn")
    else:
        flash(*_resumed(run.id, going))
    return redirect(url_for("runs.show", connector_id=connector.id, run_id=going))


def _resumed(run_id: int, going: int) -> tuple[str, str]:
    if going != run_id:
        return f"Run {run_id} had no place to go on from, so this run does the same from the beginning.", "ok"
    return "The run goes on.", "ok"


def cancelled(was_going: bool) -> tuple[str, str]:
    """Return what to say of a run that was to be cancelled, and how."""
    if not was_going:
        return "Nothing was cancelled: the run has ended already.", "warn"
    return "The run stops after the batch that is on its way. What was sent stays.", "ok"


def _audit(action: AuditAction, connector: Connector) -> Audit[Run]:
    return lambda session, run: record(session, action, f"run {run.id}", {}, connector)
