"""The only writer of deliveries: accept, claim, settle, recover, requeue, discard."""

from __future__ import annotations

from collections.abc import Collection
from collections.abc import Iterable
from collections.abc import Mapping
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from datetime import timedelta
from typing import Any

from sqlalchemy import bindparam
from sqlalchemy import func
from sqlalchemy import insert
from sqlalchemy import literal_column
from sqlalchemy import select
from sqlalchemy import text
from sqlalchemy import update
from sqlalchemy.orm import Session

from integration.events import HISTORICAL
from integration.events import Change
from integration.events import Kind
from integration.events import Origin
from integration.models.database import lock_connector
from integration.models.delivery import Delivery
from integration.models.delivery import DeliveryState
from integration.pipeline.leases import alive
from integration.pipeline.lines import Line
from integration.pipeline.lines import Outcome
from integration.pipeline.lines import group

LEASE = timedelta(seconds=60)
# A bound parameter would keep SQLite from using the partial indexes, so the states stand as literals.
_OPEN = Delivery.state.in_([literal_column(f"'{state}'") for state in ("waiting", "ready", "leased")])
_READY = Delivery.state == literal_column("'ready'")
_WAITING = Delivery.state == literal_column("'waiting'")
_LEASED = Delivery.state == literal_column("'leased'")


@dataclass(frozen=True, slots=True)
class Accepted:
    """How many changes became deliveries, replaced a waiting one, or were already open."""

    new: int = 0
    replaced: int = 0
    repeated: int = 0


def priority_of(origin: Origin) -> int:
    """Return 0 for what a shopper just did, 1 for what polling found, 2 for history."""
    if origin in HISTORICAL:
        return 2
    return 1 if origin is Origin.POLL else 0


def accept(
    session: Session, now: datetime, connector_id: int, changes: Sequence[Change], run_id: int | None = None
) -> Accepted:
    """Owe the changes to Mautic; the caller commits, so that its own bookkeeping stands or falls with them."""
    if not changes:
        return Accepted()
    lock_connector(session, connector_id)
    unique = {change.identity: change for change in changes}
    known = _open_identities(session, connector_id, unique)
    fresh = [change for identity, change in unique.items() if identity not in known]
    replaced = _replace_snapshots(session, now, connector_id, fresh)
    rows = [_row(now, connector_id, c, run_id) for c in fresh if c.identity not in replaced]
    if rows:
        session.execute(insert(Delivery), rows)
    subjects = {row["subject"] for row in rows}
    _hasten(session, connector_id, rows)
    promote(session, connector_id, subjects)
    return Accepted(len(rows), len(replaced), len(changes) - len(fresh))


def _open_identities(session: Session, connector_id: int, identities: Collection[str]) -> set[str]:
    query = select(Delivery.identity).where(
        Delivery.connector_id == connector_id, Delivery.identity.in_(list(identities)), _OPEN
    )
    return set(session.scalars(query))


def _replace_snapshots(session: Session, now: datetime, connector_id: int, changes: Iterable[Change]) -> set[str]:
    """Give a waiting contact update the newer snapshot; return the identities that need no row of their own."""
    snapshots = {c.source_id: c for c in changes if c.kind is Kind.CONTACT and c.what != "deleted"}
    if not snapshots:
        return set()
    query = select(Delivery.id, Delivery.source_id, Delivery.subject).where(
        Delivery.connector_id == connector_id,
        Delivery.kind == Kind.CONTACT,
        Delivery.source_id.in_(list(snapshots)),
        Delivery.what != "deleted",
        Delivery.state.in_([literal_column("'waiting'"), literal_column("'ready'")]),
        Delivery.lease_token.is_(None),
    )
    found = [(row.id, snapshots[row.source_id]) for row in session.execute(query) if _same(row, snapshots)]
    if found:
        statement = update(Delivery).where(Delivery.id == bindparam("b_id"))
        session.connection().execute(statement, [_snapshot(now, key, change) for key, change in found])
    return {change.identity for _, change in found}


def _same(row: Any, snapshots: Mapping[str, Change]) -> bool:
    """Return whether the waiting row is still about the same person: an address may have changed."""
    return bool(row.subject == _subject(snapshots[row.source_id]))


def _subject(change: Change) -> str:
    return change.subject or f"{change.kind}:{change.source_id}"


def _snapshot(now: datetime, key: int, change: Change) -> dict[str, Any]:
    return {
        "b_id": key,
        "identity": change.identity,
        "payload": dict(change.payload),
        "payload_at": now,
        "modified_at": change.modified_at,
    }


