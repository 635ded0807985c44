"""Calls to Mautic without an answer: what was written may be there, may come yet, or may never have arrived."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from integration.models.base import Base, Key


class UnansweredCall(Base):
    """A write whose answer did not come, or a lease that was taken back while one may have been out.

    `rows` is how many people it may have held, `pause_s` the seconds to leave Mautic alone before each look, `look_at`
    when the next look is due, `looks` how many there were. It is deleted once it is known what Mautic holds.
    """

    __tablename__ = "unanswered_call"
    __table_args__ = (Index("ix_unanswered_call_look", "connector_id", "look_at"),)

    id: Mapped[Key]
    connector_id: Mapped[int] = mapped_column(ForeignKey("connector.id", ondelete="CASCADE"))
    token: Mapped[str] = mapped_column(String(32))
    sent_at: Mapped[datetime]
    rows: Mapped[int]
    pause_s: Mapped[float]
    look_at: Mapped[datetime]
    looks: Mapped[int] = mapped_column(default=0)


class UnansweredPerson(Base):
    """A person of an unanswered call: nothing of theirs is claimed before it is closed.

    `seen` is how much of the person the last look found in Mautic (see pipeline.lost_answers), None before the first.
    """

    __tablename__ = "unanswered_person"
    __table_args__ = (Index("ix_unanswered_person_call", "call_id"),)

    connector_id: Mapped[int] = mapped_column(ForeignKey("connector.id", ondelete="CASCADE"), primary_key=True)
    person_key: Mapped[str] = mapped_column(String(64), primary_key=True)
    call_id: Mapped[int] = mapped_column(ForeignKey("unanswered_call.id", ondelete="CASCADE"))
    seen: Mapped[int | None]
