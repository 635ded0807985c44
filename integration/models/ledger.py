"""The order ledger: one small row an order, so that lifetime values are a sum over one person's rows."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from integration.models.base import Base


class LedgerEntry(Base):
    """An order as it was last seen; money as decimal text in `currency`, `net_total` is less all refunds.

    `products` has [name, sku, product id] of each line, None as long as the order was only read without its lines.
    `gone_at` is when it was noted, by our clock, that the store has it no more or in the trash.
    `reached_at` is when it reached its status, as long as only an import saw that: the next live change carries it.
    `listed` is the stamp of the row of the store's list that said all this (ingest/listed_orders.py), "" for none.
    """

    __tablename__ = "order_ledger"
    __table_args__ = (Index("ix_order_ledger_person_key", "connector_id", "person_key"),)

    connector_id: Mapped[int] = mapped_column(ForeignKey("connector.id", ondelete="CASCADE"), primary_key=True)
    order_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    person_key: Mapped[str] = mapped_column(String(64))
    status: Mapped[str] = mapped_column(String(40))
    net_total: Mapped[str] = mapped_column(String(40))
    refunded: Mapped[bool] = mapped_column(default=False)
    currency: Mapped[str] = mapped_column(String(10))
    ordered_at: Mapped[datetime | None]
    local_date: Mapped[str] = mapped_column(String(10), default="")
    modified_at: Mapped[datetime | None]
    products: Mapped[list[Any] | None] = mapped_column(JSON(none_as_null=True))
    reached_at: Mapped[datetime | None]
    gone_at: Mapped[datetime | None]
    listed: Mapped[str] = mapped_column(String(32), default="", server_default="")


class CustomerMark(Base):
    """A customer as last read: customers have no modification window, so what moved is told by these marks.

    `person_key` is that of the account's own address, "" while it was not read.
    """

    __tablename__ = "customer_mark"

    connector_id: Mapped[int] = mapped_column(ForeignKey("connector.id", ondelete="CASCADE"), primary_key=True)
    customer_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    version: Mapped[str] = mapped_column(String(64))
    person_key: Mapped[str] = mapped_column(String(64), default="", server_default="")
