"""What a machine needs: CPU and bytes of an imported order, memory while nothing is done, backup and restore."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import requests

from integration.clock import Clock
from integration.config import Deployment, load
from integration.models.migrate import upgrade
from integration.models.organisation import Organisation
from integration.operations import backup
from integration.pipeline.connectors import connectors
from integration.pipeline.services import open_services
from integration.sandbox.mautic import MauticServer
from integration.sandbox.store import StoreServer
from integration.sandbox.store.bulk import seed_bulk
from tests.bench.served import served
from tests.bench.world import NOW, order, report, signed, whereabouts
from tests.postgres import free_port

ORDERS = int(os.environ.get("BENCH_ORDERS", "5000"))
CUSTOMERS = 1000
HOOKS = 300
SECRET = "benchsecret0123456789"
_MAIN = (sys.executable, "-c", "from integration.cli import main; main()")


def measure() -> None:
    """Import with the command line, both ends in this process, then look at what it left."""
    with tempfile.TemporaryDirectory() as folder:
        environ = {**os.environ, "INSTANCE_PATH": folder, "LOG_LEVEL": "ERROR", "PORT": str(free_port())}
        environ["PRIVATE_HOSTS"] = "127.0.0.1"
        deployment = load(environ)
        records = _imported(deployment, environ)
        _idle(deployment, environ)
        _backed_up(deployment, Path(folder), records)
    _webhooks()


def _imported(deployment: Deployment, environ: dict[str, str]) -> int:
    with StoreServer() as store, MauticServer() as mautic:
        seed_bulk(store.state, customers=CUSTOMERS, orders=ORDERS)
        services = open_services(deployment)
        upgrade(deployment.database_url)
        with services.db.write() as session:
            session.add(Organisation(name="Bench", created_at=NOW))
        connectors.create(services, organisation_id=1, name="Bench", **whereabouts(store, mautic))
        services.db.dispose()
        before = _cpu_s(environ, "connectors")
        began = time.perf_counter()
        cpu_s = _cpu_s(environ, "sync", "1", "--kind", "initial", "--wait") - before
        seconds = time.perf_counter() - began
    records = CUSTOMERS + ORDERS
    size = sum(each.stat().st_size for each in Path(environ["INSTANCE_PATH"]).glob("*.sqlite*"))
    report("CPU of an import", cpu_s / records * 1000, "ms per record", "stated", True, records=records)
    report("import, both ends on the same machine", records / seconds, "records/s", "stated", True)
    report("database after an import", size / records, "bytes per record", "stated", True)
    return records


def _cpu_s(environ: dict[str, str], *words: str) -> float:
    """Run a command and return the seconds of CPU of its process."""
    before = os.times()
    subprocess.run([*_MAIN, *words], env=environ, stdout=subprocess.DEVNULL, check=True)
    after = os.times()
    return after.children_user + after.children_system - before.children_user - before.children_system


def _idle(deployment: Deployment, environ: dict[str, str]) -> None:
    """Start the pages with the engine and add up the memory of both of its processes, shared pages once."""
    with subprocess.Popen([*_MAIN, "serve"], env=environ, stdout=subprocess.DEVNULL) as child:
        url = f"http://127.0.0.1:{deployment.port}"
        while not _answers(url):
            time.sleep(0.2)
        for _ in range(20):
            requests.get(f"{url}/sign-in", timeout=10).raise_for_status()
        report("memory of serve, idle", _memory_mb(child.pid), "MB", "stated", True)
        child.send_signal(signal.SIGTERM)


def _answers(url: str) -> bool:
    try:
        return requests.get(f"{url}/readyz", timeout=10).ok
    except requests.ConnectionError:
        return False


def _family(pid: int) -> list[int]:
    """Return a process and its children."""
    return [pid, *map(int, Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split())]


def _memory_mb(pid: int) -> float:
    rolls = [Path(f"/proc/{each}/smaps_rollup").read_text(encoding="ascii") for each in _family(pid)]
    return sum(int(line.split()[1]) for roll in rolls for line in roll.splitlines() if line.startswith("Pss:")) / 1024


def _backed_up(deployment: Deployment, folder: Path, records: int) -> None:
    began = time.perf_counter()
    made = backup.make(deployment, Clock(), folder / "backup.zip")
    seconds, size = time.perf_counter() - began, made.file.stat().st_size
    report("backup", seconds, "s", "stated", True, records=records, bytes_per_record=round(size / records))
    place = deployment.model_copy(update={"database_url": f"sqlite:///{folder / 'again.sqlite'}"})
    began = time.perf_counter()
    backup.restore(place, Clock(), made.file)
    report("restore", time.perf_counter() - began, "s", "stated", True, records=records)


def _webhooks() -> None:
    """Send signed orders one after the other to the pages, the engine off, and read what their process worked."""
    with tempfile.TemporaryDirectory() as folder, served(folder, webhook_secret=SECRET) as server:
        url = f"http://127.0.0.1:{server.port}/hooks/{server.connector().webhook_path}"
        bodies = [json.dumps(order(number, f"buyer{number}@example.com")).encode() for number in range(1, HOOKS + 1)]
        with requests.Session() as line:
            line.post(url, bodies[0], headers=signed(bodies[0], SECRET), timeout=30).raise_for_status()
            before = _cpu_of(server.process.pid)
            for body in bodies:
                line.post(url, body, headers=signed(body, SECRET), timeout=30).raise_for_status()
        spent_s = _cpu_of(server.process.pid) - before
        report("CPU of a webhook", spent_s / HOOKS * 1000, "ms per webhook", "stated", True, webhooks=HOOKS)


def _cpu_of(pid: int) -> float:
    """Return the seconds of CPU that a process and its living children have used so far."""
    stats = [Path(f"/proc/{each}/stat").read_text(encoding="ascii").rpartition(")")[2].split() for each in _family(pid)]
    return sum(int(each[11]) + int(each[12]) for each in stats) / os.sysconf("SC_CLK_TCK")
