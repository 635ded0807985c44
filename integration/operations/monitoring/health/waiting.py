"""Whether work of shoppers waits too long, and whether anything moves at all."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import bindparam, func, select
from sqlalchemy.orm import Session

from integration.models.delivery import Delivery
from integration.models.sql import by_index
from integration.pipeline.outbox.states import LEASED, OPEN, OPEN_INDEX, READY

#: Work of shoppers that waits longer than this is late; imports may take their time.
LATE = timedelta(minutes=10)
#: Whatever waits, imports too, moves on within this time: else nothing is confirmed, whatever the last call said.
STALLED = timedelta(minutes=3)

# Made once: asked of every connector again and again, they cost several times more to make than to run.
_MINE = Delivery.connector_id == bindparam("connector_id")
_BEGIN = bindparam("begin", type_=Delivery.due_at.type)
_WAITS = (_MINE, OPEN, READY | LEASED, Delivery.due_at <= _BEGIN)
_NUMBER_WAITS = by_index(select(func.count()).select_from(Delivery).where(*_WAITS), Delivery, OPEN_INDEX)
_MOVED = by_index(
    select(Delivery.id).where(_MINE, Delivery.settled_at > _BEGIN).limit(1), Delivery, "ix_delivery_settled"
)


def stalled(session: Session, now: datetime, connector_id: int) -> int:
    """Return how many people's records are due for more than STALLED while nothing was confirmed; 0 while it moves.

    To be asked where something waits so long.
    """
    mine = {"connector_id": connector_id, "begin": now - STALLED}
    # Only what stands still is counted: of a long queue that moves nobody wants to know how long it is.
    if session.scalar(_MOVED, mine) is not None:
        return 0
    return session.scalar(_NUMBER_WAITS, mine) or 0
