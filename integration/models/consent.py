"""The consent ledger: each consent that was given or withdrawn, kept as evidence."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, Index, String, text
from sqlalchemy.orm import Mapped, mapped_column

from integration.models.base import Base, Key

_TO_WRITE = text("write_back = 'waiting'")


class ConsentEntry(Base):
    """One thing that was said of a person's consent; rows are added and stay (mapping.consent has the words).

    `source` and `ref` are what says it: a customer, order, cart, subscription or Mautic contact with its id. `key` is
    the meta key in the store, `value` what stood there, or Mautic's remark. `version` tells wordings apart. `said_at`
    is when it was said, `created_at` when we learned of it. `mark` is a digest of what makes it one entry. `write_back`
    is "" where nothing is to be written into the store, else waiting, written, or why not.
    """

    __tablename__ = "consent"
    __table_args__ = (
        Index("ix_consent_page", "connector_id", "id"),
        Index("ix_consent_person", "connector_id", "person_key", "id"),
        Index("ix_consent_state", "connector_id", "state", "id"),
        Index("uq_consent_mark", "connector_id", "mark", unique=True),
        Index("ix_consent_waiting", "connector_id", "id", sqlite_where=_TO_WRITE, postgresql_where=_TO_WRITE),
    )

    id: Mapped[Key]
    connector_id: Mapped[int] = mapped_column(ForeignKey("connector.id", ondelete="CASCADE"))
    person_key: Mapped[str] = mapped_column(String(64))
    email: Mapped[str] = mapped_column(String(320))
    state: Mapped[str] = mapped_column(String(12))
    source: Mapped[str] = mapped_column(String(10))
    ref: Mapped[str] = mapped_column(String(60))
    key: Mapped[str] = mapped_column(String(255), default="")
    value: Mapped[str] = mapped_column(String(200), default="")
    wording: Mapped[str] = mapped_column(String(500), default="")
    version: Mapped[str] = mapped_column(String(8), default="")
    said_at: Mapped[datetime]
    created_at: Mapped[datetime]
    mark: Mapped[str] = mapped_column(String(64))
    write_back: Mapped[str] = mapped_column(String(300), default="")
