"""Resuming an ended run: it goes on where it stood, or a new run does the same from the beginning."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from integration.errors import NotNow
from integration.models.connector import Connector
from integration.models.run import Run, RunKind, RunState
from integration.pipeline import outbox
from integration.pipeline.audited import Audit, unaudited
from integration.pipeline.connectors import fingerprint
from integration.pipeline.runs import giving_up, lifecycle
from integration.pipeline.runs.locked_run import locked
from integration.pipeline.services import Services
from integration.store.completeness import SHORT_LIST

_RESUMABLE = (RunState.FAILED, RunState.CANCELLED, RunState.PAUSED)


class CannotResume(NotNow):
    """The run has not ended or has ended well, has nothing to go on from, or is still being cancelled."""


def _has_nothing_left() -> CannotResume:
    return CannotResume("not_ended", "The run is going, or it has ended well.", "There is nothing to resume.")


def _forgotten() -> CannotResume:
    sentence = "This reconciliation cannot go on: whom it had met is forgotten."
    return CannotResume("cannot_resume", sentence, "Start a new one on the Reconciliation page.")


def _is_being_cancelled() -> CannotResume:
    return CannotResume("being_cancelled", "The run is being cancelled.", "Resume it once it has ended.")


def resume(services: Services, run_id: int, *, audit: Audit[Run] = unaudited) -> int:
    """Let an ended or paused run go on where it stood; return the id of the one that goes on.

    Where it cannot go on from there (see _begins_again) a new run does the same from the beginning; unchanged records
    cost nothing. Raises RunGoing when another run of the connector is going, and CannotResume for a run that is going
    itself, has ended well or is being cancelled, and for a reconciliation whose people met are forgotten. Raises
    fingerprint.ReadOnly where the connector is read-only and the run would send.
    """
    now = services.clock.now()
    with services.db.write() as session:
        ended = locked(session, run_id)
        if ended is None or ended.state not in _RESUMABLE:
            raise _has_nothing_left()
        if ended.is_being_cancelled:
            raise _is_being_cancelled()
        if not may_resume(ended):
            raise _forgotten()
        fingerprint.check_run(session.get_one(Connector, ended.connector_id), ended)
        ended.rested_s += _lain(ended, now)
        run = _again(session, now, ended) if _begins_again(session, ended) else _go_on(session, now, ended)
        services.on_accept(session, run.connector_id)
        audit(session, run)
    services.wakeup.ring(run.connector_id)
    return run.id


def _lain(run: Run, now: datetime) -> int:
    """Return how many seconds the run has lain: they say nothing of its speed."""
    since = run.ended_at or run.pause_asked_at
    return max(int((now - since).total_seconds()), 0) if since and run.started_at else 0


def _begins_again(session: Session, run: Run) -> bool:
    """Tell whether an ended run has no place to go on from: its list was short, or what it gave up is gone.

    A replay that was cancelled begins again too: what it had not sent became dead letters again.
    """
    if run.error_code == SHORT_LIST:
        return True
    if giving_up.GIVEN_UP not in run.cursor:
        return run.state == RunState.CANCELLED
    return run.kind == RunKind.REPLAY or not giving_up.is_all_there(session, run)


def _again(session: Session, now: datetime, ended: Run) -> Run:
    if ended.ended_at is None:
        lifecycle.finish(session, now, ended, RunState.FAILED, giving_up.GONE)
    run = Run(connector_id=ended.connector_id, kind=ended.kind, options=dict(ended.options), trigger=ended.trigger)
    run.state, run.created_at = RunState.PENDING, now
    session.add(run)
    lifecycle.store_alone(session, run.connector_id, RunKind(run.kind))
    lifecycle.add_line(session, now, run.id, f"It does again what run {ended.id} did not end.")
    lifecycle.add_line(session, now, ended.id, f"Run {run.id} does it again, from the beginning.")
    return run


def _go_on(session: Session, now: datetime, run: Run) -> Run:
    outbox.reopen_figures(session, run)
    _make_pending(run)
    lifecycle.store_alone(session, run.connector_id, RunKind(run.kind))
    lifecycle.add_line(session, now, run.id, "The run goes on.")
    return run


def _make_pending(run: Run) -> None:
    run.state, run.cancel_asked_at, run.ended_at = RunState.PENDING, None, None
    run.error, run.error_code, run.lease_token = "", "", None
    run.due_at, run.tries, run.pause_asked_at = None, 0, None


def may_resume(run: Run) -> bool:
    """Tell whether a paused or ended run can go on, or begin again: a cancelled reconciliation does neither."""
    if run.state == RunState.PAUSED:
        return not run.is_being_cancelled
    if run.state == RunState.CANCELLED:
        return run.kind != RunKind.RECONCILIATION
    return run.state == RunState.FAILED and not run.cursor.get(lifecycle.FORGOTTEN)
