"""How long the work of shoppers has been waiting, and whether anything moves at all."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from integration.models.delivery import HISTORY, Delivery
from integration.models.sql import by_index
from integration.pipeline.outbox.states import LEASED, OPEN, OPEN_INDEX, READY

#: Work of shoppers that waits longer than this is late; imports may take their time.
LATE = timedelta(minutes=10)
#: Whatever waits, imports too, moves on within this time: else nothing is confirmed, whatever the last call said.
STALLED = timedelta(minutes=3)


def lag_s(session: Session, now: datetime, connector_id: int) -> int:
    """Return how many seconds the oldest live or polled delivery has been waiting, 0 when none waits."""
    mine = (Delivery.connector_id == connector_id, OPEN, Delivery.priority < HISTORY)
    oldest = session.scalar(by_index(select(func.min(Delivery.created_at)).where(*mine), Delivery, OPEN_INDEX))
    return max(int((now - oldest).total_seconds()), 0) if oldest else 0


def stalled(session: Session, now: datetime, connector_id: int) -> int:
    """Return how many people's records are due for more than STALLED while nothing was confirmed; 0 while it moves."""
    due = (Delivery.connector_id == connector_id, OPEN, READY | LEASED, Delivery.due_at <= now - STALLED)
    counted = select(func.count()).select_from(Delivery).where(*due)
    waiting = session.scalar(by_index(counted, Delivery, OPEN_INDEX)) or 0
    if not waiting:
        return 0
    moved = select(Delivery.id).where(Delivery.connector_id == connector_id, Delivery.settled_at > now - STALLED)
    return 0 if session.scalar(by_index(moved.limit(1), Delivery, "ix_delivery_settled")) is not None else waiting
