"""Attempts: what was tried for a delivery, what was sent and what came back."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from integration.models.base import Base, Key


class Attempt(Base):
    """One try of one delivery (A5), or `tries` in a row of the same cause that nothing could be sent in.

    `outcome` is delivered, later, dead, skipped or conflict. `sent` holds what went to Mautic for this record
    (fields, tags, follow_ups; secrets masked), `answer` what came back (outcome, contact_id, status, errors),
    `differs` maps a field to [store, Mautic] where somebody else had changed it. `seconds` is the time of the batch,
    `correlation_id` what its calls carried in X-Correlation-ID. `last_at` is when the last of several tries was.
    """

    __tablename__ = "attempt"
    __table_args__ = (
        Index("ix_attempt_delivery", "delivery_id", "id"),
        Index("ix_attempt_at", "connector_id", "at"),
    )

    id: Mapped[Key]
    connector_id: Mapped[int] = mapped_column(ForeignKey("connector.id", ondelete="CASCADE"))
    delivery_id: Mapped[int] = mapped_column(ForeignKey("delivery.id", ondelete="CASCADE"))
    at: Mapped[datetime]
    seconds: Mapped[float]
    outcome: Mapped[str] = mapped_column(String(10))
    http_status: Mapped[int | None]
    error_code: Mapped[str] = mapped_column(String(40), default="")
    message: Mapped[str] = mapped_column(Text, default="")
    sent: Mapped[dict[str, Any] | None]
    answer: Mapped[dict[str, Any] | None]
    differs: Mapped[dict[str, Any] | None]
    correlation_id: Mapped[str] = mapped_column(String(64), default="")
    tries: Mapped[int] = mapped_column(default=1, server_default="1")
    last_at: Mapped[datetime | None]
