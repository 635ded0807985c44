"""Where the link leads in which shop, and what comes next when a way fails."""

from __future__ import annotations

import time
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from integration.http.transport import Exchange
from integration.models import CartEvent
from integration.pipeline.connectors import holds
from integration.pipeline.services import Services
from integration.sandbox.store import StoreServer
from tests.conftest import NOON
from tests.web.conftest import SHOP, Person
from tests.web.recovery.conftest import FREE, ITEM, UTM, Make, click, led, simple


@pytest.mark.parametrize(
    ("version", "items", "place", "more"),
    [
        ("9.9.5", [ITEM], "/checkout/", {"add-to-cart": ["13"], "quantity": ["2"]}),
        (
            "9.9.5",
            [FREE],
            "/checkout/",
            {
                "add-to-cart": ["51"],
                "quantity": ["1"],
                "attribute_colore": ["blu"],
                "attribute_pa_colore": ["blu"],
            },
        ),
        ("9.9.5", [ITEM, FREE], "/cart/", {"add-to-cart": ["13"], "quantity": ["2"]}),
        ("", [ITEM], "/checkout/", {"add-to-cart": ["13"], "quantity": ["2"]}),
        ("9.9.5", None, "/shop/", {}),
        ("10.5.0", [], "/shop/", {}),
    ],
)
def test_without_our_script_an_older_shop_gets_an_address_that_adds(
    visitor: Person, make: Make, version: str, items: Any, place: str, more: dict[str, list[str]]
) -> None:
    assert led(click(visitor, make(version, items=items))) == (f"{SHOP}{place}", UTM | more, "")


@pytest.mark.parametrize("source", ["script", "order"])
def test_a_shop_with_a_checkout_of_its_own_name_is_led_there(visitor: Person, make: Make, source: str) -> None:
    path = make(source=source, items=[ITEM], page="/it/cassa/")
    assert led(click(visitor, path))[0] == f"{SHOP}/it/cassa/"


def test_a_script_that_is_switched_off_brings_nothing_back(visitor: Person, make: Make) -> None:
    path = make(source="script", settings={"carts.enabled": False})
    assert led(click(visitor, path)) == (f"{SHOP}/checkout/", UTM | {"add-to-cart": ["13"], "quantity": ["2"]}, "")


def test_a_newer_shop_gets_a_cart_that_we_have_filled(visitor: Person, make: Make, store: StoreServer) -> None:
    items = [{"id": simple(store), "qty": 2.0, "variation": []}, {"id": 999_999, "qty": 1.0, "variation": []}]
    place, query, _ = led(click(visitor, make("10.5.0", store.url, items=items)))
    assert place == f"{store.url}/checkout/"
    assert query.pop("session")
    assert query == UTM
    [held] = [session for session in store.state.sessions.values() if session.items]
    assert [(item.product_id, item.quantity) for item in held.items.values()] == [(simple(store), 2)]


def test_a_newer_shop_that_has_nothing_left_of_it_shows_its_shop(
    visitor: Person, make: Make, store: StoreServer
) -> None:
    path = make("10.5.0", store.url, items=[{"id": 999_999, "qty": 1.0, "variation": []}])
    assert led(click(visitor, path))[0] == f"{store.url}/shop/"


