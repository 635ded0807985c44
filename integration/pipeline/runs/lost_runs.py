"""Runs whose process is gone: found by their leases, and ended, or left to another process."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from integration.errors import IntegrationError
from integration.models.database import lock_connector
from integration.models.run import Run, RunKind, RunState, among_going
from integration.pipeline.leases.tokens import IsLost, alive, is_at_work, is_lost
from integration.pipeline.runs import lifecycle

PROCESS_GONE = IntegrationError(
    "process_gone",
    "The process that did this run ended without a word: it was killed, or the machine restarted.",
    "Resume the run; it goes on where it stood, and what was sent is not sent again.",
)
#: The process may live: another one can only tell that it does not keep the run any more.
LEASE_LOST = IntegrationError(
    "lease_lost",
    "The process that did this run was not heard of any more: its machine is gone, or it cannot reach the database.",
    "Resume the run; it goes on where it stood, and what was sent is not sent again.",
)
#: A run that goes on by itself after the death of its process is given up after so many of them in a row.
LOST_MAX = 5


def close(session: Session, now: datetime, gone: IsLost = is_lost) -> list[int]:
    """End the runs whose process is gone, and return their ids; `gone` tells which leases are lost.

    They end FAILED, to be resumed by a person. A reconciliation, which sends nothing, goes on by itself.
    """
    for connector_id in sorted({run.connector_id for run in found(session, now, gone)}):
        lock_connector(session, connector_id)
    query = _leased().with_for_update(skip_locked=True).execution_options(populate_existing=True)
    runs = [run for run in session.scalars(query) if _is_lost(run, now, gone)]
    return [run.id for run in runs if _has_ended(session, now, run)]


def found(session: Session, now: datetime, gone: IsLost = is_lost) -> list[Run]:
    """Return the runs whose process is gone."""
    return [run for run in session.scalars(_leased()) if _is_lost(run, now, gone)]


def _leased() -> Select[tuple[Run]]:
    return among_going(select(Run)).where(Run.lease_token.is_not(None))


def _has_ended(session: Session, now: datetime, run: Run) -> bool:
    """End a lost run, or let it rest or go on; tell whether it has ended."""
    cause = LEASE_LOST if alive(run.lease_token or "") else PROCESS_GONE
    if run.cancel_asked_at is not None:
        lifecycle.finish(session, now, run, RunState.CANCELLED)
    elif run.pause_asked_at is not None:
        lifecycle.rest(session, now, run)
        return False
    elif run.kind == RunKind.RECONCILIATION and run.tries < LOST_MAX:
        run.lease_token, run.leased_until, run.tries = None, None, run.tries + 1
        lifecycle.add_line(session, now, run.id, f"{cause.sentence} Another process goes on with it.", "warning")
        return False
    else:
        lifecycle.finish(session, now, run, RunState.FAILED, cause)
    return True


def _is_lost(run: Run, now: datetime, gone: IsLost) -> bool:
    if is_at_work(run.lease_token or ""):
        return False
    return gone(run.lease_token or "", run.leased_until, now)
