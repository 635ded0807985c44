"""Runs and their line-by-line log."""

from __future__ import annotations

import uuid
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import (
    ColumnElement,
    ForeignKey,
    Index,
    Select,
    String,
    Text,
    and_,
    case,
    false,
    func,
    literal_column,
    text,
)
from sqlalchemy.ext.hybrid import hybrid_property
from sqlalchemy.orm import Mapped, mapped_column

from integration.models.base import Base, Key
from integration.models.sql import by_index


class RunKind(StrEnum):
    """Why records are read (C1); a reconciliation reads both sides and writes nothing to Mautic (X4)."""

    INITIAL = "initial"
    FULL = "full"
    INCREMENTAL = "incremental"
    BULK = "bulk"
    REPLAY = "replay"
    RECONCILIATION = "reconciliation"


class RunState(StrEnum):
    """Where a run stands (C2)."""

    PENDING = "PENDING"
    RUNNING = "RUNNING"
    PAUSED = "PAUSED"
    COMPLETED = "COMPLETED"
    FAILED = "FAILED"
    CANCELLED = "CANCELLED"


GOING = (RunState.PENDING, RunState.RUNNING)
#: Kinds that a person may pause: those that take long. Others of the connector go on meanwhile.
PAUSABLE = (RunKind.INITIAL, RunKind.FULL, RunKind.BULK)
#: Kinds that read the store for Mautic: what is said of syncs is said of these.
SYNCS = (RunKind.INITIAL, RunKind.FULL, RunKind.INCREMENTAL, RunKind.BULK)
#: Of each of these groups one run of a connector goes at a time; runs of different groups may go beside each other.
EXCLUSIVE = (SYNCS, (RunKind.REPLAY,), (RunKind.RECONCILIATION,))
#: The phase of a run that has read all and waits for what it brought.
DELIVERING = "deliver"
_COMPARED_SQL = text("kind = 'reconciliation'")
_FAILED_SQL = text("state = 'FAILED'")
_OPEN_SQL = text("state IN ('PENDING', 'RUNNING')")
_PAUSED_SQL = text("state = 'PAUSED'")
_GOING_SQL = text("state IN ('PENDING', 'RUNNING') AND kind NOT IN ('replay', 'reconciliation')")
_REPLAYING_SQL = text("state IN ('PENDING', 'RUNNING') AND kind = 'replay'")
_RECONCILING_SQL = text("state IN ('PENDING', 'RUNNING') AND kind = 'reconciliation'")


