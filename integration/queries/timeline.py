"""Everything that happened to one person or one order, newest first, by indexes only (X5)."""

from __future__ import annotations

import heapq
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session

from integration import streams
from integration.events import Origin
from integration.models.attempt import Attempt
from integration.models.connector import Connector
from integration.models.contact_link import ContactLink
from integration.models.delivery import OPEN, Delivery
from integration.models.follow_up import FollowUpMark, MarkState
from integration.models.ledger import LedgerEntry
from integration.models.run import Run
from integration.models.sync_log import SyncLogEntry
from integration.pipeline.connectors import holds, segment_names
from integration.pipeline.sync_log.writing import ERROR
from integration.queries import person_status
from integration.queries.record_statuses import status_of
from integration.queries.timeline_position import TimelinePosition
from integration.record_ids import number_of

TIMELINE_MAX_ENTRIES = 50
#: So many of a person's newest records and orders are looked into; nobody has more by shopping.
SOURCE_ROWS_MAX = 300
ORIGINS = {
    Origin.WEBHOOK: "a webhook",
    Origin.POLL: "an incremental read",
    Origin.INITIAL: "the initial import",
    Origin.FULL: "a full sync",
    Origin.BULK: "a bulk run",
    Origin.REPLAY: "being sent again",
    Origin.API: "the API",
    Origin.FORM: "the subscribe form",
    Origin.SCORES: "the nightly RFM classes",
}
OUTCOMES = {
    "delivered": ("Sent", "ok"),
    "later": ("Tried again later", "warn"),
    "dead": ("Failed", "bad"),
    "skipped": ("Skipped", "muted"),
    "conflict": ("Conflict", "muted"),
}


@dataclass(frozen=True, slots=True)
class TimelineEntry:
    """One thing that happened. `what` is record, attempt, log or follow_up; `kind` the colour of its badge.

    `key` goes down with time within its `what`. `next_at` is when the next attempt is due, `run` the run it came with.
    """

    at: datetime
    what: str
    key: int
    badge: str
    kind: str
    title: str
    detail: str = ""
    delivery_id: int | None = None
    contact_id: int | None = None
    next_at: datetime | None = None
    run: Run | None = None


@dataclass(frozen=True)
class Scope:
    """What a timeline is about: the conditions that find its records and its log entries, and its order ids."""

    connector: Connector
    records: Sequence[ColumnElement[bool]]
    logs: Sequence[ColumnElement[bool]]
    orders: Sequence[str]


@dataclass(frozen=True, slots=True)
class Timeline:
    """A page of lines, newest first; `older` is the place to go on from, "" at the end."""

    lines: Sequence[TimelineEntry]
    older: str


def person(session: Session, connector: Connector, person_key: str) -> Scope:
    """Return the scope of a person."""
    query = select(LedgerEntry.order_id).where(
        LedgerEntry.connector_id == connector.id, LedgerEntry.person_key == person_key
    )
    ids = session.scalars(query.limit(SOURCE_ROWS_MAX)).all()
    return Scope(
        connector,
        [Delivery.person_key == person_key],
        [SyncLogEntry.person_key == person_key],
        [str(key) for key in ids],
    )


def order(session: Session, connector: Connector, source_id: str) -> Scope:
    """Return the scope of an order; the log knows it by its number."""
    mine = [Delivery.source_id == source_id, Delivery.kind.in_(streams.kinds("numbered"))]
    numbers = session.scalars(
        select(Delivery.number).where(Delivery.connector_id == connector.id, *mine).limit(SOURCE_ROWS_MAX)
    )
    names = sorted({source_id, *numbers} - {""})
    # As an expression the type draws no index away from the number's.
    log = [
        SyncLogEntry.object_id.in_(names),
        SyncLogEntry.type.concat("").in_(streams.kinds("numbered")),
        SyncLogEntry.source_id.in_(["", source_id]),
    ]
    return Scope(connector, mine, log, [source_id])


def known_person(session: Session, connector: Connector, person_key: str, now: datetime) -> person_status.Known:
    """Return what a person's verdict rests on."""
    scope = [Delivery.person_key == person_key]
    entries = select(LedgerEntry).where(LedgerEntry.connector_id == connector.id, LedgerEntry.person_key == person_key)
    return person_status.Known(
        connector,
        now,
        session.get(ContactLink, (connector.id, person_key)),
        _newest(session, connector, scope),
        session.scalars(entries.limit(SOURCE_ROWS_MAX)).all(),
        holds.open_holds(session, connector.id),
    )


def known_order(session: Session, connector: Connector, source_id: str, now: datetime) -> person_status.Known:
    """Return what an order's verdict rests on."""
    rows = _newest(session, connector, [Delivery.source_id == source_id, Delivery.kind.in_(streams.kinds("numbered"))])
    # The change for the person who lost the order says nothing of where the order is.
    rows = [row for row in rows if row.event != "moved"]
    entry = None
    if (number := number_of(source_id)) is not None:
        entry = session.get(LedgerEntry, (connector.id, number))
    person_key = entry.person_key if entry and entry.person_key else rows[0].person_key if rows else ""
    link = session.get(ContactLink, (connector.id, person_key)) if person_key else None
    entries = [entry] if entry else []
    return person_status.Known(connector, now, link, rows, entries, holds.open_holds(session, connector.id))


def _newest(session: Session, connector: Connector, scope: Sequence[ColumnElement[bool]]) -> list[Delivery]:
    query = select(Delivery).where(Delivery.connector_id == connector.id, *scope)
    return list(session.scalars(query.order_by((Delivery.id + 0).desc()).limit(SOURCE_ROWS_MAX)))


