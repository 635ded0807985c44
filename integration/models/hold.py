"""Holds: why a connector waits."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, Index, String, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from integration.models.base import Base, Key

_OPEN_SQL = text("released_at IS NULL")


class Hold(Base):
    """A connection at fault: nothing is claimed but a probe from `probe_at` on; at most one is open a service."""

    __tablename__ = "hold"
    __table_args__ = (
        Index(
            "uq_hold_open", "connector_id", "service", unique=True, sqlite_where=_OPEN_SQL, postgresql_where=_OPEN_SQL
        ),
    )

    id: Mapped[Key]
    connector_id: Mapped[int] = mapped_column(ForeignKey("connector.id", ondelete="CASCADE"))
    service: Mapped[str] = mapped_column(String(10))
    code: Mapped[str] = mapped_column(String(40))
    sentence: Mapped[str] = mapped_column(Text)
    hint: Mapped[str] = mapped_column(Text, default="")
    since: Mapped[datetime]
    probe_at: Mapped[datetime]
    probes: Mapped[int] = mapped_column(default=0)
    released_at: Mapped[datetime | None]
