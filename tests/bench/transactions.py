"""What one live order costs from its webhook to its settlement: transactions, parses, decryptions and calls."""

from __future__ import annotations

import json
import statistics
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any
from unittest.mock import patch

from sqlalchemy import func, select

from integration.engines.worker import Worker
from integration.models.database import Database
from integration.models.delivery import Delivery, DeliveryState
from integration.models.vault import Vault
from integration.pipeline.connectors import connectors
from integration.pipeline.ingest.webhooks import receive
from integration.pipeline.services import Services
from integration.settings import Modules
from tests.bench.calls import make_fields
from tests.bench.world import World, order, report, signed, world

SECRET = "benchsecret0123456789"
WARM_UP_ORDERS = 3
ORDERS = 9
TIMEOUT_S = 20.0
#: What is counted -> the most that an order may cost. Four writes are the least: accept, claim, start the note, settle.
#: Settings are parsed by the webhook, for what it asks of the body, by its transaction, and by the batch.
GOALS = {
    "read transactions": 5,
    "write transactions": 4,
    "settings parses": 3,
    "decryptions": 2,
    "HTTP calls": 2,
}


class Costs:
    """Counts what all threads of this process do, except those that look whether an order has arrived."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self._lock = threading.Lock()
        self._watching = threading.local()

    def count(self, name: str) -> None:
        """Count one more."""
        if not getattr(self._watching, "now", False):
            with self._lock:
                self.counts[name] += 1

    @contextmanager
    def uncounted(self) -> Iterator[None]:
        """Leave out what this thread does inside."""
        self._watching.now = True
        try:
            yield
        finally:
            self._watching.now = False

    def counting(self, name: str, call: Callable[..., Any]) -> Callable[..., Any]:
        """Return a function that does what `call` does and counts it."""

        def counted(*args: Any, **more: Any) -> Any:
            self.count(name)
            return call(*args, **more)

        return counted


@contextmanager
def counted() -> Iterator[Costs]:
    """Count what is done inside."""
    costs = Costs()
    parse = costs.counting("settings parses", Modules.from_json)
    with ExitStack() as stack:
        for owner, name, what in (
            (Database, "read", "read transactions"),
            (Database, "write", "write transactions"),
            (Vault, "open", "decryptions"),
        ):
            stack.enter_context(patch.object(owner, name, costs.counting(what, getattr(owner, name))))
        stack.enter_context(patch.object(Modules, "from_json", staticmethod(parse)))
        yield costs


def live_orders() -> None:
    """Take live orders one after another to Mautic, each with a note, and report what the middle one cost."""
    with world(**{"orders.notes": True}) as at, counted() as costs:
        connectors.connect(at.services, at.connector_id, webhook_secret=SECRET)
        make_fields(at)
        worker = Worker(at.services)
        worker.start()
        try:
            for number in range(1, WARM_UP_ORDERS + 1):
                _cost_of(at, costs, number)
            found = [_cost_of(at, costs, WARM_UP_ORDERS + number) for number in range(1, ORDERS + 1)]
        finally:
            worker.stop()
        assert len(at.mautic.state.notes) == WARM_UP_ORDERS + ORDERS
    for name, goal in GOALS.items():
        value = statistics.median(each[name] for each in found)
        report(f"{name} of a live order", value, "per order", f"<= {goal}", value <= goal)


def _cost_of(at: World, costs: Costs, number: int) -> Counter[str]:
    """Return what one order cost, once all threads have come to rest."""
    at.mautic.calls.reset()
    at.store.calls.reset()
    costs.counts.clear()
    path, headers, body = _webhook(at, costs, number)
    status = receive(at.services, path, headers, body)
    assert status == 200, status
    _await_delivered(at, costs, number)
    found = Counter(costs.counts)
    found["HTTP calls"] = at.mautic.calls.total + at.store.calls.total
    return found


def _webhook(at: World, costs: Costs, number: int) -> tuple[str, dict[str, str], bytes]:
    with costs.uncounted():
        path = at.connector().webhook_path
    return webhook(at.services, path, number)


def webhook(services: Services, path: str, number: int) -> tuple[str, dict[str, str], bytes]:
    """Return path, headers and body of the webhook of an order that was completed just now."""
    now = f"{services.clock.now():%Y-%m-%dT%H:%M:%S}"
    dates = {"date_created_gmt": now, "date_modified_gmt": now, "date_completed_gmt": now}
    body = json.dumps(order(number, f"buyer{number}@example.com") | dates).encode()
    return path, signed(body, SECRET), body


def _await_delivered(at: World, costs: Costs, number: int) -> None:
    """Wait until so many orders are delivered, and then for the lanes to find that there is no more."""
    until = time.monotonic() + TIMEOUT_S
    pause = threading.Event()
    while _delivered(at, costs) < number:
        assert time.monotonic() < until, f"order {number} was not delivered in {TIMEOUT_S} s"
        pause.wait(0.02)
    pause.wait(0.3)


def _delivered(at: World, costs: Costs) -> int:
    query = select(func.count()).where(Delivery.state == DeliveryState.DELIVERED)
    with costs.uncounted(), at.services.db.read() as session:
        return session.scalar(query) or 0


def measure() -> None:
    """Measure all of it."""
    live_orders()
