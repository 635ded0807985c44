"""Writes the sync log: one entry per action that was tried, counted by the hour in the same transaction."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, case, insert
from sqlalchemy.orm import Session

from integration.masking import mask_text
from integration.models import counting
from integration.models.delivery import Delivery
from integration.models.membership import among
from integration.models.record_stamp import RecordStamp
from integration.models.sql import alike, copying, hour_of, table_of
from integration.models.sync_log import SyncLogCount, SyncLogEntry

SUCCESS = "success"
ERROR = "error"
#: The taking away of tags, which is part of the contact's write and no call of its own (P84).
REMOVE_TAG = "remove_tag"
#: Characters of a message that are kept.
MESSAGE_MAX = 2000
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
#: What tells the entry of a known record from others.
_BY_DELIVERY: Mapping[str, Any] = {
    "object_id": case((Delivery.number != "", Delivery.number), else_=Delivery.source_id),
    "source_id": Delivery.source_id,
    "person_key": Delivery.person_key,
    "contact_id": Delivery.contact_id,
    "delivery_id": Delivery.id,
    "message": RecordStamp.message,
}
_COPYING = copying(
    SyncLogEntry,
    _COLUMNS,
    _BY_DELIVERY,
    among(Delivery.id, bindparam("delivery_ids")),
    RecordStamp.connector_id == Delivery.connector_id,
    RecordStamp.kind == Delivery.kind,
    RecordStamp.source_id == Delivery.source_id,
)


def record(session: Session, entries: Sequence[Entry]) -> None:
    """Write the entries and raise their hourly counts; the caller commits."""
    if not entries:
        return
    masked = {message: said(message) for message in {entry.message for entry in entries}}
    rows = [{name: getattr(entry, name) for name in _COLUMNS} | {"message": masked[entry.message]} for entry in entries]
    session.connection().execute(_INSERT, rows)
    add_counts(session, Counter(map(_counted, entries)))


def said(message: str) -> str:
    """Return a message as it may be kept: without secrets, and not endless."""
    return mask_text(message)[:MESSAGE_MAX]


def record_known(session: Session, each: Entry, delivery_ids: Sequence[int]) -> None:
    """Write an entry for each of these deliveries of known records, and count them; the caller commits.

    `each` is what is the same of all, the rest is copied from the deliveries and from the stamps of their records.
    """
    row = {name: getattr(each, name) for name in _COLUMNS}
    session.connection().execute(_COPYING, {**alike(row), "delivery_ids": delivery_ids})
    add_counts(session, Counter({_counted(each): len(delivery_ids)}))


def _counted(each: Entry) -> tuple[int, datetime, str, str, str]:
    return each.connector_id, hour_of(each.at), each.type, each.action, each.status


def add_counts(session: Session, counts: Counter[tuple[int, datetime, str, str, str]]) -> None:
    """Add to the hourly counts keyed (connector, hour, type, action, status)."""
    names = ("connector_id", "hour", "type", "action", "status")
    rows = [dict(zip(names, key, strict=True)) | {"entries": number} for key, number in sorted(counts.items())]
    counting.add(session, SyncLogCount, rows, ("entries",))
