"""The sync log (P80 to P88) and its hourly counts."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, Index, String, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from integration.models.base import Base, Key

_ERROR_SQL = text("status = 'error'")


class SyncLogEntry(Base):
    """One action that was tried; `person_key` finds it by e-mail without storing the address."""

    __tablename__ = "sync_log"
    __table_args__ = (
        Index("ix_sync_log_type", "connector_id", "type", "id"),
        Index("ix_sync_log_status", "connector_id", "status", "id"),
        Index("ix_sync_log_action", "connector_id", "action", "id"),
        Index("ix_sync_log_object", "connector_id", "object_id", "id"),
        Index("ix_sync_log_contact", "connector_id", "contact_id", "id"),
        Index("ix_sync_log_person_key", "connector_id", "person_key", "id"),
        Index("ix_sync_log_page", "connector_id", "id"),
        Index(
            "ix_sync_log_error_type",
            "connector_id",
            "type",
            "id",
            sqlite_where=_ERROR_SQL,
            postgresql_where=_ERROR_SQL,
        ),
        Index(
            "ix_sync_log_error_action",
            "connector_id",
            "action",
            "id",
            sqlite_where=_ERROR_SQL,
            postgresql_where=_ERROR_SQL,
        ),
        Index("ix_sync_log_at", "connector_id", "at", "id"),
    )

    id: Mapped[Key]
    connector_id: Mapped[int] = mapped_column(ForeignKey("connector.id", ondelete="CASCADE"))
    at: Mapped[datetime]
    type: Mapped[str] = mapped_column(String(20))
    object_id: Mapped[str] = mapped_column(String(60))
    source_id: Mapped[str] = mapped_column(String(40), default="")
    action: Mapped[str] = mapped_column(String(30))
    status: Mapped[str] = mapped_column(String(10))
    contact_id: Mapped[int | None]
    message: Mapped[str] = mapped_column(Text, default="")
    person_key: Mapped[str] = mapped_column(String(64), default="")
    delivery_id: Mapped[int | None]
    run_id: Mapped[int | None]


class SyncLogCount(Base):
    """How many entries an hour has, by type, action and status; written in the transaction of the entries."""

    __tablename__ = "sync_log_count"

    connector_id: Mapped[int] = mapped_column(ForeignKey("connector.id", ondelete="CASCADE"), primary_key=True)
    hour: Mapped[datetime] = mapped_column(primary_key=True)
    type: Mapped[str] = mapped_column(String(20), primary_key=True)
    action: Mapped[str] = mapped_column(String(30), primary_key=True)
    status: Mapped[str] = mapped_column(String(10), primary_key=True)
    entries: Mapped[int]
