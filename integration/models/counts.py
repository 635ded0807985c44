"""Counts by the hour, written in the transaction of the rows they count."""

from __future__ import annotations

from datetime import UTC, datetime

from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from integration.models.base import Base


class RecordCount(Base):
    """How many deliveries that were accepted in an hour stand in a state: open, delivered, partial, skipped, conflict,
    dead, closed or discarded."""

    __tablename__ = "record_count"

    connector_id: Mapped[int] = mapped_column(ForeignKey("connector.id", ondelete="CASCADE"), primary_key=True)
    hour: Mapped[datetime] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(String(20), primary_key=True)
    state: Mapped[str] = mapped_column(String(10), primary_key=True)
    result: Mapped[str] = mapped_column(String(10), primary_key=True)
    records: Mapped[int]


#: Before any hour in which something was done.
ALL_BEFORE = datetime(1970, 1, 1, tzinfo=UTC)


class Meter(Base):
    """What a connector did in an hour (C4, X20).

    `pulled` counts records read from the store or brought by webhooks, `pushed` those that Mautic confirmed.
    `single_calls` is what one call for each write would have taken, `proved` how many written contacts were read back
    and `unproved` how many of those differed. A row of the hour `ALL_BEFORE` has what hours did that are kept no more,
    so that a connector's sum never falls.
    """

    __tablename__ = "meter"

    connector_id: Mapped[int] = mapped_column(ForeignKey("connector.id", ondelete="CASCADE"), primary_key=True)
    hour: Mapped[datetime] = mapped_column(primary_key=True)
    pulled: Mapped[int] = mapped_column(default=0)
    pushed: Mapped[int] = mapped_column(default=0)
    skipped: Mapped[int] = mapped_column(default=0)
    failed: Mapped[int] = mapped_column(default=0)
    mautic_calls: Mapped[int] = mapped_column(default=0)
    store_calls: Mapped[int] = mapped_column(default=0)
    single_calls: Mapped[int] = mapped_column(default=0)
    proved: Mapped[int] = mapped_column(default=0)
    unproved: Mapped[int] = mapped_column(default=0)
