"""What tells whether anything is wrong at all: asked of many connectors at once, each with its own."""

from __future__ import annotations

from datetime import timedelta
from itertools import product
from typing import Any

import pytest
from sqlalchemy import select

from integration.clock import SetClock
from integration.config import Deployment
from integration.models import Connector, Database, Gap, Reconciliation, Run, RunState
from integration.models.base import Base
from integration.operations.monitoring import health, platform
from integration.operations.monitoring.health import Facts
from integration.pipeline import usage
from integration.pipeline.connectors import connectors
from integration.pipeline.services import Services, open_services
from tests.pipeline.rows import delivery
from tests.statements import caught


@pytest.fixture
def services(db: Database, clock: SetClock, deployment: Deployment) -> Services:
    return open_services(deployment, database=db, clock=clock)


def make(services: Services, number: int) -> list[int]:
    where = {"store_url": "http://store.test", "mautic_url": "http://mautic.test"}
    return [connectors.create(services, organisation_id=1, name=f"Shop {n}", **where) for n in range(number)]


def add(services: Services, *rows: Base) -> None:
    with services.db.write() as session:
        session.add_all(rows)


def facts(services: Services, *connector_ids: int) -> list[Facts]:
    with services.db.read() as session:
        found = health.facts.many(session, services.clock.now(), connector_ids)
    return [found[number] for number in connector_ids]


def run(services: Services, connector_id: int, **values: Any) -> Run:
    now = services.clock.now()
    usual = {"kind": "full", "state": RunState.COMPLETED, "correlation_id": "c", "created_at": now, "ended_at": now}
    return Run(connector_id=connector_id, **{**usual, **values})


def test_each_connector_has_its_own(services: Services) -> None:
    now = services.clock.now()
    well, ill = make(services, 2)
    add(
        services,
        run(services, ill, state=RunState.FAILED),
        run(services, ill, accepted=3, ended_at=now - timedelta(hours=1)),
        Gap(connector_id=ill, cause="missing", sentence="They are gone.", noticed_at=now),
        Reconciliation(
            connector_id=ill, state=RunState.COMPLETED, correlation_id="c", created_at=now, ended_at=now, surplus=1
        ),
        Reconciliation(
            connector_id=ill, state=RunState.COMPLETED, correlation_id="d", created_at=now, ended_at=now, missing=2
        ),
        delivery(ill, "1", state="ready", at=-5),
        delivery(ill, "2", state="dead"),
    )
    with services.db.write() as session:
        usage.record(session, ill, now, pushed=5, skipped=3, failed=2)
    first, second = facts(services, well, ill)
    assert (first.every, first.cron, first.last_read, first.finished, first.lag_s) == (300, "", None, 0, 0)
    assert not (first.held or first.run_failed or first.sent_nothing or first.waits or first.has_dead)
    assert not (first.has_gap or first.differs)
    assert (second.finished, second.failed, second.lag_s, second.last_read) == (10, 2, 300, now - timedelta(hours=1))
    assert second.run_failed and second.sent_nothing and second.waits and second.has_dead
    assert second.has_gap and second.differs and not second.held


def test_a_run_that_ends_meanwhile_is_no_store_that_is_not_read(services: Services) -> None:
    [number], now = make(services, 1), services.clock.now()
    going = run(
        services, number, state=RunState.RUNNING, ended_at=None, created_at=now - timedelta(hours=5), leased_until=now
    )
    add(services, going)
    with services.db.write() as session:
        connector = session.get_one(Connector, number)
        connector.created_at, connector.store_rest_root = now - timedelta(days=3), "http://store.test/wp-json"
    [before] = facts(services, number)
    with services.db.write() as session:
        ended = session.scalars(select(Run)).one()
        ended.state, ended.ended_at = RunState.COMPLETED, now
    with services.db.read() as session:
        connector = session.get_one(Connector, number)
        assert health.of(session, now, connector, known=before).code == "on_time"


def test_of_one_that_is_gone_there_is_nothing(services: Services) -> None:
    assert facts(services, 404) == [Facts()]


def test_what_surplus_people_there_are_is_no_difference(services: Services) -> None:
    [number], now = make(services, 1), services.clock.now()
    about = {"connector_id": number, "state": RunState.COMPLETED, "correlation_id": "c", "created_at": now}
    add(services, Reconciliation(**about, ended_at=now, surplus=4))
    assert not facts(services, number)[0].differs


def test_many_are_asked_in_one_question(services: Services) -> None:
    numbers = make(services, 12)
    with caught(services.db.engine) as statements:
        facts(services, *numbers)
    assert len(statements) == 1


def test_the_platforms_list_asks_no_more_for_more_connectors(services: Services) -> None:
    asked = []
    for number in (2, 20):
        make(services, number)
        with caught(services.db.engine) as statements, services.db.read() as session:
            assert len(platform.rows(session, services)) >= number
        asked.append(len(statements))
    assert asked[0] == asked[1]


@pytest.mark.parametrize(
    ("state", "kind", "accepted", "pushed"),
    list(product([RunState.COMPLETED, RunState.FAILED], ["full", "incremental"], [0, 3], [0, 2])),
)
def test_the_database_says_the_same_of_a_run_that_sent_nothing(
    services: Services, state: RunState, kind: str, accepted: int, pushed: int
) -> None:
    [number] = make(services, 1)
    add(services, run(services, number, state=state, kind=kind, accepted=accepted, pushed=pushed))
    with services.db.read() as session:
        said = session.scalar(select(Run.sent_nothing).where(Run.connector_id == number))
        assert bool(said) is session.scalars(select(Run)).one().sent_nothing
        assert session.get_one(Connector, number)
