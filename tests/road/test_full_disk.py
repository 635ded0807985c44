"""The disk is full while the worker works: it waits, sends nothing twice, and goes on by itself when there is room."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import pytest

from integration.engines.worker import Worker
from integration.models import Run
from integration.models.run import GOING, RunState
from integration.pipeline import disk as disks
from integration.pipeline.payloads import recorder
from integration.pipeline.runs import lifecycle as run_lifecycle
from tests.full_disk import FullDisk, ask_every
from tests.road.conftest import Road
from tests.waiting import wait_for

#: The disk is filled by a limit that only SQLite has.
pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@pytest.fixture
def road(make_road: Callable[..., Road], monkeypatch: pytest.MonkeyPatch) -> Road:
    ask_every(monkeypatch, 0.1)
    monkeypatch.setattr(disks, "PAUSE_S", 0.1)
    return make_road()


def test_what_was_sent_is_settled_once_there_is_room(road: Road, monkeypatch: pytest.MonkeyPatch) -> None:
    disk = FullDisk(road.services.db)
    road.arrive(*(road.order(f"ada{n}@example.com", billing={"address_1": "x" * 200}) for n in range(30)))
    sent_all = threading.Event()

    def keep(*_: object) -> None:
        """The disk fills up between the calls to Mautic and the note of what became of them."""
        if not sent_all.is_set():
            disk.fill()
        sent_all.set()

    monkeypatch.setattr(recorder.PayloadRecorder, "keep", keep)
    worker = Worker(road.services)
    worker.start()
    try:
        assert sent_all.wait(20)
        wait_for(lambda: road.services.disk.is_blocked(), "the full disk", seconds=20)
        sent = road.writes()
        time.sleep(0.5)
        assert road.writes() == sent, "nothing is sent while nothing can be noted"
        assert "delivered" not in road.states()
        disk.make_room()
        wait_for(lambda: road.states() == {"delivered"}, "the delivery", seconds=20)
    finally:
        worker.stop()
    assert {delivery.attempts for delivery in road.deliveries()} == {1}
    assert len(road.mautic.state.contacts) == 30


def test_a_run_waits_for_room_however_long_that_takes(road: Road, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("integration.pipeline.runs.execution.DATABASE_TRIES_MAX", 2)
    for number in range(60):
        road.order(f"p{number}@example.com", billing={"address_1": "x" * 200})
    run_id = run_lifecycle.start(road.services, road.connector_id, "initial", trigger="test", options={})
    disk = FullDisk(road.services.db)
    disk.fill()
    worker = Worker(road.services)
    worker.start()
    try:
        wait_for(lambda: road.services.disk.is_blocked(), "the full disk", seconds=20)
        time.sleep(1)
        disk.make_room()

        def state() -> str:
            with road.services.db.read() as session:
                return str(session.get_one(Run, run_id).state)

        wait_for(lambda: state() not in GOING, "the end of the run", seconds=20)
    finally:
        worker.stop()
    assert state() == RunState.COMPLETED
