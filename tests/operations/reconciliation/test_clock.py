"""When a reconciliation begins and when it gives way."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import func, select

from integration.clock import SetClock
from integration.errors import AuthRejected
from integration.events import Kind, Origin
from integration.models import Connector, Reconciliation, RunState
from integration.models.database import Database
from integration.models.drift import Reconciled
from integration.operations import reconciliation
from integration.operations.reconciliation import execution, findings, nightly
from integration.pipeline.connectors import holds
from integration.pipeline.connectors.time_zones import zone_of
from integration.pipeline.ingest import records
from integration.pipeline.runs import lifecycle as run_lifecycle
from integration.pipeline.services import Services
from tests.conftest import NOON
from tests.operations.reconciliation.conftest import tick
from tests.pipeline.conftest import MakeChange, change, connector_id, services

__all__ = ["change", "connector_id", "services"]

ROME = {"timezone": "Europe/Rome"}


def at(day: int, hour: int, minute: int = 0) -> datetime:
    return datetime(2026, 11, day, hour, minute, tzinfo=UTC)


@pytest.mark.parametrize(
    ("last", "now", "due"),
    [
        (at(19, 2, 30), at(20, 1, 59), False),
        (at(19, 2, 30), at(20, 2, 0), True),
        (at(20, 2, 0), at(20, 12), False),
        (at(20, 1, 30), at(20, 12), True),
        (at(17, 2), at(20, 1), True),
    ],
)
def test_it_is_due_once_a_night_by_the_stores_clock(
    services: Services, last: datetime, now: datetime, due: bool
) -> None:
    """In November three o'clock in Rome is two o'clock in UTC."""
    assert nightly.is_due(services, Connector(store_facts=ROME), last, now) is due


@pytest.mark.parametrize(
    ("facts", "zone"),
    [
        (ROME, "Europe/Rome"),
        ({"timezone": "", "gmt_offset": 2}, "Etc/GMT-2"),
        ({"timezone": "No/Where"}, "UTC"),
        ({}, "UTC"),
    ],
)
def test_the_stores_zone(facts: dict[str, object], zone: str) -> None:
    assert zone_of(Connector(store_facts=facts), "UTC").key == zone


def ready(services: Services, connector_id: int, initial: datetime | None) -> None:
    with services.db.write() as session:
        row = session.get_one(Connector, connector_id)
        row.store_url, row.initial_done_at, row.store_facts = "http://127.0.0.1:9", initial, ROME


def test_the_night_after_the_first_import_begins_one(services: Services, clock: SetClock, connector_id: int) -> None:
    assert nightly.begin(services) == 0
    ready(services, connector_id, NOON)
    assert nightly.begin(services) == 0, "the import is of today"
    clock.advance(hours=15)
    assert nightly.begin(services) == 1
    assert nightly.begin(services) == 0
    with services.db.read() as session:
        row = reconciliation.going(session, connector_id)
        assert row is not None
        assert (row.trigger, row.state) == ("nightly", "PENDING")


def test_a_paused_connector_is_left_alone(services: Services, clock: SetClock, connector_id: int) -> None:
    ready(services, connector_id, NOON)
    with services.db.write() as session:
        session.get_one(Connector, connector_id).state = "paused"
    clock.advance(days=2)
    assert nightly.begin(services) == 0


def test_a_hold_is_waited_for(services: Services, connector_id: int) -> None:
    ready(services, connector_id, NOON)
    number = reconciliation.start(services, connector_id, "test")
    with services.db.write() as session:
        error = AuthRejected("mautic", "auth_rejected", "Mautic refuses the credentials.", "Enter new ones.")
        holds.hold(session, NOON, connector_id, error)
    tick(services)
    with services.db.read() as session:
        row = session.get_one(Reconciliation, number)
    assert (row.ended_at, row.lease_token) == (None, None)
    assert row.error == "It waits: Mautic refuses the credentials."


def test_what_is_not_connected_waits_too(services: Services, connector_id: int) -> None:
    number = reconciliation.start(services, connector_id, "test")
    tick(services)
    with services.db.read() as session:
        assert "must both be connected" in session.get_one(Reconciliation, number).error


def slice_of(services: Services, connector_id: int, seconds: float) -> Callable[[], bool]:
    run = Reconciliation(connector_id=connector_id)
    return execution.ReconciliationExecution(services, run, "token", seconds=seconds)._slice_over()


def test_a_slice_ends_when_a_shopper_waits(
    db: Database, services: Services, connector_id: int, change: MakeChange
) -> None:
    enough = slice_of(services, connector_id, 60)
    assert not enough()
    with db.write() as session:
        records.accept(session, NOON, connector_id, [change(1, origin=Origin.POLL, kind=Kind.ORDER)])
    assert not enough(), "what polling found can wait"
    with db.write() as session:
        records.accept(session, NOON, connector_id, [change(2, "bob@example.com")])
    assert enough()
    assert slice_of(services, connector_id, 0)()


def test_it_is_given_up_after_many_failures(services: Services, clock: SetClock, connector_id: int) -> None:
    """Nobody answers at the store's address."""
    ready(services, connector_id, NOON)
    number = reconciliation.start(services, connector_id, "test")
    with services.db.write() as session:
        session.get_one(Reconciliation, number).tries = execution.TRIES_MAX - 2
    tick(services)
    with services.db.read() as session:
        row = session.get_one(Reconciliation, number)
    assert (row.state, row.tries) == ("RUNNING", execution.TRIES_MAX - 1)
    clock.advance(hours=2)
    tick(services)
    with services.db.read() as session:
        row = session.get_one(Reconciliation, number)
    assert row.state == "FAILED"
    assert row.error


def test_whom_it_met_is_forgotten_in_small_parts(
    services: Services, connector_id: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(findings, "PURGED_AT_ONCE", 3)
    number = reconciliation.start(services, connector_id, "test")
    with services.db.write() as session:
        session.add_all(Reconciled(reconciliation_id=number, person_key=f"{each:032d}") for each in range(10))
    assert findings.purge(services) == 0, "it still goes"
    with services.db.write() as session:
        run_lifecycle.finish(
            session, NOON + timedelta(hours=1), session.get_one(Reconciliation, number), RunState.COMPLETED
        )
    assert findings.purge(services) == 10
    with services.db.read() as session:
        assert session.scalar(select(func.count()).select_from(Reconciled)) == 0


def test_counts_go_on_when_the_list_is_full(
    services: Services, connector_id: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(findings, "ROWS_MAX", 2)
    number = reconciliation.start(services, connector_id, "test")
    found = [findings.Finding("missing", f"{each:032d}", "Gone.") for each in range(5)]
    with services.db.write() as session:
        row = session.get_one(Reconciliation, number)
        findings.note(session, NOON, row, findings.Step("", None, found))
        findings.note(session, NOON, row, findings.Step("", None, found[:1]))
    with services.db.read() as session:
        query = reconciliation.DriftQuery(connector_id=connector_id, reconciliation_id=number)
        assert reconciliation.read_page(session, query).total == 2
        assert session.get_one(Reconciliation, number).missing == 5
