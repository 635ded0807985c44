"""Alerts: what is wrong, who is told, and what has been told."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, String, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from integration.models.base import Base, Key

_OPEN_SQL = text("ended_at IS NULL")
_DUE_SQL = text("sent_at IS NULL AND given_up_at IS NULL")


class AlertGroup(Base):
    """Recipients that are told together: `emails` a list of addresses, `webhook` a sealed address.

    `connector_ids` and `causes` narrow what they are told; empty means all. `digest` adds a daily summary,
    the next one at `digest_at`.
    """

    __tablename__ = "alert_group"

    id: Mapped[Key]
    organisation_id: Mapped[int] = mapped_column(ForeignKey("organisation.id"), index=True)
    name: Mapped[str] = mapped_column(String(120))
    emails: Mapped[list[Any]] = mapped_column(default=list)
    webhook: Mapped[str | None] = mapped_column(Text)
    connector_ids: Mapped[list[Any]] = mapped_column(default=list)
    causes: Mapped[list[Any]] = mapped_column(default=list)
    digest: Mapped[bool] = mapped_column(default=False)
    digest_at: Mapped[datetime | None]
    created_at: Mapped[datetime]


class Alert(Base):
    """A cause that lasts, told of `since` it began; at most one is open a connector and cause."""

    __tablename__ = "alert"
    __table_args__ = (
        Index(
            "uq_alert_open", "connector_id", "cause", unique=True, sqlite_where=_OPEN_SQL, postgresql_where=_OPEN_SQL
        ),
        Index("ix_alert_page", "connector_id", "id"),
    )

    id: Mapped[Key]
    connector_id: Mapped[int] = mapped_column(ForeignKey("connector.id", ondelete="CASCADE"))
    cause: Mapped[str] = mapped_column(String(40))
    sentence: Mapped[str] = mapped_column(Text)
    hint: Mapped[str] = mapped_column(Text, default="")
    since: Mapped[datetime]
    ended_at: Mapped[datetime | None]


class AlertSilence(Base):
    """Nobody is told of a connector's cause until a moment; `cause` "" means every cause."""

    __tablename__ = "alert_silence"

    connector_id: Mapped[int] = mapped_column(ForeignKey("connector.id", ondelete="CASCADE"), primary_key=True)
    cause: Mapped[str] = mapped_column(String(40), primary_key=True)
    until: Mapped[datetime]
    by: Mapped[str] = mapped_column(String(254))


class AlertNotice(Base):
    """A message for a group; `what` is raised, recovered, digest or test, `way` email or webhook.

    Of an alert a group is told each thing at most once a way. Whoever moves `due_at` on may send it.
    """

    __tablename__ = "alert_notice"
    __table_args__ = (
        Index("ix_alert_notice_due", "due_at", sqlite_where=_DUE_SQL, postgresql_where=_DUE_SQL),
        Index("uq_alert_notice_once", "alert_id", "alert_group_id", "way", "what", unique=True),
        Index("ix_alert_notice_group", "alert_group_id", "id"),
    )

    id: Mapped[Key]
    alert_group_id: Mapped[int] = mapped_column(ForeignKey("alert_group.id", ondelete="CASCADE"))
    alert_id: Mapped[int | None] = mapped_column(ForeignKey("alert.id", ondelete="CASCADE"))
    what: Mapped[str] = mapped_column(String(10))
    way: Mapped[str] = mapped_column(String(10))
    subject: Mapped[str] = mapped_column(String(200))
    body: Mapped[str] = mapped_column(Text)
    created_at: Mapped[datetime]
    due_at: Mapped[datetime]
    attempts: Mapped[int] = mapped_column(default=0)
    sent_at: Mapped[datetime | None]
    given_up_at: Mapped[datetime | None]
    error: Mapped[str] = mapped_column(Text, default="")