def read(
    session: Session, scope: Scope, place: TimelinePosition | None = None, size: int = TIMELINE_MAX_ENTRIES
) -> Timeline:
    """Return a page of a timeline, from the newest on or from a place."""
    place = place or TimelinePosition()
    sources = (_records, _attempts, _logs, _marks)
    found = [source(session, scope, place, size + 1) for source in sources]
    merged = list(heapq.merge(*found, key=lambda line: line.at, reverse=True))
    shown = merged[:size]
    return Timeline(shown, place.after({line.what: line.key for line in shown}) if len(merged) > size else "")


def _records(session: Session, scope: Scope, place: TimelinePosition, limit: int) -> list[TimelineEntry]:
    query = select(Delivery).where(
        Delivery.connector_id == scope.connector.id, *scope.records, Delivery.id < place.below("record")
    )
    rows = session.scalars(query.order_by((Delivery.id + 0).desc()).limit(limit)).all()
    runs = _runs(session, [row.run_id for row in rows])
    return [_record(row, runs) for row in rows]


def _runs(session: Session, ids: Sequence[int | None]) -> dict[int, Run]:
    wanted = sorted({key for key in ids if key is not None})
    return {run.id: run for run in session.scalars(select(Run).where(Run.id.in_(wanted)))} if wanted else {}


def _record(row: Delivery, runs: dict[int, Run]) -> TimelineEntry:
    status = status_of(row)
    parts = [row.error or row.discard_reason, f"{row.attempts} attempts." if row.attempts > 1 else ""]
    if row.corrections:
        parts.append(f"A person's values are sent instead of the store's: {', '.join(sorted(row.corrections))}.")
    return TimelineEntry(
        row.created_at,
        "record",
        row.id,
        status.label,
        status.kind,
        f"{name_of(row)} came by {ORIGINS.get(Origin(row.origin), row.origin)}.",
        " ".join(part for part in parts if part),
        row.id,
        row.contact_id,
        row.due_at if row.state in OPEN and row.lease_token is None else None,
        runs.get(row.run_id or 0),
    )


def name_of(row: Delivery) -> str:
    """Return what happened to which record, as "Order 10482 (completed)"."""
    return f"{streams.labels(row.kind).noun} {row.number or row.source_id} ({row.event})"


def _attempts(session: Session, scope: Scope, place: TimelinePosition, limit: int) -> list[TimelineEntry]:
    mine = select(Delivery.id).where(Delivery.connector_id == scope.connector.id, *scope.records)
    ids = session.scalars(mine.order_by((Delivery.id + 0).desc()).limit(SOURCE_ROWS_MAX)).all()
    query = select(Attempt).where(Attempt.delivery_id.in_(ids), Attempt.id < place.below("attempt"))
    rows = session.scalars(query.order_by((Attempt.id + 0).desc()).limit(limit)).all() if ids else ()
    return [_attempt(row) for row in rows]


def _attempt(row: Attempt) -> TimelineEntry:
    badge, kind = OUTCOMES.get(row.outcome, (row.outcome, "muted"))
    status = f", HTTP {row.http_status}" if row.http_status else ""
    title = f"Attempt for record {row.delivery_id}{status}."
    if row.tries > 1:
        title = f"{row.tries:,} attempts in a row for record {row.delivery_id}: none could be made."
    contact_id = (row.answer or {}).get("contact_id")
    return TimelineEntry(row.at, "attempt", row.id, badge, kind, title, row.message, row.delivery_id, contact_id)


def _logs(session: Session, scope: Scope, place: TimelinePosition, limit: int) -> list[TimelineEntry]:
    query = select(SyncLogEntry).where(
        SyncLogEntry.connector_id == scope.connector.id,
        *scope.logs,
        SyncLogEntry.id > scope.connector.log_cleared_id,
        SyncLogEntry.id < place.below("log"),
    )
    return [_log(row) for row in session.scalars(query.order_by((SyncLogEntry.id + 0).desc()).limit(limit))]


def _log(row: SyncLogEntry) -> TimelineEntry:
    badge, kind = ("Error", "bad") if row.status == ERROR else ("Log", "muted")
    title = f"{streams.labels(row.type).noun} {row.object_id}: {row.action.replace('_', ' ')}."
    return TimelineEntry(row.at, "log", row.id, badge, kind, title, row.message, row.delivery_id, row.contact_id)


def _marks(session: Session, scope: Scope, place: TimelinePosition, limit: int) -> list[TimelineEntry]:
    """Return notes and e-mails; their keys count from the oldest, for they have none of their own."""
    if not scope.orders:
        return []
    query = select(FollowUpMark).where(
        FollowUpMark.connector_id == scope.connector.id, FollowUpMark.order_id.in_(scope.orders)
    )
    rows = session.scalars(query.order_by(FollowUpMark.started_at, FollowUpMark.order_id, FollowUpMark.status)).all()
    names = segment_names.known(scope.connector)
    lines = [_mark(key, row, names) for key, row in enumerate(rows, 1) if key < place.below("follow_up")]
    return lines[::-1][:limit]


def _mark(key: int, row: FollowUpMark, segments: Mapping[int, str]) -> TimelineEntry:
    done = row.state == MarkState.DONE
    noun = {"create_note": "Note", "send_email": "E-mail"}.get(row.action, "Segment")
    which = segment_names.called(segments if noun == "Segment" else {}, row.remote_id) if row.remote_id else ""
    title = f"{noun} {which}".strip() + f" for order {row.order_id} in status {row.status}."
    detail = "" if done else "It was begun and not confirmed: it is looked up in Mautic before it is done again."
    badge, kind = ("Done", "ok") if done else ("Begun", "warn")
    return TimelineEntry(
        row.done_at or row.started_at, "follow_up", key, badge, kind, title, detail, contact_id=row.contact_id
    )
