"""Many connectors with much to do: what 1, 2 and 4 workers do in a second, and how long a connector waits."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from typing import Any

from integration.engines.procrastinate import JOB_CONNECTIONS
from integration.models.connector import ConnectorState
from integration.models.database import CONNECTIONS_MAX
from tests.bench.scale import spending
from tests.bench.scale.installation import (
    Connections,
    aim,
    connect,
    installed,
    owe,
    set_state,
    wait_until_done,
    working,
)
from tests.bench.scale.sizes import WORKERS, Sizes
from tests.bench.scale.spending import Spent
from tests.bench.scale.standins import Held, mautics
from tests.bench.world import report
from tests.postgres import Cluster

SETTINGS: dict[str, Any] = {"sync.batch_start": 25, "sync.batch_max": 25, "sync.lanes": 1}
#: Of what N workers might do, N times one, they must do so much.
SPEED_UP_MIN = 0.85
#: A connector may wait for so many times its share: the time between two batches if all had them in turn.
SHARES_MAX = 3.0
#: Where the lanes wait for the stand-ins for so much of their time, these are the limit; else the processors are, where
#: they are busy for so much of it.
WAITING_MIN, BUSY_MIN = 0.7, 0.9


@dataclass(frozen=True, slots=True)
class Run:
    """What so many workers took: seconds, what was spent, connections, and the longest wait in shares."""

    seconds: float
    spent: Spent
    connections: int
    shares: float


def measure(cluster: Cluster, sizes: Sizes) -> None:
    """Let 1, 2 and 4 workers do the same and compare; each gets a copy of one database."""
    ids = owed(cluster, sizes)
    one: Run | None = None
    for workers in WORKERS:
        each = run(cluster, sizes, ids, workers)
        one = one or each
        _tell(sizes, workers, each, one)


def owed(cluster: Cluster, sizes: Sizes) -> list[int]:
    """Make the database "owed", in which paused connectors have all their records waiting; return the connectors."""
    with installed(cluster, "owed", lanes=sizes.lanes) as services:
        ids = connect(services, ["http://127.0.0.1:9"] * sizes.connectors, SETTINGS)
        for number in ids:
            owe(services, number, sizes.records)
    return ids


def _tell(sizes: Sizes, workers: int, run: Run, one: Run) -> None:
    cpus = (os.cpu_count() or 1) * run.seconds
    waiting = sizes.total * sizes.record_ms / 1000 / (workers * sizes.lanes * run.seconds)
    is_busy = run.spent.machine_s / cpus >= BUSY_MIN
    other = "the processors of this machine" if is_busy else "how fast workers take turns"
    limit = "the stand-ins" if waiting >= WAITING_MIN else other
    what = f"{workers} workers, {sizes.connectors} connectors"
    more: dict[str, Any] = {"limit": limit, "lanes_waiting": round(waiting, 2)}
    # Others may be at work on this machine.
    busy = {"busy": round(run.spent.machine_s / cpus, 2), "busy_with_this": round(run.spent.whole_s / cpus, 2)}
    report(f"{what}: records", sizes.total / run.seconds, "per second", "stated", True, **more, **busy)
    of_each = 1000 / sizes.total
    report(f"{what}: CPU of the workers", run.spent.ours_s * of_each, "ms a record", "stated", True)
    report(f"{what}: CPU of PostgreSQL", run.spent.postgres_s * of_each, "ms a record", "stated", True)
    report(f"{what}: transactions", run.spent.transactions / sizes.total, "a record", "stated", True)
    most = workers * (CONNECTIONS_MAX + JOB_CONNECTIONS)
    report(f"{what}: connections", run.connections, "at most", f"<= {most}", run.connections <= most)
    is_fair = run.shares <= SHARES_MAX
    report(f"{what}: longest wait", run.shares, "times its share", f"<= {SHARES_MAX}", is_fair)
    if workers > 1:
        share = one.seconds / run.seconds / workers
        goal = f">= {SPEED_UP_MIN} while the stand-ins are the limit"
        report(f"{what}: speed-up", share, f"of {workers} times one", goal, share >= SPEED_UP_MIN, **more)


def run(cluster: Cluster, sizes: Sizes, ids: list[int], workers: int) -> Run:
    """Let so many workers deliver all that a copy of "owed" has, to Mautics of their own."""
    record_s = sizes.record_ms / 1000
    with (
        installed(cluster, f"by_{workers}", template="owed", lanes=sizes.lanes) as services,
        mautics(len(ids), record_s) as ends,
    ):
        aim(services, ids, ends.urls)
        with working(services, workers) as children, Connections(services) as connections:
            pids = [child.pid for child in children]
            before, began, at = spending.read(services, pids, cluster.pid), time.monotonic(), time.time()
            set_state(services, ids, ConnectorState.ACTIVE)
            wait_until_done(services, 60 + 8 * sizes.total * record_s)
            seconds = time.monotonic() - began
            spent = spending.read(services, pids, cluster.pid).since(before)
        held = ends.held()
    assert sum(each.contacts for each in held) == sizes.total, "the stand-ins do not hold all contacts"
    return Run(seconds, spent, connections.most, longest_wait(held, at))


def longest_wait(held: list[Held], began: float) -> float:
    """Return the longest time that a connector was without a batch, in times of its share of all the time."""
    ended = max(each.batches[-1] for each in held)
    waits = []
    for each in held:
        moments = [began, *each.batches]
        longest = max(after - before for before, after in zip(moments, moments[1:], strict=False))
        waits.append(longest * len(each.batches) / (ended - began))
    return max(waits)
