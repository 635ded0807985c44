"""`make bench-scale`: prints one JSON object a line; `python -m tests.bench.scale speedup kills` measures a part."""

from __future__ import annotations

import os
import sys
from importlib import import_module

from tests.bench.scale.sizes import of_environment
from tests.postgres import Cluster, binaries

PARTS = ("speedup", "alone", "kills", "backlog", "webhooks", "tables")
#: More connections than any part may need, so that the limit is ours; what is committed is on the disk. The memory is
#: what a small server would give.
MEMORY = ("shared_buffers=1GB", "max_wal_size=4GB")
SETTINGS = ("max_connections=500", "fsync=on", *MEMORY, *os.environ.get("SCALE_POSTGRES", "").split())


def main() -> None:
    """Measure the parts that are named, or all, each on a PostgreSQL of its own."""
    folder = binaries()
    assert folder is not None, "PostgreSQL is not installed"
    for part in sys.argv[1:] or PARTS:
        cluster = Cluster(folder, settings=SETTINGS)
        cluster.start()
        try:
            import_module(f"tests.bench.scale.{part}").measure(cluster, of_environment())
        finally:
            cluster.stop()


if __name__ == "__main__":
    main()
