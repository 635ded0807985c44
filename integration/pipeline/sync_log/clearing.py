"""Clears the sync log: a watermark moves at once, the rows are purged after by the retention."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import Session

from integration.models.connector import Connector
from integration.models.sql import by_index, hour_of
from integration.models.sync_log import SyncLogCount, SyncLogEntry
from integration.pipeline.audited import Audit, unaudited
from integration.pipeline.services import Services
from integration.pipeline.sync_log.counts import total

_KIND = ("type", "action", "status")


@dataclass(frozen=True, slots=True)
class Clearing:
    """What would go: so many entries, the newest of which has the id `upto`, 0 where nothing would."""

    entries: int
    upto: int


def preview(session: Session, now: datetime, connector_id: int, older_than_days: int | None = None) -> Clearing:
    """Return what clearing everything, or what is older than so many days to the whole hour, would hide now."""
    cutoff = _cutoff(now, older_than_days)
    last = _last(session, connector_id, cutoff)
    counted = select(func.coalesce(func.sum(SyncLogCount.entries), 0)).where(SyncLogCount.connector_id == connector_id)
    number = session.scalar(counted if cutoff is None else counted.where(SyncLogCount.hour < cutoff))
    return Clearing(int(number or 0), last.id if last else 0)


def clear(
    services: Services,
    connector_id: int,
    *,
    older_than_days: int | None = None,
    upto: int | None = None,
    audit: Audit[int] = unaudited,
) -> int:
    """Hide all entries, or those older than so many days to the whole hour, for good; return how many.

    Entries behind the id `upto`, which came after somebody was asked, stay. New entries keep coming; nothing in the
    store or in Mautic is touched. `audit` gets how many were hidden.
    """
    cutoff = _cutoff(services.clock.now(), older_than_days)
    with services.db.write() as session:
        before = total(session, connector_id)
        connector = session.get_one(Connector, connector_id)
        last = _last(session, connector_id, cutoff, upto)
        if last is not None and last.id > connector.log_cleared_id:
            _uncount(session, connector, last)
            connector.log_cleared_id = last.id
        session.flush()
        cleared = before - total(session, connector_id)
        audit(session, cleared)
    return cleared


def _cutoff(now: datetime, days: int | None) -> datetime | None:
    return None if days is None else hour_of(now - timedelta(days=days))


def _last(session: Session, connector_id: int, cutoff: datetime | None, upto: int | None = None) -> SyncLogEntry | None:
    """Return the newest entry before a moment and up to an id."""
    query = select(SyncLogEntry).where(SyncLogEntry.connector_id == connector_id)
    if upto is not None:
        query = query.where(SyncLogEntry.id <= upto)
    if cutoff is None:
        return session.scalar(query.order_by(SyncLogEntry.id.desc()).limit(1))
    older = query.where(SyncLogEntry.at < cutoff)
    return session.scalar(older.order_by(SyncLogEntry.at.desc(), SyncLogEntry.id.desc()).limit(1))


def _uncount(session: Session, connector: Connector, last: SyncLogEntry) -> None:
    """Take the entries up to one from the hourly counts: whole hours before its own, and its part of that hour."""
    hour, mine = hour_of(last.at), SyncLogCount.connector_id == connector.id
    columns = [getattr(SyncLogEntry, name) for name in _KIND]
    part = select(*columns, func.count().label("number")).where(
        SyncLogEntry.connector_id == connector.id,
        SyncLogEntry.at >= hour,
        SyncLogEntry.at < hour + timedelta(hours=1),
        SyncLogEntry.id > connector.log_cleared_id,
        SyncLogEntry.id <= last.id,
    )
    # By the hour's entries, not by all up to the last one.
    of_hour = by_index(part.group_by(*columns), SyncLogEntry, "ix_sync_log_at")
    for row in session.execute(of_hour).all():
        same = [getattr(SyncLogCount, name) == getattr(row, name) for name in _KIND]
        fewer = update(SyncLogCount).where(mine, SyncLogCount.hour == hour, *same)
        session.execute(fewer.values(entries=SyncLogCount.entries - row.number))
    session.execute(delete(SyncLogCount).where(mine, SyncLogCount.hour < hour))
    session.execute(delete(SyncLogCount).where(mine, SyncLogCount.hour == hour, SyncLogCount.entries <= 0))
