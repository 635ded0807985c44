"""Reads pages of the sync log: counted by the hourly counts, sought by them when deep."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Select, bindparam, func, literal_column, or_, select
from sqlalchemy.orm import Session

from integration.identity import person_key_of
from integration.models.connector import Connector
from integration.models.database import Database
from integration.models.delivery import Delivery
from integration.models.membership import among
from integration.models.sql import Total, by_index, counted_page, counted_upto, hour_of
from integration.models.sync_log import SyncLogCount, SyncLogEntry
from integration.pipeline.sync_log.writing import ERROR, SUCCESS
from integration.queries.sync_log_filters import SKIP, SKIPPED, LogQuery
from integration.streams.base import WRITE

#: A text is looked for in so many of the newest entries.
SEARCHED = 10_000
#: A page this near is reached by counting off rows; a deeper one by the hourly counts.
NEAR = 2_000
HOUR = timedelta(hours=1)
#: Made once: each page asks.
_CLEARED = select(Connector.log_cleared_id).where(Connector.id == bindparam("connector_id"))
_OF_IDS = select(SyncLogEntry).where(among(SyncLogEntry.id, bindparam("ids"))).order_by(SyncLogEntry.id.desc())
_KEPT = select(Delivery.id).where(among(Delivery.id, bindparam("ids")))


@dataclass
class LogPage:
    """One page of entries, newest first, and how many there are on all pages."""

    entries: Sequence[SyncLogEntry]
    total: Total
    page: int
    pages: int
    notices: list[str] = field(default_factory=list)


def read_page(session: Session, query: LogQuery) -> LogPage:
    """Return the page that a query asks for, the last one when it asks for more."""
    if query.text:
        return _read_found(session, query)
    conditions = _conditions(session, query)
    total = _count(session, query, conditions)
    pages, page = _place(query, total)
    # What is not there would be looked for to the end.
    entries = _entries(session, query, conditions, (page - 1) * query.size, total.number) if total.number else ()
    return LogPage(entries, total, page, pages)


def _place(query: LogQuery, total: Total) -> tuple[int, int]:
    """Return how many pages there are and which of them is meant."""
    pages = max(1, -(-total.number // query.size))
    return pages, min(query.page, pages)


def _read_found(session: Session, query: LogQuery) -> LogPage:
    """Return the page of those entries in which a text is found; they are looked through once."""
    begin = (query.page - 1) * query.size
    total, ids = counted_page(session, _found(session, query), query.size, SEARCHED, offset=begin)
    pages, page = _place(query, total)
    notice = f"The text was looked for in the newest {SEARCHED:,} entries that fit the other filters."
    return LogPage(_of_ids(session, ids), total, page, pages, [notice])


def _found(session: Session, query: LogQuery) -> Select[Any]:
    """Return what selects the ids of those of the newest entries in which a text is found."""
    newest = _sought(query, _conditions(session, query)).add_columns(SyncLogEntry.message, SyncLogEntry.object_id)
    looked_at = newest.order_by(SyncLogEntry.id.desc()).limit(SEARCHED).subquery()
    return select(looked_at.c.id).where(_contains(looked_at.c, query.text))


def first_contact(session: Session, connector_id: int) -> SyncLogEntry | None:
    """Return the entry of the first contact that was written to Mautic, None while there is none."""
    written = (SyncLogEntry.action == WRITE, SyncLogEntry.status == SUCCESS, SyncLogEntry.contact_id.is_not(None))
    query = select(SyncLogEntry).where(*_visible(session, connector_id), *written)
    return session.scalar(query.order_by(SyncLogEntry.id).limit(1))


def kept_records(session: Session, entries: Sequence[SyncLogEntry]) -> frozenset[int]:
    """Return the ids of the records of some entries that are kept still: the log may be kept longer."""
    named = [entry.delivery_id for entry in entries if entry.delivery_id is not None]
    return frozenset(session.scalars(_KEPT, {"ids": named})) if named else frozenset()


def _visible(session: Session, connector_id: int) -> list[ColumnElement[bool]]:
    cleared = session.scalar(_CLEARED, {"connector_id": connector_id}) or 0
    return [SyncLogEntry.connector_id == connector_id, SyncLogEntry.id > cleared]


def _conditions(session: Session, query: LogQuery) -> list[ColumnElement[bool]]:
    mine, *lowest = _visible(session, query.connector_id)
    found = [mine, *_of_kind(query, SyncLogEntry)]
    if query.object:
        found.append(SyncLogEntry.object_id == query.object)
    if query.contact:
        found.append(_contact(query.contact))
    if query.begin:
        lowest.append(_beyond(session, query, query.begin, True))
    if query.end:
        found.append(_beyond(session, query, query.end, False))
    return [*found, *lowest]


def _of_kind(query: LogQuery, rows: type[SyncLogEntry] | type[SyncLogCount]) -> list[ColumnElement[bool]]:
    """Return the conditions that entries and their counts share; what was skipped is stored as a success."""
    found: list[ColumnElement[bool]] = []
    if query.type:
        found.append(rows.type == query.type)
    if query.action:
        found.append(rows.action == query.action)
    if query.status == ERROR:
        # As the partial indexes have it: a bound value would keep SQLite from using them.
        found.append(rows.status == literal_column("'error'"))
    elif query.status:
        found.append(rows.status == SUCCESS)
    if query.status in (SUCCESS, SKIPPED):
        found.append(rows.action == SKIP if query.status == SKIPPED else rows.action != SKIP)
    return found


def _contact(value: str) -> ColumnElement[bool]:
    number = _contact_id(value)
    return SyncLogEntry.contact_id == number if number is not None else SyncLogEntry.person_key == person_key_of(value)


def _contact_id(value: str) -> int | None:
    return int(value) if value.isascii() and value.isdigit() and len(value) < 18 else None


def _contains(rows: Any, text: str) -> ColumnElement[bool]:
    return or_(rows.message.icontains(text, autoescape=True), rows.object_id == text)


def _sought(query: LogQuery, conditions: Sequence[ColumnElement[bool]]) -> Select[Any]:
    """Return what selects ids by the index of the filter that the fewest entries fit."""
    return by_index(select(SyncLogEntry.id).where(*conditions), SyncLogEntry, f"ix_sync_log_{_narrowest(query)}")


def _narrowest(query: LogQuery) -> str:
    if query.object:
        return "object"
    if query.contact:
        return "contact" if _contact_id(query.contact) is not None else "person_key"
    if query.status == ERROR:
        return "error_action" if query.action else "error_type" if query.type else "status"
    if query.action or query.status == SKIPPED:
        return "action"
    return "type" if query.type else "page"


def _by_index(query: LogQuery) -> bool:
    """Return whether the filters go beyond what the hourly counts know."""
    return bool(query.object or query.contact)


def _count(session: Session, query: LogQuery, conditions: list[ColumnElement[bool]]) -> Total:
    if _by_index(query):
        return counted_upto(session, _sought(query, conditions))
    counted = select(func.coalesce(func.sum(SyncLogCount.entries), 0)).where(*_counts(query))
    return Total(int(session.scalar(counted) or 0) + _edges(session, query, conditions))


def _counts(query: LogQuery) -> list[ColumnElement[bool]]:
    """Return the conditions of the hours that lie wholly within the dates."""
    found = [SyncLogCount.connector_id == query.connector_id, *_of_kind(query, SyncLogCount)]
    if query.begin:
        found.append(SyncLogCount.hour >= _next_hour(query.begin))
    if query.end:
        found.append(SyncLogCount.hour < hour_of(query.end))
    return found


def _edges(session: Session, query: LogQuery, conditions: list[ColumnElement[bool]]) -> int:
    """Count the rows of part hours: zones with half-hour offsets begin their days in the middle of one."""
    number = 0
    within = select(func.count()).select_from(SyncLogEntry)
    for edge in (query.begin, query.end):
        if edge and edge != hour_of(edge):
            inside = (SyncLogEntry.at >= hour_of(edge)) & (SyncLogEntry.at < _next_hour(edge))
            counted = by_index(within.where(*conditions, inside), SyncLogEntry, "ix_sync_log_at")
            number += int(session.scalar(counted) or 0)
    return number


def _entries(
    session: Session, query: LogQuery, conditions: list[ColumnElement[bool]], offset: int, count: int
) -> Sequence[SyncLogEntry]:
    behind = count - offset - query.size
    if behind < offset and not _by_index(query):
        return list(reversed(_slice(session, query, conditions, max(behind, 0), min(query.size, count - offset), True)))
    return _slice(session, query, conditions, offset, query.size, False)


def _slice(
    session: Session, query: LogQuery, conditions: list[ColumnElement[bool]], offset: int, size: int, oldest: bool
) -> Sequence[SyncLogEntry]:
    """Return rows from one end; a deep offset is first shortened by the hours that lie before it."""
    if size <= 0:
        return []
    conditions = list(conditions)
    if offset > NEAR and not _by_index(query):
        edge, passed = _seek(session, query, offset, oldest)
        if edge is not None:
            conditions.append(_beyond(session, query, edge, oldest))
            offset -= passed
    order = SyncLogEntry.id if oldest else SyncLogEntry.id.desc()
    ids = _sought(query, conditions).order_by(order).offset(offset).limit(size)
    entries = _of_ids(session, session.scalars(ids).all())
    return entries[::-1] if oldest else entries


def _of_ids(session: Session, ids: Sequence[int]) -> Sequence[SyncLogEntry]:
    """Return the entries of some ids, newest first."""
    return session.scalars(_OF_IDS, {"ids": ids}).all() if ids else []


def _beyond(session: Session, query: LogQuery, edge: datetime, oldest: bool) -> ColumnElement[bool]:
    """Return the condition on ids that an hour's edge means: entries are written in the order of time."""
    first = (
        select(SyncLogEntry.id)
        .where(SyncLogEntry.connector_id == query.connector_id, SyncLogEntry.at >= edge)
        .order_by(SyncLogEntry.at, SyncLogEntry.id)
        .limit(1)
    )
    found: int | None = session.scalar(by_index(first, SyncLogEntry, "ix_sync_log_at"))
    if found is None:
        return SyncLogEntry.id < 0 if oldest else SyncLogEntry.id > 0
    return SyncLogEntry.id >= found if oldest else SyncLogEntry.id < found


