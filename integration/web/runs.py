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
from sqlalchemy import select
from sqlalchemy.orm import Session

from integration.errors import IntegrationError
from integration.models.audit import AuditAction
from integration.models.run import Run
from integration.models.run import RunState
from integration.models.user import Role
from integration.pipeline import runs
from integration.pipeline.ports import Ports
from integration.web.access import connector_or_404
from integration.web.access import me
from integration.web.access import needs
from integration.web.access import record
from integration.web.wiring import ports

bp = Blueprint("runs", __name__, url_prefix="/connectors/<int:connector_id>/runs")
SHOWN = 50
KINDS = {
    "initial": "Initial import",
    "full": "Full sync",
    "incremental": "Incremental",
    "bulk": "Bulk",
    "replay": "Replay",
}
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
    "deliver": "sending to Mautic",
}


@bp.get("")
def index(connector_id: int) -> ResponseReturnValue:
    """List the newest runs."""
    before = request.args.get("before", "")
    with ports().db.read() as session:
        connector = connector_or_404(session, connector_id)
        query = select(Run).where(Run.connector_id == connector_id).order_by(Run.id.desc()).limit(SHOWN + 1)
        if before.isascii() and before.isdigit():
            query = query.where(Run.id < int(before[:18]))
        found = session.scalars(query).all()
    more = found[SHOWN - 1].id if len(found) > SHOWN else None
    return render_template(
        "runs/index.html", connector=connector, runs=found[:SHOWN], more=more, kinds=KINDS, badges=BADGES
    )


@bp.get("/<int:run_id>")
def show(connector_id: int, run_id: int) -> ResponseReturnValue:
    """Show one run with its newest lines; htmx asks for the part that changes."""
    with ports().db.read() as session:
        connector = connector_or_404(session, connector_id)
        _run_or_404(session, connector_id, run_id)
        progress = runs.progress(session, run_id, ports().clock.now())
        lines = runs.lines(session, run_id)
    part = "runs/_live.html" if request.headers.get("HX-Request") else "runs/show.html"
    return render_template(
        part,
        connector=connector,
        run=progress.run,
        progress=progress,
        lines=lines,
        kinds=KINDS,
        badges=BADGES,
        phases=PHASES,
        may_run=me().may(Role.SUPPORT),
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
