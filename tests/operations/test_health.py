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
from integration.models import Connector, Database, Delivery, Run, RunState
from integration.models.delivery import DeliveryState
from integration.operations.monitoring import health
from integration.operations.monitoring.health import reading
from integration.pipeline import usage
from integration.pipeline.connectors import connectors, holds
from integration.pipeline.ingest import records
from integration.pipeline.services import Services, open_services
from integration.queries import runs as querie_runs
from integration.store import parse

Seen = Callable[[], health.Health]


@pytest.fixture
def services(db: Database, clock: SetClock, deployment: Deployment) -> Services:
    return open_services(deployment, database=db, clock=clock)


@pytest.fixture
def connector_id(services: Services) -> int:
    where = {"store_url": "http://store.test", "mautic_url": "http://mautic.test"}
    made = connectors.create(services, organisation_id=1, name="Shop", **where)
    with services.db.write() as session:
        session.get_one(Connector, made).store_rest_root = "http://store.test/wp-json"
    return made


@pytest.fixture
def seen(services: Services, connector_id: int) -> Seen:
    def see() -> health.Health:
        with services.db.read() as session:
            return health.of(session, services.clock.now(), session.get_one(Connector, connector_id))

    return see


def ran(services: Services, connector_id: int, state: RunState = RunState.COMPLETED, **values: Any) -> None:
    now = services.clock.now()
    usual = {"kind": "full", "trigger": "test", "correlation_id": "c", "created_at": now, "ended_at": now}
    with services.db.write() as session:
        session.add(Run(connector_id=connector_id, state=state, **{**usual, **values}))


def test_what_is_not_connected_is_not_set_up(services: Services, clock: SetClock) -> None:
    made = connectors.create(services, organisation_id=1, name="Bare")
    with services.db.read() as session:
        assert health.of(session, clock.now(), session.get_one(Connector, made)).code == "not_set_up"


def test_what_has_never_answered_is_not_tested_yet(services: Services, connector_id: int, seen: Seen) -> None:
    with services.db.write() as session:
        session.get_one(Connector, connector_id).store_rest_root = ""
    assert (seen().code, seen().hint) == ("untested", "Test the connection.")
    ran(services, connector_id, RunState.FAILED)
    assert seen().code == "failing"


def test_all_is_well_on_time(services: Services, connector_id: int, seen: Seen) -> None:
    ran(services, connector_id)
    assert (seen().code, seen().lag_seconds) == ("on_time", 0)


def test_a_hold_says_why_since_when_and_what_is_next(services: Services, connector_id: int, seen: Seen) -> None:
    error = Unreachable("mautic", "refused", "Mautic refused the connection.", "Start it.")
    with services.db.write() as session:
        holds.hold(session, services.clock.now(), connector_id, error)
    found = seen()
    assert (found.code, found.since) == ("held", services.clock.now())
    assert "Mautic refused the connection." in found.sentence
    assert found.next_probe is not None


def test_a_paused_connector_says_how_much_waits(
    services: Services, connector_id: int, seen: Seen, clock: SetClock
) -> None:
    connectors.pause(services, connector_id)
    order = {"id": 7, "status": "completed", "billing": {"email": "ada@example.com"}}
    with services.db.write() as session:
        change = parse.order_change(order, "webhook", clock.now())  # type: ignore[arg-type]  # a StrEnum's value
        records.accept(session, clock.now(), connector_id, [change])
    assert "1 records wait" in seen().sentence


def test_live_work_that_waits_for_long_is_delayed(
    services: Services, connector_id: int, seen: Seen, clock: SetClock
) -> None:
    order = {"id": 7, "status": "completed", "billing": {"email": "ada@example.com"}}
    with services.db.write() as session:
        change = parse.order_change(order, "webhook", clock.now())  # type: ignore[arg-type]  # a StrEnum's value
        records.accept(session, clock.now(), connector_id, [change])
    clock.advance(minutes=11)
    found = seen()
    assert (found.code, found.lag_seconds) == ("delayed", 660)


