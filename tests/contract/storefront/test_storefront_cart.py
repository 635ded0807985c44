"""Sessions, nonces, tokens and carts of the Store API, held against the recordings."""

from __future__ import annotations

from storefront_shopper import API, Shopper

from integration.sandbox.store import StoreServer

HELD = (*range(1, 31), *range(74, 79), 80)


def test_a_cart_starts_with_a_nonce_and_lives_on_by_cookie(shopper: Shopper) -> None:
    shopper.follow(1)
    shopper.follow(2)
    shopper.follow(3, Nonce="0123456789")
    shopper.follow(4, **{"Cart-Token": shopper.token[:-4] + "AAAA"})
    shopper.follow(5)
    shopper.follow(6)


def test_a_cart_by_token_takes_what_the_recorded_one_took(shop: StoreServer, shopper: Shopper) -> None:
    shopper.replay(1)
    for number in range(7, 13):
        shopper.follow(number)
    shopper.call("POST", "/cart/add-item", {"id": 2193})
    for number in range(13, 20):
        shopper.follow(number)
    shopper.call("POST", "/cart/add-item", {"id": 13})
    shopper.call("POST", "/cart/add-item", {"id": 2194})
    del shop.state.products[13]
    shop.state.products[2193]["price"] = shop.state.products[2193]["regular_price"] = "19.99"
    shop.state.products[2194]["stock_quantity"] = 0
    shopper.follow(20)


def test_products_are_public(shopper: Shopper) -> None:
    for number in (21, 22, 23, 78):
        shopper.follow(number)


def test_the_customer_is_noted_as_wordpress_cleans_it(shopper: Shopper) -> None:
    shopper.call("POST", "/cart/add-item", {"id": 13})
    for number in range(24, 31):
        shopper.follow(number)


def test_who_may_read_an_answer_from_elsewhere(shop: StoreServer, shopper: Shopper) -> None:
    _with_email(shopper)
    for number in (74, 75, 76, 77):
        shopper.follow(number)
    shopper.follow(80)
    assert shopper.send("GET", f"{API}/cart", headers={"Cookie": shopper.cookie}).json["items_count"] == 2


def _with_email(shopper: Shopper) -> None:
    """Give a shopper with cookies one piece and an e-mail, as the recorded one had."""
    shopper.replay(1)
    headers = {"Nonce": shopper.nonce, "Content-Type": "application/json"}
    shopper.send("POST", f"{API}/cart/add-item", {"id": 13}, headers)
    headers["Cookie"] = shopper.cookie
    email = {"billing_address": {"email": "anna@example.com"}}
    shopper.send("POST", f"{API}/cart/update-customer", email, headers)
