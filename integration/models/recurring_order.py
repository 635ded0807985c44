"""The store's own subscriptions (WooCommerce Subscriptions), one small row each: which status tags a person has."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from integration.models.base import Base


class RecurringEntry(Base):
    """A recurring order as it was last seen; `products` has [name, sku, product id] of each line.

    `person_key` is "" where the address is missing, `modified_at` is by the store's clock.
    """

    __tablename__ = "recurring_order"
    __table_args__ = (Index("ix_recurring_order_person_key", "connector_id", "person_key"),)

    connector_id: Mapped[int] = mapped_column(ForeignKey("connector.id", ondelete="CASCADE"), primary_key=True)
    recurring_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    person_key: Mapped[str] = mapped_column(String(64))
    status: Mapped[str] = mapped_column(String(40))
    products: Mapped[list[Any]]
    modified_at: Mapped[datetime | None]
