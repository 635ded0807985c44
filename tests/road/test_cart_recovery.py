"""A cart is recovered by the order that is known to be its own, and nobody is reminded of what they bought."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from integration.clock import SetClock
from integration.models import Cart, CartState, DeliveryState
from integration.pipeline.delivery import cart_marks
from integration.pipeline.delivery.groups import DeliveryGroup, Outcome, of_change
from integration.pipeline.delivery.planning import PersonPlan
from integration.pipeline.ingest import cart_orders
from integration.store.parse import CAMPAIGN_KEY
from integration.streams.carts import ABANDONED, change_of
from tests import cart_rows
from tests.cart_rows import ANNA
from tests.conftest import NOON
from tests.road.carts import one, story, switched_on
from tests.road.conftest import Road


@pytest.fixture
def road(make_road: Callable[..., Road]) -> Road:
    return switched_on(make_road, SetClock(NOON))


def add(road: Road, **values: Any) -> int:
    """Keep a cart of an hour ago, in Mautic unless another state is said."""
    at = road.services.clock.now() - timedelta(hours=1)
    with road.services.db.write() as session:
        return cart_rows.keep(session, road.connector_id, at, **{"synced_at": at, **values}).id


def bought(road: Road, status: str = "processing", email: str = ANNA, **values: Any) -> dict[str, Any]:
    """Return an order as the API shows it, placed now, without handing it in."""
    order = road.order(email, status)
    stamp = road.services.clock.now().replace(tzinfo=None).isoformat(timespec="seconds")
    return {**order, "date_created_gmt": stamp, "date_modified_gmt": stamp, **values}


def actions(road: Road) -> list[str]:
    return [entry.action for entry in road.log() if entry.type == "abandoned_cart"]


@pytest.mark.parametrize(
    ("proof", "mine", "order"),
    [
        ("order", {"order_id": 4711}, {"id": 4711}),
        ("coupon", {"coupon_code": "RECOVER-ABC"}, {"coupon_lines": [{"code": "recover-abc"}]}),
        ("campaign", {}, {"meta_data": []}),
        ("email", {"email": "ANNA@shop.example"}, {"same": True}),
    ],
)
def test_a_paid_order_recovers_its_cart_by_the_strongest_proof(
    road: Road, proof: str, mine: dict[str, Any], order: dict[str, Any]
) -> None:
    number = add(road, **mine)
    values = {name: value for name, value in order.items() if name != "same"}
    if "meta_data" in values:
        values["meta_data"] = [{"key": CAMPAIGN_KEY, "value": f"cart-{number}"}]
    email = ANNA if "same" in order else "other@shop.example"
    road.arrive(bought(road, email=email, total="49.90", **values))
    found = one(road, number)
    assert (found.state, found.proof) == (CartState.RECOVERED, proof)
    assert (found.revenue, found.revenue_currency) == ("49.90", "EUR")
    road.work()
    assert actions(road) == ["cart_recovery"]


def test_an_order_that_is_not_paid_waits_and_a_paid_one_recovers(road: Road) -> None:
    number = add(road)
    order = bought(road, "on-hold")
    road.arrive(order)
    assert (one(road, number).state, one(road, number).bought_order_id) == (CartState.SYNCED, order["id"])
    road.arrive({**order, "status": "processing", "date_modified_gmt": "2026-11-20T12:30:00"})
    assert one(road, number).state == CartState.RECOVERED


@pytest.mark.parametrize("state", ["active", "abandoned"])
@pytest.mark.parametrize("status", ["on-hold", "pending", "completed"])
def test_who_orders_before_the_cart_is_sent_is_spared(road: Road, state: str, status: str) -> None:
    number = add(road, state=state, synced_at=None)
    road.arrive(bought(road, status))
    assert (one(road, number).state, one(road, number).reason) == (CartState.BOUGHT, "bought")
    road.work()
    assert actions(road) == []


@pytest.mark.parametrize("status", ["failed", "cancelled", "checkout-draft", "trash"])
def test_an_order_that_came_to_nothing_changes_nothing(road: Road, status: str) -> None:
    number = add(road)
    road.arrive({**bought(road), "status": status})
    assert one(road, number).state == CartState.SYNCED


def test_the_unpaid_order_that_a_cart_was_left_as_is_no_purchase(road: Road) -> None:
    order = bought(road, "pending")
    number = add(road, order_id=order["id"], state=CartState.ACTIVE, synced_at=None, source="order")
    road.arrive(order)
    assert one(road, number).state == CartState.ACTIVE
    road.arrive({**order, "status": "processing", "date_modified_gmt": "2026-11-20T12:30:00"})
    assert one(road, number).state == CartState.BOUGHT


def test_an_older_order_recovers_nothing(road: Road) -> None:
    number = add(road)
    road.arrive(bought(road, date_created_gmt="2026-11-19T10:00:00"))
    assert one(road, number).state == CartState.SYNCED


def test_one_order_recovers_one_cart_and_ends_the_others(road: Road) -> None:
    weak, strong = add(road), add(road, coupon_code="RECOVER-ABC")
    road.arrive(bought(road, coupon_lines=[{"code": "RECOVER-ABC"}]))
    assert (one(road, weak).state, one(road, strong).state) == (CartState.BOUGHT, CartState.RECOVERED)


def test_revenue_follows_refunds(road: Road) -> None:
    number = add(road)
    order = bought(road, total="50.00")
    road.arrive(order)
    assert one(road, number).revenue == "50.00"
    later = {"date_modified_gmt": "2026-11-20T13:00:00", "refunds": [{"id": 1, "total": "-20.00"}]}
    road.arrive({**order, **later})
    assert one(road, number).revenue == "30.00"


def test_a_purchase_while_the_cart_is_on_its_way_is_told_at_once(road: Road) -> None:
    number = add(road, state=CartState.BOUGHT, synced_at=None)
    now = road.services.clock.now()
    with road.services.db.write() as session:
        record = cart_orders.record_of(session.get_one(Cart, number))
        leased = of_change(1, change_of(record, ABANDONED, now))
        plan = PersonPlan(DeliveryGroup(leased.person_key, (leased,)), None)
        delivered = Outcome(1, DeliveryState.DELIVERED, "created", 5)
        cart_marks.mark(session, now, road.connector_id, [plan], [delivered])
    assert [(row.kind, row.event) for row in road.deliveries()] == [("abandoned_cart", "recovered")]
    road.work()
    assert actions(road) == ["cart_recovery"]
    assert story(road)[:2] == ["Sent to Mautic, contact 5.", "It was bought meanwhile, so Mautic is told at once."]
