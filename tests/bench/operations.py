"""Pages of the operations at 1,000,000 records and 5,000,000 log rows, in the server, on SQLite and PostgreSQL."""

from __future__ import annotations

import gc
import os
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from app import create_app
from integration.config import Deployment
from integration.identity import person_key_of
from integration.models import Organisation
from integration.models.migrate import upgrade
from integration.models.user import Role
from integration.operations.identity import accounts
from integration.pipeline.connectors import connectors
from integration.pipeline.services import open_services
from tests.bench.filling import KNOWN, RUNS, fill
from tests.bench.world import report
from tests.postgres import Cluster, binaries

RECORDS = int(os.environ.get("BENCH_RECORDS", "1000000"))
ENTRIES = int(os.environ.get("BENCH_LOG_ENTRIES", "5000000"))
TIMES = int(os.environ.get("BENCH_TIMES", "200"))
GOAL = 50.0
HERE = "/connectors/{connector}"
PAGES = {
    "records, first page and cards": f"{HERE}/records",
    "records, by status success": f"{HERE}/records?status=success",
    "records, by status failed": f"{HERE}/records?status=failed",
    "records, by status partial": f"{HERE}/records?status=partial",
    "records, by status waiting": f"{HERE}/records?status=waiting",
    "records, by status retrying": f"{HERE}/records?status=retrying",
    "records, by status skipped": f"{HERE}/records?status=skipped",
    "records, by entity type": f"{HERE}/records?kind=contact",
    "records, by operation": f"{HERE}/records?operation=created",
    "records, by source id": f"{HERE}/records?source=123456",
    "records, by part of a source id": f"{HERE}/records?source=1234",
    "records, by e-mail": f"{HERE}/records?email={KNOWN}",
    "records, by run": f"{HERE}/records?run=50",
    "records, by dates": HERE + "/records?since={since}&until={until}",
    "records, by dates and status": HERE + "/records?since={since}&until={until}&status=failed",
    "records, all connectors": f"{HERE}/records?connector=all",
    "records, one record": f"{HERE}/records/500001",
    "search, order number": "/search?q=123457",
    "search, e-mail": f"/search?q={KNOWN}",
    "search, contact id": "/search?q=contact+7777",
    "timeline of a person": f"{HERE}/people/{person_key_of(KNOWN)}",
    "timeline of an order": f"{HERE}/orders/123457",
    "runs, list": f"{HERE}/runs",
    "runs, a run with 200,000 lines": f"{HERE}/runs/{RUNS}",
    "dead letters, groups and first page": f"{HERE}/dead-letters",
    "dead letters, of one cause": f"{HERE}/dead-letters?code=code_3",
    "activity": f"{HERE}/activity",
    "overview": f"{HERE}/",
    "sync log, first page": f"{HERE}/tools/log",
    "sync log, by status": f"{HERE}/tools/log?status=error",
    "sync log, by e-mail": f"{HERE}/tools/log?contact={KNOWN}",
}


def measure() -> None:
    """Measure both databases; PostgreSQL is left out, and that is said, where it is not installed."""
    with tempfile.TemporaryDirectory() as folder:
        _measure("SQLite", f"sqlite:///{folder}/book.sqlite", Path(folder))
    with tempfile.TemporaryDirectory() as folder, _postgres() as url:
        if url is not None:
            _measure("PostgreSQL", url, Path(folder))


@contextmanager
def _postgres() -> Iterator[str | None]:
    if given := os.environ.get("TEST_POSTGRES_URL"):
        yield given
        return
    found = binaries()
    if found is None:
        report("operations on PostgreSQL", 0, "not installed", "measured", False)
        yield None
        return
    cluster = Cluster(found)
    cluster.start()
    yield cluster.url
    cluster.stop()


def _measure(name: str, url: str, folder: Path) -> None:
    deployment = Deployment(instance_path=folder, secret_key="b" * 32, database_url=url, ratelimit=False)
    upgrade(url)
    services = open_services(deployment)
    now = services.clock.now()
    with services.db.write() as session:
        session.add(Organisation(name="Bench", created_at=now))
    connector_id = connectors.create(services, organisation_id=1, name="Bench")
    connectors.create(services, organisation_id=1, name="Beside")
    began = time.perf_counter()
    fill(services.db, connector_id, now, records=RECORDS, entries=ENTRIES)
    report(f"{name}: filled", time.perf_counter() - began, "s", "stated", True, records=RECORDS, log_rows=ENTRIES)
    gc.collect()
    app = create_app(deployment, services)
    app.config["WTF_CSRF_ENABLED"] = False
    client = app.test_client()
    user = accounts.create_user(services, 1, "bench@example.com", Role.ADMIN, "bench-password-1")
    assert client.post(f"/sign-in/link/{accounts.make_link(services, user)}").status_code in (302, 303)
    values = {
        "connector": connector_id,
        "since": f"{now.replace(month=10, day=5):%Y-%m-%dT00:00}",
        "until": f"{now.replace(month=10, day=12):%Y-%m-%dT00:00}",
    }
    for address in PAGES.values():
        client.get(address.format(**values), follow_redirects=True)
    gc.collect()
    # As the server does once it is up.
    gc.freeze()
    for page, address in PAGES.items():
        _report(f"{name}: {page}", lambda a=address: client.get(a.format(**values), follow_redirects=True))  # type: ignore[misc]  # bound per loop
    services.db.dispose()


def _report(name: str, ask: Callable[[], object]) -> None:
    seconds = []
    for _ in range(3):
        # Templates are compiled and the file's pages are cached with the first requests of a process.
        answer = ask()
    if answer.status_code == 404:  # type: ignore[attr-defined]  # a test response
        report(name, 0, "no such page", "measured", False)
        return
    for _ in range(TIMES):
        began = time.perf_counter()
        answer = ask()
        seconds.append(time.perf_counter() - began)
        assert answer.status_code == 200, (name, answer.status_code)  # type: ignore[attr-defined]  # a test response
    p99 = statistics.quantiles(seconds, n=100)[98] * 1000
    report(name, p99, "ms p99", f"<= {GOAL:.0f}", p99 <= GOAL, median=round(statistics.median(seconds) * 1000, 1))
