"""What an unchanged record costs: a full sync and a reconciliation against a bare client that reads the same pages.

The stand-ins are in another process. `BENCH_RECORDS` is how many records the store has, `BENCH_ORDERS_LIVE` how many
live orders are measured.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass

import requests
from sqlalchemy import func, select

from integration.engines.worker import Worker
from integration.models.delivery import Delivery, DeliveryState
from integration.models.run import Run, RunKind
from integration.operations import reconciliation
from integration.pipeline.connectors import connectors
from integration.pipeline.ingest.webhooks import receive
from integration.pipeline.runs import lifecycle as run_lifecycle, progress as run_progress
from integration.store import reading
from integration.store.access import StoreAccess, signature
from tests.bench import same_pages
from tests.bench.apart import Apart, apart
from tests.bench.calls import make_fields
from tests.bench.same_pages import Pages
from tests.bench.transactions import SECRET, webhook
from tests.bench.world import World, report, world

RECORDS = int(os.environ.get("BENCH_RECORDS", "20000"))
LIVE = int(os.environ.get("BENCH_ORDERS_LIVE", "60"))
#: A bare client reads two pages at once, as a run does.
AT_ONCE = 2
PER_PAGE = 100
#: An unchanged full sync may take so many times as long as a bare client's reading.
RATIO = 1.5
#: What a real shop takes to make a full order (issue 12).
ORDER_S = 0.015
STATUSES = ("pending", "processing", "on-hold", "completed", "cancelled", "refunded", "failed", "shipped")
TIMEOUT_S = 60.0


@dataclass
class Cost:
    """What something took: seconds by the clock, and of this process's processor time, user and system."""

    seconds: float
    cpu_s: float


def measured(act: Callable[[], object]) -> Cost:
    """Do something and return what it took, all threads of this process together."""
    began, cpu = time.perf_counter(), time.process_time()
    act()
    return Cost(time.perf_counter() - began, time.process_time() - cpu)


@contextmanager
def worlds() -> Iterator[tuple[World, Apart]]:
    """Give a connector whose both ends are in another process, with notes on completed orders."""
    customers = RECORDS * 2 // 5
    settings = {"orders.notes": True, "orders.statuses": ",".join(STATUSES)}
    with world(**settings) as at, apart(customers, RECORDS - customers) as ends:
        connectors.connect(at.services, at.connector_id, webhook_secret=SECRET, **ends.whereabouts)
        make_fields(at)
        yield at, ends


def bare(ends: Apart) -> Cost:
    """Read what a full sync reads: the list of orders, the customers, the orders whole."""
    return measured(lambda: _read_all(ends.whereabouts))


def _read_all(at: dict[str, str]) -> None:
    session = requests.Session()
    # Without TLS a store takes signed requests only.
    session.auth = signature(StoreAccess(at["store_url"], at["store_key"], at["store_secret"]))
    adapter = requests.adapters.HTTPAdapter(pool_maxsize=AT_ONCE)
    session.mount("http://", adapter)
    lists = (
        ("orders", {"status": ",".join(STATUSES), "_fields": reading.LEDGER_FIELDS}),
        ("customers", {"role": "all", "_fields": reading.customer_fields()}),
        ("orders", {"status": ",".join(STATUSES), "_fields": reading.order_fields()}),
    )
    for path, params in lists:
        whole: dict[str, str | int] = {"per_page": PER_PAGE, "orderby": "id", "order": "asc", **params}
        _read(session, f"{at['store_url']}/wp-json/wc/v3/{path}", whole)


def _read(session: requests.Session, url: str, params: Mapping[str, str | int]) -> None:
    first = session.get(url, params={**params, "page": 1}, timeout=60)
    first.raise_for_status()
    json.loads(first.content)
    pages = range(2, int(first.headers["X-WP-TotalPages"]) + 1)

    def page(number: int) -> None:
        answer = session.get(url, params={**params, "page": number}, timeout=60)
        answer.raise_for_status()
        json.loads(answer.content)

    with ThreadPoolExecutor(AT_ONCE) as pool:
        list(pool.map(page, pages))


def unchanged(at: World, ends: Apart) -> None:
    """Import all, sync all again with nothing changed, and compare with the bare client in the same run.

    The first sync after an import knows the records that the import has sent, as later ones do.
    """
    at_first = measured(lambda: _run(at, RunKind.INITIAL))
    imported = _pulled(at)
    each = at_first.cpu_s / imported * 1000
    report("CPU of an import with notes", each, "ms/record", "stated", True, records=imported)
    _synced(at, ends, "the first after an import, of a store that answers at once", None)
    _synced(at, ends, "of a store that answers at once")
    ends.take(ORDER_S)
    _synced(at, ends, f"of a store that takes {ORDER_S * 1000:.0f} ms an order on two processors")
    ends.take(0)


