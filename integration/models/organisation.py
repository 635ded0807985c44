"""Organisations: owners of connectors and users."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import String
from sqlalchemy.orm import Mapped
from sqlalchemy.orm import mapped_column

from integration.models.base import Base
from integration.models.base import Key


class Organisation(Base):
    """A company whose rows nobody else sees."""

    __tablename__ = "organisation"

    id: Mapped[Key]
    name: Mapped[str] = mapped_column(String(120), unique=True)
    created_at: Mapped[datetime]