class Run(Base):
    """One execution. `cursor` says where it goes on after a restart; `phase` what it is doing now.

    `pulled` counts records read from the store, `pushed` deliveries that Mautic confirmed, `already` records that were
    on their way without this run; `calls` to Mautic, `store_calls` to the store. All that is read is accounted for:
    pulled = pushed + skipped + failed + waiting + already. `waiting` is written at the end; while a run goes its open
    deliveries are counted. No figure changes after the end: what is settled then is counted in `late_pushed`,
    `late_skipped` and `late_failed`. `partial` are those of `pushed` that lack something.

    A paused run is not going and has not ended; `pause_asked_at` is then when it came to rest, and `rested_s` the
    seconds that it lay between its parts.

    Nobody takes it before `due_at`; `tries` counts failures in a row without a page between. `error` says what ended it
    or, while it goes, what it waits for.
    """

    __tablename__ = "run"
    __table_args__ = (
        Index("ix_run_connector", "connector_id", "id"),
        Index("ix_run_created", "connector_id", "created_at"),
        Index("ix_run_ended", "connector_id", "ended_at"),
        Index("ix_run_compared", "connector_id", "id", sqlite_where=_COMPARED_SQL, postgresql_where=_COMPARED_SQL),
        Index("ix_run_failed", "connector_id", "created_at", sqlite_where=_FAILED_SQL, postgresql_where=_FAILED_SQL),
        Index("ix_run_open", "connector_id", "id", sqlite_where=_OPEN_SQL, postgresql_where=_OPEN_SQL),
        Index("ix_run_paused", "connector_id", "id", sqlite_where=_PAUSED_SQL, postgresql_where=_PAUSED_SQL),
        Index("uq_run_going", "connector_id", unique=True, sqlite_where=_GOING_SQL, postgresql_where=_GOING_SQL),
        Index(
            "uq_run_replaying",
            "connector_id",
            unique=True,
            sqlite_where=_REPLAYING_SQL,
            postgresql_where=_REPLAYING_SQL,
        ),
        Index(
            "uq_run_reconciling",
            "connector_id",
            unique=True,
            sqlite_where=_RECONCILING_SQL,
            postgresql_where=_RECONCILING_SQL,
        ),
    )

    id: Mapped[Key]
    connector_id: Mapped[int] = mapped_column(ForeignKey("connector.id", ondelete="CASCADE"))
    kind: Mapped[str] = mapped_column(String(20))
    state: Mapped[str] = mapped_column(String(10), default=RunState.PENDING)
    trigger: Mapped[str] = mapped_column(String(120), default="")
    options: Mapped[dict[str, Any]] = mapped_column(default=dict)
    phase: Mapped[str] = mapped_column(String(20), default="")
    cursor: Mapped[dict[str, Any]] = mapped_column(default=dict)
    correlation_id: Mapped[str] = mapped_column(String(36), default=lambda: str(uuid.uuid4()))
    expected: Mapped[int | None]
    pulled: Mapped[int] = mapped_column(default=0)
    accepted: Mapped[int] = mapped_column(default=0)
    pushed: Mapped[int] = mapped_column(default=0)
    skipped: Mapped[int] = mapped_column(default=0)
    failed: Mapped[int] = mapped_column(default=0)
    waiting: Mapped[int] = mapped_column(default=0, server_default="0")
    already: Mapped[int] = mapped_column(default=0, server_default="0")
    partial: Mapped[int] = mapped_column(default=0, server_default="0")
    late_pushed: Mapped[int] = mapped_column(default=0, server_default="0")
    late_skipped: Mapped[int] = mapped_column(default=0, server_default="0")
    late_failed: Mapped[int] = mapped_column(default=0, server_default="0")
    calls: Mapped[int] = mapped_column(default=0)
    store_calls: Mapped[int] = mapped_column(default=0)
    cancel_asked_at: Mapped[datetime | None]
    pause_asked_at: Mapped[datetime | None]
    rested_s: Mapped[int] = mapped_column(default=0, server_default="0")
    lease_token: Mapped[str | None] = mapped_column(String(32))
    leased_until: Mapped[datetime | None]
    due_at: Mapped[datetime | None]
    tries: Mapped[int] = mapped_column(default=0)
    created_at: Mapped[datetime]
    started_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]
    error_code: Mapped[str] = mapped_column(String(40), default="")
    error: Mapped[str] = mapped_column(Text, default="")

    @property
    def is_being_cancelled(self) -> bool:
        """Tell whether it was asked to end and has not come to that yet."""
        return self.state in (*GOING, RunState.PAUSED) and self.cancel_asked_at is not None

    @property
    def is_being_paused(self) -> bool:
        """Tell whether it was asked to rest and goes on meanwhile; whoever asks it to end does not wait for that."""
        return self.state in GOING and self.pause_asked_at is not None and not self.is_being_cancelled

    @hybrid_property
    def is_dry(self) -> bool:
        """Return whether the run only foretells: it sends nothing and moves nothing that is said of syncs."""
        return bool(self.options.get("dry_run"))

    @is_dry.inplace.expression
    @classmethod
    def _is_dry(cls) -> ColumnElement[bool]:
        return func.coalesce(cls.options["dry_run"].as_boolean(), false())

    @hybrid_property
    def sent_nothing(self) -> bool:
        """Return whether it read records and nothing became of any of them: a green tick would be a lie."""
        done = self.pushed or self.skipped or self.failed
        read = self.state == RunState.COMPLETED and bool(self.accepted)
        return read and not done and self.kind != RunKind.INCREMENTAL

    @sent_nothing.inplace.expression
    @classmethod
    def _sent_nothing(cls) -> ColumnElement[bool]:
        done = (cls.pushed == 0, cls.skipped == 0, cls.failed == 0)
        return and_(cls.state == RunState.COMPLETED, cls.accepted != 0, *done, cls.kind != RunKind.INCREMENTAL)

    __mapper_args__ = {
        "polymorphic_on": case((kind == RunKind.RECONCILIATION.value, RunKind.RECONCILIATION.value), else_="run"),
        "polymorphic_identity": "run",
    }


#: What "ix_run_compared" has, as a literal: a bound parameter would keep SQLite from using the index.
COMPARED = Run.kind == literal_column(f"'{RunKind.RECONCILIATION}'")


def among_going(query: Select[Any]) -> Select[Any]:
    """Return a query of runs cut down to those that wait or are worked on, however many have ended."""
    # As literals: a bound parameter would keep SQLite from using the index.
    going = Run.state.in_([literal_column(f"'{state}'") for state in GOING])
    return by_index(query.where(going), Run, "ix_run_open")


def among_paused(query: Select[Any]) -> Select[Any]:
    """Return a query of runs cut down to those that lie until somebody resumes or cancels them."""
    return by_index(query.where(Run.state == literal_column(f"'{RunState.PAUSED}'")), Run, "ix_run_paused")


class FormerRecord(Base):
    """A record that left a run because a person, a replay or a later run sent it again: how it stood when it left.

    So the list of a run's records stays what it was.
    """

    __tablename__ = "former_record"
    __table_args__ = (Index("ix_former_record_delivery", "delivery_id"),)

    run_id: Mapped[int] = mapped_column(ForeignKey("run.id", ondelete="CASCADE"), primary_key=True)
    delivery_id: Mapped[int] = mapped_column(ForeignKey("delivery.id", ondelete="CASCADE"), primary_key=True)
    kind: Mapped[str] = mapped_column(String(20))
    state: Mapped[str] = mapped_column(String(10))
    result: Mapped[str] = mapped_column(String(10))


class RunLine(Base):
    """One line of a run's log, with the payload file that it speaks of."""

    __tablename__ = "run_line"
    __table_args__ = (Index("ix_run_line_run", "run_id", "id"),)

    id: Mapped[Key]
    run_id: Mapped[int] = mapped_column(ForeignKey("run.id", ondelete="CASCADE"))
    at: Mapped[datetime]
    level: Mapped[str] = mapped_column(String(8))
    text: Mapped[str] = mapped_column(Text)
    payload_file_id: Mapped[int | None]
