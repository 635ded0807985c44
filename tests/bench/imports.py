"""The import of a real shop: how often each person is written, and speed and CPU against a bare client in one run.

Both stand-ins are processes of their own, as slow as real servers: 15 ms a full order, 12 ms a contact, 4 ms a note.
"""

from __future__ import annotations

import os
import queue
import resource
import statistics
import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import requests

from integration.engines.worker import Worker
from integration.models.run import Run, RunKind
from integration.pipeline.connectors import connectors
from integration.pipeline.runs import lifecycle as run_lifecycle
from integration.sandbox.store.auth import Credentials
from integration.store import reading
from integration.store.access import StoreAccess, signature
from tests.bench.calls import make_fields
from tests.bench.child import python
from tests.bench.speed import apart, bearer
from tests.bench.world import World, report, world

ROUNDS = int(os.environ.get("BENCH_ROUNDS", "3"))
PEOPLE, CUSTOMERS, ORDERS = 760, 600, 1422
CONTACT_S, NOTE_S, ORDER_S = 0.012, 0.004, 0.015
BATCH, NOTES, LANES = 50, 100, 2
STATUSES = "completed,refunded"
EVERY_STATUS = f"pending,processing,on-hold,cancelled,failed,{STATUSES}"


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
    worker = Worker(at.services)
    worker.start()
    run_id = run_lifecycle.start(at.services, at.connector_id, RunKind.INITIAL, trigger="bench")
    try:
        while not (run := _ended(at, run_id)):
            time.sleep(0.1)
    finally:
        worker.stop()
    assert (run.state, run.failed) == ("COMPLETED", 0)
    return run.pulled


def _ended(at: World, run_id: int) -> Run | None:
    with at.services.db.read() as session:
        run = session.get_one(Run, run_id)
    return run if run.ended_at else None


def _bare(ours: Cost) -> Cost:
    """Read the same pages, two at once, and write each person once in two lanes, with a note of each order.

    It keeps nothing, compares nothing, and has a person's row ready as soon as their last order was read.
    """
    with shop_apart() as store, apart() as mautic:
        _slow(mautic)
        owed: queue.SimpleQueue[tuple[str, int]] = queue.SimpleQueue()
        read = threading.Event()
        lanes = [threading.Thread(target=_write, args=(mautic, owed, read)) for _ in range(LANES)]
        with timed() as took:
            for lane in lanes:
                lane.start()
            for person in _read_all(store):
                owed.put(person)
            read.set()
            for lane in lanes:
                lane.join()
        calls = requests.get(f"{mautic}/_sandbox/calls", timeout=10).json()["calls"]
        rows = {what: sum(c["rows"] for c in calls if _is_write(c, what)) for what in ("contacts", "notes")}
        assert rows == {"contacts": PEOPLE, "notes": ours.notes}
        return Cost(took.seconds, took.cpu_s, ours.records, **rows)


def _write(mautic: str, owed: queue.SimpleQueue[tuple[str, int]], read: threading.Event) -> None:
    """Post the people who are owed, each an address and a count of orders, as many at once as there are."""
    session = requests.Session()
    session.headers["Authorization"] = f"Bearer {bearer(mautic)}"
    while True:
        last = read.is_set()
        people = list(_waiting(owed))
        if people:
            contacts = [_contact(mail) for mail, _ in people]
            answer = session.post(f"{mautic}/api/contacts/batch/new", json=contacts, timeout=60).json()
            ids = [each["id"] for each in answer["contacts"]]
            notes = [_note(i) for i, (_, orders) in zip(ids, people, strict=True) for _ in range(orders)]
            for start in range(0, len(notes), NOTES):
                part = notes[start : start + NOTES]
                session.post(f"{mautic}/api/notes/batch/new", json=part, timeout=60).raise_for_status()
        elif last:
            return
        else:
            read.wait(0.02)


def _waiting(owed: queue.SimpleQueue[tuple[str, int]]) -> Iterator[tuple[str, int]]:
    for _ in range(BATCH):
        try:
            yield owed.get_nowait()
        except queue.Empty:
            return


def _contact(mail: str) -> dict[str, Any]:
    name = {"firstname": "Ada", "lastname": "Buyer", "email": mail}
    return {**name, "city": "Milano", "country": "Italy", "phone": "+39 02 4711", "tags": ["customer"]}


def _note(contact_id: int) -> dict[str, Any]:
    text = "Order completed: 2 x Mug (SKU-017), 19.00 EUR\n[order 4711 completed]"
    return {"lead": contact_id, "text": text, "type": "general", "dateTime": "2026-11-01T09:00:00+00:00"}


def _read_all(store: str) -> Iterator[tuple[str, int]]:
    """Read the lists that an import reads, and yield each person with their count of orders once that is whole."""
    left: Counter[str] = Counter()
    for row in _pages(store, "orders", {"status": EVERY_STATUS, "_fields": reading.LEDGER_FIELDS}):
        left[row["billing"]["email"]] += 1
    orders = Counter(left)
    for row in _pages(store, "customers", {"role": "all", "_fields": reading.customer_fields()}):
        if not orders[row["email"]]:
            yield row["email"], 0
    for row in _pages(store, "orders", {"status": STATUSES, "_fields": reading.order_fields()}):
        mail = row["billing"]["email"]
        left[mail] -= 1
        if not left[mail]:
            yield mail, orders[mail]


def _pages(store: str, path: str, params: dict[str, str]) -> Iterator[dict[str, Any]]:
    known = Credentials()
    sign = signature(StoreAccess(store, known.key, known.secret))
    session = requests.Session()

    def read(offset: int) -> tuple[list[dict[str, Any]], int]:
        query = {**params, "per_page": 100, "offset": offset, "orderby": "id", "order": "asc"}
        answer = session.get(f"{store}/wp-json/wc/v3/{path}", params=query, auth=sign, timeout=60)
        answer.raise_for_status()
        return answer.json(), int(answer.headers["X-WP-Total"])

    first, total = read(0)
    yield from first
    with ThreadPoolExecutor(2) as pool:
        for rows, _ in pool.map(read, range(100, total, 100)):
            yield from rows


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
    with python("-m", "tests.bench.slow_shop", str(PEOPLE), str(CUSTOMERS), str(ORDERS), str(ORDER_S)) as child:
        yield child.line()


def measure() -> None:
    """Measure all of it."""
    one_write_a_person()
