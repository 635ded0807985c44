"""Which orders a run reads with which call, where it reads them in another order than that of their ids."""

from __future__ import annotations

from sqlalchemy import JSON, ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from integration.models.base import Base


class ReadingList(Base):
    """A part of the list of a run: `calls` are the ids of one call each, `place` is that of the first, from 0.

    Below 0 it is that of a page of the store's list with orders that the order ledger does not keep.
    """

    __tablename__ = "reading_list"

    run_id: Mapped[int] = mapped_column(ForeignKey("run.id", ondelete="CASCADE"), primary_key=True)
    place: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    calls: Mapped[list[list[int]]] = mapped_column(JSON)
