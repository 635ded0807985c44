"""The jobs that a process does by the clock, to be done when a test or measurement says so."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from integration.engines.embedded import Ticks
from integration.pipeline.services import Services


@dataclass
class _Kept:
    """A clockwork that does no job by itself."""

    jobs: list[tuple[Callable[[], object], int]] = field(default_factory=list)

    def add(self, job: Callable[[], object], seconds: int) -> None:
        """Keep a job."""
        self.jobs.append((job, seconds))

    def start(self) -> None:
        """Do nothing by a clock."""

    def stop(self) -> None:
        """Do nothing by a clock."""


def by_the_clock(services: Services) -> Sequence[tuple[Callable[[], object], int]]:
    """Return all jobs of an engine, each with the seconds after which it comes again."""
    kept = _Kept()
    Ticks(services, "worker", kept).start()
    return kept.jobs
