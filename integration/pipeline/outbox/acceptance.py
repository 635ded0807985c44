"""Accepting: changes become deliveries."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, insert, select, update
from sqlalchemy.orm import Session

from integration import streams
from integration.events import HISTORICAL, Change, Origin
from integration.models.database import lock_connector
from integration.models.delivery import HISTORY, LIVE, POLLED, Delivery, DeliveryState
from integration.models.membership import among
from integration.models.sql import by_index, table_of
from integration.pipeline.ingest import store_clock
from integration.pipeline.outbox.former_runs import adopt
from integration.pipeline.outbox.gathering import ToCome
from integration.pipeline.outbox.promotion import promote
from integration.pipeline.outbox.states import LEASED, OPEN, OPEN_RECORDS_INDEX, READY
from integration.pipeline.outbox.tally import Tally

_OPEN = select(Delivery.identity, Delivery.id).where(
    Delivery.connector_id == bindparam("connector_id"), among(Delivery.identity, bindparam("identities")), OPEN
)
_OF_RECORDS = (
    Delivery.connector_id == bindparam("connector_id"),
    among(Delivery.source_id, bindparam("source_ids")),
    OPEN,
)
_SNAPSHOTS = by_index(
    select(
        Delivery.id, Delivery.kind, Delivery.source_id, Delivery.person_key, Delivery.modified_at, Delivery.priority
    ).where(*_OF_RECORDS, Delivery.event != "deleted", ~LEASED, Delivery.lease_token.is_(None)),
    Delivery,
    OPEN_RECORDS_INDEX,
)
_NUMBERS = by_index(
    select(Delivery.id, Delivery.identity, Delivery.kind, Delivery.source_id).where(*_OF_RECORDS),
    Delivery,
    OPEN_RECORDS_INDEX,
).order_by(Delivery.id)
_INSERT = insert(table_of(Delivery))
_HASTEN = (
    update(Delivery)
    .where(
        Delivery.connector_id == bindparam("of_connector"),
        among(Delivery.person_key, bindparam("person_keys")),
        READY,
        Delivery.priority > bindparam("wanted"),
    )
    .values(priority=bindparam("wanted"))
)


@dataclass(frozen=True, slots=True)
class Accepted:
    """How many changes became deliveries, replaced a waiting one, or were already open.

    `adopted` are those of the latter two that the accepting run sends now, `settled` those of the first that need not
    be sent. `beside` are deliveries that the changes have brought of other records or people.
    """

    new: int = 0
    replaced: int = 0
    repeated: int = 0
    adopted: int = 0
    settled: int = 0
    beside: int = 0

    @property
    def taken(self) -> int:
        """Return how many are the accepting run's to send."""
        return self.new + self.adopted

    @property
    def opened(self) -> bool:
        """Return whether there is anything to be sent now."""
        return self.taken + self.beside > self.settled

    @property
    def already(self) -> int:
        """Return how many are on their way without it."""
        return self.replaced + self.repeated - self.adopted


def priority_of(origin: Origin) -> int:
    """Return the priority of what comes from an origin: LIVE, POLLED or HISTORY."""
    if origin in HISTORICAL:
        return HISTORY
    return POLLED if origin is Origin.POLL else LIVE


def accept(
    session: Session,
    now: datetime,
    connector_id: int,
    changes: Sequence[Change],
    run_id: int | None = None,
    to_come: ToCome | None = None,
) -> Accepted:
    """Owe the changes to Mautic; the caller commits, so that its own bookkeeping stands or falls with them.

    A run sends what waits for its records as well. People of whom something is still `to_come` wait for it.
    """
    if not changes:
        return Accepted()
    lock_connector(session, connector_id)
    unique = {change.identity: change for change in changes}
    known = _open(session, connector_id, unique)
    fresh = [change for identity, change in unique.items() if identity not in known]
    events = _of_history(session, connector_id, [unique[identity] for identity in known])
    replaced = _replace_snapshots(session, now, connector_id, fresh)
    rows = [row_of(now, connector_id, c, run_id) for c in fresh if c.identity not in replaced]
    rows += [row_of(now, connector_id, c, run_id) | {"identity": _event_identity(c)} for c in events]
    if rows:
        session.connection().execute(_INSERT, rows)
        _tally(session, now, connector_id, rows)
    _hasten(session, connector_id, rows)
    # Whoever is told of goes, without a row of their own as well: what waits may be of people who are gathered.
    person_keys = {change.ordering_key for change in unique.values()}
    promote(session, connector_id, to_come.whole(session, connector_id, person_keys) if to_come else person_keys)
    # What history has on its way beside an event's own row stays that run's: the change is counted once.
    beside = {change.identity for change in events}
    waiting = {*replaced.values(), *(number for identity, number in known.items() if identity not in beside)}
    adopted = adopt(session, now, connector_id, waiting, run_id) if run_id is not None and waiting else 0
    return Accepted(len(rows), len(replaced), len(changes) - len(fresh) - len(events), adopted)


def _tally(session: Session, now: datetime, connector_id: int, rows: Sequence[Mapping[str, Any]]) -> None:
    tally = Tally(connector_id)
    for row in rows:
        tally.enter(now, row["kind"])
    tally.write(session)


