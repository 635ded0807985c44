"""Runs: started, leased, followed and ended."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import literal_column, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from integration.errors import IntegrationError
from integration.masking import mask_text
from integration.models.database import lock_connector
from integration.models.run import Run, RunKind, RunLine, RunState
from integration.models.sql import swapped
from integration.pipeline import outbox
from integration.pipeline.leases.tokens import alive, is_at_work
from integration.pipeline.services import Services
from integration.store.completeness import SHORT_LIST

#: Renewed every few seconds: the sweep closes a run within a minute of the death of its process.
LEASE = timedelta(seconds=40)
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
_GOING = Run.state.in_([literal_column("'PENDING'"), literal_column("'RUNNING'")])


class RunGoing(IntegrationError):
    """Another run of the connector is going."""

    def __init__(self, run_id: int | None) -> None:
        super().__init__(
            "run_going", "A run of this connector is going already.", "Wait until it has ended, or cancel it first."
        )
        self.run_id = run_id


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a run is. `rate` in records a second, `seconds_left` from it; None while they cannot be told.

    `later` counts the records of `waiting` that are tried again at a later time.
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


def start(
    services: Services,
    connector_id: int,
    kind: RunKind | str,
    *,
    trigger: str,
    options: Mapping[str, Any] | None = None,
) -> int:
    """Ask for a run and return its id; a worker begins it at once. Raises RunGoing when one is going."""
    run = Run(
        connector_id=connector_id,
        kind=RunKind(kind),
        state=RunState.PENDING,
        trigger=trigger,
        options=dict(options or {}),
        correlation_id=str(uuid.uuid4()),
        created_at=services.clock.now(),
    )
    try:
        with services.db.write() as session:
            session.add(run)
            session.flush()
            services.on_accept(session, connector_id)
    except IntegrityError:
        same = Run.kind == RunKind.REPLAY if run.kind == RunKind.REPLAY else Run.kind != RunKind.REPLAY
        going = select(Run.id).where(Run.connector_id == connector_id, _GOING, same)
        with services.db.read() as session:
            raise RunGoing(session.scalar(going)) from None
    services.wakeup.ring(connector_id)
    return run.id


def cancel(services: Services, run_id: int) -> None:
    """Ask a run to stop after the batch in flight; what was sent stays. A run nobody works on ends at once."""
    now = services.clock.now()
    with services.db.write() as session:
        run = session.get(Run, run_id)
        if run is None or run.state not in (RunState.PENDING, RunState.RUNNING):
            return
        lock_connector(session, run.connector_id)
        run.cancel_asked_at = now
        if run.lease_token is None:
            finish(session, now, run, RunState.CANCELLED)
    services.wakeup.ring(run.connector_id)


def resume(services: Services, run_id: int) -> None:
    """Let an ended run go on where it stood; one that was cancelled or read a list that was short begins again.

    Unchanged records cost nothing. Raises RunGoing when another run of the connector is going.
    """
    try:
        with services.db.write() as session:
            run = session.get(Run, run_id)
            if run is None or run.state not in (RunState.FAILED, RunState.CANCELLED):
                return
            if run.state == RunState.CANCELLED or run.error_code == SHORT_LIST:
                run.cursor, run.phase = {}, ""
            run.state, run.cancel_asked_at, run.ended_at = RunState.PENDING, None, None
            run.error, run.error_code, run.lease_token = "", "", None
            add_line(session, services.clock.now(), run.id, "The run goes on.")
            session.flush()
            services.on_accept(session, run.connector_id)
    except IntegrityError:
        raise RunGoing(None) from None
    services.wakeup.ring(run.connector_id)


def take(session: Session, now: datetime, token: str, connector_id: int | None = None) -> Run | None:
    """Lease one run that nobody works on; None when there is nothing to do."""
    query = select(Run).where(_GOING, Run.lease_token.is_(None)).order_by(Run.id).with_for_update(skip_locked=True)
    if connector_id is not None:
        query = query.where(Run.connector_id == connector_id)
    run = session.scalars(query.limit(1)).first()
    if run is not None:
        run.lease_token, run.leased_until = token, now + LEASE
        run.state, run.started_at = RunState.RUNNING, run.started_at or now
    return run


def close_lost(session: Session, now: datetime) -> list[int]:
    """End the runs whose process is gone as FAILED, to be resumed by a person, and return their ids."""
    query = select(Run).where(_GOING, Run.lease_token.is_not(None)).with_for_update(skip_locked=True)
    lost = [run for run in session.scalars(query) if _is_lost(run, now)]
    for run in lost:
        if run.cancel_asked_at is not None:
            finish(session, now, run, RunState.CANCELLED)
        else:
            gone = not alive(run.lease_token or "")
            finish(session, now, run, RunState.FAILED, PROCESS_GONE if gone else LEASE_LOST)
    return [run.id for run in lost]


def _is_lost(run: Run, now: datetime) -> bool:
    if is_at_work(run.lease_token or ""):
        return False
    return run.leased_until is None or run.leased_until < now or not alive(run.lease_token or "")


def renew(session: Session, now: datetime, run_id: int, token: str) -> bool:
    """Prolong a run's lease while something slow is waited for; False when it is lost."""
    kept = swapped(
        session, update(Run).where(Run.id == run_id, Run.lease_token == token).values(leased_until=now + LEASE)
    )
    return bool(kept)


