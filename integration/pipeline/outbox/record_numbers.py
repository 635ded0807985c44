"""Finds records by the beginning of their order number or of the store's id."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from sqlalchemy import select
from sqlalchemy.orm import Session

from integration.models.delivery import Delivery
from integration.models.sql import begins, by_index, last_first
from integration.pipeline.outbox.states import DEAD

#: Of more numbers than this a beginning says too little: so many of each kind are found.
NUMBERED_ROWS_MAX = 1_000
#: Numbers and ids together.
NUMBERED_AT_MOST = 2 * (NUMBERED_ROWS_MAX + 1)
_MORE = "More than {0:,} numbers begin with “{1}”; {0:,} of them were looked through. Write more of the number."
#: Column -> the index of all records, and of dead letters.
_INDEXES = {
    "number": ("ix_delivery_number", "ix_delivery_letter_number"),
    "source_id": ("ix_delivery_source", "ix_delivery_letter_source"),
}


class Numbered(NamedTuple):
    """The ids of records whose number or id begins with a text, and what to say where those are not all."""

    ids: Sequence[int]
    notices: Sequence[str]


def beginning(session: Session, connector_id: int, text: str, *, dead: bool = False) -> Numbered:
    """Find records whose number or id begins with a text, of each no more than NUMBERED_ROWS_MAX and one."""
    ids, most = set[int](), 0
    for name, indexes in _INDEXES.items():
        column = getattr(Delivery, name)
        where = [Delivery.connector_id == connector_id, begins(session, column, text), *([DEAD] if dead else [])]
        # In the order of the index: a few digits are the beginning of millions, which nobody may sort.
        found = select(Delivery.id).where(*where).order_by(last_first(session, column)).limit(NUMBERED_ROWS_MAX + 1)
        these = session.scalars(by_index(found, Delivery, indexes[dead])).all()
        ids, most = ids.union(these), max(most, len(these))
    return Numbered(sorted(ids), [_MORE.format(NUMBERED_ROWS_MAX, text)] if most > NUMBERED_ROWS_MAX else [])
