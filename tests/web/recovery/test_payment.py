"""The link of a cart whose order waits for its payment: the pay page, while the store says that it is to be paid."""

from __future__ import annotations

import time
from typing import Any

import pytest
from sqlalchemy import select
from werkzeug.test import TestResponse

from integration.masking import mask_body
from integration.models import Cart, CartEvent
from integration.pipeline.connectors import connectors as pairs
from integration.pipeline.services import Services
from integration.sandbox.store import StoreServer
from tests import cart_rows
from tests.web.conftest import Person
from tests.web.recovery.conftest import UTM, Make, cart, click, led, simple

PAID_OR_OVER = ("processing", "on-hold", "completed", "cancelled")


class Unpaid:
    """A shop with an order of Anna's that was placed and not paid, in which our key works."""

    def __init__(self, store: StoreServer, services: Services, connector_id: int, make: Make) -> None:
        self.store, self._services, self._number, self._make = store, services, connector_id, make
        self.product = simple(store)
        self.order = self.placed()

    def placed(self, email: str = cart_rows.ANNA, status: str = "pending") -> int:
        bought = [{"product_id": self.product, "quantity": 2}]
        row = self.store.shop.place_order(billing={"email": email}, line_items=bought, status=status)
        return int(row["id"])

    def link(self, version: str = "9.9.5", **values: Any) -> str:
        """Return the path of the link of the order's cart."""
        items = [{"id": self.product, "qty": 2.0, "variation": []}]
        path = self._make(version, self.store.url, **({"order_id": self.order, "items": items} | values))
        key = self.store.credentials
        pairs.connect(self._services, self._number, store_key=key.key, store_secret=key.secret)
        return path

    def is_pay_page(self, answer: TestResponse, order: int = 0) -> bool:
        place, query, _ = led(answer)
        paid = place == f"{self.store.url}/checkout/order-pay/{order or self.order}/"
        return paid and query.pop("key")[0].startswith("wc_order_") and query == UTM | {"pay_for_order": ["true"]}


@pytest.fixture
def unpaid(store: StoreServer, services: Services, connector_id: int, make: Make) -> Unpaid:
    return Unpaid(store, services, connector_id, make)


@pytest.mark.parametrize("status", ["pending", "failed"])
@pytest.mark.parametrize("source", ["script", "order"])
@pytest.mark.parametrize("version", ["9.9.5", "10.5.0"])
def test_an_order_that_waits_for_its_payment_is_paid(
    visitor: Person, unpaid: Unpaid, status: str, source: str, version: str
) -> None:
    unpaid.store.shop.change_status(unpaid.order, status)
    assert unpaid.is_pay_page(click(visitor, unpaid.link(version, source=source)))
    assert unpaid.store.state.sessions == {}


@pytest.mark.parametrize("status", [*PAID_OR_OVER, "checkout-draft", "trash", "gone"])
def test_an_order_that_is_not_to_be_paid_any_more_goes_to_the_next_way(
    visitor: Person, unpaid: Unpaid, status: str
) -> None:
    """Paid or cancelled a moment ago, of which nothing is known here yet: the store says it at the click."""
    path = unpaid.link()
    if status == "trash":
        unpaid.store.shop.trash(unpaid.order)
    elif status == "gone":
        del unpaid.store.state.orders.rows[unpaid.order]
    else:
        unpaid.store.shop.change_status(unpaid.order, status)
    place, query, _ = led(click(visitor, path))
    assert (place, query["add-to-cart"]) == (f"{unpaid.store.url}/checkout/", [str(unpaid.product)])


def test_what_is_not_the_carts_own_order_is_not_paid_by_its_link(visitor: Person, unpaid: Unpaid) -> None:
    theirs = unpaid.placed("other@shop.example")
    more = [{"id": unpaid.product, "qty": 3.0, "variation": []}]
    for number, values in enumerate(
        ({"order_id": theirs}, {"source": "script", "items": more}, {"email": "anna@other.example"})
    ):
        path = unpaid.link(**({"key": f"cart{number}"} | values))
        assert "order-pay" not in led(click(visitor, path))[0]


def test_an_address_to_pay_at_elsewhere_is_nobodys(
    visitor: Person, unpaid: Unpaid, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = unpaid.link()
    assert unpaid.is_pay_page(click(visitor, path))
    monkeypatch.setattr("integration.carts.destinations.homes", lambda connector: {("https", "shop.example", 443)})
    assert led(click(visitor, path))[0] == f"{unpaid.store.url}/checkout/"


@pytest.mark.parametrize("headers", [{"User-Agent": ""}, {"Sec-Purpose": "prefetch"}, {"User-Agent": "curl/8"}])
def test_no_program_is_told_the_key_of_an_order(visitor: Person, unpaid: Unpaid, headers: dict[str, str]) -> None:
    answer = click(visitor, unpaid.link(), **headers)
    assert "key=" not in answer.headers["Location"]
    assert "order-pay" not in answer.headers["Location"]


def test_an_order_that_was_placed_by_the_cart_is_paid_and_never_bought_twice(
    visitor: Person, unpaid: Unpaid, services: Services
) -> None:
    path = unpaid.link(order_id=None, bought_order_id=unpaid.order, source="script")
    assert unpaid.is_pay_page(click(visitor, path))
    assert cart(services).opens == 1
    unpaid.store.shop.change_status(unpaid.order, "on-hold")
    assert led(click(visitor, path)) == (f"{unpaid.store.url}/shop/", UTM, "")
    unpaid.store.faults.status(500, path=".*/wc/v3/")
    assert led(click(visitor, path)) == (f"{unpaid.store.url}/shop/", UTM, "")
    assert cart(services).opens == 1


def test_the_key_of_an_order_is_kept_nowhere(
    visitor: Person, unpaid: Unpaid, services: Services, caplog: pytest.LogCaptureFixture
) -> None:
    bodies: list[str] = []
    path = unpaid.link()
    services.observers = lambda connector: lambda exchange: bodies.append(mask_body(exchange.answer_body))
    with caplog.at_level("DEBUG"):
        key = led(click(visitor, path))[1]["key"][0]
    assert len(bodies) == 1
    kept = cart(services)
    columns = [str(getattr(kept, column.key)) for column in Cart.__table__.columns]
    with services.db.read() as session:
        story = session.scalars(select(CartEvent.text)).all()
    assert key not in "".join([*bodies, *columns, *story, caplog.text])


def test_a_store_that_cannot_say_whether_the_order_waits_gets_the_next_way(
    visitor: Person, unpaid: Unpaid, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("integration.carts.destinations.STORE_WITHIN_S", 0.6)
    path = unpaid.link("10.5.0")
    unpaid.store.faults.delay(5, path=".*/wc/v3/")
    began = time.monotonic()
    place, query, _ = led(click(visitor, path))
    assert time.monotonic() - began < 4.5
    assert place == f"{unpaid.store.url}/checkout/"
    assert query["session"]
