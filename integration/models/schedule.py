"""Schedules and heartbeats: rows, so that any number of processes may tick."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from integration.models.base import Base


class Schedule(Base):
    """A job that is due again and again; `next_run_at` moves by compare-and-swap.

    `every` is in seconds, 0 = off; `cron`, where it is not empty, is a crontab of five fields in the store's time zone
    and goes before `every`.
    """

    __tablename__ = "schedule"

    connector_id: Mapped[int] = mapped_column(ForeignKey("connector.id", ondelete="CASCADE"), primary_key=True)
    job: Mapped[str] = mapped_column(String(20), primary_key=True)
    every: Mapped[int]
    cron: Mapped[str] = mapped_column(String(100), default="", server_default="")
    next_run_at: Mapped[datetime]
    last_run_at: Mapped[datetime | None]


class InstallationJob(Base):
    """A job that one process does for all of them; until `next_at` the others leave it to `taken_by`.

    That moves by compare-and-swap, so a process that is gone keeps nobody waiting for longer than one turn, and one
    that failed gives it back.
    """

    __tablename__ = "installation_job"

    job: Mapped[str] = mapped_column(String(40), primary_key=True)
    next_at: Mapped[datetime]
    taken_by: Mapped[str] = mapped_column(String(120), default="", server_default="")


class Heartbeat(Base):
    """When a process was last alive."""

    __tablename__ = "heartbeat"

    name: Mapped[str] = mapped_column(String(120), primary_key=True)
    role: Mapped[str] = mapped_column(String(20))
    beat_at: Mapped[datetime]
