"""Abandoned carts on the road: one write when somebody left, none when they bought, another when they came back."""

from __future__ import annotations

import json
from collections.abc import Callable
from decimal import Decimal

from integration.clock import SetClock
from integration.models import CartState
from integration.pipeline import outbox
from integration.pipeline.ingest import records
from integration.records import Cart, CartLine
from integration.sandbox.mautic.seed import seed
from integration.streams.carts import ABANDONED, RECOVERED, change_of
from tests import cart_rows
from tests.conftest import NOON
from tests.road import carts
from tests.road.conftest import Road

LINES = (CartLine("Tea <b>green</b>", 13, quantity=Decimal(2), price=Decimal("4.50"), total=Decimal("9.00")),)


def left(road: Road, email: str = "anna@shop.example", event: str = ABANDONED, draft_id: int = 0) -> int:
    """Owe Mautic a cart as detection does, and return its id."""
    now = road.services.clock.now()
    with road.services.db.write() as session:
        row = cart_rows.keep(session, road.connector_id, now, email=email, state=CartState.ABANDONED)
        cart = Cart(
            row.id, email, "EUR", Decimal("9.00"), LINES, "https://our.example/recover/abc", "RECOVER-1", draft_id, now
        )
        outbox.accept(session, now, road.connector_id, [change_of(cart, event, now)])
        return row.id


def contact(road: Road, email: str = "anna@shop.example") -> dict[str, object]:
    found = road.contact(email)
    return {**found.values, "tags": set(road.mautic.state.tag_names(found))}


def test_a_cart_arrives_with_tag_fields_link_and_coupon_in_one_write(make_road: Callable[..., Road]) -> None:
    road = carts.switched_on(make_road)
    cart_id = left(road)
    road.work()
    there = contact(road)
    data = json.loads(str(there["mautic_woo_cart_data"]))
    assert (data["total"], data["currency"], data["recovery_url"]) == ("9.00", "EUR", "https://our.example/recover/abc")
    assert data["items"] == [{"name": "Tea <b>green</b>", "product_id": 13, "price": "4.50", "qty": 2}]
    assert there["mautic_woo_recovery_url"] == "https://our.example/recover/abc"
    assert there["mautic_woo_coupon_code"] == "RECOVER-1"
    assert "2 × Tea green" in str(there["mautic_woo_cart_html"])
    assert there["tags"] == {"abandoned_cart"}
    assert sum("contacts" in call.path and call.method != "GET" for call in road.mautic.calls) == 1
    assert [(e.type, e.action, e.object_id, e.status) for e in road.log()] == [
        ("abandoned_cart", "cart_sync", str(cart_id), "success")
    ]
    assert (carts.one(road, cart_id).state, carts.one(road, cart_id).contact_id) == (CartState.SYNCED, 1)


def test_carts_that_were_left_are_found_made_ready_and_sent(make_road: Callable[..., Road]) -> None:
    road = carts.carts_on(make_road, carts__coupon="percent", carts__coupon_use="open")
    carts.leave(road, "anna@shop.example", "otto@shop.example", "uta@shop.example")
    road.arrive(road.order("uta@shop.example", "on-hold"))
    carts.tick(road)
    road.work()
    assert [cart.state for cart in carts.rows(road)] == ["synced", "synced", "bought"]
    assert carts.tagged(road) == {"anna@shop.example", "otto@shop.example"}
    assert len({cart.token_digest for cart in carts.rows(road)}) == 3
    assert [coupon["email_restrictions"] for coupon in carts.coupons(road)] == [[], []]


def test_who_has_bought_meanwhile_is_not_reminded(make_road: Callable[..., Road]) -> None:
    road = carts.switched_on(make_road, orders__statuses="completed")
    cart_id = left(road)
    order = road.order("Anna@shop.example", "on-hold")
    road.arrive(order)
    road.work()
    assert carts.one(road, cart_id).state == CartState.BOUGHT
    assert [(e.action, e.status) for e in road.log() if e.type == "abandoned_cart"] == [("skip", "success")]
    assert not any(
        "abandoned_cart" in road.mautic.state.tag_names(each) for each in road.mautic.state.contacts.values()
    )


def test_an_order_of_last_year_is_no_purchase_of_the_cart(make_road: Callable[..., Road]) -> None:
    road = carts.switched_on(make_road, orders__enabled=False)
    order = road.order("anna@shop.example", "completed")
    with road.services.db.write() as session:
        old = {**order, "date_created_gmt": "2025-11-28T10:00:00"}
        records.note(session, NOON, road.connector_id, records.readable([old]), "poll")  # type: ignore[arg-type]
    road.store.shop.delete_force(order["id"])
    cart_id = left(road)
    road.work()
    assert carts.one(road, cart_id).state == CartState.SYNCED


def test_a_cart_that_was_bought_after_all_is_emptied_in_mautic(make_road: Callable[..., Road]) -> None:
    clock = SetClock(NOON)
    road = carts.switched_on(make_road, clock)
    cart_id = left(road)
    road.work()
    clock.advance(hours=2)
    left(road, event=RECOVERED)
    road.work()
    there = contact(road)
    emptied = ("mautic_woo_cart_data", "mautic_woo_recovery_url", "mautic_woo_coupon_code", "mautic_woo_cart_html")
    assert [there.get(alias) or None for alias in emptied] == [None] * 4
    assert there["tags"] == {"recovered_cart"}
    assert [e.action for e in road.log()] == ["cart_sync", "cart_recovery", "remove_tag"]
    assert carts.story(road) == [
        f"Sent to Mautic, contact {carts.one(road, cart_id).contact_id}.",
        "Mautic knows that the cart was bought.",
    ]


def test_a_segment_is_joined_and_left(make_road: Callable[..., Road]) -> None:
    road = carts.switched_on(make_road, carts__leave_segment=True, carts__segment=1)
    seed(road.mautic.state)
    left(road)
    road.work()
    assert [e.action for e in road.log()] == ["cart_sync", "add_to_segment"]
    assert list(road.contact("anna@shop.example").segments) == [1]
    left(road, event=RECOVERED)
    road.work()
    assert [e.action for e in road.log()][2:] == ["cart_recovery", "remove_tag", "remove_from_segment"]
    assert list(road.contact("anna@shop.example").segments) == []
