"""Clears the sync log: a watermark moves at once, the rows are purged after by the retention."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from integration.models.connector import Connector
from integration.models.sql import hour_of
from integration.models.sync_log import SyncLogCount, SyncLogEntry
from integration.pipeline.audited import Audit, unaudited
from integration.pipeline.services import Services
from integration.pipeline.sync_log.counts import total


def clear(
    services: Services, connector_id: int, *, older_than_days: int | None = None, audit: Audit[int] = unaudited
) -> int:
    """Hide all entries, or those older than so many days to the whole hour, for good; return how many.

    New entries keep coming; nothing in the store or in Mautic is touched. `audit` gets how many were hidden.
    """
    cutoff = _cutoff(services.clock.now(), older_than_days)
    with services.db.write() as session:
        before = total(session, connector_id)
        connector = session.get_one(Connector, connector_id)
        connector.log_cleared_id = max(connector.log_cleared_id, _watermark(session, connector_id, cutoff))
        gone = delete(SyncLogCount).where(SyncLogCount.connector_id == connector_id)
        session.execute(gone if cutoff is None else gone.where(SyncLogCount.hour < cutoff))
        session.flush()
        cleared = before - total(session, connector_id)
        audit(session, cleared)
    return cleared


def count(session: Session, now: datetime, connector_id: int, *, older_than_days: int | None = None) -> int:
    """Return how many entries `clear` would hide now."""
    cutoff, counts = _cutoff(now, older_than_days), SyncLogCount
    hidden = select(func.coalesce(func.sum(counts.entries), 0)).where(counts.connector_id == connector_id)
    return session.scalar(hidden if cutoff is None else hidden.where(counts.hour < cutoff)) or 0


def _cutoff(now: datetime, older_than_days: int | None) -> datetime | None:
    return None if older_than_days is None else hour_of(now - timedelta(days=older_than_days))


def _watermark(session: Session, connector_id: int, cutoff: datetime | None) -> int:
    if cutoff is None:
        newest = select(func.max(SyncLogEntry.id)).where(SyncLogEntry.connector_id == connector_id)
        return session.scalar(newest) or 0
    older = select(SyncLogEntry.id).where(SyncLogEntry.connector_id == connector_id, SyncLogEntry.at < cutoff)
    return session.scalar(older.order_by(SyncLogEntry.at.desc(), SyncLogEntry.id.desc()).limit(1)) or 0
