"""The audit log: who changed what."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from integration.models.base import Base, Key


class AuditAction(StrEnum):
    """What was done (F2)."""

    CREATED = "CREATED"
    UPDATED = "UPDATED"
    DELETED = "DELETED"
    PAUSED = "PAUSED"
    RESUMED = "RESUMED"
    SYNC_TRIGGERED = "SYNC_TRIGGERED"
    SYNC_CANCELLED = "SYNC_CANCELLED"
    SYNC_PAUSED = "SYNC_PAUSED"
    REPLAYED = "REPLAYED"
    DISCARDED = "DISCARDED"
    LOG_CLEARED = "LOG_CLEARED"
    DEBUG_ON = "DEBUG_ON"
    DEBUG_OFF = "DEBUG_OFF"
    SIGNED_IN = "SIGNED_IN"
    SIGN_IN_FAILED = "SIGN_IN_FAILED"
    USER_CHANGED = "USER_CHANGED"
    WEBHOOKS_CHANGED = "WEBHOOKS_CHANGED"
    FIELDS_CREATED = "FIELDS_CREATED"
    TOKEN_CHANGED = "TOKEN_CHANGED"
    REPAIRED = "REPAIRED"
    EDITED = "EDITED"
    RECEIVED = "RECEIVED"
    ERASURE_ASKED = "ERASURE_ASKED"
    ERASED = "ERASED"
    UNBLOCKED = "UNBLOCKED"
    UNINSTALLED = "UNINSTALLED"
    STORE_CONFIRMED = "STORE_CONFIRMED"
    RESTORED = "RESTORED"


class AuditEntry(Base):
    """One act of a person or of the system; `diff` maps a setting to [before, after], secrets as "changed".

    `hash` covers the entry and `previous_hash`, the hash of the organisation's entry before it: a chain.
    """

    __tablename__ = "audit_entry"
    __table_args__ = (Index("ix_audit_entry_page", "organisation_id", "id"),)

    id: Mapped[Key]
    organisation_id: Mapped[int | None] = mapped_column(ForeignKey("organisation.id"))
    connector_id: Mapped[int | None]
    at: Mapped[datetime]
    actor: Mapped[str] = mapped_column(String(254))
    ip: Mapped[str] = mapped_column(String(45), default="")
    action: Mapped[str] = mapped_column(String(20))
    entity: Mapped[str] = mapped_column(String(120), default="")
    diff: Mapped[dict[str, Any]] = mapped_column(default=dict)
    previous_hash: Mapped[str] = mapped_column(String(64), default="", server_default="")
    hash: Mapped[str] = mapped_column(String(64), default="", server_default="")


class AuditAnchor(Base):
    """Where an organisation's chain begins now: the hash of the newest entry that retention has taken.

    `organisation_id` is 0 for entries of no organisation.
    """

    __tablename__ = "audit_anchor"

    organisation_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    hash: Mapped[str] = mapped_column(String(64))
    entries: Mapped[int]
    moved_at: Mapped[datetime]
