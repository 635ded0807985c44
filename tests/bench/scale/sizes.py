"""How large a run of `make bench-scale` is: the full size, or with SCALE=small about a minute a part."""

from __future__ import annotations

import os
from dataclasses import dataclass

#: Setting -> (full size, small size); the environment names it SCALE_ and the name in capitals.
SIZES: dict[str, tuple[int, int]] = {
    "connectors": (200, 40),
    "records": (500, 100),
    "record_ms": (20, 20),
    "lanes": (1, 1),
    "backlog": (1_000_000, 100_000),
    "alone": (3000, 600),
    "kill_every_s": (10, 10),
    "kills": (60, 5),
    "imports": (8, 2),
    "hooks": (6000, 1500),
    "load_s": (3600, 30),
}
WORKERS = (1, 2, 4)


@dataclass(frozen=True, slots=True)
class Sizes:
    """How much of each: `lanes` is WORKER_LANES of each worker, `record_ms` what a stand-in takes a record."""

    connectors: int
    records: int
    record_ms: int
    lanes: int
    backlog: int
    alone: int
    kill_every_s: int
    kills: int
    imports: int
    hooks: int
    load_s: int

    @property
    def total(self) -> int:
        """Return how many records all connectors have together."""
        return self.connectors * self.records


def of_environment() -> Sizes:
    """Return the sizes that SCALE and SCALE_… ask for; ValueError for what is no whole number."""
    column = int(os.environ.get("SCALE", "full") == "small")
    return Sizes(**{name: int(os.environ.get(f"SCALE_{name.upper()}", each[column])) for name, each in SIZES.items()})
