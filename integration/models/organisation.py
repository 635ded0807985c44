"""Organisations: owners of connectors and users."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import String, text
from sqlalchemy.orm import Mapped, mapped_column

from integration.models.base import Base, Key


class Organisation(Base):
    """A company whose rows nobody else sees; `retention` maps a kind of row to the days it is kept."""

    __tablename__ = "organisation"

    id: Mapped[Key]
    name: Mapped[str] = mapped_column(String(120), unique=True)
    created_at: Mapped[datetime]
    retention: Mapped[dict[str, Any]] = mapped_column(default=dict, server_default=text("'{}'"))
