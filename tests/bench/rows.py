"""Ten million rows in records, attempts and log: every list, filter and search, Clear and retention, in the server.

BENCH_ROWS says how many, BENCH_ROWS_ON on what ("sqlite postgresql"), BENCH_PAGES the beginning of the pages' names,
BENCH_ROWS_FOLDER keeps the SQLite book there for the next time, and TEST_POSTGRES_URL names a PostgreSQL whose book is
kept. Of a page that is too slow the slowest statement is told with its plan. `cpu` is the median of this process, in
which SQLite works too; of PostgreSQL the pages that its statements touch are told, and its milliseconds for them.
"""

from __future__ import annotations

import gc
import os
import re
import shutil
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from datetime import datetime
from pathlib import Path
from typing import Any

from flask.testing import FlaskClient
from sqlalchemy import func, select

from app import create_app
from integration import heap
from integration.config import Deployment
from integration.models import Connector, Delivery, Organisation
from integration.models.migrate import upgrade
from integration.models.user import Role
from integration.operations.identity import accounts
from integration.pipeline import installation
from integration.pipeline.connectors import connectors
from integration.pipeline.services import Services, open_services
from tests.bench import upkeep
from tests.bench.filling import Book, book_of, fill
from tests.bench.world import report
from tests.list_pages import PAGES, PAIRS, values_for
from tests.postgres import Cluster, binaries
from tests.statements import caught, plan

ON = os.environ.get("BENCH_ROWS_ON", "sqlite postgresql").split()
TIMES = int(os.environ.get("BENCH_TIMES", "100"))
#: Of a page that is far too slow fewer answers tell enough.
PAGE_MAX_S = 10.0
GOAL_MS = 50.0
_BYTES_A_ROW = 4_000


def measure() -> None:
    """Measure both databases; PostgreSQL is left out, and that is said, where it is not installed."""
    if "sqlite" in ON:
        with _folder() as folder:
            _measure("SQLite", f"sqlite:///{folder}/book.sqlite", Path(folder))
    if "postgresql" in ON:
        with tempfile.TemporaryDirectory() as folder, _postgres() as url:
            if url is not None:
                _measure("PostgreSQL", url, Path(folder))


def rows(folder: Path) -> int:
    """Return how many rows are measured: ten million where they fit on the disk."""
    fit = shutil.disk_usage(folder).free // _BYTES_A_ROW
    return int(os.environ.get("BENCH_ROWS", "10000000" if fit >= 10_000_000 else "1000000"))


def _folder() -> Any:
    kept = os.environ.get("BENCH_ROWS_FOLDER")
    return nullcontext(kept) if kept else tempfile.TemporaryDirectory()


@contextmanager
def _postgres() -> Iterator[str | None]:
    if given := os.environ.get("TEST_POSTGRES_URL"):
        yield given
        return
    found = binaries()
    if found is None:
        report("rows on PostgreSQL", 0, "not installed", "measured", False)
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
    with services.db.write() as session:
        # As the server does at its start.
        installation.check_key(session, services.vault)
    connector_id, book, newest = _book(name, services, rows(folder))
    gc.collect()
    client = _signed_in(services, deployment)
    values = values_for(connector_id, newest, book.records, book.runs)
    wanted = os.environ.get("BENCH_PAGES", "")
    pages = {page: address for page, address in {**PAGES, **PAIRS}.items() if page.startswith(wanted)}
    for address in pages.values():
        client.get(address.format(**values), follow_redirects=True)
    # As the server does once it is up.
    heap.pass_by_what_is_made()
    for page, address in pages.items():
        _page(f"{name}: {page}", services, lambda a=address: client.get(a.format(**values), follow_redirects=True))
    if not wanted:
        upkeep.measure(name, services, client, connector_id, values)
    services.db.dispose()


def _book(name: str, services: Services, records: int) -> tuple[int, Book, datetime]:
    """Return the connector that owns the book, its sizes and its newest moment; it is written where there is none."""
    book = book_of(records, attempts=records)
    with services.db.read() as session:
        newest = session.scalar(select(func.max(Delivery.created_at)))
        owner = session.scalar(select(Connector.id).order_by(Connector.id))
    if newest is not None and owner is not None:
        return owner, book, newest
    now = services.clock.now()
    with services.db.write() as session:
        session.add(Organisation(name="Bench", created_at=now))
    connector_id = connectors.create(services, organisation_id=1, name="Bench")
    connectors.create(services, organisation_id=1, name="Beside")
    began = time.perf_counter()
    fill(services.db, connector_id, now, book)
    report(f"{name}: filled", time.perf_counter() - began, "s", "stated", True, rows=records)
    return connector_id, book, now


def _signed_in(services: Services, deployment: Deployment) -> FlaskClient:
    app = create_app(deployment, services)
    app.config["WTF_CSRF_ENABLED"] = False
    client = app.test_client()
    user = accounts.create_user(services, 1, f"bench-{time.time_ns()}@example.com", Role.ADMIN, "bench-password-1")
    assert client.post(f"/sign-in/link/{accounts.make_link(services, user)}").status_code in (302, 303)
    return client


def _page(name: str, services: Services, ask: Callable[[], Any]) -> None:
    for _ in range(2):
        # Templates are compiled and the file's pages are cached with the first requests of a process.
        ask()
    seconds: list[float] = []
    busy: list[float] = []
    while len(seconds) < TIMES and (len(seconds) < 3 or sum(seconds) < PAGE_MAX_S):
        began, worked = time.perf_counter(), time.process_time()
        answer = ask()
        seconds.append(time.perf_counter() - began)
        busy.append(time.process_time() - worked)
        assert answer.status_code == 200, (name, answer.status_code)
    p99 = statistics.quantiles(seconds, n=100, method="inclusive")[98] * 1000
    half = round(statistics.median(seconds) * 1000, 1)
    # On a machine with other work the CPU says more than the clock; SQLite works in this process.
    cpu = round(statistics.median(busy) * 1000, 1)
    slow = {} if services.db.sqlite else _in_postgres(services, ask)
    slow |= _slowest(services, ask) if p99 > GOAL_MS else {}
    report(name, p99, "ms p99", f"<= {GOAL_MS:.0f}", p99 <= GOAL_MS, median=half, cpu=cpu, **slow)


def _in_postgres(services: Services, ask: Callable[[], Any]) -> dict[str, Any]:
    """Return what the page's questions are to PostgreSQL, another process: pages touched, and milliseconds."""
    with caught(services.db.engine) as found:
        ask()
    pages, took = 0, 0.0
    with services.db.engine.connect() as connection:
        for lines in (plan(connection, each, "(ANALYZE, BUFFERS, TIMING OFF)") for each in found if each.reads):
            top = next((line for line in lines if "Buffers: shared" in line), "")
            pages += sum(int(number) for number in re.findall(r"(?:hit|read)=(\d+)", top))
            took += sum(float(found) for line in lines for found in re.findall(r"Execution Time: ([\d.]+) ms", line))
    return {"statements": len(found), "pages_touched": pages, "postgresql_ms": round(took, 1)}


def _slowest(services: Services, ask: Callable[[], Any]) -> dict[str, Any]:
    """Return the statement that took longest, its time and its plan."""
    with caught(services.db.engine) as found:
        ask()
    slowest = max((each for each in found if each.reads), key=lambda each: each.seconds)
    with services.db.engine.connect() as connection:
        lines = plan(connection, slowest)
    took = round(slowest.seconds * 1000, 1)
    return {"statement": slowest.text, "values": repr(slowest.values)[:300], "statement_ms": took, "plan": lines}
