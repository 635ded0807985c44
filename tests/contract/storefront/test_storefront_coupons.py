"""Coupons made for one shopper: what is kept of them, who may use them, and what becomes of them, as recorded."""

from __future__ import annotations

from typing import Any

import pytest
from storefront_keys import Keys
from storefront_recordings import recording
from storefront_shopper import Shopper

from integration.sandbox.store import StoreServer

HELD = (*range(31, 52), *range(101, 112))
ANNA = {"billing_address": recording(29).body["billing_address"]} | {
    "shipping_address": recording(29).body["shipping_address"]
}
MADE = {"anna": 31, "bad": 32, "old": 36, "least": 37, "free": 38}


def _make(keys: Keys, shop: StoreServer, *numbers: int) -> None:
    for number in numbers:
        shop.state.counters["post"] = recording(number).body["id"] - 1
        keys.follow(number)


def _coupon(keys: Keys, code: str, **fields: Any) -> int:
    made = keys.ask(
        "POST", "/wp-json/wc/v3/coupons", {"code": code, "discount_type": "percent", "amount": "10"} | fields
    )
    return int(made.json["id"])


def _with_coffee(shopper: Shopper, quantity: int = 2, email: str = "") -> None:
    shopper.call("POST", "/cart/add-item", {"id": 13, "quantity": quantity})
    if email:
        shopper.call("POST", "/cart/update-customer", {"billing_address": {"email": email}})


def test_e_mails_and_dates_are_kept_as_wordpress_cleans_them(keys: Keys, shop: StoreServer) -> None:
    _make(keys, shop, *range(31, 40))


def test_ten_keeps_codes_in_lower_case(shop_ten: StoreServer) -> None:
    _make(Keys(shop_ten), shop_ten, 110, 111)


def test_a_bound_coupon_wants_its_e_mail(keys: Keys, shop: StoreServer, shopper: Shopper) -> None:
    _make(keys, shop, *MADE.values())
    _coupon(keys, "BENVENUTO10")
    _with_coffee(shopper)
    shopper.follow(40)
    shopper.call("POST", "/cart/update-customer", {"billing_address": {"email": "other@example.com"}})
    shopper.follow(41)
    shopper.call("POST", "/cart/update-customer", {"billing_address": {"email": "ANNA@EXAMPLE.COM"}})
    for number in range(42, 49):
        shopper.follow(number)


def test_a_wildcard_binds_to_a_domain(keys: Keys, shop: StoreServer, shopper: Shopper) -> None:
    _make(keys, shop, 35)
    _with_coffee(shopper, email="somebody@example.org")
    assert shopper.call("POST", "/cart/apply-coupon", {"code": "recover-star01"}).status == 400
    shopper.call("POST", "/cart/update-customer", {"billing_address": {"email": "Any.Body@Example.com"}})
    assert shopper.call("POST", "/cart/apply-coupon", {"code": "recover-star01"}).status == 200


def test_free_shipping_needs_a_method_that_asks_for_a_coupon(keys: Keys, shop: StoreServer, shopper: Shopper) -> None:
    _make(keys, shop, MADE["free"])
    _with_coffee(shopper)
    shopper.call("POST", "/cart/update-customer", ANNA)
    shopper.follow(49)
    methods = "/wp-json/wc/v3/shipping/zones/0/methods"
    assert [each["method_id"] for each in keys.ask("GET", methods).json] == ["flat_rate"]
    keys.follow(50)
    shown = keys.ask("GET", methods).json
    assert [each["settings"].get("requires", {}).get("value") for each in shown] == [None, "coupon"]
    assert [zone["id"] for zone in keys.ask("GET", "/wp-json/wc/v3/shipping/zones").json] == [0]
    shopper.follow(51)


def test_a_coupon_goes_with_the_e_mail_it_is_bound_to(keys: Keys, shop: StoreServer, shopper: Shopper) -> None:
    _make(keys, shop, MADE["anna"])
    _with_coffee(shopper)
    shopper.call("POST", "/cart/update-customer", ANNA)
    shopper.call("POST", "/cart/apply-coupon", {"code": "RECOVER-ANNA01"})
    shopper.follow(101)
    shopper.call("POST", "/cart/update-customer", ANNA)
    shopper.call("POST", "/cart/apply-coupon", {"code": "RECOVER-ANNA01"})
    shopper.follow(102)


def test_a_coupon_is_used_once(keys: Keys, shop: StoreServer, shopper: Shopper) -> None:
    _make(keys, shop, MADE["anna"])
    _with_coffee(shopper)
    shopper.call("POST", "/cart/update-customer", ANNA)
    shopper.call("POST", "/cart/apply-coupon", {"code": "RECOVER-ANNA01"})
    shop.state.counters["post"] = 2221
    shopper.follow(103)
    keys.follow(104)
    keys.follow(105)
    other = Shopper(shop)
    _with_coffee(other, 1, "anna@example.com")
    other.follow(106)


@pytest.mark.parametrize("method", ["bacs", "cod"])
def test_two_carts_and_one_single_use(keys: Keys, shop: StoreServer, shopper: Shopper, method: str) -> None:
    shop.state.counters["post"] = 2203
    _coupon(keys, "RECOVER-ONE001", usage_limit=1)
    first = Shopper(shop)
    for each in (first, shopper):
        _with_coffee(each, 1)
        each.call("POST", "/cart/apply-coupon", {"code": "RECOVER-ONE001"})
    shopper.call(
        "POST",
        "/cart/update-customer",
        ANNA | {"billing_address": recording(107).body["data"]["cart"]["billing_address"]},
    )
    bought = first.call("POST", "/checkout", ANNA | {"payment_method": method}).json
    shopper.follow(107)

    keys.ask("PUT", f"/wp-json/wc/v3/orders/{bought['order_id']}", {"status": "cancelled"})
    assert keys.ask("GET", "/wp-json/wc/v3/coupons?code=recover-one001").json[0]["usage_count"] == 0
    again = shopper.call("POST", "/cart/apply-coupon", {"code": "RECOVER-ONE001"})
    assert again.status == 200


def test_a_coupon_deleted_meanwhile_goes_from_the_cart(keys: Keys, shop: StoreServer, shopper: Shopper) -> None:
    _make(keys, shop, MADE["bad"])
    _with_coffee(shopper, 1)
    shopper.call("POST", "/cart/apply-coupon", {"code": "RECOVER-BAD001"})
    keys.ask("DELETE", f"/wp-json/wc/v3/coupons/{recording(32).body['id']}?force=true")
    shopper.follow(108)
    assert shopper.call("GET", "/cart").json["errors"] == []


def test_coupons_are_deleted_many_at_once(keys: Keys, shop: StoreServer) -> None:
    shop.state.counters["post"] = 2203
    _coupon(keys, "RECOVER-ONE001", usage_limit=1)
    _make(keys, shop, 39)
    _coupon(keys, "RECOVER-ABS999", discount_type="fixed_cart", amount="100000")
    keys.follow(109)
