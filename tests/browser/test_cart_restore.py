"""The link of a reminder in Chromium: the script puts the cart back as it was, in any shop and on any checkout."""

from __future__ import annotations

import re
import time
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from integration.models import Connector
from integration.pipeline.connectors import connectors
from tests import cart_rows
from tests.browser.shops import BLOCK, CLASSIC, EMAIL, Shop, in_stock, shopper
from tests.cart_rows import ANNA

MISSING = ".woo-mautic-missing"


@pytest.fixture
def shop(shop: Shop) -> Shop:
    """The shop without coupons, capturing without asking, its checkout drawn at once."""
    with shop.services.db.write() as session:
        session.get_one(Connector, shop.connector_id).store_facts = {"version": shop.store.state.version}
    shop.set(silent=True)
    shop.store.storefront.fields_after = 0.1
    shop.store.state.coupons.clear()
    return shop


def link(shop: Shop, ids: list[int], **values: Any) -> str:
    """Keep a cart of one piece of each product and return its link."""
    now = shop.services.clock.now()
    items = [{"id": number, "qty": 1.0, "variation": []} for number in ids]
    given = {"items": items, "sequence": 4} | values
    with shop.services.db.write() as session:
        cart = cart_rows.keep(session, shop.connector_id, now, **given)
        return cart_rows.link(shop.services, cart, shop.services.base_url)


def follow(page: Page, url: str) -> None:
    """Click the link and wait until the script has filled the cart and the shopper has a page that was asked for then.

    The link leads to the checkout already: what is there may still be the page that the script leaves.
    """
    with page.expect_response("**/restore/**"), page.expect_response("**/wc/store/v1/batch*") as filled:
        page.goto(url)
    page.wait_for_function("at => performance.timeOrigin > at", arg=filled.value.request.timing["startTime"])
    page.wait_for_load_state("load")


def in_cart(page: Page) -> dict[str, Any]:
    """The shopper's cart by the shop's own account."""
    return page.evaluate(  # type: ignore[no-any-return]
        "fetch('/wp-json/wc/store/v1/cart').then(a => a.json()).then(c => ({"
        "items: c.items.map(i => [i.id, i.quantity]), email: c.billing_address.email,"
        "coupons: c.coupons.map(o => o.code.toLowerCase())}))"
    )


def bind(shop: Shop, code: str) -> None:
    """Make a coupon for Anna alone."""
    key = shop.store.credentials
    connectors.connect(shop.services, shop.connector_id, store_key=key.key, store_secret=key.secret)
    with shop.services.db.read() as session:
        connector = session.get_one(Connector, shop.connector_id)
    body = {"code": code, "discount_type": "percent", "amount": "10", "email_restrictions": [ANNA]}
    shop.services.open_store(connector).post("coupons", body)


@pytest.mark.parametrize("checkout", [BLOCK, CLASSIC])
def test_the_link_brings_items_address_and_a_bound_coupon_back_as_often_as_it_is_clicked(
    shop: Shop, checkout: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("integration.carts.addresses.CHECKOUT", f"/{checkout}/")
    bind(shop, "RECOVER-ANNA01")
    wanted = [*in_stock(shop.store)[:2], in_stock(shop.store, "variation")[0]]
    url = link(shop, wanted, coupon_code="RECOVER-ANNA01")
    page = shopper(shop.browser)
    for _ in range(2):
        follow(page, url)
        expect(page.locator(EMAIL[checkout])).to_have_value(ANNA)
        found = in_cart(page)
        assert sorted(found["items"]) == sorted([number, 1] for number in wanted)
        assert (found["email"], found["coupons"]) == (ANNA, ["recover-anna01"])
        expect(page).to_have_url(re.compile("utm_campaign=cart-"))
    expect(page.locator(MISSING)).to_have_count(0)
    assert page.errors == []  # type: ignore[attr-defined]


def test_what_was_in_the_cart_makes_room_and_what_is_gone_is_told_once(shop: Shop) -> None:
    other, sold_out, left = in_stock(shop.store)[:3]
    page = shopper(shop.browser)
    page.goto(f"{shop.store.url}/cart/?add-to-cart={other}")
    row = shop.store.state.products[sold_out]
    before = dict(row)
    row.update(stock_status="outofstock", stock_quantity=0, manage_stock=True)
    try:
        follow(page, link(shop, [left, sold_out, 999_999]))
        said = page.wait_for_selector(MISSING)
    finally:
        row.clear()
        row.update(before)
    assert said is not None
    lines = said.inner_text().splitlines()
    assert len(lines) == 2
    assert "out of stock" in lines[0]
    assert "&" not in lines[0]
    assert in_cart(page)["items"] == [[left, 1]]
    page.reload()
    page.wait_for_timeout(300)
    expect(page.locator(MISSING)).to_have_count(0)


def test_a_slow_shop_tells_what_is_gone_too(shop: Shop) -> None:
    [left] = in_stock(shop.store)[:1]
    page = shopper(shop.browser)
    # Longer than the script waits between two looks: it looks again on the page that it leaves.
    page.route("**/checkout/**", lambda route: (time.sleep(1.5), route.continue_()))
    follow(page, link(shop, [left, 999_999]))
    expect(page.locator(MISSING)).to_be_visible()


def test_another_browser_goes_on_with_the_same_cart(shop: Shop) -> None:
    [first] = in_stock(shop.store)[:1]
    page = shopper(shop.browser)
    follow(page, link(shop, [first]))
    page.wait_for_selector(EMAIL[BLOCK])
    page.fill(EMAIL[BLOCK], "anna@other.example")
    page.keyboard.press("Tab")
    kept = shop.cart(email="anna@other.example", state="active")
    # A cart that the script had begun anew would have no link.
    assert kept.token_digest is not None
    assert kept.sequence > 4


def test_without_our_script_a_newer_shop_takes_the_cart_and_an_older_one_its_first_item(shop: Shop) -> None:
    shop.store.storefront.script = ""
    wanted = in_stock(shop.store)[:2]
    page = shopper(shop.browser)
    page.goto(link(shop, wanted, source="order"))
    is_ten = shop.store.state.version.startswith("10")
    expect(page).to_have_url(re.compile("/checkout/" if is_ten else "/cart/"))
    assert in_cart(page)["items"] == [[number, 1] for number in (wanted if is_ten else wanted[:1])]


def test_a_code_that_is_too_old_leaves_the_shoppers_cart_alone(shop: Shop) -> None:
    [first] = in_stock(shop.store)[:1]
    page = shopper(shop.browser)
    page.goto(f"{shop.store.url}/cart/?add-to-cart={first}")
    with page.expect_response("**/restore/**") as answer:
        page.goto(f"{shop.store.url}/shop/#woo-mautic-cart=WzEsMV0.{'x' * 27}")
    assert answer.value.status == 404
    page.wait_for_timeout(300)
    assert in_cart(page)["items"] == [[first, 1]]
    expect(page).to_have_url(f"{shop.store.url}/shop/")
