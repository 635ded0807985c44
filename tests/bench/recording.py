"""What all the recording costs a sync: the same sync with and without log, attempts, counts, meter and run lines."""

from __future__ import annotations

import statistics
import time
from collections.abc import Iterator
from contextlib import ExitStack
from contextlib import contextmanager
from unittest import mock

from integration.pipeline import attempts
from integration.pipeline import connectors
from integration.pipeline import meter
from integration.pipeline import runs
from integration.pipeline import synclog
from integration.pipeline.outbox.tally import Tally
from tests.bench.speed import BATCH
from tests.bench.speed import LANES
from tests.bench.speed import apart
from tests.bench.speed import slow
from tests.bench.world import contact_changes
from tests.bench.world import report
from tests.bench.world import world

PEOPLE = 1200
ROUNDS = 3
_RECORDERS = (
    (attempts, "record"),
    (attempts, "rows"),
    (synclog, "record"),
    (meter, "record"),
    (runs, "add_line"),
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
        connectors.connect(at.ports, at.connector_id, mautic_url=mautic)
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
