"""What was measured beside the recorded exchanges: when a draft moves, how discounts are shared, https, zones."""

from __future__ import annotations

import ssl
from decimal import Decimal

import pytest
import trustme
from storefront_keys import Keys
from storefront_shop import build
from storefront_shopper import Shopper

from integration.clock import SetClock
from integration.sandbox.store import StoreServer, emails
from integration.sandbox.store.sessions_kept import Item, Session
from integration.sandbox.store.shipping_zones import FLAT, Method, Zone
from integration.sandbox.store.storefront import sessions
from integration.sandbox.store.storefront.totals import totals


def test_a_draft_moves_with_every_write_and_reload_but_not_by_reading_the_cart(
    shop: StoreServer, keys: Keys, shopper: Shopper
) -> None:
    clock = shop.state.clock
    assert isinstance(clock, SetClock)
    shopper.call("POST", "/cart/add-item", {"id": 13})
    number = shopper.call("GET", "/checkout").json["order_id"]

    def moves(method: str, path: str, body: object = None) -> bool:
        clock.advance(seconds=5)
        before = keys.ask("GET", f"/wp-json/wc/v3/orders/{number}").json["date_modified_gmt"]
        shopper.call(method, path, body)
        return bool(keys.ask("GET", f"/wp-json/wc/v3/orders/{number}").json["date_modified_gmt"] != before)

    same = {"billing_address": {"email": "anna@example.com"}}
    assert not moves("GET", "/cart")
    assert moves("POST", "/cart/update-customer", same)
    assert moves("POST", "/cart/update-customer", same)
    assert moves("GET", "/checkout")
    assert shopper.call("GET", "/checkout").json["order_id"] == number


def test_a_new_checkout_after_buying_is_another_draft(shopper: Shopper) -> None:
    anna = {"billing_address": {"email": "anna@example.com"}, "payment_method": "cod"}
    numbers = []
    for _ in range(2):
        shopper.call("POST", "/cart/add-item", {"id": 13})
        numbers.append(shopper.call("GET", "/checkout").json["order_id"])
        assert shopper.call("POST", "/checkout", anna).json["order_id"] == numbers[-1]
    assert numbers[0] != numbers[1]


def test_buying_takes_the_stock_and_the_last_piece_is_sold_once(shop: StoreServer, shopper: Shopper) -> None:
    other = Shopper(shop)
    anna = {"billing_address": {"email": "anna@example.com"}, "payment_method": "cod"}
    for each in (shopper, other):
        assert each.call("POST", "/cart/add-item", {"id": 2191, "quantity": 2}).status == 201
    assert shopper.call("POST", "/checkout", anna).status == 200
    assert shop.state.products[2191]["stock_quantity"] == 0
    refused = other.call("POST", "/checkout", anna)
    assert (refused.status, refused.json["code"]) == (409, "woocommerce_rest_product_out_of_stock")


@pytest.mark.parametrize(
    ("kind", "amount", "off"),
    [("percent", "10", "12.60"), ("percent", "100", "126.00"), ("fixed_cart", "10", "10.00")]
    + [("fixed_cart", "500", "126.00"), ("fixed_product", "5", "20.00"), ("percent", "0", "0.00")],
)
def test_a_discount_is_shared_by_the_lines_to_the_cent(shop: StoreServer, kind: str, amount: str, off: str) -> None:
    state = shop.state
    session = Session(sessions.new_key(), coupons=["c"])
    for number, price, quantity in ((13, "33.33", 1), (14, "33.34", 1), (16, "29.665", 2)):
        state.products[number]["price"] = price
        session.items[str(number)] = Item(number, 0, quantity)
    Keys(shop).ask("POST", "/wp-json/wc/v3/coupons", {"code": "c", "discount_type": kind, "amount": amount})

    made = totals(state, session)

    assert made.discount == Decimal(off)
    assert all(0 <= line.total <= line.subtotal for line in made.lines)


def test_the_zone_of_the_country_ships(shop: StoreServer, shopper: Shopper) -> None:
    shop.state.zones[1] = Zone(1, "Deutschland", ["DE"], [Method(7, FLAT, {"title": "DHL", "cost": "9.90"})])
    shopper.call("POST", "/cart/add-item", {"id": 13})
    home = shopper.call("GET", "/cart").json
    abroad = shopper.call("POST", "/cart/update-customer", {"shipping_address": {"country": "DE", "state": ""}}).json
    assert [each["totals"]["total_shipping"] for each in (home, abroad)] == ["500", "990"]
    assert abroad["totals"]["tax_lines"][0]["name"] == "MwSt."


def test_over_https_the_session_cookie_is_secure_and_links_are_https(authority: trustme.CA) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    with StoreServer(tls=context) as server:
        build(server.state)
        trust = ssl.create_default_context()
        authority.configure_trust(trust)
        visitor = Shopper(server, trust=trust)
        nonce = visitor.send("GET", "/wp-json/wc/store/v1/cart").header("Nonce")
        headers = {"Nonce": nonce, "Content-Type": "application/json"}
        added = visitor.send("POST", "/wp-json/wc/store/v1/cart/add-item", {"id": 13}, headers)
        session = [text for name, text in added.headers if name == "Set-Cookie" and text.startswith("wp_woocommerce")]
        assert "; secure; HttpOnly" in session[0]
        assert added.json["items"][0]["permalink"].startswith(f"https://127.0.0.1:{server.port}/product/")


@pytest.fixture
def authority() -> trustme.CA:
    """Return a certificate authority of our own."""
    return trustme.CA()


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("jürgen@müller.example", "jrgen@mller.example"),
        (" anna@example.com ", "anna@example.com"),
        ("a@b.c", ""),
        ("@example.com", ""),
        ("anna@example", ""),
        ("anna@-example-.com.", "anna@example.com"),
        ("anna@exa..mple.com", "anna@example.com"),
        ("two@at@example.com", "two@atexample.com"),
        ("", ""),
    ],
)
def test_an_e_mail_is_cleaned(typed: str, kept: str) -> None:
    assert emails.sanitized(typed) == kept
