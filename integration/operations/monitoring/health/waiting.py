"""How long the work of shoppers has been waiting, and whether anything moves at all."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import bindparam, func, select
from sqlalchemy.orm import Session

from integration.models.delivery import HISTORY, Delivery
from integration.models.sql import by_index
from integration.pipeline.outbox.states import LEASED, OPEN, OPEN_INDEX, READY

#: Work of shoppers that waits longer than this is late; imports may take their time.
LATE = timedelta(minutes=10)
#: Whatever waits, imports too, moves on within this time: else nothing is confirmed, whatever the last call said.
STALLED = timedelta(minutes=3)

# Made once: asked of every connector again and again, they cost several times more to make than to run.
_MINE = Delivery.connector_id == bindparam("connector_id")
_OLDEST = by_index(
    select(func.min(Delivery.created_at)).where(_MINE, OPEN, Delivery.priority < HISTORY), Delivery, OPEN_INDEX
)
_BEGIN = bindparam("begin", type_=Delivery.due_at.type)
_WAITS = (_MINE, OPEN, READY | LEASED, Delivery.due_at <= _BEGIN)
_ANY_WAITS = by_index(select(Delivery.id).where(*_WAITS).limit(1), Delivery, OPEN_INDEX)
_NUMBER_WAITS = by_index(select(func.count()).select_from(Delivery).where(*_WAITS), Delivery, OPEN_INDEX)
_MOVED = by_index(
    select(Delivery.id).where(_MINE, Delivery.settled_at > _BEGIN).limit(1), Delivery, "ix_delivery_settled"
)


def lag_s(session: Session, now: datetime, connector_id: int) -> int:
    """Return how many seconds the oldest live or polled delivery has been waiting, 0 when none waits."""
    oldest = session.scalar(_OLDEST, {"connector_id": connector_id})
    return max(int((now - oldest).total_seconds()), 0) if oldest else 0


def stalled(session: Session, now: datetime, connector_id: int) -> int:
    """Return how many people's records are due for more than STALLED while nothing was confirmed; 0 while it moves."""
    mine = {"connector_id": connector_id, "begin": now - STALLED}
    # Only what stands still is counted: of a long queue that moves nobody wants to know how long it is.
    if session.scalar(_ANY_WAITS, mine) is None or session.scalar(_MOVED, mine) is not None:
        return 0
    return session.scalar(_NUMBER_WAITS, mine) or 0