def _row(now: datetime, connector_id: int, change: Change, run_id: int | None) -> dict[str, Any]:
    return {
        "connector_id": connector_id,
        "run_id": run_id,
        "kind": change.kind,
        "source_id": change.source_id,
        "number": change.number,
        "what": change.what,
        "identity": change.identity,
        "subject": _subject(change),
        "origin": change.origin,
        "priority": priority_of(change.origin),
        "state": DeliveryState.WAITING,
        "due_at": now,
        "payload": dict(change.payload),
        "payload_at": change.seen_at,
        "modified_at": change.modified_at,
        "created_at": now,
    }


def _hasten(session: Session, connector_id: int, rows: Sequence[dict[str, Any]]) -> None:
    """Let a line that a shopper has joined overtake imports."""
    for priority in sorted({row["priority"] for row in rows if row["priority"] < 2}):
        subjects = [row["subject"] for row in rows if row["priority"] == priority]
        session.execute(
            update(Delivery)
            .where(
                Delivery.connector_id == connector_id,
                Delivery.subject.in_(subjects),
                _READY,
                Delivery.priority > priority,
            )
            .values(priority=priority)
            .execution_options(synchronize_session=False)
        )


_PROMOTE = text(
    """
    UPDATE delivery SET state = 'ready',
        priority = (SELECT MIN(w.priority) FROM delivery w
                    WHERE w.connector_id = :connector AND w.subject = delivery.subject AND w.state = 'waiting')
    WHERE id IN (SELECT MIN(w.id) FROM delivery w
                 WHERE w.connector_id = :connector AND w.state = 'waiting' AND w.subject IN :subjects
                 GROUP BY w.subject)
      AND NOT EXISTS (SELECT 1 FROM delivery l WHERE l.connector_id = :connector
                      AND l.subject = delivery.subject AND l.state IN ('ready', 'leased'))
    """
).bindparams(bindparam("subjects", expanding=True))


def promote(session: Session, connector_id: int, subjects: Collection[str]) -> None:
    """Make the oldest waiting delivery of each person ready, unless one is ready or leased already."""
    ordered = sorted(subjects)
    for start in range(0, len(ordered), 500):
        session.execute(_PROMOTE, {"connector": connector_id, "subjects": ordered[start : start + 500]})


def claim(
    session: Session, now: datetime, connector_id: int, people: int, token: str, *, by_hand_only: bool = False
) -> list[Line]:
    """Lease the lines of up to `people` people, live ones first; `token` must be new (see leases.new_token)."""
    query = select(Delivery.id, Delivery.subject).where(
        Delivery.connector_id == connector_id, _READY, Delivery.due_at <= now
    )
    if by_hand_only:
        query = query.where(Delivery.run_id.is_not(None))
    query = query.order_by(Delivery.priority, Delivery.id).limit(people).with_for_update(skip_locked=True)
    leads = session.execute(query).all()
    if not leads:
        return []
    _lease(session, now, token, [lead.id for lead in leads], _READY, state=DeliveryState.LEASED)
    subjects = [lead.subject for lead in leads]
    followers = (Delivery.connector_id == connector_id) & Delivery.subject.in_(subjects) & _WAITING
    _lease(session, now, token, None, followers & Delivery.lease_token.is_(None))
    rows = session.scalars(select(Delivery).where(Delivery.lease_token == token, _OPEN).order_by(Delivery.id)).all()
    return group(rows, order=subjects)


def _lease(session: Session, now: datetime, token: str, ids: list[int] | None, which: Any, **values: Any) -> None:
    statement = update(Delivery).where(which)
    if ids is not None:
        statement = statement.where(Delivery.id.in_(ids))
    values |= {"lease_token": token, "leased_until": now + LEASE, "attempts": Delivery.attempts + 1}
    session.execute(statement.values(**values).execution_options(synchronize_session=False))


def renew(session: Session, now: datetime, token: str) -> bool:
    """Prolong a lease; return False when it is lost."""
    renewed = session.execute(
        update(Delivery).where(Delivery.lease_token == token, _OPEN).values(leased_until=now + LEASE)
    )
    return renewed.rowcount > 0  # type: ignore[attr-defined,no-any-return]  # an UPDATE returns a CursorResult


