"""Deliveries: changes on their way to Mautic."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ForeignKey, Index, String, Text, TextClause, text
from sqlalchemy.orm import Mapped, mapped_column

from integration.models.base import Base, Key


class DeliveryState(StrEnum):
    """Where a delivery stands; the first three are open."""

    WAITING = "waiting"
    READY = "ready"
    LEASED = "leased"
    DELIVERED = "delivered"
    SKIPPED = "skipped"
    CONFLICT = "conflict"
    DEAD = "dead"
    DISCARDED = "discarded"
    CLOSED = "closed"


#: What goes first: what a shopper just did, what polling found, history.
LIVE, POLLED, HISTORY = 0, 1, 2
OPEN = (DeliveryState.WAITING, DeliveryState.READY, DeliveryState.LEASED)
_OPEN_SQL = text("state IN ('waiting', 'ready', 'leased')")
_LEAD_SQL = text("state IN ('ready', 'leased')")
_SETTLED_SQL = text("settled_at IS NOT NULL")
_PARTIAL_SQL = text("partial")
_DIED_SQL = text("died_at IS NOT NULL")
_REPLAYED_SQL = text("replayed_at IS NOT NULL")
_DEAD_SQL = text("state = 'dead'")
_CONFLICT_SQL = text("state = 'conflict'")
#: What lists of dead letters are filtered by: where an index has it too, no row has to be looked at to count them.
_CAUSE = ("category", "kind", "error_code")


def _partial(name: str, *columns: str, where: TextClause, prefix: str | None = None) -> Index:
    """Return an index of those rows of a connector for which a condition holds; `prefix` is looked for by beginning."""
    operators = {prefix: "text_pattern_ops"} if prefix else {}
    return Index(name, "connector_id", *columns, sqlite_where=where, postgresql_where=where, postgresql_ops=operators)


class Delivery(Base):
    """One change on its way to Mautic. Of one person at most one is ready or leased; the others wait behind it.

    `priority` is LIVE, POLLED or HISTORY. `due_at` is when the next attempt may begin, `attempts` how often it was
    tried since it was last sent again, `former_attempts` how often before that, `faults` how many of the attempts count
    against the record and not the connection. `result` is created, updated,
    deleted or skipped; `partial` says that the contact was written but a follow-up was not. `died_at` is when it last
    became a dead letter, `replayed_at` when a person last sent it again. Of one record at most one is dead: `failures`
    counts how often the record ended so since `failing_since`, and what another delivery of the record stands for is
    closed by that one (`closed_by`). `corrections` maps a path of the payload ("billing.email") to the value a person
    gave instead of the store's. `reached_at` is when the order reached its status, where a note or an e-mail may
    follow; None for a mere sighting.
    """

    __tablename__ = "delivery"
    __table_args__ = (
        Index(
            "uq_delivery_lead",
            "connector_id",
            "person_key",
            unique=True,
            sqlite_where=_LEAD_SQL,
            postgresql_where=_LEAD_SQL,
        ),
        Index(
            "uq_delivery_identity",
            "connector_id",
            "identity",
            unique=True,
            sqlite_where=_OPEN_SQL,
            postgresql_where=_OPEN_SQL,
        ),
        Index(
            "ix_delivery_ready",
            "connector_id",
            "priority",
            "id",
            sqlite_where=text("state = 'ready'"),
            postgresql_where=text("state = 'ready'"),
        ),
        Index(
            "ix_delivery_waiting",
            "connector_id",
            "person_key",
            "id",
            sqlite_where=text("state = 'waiting'"),
            postgresql_where=text("state = 'waiting'"),
        ),
        Index(
            "ix_delivery_leased",
            "connector_id",
            "lease_token",
            "leased_until",
            sqlite_where=text("state = 'leased'"),
            postgresql_where=text("state = 'leased'"),
        ),
        Index("ix_delivery_token", "lease_token", sqlite_where=_OPEN_SQL, postgresql_where=_OPEN_SQL),
        Index("ix_delivery_run_open", "run_id", sqlite_where=_OPEN_SQL, postgresql_where=_OPEN_SQL),
        Index(
            "ix_delivery_dead",
            "connector_id",
            "id",
            sqlite_where=text("state = 'dead'"),
            postgresql_where=text("state = 'dead'"),
        ),
        Index(
            "ix_delivery_source", "connector_id", "source_id", "kind", postgresql_ops={"source_id": "text_pattern_ops"}
        ),
        Index(
            "uq_delivery_letter",
            "connector_id",
            "source_id",
            "kind",
            unique=True,
            sqlite_where=text("state = 'dead'"),
            postgresql_where=text("state = 'dead'"),
        ),
        Index("ix_delivery_settled", "settled_at"),
        Index("ix_delivery_page", "connector_id", "id"),
        Index(
            "ix_delivery_state", "connector_id", "state", "id", sqlite_where=_SETTLED_SQL, postgresql_where=_SETTLED_SQL
        ),
        Index(
            "ix_delivery_result",
            "connector_id",
            "result",
            "id",
            sqlite_where=_SETTLED_SQL,
            postgresql_where=_SETTLED_SQL,
        ),
        _partial("ix_delivery_state_kind", "state", "kind", "id", where=_SETTLED_SQL),
        _partial("ix_delivery_result_kind", "result", "kind", "id", where=_SETTLED_SQL),
        Index(
            "ix_delivery_run_state", "run_id", "state", "id", sqlite_where=_SETTLED_SQL, postgresql_where=_SETTLED_SQL
        ),
        _partial("ix_delivery_open", "id", where=_OPEN_SQL),
        _partial("ix_delivery_open_source", "source_id", "kind", where=_OPEN_SQL),
        Index("ix_delivery_kind", "connector_id", "kind", "id"),
        Index("ix_delivery_person_key", "connector_id", "person_key", "id"),
        Index("ix_delivery_number", "connector_id", "number", postgresql_ops={"number": "text_pattern_ops"}),
        Index("ix_delivery_created", "connector_id", "created_at", "id"),
        Index("ix_delivery_run", "run_id", "id"),
        Index("ix_delivery_partial", "connector_id", "id", sqlite_where=_PARTIAL_SQL, postgresql_where=_PARTIAL_SQL),
        _partial("ix_delivery_partial_source", "source_id", "kind", where=_PARTIAL_SQL),
        _partial("ix_delivery_died_when", "state", "died_at", *_CAUSE, "id", where=_DIED_SQL),
        _partial("ix_delivery_died_order", "state", "id", "died_at", *_CAUSE, where=_DIED_SQL),
        _partial("ix_delivery_died_minute", "died_at", "error_code", "state", "id", where=_DIED_SQL),
        _partial("ix_delivery_conflict_minute", "settled_at", "error_code", "id", where=_CONFLICT_SQL),
        _partial("ix_delivery_letter_category", "category", "id", where=_DEAD_SQL),
        _partial("ix_delivery_letter_kind", "kind", "id", where=_DEAD_SQL),
        _partial("ix_delivery_letter_both", "category", "kind", "id", where=_DEAD_SQL),
        _partial("ix_delivery_letter_cause", "error_code", "id", "category", "kind", where=_DEAD_SQL),
        _partial("ix_delivery_letter_when", "category", "kind", "died_at", "error_code", "id", where=_DEAD_SQL),
        _partial("ix_delivery_letter_cause_when", "error_code", "kind", "died_at", "category", "id", where=_DEAD_SQL),
        _partial("ix_delivery_letter_number", "number", where=_DEAD_SQL, prefix="number"),
        _partial("ix_delivery_letter_source", "source_id", where=_DEAD_SQL, prefix="source_id"),
        _partial("ix_delivery_letter_person", "person_key", where=_DEAD_SQL),
        _partial("ix_delivery_letter_since", "error_code", "category", "failing_since", where=_DEAD_SQL),
        _partial("ix_delivery_replayed_order", "id", "state", "died_at", *_CAUSE, where=_REPLAYED_SQL),
        Index(
            "ix_delivery_cause",
            "connector_id",
            "error_code",
            "category",
            "settled_at",
            sqlite_where=text("state = 'dead'"),
            postgresql_where=text("state = 'dead'"),
        ),
    )

    id: Mapped[Key]
    connector_id: Mapped[int] = mapped_column(ForeignKey("connector.id", ondelete="CASCADE"))
    run_id: Mapped[int | None]
    kind: Mapped[str] = mapped_column(String(20))
    source_id: Mapped[str] = mapped_column(String(40))
    number: Mapped[str] = mapped_column(String(60), default="")
    event: Mapped[str] = mapped_column(String(40))
    identity: Mapped[str] = mapped_column(String(200))
    person_key: Mapped[str] = mapped_column(String(64))
    origin: Mapped[str] = mapped_column(String(10))
    priority: Mapped[int] = mapped_column(default=0)
    state: Mapped[str] = mapped_column(String(10))
    due_at: Mapped[datetime]
    lease_token: Mapped[str | None] = mapped_column(String(32))
    leased_until: Mapped[datetime | None]
    attempts: Mapped[int] = mapped_column(default=0)
    former_attempts: Mapped[int] = mapped_column(default=0, server_default="0")
    faults: Mapped[int] = mapped_column(default=0, server_default="0")
    payload: Mapped[dict[str, Any] | None]
    payload_at: Mapped[datetime]
    modified_at: Mapped[datetime | None]
    created_at: Mapped[datetime]
    settled_at: Mapped[datetime | None]
    result: Mapped[str] = mapped_column(String(10), default="")
    partial: Mapped[bool] = mapped_column(default=False)
    contact_id: Mapped[int | None]
    error_code: Mapped[str] = mapped_column(String(40), default="")
    error: Mapped[str] = mapped_column(Text, default="")
    category: Mapped[str] = mapped_column(String(14), default="", server_default="")
    started_at: Mapped[datetime | None]
    died_at: Mapped[datetime | None]
    replayed_at: Mapped[datetime | None]
    failures: Mapped[int] = mapped_column(default=0, server_default="0")
    failing_since: Mapped[datetime | None]
    closed_by: Mapped[int | None]
    discard_reason: Mapped[str] = mapped_column(String(300), default="", server_default="")
    corrections: Mapped[dict[str, Any] | None]
    reached_at: Mapped[datetime | None]

    @property
    def attempts_in_all(self) -> int:
        """Return how often it was tried, over all times it was sent again."""
        return self.former_attempts + self.attempts
