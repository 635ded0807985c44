"""What happens to connectors for the activity feed to tell, and the feed as it is asked for."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import insert

from integration.models import AuditAction, Delivery, Run
from integration.operations import audit
from integration.operations.monitoring import activity
from integration.operations.monitoring.activity import ActivityQuery
from tests.operations.conftest import NOW, Scene

MINUTE = timedelta(minutes=1)
Told = list[tuple[str, str]]


def ago(minutes: float) -> datetime:
    return NOW - minutes * MINUTE


def add(scene: Scene, *rows: Any) -> None:
    with scene.db.write() as session:
        session.add_all(rows)


def ask(scene: Scene, *connectors: int, size: int = 100, whole: bool = False, **asked: str) -> activity.Feed:
    query, notices = ActivityQuery.parse(1, 1, connectors or (1, 2), asked)
    assert notices == []
    with scene.db.read() as session:
        return activity.read(session, ActivityQuery(**{**vars(query), "size": size}), whole=whole)


def told(scene: Scene, **asked: Any) -> Told:
    return [(event.kind, event.title) for event in ask(scene, **asked).events]


def run(number: int, started: float, ended: float | None = None, **values: Any) -> Run:
    given: dict[str, Any] = {"connector_id": 1, "kind": "full", "state": "RUNNING" if ended is None else "COMPLETED"}
    times = {"created_at": ago(started), "ended_at": None if ended is None else ago(ended)}
    return Run(id=number, correlation_id=str(number), **{**given, **times, **values})


def delivery(number: int, at: datetime, state: str = "dead", **values: Any) -> dict[str, Any]:
    given: dict[str, Any] = {"connector_id": 1, "error_code": "rejected", "error": "Mautic refused the e-mail address."}
    moments = {"due_at": at, "payload_at": at, "created_at": at, "settled_at": at}
    names = {name: str(number) for name in ("source_id", "event", "identity", "person_key")}
    died = at if state == "dead" else None
    return {**given, **moments, **names, "kind": "order", "origin": "poll", "state": state, "died_at": died, **values}


def deliver(scene: Scene, rows: list[dict[str, Any]]) -> None:
    with scene.db.write() as session:
        for row in rows:
            session.execute(insert(Delivery).values(**row))


def change(scene: Scene, action: AuditAction = AuditAction.UPDATED, minutes: float = 1, **values: Any) -> None:
    given = {"organisation_id": 1, "connector_id": 1, "actor": "ann@owner.test", "entity": "settings"}
    with scene.db.write() as session:
        audit.record(session, clock_now=ago(minutes), action=action, **{**given, **values})
