"""Writes the sync log: one entry per action that was tried, counted by the hour in the same transaction."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import datetime

from sqlalchemy import insert
from sqlalchemy.orm import Session

from integration.masking import mask_text
from integration.models import counting
from integration.models.sql import hour_of, table_of
from integration.models.sync_log import SyncLogCount, SyncLogEntry

SUCCESS = "success"
ERROR = "error"
#: The taking away of tags, which is part of the contact's write and no call of its own (P84).
REMOVE_TAG = "remove_tag"
_INSERT = insert(table_of(SyncLogEntry))


@dataclass(frozen=True, slots=True)
class Entry:
    """An action that was tried, in the words of the log's columns (P81 to P85)."""

    connector_id: int
    at: datetime
    type: str
    object_id: str
    action: str
    status: str = SUCCESS
    message: str = ""
    contact_id: int | None = None
    source_id: str = ""
    person_key: str = ""
    delivery_id: int | None = None
    run_id: int | None = None


_COLUMNS = tuple(each.name for each in fields(Entry))


def record(session: Session, entries: Sequence[Entry]) -> None:
    """Write the entries and raise their hourly counts; the caller commits."""
    if not entries:
        return
    masked = {message: mask_text(message)[:2000] for message in {entry.message for entry in entries}}
    rows = [{name: getattr(entry, name) for name in _COLUMNS} | {"message": masked[entry.message]} for entry in entries]
    session.connection().execute(_INSERT, rows)
    counts = Counter((e.connector_id, hour_of(e.at), e.type, e.action, e.status) for e in entries)
    add_counts(session, counts)


def add_counts(session: Session, counts: Counter[tuple[int, datetime, str, str, str]]) -> None:
    """Add to the hourly counts keyed (connector, hour, type, action, status)."""
    names = ("connector_id", "hour", "type", "action", "status")
    rows = [dict(zip(names, key, strict=True)) | {"entries": number} for key, number in sorted(counts.items())]
    counting.add(session, SyncLogCount, rows, ("entries",))
