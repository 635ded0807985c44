"""The import of a real shop: how often each person is written, and speed and CPU against a bare client in one run.

Both stand-ins are processes of their own, as slow as real servers: 15 ms a full order, 12 ms a contact, 4 ms a note.
"""

from __future__ import annotations

import os
import resource
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import requests

from integration.models.run import RunKind
from integration.pipeline.connectors import connectors
from integration.pipeline.runs import lifecycle as run_lifecycle, progress as run_progress
from integration.sandbox.store.auth import Credentials
from integration.store import reading
from integration.store.access import StoreAccess, signature
from tests.bench.calls import make_fields
from tests.bench.speed import apart, bearer
from tests.bench.world import World, report, world

ROUNDS = int(os.environ.get("BENCH_ROUNDS", "3"))
PEOPLE, CUSTOMERS, ORDERS = 760, 600, 1422
CONTACT_S, NOTE_S, ORDER_S = 0.012, 0.004, 0.015
BATCH, NOTES, LANES = 50, 100, 2
STATUSES = "completed,refunded"


@dataclass(frozen=True, slots=True)
class Cost:
    """What an import took: seconds, CPU seconds of this process, records of the store, rows of contacts and notes."""

    seconds: float
    cpu_s: float
    records: int
    contacts: int
    notes: int


def one_write_a_person() -> None:
    """Import the shop beside a bare client, several times, and report the medians."""
    ours, bare = [], []
    for _ in range(ROUNDS):
        ours.append(_ours())
        bare.append(_bare(ours[-1]))
    per_person = statistics.median(each.contacts / PEOPLE for each in ours)
    speed = statistics.median(b.seconds / o.seconds for o, b in zip(ours, bare, strict=True))
    cpu = statistics.median(each.cpu_s / each.records for each in ours) * 1000
    share = statistics.median(b.cpu_s / o.cpu_s for o, b in zip(ours, bare, strict=True))
    counts = {"records": ours[0].records, "people": PEOPLE, "contacts": ours[0].contacts, "notes": ours[0].notes}
    report("contact rows a person in an import", per_person, "rows", "<= 1.05", per_person <= 1.05, **counts)
    seconds = {"seconds": [round(each.seconds, 1) for each in ours], "bare": [round(each.seconds, 1) for each in bare]}
    report("speed of an import as a share of a bare client", speed, "ratio", ">= 0.95", speed >= 0.95, **seconds)
    report("CPU of an import with notes", cpu, "ms/record", "stated", True, rounds=ROUNDS)
    report("CPU of a bare client as a share of an import's", share, "ratio", "stated", True)


def _ours() -> Cost:
    settings = {"orders.notes": True, "sync.batch_start": BATCH, "sync.batch_max": BATCH, "sync.lanes": LANES}
    with shop_apart() as store, apart() as mautic, world(**settings) as at:
        connectors.connect(at.services, at.connector_id, store_url=store, mautic_url=mautic)
        make_fields(at)
        _slow(mautic)
        requests.delete(f"{mautic}/_sandbox/calls", timeout=10).raise_for_status()
        with timed() as took:
            pulled = _import(at)
        calls = requests.get(f"{mautic}/_sandbox/calls", timeout=10).json()["calls"]
        rows = {what: sum(c["rows"] for c in calls if _is_write(c, what)) for what in ("contacts", "notes")}
        return Cost(took.seconds, took.cpu_s, pulled, rows["contacts"], rows["notes"])


def _is_write(call: dict[str, Any], what: str) -> bool:
    return call["method"] != "GET" and call["path"].startswith(f"/api/{what}/batch/")


def _import(at: World) -> int:
    run_id = run_lifecycle.start(at.services, at.connector_id, RunKind.INITIAL, trigger="bench")
    at.work()
    with at.services.db.read() as session:
        run = run_progress.progress(session, run_id, at.services.clock.now()).run
    assert (run.state, run.failed) == ("COMPLETED", 0)
    return run.pulled