def settle(
    session: Session, now: datetime, connector_id: int, token: str, outcomes: Sequence[Outcome]
) -> list[Outcome]:
    """Write what became of the leased deliveries and promote who comes next; return those that were still ours."""
    lock_connector(session, connector_id)
    held = dict(
        session.execute(select(Delivery.id, Delivery.subject).where(Delivery.lease_token == token, _OPEN))
        .tuples()
        .all()
    )
    ours = [outcome for outcome in outcomes if outcome.delivery_id in held]
    done = [_final(now, o) | {"payload": None} for o in ours if o.state not in (None, DeliveryState.DEAD)]
    # A dead letter keeps its payload for the person who looks at it; what was delivered needs none any more.
    dead = [_final(now, o) for o in ours if o.state is DeliveryState.DEAD]
    later = [_later(now, o) for o in ours if o.state is None]
    for rows in (done, dead, later):
        if rows:
            statement = update(Delivery).where(Delivery.id == bindparam("b_id"))
            session.connection().execute(statement, rows)
    promote(session, connector_id, set(held.values()))
    return ours


def _final(now: datetime, outcome: Outcome) -> dict[str, Any]:
    return {
        "b_id": outcome.delivery_id,
        "state": outcome.state,
        "result": outcome.result,
        "partial": outcome.partial,
        "contact_id": outcome.contact_id,
        "error_code": outcome.error_code,
        "error": outcome.message if outcome.error_code else "",
        "lease_token": None,
        "leased_until": None,
        "settled_at": now,
    }


def _later(now: datetime, outcome: Outcome) -> dict[str, Any]:
    return {
        "b_id": outcome.delivery_id,
        "state": DeliveryState.WAITING,
        "due_at": now + (outcome.wait or timedelta(0)),
        "attempts": outcome.attempts,
        "error_code": outcome.error_code,
        "error": outcome.message if outcome.error_code else "",
        "lease_token": None,
        "leased_until": None,
    }


def recover(session: Session, now: datetime) -> int:
    """Take back leases that ran out or whose process is gone; return how many deliveries are free again."""
    tokens = session.execute(select(Delivery.lease_token, Delivery.leased_until).where(_LEASED).distinct()).all()
    lost = [token for token, until in tokens if token and (until is None or until < now or not alive(token))]
    freed = 0
    for token in lost:
        rows = session.execute(
            select(Delivery.id, Delivery.connector_id, Delivery.subject).where(Delivery.lease_token == token, _OPEN)
        ).all()
        session.execute(
            update(Delivery)
            .where(Delivery.lease_token == token, _OPEN)
            .values(state=DeliveryState.WAITING, lease_token=None, leased_until=None)
            .execution_options(synchronize_session=False)
        )
        for connector_id in {row.connector_id for row in rows}:
            promote(session, connector_id, {row.subject for row in rows if row.connector_id == connector_id})
        freed += len(rows)
    return freed


def requeue(session: Session, now: datetime, connector_id: int, ids: Collection[int]) -> int:
    """Send dead letters again, as history (no e-mails); return how many."""
    lock_connector(session, connector_id)
    return _reopen(session, now, connector_id, ids)


def _reopen(session: Session, now: datetime, connector_id: int, ids: Collection[int]) -> int:
    query = select(Delivery).where(
        Delivery.connector_id == connector_id, Delivery.id.in_(list(ids)), Delivery.state == DeliveryState.DEAD
    )
    dead = session.scalars(query).all()
    busy = _open_identities(session, connector_id, [row.identity for row in dead])
    again = [row for row in dead if row.identity not in busy]
    for row in again:
        row.state, row.attempts, row.due_at, row.settled_at = DeliveryState.WAITING, 0, now, None
        row.origin, row.error, row.error_code = Origin.REPLAY, "", ""
    session.flush()
    promote(session, connector_id, {row.subject for row in again})
    return len(again)


def discard(session: Session, now: datetime, connector_id: int, *, run_id: int | None = None) -> int:
    """Give up what a cancelled run still had waiting; what is leased is finished; return how many."""
    lock_connector(session, connector_id)
    mine = (Delivery.connector_id == connector_id) & (Delivery.run_id == run_id) & Delivery.lease_token.is_(None)
    query = select(Delivery.subject).where(mine, _OPEN).distinct()
    subjects = set(session.scalars(query))
    gone = session.execute(
        update(Delivery)
        .where(mine, _OPEN, Delivery.state != literal_column("'leased'"))
        .values(state=DeliveryState.DISCARDED, settled_at=now, payload=None)
        .execution_options(synchronize_session=False)
    )
    promote(session, connector_id, subjects)
    return gone.rowcount  # type: ignore[attr-defined,no-any-return]  # an UPDATE returns a CursorResult


def open_count(session: Session, *, connector_id: int | None = None, run_id: int | None = None) -> int:
    """Count open deliveries of a connector or of a run."""
    query = select(func.count()).select_from(Delivery).where(_OPEN)
    if connector_id is not None:
        query = query.where(Delivery.connector_id == connector_id)
    if run_id is not None:
        query = query.where(Delivery.run_id == run_id)
    return session.scalar(query) or 0
