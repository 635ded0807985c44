"""A ring makes a worker look at the connector that it is for, and the clock at all of them."""

from __future__ import annotations

from typing import Any

import pytest

from integration.clock import SetClock
from integration.config import Deployment
from integration.engines import schedule
from integration.engines.lane_threads import TURN_BATCHES
from integration.engines.worker import Worker
from integration.models import Connector
from integration.models.database import Database
from integration.pipeline.connectors import connectors
from integration.pipeline.services import Services, open_services
from integration.pipeline.wakeups import WakeupSignal
from tests import statements


@pytest.fixture
def services(db: Database, clock: SetClock, deployment: Deployment) -> Services:
    return open_services(deployment, database=db, clock=clock)


@pytest.fixture
def looked(monkeypatch: pytest.MonkeyPatch) -> list[int | None]:
    """Whom the worker has asked the database for: a connector, or None for all."""
    found: list[int | None] = []
    ask = schedule.busy_connectors

    def busy(session: Any, now: Any, only: int | None = None) -> list[int]:
        found.append(only)
        return ask(session, now, only)

    monkeypatch.setattr(schedule, "busy_connectors", busy)
    return found


def test_a_signal_tells_once_who_was_rung_for() -> None:
    signal = WakeupSignal()
    signal.ring(3)
    signal.ring(5)
    rung, seen = signal.next({}, 0)
    assert rung == {3, 5}
    assert signal.next(seen, 0) == (set(), seen)
    signal.ring(5)
    signal.ring(0)
    assert signal.next(seen, 0)[0] == {0, 5}


def test_a_ring_looks_at_its_connector_only(services: Services, looked: list[int | None]) -> None:
    numbers = [connectors.create(services, organisation_id=1, name=f"Shop {each}") for each in range(2)]
    worker = Worker(services)
    worker._look({numbers[1]})
    worker._look(None)
    worker.stop()
    assert looked == [numbers[1], None]


def test_a_ring_for_busy_lanes_is_answered_by_the_lane_that_ends(services: Services, looked: list[int | None]) -> None:
    number = connectors.create(services, organisation_id=1, name="Shop")
    worker = Worker(services)
    with services.db.read() as session:
        lanes = worker._lanes_of(number, session.get_one(Connector, number).settings)
    worker.lanes._going[number] = lanes.most
    worker._look({number})
    assert looked == []
    _, seen = services.wakeup.next({}, 0)
    worker.lanes._lane(number, lanes, TURN_BATCHES)
    assert services.wakeup.next(seen, 0)[0] == {number}
    _, seen = services.wakeup.next({}, 0)
    worker.lanes._lane(number, lanes, TURN_BATCHES)
    assert services.wakeup.next(seen, 0)[0] == set()
    worker.stop()


def test_a_look_for_work_walks_only_what_is_ready(services: Services, clock: SetClock) -> None:
    # A shop has millions of settled deliveries, and the worker looks once a second.
    with statements.caught(services.db.engine) as asked, services.db.read() as session:
        schedule.busy_connectors(session, clock.now())
    (look,) = [each for each in asked if "delivery" in each.text]
    with services.db.engine.connect() as connection:
        walks = [line for line in statements.plan(connection, look) if line.startswith("SEARCH delivery ")]
    assert bool(walks) == services.db.sqlite
    assert all("ix_delivery_ready" in line for line in walks)
