"""The capture script in a shop's own checkout pages, in Chromium: what it sends, when, and that it breaks nothing."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from integration.sandbox.store.storefront import settings as storefront
from tests.browser.shops import BLOCK, BOX, CLASSIC, EMAIL, Shop, shopper

#: Longer than the script waits between two looks, and than the block checkout waits after the last key.
PAUSE_MS = 2600
#: The script has the classic checkout's cart, for which it asks twice; the block checkout has it in its page.
HAS_CART = "performance.getEntriesByType('resource').filter(each => each.name.endsWith('/wc/store/v1/cart')).length > 1"

#: The shop's answer about its cart comes late, and the page goes on meanwhile.
SLOW_CART = """const ask = window.fetch.bind(window);
window.fetch = (...asked) => String(asked[0]).endsWith("/wc/store/v1/cart")
  ? new Promise(done => setTimeout(() => done(ask(...asked)), 1500)) : ask(...asked);"""


def leave_field(page: Page) -> None:
    page.keyboard.press("Tab")


@pytest.mark.parametrize("checkout", [BLOCK, CLASSIC])
def test_with_consent_the_cart_is_kept_and_without_it_nothing_leaves(shop: Shop, checkout: str) -> None:
    page = shop.visit(checkout)
    page.fill(EMAIL[checkout], "anna@shop.example")
    leave_field(page)
    page.wait_for_timeout(PAUSE_MS)
    assert shop.carts() == []
    page.check(BOX)
    cart = shop.cart(email="anna@shop.example", state="active")
    assert cart.items == [{"id": shop.product(), "qty": 1.0, "variation": []}]
    assert cart.consent is not None
    assert cart.consent["wording"] == "Remind me by e-mail if I do not finish this order."
    drafted = [order.id for order in shop.store.state.orders if order.status == "checkout-draft"]
    assert cart.order_id == (drafted[-1] if checkout == BLOCK else None)
    page.uncheck(BOX)
    shop.cart(state="no_consent", email="", items=None)
    assert page.errors == []  # type: ignore[attr-defined]


@pytest.mark.parametrize("checkout", [BLOCK, CLASSIC])
def test_a_pause_is_no_end_of_typing(shop: Shop, checkout: str) -> None:
    shop.set(silent=True)
    page = shop.visit(checkout)
    page.type(EMAIL[checkout], "anna@example.co")
    page.wait_for_timeout(PAUSE_MS)
    assert shop.carts() == []
    page.type(EMAIL[checkout], "m")
    leave_field(page)
    assert shop.cart(email="anna@example.com").sequence == 1
    expect(page.locator(BOX)).to_have_count(0)


def test_what_is_typed_while_a_slow_shop_answers_is_not_told_half(shop: Shop) -> None:
    shop.set(silent=True)
    page = shopper(shop.browser)
    page.add_init_script(SLOW_CART)
    shop.go(page, CLASSIC)
    page.type(EMAIL[CLASSIC], "anna@example.co")
    page.wait_for_function(HAS_CART)
    page.wait_for_timeout(PAUSE_MS)
    assert shop.carts() == []
    page.type(EMAIL[CLASSIC], "m")
    leave_field(page)
    assert shop.cart(email="anna@example.com").sequence == 1


@pytest.mark.parametrize("checkout", [BLOCK, CLASSIC])
def test_who_leaves_at_once_is_not_missed(shop: Shop, checkout: str) -> None:
    shop.set(silent=True)
    page = shop.visit(checkout)
    page.wait_for_timeout(1200)
    if checkout == CLASSIC:
        page.wait_for_function(HAS_CART)
    page.type(EMAIL[checkout], "anna@shop.example")
    page.goto("about:blank")
    assert shop.cart(email="anna@shop.example").items == [{"id": shop.product(), "qty": 1.0, "variation": []}]


@pytest.mark.parametrize("checkout", [BLOCK, CLASSIC])
def test_a_password_manager_that_tells_nobody_is_seen(shop: Shop, checkout: str) -> None:
    shop.set(silent=True)
    page = shop.visit(checkout)
    page.evaluate("([s, v]) => { document.querySelector(s).value = v; }", [EMAIL[checkout], "anna@shop.example"])
    shop.cart(email="anna@shop.example")


def test_the_tick_outlives_what_the_pages_throw_away(shop: Shop) -> None:
    page = shop.visit(BLOCK)
    page.fill(EMAIL[BLOCK], "anna@shop.example")
    page.check(BOX)
    shop.cart(email="anna@shop.example")
    page.evaluate("document.querySelector('label.woo-mautic-consent').remove()")
    expect(page.locator(BOX)).to_be_checked()
    classic = page.context.new_page()
    classic.goto(f"{shop.store.url}/{CLASSIC}/")
    expect(classic.locator(BOX)).to_be_checked()


def test_woocommerces_own_box_is_used_where_the_snippet_draws_it(shop: Shop) -> None:
    shop.store.storefront.has_reminder_field = True
    page = shop.visit(BLOCK)
    own = page.wait_for_selector("input[id$='woo-mautic-cart-reminder']")
    assert own is not None
    expect(page.locator(BOX)).to_have_count(0)
    page.fill(EMAIL[BLOCK], "anna@shop.example")
    own.check()
    cart = shop.cart(email="anna@shop.example")
    assert cart.consent is not None
    assert cart.consent["wording"]


@pytest.mark.parametrize(("checkout", "items"), [(BLOCK, True), (CLASSIC, False)])
def test_without_the_store_api_block_has_the_cart_and_classic_the_address(
    shop: Shop, checkout: str, items: bool
) -> None:
    shop.set(silent=True)
    shop.store.storefront.firewall = True
    page = shop.visit(checkout)
    page.fill(EMAIL[checkout], "anna@shop.example")
    leave_field(page)
    assert bool(shop.cart(email="anna@shop.example").items) is items


@pytest.mark.parametrize("csp", [storefront.CSP_NO_SCRIPT, storefront.CSP_NO_CONNECT])
def test_a_policy_that_blocks_us_leaves_the_checkout_as_it_is(shop: Shop, csp: str) -> None:
    shop.set(silent=True)
    shop.store.storefront.csp = csp
    page = shop.visit(CLASSIC)
    page.fill(EMAIL[CLASSIC], "anna@shop.example")
    leave_field(page)
    page.wait_for_timeout(PAUSE_MS)
    assert shop.carts() == []
    assert page.errors == []  # type: ignore[attr-defined]


def test_a_changed_cart_is_told_on_other_pages_and_a_bought_one_ends(shop: Shop) -> None:
    shop.set(silent=True)
    page = shop.visit(CLASSIC)
    page.fill(EMAIL[CLASSIC], "anna@shop.example")
    leave_field(page)
    first = shop.cart(email="anna@shop.example")
    page.goto(f"{shop.store.url}/cart/?add-to-cart={shop.product()}")
    assert shop.cart(items=[{"id": shop.product(), "qty": 2.0, "variation": []}]).id == first.id
    assert shop.cart().email == "anna@shop.example"
    page.goto(f"{shop.store.url}/{CLASSIC}/")
    for name, value in {
        "first_name": "Anna",
        "last_name": "Verdi",
        "address_1": "Via Roma 1",
        "postcode": "20100",
        "city": "Milano",
        "phone": "021234567",
    }.items():
        if page.query_selector(f"#billing_{name}"):
            page.fill(f"#billing_{name}", value)
    page.fill(EMAIL[CLASSIC], "anna@shop.example")
    page.click("#place_order")
    page.wait_for_url("**/order-received/**")
    page.wait_for_function("localStorage.getItem('woo-mautic-cart') === null")
    # Nor does it come again when the script looks again.
    page.wait_for_timeout(1500)
    assert page.evaluate("localStorage.getItem('woo-mautic-cart')") is None
