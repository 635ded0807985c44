"""A store that may be a copy: the connector is read-only until somebody says what it is."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy.orm import Session

from integration.clock import SetClock
from integration.engines import schedule
from integration.engines.worker import Worker
from integration.errors import NotSetUp
from integration.models import Connector, ContactLink
from integration.models.connector import ConnectorState
from integration.models.drift import Reconciliation
from integration.models.run import SYNCS, Run, RunKind, RunState
from integration.operations.monitoring import health
from integration.operations.monitoring.alerts import causes
from integration.pipeline.connectors import connectors, fingerprint
from integration.pipeline.ingest import records
from integration.pipeline.runs import lifecycle as run_lifecycle, resumption
from integration.pipeline.services import Services
from tests.pipeline.conftest import MakeChange

SHOP, COPY = "https://shop.example", "https://staging.shop.example"
Look = Callable[..., Connector]


@pytest.fixture
def look(services: Services, connector_id: int) -> Look:
    """Tell what the store says of itself and return the connector after it; its first people were sent before."""
    connectors.connect(services, connector_id, store_url=SHOP, store_key="ck_1", store_secret="cs_1")
    with services.db.write() as session:
        session.add(
            ContactLink(connector_id=connector_id, person_key="a" * 64, contact_id=1, written_at=_now(services))
        )

    def tell(home: str = SHOP, key: str = "ck_1", installation: str = "") -> Connector:
        with services.db.write() as session:
            row = session.get_one(Connector, connector_id)
            fingerprint.look(session, _now(services), row, home, key, installation)
        return read(services, connector_id)

    tell()
    return tell


def _now(services: Services) -> Any:
    return services.clock.now()


def read(services: Services, connector_id: int) -> Connector:
    with services.db.read() as session:
        return session.get_one(Connector, connector_id)


def accept(services: Services, connector_id: int, change: Any) -> None:
    with services.db.write() as session:
        records.accept(session, _now(services), connector_id, [change])


def answer(services: Services, connector_id: int, act: Callable[..., bool]) -> bool:
    with services.db.write() as session:
        return act(session, _now(services), connector_id)


@pytest.mark.parametrize("home", ["http://shop.example/", "https://www.shop.example", "HTTPS://Shop.example", ""])
def test_the_same_shop_written_otherwise_changes_nothing(look: Look, home: str) -> None:
    assert look(home).state == ConnectorState.ACTIVE


@pytest.mark.parametrize("home", [COPY, "https://shop.example/staging", "https://shop.example:8443"])
def test_another_address_makes_the_connector_read_only(look: Look, home: str) -> None:
    found = look(home)
    assert found.state == ConnectorState.READ_ONLY
    assert fingerprint.sentence(found) == f"The store says that its address is {home}, and before it was {SHOP}."


def test_another_key_alone_is_no_doubt_and_with_another_address_it_is_said(look: Look) -> None:
    assert look(key="ck_2").state == ConnectorState.ACTIVE
    assert "Its key is another one, too." in fingerprint.sentence(look(COPY, key="ck_3"))


def test_a_connector_that_has_sent_nobody_only_gets_to_know_its_store(services: Services, connector_id: int) -> None:
    for home in (SHOP, COPY):
        with services.db.write() as session:
            row = session.get_one(Connector, connector_id)
            fingerprint.look(session, _now(services), row, home, "", "")
    found = read(services, connector_id)
    assert (found.state, found.fingerprint["home"]) == (ConnectorState.ACTIVE, COPY)


def test_nothing_is_sent_or_written_from_a_copy_and_reading_goes_on(
    services: Services, connector_id: int, change: MakeChange, look: Look
) -> None:
    accept(services, connector_id, change(1))
    with services.db.read() as session:
        assert schedule.busy_connectors(session, _now(services)) == [connector_id]
    found = look(COPY)
    with services.db.read() as session:
        assert schedule.busy_connectors(session, _now(services)) == []
    for client, service in ((services.open_store(found), "store"), (services.open_mautic(found), "mautic")):
        for call in (client.post, client.delete):
            with pytest.raises(NotSetUp) as refused:
                call("anything")
            assert (refused.value.code, refused.value.service) == (fingerprint.CODE, service)
        assert client.calls == 0
    with pytest.raises(fingerprint.ReadOnly, match="read-only"):
        fingerprint.check(found)


@pytest.mark.parametrize("kind", SYNCS)
def test_a_run_that_would_send_from_a_copy_is_refused_when_it_is_asked_for(
    services: Services, connector_id: int, look: Look, kind: RunKind
) -> None:
    look(COPY)
    with pytest.raises(fingerprint.ReadOnly, match="its address is https://staging.shop.example"):
        run_lifecycle.start(services, connector_id, kind, trigger="test")
    with services.db.read() as session:
        assert session.query(Run).count() == 0


def test_what_only_reads_or_waits_for_the_answer_may_be_asked_for(
    services: Services, connector_id: int, look: Look
) -> None:
    look(COPY)
    dry = run_lifecycle.start(services, connector_id, "full", trigger="test", options={"dry_run": True})
    run_lifecycle.start(services, connector_id, "replay", trigger="test", options={"act": "discard"})
    run_lifecycle.begin(services, Reconciliation(connector_id=connector_id), trigger="test")
    end(services, dry, RunState.FAILED)
    assert resumption.resume(services, dry) == dry


@pytest.mark.parametrize("state", [RunState.FAILED, RunState.CANCELLED, RunState.PAUSED])
def test_a_run_that_would_go_on_sending_from_a_copy_is_refused_and_stays_as_it_was(
    services: Services, connector_id: int, look: Look, state: RunState
) -> None:
    run_id = run_lifecycle.start(services, connector_id, "full", trigger="test")
    end(services, run_id, state)
    look(COPY)
    with pytest.raises(fingerprint.ReadOnly):
        resumption.resume(services, run_id)
    with services.db.read() as session:
        assert [(run.id, run.state) for run in session.query(Run)] == [(run_id, state)]
    answer(services, connector_id, fingerprint.confirm_same)
    resumption.resume(services, run_id)


def end(services: Services, run_id: int, state: RunState) -> None:
    with services.db.write() as session:
        run = session.get_one(Run, run_id)
        run.state, run.ended_at = state, None if state is RunState.PAUSED else _now(services)


def test_a_poll_that_is_due_when_the_store_becomes_a_copy_is_left_out(
    services: Services, connector_id: int, look: Look
) -> None:
    look(COPY)
    assert schedule._start(services, connector_id) == 0


def test_it_goes_on_as_before_when_it_is_the_same_store(services: Services, connector_id: int, look: Look) -> None:
    connectors.pause(services, connector_id)
    look(COPY)
    assert not connectors.resume(services, connector_id)
    seen: list[dict[str, Any]] = []
    with services.db.write() as session:
        assert fingerprint.confirm_same(session, _now(services), connector_id, lambda _, diff: seen.append(diff))
    assert seen == [{"home": [SHOP, COPY], "state": ["read_only", "paused"]}]
    assert look(COPY).state == ConnectorState.PAUSED
    assert not answer(services, connector_id, fingerprint.confirm_same)


def test_a_copy_stays_read_only_without_an_alert(
    services: Services, connector_id: int, clock: SetClock, look: Look
) -> None:
    look(COPY)
    assert _causes(services, connector_id) == ["store_changed"]
    assert answer(services, connector_id, fingerprint.confirm_copy)
    found = look(COPY)
    assert (found.state, fingerprint.sentence(found)) == (ConnectorState.READ_ONLY, fingerprint.COPY)
    assert "store_changed" not in _causes(services, connector_id)
    assert not answer(services, connector_id, fingerprint.confirm_copy)


def _causes(services: Services, connector_id: int) -> list[str]:
    with Session(services.db.engine) as session:
        row = session.get_one(Connector, connector_id)
        row.mautic_url, row.store_url = "https://m.example", SHOP
        assert health.of(session, _now(services), row).code == "read_only"
        facts = health.facts.of(session, _now(services), row.id)
        return [one.cause for one in causes.found(session, _now(services), row, facts, {})]


def test_the_former_address_typed_again_is_what_is_confirmed(services: Services, connector_id: int, look: Look) -> None:
    look(COPY)
    look(SHOP)
    answer(services, connector_id, fingerprint.confirm_same)
    assert (look(SHOP).state, look(SHOP).fingerprint["home"]) == (ConnectorState.ACTIVE, SHOP)


def test_order_numbers_that_begin_again_far_below_make_it_read_only(
    services: Services, connector_id: int, change: MakeChange, clock: SetClock, look: Look
) -> None:
    accept(services, connector_id, placed(change, 5000, clock))
    look()
    clock.advance(hours=2)
    # A draft that was begun before, an old order that the ledger never saw, and the next one are nothing odd.
    accept(services, connector_id, placed(change, 4950, clock))
    accept(services, connector_id, placed(change, 12, clock, ago=timedelta(days=90)))
    accept(services, connector_id, placed(change, 5001, clock))
    assert read(services, connector_id).state == ConnectorState.ACTIVE
    accept(services, connector_id, placed(change, 40, clock))
    found = read(services, connector_id)
    assert (found.state, "number 40, although 5000" in fingerprint.sentence(found)) == (ConnectorState.READ_ONLY, True)
    answer(services, connector_id, fingerprint.confirm_same)
    clock.advance(minutes=5)
    look()
    accept(services, connector_id, placed(change, 41, clock))
    assert look().state == ConnectorState.ACTIVE
    assert look().fingerprint["highest"] == 41


def placed(change: MakeChange, number: int, clock: SetClock, ago: timedelta = timedelta()) -> Any:
    at = clock.now() - ago
    fields = {"number": str(number), "currency": "EUR", "total": "1.00", "line_items": []}
    return change(number, modified=at, date_created_gmt=at.strftime("%Y-%m-%dT%H:%M:%S"), **fields)


def test_rows_that_were_copied_to_another_installation_send_nothing(
    services: Services, connector_id: int, look: Look
) -> None:
    look(installation="https://sync.example")
    here = services.deployment.model_copy(update={"public_url": "https://staging-sync.example"})
    services.deployment = here
    worker = Worker(services)
    worker.dispatch()
    worker.stop()
    found = read(services, connector_id)
    assert found.state == ConnectorState.READ_ONLY
    assert "worked for at https://sync.example, and now at https://staging-sync.example" in fingerprint.sentence(found)
    answer(services, connector_id, fingerprint.confirm_same)
    assert read(services, connector_id).fingerprint["installation"] == "https://staging-sync.example"
