"""A drain of one connector: it looks when it is rung for, begins no more than it may, and ends when nothing is left."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from integration.engines import schedule, worker as workers
from integration.engines.worker import Worker
from integration.models.run import RunKind
from integration.pipeline.services import Services
from integration.sandbox.mautic import MauticServer
from tests.bench.world import order_changes
from tests.engines.conftest import accept, connect, waiting
from tests.waiting import wait_for

SLOW_S = 3


class Looks:
    """Counts how often it is looked what is due."""

    def __init__(self, look: Callable[..., list[int]]) -> None:
        self.count = 0
        self._look = look

    def __call__(self, *given: Any) -> list[int]:
        self.count += 1
        return self._look(*given)


@pytest.fixture
def looks(monkeypatch: pytest.MonkeyPatch) -> Looks:
    looks = Looks(schedule.busy_connectors)
    monkeypatch.setattr(schedule, "busy_connectors", looks)
    return looks


def test_a_drain_looks_by_the_second_while_a_call_is_out(live: Services, mautic: MauticServer, looks: Looks) -> None:
    connector_id = connect(live, mautic)
    accept(live, connector_id, order_changes(1))
    mautic.faults.command({"kind": "delay", "value": SLOW_S})
    worker = Worker(live)
    began = time.monotonic()
    worker.drain(connector_id)
    seconds = time.monotonic() - began
    worker.stop()
    assert waiting(live) == 0
    assert seconds > SLOW_S
    assert looks.count <= seconds + 3


def test_what_is_rung_for_wakes_its_drain_alone(live: Services, mautic: MauticServer) -> None:
    first, second = connect(live, mautic), connect(live, mautic)
    seen = live.wakeup.wait(0, 0, first)
    live.wakeup.ring(second)
    assert live.wakeup.wait(seen, 0.1, first) == seen
    live.wakeup.ring(first)
    assert live.wakeup.wait(seen, 10, first) == seen + 1
    live.wakeup.ring(0)
    assert live.wakeup.wait(seen + 1, 10, first) == seen + 2


def test_a_drain_whose_turn_is_over_begins_no_more(live: Services, mautic: MauticServer) -> None:
    connector_id = connect(live, mautic)
    accept(live, connector_id, order_changes(1))
    worker = Worker(live)
    worker.drain(connector_id, lambda batch: False)
    assert waiting(live) == 1
    worker.drain(connector_id)
    assert waiting(live) == 0
    worker.stop()


def test_a_stopped_worker_ends_its_drains_and_finishes_what_is_out(live: Services, mautic: MauticServer) -> None:
    connector_id = connect(live, mautic)
    accept(live, connector_id, order_changes(1))
    mautic.faults.command({"kind": "delay", "value": SLOW_S})
    worker = Worker(live)
    with ThreadPoolExecutor(1) as pool:
        drain = pool.submit(worker.drain, connector_id)
        assert wait_for(lambda: waiting(live, "leased") == 1, seconds=20)
        worker.stop()
        drain.result(timeout=10)
    assert waiting(live) == 0


def test_no_run_is_taken_that_would_wait_for_a_reader(live: Services) -> None:
    worker = Worker(live)
    for number in range(workers.READERS_MAX):
        assert RunKind.INITIAL in worker._free_kinds()
        worker._count(number, RunKind.INITIAL, 1)
    assert worker._free_kinds() == frozenset()
    worker._count(1, RunKind.INITIAL, -1)
    assert RunKind.INITIAL in worker._free_kinds()
    worker.stop()
