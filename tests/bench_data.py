"""Large sync logs, written in bulk."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import func, insert, select

from integration.models.database import Database
from integration.models.sync_log import SyncLogCount, SyncLogEntry

_ACTIONS = ("create_or_update", "create_note", "skip", "add_to_segment")


def fill_log(db: Database, connector_id: int, rows: int, newest: datetime, *, minutes: int = 60 * 24 * 80) -> None:
    """Write `rows` entries spread evenly over `minutes` before `newest`, with their counts; every 50th is an error."""
    step = timedelta(minutes=minutes) / max(rows, 1)
    with db.write() as session:
        for start in range(0, rows, 20_000):
            batch = range(start, min(start + 20_000, rows))
            session.execute(insert(SyncLogEntry), [_row(connector_id, n, newest - step * (rows - n)) for n in batch])
        _count(session, db, connector_id)


def _row(connector_id: int, number: int, at: datetime) -> dict[str, object]:
    return {
        "connector_id": connector_id,
        "at": at,
        "type": "order" if number % 3 else "contact",
        "object_id": str(number // 4),
        "source_id": str(number // 4),
        "action": _ACTIONS[number % 4],
        "status": "error" if number % 50 == 0 else "success",
        "contact_id": number // 5 + 1,
        "message": f"Contact updated; entry {number}.",
        "person_key": f"{number // 5:032x}",
    }


def _count(session: object, db: Database, connector_id: int) -> None:
    hour = (
        func.strftime("%Y-%m-%d %H:00:00.000000", SyncLogEntry.at)
        if db.sqlite
        else func.date_trunc("hour", SyncLogEntry.at)
    )
    counted = (
        select(
            SyncLogEntry.connector_id,
            hour.label("hour"),
            SyncLogEntry.type,
            SyncLogEntry.action,
            SyncLogEntry.status,
            func.count(),
        )
        .where(SyncLogEntry.connector_id == connector_id)
        .group_by(SyncLogEntry.connector_id, "hour", SyncLogEntry.type, SyncLogEntry.action, SyncLogEntry.status)
    )
    names = ["connector_id", "hour", "type", "action", "status", "entries"]
    session.execute(insert(SyncLogCount).from_select(names, counted))  # type: ignore[attr-defined]  # a Session
