"""What happens live: webhooks through a real socket, cancel and resume, pause, several writers of one person."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from integration.engines.worker import Worker
from integration.events import Origin
from integration.models import Run
from integration.pipeline.connectors import connectors, webhook_registration
from integration.pipeline.ingest import records
from integration.pipeline.leases.tokens import new_token
from integration.pipeline.runs import cancelling, lifecycle as run_lifecycle, resumption
from integration.pipeline.runs.executor import RunExecutor
from integration.sandbox.store.bulk import seed_bulk
from integration.store import parse
from tests.road.conftest import Road
from tests.serving import serving
from tests.waiting import wait_for


@pytest.fixture
def road(make_road: Callable[..., Road]) -> Road:
    return make_road()


@pytest.fixture
def heard(road: Road) -> Iterator[Road]:
    """The road with the application on a socket and the shop's webhooks registered there."""
    with serving(road.services):
        webhook_registration.register(road.services, road.connector_id)
        yield road


def test_an_order_in_the_shop_is_in_mautic_soon_after(heard: Road) -> None:
    worker = Worker(heard.services)
    worker.start()
    try:
        order = heard.order("ada@example.com", status="processing")
        heard.store.shop.change_status(order["id"], "completed")
        assert wait_for(lambda: heard.mautic.state.contact("ada@example.com"), seconds=15)
        heard.store.shop.trash(order["id"])
        assert wait_for(lambda: any(d.event == "deleted" and d.settled_at for d in heard.deliveries()), seconds=15)
    finally:
        worker.stop()
    assert {health.state for health in webhook_registration.status(heard.services, heard.connector_id)} == {"active"}


def test_what_a_webhook_brought_is_not_accepted_again_by_reading(heard: Road) -> None:
    heard.order("ada@example.com")
    assert wait_for(lambda: heard.deliveries(), seconds=15)
    heard.store.webhook_queue.settle()
    before = len([d for d in heard.deliveries() if d.kind == "order"])
    heard.work()
    heard.run("incremental")
    assert len([d for d in heard.deliveries() if d.kind == "order"]) == before


def test_reading_finds_what_the_webhooks_lost(road: Road) -> None:
    for number in range(150):
        road.order(f"p{number}@example.com")
    run = road.run("incremental")
    assert run.state == "COMPLETED"
    assert len([d for d in road.deliveries() if d.state == "delivered"]) == 150


def test_two_orders_and_a_profile_change_at_once_make_one_contact_with_the_newest_values(road: Road) -> None:
    person = road.store.shop.register_customer(email="ada@example.com", first_name="Ada")
    first = road.order("Ada@Example.com", billing={"city": "Old Town"}, date_created="2026-01-01T10:00:00")
    second = road.order("ada@example.com", billing={"city": "New Town"}, date_created="2026-02-01T10:00:00")
    road.store.shop.edit_customer(person["id"], first_name="Augusta")
    client = road.services.open_store(_connector(road))
    profile, _ = client.get(f"customers/{person['id']}")
    now = road.services.clock.now()
    changes = [parse.order_change(order, Origin.WEBHOOK, now) for order in (first, second)]
    changes.append(parse.customer_change(profile, Origin.WEBHOOK, now, created=False))
    road.mautic.faults.command({"kind": "race_seconds", "value": 0.1})

    def accept(change: object) -> None:
        with road.services.db.write() as session:
            records.accept(session, now, road.connector_id, [change])  # type: ignore[list-item]  # a Change

    workers = [Worker(road.services), Worker(road.services)]
    for worker in workers:
        worker.start()
    threads = [threading.Thread(target=accept, args=(change,)) for change in changes]
    for thread in threads:
        thread.start()
    try:
        assert wait_for(lambda: len([d for d in road.deliveries() if d.settled_at]) == 3, seconds=15)
    finally:
        for worker in workers:
            worker.stop()
    found = [c for c in road.mautic.state.contacts.values() if str(c.values.get("email")).lower() == "ada@example.com"]
    assert len(found) == 1
    assert found[0].values["city"] == "New Town"


