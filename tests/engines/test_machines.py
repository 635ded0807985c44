"""Workers on machines of their own: each has its own network and its own name, as no two processes of one machine."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections import Counter
from collections.abc import Iterator
from ipaddress import ip_address
from pathlib import Path
from random import randrange
from secrets import token_hex

import pytest
from sqlalchemy import create_engine, make_url, text

from integration.config import Deployment
from integration.engines import wired
from integration.models import Organisation
from integration.pipeline.connectors import connectors
from integration.pipeline.services import Services, open_services
from integration.sandbox.mautic import MauticServer
from tests.bench.world import order_changes
from tests.conftest import NOON
from tests.engines.conftest import accept, connect, waiting
from tests.schema import make_newest
from tests.waiting import wait_for
from tests.worker_process import end, start_worker, wait_until_ready

CONNECTORS, ORDERS, MACHINES = 4, 20, 2


def _run(*command: str) -> None:
    subprocess.run(command, check=True, capture_output=True, text=True, timeout=20)


def _make(name: str) -> str:
    """Make a network of this name with a line to this machine; return the address of this machine's end."""
    # Drawn, not by the process' number: what a killed run left behind may have the same one.
    ours, net = f"v{name}", f"10.{randrange(128, 256)}.{randrange(256)}.{4 * randrange(64)}"
    here, there = (str(ip_address(net) + end) for end in (1, 2))
    _run("ip", "netns", "add", name)
    _run("ip", "link", "add", ours, "type", "veth", "peer", "name", "line", "netns", name)
    _run("ip", "addr", "add", f"{here}/30", "dev", ours)
    _run("ip", "link", "set", ours, "up")
    _run("ip", "-n", name, "addr", "add", f"{there}/30", "dev", "line")
    _run("ip", "-n", name, "link", "set", "line", "up")
    _run("ip", "-n", name, "route", "add", "default", "via", here)
    return here


@pytest.fixture
def networks() -> Iterator[dict[str, str]]:
    """Names of networks -> the address at which each reaches this machine; skipped where none may be made."""
    if os.geteuid() != 0 or shutil.which("ip") is None or shutil.which("unshare") is None:
        pytest.skip("networks of their own need root, and the commands ip and unshare")
    names = [f"wm{token_hex(4)}" for _ in range(MACHINES)]
    try:
        yield {name: _make(name) for name in names}
    except subprocess.CalledProcessError as error:
        pytest.skip(f"this machine lets nobody make a network: {error.stderr.strip()}")
    finally:
        for name in names:
            # A line goes with its network.
            subprocess.run(("ip", "netns", "del", name), capture_output=True, timeout=20, check=False)


@pytest.fixture
def services(deployment: Deployment, postgres_url: str) -> Iterator[Services]:
    """Services whose database is reached over its socket's file, which all networks of this machine share."""
    make_newest(postgres_url)
    url = make_url(postgres_url)
    engine = create_engine(url)
    with engine.connect() as connection:
        folder = str(connection.scalar(text("SHOW unix_socket_directories"))).split(",")[0].strip()
    engine.dispose()
    if not Path(folder, f".s.PGSQL.{url.port or 5432}").exists():
        pytest.skip("this PostgreSQL has no socket on this machine, and other networks cannot reach its port")
    local = url.set(host=None, port=None, query={"host": folder, "port": str(url.port or 5432)})
    changes = {"database_url": local.render_as_string(hide_password=False), "engine": "procrastinate"}
    made = wired(open_services(deployment.model_copy(update=changes)))
    with made.db.write() as session:
        session.add(Organisation(name="Shop Ltd", created_at=NOON))
    yield made
    made.db.dispose()


def test_workers_on_machines_of_their_own_share_the_connectors(networks: dict[str, str], services: Services) -> None:
    with MauticServer(host="0.0.0.0") as mautic:
        ids = [connect(services, mautic) for _ in range(CONNECTORS)]
        address = next(iter(networks.values()))
        for number in ids:
            connectors.connect(services, number, mautic_url=f"http://{address}:{mautic.port}")
            connectors.configure(services, number, {"orders.notes": "yes", "sync.batch_start": 5, "sync.batch_max": 5})
        mautic.faults.command({"kind": "delay", "value": 0.02})
        workers = [start_worker(services, by=_on_machine(name), WORKER_LANES="1") for name in networks]
        try:
            wait_until_ready(services, workers)
            for at, number in enumerate(ids):
                accept(services, number, order_changes(ORDERS, first=1000 * at + 1))
            wait_for(lambda: waiting(services) == 0, "the end of all deliveries", seconds=90)
        finally:
            codes = end(workers)
        notes = Counter(note["lead"] if "lead" in note else note["lead_id"] for note in mautic.state.notes.values())
    assert codes == [0, 0]
    assert (len(notes), set(notes.values())) == (CONNECTORS * ORDERS, {1})
    with services.db.read() as session:
        worked = set(session.scalars(text("SELECT split_part(worked_by, '.', 1) FROM connector")))
        machines = set(session.scalars(text("SELECT split_part(split_part(name, '@', 2), ':', 1) FROM heartbeat")))
    assert machines == set(networks)
    assert len(worked) == MACHINES, "one machine did all the work"


def _on_machine(name: str) -> list[str]:
    """Return what starts a command in a network, on a machine of the network's name."""
    return ["ip", "netns", "exec", name, "unshare", "--uts", "sh", "-c", f'hostname {name} && exec "$@"', "sh"]
