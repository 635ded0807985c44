"""What comes about in a shop that is watched: runs that end or stay, and rows that change."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from sqlalchemy import update

from integration.models import Run, Schedule
from tests.operations.alerts.conftest import Watch


def run(shop: Watch, kind: str = "incremental", state: str = "COMPLETED", **values: Any) -> Run:
    now = shop.clock.now()
    ended = None if state in ("PENDING", "RUNNING") else now
    row = Run(
        connector_id=shop.connector_id,
        kind=kind,
        state=state,
        correlation_id="c",
        created_at=now,
        ended_at=ended,
        error="The store closed." if state == "FAILED" else "",
        **values,
    )
    made: Run = shop.add(row)[0]
    return made


def scheduled(shop: Watch) -> None:
    """Let the schedule have had its turn."""
    with shop.services.db.write() as session:
        session.execute(update(Schedule).values(next_run_at=shop.clock.now() + timedelta(minutes=5)))


def change(shop: Watch, statement: Any) -> None:
    with shop.services.db.write() as session:
        session.execute(statement)


def late(shop: Watch) -> None:
    """Let a run wait for hours without anybody taking it, so that the store is not read."""
    run(shop)
    shop.clock.advance(minutes=5)
    run(shop, state="PENDING")
    shop.clock.advance(hours=5)
    scheduled(shop)
