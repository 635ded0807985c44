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

#: What is due since the moment `due`: facts ask whether there is any, `stalled` how much.
DUE_LONG = (OPEN, READY | LEASED, Delivery.due_at <= bindparam("due", type_=Delivery.due_at.type))


def stalled(session: Session, now: datetime, connector_id: int) -> int:
    """Return how many people's records are due for more than STALLED while nothing was confirmed; 0 while it moves.

    To be asked where something waits so long.
    """
    mine, begin = Delivery.connector_id == connector_id, now - STALLED
    moved = select(Delivery.id).where(mine, Delivery.settled_at > begin).limit(1)
    # Only what stands still is counted: of a long queue that moves nobody wants to know how long it is.
    if session.scalar(by_index(moved, Delivery, "ix_delivery_settled")) is not None:
        return 0
    counted = select(func.count()).select_from(Delivery).where(mine, *DUE_LONG)
    return session.scalar(by_index(counted, Delivery, OPEN_INDEX), {"due": begin}) or 0
