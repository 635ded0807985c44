"""Sending again, giving up, counting."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import func
from sqlalchemy import literal_column
from sqlalchemy import select
from sqlalchemy import update
from sqlalchemy.orm import Session

from integration.events import Origin
from integration.models.database import lock_connector
from integration.models.delivery import Delivery
from integration.models.delivery import DeliveryState
from integration.pipeline.outbox.acceptance import open_identities
from integration.pipeline.outbox.promotion import promote
from integration.pipeline.outbox.states import OPEN


def requeue(session: Session, now: datetime, connector_id: int, ids: Collection[int]) -> int:
    """Send dead letters again, as history (no e-mails); return how many."""
    lock_connector(session, connector_id)
    return _reopen(session, now, connector_id, ids)


def _reopen(session: Session, now: datetime, connector_id: int, ids: Collection[int]) -> int:
    query = select(Delivery).where(
        Delivery.connector_id == connector_id, Delivery.id.in_(list(ids)), Delivery.state == DeliveryState.DEAD
    )
    dead = session.scalars(query).all()
    busy = open_identities(session, connector_id, [row.identity for row in dead])
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
    query = select(Delivery.subject).where(mine, OPEN).distinct()
    subjects = set(session.scalars(query))
    gone = session.execute(
        update(Delivery)
        .where(mine, OPEN, Delivery.state != literal_column("'leased'"))
        .values(state=DeliveryState.DISCARDED, settled_at=now, payload=None)
        .execution_options(synchronize_session=False)
    )
    promote(session, connector_id, subjects)
    return int(gone.rowcount)  # type: ignore[attr-defined]  # an UPDATE returns a CursorResult


def open_count(session: Session, *, connector_id: int | None = None, run_id: int | None = None) -> int:
    """Count open deliveries of a connector or of a run."""
    query = select(func.count()).select_from(Delivery).where(OPEN)
    if connector_id is not None:
        query = query.where(Delivery.connector_id == connector_id)
    if run_id is not None:
        query = query.where(Delivery.run_id == run_id)
    return session.scalar(query) or 0