def _synced(at: World, ends: Apart, which: str, goal: float | None = RATIO) -> None:
    """Sync all with nothing changed beside a bare client's reading."""
    ends.counts()
    alone = bare(ends)
    reads = ends.counts()["store"]
    ours = measured(lambda: _run(at, RunKind.FULL))
    counts, pulled = ends.counts(), _pulled(at)
    ratio = ours.seconds / alone.seconds
    said = "stated" if goal is None else f"<= {goal}"
    report(f"unchanged full sync to a bare reader, {which}", ratio, "times", said, goal is None or ratio <= goal,
           records=pulled, seconds=round(ours.seconds, 2), bare_s=round(alone.seconds, 2),
           calls=[counts["store"], reads])  # fmt: skip
    report(f"CPU of an unchanged record, {which}", ours.cpu_s / pulled * 1000, "ms/record", "stated", True,
           bare=round(alone.cpu_s / pulled * 1000, 3))  # fmt: skip
    report("writes of an unchanged full sync", counts["writes"], "calls", "0", counts["writes"] == 0)
    _in_records(at, pulled)


def _in_records(at: World, pulled: int) -> None:
    with at.services.db.read() as session:
        run_id = session.scalar(select(func.max(Delivery.run_id)))
        of_run = select(func.count()).where(Delivery.run_id == run_id)
        found = session.scalar(of_run) or 0
        skipped = session.scalar(of_run.where(Delivery.state == DeliveryState.SKIPPED)) or 0
    report("records of the unchanged run", found, "rows", f"= {pulled}", found == pulled == skipped)


def reconciled(at: World, ends: Apart) -> None:
    """Reconcile with nothing changed, and compare with bare clients in the same run.

    The first reconciliation compares everybody, later ones know them again.
    """
    with same_pages.noted() as pages:
        _compared(at, ends, "the first after an import", pages, None)
    with same_pages.noted() as pages:
        _reconcile(at)
    _compared(at, ends, "of a store that answers at once", pages, RATIO)
    ends.take(ORDER_S)
    _compared(at, ends, f"of a store that takes {ORDER_S * 1000:.0f} ms an order on two processors", pages, RATIO)
    ends.take(0)


def _compared(at: World, ends: Apart, which: str, pages: Pages, goal: float | None) -> None:
    ends.counts()
    ours = measured(lambda: _reconcile(at))
    counts = ends.counts()
    of_store, same = bare(ends), measured(lambda: same_pages.read(pages, ends.whereabouts))
    ratio = ours.seconds / same.seconds
    said = "stated" if goal is None else f"<= {goal}"
    report(f"unchanged reconciliation to a bare reader of the same pages, {which}", ratio, "times", said,
           goal is None or ratio <= goal, seconds=round(ours.seconds, 2), cpu_s=round(ours.cpu_s, 2),
           bare_s=round(same.seconds, 2), store_calls=counts["store"], mautic_calls=counts["mautic"])  # fmt: skip
    report(f"unchanged reconciliation to a bare reader of the store's lists, {which}", ours.seconds / of_store.seconds,
           "times", "stated", True, bare_s=round(of_store.seconds, 2))  # fmt: skip


def _reconcile(at: World) -> None:
    _await(at, reconciliation.start(at.services, at.connector_id, trigger="bench"))


def _run(at: World, kind: RunKind) -> None:
    _await(at, run_lifecycle.start(at.services, at.connector_id, kind, trigger="bench"))


def _await(at: World, run_id: int) -> None:
    """Work as a server does until the run has ended."""
    worker = Worker(at.services)
    worker.start()
    try:
        while _is_going(at, run_id):
            time.sleep(0.1)
    finally:
        worker.stop()


def _is_going(at: World, run_id: int) -> bool:
    with at.services.db.read() as session:
        return session.scalar(select(Run.ended_at).where(Run.id == run_id)) is None


def _pulled(at: World) -> int:
    with at.services.db.read() as session:
        run_id = session.scalar(select(func.max(Delivery.run_id)))
        assert run_id is not None
        run = run_progress.progress(session, run_id, at.services.clock.now()).run
        assert run.state == "COMPLETED", run.error
        return run.pulled


def live(at: World) -> None:
    """Take live orders one after another to Mautic, each with a note."""
    worker = Worker(at.services)
    worker.start()
    try:
        _take(at, range(1, 6))
        cost = measured(lambda: _take(at, range(6, LIVE + 6)))
    finally:
        worker.stop()
    report("CPU of a live order", cost.cpu_s / LIVE * 1000, "ms/order", "stated", True, orders=LIVE)


def _take(at: World, numbers: range) -> None:
    for number in numbers:
        path, headers, body = webhook(at.services, at.connector().webhook_path, 10**7 + number)
        status = receive(at.services, path, headers, body)
        assert status == 200, status
        until = time.monotonic() + TIMEOUT_S
        while not _is_settled(at, 10**7 + number):
            assert time.monotonic() < until, f"order {number} was not delivered"
            time.sleep(0.05)


def _is_settled(at: World, number: int) -> bool:
    mine = Delivery.connector_id == at.connector_id, Delivery.source_id == str(number)
    query = select(Delivery.id).where(*mine, Delivery.state == DeliveryState.DELIVERED)
    with at.services.db.read() as session:
        return session.scalar(query) is not None


def measure() -> None:
    """Measure all of it."""
    with worlds() as (at, ends):
        unchanged(at, ends)
        reconciled(at, ends)
        live(at)
