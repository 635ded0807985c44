"""A shop on https, signed by an authority of its own, in Chromium: our side on https works, on http breaks nothing."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Page, expect

from integration.models import Connector
from integration.pipeline.connectors import connectors
from integration.sandbox.authority import Authority
from integration.sandbox.store import StoreServer
from integration.sandbox.store.demo_shop import seed
from tests import cart_rows
from tests.browser.conftest import close_pages, installed
from tests.browser.shops import BLOCK, EMAIL, NAMED, Shop, in_stock, line, shopper
from tests.serving import serving

CA = Authority("Shop CA")


@contextmanager
def on_https(folder: Path, browser: Browser, **served: Any) -> Iterator[Shop]:
    """Yield a WooCommerce 10 on https with our line in its pages; `served` is how our side is reached."""
    services = installed(folder)
    with serving(services, **served), StoreServer(tls=CA.context()) as store:
        store.state.version, store.storefront.fields_after = "10.5.0", 0.1
        seed(store.state, customers=1, orders=0)
        number = connectors.create(services, organisation_id=1, name="Shop", store_url=store.url)
        connectors.connect(services, number, store_ca=CA.pem)
        with services.db.write() as session:
            session.get_one(Connector, number).store_facts = {"version": store.state.version}
        shop = Shop(services, number, store, browser)
        shop.set(enabled=True, silent=True)
        store.storefront.script = line(services, number)
        yield shop
        close_pages(browser)
    services.db.dispose()


def visitor(shop: Shop) -> tuple[Page, list[str]]:
    """Return a shopper's page that takes the shop's authority, and what the browser says of mixed content."""
    page, said = shopper(shop.browser, ignore_https_errors=True), list[str]()
    page.on("console", lambda message: said.append(message.text) if "Mixed Content" in message.text else None)
    return page, said


def left(shop: Shop, source: str) -> tuple[int, str]:
    """Keep a cart of one product and return that with the link."""
    number = in_stock(shop.store)[0]
    items = [{"id": number, "qty": 2.0, "variation": []}]
    with shop.services.db.write() as session:
        cart = cart_rows.keep(session, shop.connector_id, shop.services.clock.now(), source=source, items=items)
        return number, cart_rows.link(shop.services, cart, shop.services.base_url)


def in_cart(page: Page) -> Any:
    return page.evaluate(
        "fetch('/wp-json/wc/store/v1/cart').then(a => a.json()).then(c => c.items.map(i => [i.id, i.quantity]))"
    )


def test_with_our_side_on_https_the_script_captures_and_brings_back(tmp_path: Path, browser: Browser) -> None:
    with on_https(tmp_path, browser, tls=CA.context()) as shop:
        number, url = left(shop, "script")
        page, said = visitor(shop)
        with page.expect_response("**/restore/**") as asked, page.expect_response("**/wc/store/v1/batch*"):
            page.goto(url)
        assert asked.value.status == 200
        expect(page.locator(EMAIL[BLOCK])).to_have_value(cart_rows.ANNA)
        expect(page).to_have_url(re.compile(f"^{re.escape(shop.store.url)}/checkout/\\?utm_source="))
        assert in_cart(page) == [[number, 2]]
        page.fill(EMAIL[BLOCK], "anna@other.example")
        page.keyboard.press("Tab")
        assert shop.cart(email="anna@other.example").source == "script"
        assert (said, page.errors) == ([], [])  # type: ignore[attr-defined]


def test_with_our_side_on_http_the_script_is_blocked_and_the_link_goes_another_way(
    tmp_path: Path, browser: Browser
) -> None:
    with on_https(tmp_path, browser, host=NAMED) as shop:
        number, url = left(shop, "script")
        page, said = visitor(shop)
        page.goto(url)
        page.wait_for_selector(EMAIL[BLOCK])
        expect(page).to_have_url(re.compile("session="))
        assert in_cart(page) == [[number, 2]]
        assert any(shop.services.base_url in text for text in said)
        assert page.evaluate("window.wooMauticCarts") is None
        page.fill(EMAIL[BLOCK], "anna@other.example")
        page.keyboard.press("Tab")
        assert page.errors == []  # type: ignore[attr-defined]
        assert [cart.email for cart in shop.carts()] == [cart_rows.ANNA]