def test_a_schedule_that_stands_still_is_delayed(
    services: Services, connector_id: int, seen: Seen, clock: SetClock
) -> None:
    ran(services, connector_id)
    clock.advance(minutes=14)
    assert seen().code == "on_time"
    clock.advance(minutes=2)
    assert seen().code == "delayed"


@pytest.mark.parametrize(("failed", "code"), [(0, "on_time"), (2, "on_time"), (3, "failing")])
def test_a_share_of_failures_is_failing(
    services: Services, connector_id: int, seen: Seen, failed: int, code: str
) -> None:
    ran(services, connector_id)
    with services.db.write() as session:
        usage.record(session, connector_id, services.clock.now(), pushed=18, failed=failed)
    assert seen().code == code


def test_a_failed_last_run_is_failing_until_the_next_good_one(
    services: Services, connector_id: int, seen: Seen
) -> None:
    ran(services, connector_id, RunState.FAILED, error="The store is gone.")
    assert "The store is gone." in seen().sentence
    ran(services, connector_id)
    assert seen().code == "on_time"


def test_a_run_that_accepted_records_and_sent_none_is_no_green_tick(
    services: Services, connector_id: int, seen: Seen
) -> None:
    ran(services, connector_id, pulled=50, accepted=50)
    assert (seen().code, "sent none" in seen().sentence) == ("failing", True)


def bought(services: Services, connector_id: int, source_id: int, origin: str) -> int:
    order = {"id": source_id, "status": "completed", "billing": {"email": f"p{source_id}@example.com"}}
    now = services.clock.now()
    with services.db.write() as session:
        change = parse.order_change(order, origin, now)  # type: ignore[arg-type]  # a StrEnum's value
        records.accept(session, now, connector_id, [change])
        return session.scalars(select(Delivery.id).order_by(Delivery.id.desc())).first() or 0


def settled(services: Services, delivery_id: int) -> None:
    with services.db.write() as session:
        row = session.get_one(Delivery, delivery_id)
        row.state, row.settled_at = DeliveryState.DELIVERED, services.clock.now()


@pytest.mark.parametrize("origin", ["webhook", "poll", "initial"])
def test_what_waits_while_nothing_is_confirmed_is_delayed(
    services: Services, connector_id: int, seen: Seen, clock: SetClock, origin: str
) -> None:
    first = bought(services, connector_id, 1, origin)
    bought(services, connector_id, 2, origin)
    clock.advance(minutes=2)
    settled(services, first)
    assert seen().code == "on_time"
    clock.advance(minutes=2)
    assert seen().code == "on_time"
    clock.advance(minutes=2)
    assert (seen().code, "confirmed nothing for 3 minutes" in seen().sentence) == ("delayed", True)


def test_what_waits_for_its_own_next_try_delays_nothing(
    services: Services, connector_id: int, seen: Seen, clock: SetClock
) -> None:
    number = bought(services, connector_id, 1, "initial")
    with services.db.write() as session:
        session.get_one(Delivery, number).due_at = clock.now() + timedelta(hours=2)
    clock.advance(minutes=10)
    assert seen().code == "on_time"


def test_another_connector_that_moves_on_is_no_excuse(
    services: Services, connector_id: int, seen: Seen, clock: SetClock
) -> None:
    other = connectors.create(services, organisation_id=1, name="Other", mautic_url="http://other.test")
    bought(services, connector_id, 1, "initial")
    moved = bought(services, other, 1, "initial")
    clock.advance(minutes=4)
    settled(services, moved)
    assert seen().code == "delayed"


def test_a_dry_run_moves_nothing_and_worries_nobody(
    services: Services, connector_id: int, seen: Seen, clock: SetClock
) -> None:
    ran(services, connector_id)
    before, at = seen(), clock.now()
    clock.advance(seconds=60)
    ran(services, connector_id, options={"dry_run": True})
    ran(services, connector_id, RunState.FAILED, options={"dry_run": True}, kind="bulk", error="No.")
    with services.db.read() as session:
        day = querie_runs.summary(session, connector_id, clock.now())
        assert health.facts.of(session, clock.now(), connector_id).last_read == at
        assert reading.failed_run(session, clock.now(), connector_id) is None
    assert (seen().code, day.runs, day.failed_runs) == (before.code, 1, 0)
