"""Entries of the sync log with their counts, and a prune of what is old."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta

from integration.models import SyncLogCount, SyncLogEntry
from integration.models.sql import hour_of
from integration.operations import retention
from tests.operations.conftest import NOW, Scene


def prune(scene: Scene, batch: int = 7, pauses: list[int] | None = None) -> dict[str, int]:
    tick = (lambda: pauses.append(1)) if pauses is not None else (lambda: None)
    return retention.prune(scene, NOW, batch=batch, pause=tick)


def entry(connector_id: int, age: timedelta, status: str = "success", kind: str = "order") -> SyncLogEntry:
    return SyncLogEntry(
        connector_id=connector_id, at=NOW - age, type=kind, object_id="1", action="create_or_update", status=status
    )


def log(scene: Scene, entries: list[SyncLogEntry]) -> None:
    counts = Counter((e.connector_id, hour_of(e.at), e.type, e.action, e.status) for e in entries)
    with scene.db.write() as session:
        session.add_all(entries)
        for (connector_id, hour, kind, action, status), number in counts.items():
            session.add(
                SyncLogCount(
                    connector_id=connector_id, hour=hour, type=kind, action=action, status=status, entries=number
                )
            )
