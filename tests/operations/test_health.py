"""The health verdict: each state, told by freshness."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from integration.clock import SetClock
from integration.config import Deployment
from integration.errors import Unreachable
from integration.models import Connector
from integration.models import Database
from integration.models import Delivery
from integration.models import Run
from integration.models import RunState
from integration.models.delivery import DeliveryState
from integration.operations import health
from integration.pipeline import connectors
from integration.pipeline import holds
from integration.pipeline import intake_rows
from integration.pipeline import meter
from integration.pipeline.ports import Ports
from integration.pipeline.ports import open_ports
from integration.store import parse

Seen = Callable[[], health.Verdict]


@pytest.fixture
def ports(db: Database, clock: SetClock, deployment: Deployment) -> Ports:
    return open_ports(deployment, database=db, clock=clock)


@pytest.fixture
def connector_id(ports: Ports) -> int:
    where = {"store_url": "http://store.test", "mautic_url": "http://mautic.test"}
    return connectors.create(ports, organisation_id=1, name="Shop", **where)


@pytest.fixture
def seen(ports: Ports, connector_id: int) -> Seen:
    def see() -> health.Verdict:
        with ports.db.read() as session:
            return health.verdict(session, ports.clock.now(), session.get_one(Connector, connector_id))

    return see


def ran(ports: Ports, connector_id: int, state: RunState = RunState.COMPLETED, **values: Any) -> None:
    now = ports.clock.now()
    usual = {"kind": "full", "trigger": "test", "correlation_id": "c", "created_at": now, "ended_at": now}
    with ports.db.write() as session:
        session.add(Run(connector_id=connector_id, state=state, **{**usual, **values}))


def test_what_is_not_connected_is_not_set_up(ports: Ports, clock: SetClock) -> None:
    made = connectors.create(ports, organisation_id=1, name="Bare")
    with ports.db.read() as session:
        assert health.verdict(session, clock.now(), session.get_one(Connector, made)).code == "not_set_up"


def test_all_is_well_on_time(ports: Ports, connector_id: int, seen: Seen) -> None:
    ran(ports, connector_id)
    assert (seen().code, seen().lag_seconds) == ("on_time", 0)


def test_a_hold_says_why_since_when_and_what_is_next(ports: Ports, connector_id: int, seen: Seen) -> None:
    error = Unreachable("mautic", "refused", "Mautic refused the connection.", "Start it.")
    with ports.db.write() as session:
        holds.hold(session, ports.clock.now(), connector_id, error)
    found = seen()
    assert (found.code, found.since) == ("held", ports.clock.now())
    assert "Mautic refused the connection." in found.sentence
    assert found.next_probe is not None


def test_a_paused_connector_says_how_much_waits(ports: Ports, connector_id: int, seen: Seen, clock: SetClock) -> None:
    connectors.pause(ports, connector_id)
    order = {"id": 7, "status": "completed", "billing": {"email": "ada@example.com"}}
    with ports.db.write() as session:
        change = parse.order_change(order, "webhook", clock.now())  # type: ignore[arg-type]  # a StrEnum's value
        intake_rows.accept(session, clock.now(), connector_id, [change])
    assert "1 records wait" in seen().sentence


def test_live_work_that_waits_for_long_is_delayed(ports: Ports, connector_id: int, seen: Seen, clock: SetClock) -> None:
    order = {"id": 7, "status": "completed", "billing": {"email": "ada@example.com"}}
    with ports.db.write() as session:
        change = parse.order_change(order, "webhook", clock.now())  # type: ignore[arg-type]  # a StrEnum's value
        intake_rows.accept(session, clock.now(), connector_id, [change])
    clock.advance(minutes=11)
    found = seen()
    assert (found.code, found.lag_seconds) == ("delayed", 660)


def test_a_schedule_that_stands_still_is_delayed(ports: Ports, connector_id: int, seen: Seen, clock: SetClock) -> None:
    ran(ports, connector_id)
    clock.advance(minutes=14)
    assert seen().code == "on_time"
    clock.advance(minutes=2)
    assert seen().code == "delayed"


@pytest.mark.parametrize(("failed", "code"), [(0, "on_time"), (1, "on_time"), (2, "failing")])
def test_a_share_of_failures_is_failing(ports: Ports, connector_id: int, seen: Seen, failed: int, code: str) -> None:
    ran(ports, connector_id)
    with ports.db.write() as session:
        meter.record(session, connector_id, ports.clock.now() - timedelta(hours=3), pushed=18, failed=failed)
    assert seen().code == code


def test_a_failed_last_run_is_failing_until_the_next_good_one(ports: Ports, connector_id: int, seen: Seen) -> None:
    ran(ports, connector_id, RunState.FAILED, error="The store is gone.")
    assert "The store is gone." in seen().sentence
    ran(ports, connector_id)
    assert seen().code == "on_time"


def test_a_run_that_accepted_records_and_sent_none_is_no_green_tick(
    ports: Ports, connector_id: int, seen: Seen
) -> None:
    ran(ports, connector_id, pulled=50, accepted=50)
    assert (seen().code, "sent none" in seen().sentence) == ("failing", True)


def bought(ports: Ports, connector_id: int, source_id: int, origin: str) -> int:
    order = {"id": source_id, "status": "completed", "billing": {"email": f"p{source_id}@example.com"}}
    now = ports.clock.now()
    with ports.db.write() as session:
        change = parse.order_change(order, origin, now)  # type: ignore[arg-type]  # a StrEnum's value
        intake_rows.accept(session, now, connector_id, [change])
        return session.scalars(select(Delivery.id).order_by(Delivery.id.desc())).first() or 0


def settled(ports: Ports, delivery_id: int) -> None:
    with ports.db.write() as session:
        row = session.get_one(Delivery, delivery_id)
        row.state, row.settled_at = DeliveryState.DELIVERED, ports.clock.now()


@pytest.mark.parametrize("origin", ["webhook", "poll", "initial"])
def test_what_waits_while_nothing_is_confirmed_is_delayed(
    ports: Ports, connector_id: int, seen: Seen, clock: SetClock, origin: str
) -> None:
    first = bought(ports, connector_id, 1, origin)
    bought(ports, connector_id, 2, origin)
    clock.advance(minutes=2)
    settled(ports, first)
    assert seen().code == "on_time"
    clock.advance(minutes=2)
    assert seen().code == "on_time"
    clock.advance(minutes=2)
    assert (seen().code, "confirmed nothing for 3 minutes" in seen().sentence) == ("delayed", True)


def test_what_waits_for_its_own_next_try_delays_nothing(
    ports: Ports, connector_id: int, seen: Seen, clock: SetClock
) -> None:
    number = bought(ports, connector_id, 1, "initial")
    with ports.db.write() as session:
        session.get_one(Delivery, number).due_at = clock.now() + timedelta(hours=2)
    clock.advance(minutes=10)
    assert seen().code == "on_time"


def test_another_connector_that_moves_on_is_no_excuse(
    ports: Ports, connector_id: int, seen: Seen, clock: SetClock
) -> None:
    other = connectors.create(ports, organisation_id=1, name="Other", mautic_url="http://other.test")
    bought(ports, connector_id, 1, "initial")
    moved = bought(ports, other, 1, "initial")
    clock.advance(minutes=4)
    settled(ports, moved)
    assert seen().code == "delayed"
