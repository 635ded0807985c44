"""What programs have sent under a key of theirs, so that the same request sent again does nothing twice."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from integration.models.base import Base, Key


class InboundRequest(Base):
    """One request under an idempotency key. `token_id` is 0 for the command line.

    `digest` is the SHA-256 of what was asked: the same key with something else is refused. `answer` is what each item
    was answered with.
    """

    __tablename__ = "inbound_request"
    __table_args__ = (
        Index("uq_inbound_request_key", "connector_id", "token_id", "key", unique=True),
        Index("ix_inbound_request_created_at", "created_at"),
    )

    id: Mapped[Key]
    connector_id: Mapped[int] = mapped_column(ForeignKey("connector.id", ondelete="CASCADE"))
    token_id: Mapped[int]
    key: Mapped[str] = mapped_column(String(200))
    digest: Mapped[str] = mapped_column(String(64))
    answer: Mapped[list[Any]]
    created_at: Mapped[datetime]
