"""How many lanes are started: as many as there are batches, and none that is at work keeps others waiting."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from integration.engines.worker import Worker
from integration.http.breaker import RateCap
from integration.models import Connector
from tests.road.conftest import Road

MakeRoad = Callable[..., Road]
SLOW_ROW_S = 0.5


def arrive(road: Road, people: int, first: int = 0) -> None:
    road.arrive(*(road.order(f"buyer{n}@example.com") for n in range(first, first + people)))


def known(make_road: MakeRoad, **settings: object) -> Road:
    """Return a road whose connector has its list of fields, to a Mautic that is slow at each row."""
    road = make_road(**settings)
    arrive(road, 1)
    road.work()
    road.mautic.faults.delay_per_record(SLOW_ROW_S)
    return road


def test_one_order_starts_one_lane(make_road: MakeRoad) -> None:
    road = known(make_road)
    arrive(road, 1, first=1)
    worker = Worker(road.services)
    assert worker.dispatch() == 1
    worker.until_idle()
    worker.stop()
    assert road.states() == {"delivered"}


def test_an_order_does_not_wait_for_a_lane_that_is_at_work(make_road: MakeRoad) -> None:
    road = known(make_road)
    arrive(road, 1, first=1)
    worker = Worker(road.services)
    worker.dispatch()
    while "leased" not in road.states():
        assert worker.dispatch() <= 3
    arrive(road, 1, first=2)
    assert worker.dispatch() >= 2
    worker.until_idle()
    worker.stop()
    assert road.states() == {"delivered"}


def test_many_orders_start_all_lanes_but_no_more(make_road: MakeRoad) -> None:
    road = known(make_road, sync__lanes=2, sync__batch_start=2, sync__batch_max=2)
    arrive(road, 12, first=1)
    worker = Worker(road.services)
    assert worker.dispatch() == 3
    assert worker.dispatch() == 3
    worker.until_idle()
    worker.stop()
    assert road.states() == {"delivered"}


def test_nothing_due_starts_none(make_road: MakeRoad) -> None:
    road = known(make_road)
    worker = Worker(road.services)
    assert worker.dispatch() == 0
    worker.stop()


def test_who_takes_over_from_another_process_begins_without_a_burst(
    make_road: MakeRoad, monkeypatch: pytest.MonkeyPatch
) -> None:
    road = make_road()
    emptied: list[RateCap] = []
    monkeypatch.setattr(RateCap, "empty", lambda cap: emptied.append(cap))
    arrive(road, 1)
    road.work()
    assert emptied == []
    with road.services.db.write() as session:
        session.get_one(Connector, road.connector_id).worked_by = "abcdef.1.1."
    arrive(road, 1, first=1)
    road.work()
    caps = [road.services.breakers.of(road.connector_id, side).cap for side in ("store", "mautic")]
    assert emptied == caps
    assert road.states() == {"delivered"}
