"""Connectors take turns: batch by batch at the threads of a process, half a second each at the places of all."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest
from sqlalchemy import text
from sqlalchemy.exc import TimeoutError as PoolIsEmpty

from integration.config import Deployment
from integration.engines import lane_threads, wired
from integration.engines.lane_threads import TURN_BATCHES, LaneThreads
from integration.engines.procrastinate import TURN_S, Procrastinate, Turn, defer
from integration.engines.worker import Worker
from integration.mautic.batches import BatchSize
from integration.models import Organisation
from integration.pipeline.connectors import connectors
from integration.pipeline.delivery.lanes import Lanes
from integration.pipeline.services import Services, open_services
from integration.sandbox.mautic import MauticServer
from tests.bench.world import order_changes
from tests.conftest import NOON
from tests.engines.conftest import accept, connect, waiting
from tests.schema import make_newest
from tests.waiting import wait_for

A, B = 1, 2


class Batches:
    """Stands for the deliverers of connectors with so many batches each; they wait for `go`, and all are noted.

    With `all_at_once` each batch takes all that is due. `known_due` has what the deliverers were told of each look.
    """

    def __init__(self, **left: int) -> None:
        self.left = {A: left["a"], B: left["b"]}
        self.done: list[int] = []
        self.known_due: list[bool] = []
        self.all_at_once = False
        self.go = threading.Event()

    def __call__(self, services: Services, connector_id: int, lanes: Lanes, stop: threading.Event) -> Batches.One:
        return Batches.One(self, connector_id)

    class One:
        """A deliverer of one connector."""

        def __init__(self, batches: Batches, connector_id: int) -> None:
            self.batches, self.connector_id = batches, connector_id

        @property
        def took_all(self) -> bool:
            return self.batches.all_at_once

        def work(self, *, due: bool = False) -> int:
            """Do a batch of one person while there is one."""
            assert self.batches.go.wait(20)
            self.batches.known_due.append(due)
            if not self.batches.left[self.connector_id]:
                return 0
            self.batches.left[self.connector_id] -= 1
            self.batches.done.append(self.connector_id)
            return 1


class Rings:
    """Counts how often each connector is rung for."""

    def __init__(self, services: Services, monkeypatch: pytest.MonkeyPatch) -> None:
        self.of: list[int] = []
        monkeypatch.setattr(services.wakeup, "ring", self.of.append)


@pytest.fixture
def one_thread(deployment: Deployment) -> Services:
    """Services that nothing is read from or written to: the deliverers are made up."""
    return open_services(deployment.model_copy(update={"worker_lanes": 1}))


def lanes() -> Lanes:
    return Lanes(BatchSize(5, most=5), 1)


def test_connectors_that_share_a_thread_have_it_batch_by_batch(
    one_thread: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    batches = Batches(a=4, b=4)
    monkeypatch.setattr(lane_threads, "Deliverer", batches)
    threads = LaneThreads(one_thread, threading.Event(), lambda connector_id: True)
    threads.start(A, lanes(), 1)
    threads.start(B, lanes(), 1)
    batches.go.set()
    wait_for(lambda: threads.total() == 0)
    threads.close()
    assert batches.done == [A, B] * 4


def test_a_lane_alone_keeps_its_thread_for_ten_batches_and_rings(
    one_thread: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    batches, rings = Batches(a=TURN_BATCHES + 5, b=0), Rings(one_thread, monkeypatch)
    monkeypatch.setattr(lane_threads, "Deliverer", batches)
    threads = LaneThreads(one_thread, threading.Event(), lambda connector_id: True)
    batches.go.set()
    threads.start(A, lanes(), 1)
    wait_for(lambda: threads.total() == 0)
    threads.close()
    assert (batches.done, rings.of) == ([A] * TURN_BATCHES, [A])


def test_a_lane_that_took_all_ends_without_another_look_and_rings(
    one_thread: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    batches, rings = Batches(a=5, b=0), Rings(one_thread, monkeypatch)
    batches.all_at_once = True
    monkeypatch.setattr(lane_threads, "Deliverer", batches)
    threads = LaneThreads(one_thread, threading.Event(), lambda connector_id: True)
    batches.go.set()
    threads.start(A, lanes(), 1)
    wait_for(lambda: threads.total() == 0)
    threads.close()
    assert (batches.done, rings.of, batches.known_due) == ([A], [A], [True])


def test_only_the_first_batch_of_a_first_lane_is_known_to_be_due(
    one_thread: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    batches = Batches(a=3, b=0)
    monkeypatch.setattr(lane_threads, "Deliverer", batches)
    threads = LaneThreads(one_thread, threading.Event(), lambda connector_id: True)
    threads.start(A, lanes(), 1)
    threads.start(A, lanes(), 1)
    batches.go.set()
    wait_for(lambda: threads.total() == 0)
    threads.close()
    assert batches.known_due.count(True) == 1


def test_a_lane_that_finds_nothing_does_not_ring_and_one_whose_turn_is_over_does(
    one_thread: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    batches, rings = Batches(a=0, b=9), Rings(one_thread, monkeypatch)
    monkeypatch.setattr(lane_threads, "Deliverer", batches)
    threads = LaneThreads(one_thread, threading.Event(), lambda connector_id: connector_id == A)
    batches.go.set()
    threads.start(A, lanes(), 1)
    threads.start(B, lanes(), 1)
    wait_for(lambda: threads.total() == 0)
    threads.close()
    assert (batches.done, rings.of) == ([], [B])


def test_no_connector_has_more_lanes_than_it_may(one_thread: Services, monkeypatch: pytest.MonkeyPatch) -> None:
    batches = Batches(a=50, b=0)
    monkeypatch.setattr(lane_threads, "Deliverer", batches)
    threads = LaneThreads(one_thread, threading.Event(), lambda connector_id: True)
    threads.start(A, lanes(), 40)
    threads.start(A, lanes(), 40)
    assert threads.going(A) == lanes().most
    batches.go.set()
    threads.close()


def test_a_worker_has_room_while_a_thread_is_free(one_thread: Services, monkeypatch: pytest.MonkeyPatch) -> None:
    one_thread.deployment = one_thread.deployment.model_copy(update={"worker_lanes": 2})
    monkeypatch.setattr(lane_threads, "Deliverer", batches := Batches(a=9, b=9))
    worker = Worker(one_thread)
    worker.lanes.start(A, lanes(), 2)
    assert worker.has_room(), "one more waits for the next thread that is free"
    worker.lanes.start(B, lanes(), 1)
    assert not worker.has_room()
    batches.go.set()
    wait_for(lambda: worker.lanes.total() == 0)
    assert worker.has_room()
    worker.stop()


def test_a_turn_goes_on_while_nobody_waits_and_is_over_for_good_when_others_do() -> None:
    now, others = 0.0, False
    asked = []

    def others_wait() -> bool:
        asked.append(now)
        return others

    turn = Turn(others_wait, lambda: now)
    assert turn.goes_on(batch=False)
    now = 10 * TURN_S
    assert turn.goes_on(batch=True), "a connector that waited for a thread has its turn from its first batch on"
    assert asked == [], "a turn that has just begun asks nobody"
    now += TURN_S
    assert turn.goes_on(batch=True)
    others, now = True, now + TURN_S / 2
    assert turn.goes_on(batch=True), "it asks once in a turn's time"
    now += TURN_S
    assert not turn.goes_on(batch=True)
    others = False
    assert not turn.goes_on(batch=True)
    assert (len(asked), turn.over) == (2, True)


@pytest.fixture
def shared(deployment: Deployment, postgres_url: str) -> Iterator[Services]:
    """Services on PostgreSQL of a worker with one lane."""
    make_newest(postgres_url)
    changes = {"database_url": postgres_url, "engine": "procrastinate", "worker_lanes": 1}
    made = wired(open_services(deployment.model_copy(update=changes)))
    with made.db.write() as session:
        session.add(Organisation(name="Shop Ltd", created_at=NOON))
    yield made
    made.db.dispose()


def test_an_order_does_not_wait_for_the_backlog_of_another_connector(shared: Services, mautic: MauticServer) -> None:
    heaped, other = connect(shared, mautic), connect(shared, mautic)
    for number in (heaped, other):
        connectors.configure(shared, number, {"sync.batch_start": 5, "sync.batch_max": 5})
    accept(shared, heaped, order_changes(300))
    accept(shared, other, order_changes(1, first=1000))
    hold = mautic.faults.delay(0.05)
    engine = Procrastinate(shared)
    engine.start()
    try:
        wait_for(lambda: _open_of(shared, other) == 0, "the order of the other connector", seconds=60)
        assert _open_of(shared, heaped) > 150
        mautic.faults.remove(hold.id)
        wait_for(lambda: waiting(shared) == 0, "the end of all deliveries", seconds=60)
    finally:
        engine.stop()


def test_others_wait_only_where_a_job_waits_that_nobody_has(shared: Services) -> None:
    engine = Procrastinate(shared)
    engine.worker._unseen.add(99)
    assert not engine._others_wait()
    with shared.db.write() as session:
        defer(session, 1)
        defer(session, 2)
    assert engine._others_wait()
    with shared.db.write() as session:
        session.execute(text("UPDATE procrastinate_jobs SET status = 'doing'"))
        defer(session, 1)
    assert not engine._others_wait(), "a job whose connector is worked for waits for nobody's place"
    engine.worker.stop()


def test_the_clock_defers_only_for_who_has_no_job(shared: Services, mautic: MauticServer) -> None:
    ids = [connect(shared, mautic) for _ in range(3)]
    engine = Procrastinate(shared)
    for number in ids:
        accept(shared, number, order_changes(1, first=number * 10))
    with shared.db.write() as session:
        session.execute(text("UPDATE procrastinate_jobs SET status = 'doing' WHERE args ->> 'connector_id' = '1'"))
        session.execute(text("DELETE FROM procrastinate_jobs WHERE args ->> 'connector_id' = '2'"))
    engine._ring()
    with shared.db.read() as session:
        jobs = session.execute(
            text("SELECT args ->> 'connector_id', status FROM procrastinate_jobs ORDER BY 1, 2")
        ).all()
    engine.worker.stop()
    assert jobs == [("1", "doing"), ("2", "todo"), ("3", "todo")]


def test_a_process_opens_no_more_connections_than_it_may(deployment: Deployment, postgres_url: str) -> None:
    changes = {"database_url": postgres_url, "database_connections": 5}
    services = open_services(deployment.model_copy(update=changes))
    services.db.engine.pool._timeout = 0  # type: ignore[attr-defined]  # it would wait for half a minute
    held = [services.db.engine.connect() for _ in range(5)]
    with pytest.raises(PoolIsEmpty):
        services.db.engine.connect()
    held.pop().close()
    services.db.engine.connect().close()
    for connection in held:
        connection.close()
    services.db.dispose()


def _open_of(services: Services, connector_id: int) -> int:
    with services.db.read() as session:
        query = text("SELECT count(*) FROM delivery WHERE connector_id = :connector AND settled_at IS NULL")
        return int(session.scalar(query, {"connector": connector_id}) or 0)
