"""Erasures of people (X12): the job, the receipt that stays of it, and addresses that are not taken any more."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ForeignKey, Index, String, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from integration.models.base import Base, Key

_OPEN_SQL = text("ended_at IS NULL")


class ErasureState(StrEnum):
    """Where an erasure stands; it waits for its turn, for a record on its way, or for a system that is away."""

    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"


class Erasure(Base):
    """One person's erasure, and its receipt: nothing of it tells who the person was but the hash of the address.

    `address_hash` is the SHA-256 of the normalised address, `connector_id` None means all of the organisation; it is no
    foreign key, for a receipt outlives the connector. `in_mautic` is keep, strip or delete. `traces` is sealed: who the
    person is and what has to be found, while the job goes on; it is emptied at the end. `steps` are those that are
    done, `counts` maps what was removed to how many, `in_systems` has a row for each connector, `remains` are sentences
    of what could not be done.
    """

    __tablename__ = "erasure"
    __table_args__ = (
        Index("ix_erasure_page", "organisation_id", "id"),
        Index("ix_erasure_open", "due_at", sqlite_where=_OPEN_SQL, postgresql_where=_OPEN_SQL),
    )

    id: Mapped[Key]
    receipt: Mapped[str] = mapped_column(String(36), unique=True)
    organisation_id: Mapped[int] = mapped_column(ForeignKey("organisation.id"))
    connector_id: Mapped[int | None]
    address_hash: Mapped[str] = mapped_column(String(64))
    in_mautic: Mapped[str] = mapped_column(String(10))
    block: Mapped[bool] = mapped_column(default=False)
    state: Mapped[str] = mapped_column(String(10), default=ErasureState.WAITING)
    asked_by: Mapped[str] = mapped_column(String(254))
    asked_at: Mapped[datetime]
    started_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]
    due_at: Mapped[datetime]
    tries: Mapped[int] = mapped_column(default=0)
    lease_token: Mapped[str | None] = mapped_column(String(32))
    leased_until: Mapped[datetime | None]
    traces: Mapped[str | None] = mapped_column(Text)
    error: Mapped[str] = mapped_column(Text, default="")
    steps: Mapped[list[Any]] = mapped_column(default=list)
    counts: Mapped[dict[str, Any]] = mapped_column(default=dict)
    in_systems: Mapped[list[Any]] = mapped_column(default=list)
    remains: Mapped[list[Any]] = mapped_column(default=list)


class BlockedAddress(Base):
    """An address of which nothing is taken any more, kept as its person key only; `connector_id` 0 means all."""

    __tablename__ = "blocked_address"

    organisation_id: Mapped[int] = mapped_column(ForeignKey("organisation.id"), primary_key=True)
    connector_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    person_key: Mapped[str] = mapped_column(String(64), primary_key=True)
    blocked_at: Mapped[datetime]
