"""Runs: the list, one run with its lines, cancel and resume."""

from __future__ import annotations

from collections.abc import Callable

from flask import Blueprint
from flask import abort
from flask import flash
from flask import redirect
from flask import render_template
from flask import request
from flask import url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from integration.errors import IntegrationError
from integration.models.audit import AuditAction
from integration.models.run import Run
from integration.models.run import RunState
from integration.models.user import Role
from integration.pipeline import forecast
from integration.pipeline import runpages
from integration.pipeline import runs
from integration.pipeline.ports import Ports
from integration.pipeline.runpages import RunQuery
from integration.web import filters
from integration.web.access import connector_or_404
from integration.web.access import me
from integration.web.access import needs
from integration.web.access import record
from integration.web.wiring import ports

bp = Blueprint("runs", __name__, url_prefix="/connectors/<int:connector_id>/runs")
KINDS = runpages.KINDS
BADGES = {
    RunState.PENDING: ("Waiting", "muted"),
    RunState.RUNNING: ("In progress", "info"),
    RunState.COMPLETED: ("Completed", "ok"),
    RunState.FAILED: ("Failed", "bad"),
    RunState.CANCELLED: ("Cancelled", "muted"),
}
PHASES = {
    "ledger": "adding up earlier orders",
    "customers": "reading customers",
    "orders": "reading orders",
    "changes": "reading changed orders",
    "trash": "reading trashed orders",
    "moved": "reading changed customers",
    "replay": "taking dead letters",
    "deliver": "sending to Mautic",
}


@bp.get("")
def index(connector_id: int) -> ResponseReturnValue:
    """List the runs that fit the address, newest first."""
    with ports().db.read() as session:
        connector = connector_or_404(session, connector_id)
        query, notices = RunQuery.parse(connector_id, request.args, filters.zone_of(connector).key)
        found, older = runpages.read_list(session, query)
        summary = runpages.summary(session, connector_id, ports().clock.now())
    older_url = url_for("runs.index", connector_id=connector_id, **query.args(before=older)) if older else None
    return render_template(
        "runs/index.html",
        connector=connector,
        runs=found,
        query=query,
        notices=notices,
        older_url=older_url,
        summary=summary,
        kinds=KINDS,
        states=runpages.STATES,
        badges=BADGES,
        may_run=me().may(Role.SUPPORT),
    )


@bp.get("/<int:run_id>")
def show(connector_id: int, run_id: int) -> ResponseReturnValue:
    """Show one run with its newest lines; a page that follows it asks for the lines behind `after` only."""
    level = request.args.get("level", "info")
    level = level if level in runpages.LEVELS else "info"
    after, before = _number("after"), _number("before")
    following = bool(request.headers.get("HX-Request"))
    with ports().db.read() as session:
        connector = connector_or_404(session, connector_id)
        _run_or_404(session, connector_id, run_id)
        now = ports().clock.now()
        progress = runs.progress(session, run_id, now)
        if following:
            lines = runpages.new_lines(session, run_id, after, level)
        else:
            lines = runpages.page_of_lines(session, run_id, before, level)
        some, _ = runpages.entities(session, run_id, limit=_SOME)
        seconds = forecast.seconds_of(session, progress.run) if progress.run.options.get("dry_run") else None
    return render_template(
        "runs/_live.html" if following else "runs/show.html",
        connector=connector,
        run=progress.run,
        progress=progress,
        lines=lines,
        level=level,
        levels=runpages.LEVELS,
        before=before,
        entities=some,
        forecast=progress.run.cursor.get("forecast"),
        calls=forecast.calls_of(progress.run, ports().modules(connector).sync.batch_start),
        seconds=seconds,
        kinds=KINDS,
        badges=BADGES,
        phases=PHASES,
        may_run=me().may(Role.SUPPORT),
    )


_SOME = 10


def _number(name: str) -> int:
    text = request.args.get(name, "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else 0


@bp.get("/<int:run_id>/records")
def entities(connector_id: int, run_id: int) -> ResponseReturnValue:
    """Show the records of a run, each with its operation and status (C10)."""
    with ports().db.read() as session:
        connector = connector_or_404(session, connector_id)
        run = _run_or_404(session, connector_id, run_id)
        found, older = runpages.entities(session, run_id, _number("before"))
    older_url = url_for("runs.entities", connector_id=connector_id, run_id=run_id, before=older) if older else None
    return render_template(
        "runs/entities.html", connector=connector, run=run, entities=found, older_url=older_url, kinds=KINDS
    )


@bp.post("/<int:run_id>/cancel")
@needs(Role.SUPPORT)
def cancel(connector_id: int, run_id: int) -> ResponseReturnValue:
    """Ask the run to stop after the batch in flight."""
    done = "The run stops after the batch that is on its way. What was sent stays."
    return _act(connector_id, run_id, runs.cancel, AuditAction.SYNC_CANCELLED, done)


@bp.post("/<int:run_id>/resume")
@needs(Role.SUPPORT)
def resume(connector_id: int, run_id: int) -> ResponseReturnValue:
    """Let an ended run go on."""
    return _act(connector_id, run_id, runs.resume, AuditAction.SYNC_TRIGGERED, "The run goes on.")


def _act(
    connector_id: int, run_id: int, act: Callable[[Ports, int], None], action: AuditAction, done: str
) -> ResponseReturnValue:
    with ports().db.read() as session:
        connector = connector_or_404(session, connector_id)
        _run_or_404(session, connector_id, run_id)
    try:
        act(ports(), run_id)
    except IntegrationError as error:
        flash(str(error), "bad")
    else:
        with ports().db.write() as session:
            record(session, action, f"run {run_id}", {}, connector)
        flash(done, "ok")
    return redirect(url_for("runs.show", connector_id=connector_id, run_id=run_id))


def _run_or_404(session: Session, connector_id: int, run_id: int) -> Run:
    run = session.get(Run, run_id)
    if run is None or run.connector_id != connector_id:
        abort(404)
    return run
