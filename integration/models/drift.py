"""Reconciliations and the drift they find between store and Mautic (X4), and gaps of webhooks (X6)."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, String, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from integration.models.base import Base, Key
from integration.models.run import Run, RunKind

_ASKED_SQL = text("asked_at IS NOT NULL AND repaired_at IS NULL")


class Reconciliation(Run):
    """A run that compares store and Mautic, with what it found by kind; `pulled` counts people looked at.

    All of them are accounted for: pulled = skipped (the same on both sides) + missing + doubled + differs + surplus.
    """

    __tablename__ = "reconciliation"
    __mapper_args__ = {"polymorphic_identity": RunKind.RECONCILIATION.value, "polymorphic_load": "selectin"}

    run_id: Mapped[int] = mapped_column(ForeignKey("run.id", ondelete="CASCADE"), primary_key=True)
    missing: Mapped[int] = mapped_column(default=0)
    doubled: Mapped[int] = mapped_column(default=0)
    differs: Mapped[int] = mapped_column(default=0)
    surplus: Mapped[int] = mapped_column(default=0)

    def __init__(self, **values: Any) -> None:
        super().__init__(kind=RunKind.RECONCILIATION, **values)


class Reconciled(Base):
    """A person that a going reconciliation has met in the store: nobody is compared twice, whoever is left is surplus.

    The rows go when the reconciliation has ended and cannot be resumed.
    """

    __tablename__ = "reconciled"

    reconciliation_id: Mapped[int] = mapped_column(
        ForeignKey("reconciliation.run_id", ondelete="CASCADE"), primary_key=True
    )
    person_key: Mapped[str] = mapped_column(String(64), primary_key=True)


class Drift(Base):
    """One difference; `kind` is missing, doubled, differs or surplus, `detail` maps a field to [wanted, in Mautic].

    `asked_at` is when somebody asked to repair it, `repaired_at` when the record was given to the sync again.
    """

    __tablename__ = "drift"
    __table_args__ = (
        Index("ix_drift_page", "reconciliation_id", "id"),
        Index("uq_drift_person_key", "reconciliation_id", "person_key", unique=True),
        Index("ix_drift_asked", "connector_id", "id", sqlite_where=_ASKED_SQL, postgresql_where=_ASKED_SQL),
    )

    id: Mapped[Key]
    reconciliation_id: Mapped[int] = mapped_column(ForeignKey("reconciliation.run_id", ondelete="CASCADE"))
    connector_id: Mapped[int] = mapped_column(ForeignKey("connector.id", ondelete="CASCADE"))
    kind: Mapped[str] = mapped_column(String(10))
    person_key: Mapped[str] = mapped_column(String(64))
    source_kind: Mapped[str] = mapped_column(String(20), default="")
    source_id: Mapped[str] = mapped_column(String(40), default="")
    contact_id: Mapped[int | None]
    detail: Mapped[dict[str, Any]] = mapped_column(default=dict)
    sentence: Mapped[str] = mapped_column(Text, default="")
    found_at: Mapped[datetime]
    asked_at: Mapped[datetime | None]
    repaired_at: Mapped[datetime | None]


class Gap(Base):
    """A time in which the store's webhooks did not come; `cause` is missing, moved, disabled, paused or silent.

    `tried_at` is the last attempt to heal it, `run_id` the run that read what was missed, `saved` its new records.
    """

    __tablename__ = "gap"
    __table_args__ = (Index("ix_gap_page", "connector_id", "id"),)

    id: Mapped[Key]
    connector_id: Mapped[int] = mapped_column(ForeignKey("connector.id", ondelete="CASCADE"))
    cause: Mapped[str] = mapped_column(String(12))
    topics: Mapped[list[Any]] = mapped_column(default=list)
    sentence: Mapped[str] = mapped_column(Text)
    since: Mapped[datetime | None]
    noticed_at: Mapped[datetime]
    tried_at: Mapped[datetime | None]
    healed_at: Mapped[datetime | None]
    run_id: Mapped[int | None]
    saved: Mapped[int] = mapped_column(default=0)
    error: Mapped[str] = mapped_column(Text, default="")
