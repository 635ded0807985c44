"""One connector on PostgreSQL: what three worker processes cost against one."""

from __future__ import annotations

import os
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import create_engine, func, select, text

from integration.config import Deployment
from integration.engines import wired
from integration.models import Organisation
from integration.models.delivery import Delivery
from integration.models.migrate import upgrade
from integration.pipeline.connectors import connectors
from integration.pipeline.ingest import records
from integration.pipeline.services import Services, open_services
from integration.sandbox.mautic.user_accounts import Credentials
from tests.bench.speed import apart, slow
from tests.bench.world import NOW, order_changes, report
from tests.postgres import Cluster, binaries
from tests.worker_process import start_worker

ORDERS = 1500
PAGE = 50
TIMEOUT_S = 180.0
#: What three workers may cost, as times of one: two have nothing to do but their clocks and heartbeats.
GOALS = {"seconds": 1.25, "cpu_s": 1.5, "transactions": 2.0}


@dataclass(frozen=True, slots=True)
class Cost:
    """What it took to deliver all orders: seconds, seconds of CPU and transactions, after the workers have started."""

    seconds: float
    cpu_s: float
    transactions: float


def one_against_three() -> None:
    """Deliver the same orders with one worker and with three, and report what three cost as a share of one."""
    folder = binaries()
    assert folder is not None, "PostgreSQL is not installed"
    cluster = Cluster(folder)
    cluster.start()
    try:
        one, three = _cost(cluster, "one", 1), _cost(cluster, "three", 3)
    finally:
        cluster.stop()
    report("CPU of one worker", one.cpu_s / ORDERS * 1000, "ms per order", "stated", True)
    report("transactions of one worker", one.transactions / ORDERS, "per order", "stated", True)
    report("transactions of three workers", three.transactions / ORDERS, "per order", "stated", True)
    for name, most in GOALS.items():
        ratio = getattr(three, name) / getattr(one, name)
        report(f"{name} of three workers", ratio, "times one worker's", f"<= {most}", ratio <= most)


def _cost(cluster: Cluster, name: str, workers: int) -> Cost:
    with _services(cluster, name) as services, apart() as mautic:
        connector_id = _connect(services, mautic)
        children = [start_worker(services) for _ in range(workers)]
        try:
            _deliver(services, connector_id, 20, first=1)
            slow(mautic)
            before, cpu, began = _transactions(cluster, name), _cpu(children), time.monotonic()
            _deliver(services, connector_id, ORDERS, first=1000)
            seconds = time.monotonic() - began
            return Cost(seconds, _cpu(children) - cpu, _transactions(cluster, name) - before)
        finally:
            for child in children:
                child.terminate()
            for child in children:
                child.wait(timeout=30)


@contextmanager
def _services(cluster: Cluster, name: str) -> Iterator[Services]:
    with create_engine(cluster.url, isolation_level="AUTOCOMMIT").connect() as admin:
        admin.execute(text(f"CREATE DATABASE bench_{name}"))
    url = cluster.url.rsplit("/", 1)[0] + f"/bench_{name}"
    with tempfile.TemporaryDirectory() as folder:
        deployment = Deployment(
            instance_path=Path(folder), secret_key="b" * 32, database_url=url, engine="procrastinate"
        )
        upgrade(url)
        services = wired(open_services(deployment))
        with services.db.write() as session:
            session.add(Organisation(name="Bench", created_at=NOW))
        yield services
        services.db.dispose()


def _connect(services: Services, mautic_url: str) -> int:
    known = Credentials()
    connector_id = connectors.create(
        services,
        organisation_id=1,
        name="Bench",
        mautic_url=mautic_url,
        mautic_method="client_credentials",
        mautic_client_id=known.client_id,
        mautic_client_secret=known.client_secret,
    )
    connectors.configure(services, connector_id, {"sync.batch_start": 25, "sync.batch_max": 25})
    return connector_id


def _deliver(services: Services, connector_id: int, count: int, *, first: int) -> None:
    """Accept orders page by page, as an import does, and wait until Mautic has them."""
    until = time.monotonic() + TIMEOUT_S
    pause = threading.Event()
    changes = order_changes(count, first=first)
    for start in range(0, count, PAGE):
        with services.db.write() as session:
            records.accept(session, services.clock.now(), connector_id, changes[start : start + PAGE])
            services.on_accept(session, connector_id)
    while _open(services):
        assert time.monotonic() < until, f"{count} orders were not delivered in {TIMEOUT_S} s"
        pause.wait(0.5)


def _open(services: Services) -> int:
    with services.db.read() as session:
        return session.scalar(select(func.count()).where(Delivery.settled_at.is_(None))) or 0


def _transactions(cluster: Cluster, name: str) -> int:
    query = text("SELECT xact_commit + xact_rollback FROM pg_stat_database WHERE datname = :name")
    with create_engine(cluster.url).connect() as admin:
        return int(admin.scalar(query, {"name": f"bench_{name}"}) or 0)


def _cpu(children: Sequence[subprocess.Popen[bytes]]) -> float:
    """Return the seconds of CPU that living processes have used so far."""
    ticks = os.sysconf("SC_CLK_TCK")
    stats = [Path(f"/proc/{child.pid}/stat").read_text(encoding="ascii") for child in children]
    fields = [stat.rpartition(")")[2].split() for stat in stats]
    return sum(int(each[11]) + int(each[12]) for each in fields) / ticks


def measure() -> None:
    """Measure all of it."""
    one_against_three()