def keep(session: Session, now: datetime, run: Run, token: str) -> Run | None:
    """Prolong the lease and return the run as it is now; None when it is no longer ours.

    The connector is locked before the row, as settle does it: the other way round the two would wait for each other.
    """
    lock_connector(session, run.connector_id)
    found = session.get(Run, run.id, with_for_update=True)
    if found is None or found.lease_token != token:
        return None
    found.leased_until = now + LEASE
    return found


def give_back(session: Session, run: Run, token: str) -> None:
    """Let another process take a run up that this one has to leave."""
    session.execute(update(Run).where(Run.id == run.id, Run.lease_token == token).values(lease_token=None))


def finish(session: Session, now: datetime, run: Run, state: RunState, error: IntegrationError | None = None) -> None:
    """End a run; a cancelled one gives up what it still had waiting."""
    given_up = outbox.discard(session, now, run.connector_id, run_id=run.id) if state is RunState.CANCELLED else 0
    run.state, run.ended_at, run.lease_token, run.leased_until = state, now, None, None
    if error is not None:
        run.error_code, run.error = error.code, mask_text(str(error))
        add_line(session, now, run.id, f"Stopped: {error}", "error")
    if state is RunState.CANCELLED:
        add_line(session, now, run.id, f"Cancelled; {given_up} waiting records were not sent. What was sent stays.")
    if state is RunState.COMPLETED:
        add_line(session, now, run.id, "Completed.")


def add_line(session: Session, now: datetime, run_id: int, text: str, level: str = "info") -> None:
    """Write one line of the run's log."""
    session.add(RunLine(run_id=run_id, at=now, level=level, text=mask_text(text)[:2000]))


def count(session: Session, outcomes: Sequence[outbox.Outcome], calls: int) -> None:
    """Raise the counters of the runs that the settled deliveries belong to; `calls` go to the first of them."""
    sums: dict[int, dict[str, int]] = {}
    for outcome in outcomes:
        if outcome.run_id is not None and outcome.state is not None:
            column = _COLUMN.get(outcome.state, "failed")
            numbers = sums.setdefault(outcome.run_id, {"pushed": 0, "skipped": 0, "failed": 0})
            numbers[column] += 1
    for place, (run_id, numbers) in enumerate(sorted(sums.items())):
        values: dict[str, Any] = {name: getattr(Run, name) + number for name, number in numbers.items() if number}
        if place == 0 and calls:
            values["calls"] = Run.calls + calls
        session.execute(
            update(Run).where(Run.id == run_id).values(**values).execution_options(synchronize_session=False)
        )


_COLUMN = {
    outbox.DeliveryState.DELIVERED: "pushed",
    outbox.DeliveryState.SKIPPED: "skipped",
    outbox.DeliveryState.DISCARDED: "skipped",
    outbox.DeliveryState.CONFLICT: "skipped",
}


def progress(session: Session, run_id: int, now: datetime) -> Progress:
    """Return how far a run is; raises LookupError for an unknown one."""
    run = session.get(Run, run_id)
    if run is None:
        raise LookupError(f"there is no run {run_id}")
    waiting = outbox.open_count(session, run_id=run_id)
    later = outbox.later_count(session, now, run_id)
    done = run.pushed + run.skipped + run.failed
    expected = max(run.expected or 0, run.accepted, done) or None
    seconds = ((run.ended_at or now) - run.started_at).total_seconds() if run.started_at else 0.0
    rate = done / seconds if done and seconds > 1 else None
    going = run.state in (RunState.PENDING, RunState.RUNNING)
    left = int((expected - done) / rate) if going and rate and expected else None
    return Progress(run, done, expected, waiting, rate, left, going, summary(run, seconds), later)


def summary(run: Run, seconds: float) -> dict[str, Any]:
    """Return the figures a run ends with, ready for JSON."""
    names = ("state", "kind", "pulled", "pushed", "skipped", "failed", "calls")
    return {"run": run.id} | {name: getattr(run, name) for name in names} | {"seconds": round(seconds, 1)}


def latest(session: Session, connector_id: int, kind: str | None = None) -> Run | None:
    """Return the newest run of a connector, of one kind if given."""
    query = select(Run).where(Run.connector_id == connector_id).order_by(Run.id.desc()).limit(1)
    return session.scalar(query.where(Run.kind == kind) if kind else query)


def lines(session: Session, run_id: int, after_id: int = 0, limit: int = 500) -> Sequence[RunLine]:
    """Return the newest `limit` lines after a given one, in their order."""
    query = select(RunLine).where(RunLine.run_id == run_id, RunLine.id > after_id)
    return list(reversed(session.scalars(query.order_by(RunLine.id.desc()).limit(limit)).all()))