def test_a_shopper_does_not_wait_for_a_shop_that_hangs_and_gets_the_next_way(
    visitor: Person, make: Make, store: StoreServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An address that the shop itself acts on needs no call of ours."""
    monkeypatch.setattr("integration.carts.destinations.STORE_WITHIN_S", 0.5)
    store.faults.delay(5)
    path = make("10.5.0", store.url, order_id=70, items=[ITEM, FREE, ITEM])
    began = time.monotonic()
    place, query, _ = led(click(visitor, path))
    assert time.monotonic() - began < 4.5
    assert (place, query) == (f"{store.url}/checkout-link/", UTM | {"products": ["13:4,51:1"]})


@pytest.mark.parametrize(
    ("values", "place", "more"),
    [
        ({"coupon_code": "OPEN1"}, "/checkout-link/", {"products": ["13:2"], "coupon": ["OPEN1"]}),
        ({"coupon_code": "OPEN1", "coupon_until": NOON - timedelta(days=1)}, "/checkout-link/", {"products": ["13:2"]}),
        ({"items": [ITEM | {"qty": 0.5}]}, "/checkout/", {"add-to-cart": ["13"], "quantity": ["0.5"]}),
        (
            {"items": [FREE]},
            "/checkout/",
            {"add-to-cart": ["51"], "quantity": ["1"]} | {f"attribute_{n}": ["blu"] for n in ("colore", "pa_colore")},
        ),
    ],
    ids=["open coupon", "coupon that is over", "part of a piece", "chosen attribute"],
)
def test_a_newer_shop_that_is_down_is_left_the_address_that_brings_most_back(
    visitor: Person, make: Make, values: dict[str, Any], place: str, more: dict[str, list[str]]
) -> None:
    path = make("10.5.0", "http://127.0.0.1:9", {"carts.coupon_use": "open"}, **values)
    assert led(click(visitor, path)) == (f"http://127.0.0.1:9{place}", UTM | more, "")


@pytest.mark.parametrize("status", [503, 403, 401, 429, 200])
def test_a_shop_whose_storefront_api_is_shut_gets_the_next_way(
    visitor: Person, make: Make, store: StoreServer, status: int
) -> None:
    """The first call of a cart does not say that its items are gone, whatever it is answered."""
    store.faults.status(status, path=".*/wc/store/")
    path = make("10.5.0", store.url, items=[{"id": simple(store), "qty": 1.0, "variation": []}])
    assert led(click(visitor, path))[0] == f"{store.url}/checkout-link/"


def test_a_cart_of_which_an_item_could_not_be_tried_is_not_handed_over_half(
    visitor: Person, make: Make, store: StoreServer, services: Services
) -> None:
    def break_after_the_first_item(exchange: Exchange) -> None:
        if exchange.url.endswith("add-item"):
            store.faults.status(500, path=".*/cart/add-item")

    both = [{"id": number, "qty": 1.0, "variation": []} for number in (simple(store), simple(store))]
    path = make("10.5.0", store.url, items=both)
    services.observers = lambda connector: break_after_the_first_item
    assert led(click(visitor, path))[0] == f"{store.url}/checkout-link/"
    assert [len(held.items) for held in store.state.sessions.values() if held.items] == [1]


def test_why_a_link_led_to_the_next_best_page_stands_in_the_carts_story_once(
    visitor: Person, make: Make, store: StoreServer, services: Services
) -> None:
    store.faults.status(503, path=".*/wc/store/")
    path = make("10.5.0", store.url, items=[{"id": simple(store), "qty": 1.0, "variation": []}])
    click(visitor, path)
    click(visitor, path)
    with services.db.read() as session:
        [told, opened] = session.scalars(select(CartEvent.text)).all()
    assert told.startswith("The link led to the next best page, for the store did not help: ")
    assert "503" in told
    assert opened == "The link was opened."


def test_clicks_that_fail_count_and_the_next_ones_do_not_call(
    visitor: Person, make: Make, services: Services, connector_id: int
) -> None:
    path = make("10.5.0", "http://127.0.0.1:9", order_id=70)
    calls: list[str] = []
    services.observers = lambda connector: lambda exchange: calls.append(exchange.url)
    for _ in range(3):
        assert led(click(visitor, path))[0] == "http://127.0.0.1:9/checkout-link/"
    with services.db.read() as session:
        hold = holds.current(session, connector_id, "store")
    assert hold is not None and hold.code == "refused"
    # Order and cart, then the order of the second click: it opened the breaker, and nothing is asked from then on.
    assert len(calls) == 3


@pytest.mark.parametrize("source", ["script", "order"])
@pytest.mark.parametrize("script", [True, False])
def test_a_shop_on_https_gets_no_script_from_a_site_on_http(
    visitor: Person, make: Make, services: Services, source: str, script: bool
) -> None:
    """Browsers block it, so that nothing would be in the cart; on the reader's own machine they do not."""
    host = "127.0.0.1" if script else "our.example"
    services.deployment = services.deployment.model_copy(update={"public_url": f"http://{host}"})
    _, query, fragment = led(click(visitor, make(source=source)))
    has_script = script and source == "script"
    assert bool(fragment) is has_script
    assert ("add-to-cart" in query) is not has_script


def test_a_mail_scanner_makes_no_cart_in_the_shop(visitor: Person, make: Make, store: StoreServer) -> None:
    path = make("10.5.0", store.url, items=[{"id": simple(store), "qty": 1.0, "variation": []}])
    assert led(click(visitor, path, "HEAD"))[0] == f"{store.url}/shop/"
    assert store.state.sessions == {}
