"""What stands between the Store API and who asks it, and what a stand-in keeps when it is started again."""

from __future__ import annotations

from pathlib import Path

import pytest
from storefront_shop import build
from storefront_shopper import API, Shopper

from integration.sandbox.store import StoreServer, demo_catalogue


def test_a_firewall_blocks_the_store_api_and_nothing_else(shop: StoreServer, shopper: Shopper) -> None:
    shop.storefront.firewall = True

    assert shopper.send("GET", f"{API}/cart").status == 403
    assert shopper.send("GET", f"{API}/products").status == 403
    assert shopper.send("GET", "/wp-json/").status == 200


def test_the_shop_s_own_limit_answers_400_and_says_how_long(shop: StoreServer, shopper: Shopper) -> None:
    shop.storefront.rate_limit = 2
    assert [shopper.send("GET", f"{API}/cart").status for _ in range(2)] == [200, 200]

    refused = shopper.send("GET", f"{API}/cart")

    assert (refused.status, refused.json["code"]) == (400, "rate_limit_exceeded")
    assert refused.header("RateLimit-Retry-After") == "10"
    shop.state.clock.advance(seconds=10)  # type: ignore[attr-defined]
    assert shopper.send("GET", f"{API}/cart").status == 200


def test_carts_outlive_the_server_but_not_two_days(tmp_path: Path, shopper: Shopper) -> None:
    kept = tmp_path / "store.json"
    with StoreServer(save_to=kept, clock=shopper.server.state.clock) as server:
        build(server.state)
        first = Shopper(server)
        first.call("POST", "/cart/add-item", {"id": 51, "variation": [{"attribute": "Colore", "value": "blu"}]})
        number = first.call("GET", "/checkout").json["order_id"]
    with StoreServer(server.port, kept, clock=shopper.server.state.clock) as again:
        second = Shopper(again, token=first.token)
        cart = second.call("GET", "/cart").json
        assert [each["id"] for each in cart["items"]] == [51]
        assert second.call("GET", "/checkout").json["order_id"] == number
        again.state.clock.advance(hours=49)  # type: ignore[attr-defined]
        assert second.call("GET", "/cart").json["items"] == []


@pytest.mark.parametrize(
    ("path", "body", "code"),
    [
        ("/cart/add-item", {}, "rest_missing_callback_param"),
        ("/cart/add-item", {"id": "many"}, "rest_invalid_param"),
        ("/cart/add-item", {"id": 13, "quantity": -1}, "rest_invalid_param"),
        ("/cart/add-item", {"id": 2217}, "woocommerce_rest_cart_invalid_product"),
        ("/cart/update-customer", {"billing_address": "Rome"}, "rest_invalid_param"),
        ("/cart/apply-coupon", {"code": "NOPE"}, "woocommerce_rest_cart_coupon_error"),
        ("/cart/remove-coupon", {"code": "NOPE"}, "woocommerce_rest_cart_coupon_invalid_code"),
        ("/checkout", {"billing_address": {"email": "anna@example.com"}}, "woocommerce_rest_cart_empty"),
        ("/batch", {"requests": "all"}, "rest_invalid_param"),
        ("/batch", {"requests": [{}] * 26}, "rest_invalid_param"),
    ],
)
def test_nonsense_is_refused_with_a_code(shopper: Shopper, path: str, body: object, code: str) -> None:
    reply = shopper.call("POST", path, body)

    assert (reply.status, reply.json["code"]) == (400, code)


def test_the_demo_shop_sells_variations_by_name_and_by_link() -> None:
    with StoreServer() as server:
        demo_catalogue.stock(server.state)
        parent = next(each for each in server.state.products.values() if each["type"] == "variable")
        named = [{"attribute": "Colore", "value": "Verde-è"}, {"attribute": "Taglia", "value": "L"}]
        linked = [{"attribute": "pa_colore", "value": "verde-e"}, {"attribute": "attribute_pa_taglia", "value": "l"}]
        carts = [
            Shopper(server).call("POST", "/cart/add-item", {"id": parent["id"], "variation": each}).json["items"]
            for each in (named, linked)
        ]
        shown = [(each["attribute"], each["value"]) for each in carts[0][0]["variation"]]
        assert shown == [("Colore", "Verde-è"), ("Taglia", "L")]
        assert carts[0][0]["key"] == carts[1][0]["key"]
        assert carts[0][0]["id"] == parent["variations"][-1]
