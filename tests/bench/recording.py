"""What all the recording costs a sync: the same sync with and without log, attempts, counts, meter and run lines."""

from __future__ import annotations

import statistics
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from unittest import mock

from integration.pipeline import usage
from integration.pipeline.connectors import connectors
from integration.pipeline.delivery import attempts
from integration.pipeline.outbox.tally import Tally
from integration.pipeline.runs import lifecycle as run_lifecycle
from integration.pipeline.sync_log import writing as sync_log_writing
from tests.bench.speed import BATCH, LANES, apart, slow
from tests.bench.world import contact_changes, report, world

PEOPLE = 1200
ROUNDS = 3
_RECORDERS = (
    (attempts, "record"),
    (attempts, "rows"),
    (sync_log_writing, "record"),
    (usage, "record"),
    (run_lifecycle, "add_line"),
    (Tally, "write"),
)


@contextmanager
def unrecorded() -> Iterator[None]:
    """Leave out everything that is written for people to look at later."""
    with ExitStack() as stack:
        for place, name in _RECORDERS:
            empty = (lambda *args: []) if name == "rows" else (lambda *args, **values: None)
            stack.enter_context(mock.patch.object(place, name, empty))
        yield


def _rate() -> float:
    """Return records per second against a stand-in in a process of its own that takes 20 ms a record."""
    settings = {"sync.batch_start": BATCH, "sync.batch_max": BATCH, "sync.lanes": LANES}
    with world(**settings) as at, apart() as mautic:
        connectors.connect(at.services, at.connector_id, mautic_url=mautic)
        at.accept(contact_changes(2))
        at.work()
        slow(mautic)
        at.accept(contact_changes(PEOPLE, first=100))
        began = time.perf_counter()
        at.work()
        return PEOPLE / (time.perf_counter() - began)


def measure() -> None:
    """Compare pairs measured one after the other."""
    ratios = []
    for _ in range(ROUNDS):
        recorded = _rate()
        with unrecorded():
            ratios.append(recorded / _rate())
    ratio = statistics.median(ratios)
    report("records per second with all recording as a share", ratio, "ratio", ">= 0.9", ratio >= 0.9, rounds=ROUNDS)
