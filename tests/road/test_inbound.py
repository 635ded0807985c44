"""What programs send goes the whole road: to Mautic, into the sums and the log, and the store is never asked for it."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from sqlalchemy import select

from integration.clock import SetClock
from integration.inbound import following, intake
from integration.inbound.bodies import ORDER_EXAMPLE
from integration.models import Connector, Delivery, Drift
from integration.operations import reconciliation
from integration.pipeline import outbox
from tests.conftest import NOON
from tests.road.conftest import Road


@pytest.fixture
def road(make_road: Callable[..., Road]) -> Road:
    return make_road(SetClock(NOON), orders__create_fields=True, contacts__enabled=True)


def connector_of(road: Road) -> Connector:
    with road.services.db.read() as session:
        return session.get_one(Connector, road.connector_id)


def test_an_order_of_a_till_adds_to_the_shops_own_and_survives_a_full_sync(road: Road) -> None:
    own = road.order("ada@example.com", total="10.00")
    road.arrive(own)
    order = ORDER_EXAMPLE | {"id": own["id"], "billing": {"email": "ada@example.com"}, "currency": own["currency"]}
    [item] = intake.take(road.services, connector_of(road), "orders", [order]).items
    road.work()
    contact = road.contact("ada@example.com")
    assert float(str(contact.values["mautic_woo_order_count"])) == 2
    assert {entry.source_id for entry in road.log() if entry.type == "order"} == {str(own["id"]), f"api:{own['id']}"}
    with road.services.db.read() as session:
        told = following.delivery(session, road.connector_id, item.number or 0)
    assert told is not None
    assert (told.state, told.contact_id) == ("delivered", contact.id)
    road.run("full")
    assert float(str(road.contact("ada@example.com").values["mautic_woo_order_count"])) == 2


def test_what_failed_is_sent_again_as_it_was_and_not_read_from_the_store(road: Road) -> None:
    [item] = intake.take(road.services, connector_of(road), "orders", [ORDER_EXAMPLE]).items
    road.mautic.faults.command({"kind": "status", "value": 400, "path": "/api/contacts"})
    road.work()
    road.mautic.faults.clear()
    with road.services.db.write() as session:
        assert session.get_one(Delivery, item.number).state == "dead"
        outbox.requeue(session, NOON, road.connector_id, [item.number or 0])
    before = len(road.store.calls)
    road.work()
    assert road.contact("ada@example.com")
    assert [call.path for call in list(road.store.calls)[before:] if "/orders" in call.path] == []


def test_a_reconciliation_finds_nothing_wrong_with_whom_the_store_does_not_know(road: Road) -> None:
    connector = connector_of(road)
    intake.take(road.services, connector, "orders", [ORDER_EXAMPLE])
    intake.take(road.services, connector, "contacts", [{"id": 5, "email": "crm@example.com"}])
    road.work()
    assert road.contact("crm@example.com")
    assert road.contact("ada@example.com")
    reconciliation.start(road.services, road.connector_id, "test")
    road.work()
    with road.services.db.read() as session:
        assert [(row.kind, row.sentence) for row in session.scalars(select(Drift))] == []
        [done] = reconciliation.latest(session, road.connector_id)
    assert done.state == "COMPLETED"
