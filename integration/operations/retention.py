"""Retention: old rows leave in small batches, so that nobody waits for the writer's lock.

The counts of the sync log stand for the entries that are not cleared (id > connector.log_cleared_id). Clearing takes
the cleared entries out of them at once, here their rows follow; an entry that goes for its age is counted down with it.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from datetime import timedelta
from typing import TYPE_CHECKING
from typing import Any

from sqlalchemy import ColumnElement
from sqlalchemy import Row
from sqlalchemy import and_
from sqlalchemy import delete
from sqlalchemy import exists
from sqlalchemy import func
from sqlalchemy import select
from sqlalchemy import update
from sqlalchemy.orm import Session

from integration.models.connector import Connector
from integration.models.database import Database
from integration.models.database import lock_connector
from integration.models.delivery import OPEN
from integration.models.delivery import Delivery
from integration.models.delivery import DeliveryState
from integration.models.run import Run
from integration.models.run import RunLine
from integration.models.run import RunState
from integration.models.schedule import Heartbeat
from integration.models.sync_log import SyncLogCount
from integration.models.sync_log import SyncLogEntry
from integration.operations import audit

if TYPE_CHECKING:
    from integration.pipeline.ports import Ports

BATCH = 1000
_HOUR = timedelta(hours=1)
#: Nothing is written into hours that are longer ago, so they may be counted anew.
_QUIET = timedelta(hours=2)
_SETTLED = (DeliveryState.DELIVERED, DeliveryState.SKIPPED, DeliveryState.CONFLICT, DeliveryState.DISCARDED)
_ENDED = (RunState.COMPLETED, RunState.FAILED, RunState.CANCELLED)
_COUNTED = (SyncLogEntry.connector_id, SyncLogEntry.at, SyncLogEntry.type, SyncLogEntry.action, SyncLogEntry.status)


@dataclass(frozen=True, slots=True)
class Keep:
    """For how many days rows are kept."""

    success: int = 90
    errors: int = 180
    deliveries: int = 90
    runs: int = 90
    audit: int = 730
    heartbeats: int = 1


def prune(
    ports: Ports,
    now: datetime,
    *,
    keep: Keep | None = None,
    batch: int = BATCH,
    pause: Callable[[], None] = lambda: time.sleep(0.01),
) -> dict[str, int]:
    """Delete what is older than `keep` and return how many rows of each kind went; dead letters and open work stay."""
    keep = keep or Keep()
    work = Batches(ports.db, batch, pause)
    return {
        "cleared": _cleared(ports.db, work, now),
        "success": _aged(ports.db, work, now - timedelta(days=keep.success), SyncLogEntry.status != "error"),
        "errors": _aged(ports.db, work, now - timedelta(days=keep.errors), SyncLogEntry.status == "error"),
        "deliveries": _deliveries(work, now - timedelta(days=keep.deliveries)),
        "runs": _runs(ports.db, work, now - timedelta(days=keep.runs)),
        "audit": audit.retire(ports.db, now - timedelta(days=keep.audit), now, batch=batch, pause=pause),
        "heartbeats": work.delete(Heartbeat, Heartbeat.beat_at < now - timedelta(days=keep.heartbeats), Heartbeat.name),
    }


class Batches:
    """Deletes rows a batch at a time, each in a short write transaction, and pauses between them."""

    def __init__(self, db: Database, size: int, pause: Callable[[], None]) -> None:
        self._db = db
        self._size = size
        self._pause = pause

    def delete(
        self,
        table: type[Any],
        where: ColumnElement[bool],
        key: Any = None,
        *,
        returning: Sequence[Any] = (),
        then: Callable[[Session, Sequence[Row[Any]]], None] | None = None,
    ) -> int:
        """Delete the table's rows that match and return their number; `then` sees each batch in its transaction."""
        key = table.id if key is None else key
        gone = 0
        while True:
            with self._db.write() as session:
                chosen = select(key).where(where).order_by(key).limit(self._size)
                statement = delete(table).where(key.in_(chosen)).returning(key, *returning)
                rows = session.execute(statement, execution_options={"synchronize_session": False}).all()
                if then and rows:
                    then(session, rows)
            gone += len(rows)
            if len(rows) < self._size:
                return gone
            self._pause()