def overtake(session: Session, connector_id: int, changes: Sequence[Change]) -> None:
    """Let what is owed of these changes go out before anything else, whatever brought them."""
    mine = (Delivery.connector_id == connector_id, Delivery.identity.in_([each.identity for each in changes]), OPEN)
    if changes:
        statement = update(Delivery).where(*mine).values(priority=LIVE)
        session.execute(statement.execution_options(synchronize_session=False))


def open_identities(session: Session, connector_id: int, identities: Collection[str]) -> set[str]:
    """Return which of the identities are open."""
    return set(_open(session, connector_id, identities))


def numbers_of(session: Session, connector_id: int, changes: Sequence[Change]) -> list[int]:
    """Return the delivery of each change that was just accepted: its own, or the one that waits for its record."""
    source_ids = sorted({each.source_id for each in changes})
    rows = session.execute(_NUMBERS, {"connector_id": connector_id, "source_ids": source_ids}).all()
    by_identity = {row.identity: row.id for row in rows}
    by_record = {(row.kind, row.source_id): row.id for row in rows}
    return [by_identity.get(each.identity) or by_record[each.kind, each.source_id] for each in changes]


def _open(session: Session, connector_id: int, identities: Collection[str]) -> dict[str, int]:
    values = {"connector_id": connector_id, "identities": list(identities)}
    return dict(session.execute(_OPEN, values).tuples().all())


def _of_history(session: Session, connector_id: int, changes: Iterable[Change]) -> list[Change]:
    """Return the live events whose sighting an import is bringing: its delivery may be out, and sends no e-mail."""
    events = {c.identity: c for c in changes if c.reached_at is not None and c.origin not in HISTORICAL}
    if not events:
        return []
    query = select(Delivery.identity).where(
        Delivery.connector_id == connector_id,
        Delivery.identity.in_(list(events)),
        Delivery.origin.in_(HISTORICAL),
        OPEN,
    )
    found = [events[identity] for identity in session.scalars(query)]
    queued = open_identities(session, connector_id, [_event_identity(each) for each in found]) if found else ()
    return [each for each in found if _event_identity(each) not in queued]


def _event_identity(change: Change) -> str:
    """Return the identity of an event's own row, beside that of the same sighting from history."""
    return f"{change.identity}:event"


def _replace_snapshots(session: Session, now: datetime, connector_id: int, changes: Iterable[Change]) -> dict[str, int]:
    """Give a waiting contact update the newer snapshot; return identity -> delivery of what needs no own row."""
    collapsing = [c for c in changes if streams.of(c.kind).collapses and c.event != "deleted"]
    snapshots = {(c.kind, c.source_id): c for c in collapsing}
    if not snapshots:
        return {}
    values = {"connector_id": connector_id, "source_ids": sorted({source_id for _, source_id in snapshots})}
    rows = [row for row in session.execute(_SNAPSHOTS, values) if (row.kind, row.source_id) in snapshots]
    found = [(row, snapshots[row.kind, row.source_id]) for row in rows]
    found = [(row, change) for row, change in found if row.person_key == change.ordering_key]
    future = store_clock.future(session, now, connector_id) if found else None
    newer = [
        _snapshot(now, row, change)
        for row, change in found
        if not store_clock.is_older(change.modified_at, row.modified_at, future)
    ]
    if newer:
        session.connection().execute(update(Delivery).where(Delivery.id == bindparam("b_id")), newer)
    # An older sighting that comes late needs no row either: what waits says more.
    return {change.identity: row.id for row, change in found}


def _snapshot(now: datetime, row: Any, change: Change) -> dict[str, Any]:
    return {
        "b_id": row.id,
        "priority": min(row.priority, priority_of(change.origin)),
        "identity": change.identity,
        "payload": dict(change.payload),
        "payload_at": now,
        "modified_at": change.modified_at,
    }


def row_of(now: datetime, connector_id: int, change: Change, run_id: int | None) -> dict[str, Any]:
    """Return the columns of a change's delivery that waits to be sent."""
    return {
        "connector_id": connector_id,
        "run_id": run_id,
        "kind": change.kind,
        "source_id": change.source_id,
        "number": change.number,
        "event": change.event,
        "identity": change.identity,
        "person_key": change.ordering_key,
        "origin": change.origin,
        "priority": priority_of(change.origin),
        "state": DeliveryState.WAITING,
        "due_at": now,
        "payload": dict(change.payload),
        "payload_at": change.seen_at,
        "modified_at": change.modified_at,
        "reached_at": change.reached_at,
        "created_at": now,
    }


def _hasten(session: Session, connector_id: int, rows: Sequence[dict[str, Any]]) -> None:
    """Let a line that a shopper has joined overtake imports."""
    for priority in sorted({row["priority"] for row in rows if row["priority"] < HISTORY}):
        person_keys = [row["person_key"] for row in rows if row["priority"] == priority]
        values = {"of_connector": connector_id, "person_keys": person_keys, "wanted": priority}
        session.connection().execute(_HASTEN, values)