def _bare(ours: Cost) -> Cost:
    """Read the same pages, two at once, and write as many contacts and notes in two lanes from the first moment on.

    It keeps nothing, compares nothing and knows beforehand what it has to write.
    """
    with shop_apart() as store, apart() as mautic:
        _slow(mautic)
        token = bearer(mautic)
        contacts = iter(_parts([_contact(n) for n in range(PEOPLE)], BATCH))
        notes = iter(_parts([_note(n) for n in range(ours.notes)], NOTES))
        lock = threading.Lock()

        def write() -> None:
            session = requests.Session()
            session.headers["Authorization"] = f"Bearer {token}"
            while True:
                with lock:
                    path, rows = next(((p, r) for p, r in _next(contacts, notes)), ("", []))
                if not rows:
                    return
                session.post(f"{mautic}/api/{path}/batch/new", json=rows, timeout=60).raise_for_status()

        with timed() as took:
            lanes = [threading.Thread(target=write) for _ in range(LANES)]
            for lane in lanes:
                lane.start()
            _read_all(store)
            for lane in lanes:
                lane.join()
        return Cost(took.seconds, took.cpu_s, ours.records, PEOPLE, ours.notes)


def _next(contacts: Iterator[Any], notes: Iterator[Any]) -> Iterator[tuple[str, Any]]:
    yield from (("contacts", rows) for rows in contacts)
    yield from (("notes", rows) for rows in notes)


def _parts(rows: Sequence[Any], size: int) -> list[Any]:
    return [rows[start : start + size] for start in range(0, len(rows), size)]


def _contact(number: int) -> dict[str, Any]:
    name = {"firstname": f"Name{number}", "lastname": "Buyer", "email": f"buyer{number}@example.com"}
    return {**name, "city": "Milano", "country": "Italy", "phone": f"+39 02 {number}", "tags": ["customer"]}


def _note(number: int) -> dict[str, Any]:
    text = f"Order {number} completed: 2 x Mug (SKU-{number % 40:03}), 19.00 EUR\n[order {number} completed]"
    return {"lead": number % PEOPLE + 1, "text": text, "type": "general", "dateTime": "2026-11-01T09:00:00+00:00"}


def _read_all(store: str) -> None:
    """Read the three lists that an import reads, in the same pages."""
    lists = (
        ("orders", {"status": ",".join(_every_status()), "_fields": reading.LEDGER_FIELDS}),
        ("customers", {"role": "all", "_fields": reading.customer_fields()}),
        ("orders", {"status": STATUSES, "_fields": reading.order_fields()}),
    )
    known = Credentials()
    sign = signature(StoreAccess(store, known.key, known.secret))
    session = requests.Session()

    def read(path: str, params: dict[str, str], offset: int) -> int:
        query = {**params, "per_page": 100, "offset": offset, "orderby": "id", "order": "asc"}
        answer = session.get(f"{store}/wp-json/wc/v3/{path}", params=query, auth=sign, timeout=60)
        answer.raise_for_status()
        assert isinstance(answer.json(), list)
        return int(answer.headers["X-WP-Total"])

    with ThreadPoolExecutor(2) as pool:
        for path, params in lists:
            total = read(path, params, 0)
            list(pool.map(lambda offset, p=path, q=params: read(p, q, offset), range(100, total, 100)))


def _every_status() -> Sequence[str]:
    return ("pending", "processing", "on-hold", "completed", "cancelled", "refunded", "failed")


@dataclass
class Took:
    """Seconds, and seconds of CPU of this process, user and system."""

    seconds: float = 0.0
    cpu_s: float = 0.0


@contextmanager
def timed() -> Iterator[Took]:
    """Measure what stands in the block."""
    took, began, cpu = Took(), time.perf_counter(), _cpu()
    yield took
    took.seconds, took.cpu_s = time.perf_counter() - began, _cpu() - cpu


def _cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def _slow(mautic: str) -> None:
    for path, seconds in (("/api/contacts", CONTACT_S), ("/api/notes", NOTE_S)):
        rule = {"kind": "delay_per_record", "value": seconds, "path": path}
        requests.post(f"{mautic}/_sandbox/faults", json=rule, timeout=10).raise_for_status()


@contextmanager
def shop_apart() -> Iterator[str]:
    """Give the address of a slow stand-in store in a process of its own."""
    command = [sys.executable, "-m", "tests.bench.slow_shop", str(PEOPLE), str(CUSTOMERS), str(ORDERS), str(ORDER_S)]
    child = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert child.stdout is not None
    assert child.stdin is not None
    try:
        yield child.stdout.readline().strip()
    finally:
        child.stdin.close()
        child.wait(timeout=20)


def measure() -> None:
    """Measure all of it."""
    one_write_a_person()
