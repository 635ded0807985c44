"""Sync Log pages and Clear at 1,000,000 rows, in the server, on SQLite."""

from __future__ import annotations

import gc
import os
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from app import create_app
from integration.config import Deployment
from integration.models import Organisation
from integration.models.migrate import upgrade
from integration.models.user import Role
from integration.operations.identity import accounts
from integration.pipeline.connectors import connectors
from integration.pipeline.services import open_services
from tests.bench.world import report
from tests.bench_data import fill_log

ROWS = int(os.environ.get("BENCH_LOG_ROWS", "1000000"))
TIMES = 300
PAGES = {
    "first page": {},
    "last page": {"page": str(10**8)},
    "middle page": {"page": str(ROWS // 50)},
    "filtered by status": {"status": "error"},
    "filtered by status, deep": {"status": "error", "page": "300"},
    "filtered by type and action": {"type": "order", "action": "create_note"},
    "filtered by object": {"object": "1234"},
    "filtered by e-mail": {"contact": "nobody@example.com"},
    "filtered by contact": {"contact": "777"},
    "filtered by days": {"since": "2026-09-20", "until": "2026-09-30"},
}


def measure() -> None:
    """Measure whole requests with Flask's test client: routing, queries and rendering, without the socket."""
    with tempfile.TemporaryDirectory() as folder:
        deployment = Deployment(
            instance_path=Path(folder),
            secret_key="b" * 32,
            database_url=f"sqlite:///{folder}/log.sqlite",
            ratelimit=False,
        )
        upgrade(deployment.database_url)
        services = open_services(deployment)
        now = services.clock.now()
        with services.db.write() as session:
            session.add(Organisation(name="Bench", created_at=now))
        connector_id = connectors.create(services, organisation_id=1, name="Bench")
        fill_log(services.db, connector_id, ROWS, now)
        gc.collect()
        client = create_app(deployment, services).test_client()
        user = accounts.create_user(services, 1, "bench@example.com", Role.ADMIN, "bench-password-1")
        token = accounts.make_link(services, user)
        client.application.config["WTF_CSRF_ENABLED"] = False
        assert client.post(f"/sign-in/link/{token}").status_code in (302, 303)
        address = f"/connectors/{connector_id}/tools/log"
        for name, args in PAGES.items():
            _report(name, lambda a=args: client.get(address, query_string=a))  # type: ignore[misc]  # bound per loop
        _clear(client, connector_id)


def _report(name: str, ask: Callable[[], object]) -> None:
    seconds = []
    for _ in range(3):
        # Templates are compiled and the file's pages are cached with the first requests of a process.
        ask()
    for _ in range(TIMES):
        began = time.perf_counter()
        answer = ask()
        seconds.append(time.perf_counter() - began)
        assert answer.status_code == 200  # type: ignore[attr-defined]  # a test response
    p99 = statistics.quantiles(seconds, n=100)[98] * 1000
    median = statistics.median(seconds) * 1000
    report(f"sync log, {name}", p99, "ms p99", "<= 50", p99 <= 50, median=round(median, 1), rows=ROWS)


def _clear(client: object, connector_id: int) -> None:
    address = f"/connectors/{connector_id}/tools/clear"
    began = time.perf_counter()
    answer = client.post(address, data={"scope": "all"})  # type: ignore[attr-defined]  # a test client
    shown = client.get(f"/connectors/{connector_id}/tools/log")  # type: ignore[attr-defined]  # a test client
    took = (time.perf_counter() - began) * 1000
    assert answer.status_code in (302, 303), answer.status_code
    assert shown.status_code == 200
    report("clear until the page shows it empty", took, "ms", "<= 100", took <= 100, rows=ROWS)
