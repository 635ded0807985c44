"""The embedded engine: APScheduler says when, the worker works, all in one process."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable

from integration.carts import announcing, detection, leftovers
from integration.engines import (
    buyer_scores,
    cart_cleanup,
    clock_steps,
    field_lists,
    schedule,
    shared_jobs,
    store_probes,
    unsubscribes,
    watch,
)
from integration.engines.ticking import Clockwork, Ticking
from integration.engines.worker import Worker
from integration.operations import erasure, reconciliation, retention
from integration.operations.monitoring import heartbeat
from integration.operations.reconciliation import webhook_gaps
from integration.operations.retention import files as retention_files
from integration.pipeline.runs import cancelling
from integration.pipeline.services import Services


class Ticks:
    """What every engine does by the clock: schedules, sweeps, heartbeats, retention."""

    def __init__(self, services: Services, role: str, clockwork: Clockwork | None = None) -> None:
        self._services = services
        self._role = role
        self._name = f"{role}@{socket.gethostname()}:{os.getpid()}"
        self._ticking = clockwork or Ticking()

    def add(self, job: Callable[[], object], seconds: int) -> None:
        """Do a job every so many seconds."""
        self._ticking.add(self._services.disk.tolerated(job), seconds)

    def start(self) -> None:
        """Take back what a killed process left, then begin."""
        for first in (lambda: clock_steps.look(self._services), lambda: schedule.sweep(self._services), self._beat):
            self._services.disk.tolerated(first)()
        self.add(lambda: clock_steps.look(self._services), 10)
        self.add(lambda: schedule.tick(self._services), 10)
        self.add(lambda: schedule.sweep(self._services), 10)
        self.add(lambda: cancelling.end_paused(self._services), 10)
        self.add(lambda: store_probes.tick(self._services), store_probes.EVERY_S)
        self.add(lambda: field_lists.tick(self._services), field_lists.EVERY_S)
        self.add(lambda: cart_cleanup.tick(self._services), cart_cleanup.LOOK_EVERY_S)
        self.add(lambda: buyer_scores.tick(self._services), buyer_scores.LOOK_EVERY_S)
        self.add(lambda: unsubscribes.tick(self._services), unsubscribes.LOOK_EVERY_S)
        self.add(self._beat, 20)
        self.add(lambda: retention.prune(self._services, self._services.clock.now()), 3600)
        self.add(lambda: retention_files.prune(self._services), 600)
        self.add(lambda: reconciliation.tick(self._services), 10)
        self.add(lambda: erasure.tick(self._services), erasure.EVERY_S)
        # Each look asks every store for its webhooks.
        self.add(lambda: shared_jobs.do(self._services, "webhook gaps", 300, webhook_gaps.tick), 300)
        self.add(lambda: detection.tick(self._services), detection.EVERY_S)
        self.add(lambda: announcing.tick(self._services), announcing.EVERY_S)
        self.add(lambda: leftovers.tick(self._services), leftovers.EVERY_S)
        watch.add_jobs(self.add, self._services)
        self._ticking.start()

    def stop(self) -> None:
        """Stop ticking."""
        self._ticking.stop()

    def _beat(self) -> None:
        heartbeat.beat(self._services, self._name, self._role)


class Embedded:
    """Ticks and the worker in one process, until it is stopped."""

    def __init__(self, services: Services, *, role: str = "embedded") -> None:
        self.worker = Worker(services)
        self._ticks = Ticks(services, role)

    def start(self) -> None:
        """Begin to tick and to work."""
        self._ticks.start()
        self.worker.start()

    def stop(self) -> None:
        """Finish what is in flight and stop."""
        self._ticks.stop()
        self.worker.stop()