def _connector(road: Road):  # type: ignore[no-untyped-def]  # a Connector
    from integration.models import Connector

    with road.services.db.read() as session:
        return session.get_one(Connector, road.connector_id)


def test_changing_to_and_fro_ends_with_the_last_value(road: Road) -> None:
    person = road.store.shop.register_customer(email="ada@example.com", first_name="A")
    client = road.services.open_store(_connector(road))
    for name in ("A", "B", "A"):
        road.store.shop.edit_customer(person["id"], first_name=name)
        profile, _ = client.get(f"customers/{person['id']}")
        change = parse.customer_change(profile, Origin.WEBHOOK, road.services.clock.now(), created=False)
        with road.services.db.write() as session:
            records.accept(session, road.services.clock.now(), road.connector_id, [change])
        road.work()
    contact = road.mautic.state.contact("ada@example.com")
    assert contact is not None
    assert contact.values["firstname"] == "A"


def test_a_paused_connector_accepts_and_waits(road: Road) -> None:
    connectors.pause(road.services, road.connector_id)
    road.arrive(road.order("ada@example.com"))
    road.work()
    assert road.states() == {"ready"}
    connectors.resume(road.services, road.connector_id)
    road.work()
    assert road.states() == {"delivered"}


def test_a_cancelled_import_stops_and_what_was_sent_stays(road: Road) -> None:
    seed_bulk(road.store.state, customers=0, orders=900)
    run_id = run_lifecycle.start(road.services, road.connector_id, "initial", trigger="test")
    road.mautic.faults.command({"kind": "delay_per_record", "value": 0.05})
    worker = Worker(road.services)
    worker.start()
    try:
        assert wait_for(lambda: _run(road, run_id).pushed > 0, seconds=15)
        cancelling.cancel(road.services, run_id)
        assert wait_for(lambda: _run(road, run_id).state == "CANCELLED", seconds=15)
    finally:
        worker.stop()
    assert "discarded" in road.states() or _run(road, run_id).accepted < 900
    assert road.mautic.state.contacts
    resumption.resume(road.services, run_id)
    road.mautic.faults.clear()
    road.work()
    assert _run(road, run_id).state == "COMPLETED"
    wanted = {row.id for row in road.store.state.orders if row.status in ("completed", "refunded")}
    reached = {int(d.source_id) for d in road.deliveries() if d.kind == "order" and d.state in ("delivered", "skipped")}
    assert wanted <= reached


def _run(road: Road, run_id: int) -> Run:
    with road.services.db.read() as session:
        return session.get_one(Run, run_id)


def test_a_stopped_import_goes_on_behind_the_last_page(road: Road, monkeypatch: pytest.MonkeyPatch) -> None:
    seed_bulk(road.store.state, customers=0, orders=400)
    run_lifecycle.start(road.services, road.connector_id, "initial", trigger="test", options={"only": ["orders"]})
    stop, token = threading.Event(), new_token()
    with road.services.db.write() as session:
        run = run_lifecycle.take(session, road.services.clock.now(), token)
        session.flush()
        session.expunge_all()
    assert run is not None
    accept = records.accept

    def accept_and_stop(*args: Any) -> object:
        if args[3]:
            stop.set()
        return accept(*args)

    monkeypatch.setattr(records, "accept", accept_and_stop)
    RunExecutor(road.services, run, token, stop).execute()
    monkeypatch.undo()
    half = _run(road, run.id)
    with road.services.db.write() as session:
        session.get_one(Run, run.id).leased_until = road.services.clock.now().replace(year=2020)
    road.work()
    done = _run(road, run.id)
    assert (half.state, half.pulled) == ("RUNNING", 100)
    assert (done.state, done.pulled) == ("COMPLETED", done.accepted)
    assert done.pulled > half.pulled
