"""A clock that was ahead and is set back: nothing waits for the time that it was."""

from __future__ import annotations

import threading
import time
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from integration.clock import SetClock
from integration.engines import clock_steps, schedule
from integration.engines.clock_steps import MOMENTS, Ahead
from integration.engines.ticking import Ticking
from integration.models import (
    AlertGroup,
    AlertNotice,
    Cart,
    Connector,
    Delivery,
    DeliveryState,
    Gap,
    Heartbeat,
    Hold,
    Run,
    RunState,
    Schedule,
    UnansweredCall,
)
from integration.models.database import Database
from integration.operations.monitoring import heartbeat
from integration.pipeline.connectors import connectors
from integration.pipeline.services import Services, open_services
from tests.conftest import NOON

DAY = timedelta(days=1)


@pytest.fixture
def services(db: Database, deployment: Any, clock: SetClock) -> Services:
    made = open_services(deployment, database=db, clock=clock)
    addresses = {"store_url": "https://shop.example", "mautic_url": "https://mautic.example"}
    connectors.create(made, organisation_id=1, name="Shop", **addresses)
    return made


def add(session: Session, at: datetime) -> None:
    """One row of each table whose moments decide when something may happen."""
    delivery = {"connector_id": 1, "kind": "order", "source_id": "1", "number": "1", "event": "completed"}
    more = {"identity": "i", "person_key": "p", "origin": "poll", "priority": 1, "payload_at": NOON, "created_at": NOON}
    run = {"connector_id": 1, "kind": "full", "trigger": "test", "state": RunState.PENDING, "correlation_id": "c"}
    hold = {"connector_id": 1, "service": "mautic", "code": "c", "sentence": "s", "hint": "", "since": NOON}
    session.add(AlertGroup(id=1, organisation_id=1, name="Team", created_at=NOON, digest_at=at))
    session.flush()
    rows = [
        Delivery(**delivery, **more, state=DeliveryState.READY, due_at=at, leased_until=at),
        Run(**run, created_at=NOON, due_at=at, leased_until=at),
        Hold(**hold, probe_at=at),
        UnansweredCall(connector_id=1, token="t", sent_at=NOON, rows=1, pause_s=10, look_at=at),
        AlertNotice(alert_group_id=1, what="test", way="email", subject="s", body="b", created_at=NOON, due_at=at),
        Cart(connector_id=1, key="k", source="script", created_at=NOON, changed_at=NOON, seen_at=NOON, due_at=at),
        Gap(connector_id=1, cause="silent", sentence="s", noticed_at=NOON, tried_at=at),
    ]
    session.add_all(rows)
    session.flush()


def test_every_moment_that_decides_is_pulled_back(services: Services, clock: SetClock) -> None:
    far = clock.now() + timedelta(hours=36)
    with services.db.write() as session:
        add(session, far)
        session.execute(update(Connector).values(token_lease_until=far, fields_at=far))
        session.execute(update(Schedule).values(next_run_at=far))
        session.add(Heartbeat(name="worker@old", role="worker", beat_at=far))
    assert clock_steps.look(services) == timedelta(hours=36)
    with services.db.read() as session:
        for each in MOMENTS:
            for at in session.scalars(select(each.column).where(each.column.is_not(None))):
                assert at == clock.now(), each.column
        assert session.scalar(select(Schedule.next_run_at)) == clock.now() + timedelta(seconds=300)
    assert clock_steps.look(services) is None


@pytest.mark.parametrize("each", MOMENTS, ids=lambda each: str(each.column))
def test_what_may_lie_ahead_stays(services: Services, clock: SetClock, each: Ahead) -> None:
    with services.db.write() as session:
        add(session, clock.now() + each.most)
        session.execute(update(Connector).values(token_lease_until=clock.now(), fields_at=clock.now()))
        clock_steps.pull_back(session, clock.now())
        found = session.scalars(select(each.column).where(each.column.is_not(None))).all()
    assert set(found) <= {clock.now() + each.most, clock.now()}


def test_a_worker_of_the_future_is_not_taken_for_alive(services: Services, clock: SetClock) -> None:
    heartbeat.beat(services, "worker@here", "worker")
    with services.db.read() as session:
        assert heartbeat.alive(session, clock.now(), "worker")
        assert not heartbeat.alive(session, clock.now() - DAY, "worker")
        assert heartbeat.ahead_by(session, clock.now() - DAY) == DAY


def test_changes_are_read_again_soon_after_the_clock_was_set_back(services: Services, clock: SetClock) -> None:
    clock.advance(days=1)
    assert schedule.tick(services) == 1
    with services.db.write() as session:
        session.execute(update(Run).values(state=RunState.COMPLETED, ended_at=clock.now()))
    heartbeat.beat(services, "worker@here", "worker")
    clock.advance(days=-1, minutes=1)
    assert schedule.tick(services) == 0
    clock_steps.look(services)
    clock.advance(minutes=5)
    assert schedule.tick(services) == 1


def test_jobs_go_on_when_the_clock_is_set_back() -> None:
    done, ahead = threading.Event(), [0.0]
    ticking = Ticking(look_every_s=0.05, wall=lambda: time.time() + ahead[0])
    ticking.add(done.set, 3600)
    ticking.start()
    try:
        assert not done.wait(0.3)
        ahead[0] = -86_400.0
        assert done.wait(5)
    finally:
        ticking.stop()
