"""Marks of notes, e-mails and segments, which are done once for an order and a status."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from integration.models.base import Base


class MarkState(StrEnum):
    """Started is committed before the call, done after its answer."""

    STARTED = "started"
    DONE = "done"


class FollowUpMark(Base):
    """One note, e-mail or segment of one order and status.

    A note or an e-mail found started after a crash is looked up in Mautic. `action` is create_note, send_email, or
    segment: with its id, so that another segment is another mark; `remote_id` is the id of the note or the segment.
    """

    __tablename__ = "follow_up_mark"

    connector_id: Mapped[int] = mapped_column(ForeignKey("connector.id", ondelete="CASCADE"), primary_key=True)
    order_id: Mapped[str] = mapped_column(String(40), primary_key=True)
    status: Mapped[str] = mapped_column(String(40), primary_key=True)
    action: Mapped[str] = mapped_column(String(20), primary_key=True)
    state: Mapped[str] = mapped_column(String(10))
    contact_id: Mapped[int | None]
    remote_id: Mapped[int | None]
    started_at: Mapped[datetime]
    done_at: Mapped[datetime | None]
