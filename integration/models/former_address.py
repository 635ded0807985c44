"""Addresses that accounts have left: what still comes under them belongs to the person of today."""

from __future__ import annotations

from sqlalchemy import ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from integration.models.base import Base


class FormerAddress(Base):
    """The person key of an address that account `customer_id` had; `now_key` and `email` are those it has today."""

    __tablename__ = "former_address"
    __table_args__ = (Index("ix_former_address_now", "connector_id", "now_key"),)

    connector_id: Mapped[int] = mapped_column(ForeignKey("connector.id", ondelete="CASCADE"), primary_key=True)
    person_key: Mapped[str] = mapped_column(String(64), primary_key=True)
    customer_id: Mapped[int]
    now_key: Mapped[str] = mapped_column(String(64))
    email: Mapped[str] = mapped_column(String(320))