def _seek(session: Session, query: LogQuery, offset: int, oldest: bool) -> tuple[datetime | None, int]:
    """Return the edge of the hour in which an offset lies and how many rows lie before it, seen from one end."""
    hours = (
        select(SyncLogCount.hour, func.sum(SyncLogCount.entries).label("entries"))
        .where(*_counts(query))
        .group_by(SyncLogCount.hour)
        .subquery()
    )
    order = hours.c.hour if oldest else hours.c.hour.desc()
    upto = func.sum(hours.c.entries).over(order_by=order).label("upto")
    running = select(hours.c.hour, hours.c.entries, upto).subquery()
    order = running.c.hour if oldest else running.c.hour.desc()
    found = select(running).where(running.c.upto > offset).order_by(order).limit(1)
    row = session.execute(found).one_or_none()
    if row is None:
        return None, 0
    return (row.hour if oldest else row.hour + HOUR), int(row.upto - row.entries)


def _next_hour(at: datetime) -> datetime:
    return at if at == hour_of(at) else hour_of(at) + HOUR


def walk(db: Database, query: LogQuery, size: int = 500) -> Iterator[Sequence[SyncLogEntry]]:
    """Yield all entries of a query, newest first, each slice in a read of its own so that no lock is held long."""
    if query.text:
        yield from _walk_found(db, query, size)
        return
    before: int | None = None
    while True:
        with db.read() as session:
            conditions = _conditions(session, query)
            if before is not None:
                conditions.append(SyncLogEntry.id < before)
            ids = _sought(query, conditions).order_by(SyncLogEntry.id.desc()).limit(size)
            entries = _of_ids(session, session.scalars(ids).all())
        if not entries:
            return
        yield entries
        before = entries[-1].id


def _walk_found(db: Database, query: LogQuery, size: int) -> Iterator[Sequence[SyncLogEntry]]:
    with db.read() as session:
        found = _found(session, query)
        ids = session.scalars(found.order_by(found.selected_columns.id.desc())).all()
    for begin in range(0, len(ids), size):
        with db.read() as session:
            entries = _of_ids(session, ids[begin : begin + size])
        yield entries
