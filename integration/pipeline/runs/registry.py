"""Which work a kind of run is. Floors above the pipeline add their kinds, so that it need not know of them."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

from integration.models.run import Run, RunKind
from integration.pipeline.runs.execution import Execution
from integration.pipeline.runs.executor import RunExecutor
from integration.pipeline.services import Services

Make = Callable[[Services, Run, str, threading.Event], Execution]


@dataclass(frozen=True, slots=True)
class Work:
    """How runs of a kind are done: `make` returns what executes one, `at_once` limits how many a process does."""

    make: Make
    at_once: int | None = None


EXECUTORS: dict[RunKind, Work] = {
    kind: Work(RunExecutor)
    for kind in (RunKind.INITIAL, RunKind.FULL, RunKind.INCREMENTAL, RunKind.BULK, RunKind.REPLAY)
}


def register(kind: RunKind, make: Make, *, at_once: int | None = None) -> None:
    """Say what does runs of a kind; a kind that nobody has registered is left for a process that knows it."""
    EXECUTORS[kind] = Work(make, at_once)


def free_kinds(going: Counter[RunKind]) -> frozenset[RunKind]:
    """Return the kinds of which this process may begin another run while it does `going`."""
    return frozenset(k for k, work in EXECUTORS.items() if work.at_once is None or going[k] < work.at_once)


def execution_of(services: Services, run: Run, token: str, stop: threading.Event) -> Execution:
    """Return what executes a run that was taken with this token."""
    return EXECUTORS[RunKind(run.kind)].make(services, run, token, stop)
