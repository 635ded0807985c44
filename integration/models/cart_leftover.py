"""What a cart has left behind elsewhere and that has to go: its fields at a former contact, its coupon in the store."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from integration.models.base import Base, Key


class CartLeftover(Base):
    """One thing that is left of a cart, which need not be there any more, so it outlives the cart.

    Either `person_key` is the person whose contact still has the cart, or `coupon_code` the coupon that the store still
    has, "" otherwise; `coupon_id` is None where the store may have made that coupon or not. It is looked at when it is
    due.
    """

    __tablename__ = "cart_leftover"
    __table_args__ = (Index("ix_cart_leftover_due", "connector_id", "due_at"),)

    id: Mapped[Key]
    connector_id: Mapped[int] = mapped_column(ForeignKey("connector.id", ondelete="CASCADE"))
    cart_id: Mapped[int]
    person_key: Mapped[str] = mapped_column(String(64), default="")
    coupon_id: Mapped[int | None]
    coupon_code: Mapped[str] = mapped_column(String(64), default="")
    noted_at: Mapped[datetime]
    due_at: Mapped[datetime]
