"""One connector alone: several workers must not be slower for it than one."""

from __future__ import annotations

from dataclasses import replace

from tests.bench.scale.sizes import WORKERS, Sizes
from tests.bench.scale.speedup import owed, run
from tests.bench.world import report
from tests.postgres import Cluster

#: What several may take, as times of one: what two runs of one and the same differ by on a quiet machine.
SLOWER_MAX = 1.05


def measure(cluster: Cluster, sizes: Sizes) -> None:
    """Let 1, 2 and 4 workers deliver the records of one connector."""
    sizes = replace(sizes, connectors=1, records=sizes.alone)
    ids = owed(cluster, sizes)
    one = run(cluster, sizes, ids, 1)
    report("one connector, 1 worker: records", sizes.total / one.seconds, "per second", "stated", True)
    for workers in WORKERS[1:]:
        many = run(cluster, sizes, ids, workers)
        for name, ratio in (
            ("seconds", many.seconds / one.seconds),
            ("CPU", many.spent.ours_s / one.spent.ours_s),
            ("transactions", many.spent.transactions / one.spent.transactions),
        ):
            goal = f"<= {SLOWER_MAX}" if name == "seconds" else "stated"
            is_met = name != "seconds" or ratio <= SLOWER_MAX
            report(f"one connector, {workers} workers: {name}", ratio, "times one worker's", goal, is_met)
