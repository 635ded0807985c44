"""Orders that were deleted for good, and orders that show up late: both are noticed without a webhook."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from sqlalchemy import select

from integration.models import Connector, RunLine
from tests.road.conftest import Road
from tests.road.store_lists import ORDERS


@pytest.fixture
def road(make_road: Callable[..., Road]) -> Road:
    return make_road(orders__create_fields=True)


def item(total: str) -> list[dict[str, object]]:
    return [{"name": "Mug", "quantity": 1, "total": total}]


def values(road: Road, email: str) -> dict[str, object]:
    contact = road.mautic.state.contact(email)
    assert contact is not None
    found = {name: value for name, value in contact.values.items() if name.startswith("mautic_woo")}
    return {name.removeprefix("mautic_woo_"): value for name, value in found.items() if value not in (None, "")}


def test_a_full_sync_lowers_the_sums_of_an_order_that_is_gone(road: Road) -> None:
    first = road.order("ada@example.com", line_items=item("20.00"))
    second = road.order("ada@example.com", line_items=item("5.00"))
    only = road.order("bob@example.com", line_items=item("7.00"))
    road.run("initial")
    assert values(road, "ada@example.com")["order_count"] == 2
    for order in (second, only):
        road.store.shop.delete_force(order["id"])
    run = road.run("full")
    ada = values(road, "ada@example.com")
    assert (ada["order_count"], float(str(ada["total_spent"]))) == (1, float(first["total"]))
    assert f'"order_id":{first["id"]}' in str(ada["order_data"])
    assert not set(values(road, "bob@example.com")) & {"order_count", "total_spent", "order_data"}
    with road.services.db.read() as session:
        said = session.scalars(select(RunLine.text).where(RunLine.run_id == run.id)).all()
    assert "2 orders are no longer in the store; the buyers' values are corrected." in said
    writes = road.writes()
    assert road.run("full").state == "COMPLETED"
    assert road.writes() == writes


def test_a_list_that_hides_orders_takes_none_for_gone(road: Road) -> None:
    for number in range(12):
        road.order(f"p{number}@example.com", line_items=item("5.00"))
    road.run("initial")
    road.store.faults.command({"kind": "short_list", "value": 6, "path": ORDERS})
    road.run("full")
    road.store.faults.clear()
    assert {delivery.event for delivery in road.deliveries()} == {"completed"}
    assert values(road, "p11@example.com")["order_count"] == 1


def age(road: Road) -> None:
    """Let the connector be older than the overlap of two reads."""
    with road.services.db.write() as session:
        session.get_one(Connector, road.connector_id).created_at -= timedelta(hours=1)


def late(road: Road, email: str, seconds: int) -> None:
    """Place an order that is dated some seconds ago, as by a clock that is behind."""
    row = road.store.state.order(road.order(email)["id"])
    row.modified -= seconds
    row.created -= seconds


def test_orders_dated_before_the_last_read_are_taken_once(make_road: Callable[..., Road]) -> None:
    road = make_road(orders__notes=True)
    age(road)
    road.order("first@example.com")
    assert road.run("incremental").pulled == 1
    late(road, "minutes@example.com", 180)
    late(road, "seconds@example.com", 10)
    found = road.run("incremental")
    assert (found.pulled, found.pushed) == (2, 2)
    again = road.run("incremental")
    assert (again.state, again.pulled, again.already) == ("COMPLETED", 0, 0)
    assert len(road.deliveries()) == len(road.mautic.state.notes) == 3


def test_an_order_that_is_trashed_late_is_noticed(make_road: Callable[..., Road]) -> None:
    road = make_road(orders__create_fields=True)
    age(road)
    order = road.order("ada@example.com", line_items=item("20.00"))
    road.run("incremental")
    road.store.shop.trash(order["id"])
    road.store.state.order(order["id"]).modified -= 120
    road.run("incremental")
    assert "order_count" not in values(road, "ada@example.com")
