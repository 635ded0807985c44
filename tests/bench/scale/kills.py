"""A worker is killed hard every ten seconds while orders with notes come in: nothing may be lost, nothing doubled."""

from __future__ import annotations

import signal
import subprocess
import threading
import time
from dataclasses import dataclass, field

from sqlalchemy import func, select

from integration.models.connector import ConnectorState
from integration.models.delivery import Delivery, DeliveryState
from integration.pipeline.outbox.states import LEASED
from integration.pipeline.services import Services
from tests.bench.scale.installation import connect, installed, owe, set_state, wait_until_done, working
from tests.bench.scale.sizes import Sizes
from tests.bench.scale.standins import Held, mautics
from tests.bench.world import report
from tests.postgres import Cluster
from tests.worker_process import start_worker

WORKERS, CONNECTORS = 3, 6
#: So many orders each connector gets at once, and so often.
ORDERS, EVERY_S = 5, 2.0
SETTINGS = {"orders.notes": "yes", "sync.batch_start": 5, "sync.batch_max": 5}
#: The work of a killed worker waits until it is known what Mautic holds of it, at most so long.
REST_S = 600.0


def measure(cluster: Cluster, sizes: Sizes) -> None:
    """Feed, kill, wait until all is settled, then count what the stand-ins hold."""
    with installed(cluster, "kills") as services, mautics(CONNECTORS, sizes.record_ms / 1000) as ends:
        ids = connect(services, ends.urls, SETTINGS)
        set_state(services, ids, ConnectorState.ACTIVE)
        feed = Feed(services, ids)
        with working(services, WORKERS) as workers:
            struck = _kill_again_and_again(services, workers, feed, sizes)
            began = time.monotonic()
            wait_until_done(services, REST_S)
            rest_s = time.monotonic() - began
        _count(services, ends.held(), feed.given, struck, rest_s)


@dataclass
class Feed:
    """Gives every connector some orders every two seconds; `given` is how many each has got."""

    services: Services
    ids: list[int]
    given: int = 0
    _over: threading.Event = field(default_factory=threading.Event)

    def start(self) -> None:
        """Begin in the background."""
        self._thread = threading.Thread(target=self._give, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End; what was given is complete then."""
        self._over.set()
        self._thread.join()

    def _give(self) -> None:
        while not self._over.wait(EVERY_S):
            for number in self.ids:
                owe(self.services, number, ORDERS, first=self.given + 1)
            self.given += ORDERS


def _kill_again_and_again(
    services: Services, workers: list[subprocess.Popen[bytes]], feed: Feed, sizes: Sizes
) -> list[int]:
    """Kill one after the other and start another in its place; return how many leases each had."""
    struck: list[int] = []
    feed.start()
    pause = threading.Event()
    for _ in range(sizes.kills):
        pause.wait(sizes.kill_every_s)
        victim, leases = _busiest(services, workers)
        victim.send_signal(signal.SIGKILL)
        victim.wait()
        workers.remove(victim)
        workers.append(start_worker(services))
        struck.append(leases)
    feed.stop()
    return struck


def _busiest(
    services: Services, workers: list[subprocess.Popen[bytes]], tries: int = 50
) -> tuple[subprocess.Popen[bytes], int]:
    """Return the worker with most leased deliveries, so that a kill strikes; the oldest where none has any."""
    pause = threading.Event()
    for _ in range(tries):
        with services.db.read() as session:
            tokens = session.scalars(select(Delivery.lease_token).where(LEASED)).all()
        held = {one: sum(f".{one.pid}." in (token or "") for token in tokens) for one in workers}
        busiest = max(workers, key=lambda one: held[one])
        if held[busiest]:
            return busiest, held[busiest]
        pause.wait(0.05)
    return workers[0], 0


def _count(services: Services, held: list[Held], given: int, struck: list[int], rest_s: float) -> None:
    with services.db.read() as session:
        query = select(func.count()).where(Delivery.state != DeliveryState.DELIVERED)
        other = session.scalar(query) or 0
    hits = sum(leases > 0 for leases in struck)
    report("kills that struck a batch on its way", hits, f"of {len(struck)}", ">= half", 2 * hits >= len(struck))
    report("orders given", given * len(held), "orders", "stated", True, leases_struck=sum(struck))
    lost = sum(given - each.notes for each in held if each.notes < given)
    doubled = sum(each.notes - given for each in held if each.notes > given)
    doubled += sum(each.notes_of_one > 1 for each in held) + sum(each.contacts - each.addresses for each in held)
    report("lost over kills, counted in Mautic", lost, "notes", "0", lost == 0)
    report("doubled over kills, counted in Mautic", doubled, "notes or contacts", "0", doubled == 0)
    report("deliveries that did not end as delivered", other, "deliveries", "0", other == 0)
    report("all settled after the last kill", rest_s, "s", "stated", True)
