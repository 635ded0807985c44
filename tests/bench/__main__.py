"""`make bench`: prints one JSON object a line; `python -m tests.bench calls speed` measures a part."""

from __future__ import annotations

import sys
from importlib import import_module

PARTS = (
    "calls",
    "transactions",
    "speed",
    "unchanged",
    "imports",
    "hooks",
    "hostile",
    "cancelling",
    "captures",
    "day",
    "ticks",
    "carts",
    "inbound",
    "mapping",
    "logpages",
    "memory",
    "recording",
    "rows",
    "workers",
    "sizing",
)


def main() -> None:
    """Measure the parts that are named, or all."""
    for part in sys.argv[1:] or PARTS:
        import_module(f"tests.bench.{part}").measure()


if __name__ == "__main__":
    main()
