"""A held store is tried at its next try, whatever the schedule of polls says."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from sqlalchemy import select

from integration.clock import SetClock
from integration.engines import store_probes
from integration.models import Connector, ConnectorState, Hold, Run
from tests.conftest import NOON
from tests.road.conftest import Road
from tests.road.store_lists import ORDERS


def later(road: Road, minutes: float) -> int:
    """Let time pass and the clock tick; return how many stores answer again."""
    assert isinstance(road.services.clock, SetClock)
    road.services.clock.advance(minutes=minutes)
    return store_probes.tick(road.services)


def held(make_road: Callable[..., Road], every: int) -> Road:
    road = make_road(SetClock(NOON), sync__every=every)
    road.order("ada@example.com")
    road.store.faults.wrong_credentials()
    assert road.run("incremental").state == "FAILED"
    assert len(road.holds()) == 1
    return road


def probe(road: Road) -> Hold:
    with road.services.db.read() as session:
        return session.scalars(select(Hold).where(Hold.released_at.is_(None))).one()


@pytest.mark.parametrize("every", [0, 3600])
def test_it_is_tried_and_tried_later_each_time(make_road: Callable[..., Road], every: int) -> None:
    road = held(make_road, every)
    waits = []
    for _ in range(3):
        calls = len(road.store.calls)
        assert later(road, 10) == 0
        assert len(road.store.calls) - calls == 1
        waits.append(probe(road).probe_at - road.services.clock.now())
        assert store_probes.tick(road.services) == 0
        assert len(road.store.calls) - calls == 1
    assert waits == sorted(waits) and waits[0] < waits[-1]


@pytest.mark.parametrize(("every", "runs"), [(0, 1), (3600, 2)])
def test_a_store_that_is_mended_is_released_and_read(make_road: Callable[..., Road], every: int, runs: int) -> None:
    road = held(make_road, every)
    road.store.faults.clear()
    assert later(road, 10) == 1
    assert road.holds() == []
    road.work()
    with road.services.db.read() as session:
        assert len(session.scalars(select(Run)).all()) == runs
    assert road.states() == ({"delivered"} if runs == 2 else set())


def test_a_cdn_that_still_hides_addresses_stays_the_cause(make_road: Callable[..., Road]) -> None:
    road = make_road(SetClock(NOON))
    road.order("ada@example.com")
    road.store.faults.add("hide_emails", path=ORDERS)
    road.run("incremental")
    assert later(road, 10) == 0
    assert road.holds() == ["email_hidden"]
    road.store.faults.clear()
    assert later(road, 10) == 1


def test_a_paused_connector_is_left_alone(make_road: Callable[..., Road]) -> None:
    road = held(make_road, 0)
    with road.services.db.write() as session:
        session.get_one(Connector, road.connector_id).state = ConnectorState.PAUSED
    road.store.faults.clear()
    assert later(road, 10) == 0
    assert len(road.holds()) == 1
