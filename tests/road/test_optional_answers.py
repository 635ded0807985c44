"""What the store refuses of one kind keeps no other from being synced, and the run says so."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from sqlalchemy import select

from integration.clock import SetClock
from integration.models import Connector, Run, RunLine
from integration.pipeline.runs import executor
from integration.sandbox.store import accounts
from tests.conftest import NOON
from tests.road.conftest import Road

V3 = "/wp-json/wc/v3"


@pytest.fixture
def road(make_road: Callable[..., Road], monkeypatch: pytest.MonkeyPatch) -> Road:
    monkeypatch.setattr(executor, "probe_delay", lambda tries, error: timedelta())
    road = make_road(SetClock(NOON))
    accounts.register(road.store.state, {"email": "member@example.com", "first_name": "Ada"})
    road.order("buyer@example.com")
    return road


def people(road: Road) -> set[str]:
    return {str(contact.values.get("email")) for contact in road.mautic.state.contacts.values()}


def lines(road: Road, run: Run) -> str:
    with road.services.db.read() as session:
        return "\n".join(session.scalars(select(RunLine.text).where(RunLine.run_id == run.id)))


@pytest.mark.parametrize("path", ["system_status", "reports/orders/totals", "data/currencies/current"])
@pytest.mark.parametrize("status", [403, 500])
def test_a_report_that_is_refused_vetoes_nothing(road: Road, path: str, status: int) -> None:
    shut = f"{V3}/({path}|system_status)$" if path.startswith("data") else f"{V3}/{path}$"
    road.store.faults.status(status, path=shut)
    run = road.run("full")
    assert (run.state, road.holds()) == ("COMPLETED", [])
    assert people(road) == {"member@example.com", "buyer@example.com"}
    assert f"did not answer {path}" in lines(road, run)


@pytest.mark.parametrize("kind", ["initial", "full"])
@pytest.mark.parametrize("status", [403, 500])
def test_orders_come_although_customers_are_refused(road: Road, status: int, kind: str) -> None:
    road.store.faults.status(status, path=f"{V3}/customers$")
    run = road.run(kind)
    assert (run.state, run.error_code, road.holds()) == ("COMPLETED", "partly_read", [])
    assert "does not give customers" in run.error
    assert people(road) == {"buyer@example.com"}
    road.store.faults.clear()
    run = road.run("full")
    assert (run.state, run.error, people(road)) == ("COMPLETED", "", {"member@example.com", "buyer@example.com"})


@pytest.mark.parametrize("status", [403, 500])
def test_polls_go_on_although_customers_are_refused(road: Road, status: int) -> None:
    road.store.faults.status(status, path=f"{V3}/customers$")
    for number in range(2):
        run = road.run("incremental")
        assert (run.state, run.error_code, road.holds()) == ("COMPLETED", "partly_read", [])
        road.order(f"later{number}@example.com")
    with road.services.db.read() as session:
        assert session.get_one(Connector, road.connector_id).cursors.get("orders")
    road.run("incremental")
    assert {"later0@example.com", "later1@example.com"} <= people(road)


@pytest.mark.parametrize("kind", ["full", "incremental"])
def test_a_store_that_refuses_everything_is_held(road: Road, kind: str) -> None:
    road.store.faults.status(403, path=f"{V3}/(customers|orders)$")
    run = road.run(kind)
    assert run.state == "FAILED"
    assert len(road.holds()) == 1
    assert len(road.store.calls) < 30


def test_customers_that_are_back_in_time_are_read(road: Road) -> None:
    road.store.faults.status(500, path=f"{V3}/customers$", times=9)
    run = road.run("full")
    assert (run.state, run.error) == ("COMPLETED", "")
    assert people(road) == {"member@example.com", "buyer@example.com"}


@pytest.mark.parametrize("mode", ["index_shut", "index_bare"])
@pytest.mark.parametrize("kind", ["initial", "incremental"])
def test_a_hidden_index_keeps_nothing_back(road: Road, mode: str, kind: str) -> None:
    road.store.mode = mode
    run = road.run(kind)
    assert (run.state, run.error, road.holds()) == ("COMPLETED", "", [])
    assert "buyer@example.com" in people(road)
