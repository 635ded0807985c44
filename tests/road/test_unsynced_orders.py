"""What an import writes of people with orders that are not synced, and what a reconciliation says of them."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from integration.events import Origin
from integration.pipeline.connectors import connectors
from integration.pipeline.ingest import records
from integration.store import parse
from tests.operations.reconciliation.conftest import Bench
from tests.road.conftest import Road
from tests.road.lifetimes import priced, spent, values, with_fields
from tests.road.subscribers import EMAIL, subscribe

ADA = "ada@example.com"


@pytest.fixture
def road(make_road: Callable[..., Road]) -> Road:
    """Orders that are in progress count as paid and are not synced, as without any settings."""
    return with_fields(make_road)


def register(road: Road) -> int:
    return int(road.store.shop.register_customer(email=ADA, first_name="Ada")["id"])


def came_to_be(road: Road, number: int) -> None:
    """Accept an account as its webhook brings it."""
    now, row = road.services.clock.now(), next(each for each in road.store.shop.customers if each["id"] == number)
    with road.services.db.write() as session:
        change = parse.customer_change(row, Origin.WEBHOOK, now, created=True)
        records.accept(session, now, road.connector_id, [change])
    road.work()


def total(order: dict[str, Any]) -> Decimal:
    return Decimal(order["total"])


def nothing_differs(road: Road) -> bool:
    bench = Bench(road)
    assert bench.reconcile().pulled, "who was not compared proves nothing"
    return bench.drift() == []


def test_an_import_has_them(road: Road) -> None:
    number = register(road)
    made = priced(road, ADA, "10.50", status="processing", customer_id=number)
    priced(road, ADA, "7.00", status="failed", customer_id=number)
    road.run("initial")
    assert (spent(road, ADA), values(road, ADA)["mautic_woo_order_count"]) == (total(made), 1)
    assert nothing_differs(road)


def test_an_order_that_came_before_its_account_is_counted(road: Road) -> None:
    number = register(road)
    made = priced(road, ADA, "10.50", status="processing", customer_id=number)
    road.arrive(made)
    road.work()
    assert road.mautic.state.contact(ADA) is None
    came_to_be(road, number)
    assert spent(road, ADA) == total(made)
    assert nothing_differs(road)


def test_a_full_sync_adds_what_no_webhook_brought_and_writes_once(road: Road) -> None:
    number = register(road)
    road.run("initial")
    assert spent(road, ADA) == 0
    made = priced(road, ADA, "10.50", status="processing", customer_id=number)
    road.run("full")
    assert spent(road, ADA) == total(made)
    road.store.shop.change_status(made["id"], "cancelled")
    road.run("full")
    assert spent(road, ADA) == 0
    assert nothing_differs(road)


def test_what_an_order_has_written_the_account_does_not_write_again(road: Road) -> None:
    number = register(road)
    road.run("initial")
    made = priced(road, ADA, "10.50", customer_id=number)
    road.arrive(made)
    road.work()
    assert spent(road, ADA) == total(made)
    before = road.writes()
    assert road.run("full").pushed == 0
    assert road.writes() == before


def test_a_name_that_only_an_order_not_synced_tells_is_not_missed(road: Road) -> None:
    road.order(ADA, billing={"last_name": "Byron"})
    road.order(ADA, "on-hold", billing={"last_name": "Lovelace"})
    road.run("initial")
    assert values(road, ADA)["lastname"] == "Byron"
    assert nothing_differs(road)
    road.mautic.state.update(road.contact(ADA), {**values(road, ADA), "lastname": "Noel"})
    assert not nothing_differs(road)


def test_who_has_never_ordered_is_told_no_zeros(road: Road) -> None:
    register(road)
    road.run("initial")
    assert values(road, ADA).get("mautic_woo_order_count") is None


def test_what_the_sums_leave_out_is_said_of_the_account(road: Road) -> None:
    number = register(road)
    priced(road, ADA, "10.50", status="processing", customer_id=number, currency="USD")
    road.run("initial")
    assert spent(road, ADA) == 0
    [entry] = [each for each in road.log() if each.type == "contact"]
    assert "1 paid order is not counted in the lifetime values" in entry.message


def test_what_was_not_paid_is_no_sum(make_road: Callable[..., Road]) -> None:
    road = make_road()
    priced(road, ADA, "10.50", status="cancelled", customer_id=register(road))
    road.run("initial")
    [delivery] = road.deliveries()
    assert (delivery.state, delivery.partial) == ("delivered", False)


def test_a_cancelled_order_alone_is_no_difference(road: Road) -> None:
    priced(road, ADA, "10.50", status="cancelled", customer_id=register(road))
    road.run("initial")
    assert nothing_differs(road)


def test_who_subscribes_after_an_order_is_told_its_sum(make_road: Callable[..., Road]) -> None:
    road = with_fields(make_road, subscribe__enabled=True)
    made = priced(road, EMAIL, "10.50", status="processing")
    road.run("initial")
    assert subscribe(road)
    road.work()
    assert spent(road, EMAIL) == total(made)


def test_who_gave_the_only_order_away_while_order_sync_was_off_has_no_sum(road: Road) -> None:
    made = priced(road, ADA, "10.50", status="processing", customer_id=register(road))
    road.run("initial")
    connectors.configure(road.services, road.connector_id, {"orders.enabled": False})
    road.store.shop.edit_order(made["id"], billing={**made["billing"], "email": "bob@example.com"})
    road.run("full")
    connectors.configure(road.services, road.connector_id, {"orders.enabled": True})
    road.run("full")
    assert spent(road, ADA) == 0


def test_an_address_that_a_live_change_told_is_missed_when_it_is_changed_in_mautic(road: Road) -> None:
    register(road)
    road.run("initial")
    ulm = {"city": "Ulm", "country": "DE"}
    first, second = (road.order(ADA, "on-hold", billing=ulm) for _ in range(2))
    road.arrive(first, second)
    road.work()
    road.store.shop.delete_force(first["id"])
    road.run("full")
    assert nothing_differs(road)
    road.mautic.state.update(road.contact(ADA), {**values(road, ADA), "city": "Bonn"})
    assert not nothing_differs(road)
