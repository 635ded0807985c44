"""Webhooks while imports run: web process, workers, PostgreSQL, both stand-ins and the shoppers are all processes."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import func, select

from integration.models.connector import Connector, ConnectorState
from integration.models.delivery import Delivery
from integration.models.run import Run, RunKind, RunState
from integration.pipeline.runs import lifecycle as run_lifecycle
from integration.pipeline.services import Services
from integration.sandbox.store import StoreServer
from integration.sandbox.store.bulk import seed_bulk
from tests.bench.child import python
from tests.bench.hooks import SECRET, THREADS, fire
from tests.bench.scale.installation import (
    LOOK_EVERY_S,
    Connections,
    connect,
    installed,
    set_state,
    wait_until_done,
    working,
)
from tests.bench.scale.sizes import Sizes
from tests.bench.scale.standins import mautics
from tests.bench.served import wait_until_open
from tests.bench.world import report
from tests.postgres import Cluster, free_port

WORKERS = 2
#: What the first webhooks have left to deliver is over after so long, and imports have begun.
REST_S = 600.0
#: More than an import reads while the webhooks come.
CUSTOMERS, ORDERS = 2000, 20_000


def measure(cluster: Cluster, sizes: Sizes) -> None:
    """Send webhooks of one connector without imports, then while others import."""
    with (
        installed(cluster, "hooks") as services,
        _store() as access,
        mautics(sizes.imports + 1, sizes.record_ms / 1000) as ends,
    ):
        ids = connect(services, ends.urls, {}, **access, webhook_secret=SECRET)
        set_state(services, ids, ConnectorState.ACTIVE)
        with _web(services) as port, working(services, WORKERS), Connections(services) as connections:
            _fire(services, port, ids[0], sizes, "without imports")
            wait_until_done(services, REST_S)
            for number in ids[1:]:
                run_lifecycle.start(services, number, RunKind.INITIAL, trigger="bench")
            _wait_until_importing(services, sizes.imports)
            _fire(services, port, ids[0], sizes, f"while {sizes.imports} imports run")
            _tell_imports(services, connections)


def _wait_until_importing(services: Services, imports: int) -> None:
    """Wait until each import has read something; AssertionError where one does not begin."""
    until, pause = time.monotonic() + REST_S, threading.Event()
    while _reading(services) < imports:
        assert time.monotonic() < until, "an import did not begin"
        pause.wait(LOOK_EVERY_S)


def _reading(services: Services) -> int:
    with services.db.read() as session:
        return session.scalar(select(func.count()).where(Run.state == RunState.RUNNING, Run.pulled > 0)) or 0


def _fire(services: Services, port: int, connector_id: int, sizes: Sizes, when: str) -> None:
    with services.db.read() as session:
        path = session.get_one(Connector, connector_id).webhook_path
    before, began = _owed(services, connector_id), time.perf_counter()
    seconds = fire(port, path, sizes.hooks, first=before + 1)
    took = time.perf_counter() - began
    accepted = len(seconds)
    assert _owed(services, connector_id) - before >= accepted, "what was accepted is not there"
    p50, p99 = (statistics.quantiles(seconds, n=100)[at] * 1000 for at in (49, 98))
    more = {"lines": THREADS, "load": round(os.getloadavg()[0], 1)}
    report(f"webhooks accepted {when}", accepted / took, "per second", "all", accepted == sizes.hooks, **more)
    report(f"webhook acknowledgement {when}, median", p50, "ms", "stated", True)
    report(f"webhook acknowledgement {when}, p99", p99, "ms", "stated", True)


def _owed(services: Services, connector_id: int) -> int:
    with services.db.read() as session:
        return session.scalar(select(func.count()).where(Delivery.connector_id == connector_id)) or 0


def _tell_imports(services: Services, connections: Connections) -> None:
    with services.db.read() as session:
        going = session.scalar(select(func.count()).where(Run.state == RunState.RUNNING)) or 0
        pulled = session.scalar(select(func.sum(Run.pulled))) or 0
    report("imports still going when the webhooks were in", going, "runs", "> 0", going > 0, pulled=int(pulled))
    report("connections of web process and two workers", connections.most, "at most", "stated", True)


@contextmanager
def _web(services: Services) -> Iterator[int]:
    """Serve the pages and hooks in a process of its own; the port."""
    port, own = free_port(), services.deployment
    environ = os.environ | {
        "DATABASE_URL": own.database_url,
        "ENGINE": own.engine,
        "INSTANCE_PATH": str(own.instance_path),
        "SECRET_KEY": own.secret_key,
        "PRIVATE_HOSTS": "*",
        "PORT": str(port),
        "LOG_LEVEL": "ERROR",
    }
    command = [sys.executable, "-c", "from integration.cli import main; main()", "serve"]
    process = subprocess.Popen(command, env=environ, stdout=subprocess.DEVNULL)
    try:
        wait_until_open(port)
        yield port
    finally:
        process.terminate()
        process.wait(timeout=30)


@contextmanager
def _store() -> Iterator[dict[str, str]]:
    """Give the address and keys of one stand-in store, which all importing connectors read."""
    with python("-m", "tests.bench.scale.webhooks") as child:
        yield json.loads(child.line())


def _serve_store() -> None:
    with StoreServer() as store:
        seed_bulk(store.state, CUSTOMERS, ORDERS)
        keys = store.credentials
        print(json.dumps({"store_url": store.url, "store_key": keys.key, "store_secret": keys.secret}), flush=True)
        sys.stdin.read()


if __name__ == "__main__":
    _serve_store()
