"""Carts: what somebody left at the checkout, kept by us because the store forgets it."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, ColumnElement, ForeignKey, Index, String, Text, case, text
from sqlalchemy.ext.hybrid import hybrid_property
from sqlalchemy.orm import Mapped, mapped_column

from integration.models.base import Base, Key


class CartState(StrEnum):
    """Where a cart stands; `bought` is one that was bought before it was announced, and needs no reminder."""

    ACTIVE = "active"
    ABANDONED = "abandoned"
    SYNCED = "synced"
    RECOVERED = "recovered"
    BOUGHT = "bought"
    EXPIRED = "expired"
    NO_CONSENT = "no_consent"


#: States of a cart that has not ended: it can be brought back, and an order ends it.
OPEN = (CartState.ACTIVE, CartState.ABANDONED, CartState.SYNCED)
#: Conditions of the indices that detection and preparing go by; a query has them word for word, or uses none.
ACTIVE_SQL = text("state = 'active' AND email <> ''")
UNPREPARED_SQL = text("state = 'abandoned' AND prepared_at IS NULL")


class Cart(Base):
    """One cart. `key` is what the shop's side knows it by: the script's random name, or "order:<id>" of an order.

    `page` is the path of the shop's checkout, "" while it is not known.

    `items` are the products as captured: [{"id", "qty", "variation": [[attribute, value], …]}], `id` that of the
    variation where there is one; None where the page could not tell them. Those of an order that waits for its payment
    have a "line" too, for its prices are agreed. `lines` are those items as the store described and priced them when
    the cart was announced (streams.cart_payload), None before. `fingerprint` tells e-mail and items apart from others;
    `changed_at` is when it last changed, by our clock: idleness counts from there.
    `sequence` is the number of the newest capture, so that one that is overtaken or sent again changes nothing; of an
    order that is the second in which the store had changed it.

    `consent` is {"source", "wording", "at", "draft_id"}: no address is kept without one, or without the setting that
    says that none is needed. `order_id` is the draft or unpaid order of the cart. `prepared_at` is when prices, link
    and coupon were ready and the cart was owed to Mautic; until then `due_at` says when the store is asked next and
    `tries` how often it was asked. After `announce_until` nobody is reminded any more. `coupon_code` without a
    `coupon_id` is one that was asked for, and that the store may have made or not. `reason` is the code of why it ended
    unannounced (streams.carts.ENDS), `problem` what a person should know. `token_digest` is the SHA-256 of the recovery
    link's token. `proof` says how the order was known to be this cart's (mapping.cart_orders.PROOFS). `contact_id` is
    the contact that has the cart in Mautic, None where it is still to be sent to its present address.
    """

    __tablename__ = "cart"
    __table_args__ = (
        Index("uq_cart_key", "connector_id", "key", unique=True),
        Index("ix_cart_idle", "connector_id", "changed_at", sqlite_where=ACTIVE_SQL, postgresql_where=ACTIVE_SQL),
        Index("ix_cart_due", "due_at", sqlite_where=UNPREPARED_SQL, postgresql_where=UNPREPARED_SQL),
        Index("ix_cart_state", "connector_id", "state", "id"),
        Index("ix_cart_person", "connector_id", "person_key"),
        Index("ix_cart_order", "connector_id", "order_id"),
        Index("ix_cart_bought", "connector_id", "bought_order_id"),
        Index("ix_cart_coupon", "connector_id", "coupon_code"),
        Index("ix_cart_created", "connector_id", "created_at"),
    )

    id: Mapped[Key]
    connector_id: Mapped[int] = mapped_column(ForeignKey("connector.id", ondelete="CASCADE"))
    key: Mapped[str] = mapped_column(String(64))
    state: Mapped[str] = mapped_column(String(12), default=CartState.ACTIVE)
    source: Mapped[str] = mapped_column(String(12))
    page: Mapped[str] = mapped_column(String(200), default="", server_default="")
    email: Mapped[str] = mapped_column(String(254), default="")
    person_key: Mapped[str] = mapped_column(String(64), default="")
    items: Mapped[list[Any] | None] = mapped_column(JSON(none_as_null=True))
    lines: Mapped[list[Any] | None] = mapped_column(JSON(none_as_null=True))
    currency: Mapped[str] = mapped_column(String(10), default="")
    total: Mapped[str] = mapped_column(String(40), default="")
    fingerprint: Mapped[str] = mapped_column(String(64), default="")
    sequence: Mapped[int] = mapped_column(default=0)
    consent: Mapped[dict[str, Any] | None]
    order_id: Mapped[int | None]
    customer_id: Mapped[int | None]
    created_at: Mapped[datetime]
    changed_at: Mapped[datetime]
    seen_at: Mapped[datetime]
    abandoned_at: Mapped[datetime | None]
    announce_until: Mapped[datetime | None]
    prepared_at: Mapped[datetime | None]
    due_at: Mapped[datetime | None]
    tries: Mapped[int] = mapped_column(default=0)
    synced_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]
    contact_id: Mapped[int | None]
    reason: Mapped[str] = mapped_column(String(40), default="")
    problem: Mapped[str] = mapped_column(Text, default="")
    coupon_id: Mapped[int | None]
    coupon_code: Mapped[str] = mapped_column(String(64), default="")
    coupon_until: Mapped[datetime | None]
    token_digest: Mapped[str | None] = mapped_column(String(64), unique=True)
    opens: Mapped[int] = mapped_column(default=0)
    opened_at: Mapped[datetime | None]
    proof: Mapped[str] = mapped_column(String(12), default="")
    bought_order_id: Mapped[int | None]
    revenue: Mapped[str] = mapped_column(String(40), default="")
    revenue_currency: Mapped[str] = mapped_column(String(10), default="")

    @hybrid_property
    def touched_at(self) -> datetime:
        """Return when the cart last changed or was announced: it is kept for so many days from then on (P61)."""
        return max(self.changed_at, self.prepared_at or self.changed_at)

    @touched_at.inplace.expression
    @classmethod
    def _touched_at(cls) -> ColumnElement[datetime]:
        return case((cls.prepared_at > cls.changed_at, cls.prepared_at), else_=cls.changed_at)


class CartEvent(Base):
    """A moment of a cart's story, in words for people."""

    __tablename__ = "cart_event"
    __table_args__ = (Index("ix_cart_event_cart", "cart_id", "id"),)

    id: Mapped[Key]
    cart_id: Mapped[int] = mapped_column(ForeignKey("cart.id", ondelete="CASCADE"))
    at: Mapped[datetime]
    text: Mapped[str] = mapped_column(Text)