def _cleared(db: Database, work: Batches, now: datetime) -> int:
    with db.read() as session:
        marks = session.execute(
            select(Connector.id, Connector.log_cleared_id).where(Connector.log_cleared_id > 0)
        ).all()
    gone = 0
    for connector, mark in marks:
        purged = work.delete(SyncLogEntry, and_(SyncLogEntry.connector_id == connector, SyncLogEntry.id <= mark))
        if purged:
            _true_up(db, connector, hour_of(now - _QUIET))
        gone += purged
    return gone


def _true_up(db: Database, connector: int, quiet: datetime) -> None:
    """Make the counts of hours before `quiet` agree with what is left: none before the first entry, its own exact."""
    with db.write() as session:
        lock_connector(session, connector)
        first = session.scalar(select(func.min(SyncLogEntry.at)).where(SyncLogEntry.connector_id == connector))
        edge = quiet if first is None else min(hour_of(first), quiet)
        mine = SyncLogCount.connector_id == connector
        session.execute(delete(SyncLogCount).where(mine, SyncLogCount.hour < edge))
        if edge < quiet:
            session.execute(delete(SyncLogCount).where(mine, SyncLogCount.hour == edge))
            session.add_all(_counted(session, connector, edge))


def _counted(session: Session, connector: int, hour: datetime) -> list[SyncLogCount]:
    groups = (SyncLogEntry.type, SyncLogEntry.action, SyncLogEntry.status)
    within = and_(SyncLogEntry.connector_id == connector, SyncLogEntry.at >= hour, SyncLogEntry.at < hour + _HOUR)
    rows = session.execute(select(*groups, func.count().label("entries")).where(within).group_by(*groups))
    return [SyncLogCount(connector_id=connector, hour=hour, **row._mapping) for row in rows]


def _aged(db: Database, work: Batches, before: datetime, status: ColumnElement[bool]) -> int:
    # A connector at a time: the index begins with the connector.
    with db.read() as session:
        connectors = session.scalars(select(Connector.id)).all()
    return sum(
        work.delete(
            SyncLogEntry,
            and_(SyncLogEntry.connector_id == connector, SyncLogEntry.at < before, status),
            returning=_COUNTED,
            then=_count_down,
        )
        for connector in connectors
    )


def _count_down(session: Session, rows: Sequence[Row[Any]]) -> None:
    gone = Counter((row.connector_id, hour_of(row.at), row.type, row.action, row.status) for row in rows)
    for (connector, hour, kind, action, status), number in sorted(gone.items()):
        same = and_(
            SyncLogCount.connector_id == connector,
            SyncLogCount.hour == hour,
            SyncLogCount.type == kind,
            SyncLogCount.action == action,
            SyncLogCount.status == status,
        )
        session.execute(update(SyncLogCount).where(same).values(entries=SyncLogCount.entries - number))
        session.execute(delete(SyncLogCount).where(same, SyncLogCount.entries <= 0))


def hour_of(at: datetime) -> datetime:
    """Return the start of the hour that the counts of the sync log are kept by."""
    return at.replace(minute=0, second=0, microsecond=0)


def _deliveries(work: Batches, before: datetime) -> int:
    return work.delete(Delivery, and_(Delivery.settled_at < before, Delivery.state.in_(_SETTLED)))


def _runs(db: Database, work: Batches, before: datetime) -> int:
    owed = exists().where(Delivery.run_id == Run.id, Delivery.state.in_(OPEN))
    old = and_(Run.state.in_(_ENDED), Run.ended_at < before, ~owed)
    with db.read() as session:
        ids = session.scalars(select(Run.id).where(old)).all()
    for run_id in ids:
        # Lines first: the cascade would take a long run's lines in one transaction.
        work.delete(RunLine, RunLine.run_id == run_id)
    return work.delete(Run, old)
