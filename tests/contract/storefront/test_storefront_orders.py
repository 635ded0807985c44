"""An order's own pages: the link to pay it, and the thank-you page."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from storefront_keys import Keys
from storefront_pages import Visitor
from storefront_recordings import recording
from storefront_shopper import Shopper

from integration.clock import SetClock
from integration.sandbox.store import StoreServer, documents
from integration.sandbox.store.order_store import Row

HELD = (*range(94, 99), 100, *range(128, 134), 138, 139)


@pytest.fixture
def visitor(titled: StoreServer) -> Visitor:
    """Return a visitor without a session of WooCommerce 9.9.5."""
    return Visitor(titled)


def _key(server: StoreServer, number: int) -> str:
    return str(documents.of_order(server.state, server.state.order(number))["order_key"])


def _wait(server: StoreServer, **time: float) -> None:
    assert isinstance(server.state.clock, SetClock)
    server.state.clock.advance(**time)


def _order(server: StoreServer, number: int, **fields: Any) -> str:
    """Make an order of that number and return its key."""
    server.state.counters["post"] = number - 1
    reply = Keys(server).ask("POST", "/wp-json/wc/v3/orders", {**_fields(), **fields})
    assert reply.status == 201
    return str(reply.json["order_key"])


def _fields() -> dict[str, Any]:
    return {"status": "pending", "billing": {"email": "anna@example.com"}, "line_items": [{"product_id": 13}]}


def _draft(server: StoreServer, number: int) -> str:
    """Let somebody else's checkout make a draft of that number and return its key."""
    server.state.counters["post"] = number - 1
    shopper = Shopper(server)
    shopper.call("POST", "/cart/add-item", {"id": 13, "quantity": 1})
    assert shopper.call("GET", "/checkout").json["order_id"] == number
    return _key(server, number)


def test_a_guest_pays_what_is_pending_or_failed_and_nothing_else(visitor: Visitor, keys: Keys) -> None:
    visitor.server.state.counters["post"] = 2219
    keys.follow(94)
    key = _key(visitor.server, 2220)
    for number, status in ((95, "pending"), (96, "failed"), (97, "processing"), (98, "cancelled")):
        visitor.server.shop.change_status(2220, status)
        visitor.hold(number, key=key)


def test_anybody_can_pay_a_draft_and_makes_an_order_of_it(visitor: Visitor) -> None:
    visitor.hold(100, key=_draft(visitor.server, 2221))
    key = _draft(visitor.server, 2224)
    page = visitor.open(129, key=key, nonce="0123456789").text
    topics: list[str] = []
    visitor.server.state.listeners.append(lambda topic, number: topics.append(topic))

    visitor.hold(129, key=key, nonce=page.partition('name="woocommerce-pay-nonce" value="')[2][:10])

    row = visitor.server.state.order(2224)
    assert (row.status, [each for each in topics if each.startswith("order")]) == (
        "processing",
        ["order.updated", "order.created"],
    )


def test_a_draft_of_ten_can_be_paid_too(titled_ten: StoreServer) -> None:
    Visitor(titled_ten).hold(128, key=_draft(titled_ten, 2209))


@pytest.mark.parametrize(("number", "order"), [(130, 2226), (138, 2211)])
def test_after_ten_minutes_a_guest_types_the_e_mail(
    number: int, order: int, titled: StoreServer, titled_ten: StoreServer
) -> None:
    server = titled if number == 130 else titled_ten
    visitor = Visitor(server)
    key = _order(server, order)
    visitor.open(number, key=key)
    assert 'id="place_order"' in visitor.open(number, key=key).text
    _wait(server, hours=1)

    page = Visitor(server).hold(number, key=key).text

    assert 'id="place_order"' not in page
    assert 'id="place_order"' not in _verified(visitor, page, order, key, "other@example.com")
    assert 'id="place_order"' in _verified(visitor, page, order, key, "Anna@example.com")


def _verified(visitor: Visitor, page: str, order: int, key: str, email: str) -> str:
    nonce = page.partition('name="_wpnonce" value="')[2][:10]
    body = f"email={email.replace('@', '%40')}&verify=1&_wpnonce={nonce}"
    kind = {"Content-Type": "application/x-www-form-urlencoded"}
    path = f"/checkout/order-pay/{order}/?pay_for_order=true&key={key}"
    return visitor.send("POST", path, body, kind).text


def test_the_order_of_an_account_asks_to_log_in(visitor: Visitor) -> None:
    person = visitor.server.shop.register_customer(email="anna@example.com", username="anna")
    key = _order(visitor.server, 2228, customer_id=person["id"])

    visitor.hold(139, key=key)
    visitor.send("GET", f"/my-account/?login={person['id']}")
    page = visitor.send(
        "GET", f"/checkout/order-pay/2228/?pay_for_order=true&key={key}", headers={"Cookie": visitor.cookie}
    )

    assert 'id="place_order"' in page.text


def test_the_thank_you_page_is_for_who_has_the_key(visitor: Visitor) -> None:
    server = visitor.server
    server.state.counters["post"] = 2226
    visitor.send("GET", "/checkout/?add-to-cart=13")
    place = recording(64).request["body"]
    headers = {"Cookie": visitor.cookie, "Content-Type": "application/json", "Nonce": _nonce(visitor)}
    assert visitor.send("POST", "/wp-json/wc/store/v1/checkout", place, headers).json["order_id"] == 2227

    visitor.hold(132, key=_key(server, 2227))
    page = visitor.hold(133).text

    assert "anna@example.com" not in page


def _nonce(visitor: Visitor) -> str:
    return visitor.send("GET", "/wp-json/wc/store/v1/cart", headers={"Cookie": visitor.cookie}).header("Nonce")


def test_after_a_while_the_thank_you_page_asks_for_the_e_mail(visitor: Visitor) -> None:
    key = _order(visitor.server, 2226)
    _wait(visitor.server, hours=1)

    visitor.hold(131, key=key)


def test_a_wrong_key_shows_no_order(visitor: Visitor) -> None:
    _order(visitor.server, 2226)

    page = visitor.open(130, key="wc_order_" + "x" * 13).text

    assert "this order is invalid" in page
    assert "anna@example.com" not in page


def test_ten_minutes_are_the_limit(visitor: Visitor) -> None:
    key = _order(visitor.server, 2226)
    row: Row = visitor.server.state.order(2226)
    row.created -= int(timedelta(minutes=10).total_seconds())
    assert 'id="place_order"' in visitor.open(130, key=key).text
    row.created -= 1
    assert 'id="place_order"' not in Visitor(visitor.server).open(130, key=key).text
