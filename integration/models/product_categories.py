"""The categories of the store's products as they were read last, so that a batch of orders rarely has to ask."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from integration.models.base import Base


class ProductCategories(Base):
    """The slugs of one product's categories as the store writes them; none for a product that it has no more."""

    __tablename__ = "product_categories"

    connector_id: Mapped[int] = mapped_column(ForeignKey("connector.id", ondelete="CASCADE"), primary_key=True)
    product_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    slugs: Mapped[list[Any]]
    read_at: Mapped[datetime]
