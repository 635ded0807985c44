"""Retention of the sync log.

Its counts stand for the entries that are not cleared (id > connector.log_cleared_id). Clearing takes the cleared
entries out of them at once, here their rows follow; an entry that goes for its age is counted down with it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Row, and_, delete, func, select, update
from sqlalchemy.orm import Session

from integration.models.connector import Connector
from integration.models.database import Database, lock_connector
from integration.models.sql import hour_of
from integration.models.sync_log import SyncLogCount, SyncLogEntry
from integration.operations.retention.batches import Batches

_HOUR = timedelta(hours=1)
#: Nothing is written into hours that are longer ago, so they may be counted anew.
_QUIET = timedelta(hours=2)
COUNTED = (SyncLogEntry.connector_id, SyncLogEntry.at, SyncLogEntry.type, SyncLogEntry.action, SyncLogEntry.status)


def purge_cleared(db: Database, work: Batches, now: datetime) -> int:
    """Delete what was cleared and return the number of entries."""
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


def purge_aged(work: Batches, connector: int, before: datetime, *, errors: bool) -> int:
    """Delete a connector's errors, or all else, from before a moment and return the number of entries."""
    status = SyncLogEntry.status == "error" if errors else SyncLogEntry.status != "error"
    old = and_(SyncLogEntry.connector_id == connector, SyncLogEntry.at < before, status)
    by = (SyncLogEntry.at, "ix_sync_log_at")
    return work.delete(SyncLogEntry, old, by=by, returning=COUNTED, then=count_down)


def count_down(session: Session, rows: Sequence[Row[Any]]) -> None:
    """Take entries that were deleted out of the counts of their hours; the rows have the columns COUNTED."""
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
