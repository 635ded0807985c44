"""Finds records by the beginning of their order number or of the store's id."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from integration.models.delivery import Delivery
from integration.models.sql import begins, by_index, last_first
from integration.pipeline.outbox.states import DEAD

#: Of more numbers than this a beginning says too little: so many of each kind are found.
NUMBERED_ROWS_MAX = 2_000
#: Column -> the index of all records, and of dead letters.
_INDEXES = {
    "number": ("ix_delivery_number", "ix_delivery_letter_number"),
    "source_id": ("ix_delivery_source", "ix_delivery_letter_source"),
}


def ids_beginning(session: Session, connector_id: int, text: str, *, dead: bool = False) -> Sequence[int]:
    """Return the ids of records whose number or id begins with a text; more than NUMBERED_ROWS_MAX are not all."""
    ids: set[int] = set()
    for name, indexes in _INDEXES.items():
        column = getattr(Delivery, name)
        where = [Delivery.connector_id == connector_id, begins(session, column, text), *([DEAD] if dead else [])]
        # In the order of the index: a few digits are the beginning of millions, which nobody may sort.
        found = select(Delivery.id).where(*where).order_by(last_first(session, column)).limit(NUMBERED_ROWS_MAX + 1)
        ids |= set(session.scalars(by_index(found, Delivery, indexes[dead])))
    return sorted(ids)
