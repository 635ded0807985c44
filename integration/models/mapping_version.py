"""Every version of a connector's own field mapping, so that one can go back to any of them."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from integration.models.base import Base, Key


class MappingVersion(Base):
    """The rows (settings/mapping.py) as they were saved; `number` counts from 1 in a connector.

    `back_to` is the version whose rows were taken up again, None for rows that were written.
    """

    __tablename__ = "mapping_version"
    __table_args__ = (Index("uq_mapping_version_number", "connector_id", "number", unique=True),)

    id: Mapped[Key]
    connector_id: Mapped[int] = mapped_column(ForeignKey("connector.id", ondelete="CASCADE"))
    number: Mapped[int]
    rows: Mapped[list[Any]] = mapped_column(default=list)
    author: Mapped[str] = mapped_column(String(254), default="", server_default="")
    at: Mapped[datetime]
    back_to: Mapped[int | None]
