"""Whether a connector is well (D7): told by how fresh things are, not by the last call having been fine."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import exists, func, select
from sqlalchemy.orm import Session

from integration.models.connector import Connector, ConnectorState
from integration.models.delivery import Delivery
from integration.models.hold import Hold
from integration.models.run import Run, RunKind, RunState
from integration.models.schedule import Schedule
from integration.pipeline import outbox, usage
from integration.pipeline.connectors import holds
from integration.pipeline.outbox.states import LEASED, OPEN, READY, owned
from integration.settings import Modules

#: Work of shoppers that waits longer than this is late; imports may take their time.
LATE = timedelta(minutes=10)
#: Whatever waits, imports too, moves on within this time: else nothing is confirmed, whatever the last call said.
STALLED = timedelta(minutes=3)
#: So many periods without a successful read are too many, and never less than a quarter of an hour.
PERIODS = 3
LEAST = timedelta(minutes=15)
#: A share of failures that is no accident any more, from so many records on.
FAILING_SHARE, FAILING_LEAST = 0.1, 10


@dataclass(frozen=True, slots=True)
class Verdict:
    """How a connector fares: `kind` is that of a badge, `lag_seconds` the age of the oldest live work that waits."""

    code: str
    label: str
    kind: str
    sentence: str
    hint: str = ""
    since: datetime | None = None
    next_probe: datetime | None = None
    lag_seconds: int = 0


def verdict(session: Session, now: datetime, connector: Connector, *, ready: bool = True) -> Verdict:
    """Return the verdict; `ready` says whether both systems are connected. Only small indexes are read."""
    if not ready or not (connector.store_url and connector.mautic_url):
        return Verdict(
            "not_set_up", "Not set up", "muted", "The store or Mautic is not connected yet.", "Connect both."
        )
    lag = lag_of(session, now, connector.id)
    if connector.state == ConnectorState.PAUSED:
        return _paused(session, connector, lag)
    if found := holds.open_holds(session, connector.id):
        return _held(found, lag)
    return _failing(session, now, connector, lag) or _delayed(session, now, connector, lag) or _on_time(lag)


def lag_of(session: Session, now: datetime, connector_id: int) -> int:
    """Return how many seconds the oldest live or polled delivery has been waiting, 0 when none waits."""
    query = select(func.min(Delivery.created_at)).where(owned(connector_id), OPEN, Delivery.priority < 2)
    oldest = session.scalar(query)
    return max(int((now - oldest).total_seconds()), 0) if oldest else 0


def stalled(session: Session, now: datetime, connector_id: int) -> int:
    """Return how many people's records are due for more than STALLED while nothing was confirmed; 0 while it moves."""
    due = (owned(connector_id), READY | LEASED, Delivery.due_at <= now - STALLED)
    waiting = session.scalar(select(func.count()).select_from(Delivery).where(*due)) or 0
    if not waiting:
        return 0
    # The plus keeps SQLite on the index of settled_at, whose rows since then are few.
    moved = exists().where(Delivery.settled_at > now - STALLED, owned(connector_id))
    return 0 if session.scalar(select(moved)) else waiting


def _paused(session: Session, connector: Connector, lag: int) -> Verdict:
    waiting = outbox.open_count(session, connector_id=connector.id)
    sentence = f"The connector is paused; {waiting:,} records wait." if waiting else "The connector is paused."
    hint = "Webhooks are accepted and wait, runs by hand work. Resume it to send what waits."
    return Verdict("paused", "Paused", "warn", sentence, hint, lag_seconds=lag)


def _held(found: Sequence[Hold], lag: int) -> Verdict:
    first = found[0]
    what = "Sending to Mautic" if first.service == "mautic" else "Reading the store"
    sentence = f"{what} is on hold: {first.sentence}"
    return Verdict("held", "Held", "bad", sentence, first.hint, first.since, first.probe_at, lag)


def _failing(session: Session, now: datetime, connector: Connector, lag: int) -> Verdict | None:
    day = usage.since(session, connector.id, now - timedelta(hours=24))
    ended = day.pushed + day.failed
    if ended >= FAILING_LEAST and day.failed / ended >= FAILING_SHARE:
        sentence = f"{day.failed:,} of {ended:,} records failed in the last 24 hours."
        return Verdict("failing", "Failing", "bad", sentence, "The dead letters name the causes.", lag_seconds=lag)
    newest = _newest(session, connector.id)
    if newest is not None and newest.state == RunState.FAILED:
        return Verdict(
            "failing", "Failing", "bad", f"The last run failed: {newest.error}", "", newest.ended_at, None, lag
        )
    if newest is not None and sent_nothing(newest):
        sentence = f"The last run read {newest.pulled:,} records and sent none."
        return Verdict("failing", "Failing", "bad", sentence, "Look at what Contact Sync and Order Sync let through.")
    return None


def sent_nothing(run: Run) -> bool:
    """Return whether a run read records and nothing became of any of them: a green tick would be a lie."""
    done = run.pushed or run.skipped or run.failed
    return run.state == RunState.COMPLETED and bool(run.accepted) and not done and run.kind != RunKind.INCREMENTAL


def _newest(session: Session, connector_id: int) -> Run | None:
    ended = Run.state.in_([RunState.COMPLETED, RunState.FAILED])
    query = select(Run).where(Run.connector_id == connector_id, ended, Run.kind != RunKind.REPLAY)
    return session.scalar(query.order_by(Run.id.desc()).limit(1))


def _delayed(session: Session, now: datetime, connector: Connector, lag: int) -> Verdict | None:
    if lag > LATE.total_seconds():
        minutes = lag // 60
        sentence = f"What shoppers did {minutes:,} minutes ago has not reached Mautic yet."
        return Verdict("delayed", "Delayed", "warn", sentence, "Look at the runs and at the worker.", lag_seconds=lag)
    if waiting := stalled(session, now, connector.id):
        minutes = int(STALLED.total_seconds()) // 60
        sentence = (
            f"Mautic has confirmed nothing for {minutes} minutes and more, while {waiting:,} people's records wait."
        )
        return Verdict(
            "delayed", "Delayed", "warn", sentence, "Look at the worker and at Mautic's load.", lag_seconds=lag
        )
    period = _period(session, connector)
    last = last_read(session, connector.id)
    begun = max(filter(None, (last, connector.created_at)))
    if period and now - begun > max(period * PERIODS, LEAST):
        sentence = "The store has not been read for longer than its schedule allows."
        return Verdict("delayed", "Delayed", "warn", sentence, "Look at the runs and at the worker.", last, None, lag)
    return None


def _period(session: Session, connector: Connector) -> timedelta | None:
    """Return how often the store is to be read, None when it is not, or by a crontab whose rhythm nobody can know."""
    sync = Modules.from_json(connector.settings).sync
    if sync.cron:
        row = session.get(Schedule, (connector.id, "incremental"))
        return timedelta(days=1) if row is not None else None
    return timedelta(seconds=sync.every) if sync.every else None


def last_read(session: Session, connector_id: int) -> datetime | None:
    """Return when a run that reads the store last ended well."""
    query = select(Run.ended_at).where(
        Run.connector_id == connector_id, Run.state == RunState.COMPLETED, Run.kind != RunKind.REPLAY
    )
    return session.scalar(query.order_by(Run.id.desc()).limit(1))


def _on_time(lag: int) -> Verdict:
    return Verdict("on_time", "On time", "ok", "Changes reach Mautic in time.", lag_seconds=lag)
