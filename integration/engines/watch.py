"""The watch: looks for what is wrong and tells people, also where another process does the work and may be dead."""

from __future__ import annotations

from collections.abc import Callable

from integration.engines import shared_jobs
from integration.engines.ticking import Ticking
from integration.operations.monitoring import alerts
from integration.pipeline.services import Services

#: Does a job every so many seconds.
Add = Callable[[Callable[[], object], int], None]
LOOK_EVERY_S = 30


def add_jobs(add: Add, services: Services) -> None:
    """Add what alerts need to be done by the clock."""
    add(lambda: _told(services, _look), LOOK_EVERY_S)
    add(lambda: _told(services, alerts.send), 10)


def _look(services: Services) -> None:
    """Say how the disk of this process is; one process looks for what is wrong with the connectors."""
    alerts.report_disk(services)
    shared_jobs.do(services, "alerts", LOOK_EVERY_S, alerts.evaluate)


def _told(services: Services, job: Callable[[Services], object]) -> None:
    """Do a job of the alerts; where the disk refuses what it writes people are told of that without it."""
    try:
        job(services)
    except Exception as error:
        alerts.tell(services, error)
    else:
        alerts.tell_end(services)


class Watch:
    """The watch of a web process without an engine: it says so when no worker is alive."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._ticking = Ticking()
        add_jobs(self._add, services)

    def _add(self, job: Callable[[], object], seconds: int) -> None:
        self._ticking.add(self._services.disk.tolerated(job), seconds)

    def start(self) -> None:
        """Begin to watch in the background."""
        self._ticking.start()

    def stop(self) -> None:
        """Stop watching."""
        self._ticking.stop()
