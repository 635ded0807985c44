"""Links into the shop: ?add-to-cart= in its forms, and WooCommerce 10's links that bring a cart back."""

from __future__ import annotations

from typing import Any

import pytest
from storefront_pages import Visitor
from storefront_recordings import recording
from storefront_shopper import API, Reply, Shopper, compare

from integration.sandbox.store import StoreServer
from integration.sandbox.store.coupon_defaults import blank_coupon

HELD = (*range(81, 94), *range(112, 125), 135, 136, 137)


@pytest.fixture
def visitor(titled: StoreServer) -> Visitor:
    """Return a visitor without a session of WooCommerce 9.9.5."""
    return Visitor(titled)


@pytest.fixture
def later(titled_ten: StoreServer) -> Visitor:
    """Return a visitor without a session of WooCommerce 10.5.0."""
    return Visitor(titled_ten)


def _coupon(server: StoreServer, code: str, **fields: Any) -> None:
    number = server.state.next_id("post")
    whole = {"discount_type": "percent", "amount": "10.00", **fields}
    server.state.coupons[number] = blank_coupon(number, code, server.state.now()) | whole


def _cart(visitor: Shopper) -> dict[str, Any]:
    read: dict[str, Any] = visitor.send("GET", f"{API}/cart", headers={"Cookie": visitor.cookie}).json
    return read


def _lines(visitor: Shopper) -> list[tuple[int, int]]:
    return [(item["id"], item["quantity"]) for item in _cart(visitor)["items"]]


def _followed(visitor: Visitor, reply: Reply) -> str:
    """Return the page a redirect leads to."""
    path = reply.header("Location").removeprefix(visitor.server.url)
    return visitor.send("GET", path, headers={"Cookie": visitor.cookie}).text


def test_a_checkout_link_is_not_known_before_ten(visitor: Visitor) -> None:
    visitor.hold(81)
    visitor.hold(137, token="x.y.z")


@pytest.mark.parametrize(
    ("number", "lines"),
    [
        (82, [(13, 2)]),
        (83, [(13, 2)]),
        (84, []),
        (85, [(49, 1)]),
        (86, []),
        (87, [(51, 1)]),
        (88, [(49, 2)]),
        (89, []),
        (92, [(13, 2), (49, 1), (14, 1)]),
    ],
)
def test_add_to_cart_does_what_it_did(number: int, lines: list[tuple[int, int]], visitor: Visitor) -> None:
    visitor.hold(number)

    assert _lines(visitor) == lines


def test_add_to_cart_adds_to_what_is_there_and_knows_no_coupon(visitor: Visitor) -> None:
    _coupon(visitor.server, "BENVENUTO10")
    visitor.hold(90)
    visitor.hold(91)

    assert (_lines(visitor), _cart(visitor)["coupons"]) == ([(13, 2)], [])


def test_a_form_adds_and_applies_a_coupon_without_a_nonce(visitor: Visitor) -> None:
    _coupon(visitor.server, "BENVENUTO10")
    visitor.hold(93)

    assert (_lines(visitor), [each["code"] for each in _cart(visitor)["coupons"]]) == ([(13, 2)], ["BENVENUTO10"])


@pytest.mark.parametrize(
    ("number", "lines", "coupons"),
    [
        (112, [(13, 2), (14, 1)], ["recover-open01"]),
        (113, [(13, 2), (14, 1)], []),
        (114, [(49, 1), (50, 2)], []),
        (115, [], []),
        (116, [(13, 1)], []),
        (117, [], []),
        (118, [], []),
        (119, [(13, 1)], []),
        (120, [(13, 4)], []),
    ],
)
def test_a_checkout_link_fills_the_cart(
    number: int, lines: list[tuple[int, int]], coupons: list[str], later: Visitor
) -> None:
    _coupon(later.server, "recover-open01")
    _coupon(later.server, "recover-anna01", email_restrictions=["anna@example.com"])

    reply = later.hold(number)

    assert (_lines(later), [each["code"] for each in _cart(later)["coupons"]]) == (lines, coupons)
    if not lines:
        assert "is-error" in _followed(later, reply)


def test_a_checkout_link_tells_at_the_checkout_what_is_gone(later: Visitor) -> None:
    reply = later.open(116)

    assert "H9 esaurito" in _followed(later, reply)
    assert "H9 esaurito" not in _followed(later, reply)


def test_a_checkout_link_without_its_slash_is_one_step_longer(later: Visitor) -> None:
    reply = later.send("GET", "/checkout-link?products=13:1")

    assert (reply.status, reply.header("Location")) == (301, f"{later.server.url}/checkout-link/?products=13:1")


def test_a_checkout_link_replaces_the_cart_of_a_known_browser(later: Visitor) -> None:
    _coupon(later.server, "recover-anna01", email_restrictions=["anna@example.com"])
    later.open(112)
    _write(later, "/cart/update-customer", {"billing_address": {"email": "anna@example.com"}})

    later.hold(121)

    assert (_lines(later), [each["code"] for each in _cart(later)["coupons"]]) == ([(13, 2)], ["recover-anna01"])


def _write(visitor: Visitor, path: str, body: Any) -> None:
    _cart(visitor)
    headers = {"Cookie": visitor.cookie, "Nonce": visitor.nonce, "Content-Type": "application/json"}
    assert visitor.send("POST", API + path, body, headers).status < 300


def test_the_address_of_a_checkout_link_works_in_another_browser(later: Visitor) -> None:
    address = later.open(112).header("Location")
    other = Visitor(later.server)

    other.hold(122, token=address.partition("session=")[2])

    assert _lines(other) == [(13, 2), (14, 1)]
    assert other.jar != later.jar


def _session(later: Visitor, code: str, *items: dict[str, Any]) -> str:
    """Return the token of a session that somebody made over the Store API: lines, an e-mail, and a coupon."""
    maker = Shopper(later.server)
    for item in items:
        maker.call("POST", "/cart/add-item", item)
    maker.call("POST", "/cart/update-customer", {"billing_address": {"email": "anna@example.com"}})
    assert maker.call("POST", "/cart/apply-coupon", {"code": code}).status == 200
    return maker.token


def test_any_cart_token_brings_its_cart_and_not_its_customer(later: Visitor) -> None:
    _coupon(later.server, "recover-open01")
    free = {"id": 51, "quantity": 1, "variation": [{"attribute": "Colore", "value": "blu"}]}
    token = _session(later, "RECOVER-OPEN01", {"id": 16, "quantity": 3}, free)

    later.hold(123, token=token)
    reply = later.send("GET", f"{API}/cart", headers={"Cookie": later.cookie})

    compare(later.server, recording(124), reply)


def test_a_bound_coupon_is_lost_on_the_way(later: Visitor) -> None:
    _coupon(later.server, "recover-anna01", email_restrictions=["anna@example.com"])
    token = _session(later, "RECOVER-ANNA01", {"id": 16, "quantity": 3})

    later.hold(135, token=token)
    reply = later.send("GET", f"{API}/cart", headers={"Cookie": later.cookie})

    compare(later.server, recording(136), reply)


def test_a_forged_session_argument_changes_nothing(later: Visitor) -> None:
    _coupon(later.server, "recover-open01")
    token = _session(later, "recover-open01", {"id": 16, "quantity": 1})

    reply = later.open(122, token=token[:-4] + "AAAA")

    assert (reply.status, reply.header("Location")) == (302, f"{later.server.url}/cart/")
