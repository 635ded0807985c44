"""Reads runs: how far one is, the figures it ends with, the newest one, and lines."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from integration.models.run import GOING, Run, RunKind, RunLine, RunState
from integration.pipeline import outbox


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a run is. `rate` in records a second, `seconds_left` from it; None while they cannot be told.

    `waiting` counts its records that wait now, `later` those of them that are tried again at a later time. `left` is
    what waits as a figure of the run: of one that has ended, how many waited then.
    """

    run: Run
    done: int
    expected: int | None
    waiting: int
    rate: float | None
    seconds_left: int | None
    going: bool
    summary: dict[str, Any]
    later: int = 0
    left: int = 0

    @property
    def ending(self) -> bool:
        """Tell whether it is being cancelled: nothing new is read or sent, and how long it would take says nothing."""
        return self.run.is_being_cancelled

    @property
    def phase(self) -> str:
        """Return what it does now, "" where it does nothing new."""
        return self.run.phase if self.going and not self.ending else ""


def progress(session: Session, run_id: int, now: datetime) -> Progress:
    """Return how far a run is; raises LookupError for an unknown one."""
    run = session.get(Run, run_id)
    if run is None:
        raise LookupError(f"there is no run {run_id}")
    waiting = outbox.open_count(session, run_id=run_id)
    later = outbox.later_count(session, now, run_id)
    done = done_of(run)
    expected = _expected(run, done)
    seconds = _at_work_s(run, now)
    rate = done / seconds if done and seconds > 1 else None
    going = run.state in GOING or run.is_being_cancelled
    left = int((expected - done) / rate) if going and not run.is_being_cancelled and rate and expected else None
    told = summary(run, seconds) | {"waiting": waiting if run.ended_at is None else run.waiting}
    return Progress(run, done, expected, waiting, rate, left, going, told, later, told["waiting"])


def _at_work_s(run: Run, now: datetime) -> float:
    """Return the seconds that somebody has worked on the run: those that it lay say nothing of its speed."""
    rests_since = run.pause_asked_at if run.state == RunState.PAUSED else None
    end = run.ended_at or rests_since or now
    return max((end - run.started_at).total_seconds() - run.rested_s, 0.0) if run.started_at else 0.0


def summary(run: Run, seconds: float) -> dict[str, Any]:
    """Return the figures a run ends with, ready for JSON."""
    names = ("state", "kind", "pulled", "pushed", "skipped", "failed", "waiting", "already", "calls")
    return {"run": run.id} | {name: getattr(run, name) for name in names} | {"seconds": round(seconds, 1)}


def _expected(run: Run, done: int) -> int | None:
    """Return how many records there will be as far as is known; how many people there are to compare is not."""
    if run.kind == RunKind.RECONCILIATION:
        return run.expected
    return max(run.expected or 0, run.accepted, done) or None


def done_of(run: Run) -> int:
    """Return how many records are dealt with; a reconciliation has dealt with whom it looked at."""
    return run.pulled if run.kind == RunKind.RECONCILIATION else run.pushed + run.skipped + run.failed


def latest(session: Session, connector_id: int, kind: str | None = None) -> Run | None:
    """Return the newest run of a connector, of one kind if given, else one that sends to Mautic."""
    wanted = Run.kind == kind if kind else Run.kind != RunKind.RECONCILIATION
    return session.scalar(select(Run).where(Run.connector_id == connector_id, wanted).order_by(Run.id.desc()).limit(1))


def lines(session: Session, run_id: int, after_id: int = 0, limit: int = 500) -> Sequence[RunLine]:
    """Return the newest `limit` lines after a given one, in their order."""
    query = select(RunLine).where(RunLine.run_id == run_id, RunLine.id > after_id)
    return list(reversed(session.scalars(query.order_by(RunLine.id.desc()).limit(limit)).all()))
