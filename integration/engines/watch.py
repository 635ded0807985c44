"""The watch: looks for what is wrong and tells people, also where another process does the work and may be dead."""

from __future__ import annotations

from collections.abc import Callable

from integration.engines.ticking import Ticking
from integration.operations.monitoring import alerts
from integration.pipeline.services import Services

#: Does a job every so many seconds.
Add = Callable[[Callable[[], object], int], None]


def add_jobs(add: Add, services: Services) -> None:
    """Add what alerts need to be done by the clock."""
    add(lambda: alerts.evaluate(services), 30)
    add(lambda: alerts.send(services), 10)


class Watch:
    """The watch of a web process without an engine: it says so when no worker is alive."""

    def __init__(self, services: Services) -> None:
        self._ticking = Ticking()
        add_jobs(self._ticking.add, services)

    def start(self) -> None:
        """Begin to watch in the background."""
        self._ticking.start()

    def stop(self) -> None:
        """Stop watching."""
        self._ticking.stop()
