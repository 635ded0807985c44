"""Payload files: what the store answered and what was sent to Mautic in a run (C7)."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from integration.models.base import Base, Key


class PayloadFile(Base):
    """A masked file in the instance folder; `direction` is pull or push, `name` its path there, `size` in bytes."""

    __tablename__ = "payload_file"
    __table_args__ = (Index("ix_payload_file_run", "run_id", "id"),)

    id: Mapped[Key]
    run_id: Mapped[int] = mapped_column(ForeignKey("run.id", ondelete="CASCADE"))
    connector_id: Mapped[int] = mapped_column(ForeignKey("connector.id", ondelete="CASCADE"))
    direction: Mapped[str] = mapped_column(String(4))
    name: Mapped[str] = mapped_column(String(200))
    size: Mapped[int]
    created_at: Mapped[datetime]
