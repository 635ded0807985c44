"""Clear and retention of a large book, while pages are asked for."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from typing import Any

from flask.testing import FlaskClient
from sqlalchemy import select

from integration.models.organisation import Organisation
from integration.operations import retention
from integration.pipeline.services import Services
from tests.bench.filling import SPAN
from tests.bench.world import report

#: What retention has to keep up with.
RECORDS_A_SECOND = 100
CLEAR_MS, PAGE_MS = 100.0, 100.0
ASKED = ("records", "dead-letters", "tools/log", "activity")


def measure(name: str, services: Services, client: FlaskClient, connector_id: int, values: Mapping[str, Any]) -> None:
    """Measure the retention of the oldest days beside pages, then Clear of what is older, then of everything."""
    _retention(name, services, client, connector_id)
    for scope in ({"scope": "older", "days": "40"}, {"scope": "all"}):
        _clear(name, client, connector_id, scope)


def _clear(name: str, client: FlaskClient, connector_id: int, scope: dict[str, str]) -> None:
    began = time.perf_counter()
    answer = client.post(f"/connectors/{connector_id}/tools/clear", data=scope)
    shown = client.get(f"/connectors/{connector_id}/tools/log")
    took = (time.perf_counter() - began) * 1000
    assert (answer.status_code, shown.status_code) == (302, 200)
    report(f"{name}: clear, {scope['scope']}, until the page shows it", took, "ms", "<= 100", took <= CLEAR_MS)


def _retention(name: str, services: Services, client: FlaskClient, connector_id: int) -> None:
    """Let the oldest day's records, attempts and log entries go, and watch the slowest page meanwhile."""
    with services.db.write() as session:
        owner = session.scalars(select(Organisation)).one()
        kept = int(SPAN.days) - 1
        retention.save(session, owner, retention.Keep(success=kept, errors=kept, deliveries=kept, runs=365))
    gone: dict[str, int] = {}
    began = time.perf_counter()
    work = threading.Thread(target=lambda: gone.update(retention.prune(services, services.clock.now())))
    work.start()
    slowest, asked = 0.0, 0
    while work.is_alive():
        page = f"/connectors/{connector_id}/{ASKED[asked % len(ASKED)]}"
        asked_at = time.perf_counter()
        assert client.get(page).status_code == 200
        slowest, asked = max(slowest, time.perf_counter() - asked_at), asked + 1
    took = time.perf_counter() - began
    records = gone["deliveries"]
    rate = records / took
    report(f"{name}: retention, records a second", rate, "1/s", ">= 100", rate >= RECORDS_A_SECOND, gone=gone)
    slow = slowest * 1000
    report(f"{name}: slowest page beside retention", slow, "ms", "<= 100", slow <= PAGE_MS, pages=asked)
