"""Contact links: which Mautic contact a person is, and what was last written there."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from integration.models.base import Base


class ContactLink(Base):
    """person key -> Mautic contact id; `fields` maps each alias (and "tag:x") to a hash of what was last confirmed."""

    __tablename__ = "contact_link"
    __table_args__ = (Index("ix_contact_link_contact", "connector_id", "contact_id"),)

    connector_id: Mapped[int] = mapped_column(ForeignKey("connector.id", ondelete="CASCADE"), primary_key=True)
    person_key: Mapped[str] = mapped_column(String(64), primary_key=True)
    contact_id: Mapped[int]
    fields: Mapped[dict[str, Any]] = mapped_column(default=dict)
    written_at: Mapped[datetime]
