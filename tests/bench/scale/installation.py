"""An installation with many connectors on a PostgreSQL of its own, its workers in processes of their own."""

from __future__ import annotations

import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sqlalchemy import create_engine, select, text, update

from integration.config import Deployment
from integration.engines import wired
from integration.models import Organisation
from integration.models.connector import Connector, ConnectorState
from integration.models.delivery import Delivery
from integration.models.migrate import upgrade
from integration.pipeline.connectors import connectors
from integration.pipeline.ingest import records
from integration.pipeline.outbox.states import LEASED, READY, WAITING
from integration.pipeline.services import Services, open_services
from integration.sandbox.mautic.user_accounts import Credentials
from tests.bench.world import NOW, order_changes
from tests.postgres import Cluster
from tests.worker_process import end, start_worker, wait_until_ready

PAGE = 100
#: A connector's orders have numbers, and buyers, that no other connector has.
APART = 10_000_000
LOOK_EVERY_S = 0.25
SECRET = "b" * 32


@contextmanager
def installed(cluster: Cluster, name: str, *, template: str = "template1", lanes: int = 8) -> Iterator[Services]:
    """Give an installation on a new database, or on a copy of another one's."""
    with create_engine(cluster.url, isolation_level="AUTOCOMMIT").connect() as admin:
        admin.execute(text(f"CREATE DATABASE {name} TEMPLATE {template}"))
    url = cluster.url.rsplit("/", 1)[0] + f"/{name}"
    with tempfile.TemporaryDirectory() as folder:
        deployment = Deployment(
            instance_path=Path(folder),
            secret_key=SECRET,
            database_url=url,
            engine="procrastinate",
            private_hosts=("*",),
            worker_lanes=lanes,
        )
        upgrade(url)
        services = wired(open_services(deployment))
        yield services
        services.db.dispose()


def connect(services: Services, urls: Sequence[str], settings: Mapping[str, Any], **store: Any) -> list[int]:
    """Make a paused connector to each Mautic; with `store` to that store as well."""
    known = Credentials()
    access = {
        "mautic_method": "client_credentials",
        "mautic_client_id": known.client_id,
        "mautic_client_secret": known.client_secret,
        **store,
    }
    with services.db.write() as session:
        if session.get(Organisation, 1) is None:
            session.add(Organisation(name="Bench", created_at=NOW))
    made = [
        connectors.create(services, organisation_id=1, name=f"Shop {n}", mautic_url=url, **access)
        for n, url in enumerate(urls)
    ]
    for number in made:
        connectors.configure(services, number, settings)
    set_state(services, made, ConnectorState.PAUSED)
    return made


def aim(services: Services, ids: Sequence[int], urls: Sequence[str]) -> None:
    """Give the connectors of a copied database Mautics of its own."""
    for number, url in zip(ids, urls, strict=True):
        connectors.connect(services, number, mautic_url=url)


def owe(services: Services, connector_id: int, count: int, first: int = 1) -> None:
    """Accept orders of different buyers page by page, as an import does."""
    changes = order_changes(count, first=connector_id * APART + first)
    for start in range(0, count, PAGE):
        with services.db.write() as session:
            records.accept(session, services.clock.now(), connector_id, changes[start : start + PAGE])
            services.on_accept(session, connector_id)


def set_state(services: Services, ids: Sequence[int], state: ConnectorState) -> None:
    """Pause connectors, or let them go; the workers are told."""
    with services.db.write() as session:
        session.execute(update(Connector).where(Connector.id.in_(ids)).values(state=state))
        for number in ids:
            services.on_accept(session, number)


def is_open(services: Services, ids: Sequence[int] = ()) -> bool:
    """Return whether anything is owed still, to some connectors or to any."""
    with services.db.read() as session:
        query = select(Delivery.id).where(READY | LEASED | WAITING)
        if ids:
            query = query.where(Delivery.connector_id.in_(ids))
        return session.scalar(query.limit(1)) is not None


def wait_until_done(services: Services, seconds: float, ids: Sequence[int] = ()) -> None:
    """Wait until nothing is owed; AssertionError after so many seconds."""
    until, pause = time.monotonic() + seconds, threading.Event()
    while is_open(services, ids):
        assert time.monotonic() < until, f"not all was delivered in {seconds:.0f} s"
        pause.wait(LOOK_EVERY_S)


@contextmanager
def working(services: Services, number: int) -> Iterator[list[subprocess.Popen[bytes]]]:
    """Have so many workers at work, each a process; the list may be changed, and all of it is ended."""
    children = [start_worker(services) for _ in range(number)]
    try:
        wait_until_ready(services, children)
        yield children
    finally:
        end(children)


@dataclass
class Connections:
    """Counts the connections of one database twice a second, in a thread, until the block ends."""

    services: Services
    most: int = 0
    _over: threading.Event = field(default_factory=threading.Event)

    def __enter__(self) -> Connections:
        self._thread = threading.Thread(target=self._count, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _count(self) -> None:
        mine = text("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()")
        while not self._over.wait(0.5):
            with self.services.db.read() as session:
                self.most = max(self.most, int(session.scalar(mine) or 0) - _own(self.services))


def _own(services: Services) -> int:
    """Return how many connections this process has, which is no worker."""
    pool: Any = services.db.engine.pool
    return int(pool.checkedin() + pool.checkedout())
