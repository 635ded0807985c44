"""Records per second: against a bare client, and when nothing has changed."""

from __future__ import annotations

import json
import statistics
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import requests

from integration.models.run import RunKind
from integration.pipeline.connectors import connectors
from integration.pipeline.runs import lifecycle as run_lifecycle, progress as run_progress
from integration.sandbox.mautic.user_accounts import Credentials
from integration.sandbox.store.bulk import seed_bulk
from tests.bench.child import python
from tests.bench.world import World, contact_changes, report, world

PEOPLE = 1200
BATCH = 100
LANES = 2
ROUNDS = 3


def share_of_a_bare_client() -> None:
    """Compare with a client that only posts the same batches, two at once, against a stand-in of 20 ms a record."""
    ratios = []
    for _ in range(ROUNDS):
        bare, ours = _bare(), _ours()
        ratios.append(bare / ours)
    ratio = statistics.median(ratios)
    report("speed as a share of a bare client", ratio, "ratio", ">= 0.9", ratio >= 0.9, rounds=ROUNDS)


def slow(mautic_url: str) -> None:
    """Let the stand-in take 20 ms a record, as a real Mautic does."""
    order = {"kind": "delay_per_record", "value": 0.02}
    requests.post(f"{mautic_url}/_sandbox/faults", json=order, timeout=10).raise_for_status()


def _ours() -> float:
    settings = {"sync.batch_start": BATCH, "sync.batch_max": BATCH, "sync.lanes": LANES}
    with world(**settings) as at, apart() as mautic:
        connectors.connect(at.services, at.connector_id, mautic_url=mautic)
        at.accept(contact_changes(2))
        at.work()
        slow(mautic)
        at.accept(contact_changes(PEOPLE, first=100))
        began = time.perf_counter()
        at.work()
        return time.perf_counter() - began


def _bare() -> float:
    with apart() as mautic:
        slow(mautic)
        token = bearer(mautic)
        batches = list(_bodies())
        lock = threading.Lock()

        def post() -> None:
            session = requests.Session()
            session.headers["Authorization"] = f"Bearer {token}"
            while True:
                with lock:
                    if not batches:
                        return
                    body = batches.pop()
                session.post(f"{mautic}/api/contacts/batch/new", json=body, timeout=60).raise_for_status()

        threads = [threading.Thread(target=post) for _ in range(LANES)]
        began = time.perf_counter()
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return time.perf_counter() - began


@contextmanager
def apart() -> Iterator[str]:
    """Give the address of a stand-in Mautic in a process of its own, so that it takes no time from the client."""
    with python("-c", _CHILD) as child:
        yield child.line()


_CHILD = """
import sys
from integration.sandbox.mautic import MauticServer
with MauticServer() as server:
    print(server.url, flush=True)
    sys.stdin.read()
"""


def bearer(mautic_url: str) -> str:
    """Return a token of the stand-in for a bare client."""
    known = Credentials()
    form = {
        "grant_type": "client_credentials",
        "client_id": known.client_id,
        "client_secret": known.client_secret,
    }
    token: str = requests.post(f"{mautic_url}/oauth/v2/token", data=form, timeout=10).json()["access_token"]
    return token


def _bodies() -> Iterator[list[dict[str, str]]]:
    rows = [
        {"email": c.payload["email"], "firstname": c.payload["first_name"], "lastname": "Customer", "city": "Milano"}
        for c in contact_changes(PEOPLE, first=100)
    ]
    for start in range(0, len(rows), BATCH):
        yield json.loads(json.dumps(rows[start : start + BATCH]))


def unchanged_full_sync() -> None:
    """Sync 20,000 records twice; the second time nothing may be written."""
    with world() as at:
        seed_bulk(at.store.state, customers=12_000, orders=15_000)
        _run(at, RunKind.INITIAL)
        at.mautic.calls.reset()
        began = time.perf_counter()
        run_id = _run(at, RunKind.FULL)
        seconds = time.perf_counter() - began
        with at.services.db.read() as session:
            progress = run_progress.progress(session, run_id, at.services.clock.now())
        writes = sum(1 for call in at.mautic.calls if call.method != "GET" and "/token" not in call.path)
        report("writes of an unchanged full sync", writes, "calls", "0", writes == 0, records=progress.run.pulled)
        report("unchanged full sync", progress.run.pulled / seconds, "records/s", "stated", True)


def _run(at: World, kind: RunKind) -> int:
    run_id = run_lifecycle.start(at.services, at.connector_id, kind, trigger="bench")
    at.work()
    return run_id


def measure() -> None:
    """Measure all of it."""
    share_of_a_bare_client()
    unchanged_full_sync()
