"""The watch: looks for what is wrong and tells people, also where another process does the work and may be dead."""

from __future__ import annotations

from collections.abc import Callable

from apscheduler.schedulers.background import BackgroundScheduler

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
        self._scheduler = BackgroundScheduler(timezone="UTC", job_defaults={"coalesce": True, "max_instances": 1})
        add_jobs(self._add, services)

    def _add(self, job: Callable[[], object], seconds: int) -> None:
        self._scheduler.add_job(job, "interval", seconds=seconds)

    def start(self) -> None:
        """Begin to watch in the background."""
        self._scheduler.start()

    def stop(self) -> None:
        """Stop watching."""
        self._scheduler.shutdown(wait=False)
