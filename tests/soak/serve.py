"""The command woo-mautic with a clock that can be moved: the app of the soak.

SOAK_CLOCK names a file with the seconds by which the clock is wrong. It is read here and nowhere else.
"""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

from integration.cli import main as command
from integration.clock import Clock


def offset(path: Path) -> timedelta:
    """Return by how much the clock is wrong; nothing while nobody has moved it."""
    return timedelta(seconds=float(path.read_text("ascii"))) if path.exists() else timedelta()


def main() -> None:
    """Move the clock of this process and run the command."""
    path = Path(os.environ["SOAK_CLOCK"])
    Clock.now = lambda self: datetime.now(UTC) + offset(path)  # type: ignore[method-assign]  # the point of this file
    command()


if __name__ == "__main__":
    main()
