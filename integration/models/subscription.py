"""Subscriptions: who agreed to get e-mails, to what wording, when and from where."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from sqlalchemy import ForeignKey, Index, String, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from integration.models.base import Base, Key


class SubscriptionState(StrEnum):
    """Pending until the link of the e-mail was followed, where one is sent; sent once Mautic has it."""

    PENDING = "pending"
    CONFIRMED = "confirmed"
    SENT = "sent"


_PENDING_SQL = text("state = 'pending'")


class Subscription(Base):
    """One form that was sent, kept as evidence of the consent; a person who subscribes twice has two.

    `consent_text` is the wording that stood beside the ticked box. `source` is page (ours) or script (in a page of the
    shop), `page` the address of the page where the form stood, `ip` where the form came from. `token_digest` is the
    SHA-256 of the confirmation link's token, None where none is needed; `mailed_at` is when Mautic took the e-mail with
    it. `problem` is what a person should know.
    """

    __tablename__ = "subscription"
    __table_args__ = (
        Index("ix_subscription_page", "connector_id", "id"),
        Index("ix_subscription_state", "connector_id", "state", "id"),
        Index("ix_subscription_person", "connector_id", "person_key", "created_at"),
        Index(
            "ix_subscription_pending",
            "connector_id",
            "created_at",
            sqlite_where=_PENDING_SQL,
            postgresql_where=_PENDING_SQL,
        ),
    )

    id: Mapped[Key]
    connector_id: Mapped[int] = mapped_column(ForeignKey("connector.id", ondelete="CASCADE"))
    state: Mapped[str] = mapped_column(String(12))
    email: Mapped[str] = mapped_column(String(254))
    person_key: Mapped[str] = mapped_column(String(64))
    first_name: Mapped[str] = mapped_column(String(100), default="")
    last_name: Mapped[str] = mapped_column(String(100), default="")
    consent_text: Mapped[str] = mapped_column(String(500))
    source: Mapped[str] = mapped_column(String(10))
    page: Mapped[str] = mapped_column(String(300), default="")
    ip: Mapped[str] = mapped_column(String(45), default="")
    created_at: Mapped[datetime]
    token_digest: Mapped[str | None] = mapped_column(String(64), unique=True)
    mailed_at: Mapped[datetime | None]
    confirmed_at: Mapped[datetime | None]
    confirmed_ip: Mapped[str] = mapped_column(String(45), default="")
    sent_at: Mapped[datetime | None]
    contact_id: Mapped[int | None]
    problem: Mapped[str] = mapped_column(Text, default="")
