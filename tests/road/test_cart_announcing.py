"""Left carts on their way: found in time, priced by the shop, in few calls, and not too late."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import update

from integration.carts import announcement, announcing, detection
from integration.digests import digest
from integration.engines.worker import Worker
from integration.models import Cart, CartState, Connector
from integration.pipeline.connectors import connectors
from integration.sandbox.mautic.seed import seed
from tests.road.carts import Ahead, MakeRoad, asked, carts_on, coupons, leave, only, product, rows, tagged, tick

#: One kind of database is enough here; tests/road/test_carts.py and tests/carts use both.
pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


def test_a_cart_arrives_within_a_minute_with_prices_link_and_coupon(make_road: MakeRoad) -> None:
    clock = Ahead()
    road = carts_on(make_road, clock, carts__coupon="percent")
    leave(road, minutes=0)
    clock.advance(seconds=55)
    tick(road)
    assert only(road).state == CartState.ACTIVE
    clock.advance(seconds=5 + detection.EVERY_S)
    tick(road)
    road.work()
    cart, (coupon,) = only(road), coupons(road)
    (contact,) = road.mautic.state.contacts.values()
    data = json.loads(str(contact.values["mautic_woo_cart_data"]))
    assert [(item["name"], item["price"], item["qty"]) for item in data["items"]] == [
        ("Hōjicha", "14.00", 2),
        ("Maglietta - Rosso, S", "19.90", 1),
    ]
    assert (data["total"], data["currency"], cart.total) == ("47.90", "EUR", "47.90")
    token = str(contact.values["mautic_woo_recovery_url"]).rpartition("/recover/")[2]
    assert (digest(token), len(token)) == (cart.token_digest, 32)
    assert (contact.values["mautic_woo_coupon_code"], coupon["email_restrictions"]) == (cart.coupon_code, [cart.email])
    assert (coupon["id"], coupon["usage_limit"], coupon["code"]) == (cart.coupon_id, 1, cart.coupon_code)
    assert (cart.state, tagged(road)) == (CartState.SYNCED, {cart.email})
    assert cart.abandoned_at is not None
    assert cart.abandoned_at - cart.changed_at < timedelta(minutes=2)
    assert [(entry.action, entry.status) for entry in road.log()] == [
        ("create_coupon", "success"),
        ("cart_sync", "success"),
    ]
    assert sum("contacts" in call.path and call.method != "GET" for call in road.mautic.calls) == 1


def test_two_hundred_carts_cost_the_shop_and_mautic_a_few_calls(make_road: MakeRoad) -> None:
    """A thousand carts are to cost Mautic at most twenty calls, with tag, fields and segment."""
    road = carts_on(make_road, carts__coupon="percent", carts__segment=1)
    seed(road.mautic.state)
    worker = Worker(road.services)
    leave(road, *(f"first{number}@shop.example" for number in range(100)))
    tick(road)
    worker.until_idle()
    leave(road, *(f"shopper{number}@shop.example" for number in range(200)))
    road.store.calls.reset()
    road.mautic.calls.reset()
    tick(road)
    products, made = "GET /wp-json/wc/store/v1/products", "POST /wp-json/wc/v3/coupons/batch"
    assert asked(road, "/products", "/coupons") == [products, products, made] * 2
    worker.until_idle()
    worker.stop()
    assert (len(tagged(road)), len(coupons(road))) == (300, 300)
    assert len(road.mautic.calls) <= 4
    assert len(asked(road, "/orders")) <= 2


def test_nothing_is_announced_before_the_first_import_is_done_or_while_paused(make_road: MakeRoad) -> None:
    road = carts_on(make_road)
    leave(road)
    for values in ({"initial_done_at": None}, {"initial_done_at": road.services.clock.now(), "state": "paused"}):
        with road.services.db.write() as session:
            session.execute(update(Connector).values(**values))
        tick(road)
        assert only(road).state == CartState.ACTIVE


@pytest.mark.parametrize(
    ("minutes", "values", "settings", "state", "reason"),
    [
        (2 + 24 * 60 + 10, {}, {}, "expired", "before_start"),
        (2, {"items": []}, {}, "expired", "empty"),
        (2, {}, {"carts.silent": False}, "no_consent", "consent"),
        (2, {"email": ""}, {}, "active", ""),
        (2, {"items": [{"id": 9999, "qty": 1}]}, {}, "expired", "products_gone"),
    ],
)
def test_who_is_not_reminded(
    make_road: MakeRoad, minutes: int, values: dict[str, Any], settings: dict[str, Any], state: str, reason: str
) -> None:
    road = carts_on(make_road)
    leave(road, minutes=minutes, **values)
    connectors.configure(road.services, road.connector_id, settings)
    tick(road)
    cart = only(road)
    assert (cart.state, cart.reason, cart.email == "") == (state, reason, state == "no_consent" or "email" in values)
    assert road.deliveries() == []


def test_what_nobody_looked_at_for_a_day_comes_too_late(make_road: MakeRoad) -> None:
    clock = Ahead()
    road = carts_on(make_road, clock)
    leave(road)
    clock.advance(days=1, minutes=5)
    tick(road)
    assert (only(road).state, only(road).reason) == (CartState.EXPIRED, "too_late")


def test_who_has_ordered_since_is_not_reminded_whatever_the_order_waits_for(make_road: MakeRoad) -> None:
    road = carts_on(make_road)
    leave(road, "anna@shop.example", "otto@shop.example", "uta@shop.example")
    road.arrive(road.order("Anna@shop.example", "on-hold"), road.order("otto@shop.example", "failed"))
    with road.services.db.write() as session:
        own = road.order("someone.else@shop.example", "processing")
        session.execute(update(Cart).where(Cart.email.like("uta%")).values(order_id=own["id"]))
    road.arrive(own)
    tick(road)
    assert [(cart.email[:4], cart.state) for cart in rows(road)] == [
        ("anna", "bought"),
        ("otto", "abandoned"),
        ("uta@", "bought"),
    ]


def test_names_with_markup_and_what_is_sold_out_or_deleted(make_road: MakeRoad) -> None:
    road = carts_on(make_road)
    tea, cheese = product(road), product(road, "Gorgonzola dolce")
    leave(road, items=[{"id": tea["id"], "qty": 1}, {"id": cheese["id"], "qty": 1}])
    tea |= {"name": "Tea <script>alert(1)</script> & “more”", "stock_status": "outofstock", "manage_stock": False}
    del road.store.state.products[cheese["id"]]
    tick(road)
    cart = only(road)
    assert (cart.lines or [])[0]["name"] == "Tea <script>alert(1)</script> & “more”"
    assert "Sold out: “Tea" in cart.problem
    assert f"product {cheese['id']}" in cart.problem
    road.work()
    (contact,) = road.mautic.state.contacts.values()
    assert "<script" not in str(contact.values["mautic_woo_cart_html"])


def test_a_shop_that_has_shut_the_store_api_is_asked_by_key(make_road: MakeRoad) -> None:
    road = carts_on(make_road)
    road.store.storefront.firewall = True
    leave(road)
    tick(road)
    assert [line["total"] for line in only(road).lines or []] == ["28.00", "19.90"]
    assert [line["name"] for line in only(road).lines or []] == ["Hōjicha", "Maglietta - Rosso, S"]


def test_a_shop_that_is_down_is_asked_ever_less_often_and_after_a_day_nobody_is_reminded(make_road: MakeRoad) -> None:
    clock = Ahead()
    road = carts_on(make_road, clock)
    down = road.store.faults.down(path="/wp-json/wc")
    leave(road)
    tick(road)
    first = only(road)
    assert first.due_at is not None
    assert (first.tries, first.due_at > clock.now(), first.problem != "") == (1, True, True)
    before = len(road.store.calls)
    tick(road)
    assert len(road.store.calls) == before
    clock.advance(hours=20)
    tick(road)
    assert only(road).state == CartState.ABANDONED
    road.store.faults.remove(down)
    clock.advance(hours=5)
    tick(road)
    assert (only(road).state, only(road).reason, road.deliveries()) == (CartState.EXPIRED, "too_late", [])


def test_one_cart_that_breaks_the_making_ready_keeps_no_other_back(
    make_road: MakeRoad, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = Ahead()
    road = carts_on(make_road, clock)
    leave(road, *(f"shopper{number}@shop.example" for number in range(5)))
    with road.services.db.write() as session:
        session.execute(update(Cart).where(Cart.email.like("shopper3%")).values(items=[{"id": 1}]))
    for _ in range(announcing.TRIES_MAX):
        tick(road)
        clock.advance(hours=1)
    assert [(cart.state, cart.prepared_at is not None) for cart in rows(road)] == [
        ("abandoned", True),
        ("abandoned", True),
        ("abandoned", True),
        ("expired", False),
        ("abandoned", True),
    ]


def test_a_cart_that_changed_while_it_was_made_ready_is_not_announced_as_it_was(
    make_road: MakeRoad, monkeypatch: pytest.MonkeyPatch
) -> None:
    road = carts_on(make_road)
    leave(road)
    write = announcement.write

    def late(*given: Any) -> Any:
        leave(road, n=2, minutes=0, items=[{"id": product(road)["id"], "qty": 7}])
        return write(*given)

    monkeypatch.setattr(announcing, "write", late)
    tick(road)
    assert (only(road).state, only(road).prepared_at, road.deliveries()) == (CartState.ACTIVE, None, [])


def test_ten_thousand_carts_at_once_are_found_in_short_transactions(make_road: MakeRoad) -> None:
    road = carts_on(make_road)
    at = road.services.clock.now() - timedelta(minutes=5)
    usual = {"connector_id": road.connector_id, "source": "script", "state": "active", "items": [{"id": 1, "qty": 1}]}
    times = {"created_at": at, "changed_at": at, "seen_at": at, "fingerprint": "f"}
    consent = {"source": "silent", "wording": "", "at": at.isoformat(), "draft_id": None}
    with road.services.db.write() as session:
        new = [
            {**usual, **times, "consent": consent, "key": f"{n}", "email": f"{n}@b.example", "person_key": f"{n}"}
            for n in range(10_000)
        ]
        session.bulk_insert_mappings(Cart, new)  # type: ignore[arg-type]  # a mapper is what a mapped class has
    assert detection.tick(road.services) == 10_000
    assert {cart.state for cart in rows(road)} == {"abandoned"}
