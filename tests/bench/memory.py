"""Memory of an import of 100,000 orders, in a process of its own, and how often it writes each person."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile

from integration.config import load
from integration.models.migrate import upgrade
from integration.models.organisation import Organisation
from integration.pipeline.connectors import connectors
from integration.pipeline.services import open_services
from integration.sandbox.mautic import MauticServer
from integration.sandbox.store import StoreServer
from integration.sandbox.store.bulk import seed_bulk
from tests.bench.world import NOW, report, whereabouts

ORDERS = int(os.environ.get("BENCH_ORDERS", "100000"))
#: Three of five orders are those of a customer: with 2,000 and 100,000 orders each has thirty.
CUSTOMERS = int(os.environ.get("BENCH_CUSTOMERS", "2000"))


def measure() -> None:
    """Import with the command line and read the largest resident size of that process alone."""
    with tempfile.TemporaryDirectory() as folder, StoreServer() as store, MauticServer() as mautic:
        seed_bulk(store.state, customers=CUSTOMERS, orders=ORDERS)
        services = open_services(load({"INSTANCE_PATH": folder}))
        upgrade(services.deployment.database_url)
        with services.db.write() as session:
            session.add(Organisation(name="Bench", created_at=NOW))
        connectors.create(services, organisation_id=1, name="Bench", **whereabouts(store, mautic))
        command = [sys.executable, "-c", _CHILD, "sync", "1", "--kind", "initial", "--wait", "--json"]
        environ = {**os.environ, "INSTANCE_PATH": folder, "LOG_LEVEL": "ERROR", "PRIVATE_HOSTS": "127.0.0.1"}
        done = subprocess.run(command, env=environ, capture_output=True, text=True, check=False)
        largest = int(done.stderr.rsplit("largest ", 1)[-1].split()[0]) / 1024
        rows, people = mautic.calls.rows("/api/contacts/batch/"), len(mautic.state.contacts)
    summary = done.stdout.strip()
    fine = largest <= 200 and done.returncode == 0
    report("memory of an import", largest, "MB", "<= 200", fine, orders=ORDERS, customers=CUSTOMERS, summary=summary)
    each = rows / people
    report("contact rows a person in a large import", each, "rows", "<= 1.05", each <= 1.05, rows=rows, people=people)


_CHILD = """
import atexit, re, sys
from pathlib import Path
def largest():
    # What getrusage tells begins with the size of who has started this process.
    return re.search(r"VmHWM:\\s+(\\d+)", Path("/proc/self/status").read_text())[1]
atexit.register(lambda: print("largest", largest(), file=sys.stderr))
from integration.cli import main
main()
"""
