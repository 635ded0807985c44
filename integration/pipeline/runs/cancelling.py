"""Asking a run to stop: whoever works on it ends it, or whoever asks, or a job of the clock."""

from __future__ import annotations

from contextlib import suppress

from sqlalchemy import select
from sqlalchemy.orm import Session

from integration.models.run import GOING, Run, RunKind, RunState, among_paused
from integration.pipeline import outbox
from integration.pipeline.audited import Audit, unaudited
from integration.pipeline.runs import giving_up, lifecycle
from integration.pipeline.runs.locked_run import locked
from integration.pipeline.services import Services


def cancel(services: Services, run_id: int, *, audit: Audit[Run] = unaudited) -> bool:
    """Ask a run to stop after the batch in flight and return whether it had not ended; what was sent stays.

    A run nobody works on, such as a paused one, ends at once, unless so much of it waits that whoever asks would wait
    for it: then a worker ends it, or, beside another run of its connector, `end_paused`. It is audited once.
    """
    with services.db.write() as session:
        run = locked(session, run_id)
        if run is None or run.state not in (*GOING, RunState.PAUSED):
            return False
        if run.cancel_asked_at is None:
            run.cancel_asked_at = services.clock.now()
            audit(session, run)
        is_free = run.lease_token is None
    if is_free:
        _end_cancelled(services, run_id)
    services.wakeup.ring(run.connector_id)
    return True


def _end_cancelled(services: Services, run_id: int) -> None:
    """End a run that is to be cancelled and that nobody works on; whoever has taken it meanwhile ends it themselves."""
    with services.db.write() as session:
        run = giving_up.asked(session, run_id)
        if run is None or run.lease_token is not None:
            return
        if outbox.open_count(session, run_id=run.id) <= giving_up.PART:
            lifecycle.finish(session, services.clock.now(), run, RunState.CANCELLED)
        elif run.state == RunState.PAUSED:
            _leave_to_a_worker(session, run)


def _leave_to_a_worker(session: Session, run: Run) -> None:
    """Let a worker take up a paused run that is to be cancelled; it stays paused where another run goes."""
    run.state = RunState.PENDING
    with suppress(lifecycle.RunGoing):
        lifecycle.store_alone(session, run.connector_id, RunKind(run.kind))


def end_paused(services: Services) -> None:
    """End the paused runs that are to be cancelled and that no worker could take, for another run goes or went.

    Done by the clock, in every process that works: those that do it at once share the parts.
    """
    asked = among_paused(select(Run.id)).where(Run.cancel_asked_at.is_not(None))
    with services.db.read() as session:
        found = session.scalars(asked).all()
    for run_id in found:
        giving_up.by_parts(services.db, services.clock, run_id)
        with services.db.write() as session:
            run = giving_up.asked(session, run_id)
            if run is None or run.lease_token is not None or outbox.is_any_free(session, run.connector_id, run_id):
                continue
            lifecycle.finish(session, services.clock.now(), run, RunState.CANCELLED)
