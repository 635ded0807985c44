"""The embedded engine: APScheduler rings, the worker works, all in one process."""

from __future__ import annotations

import logging
import os
import socket
from collections.abc import Callable

from apscheduler.schedulers.background import BackgroundScheduler

from integration.engines import schedule
from integration.engines.worker import Worker
from integration.operations import heartbeat
from integration.operations import retention
from integration.pipeline.ports import Ports

log = logging.getLogger(__name__)


class Embedded:
    """Runs schedules, sweeps, heartbeats and the worker until it is stopped."""

    def __init__(self, ports: Ports, *, role: str = "embedded", threads: int = 8) -> None:
        self.ports = ports
        self.worker = Worker(ports, threads=threads)
        self.scheduler = BackgroundScheduler(timezone="UTC", job_defaults={"coalesce": True, "max_instances": 1})
        self._name = f"{role}@{socket.gethostname()}:{os.getpid()}"
        self._role = role

    def start(self) -> None:
        """Take back what a killed process left, then begin."""
        schedule.sweep(self.ports)
        self._beat()
        self._add(lambda: schedule.tick(self.ports), 10)
        self._add(lambda: schedule.sweep(self.ports), 10)
        self._add(self._beat, 20)
        self._add(lambda: retention.prune(self.ports, self.ports.clock.now()), 3600)
        self.scheduler.start()
        self.worker.start()

    def stop(self) -> None:
        """Finish what is in flight and stop."""
        if self.scheduler.running:
            self.scheduler.shutdown(wait=False)
        self.worker.stop()

    def _add(self, job: Callable[[], object], seconds: int) -> None:
        self.scheduler.add_job(job, "interval", seconds=seconds)

    def _beat(self) -> None:
        heartbeat.beat(self.ports, self._name, self._role)
