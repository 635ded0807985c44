"""`make bench`: prints one JSON object a line; `python -m tests.bench calls speed` measures a part."""

from __future__ import annotations

import subprocess
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
    """Measure the parts that are named, or all; one that breaks off keeps no other from its turn."""
    parts = sys.argv[1:] or PARTS
    if len(parts) == 1:
        import_module(f"tests.bench.{parts[0]}").measure()
    elif broken := [part for part in parts if not _is_measured(part)]:
        sys.exit(f"broke off: {', '.join(broken)}")


def _is_measured(part: str) -> bool:
    """Measure a part in a process of its own: what one leaves behind would count as the memory of the next."""
    return subprocess.run([sys.executable, "-m", "tests.bench", part], check=False).returncode == 0


if __name__ == "__main__":
    main()
