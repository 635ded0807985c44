"""A status whose plugin was switched off: the store's statuses are asked again, and reading goes on."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from integration.clock import SetClock
from integration.models import Connector, Run
from integration.pipeline.connectors import store_profile
from tests.conftest import NOON
from tests.operations.reconciliation.conftest import Bench, tick
from tests.road.conftest import Road

TOTALS = "/wp-json/wc/v3/reports/orders/totals$"


@pytest.fixture
def road(make_road: Callable[..., Road]) -> Road:
    road = make_road(SetClock(NOON))
    road.run("full")
    with road.services.db.write() as session:
        row = session.get_one(Connector, road.connector_id)
        row.store_facts = {**row.store_facts, "statuses": [*row.store_facts["statuses"], ["picked", "Picked"]]}
    return road


def statuses(road: Road) -> tuple[str, ...]:
    with road.services.db.read() as session:
        return store_profile.statuses(session.get_one(Connector, road.connector_id))


@pytest.mark.parametrize("told", [True, False], ids=["with the reports", "without the reports"])
def test_a_poll_goes_on(road: Road, told: bool) -> None:
    if not told:
        road.store.faults.status(403, path=TOTALS)
    road.order("ada@example.com")
    run = road.run("incremental")
    assert (run.state, road.holds(), road.states()) == ("COMPLETED", [], {"delivered"})
    assert "picked" not in statuses(road) and "shipped" in statuses(road)
    calls = len(road.store.calls)
    assert road.run("incremental").state == "COMPLETED"
    assert len(road.store.calls) - calls <= 4


def test_a_reconciliation_goes_on(road: Road) -> None:
    road.order("ada@example.com")
    bench = Bench(road)
    assert isinstance(road.services.clock, SetClock)
    started = bench.reconcile()
    road.services.clock.advance(minutes=1)
    while tick(road.services):
        pass
    with road.services.db.read() as session:
        assert session.get_one(Run, started.id).state == "COMPLETED"
    assert "picked" not in statuses(road)


def test_another_wrong_parameter_is_not_asked_again(road: Road) -> None:
    body = '{"code":"rest_invalid_param","message":"Invalid: page","data":{"status":400,"params":{"page":"x"}}}'
    road.store.faults.status(400, path="/wp-json/wc/v3/orders$", body=body)
    run = road.run("incremental")
    assert (run.state, run.error_code) == ("FAILED", "invalid_param")
