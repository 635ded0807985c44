"""How long the work of shoppers has been waiting, and whether anything moves at all."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import exists, func, select
from sqlalchemy.orm import Session

from integration.models.delivery import HISTORY, Delivery
from integration.pipeline.outbox.states import LEASED, OPEN, READY, owned

#: Work of shoppers that waits longer than this is late; imports may take their time.
LATE = timedelta(minutes=10)
#: Whatever waits, imports too, moves on within this time: else nothing is confirmed, whatever the last call said.
STALLED = timedelta(minutes=3)


def lag_s(session: Session, now: datetime, connector_id: int) -> int:
    """Return how many seconds the oldest live or polled delivery has been waiting, 0 when none waits."""
    query = select(func.min(Delivery.created_at)).where(owned(connector_id), OPEN, Delivery.priority < HISTORY)
    oldest = session.scalar(query)
    return max(int((now - oldest).total_seconds()), 0) if oldest else 0


def stalled(session: Session, now: datetime, connector_id: int) -> int:
    """Return how many people's records are due for more than STALLED while nothing was confirmed; 0 while it moves."""
    due = (owned(connector_id), READY | LEASED, Delivery.due_at <= now - STALLED)
    waiting = session.scalar(select(func.count()).select_from(Delivery).where(*due)) or 0
    if not waiting:
        return 0
    # The plus keeps SQLite on the index of settled_at, whose rows since then are few.
    moved = exists().where(Delivery.settled_at > now - STALLED, owned(connector_id))
    return 0 if session.scalar(select(moved)) else waiting
