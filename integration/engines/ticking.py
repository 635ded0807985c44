"""Jobs by the clock that go on when it is set back: APScheduler alone would wait until it is the old time again."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Protocol

from apscheduler.schedulers.background import BackgroundScheduler

#: So often it is looked whether the clock was set back, and by so much at least.
LOOK_EVERY_S, STEP_S = 5.0, 60.0
#: Jobs come later by up to this share of their time, so that those of many processes do not come at once.
JITTER = 0.1


class Clockwork(Protocol):
    """Does jobs by some clock."""

    def add(self, job: Callable[[], object], seconds: int) -> None:
        """Do a job every so many seconds, about."""

    def start(self) -> None:
        """Begin."""

    def stop(self) -> None:
        """Do no more jobs."""


class Ticking:
    """Does jobs every so many seconds, each at most once at a time; `wall` tells the machine's clock in seconds."""

    def __init__(self, *, look_every_s: float = LOOK_EVERY_S, wall: Callable[[], float] = time.time) -> None:
        self._scheduler = BackgroundScheduler(timezone="UTC", job_defaults={"coalesce": True, "max_instances": 1})
        self._look_every_s, self._wall = look_every_s, wall
        self._stopped = threading.Event()

    def add(self, job: Callable[[], object], seconds: int) -> None:
        """Do a job every so many seconds, about."""
        self._scheduler.add_job(job, "interval", seconds=seconds, jitter=seconds * JITTER)

    def start(self) -> None:
        """Begin in the background."""
        self._scheduler.start()
        threading.Thread(target=self._watch, name="clock", daemon=True).start()

    def stop(self) -> None:
        """Stop; a job that is being done is not waited for."""
        self._stopped.set()
        if self._scheduler.running:
            self._scheduler.shutdown(wait=False)

    def _watch(self) -> None:
        ahead = self._ahead()
        while not self._stopped.wait(self._look_every_s):
            before, ahead = ahead, self._ahead()
            if ahead < before - STEP_S:
                self._begin_again()

    def _ahead(self) -> float:
        """Return how far the clock is ahead of one that nobody can set."""
        return self._wall() - time.monotonic()

    def _begin_again(self) -> None:
        for job in self._scheduler.get_jobs():
            job.modify(next_run_time=datetime.now(UTC))
