"""The two checkout pages of the stand-in store in a real browser: what a script of others finds there."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from integration.sandbox.store import StoreServer
from integration.sandbox.store.demo_catalogue import stock
from integration.sandbox.store.order_store import Row
from tests.browser.shops import PATIENCE_MS

EARLY = """document.addEventListener("DOMContentLoaded", () => {
  const root = document.querySelector(".wp-block-woocommerce-checkout");
  root?.append(Object.assign(document.createElement("p"), { id: "early" }));
})"""
BOX = """(after) => document.querySelector(after).after(
  Object.assign(document.createElement("label"), { id: "consent", textContent: "Remind me" }))"""


@pytest.fixture
def shop() -> Iterator[StoreServer]:
    """A store whose block checkout draws its fields quickly."""
    with StoreServer() as server:
        stock(server.state)
        server.storefront.fields_after = 0.05
        yield server


@pytest.fixture
def page(browser: Browser, shop: StoreServer) -> Iterator[Page]:
    """A browser with an espresso in its cart."""
    context = browser.new_context(base_url=shop.url)
    context.set_default_timeout(PATIENCE_MS)
    made = context.new_page()
    made.goto(f"/?add-to-cart={_product(shop, 'Espresso Forte 250 g')}")
    yield made
    context.close()


def _product(shop: StoreServer, name: str) -> int:
    return next(number for number, each in shop.state.products.items() if each["name"] == name)


def _order(shop: StoreServer) -> Row:
    return next(iter(shop.state.orders))


def _type(page: Page, text: str, sent: bool = True) -> None:
    """Type an e-mail and wait until the page has sent it."""
    page.locator("#email").fill("")
    if not sent:
        page.locator("#email").press_sequentially(text)
        return
    with page.expect_response("**/batch*"):
        page.locator("#email").press_sequentially(text)


def _fill(page: Page, prefix: str) -> None:
    parts = {"first_name": "Anna", "last_name": "Prova", "address_1": "Via 1", "postcode": "00184", "city": "Roma"}
    for name, value in parts.items():
        page.fill(f"{prefix}{name}", value)


def test_the_block_checkout_is_drawn_by_script_and_sends_the_e_mail_by_itself(page: Page, shop: StoreServer) -> None:
    page.add_init_script(EARLY)
    page.goto("/checkout/?utm_source=mautic&utm_campaign=cart-77")
    expect(page.locator("fieldset#contact-fields #contact #email[type=email][autocomplete=email]")).to_be_visible()
    expect(page.locator("#early")).to_have_count(0)
    page.evaluate(BOX, "#contact")
    _type(page, "anna@example.com")
    row = _order(shop)
    # The script reads the answer a little after the browser has it.
    page.wait_for_function("id => wp.data.select('wc/store/checkout').getOrderId() === id", arg=row.id)
    page.wait_for_function("id => wcSettings.checkoutData.order_id === id", arg=row.id)
    assert (row.status, row.email) == ("checkout-draft", "anna@example.com")

    _type(page, "bruno@", sent=False)
    assert page.evaluate("wp.data.select('wc/store/cart').getCustomerData().billingAddress.email") == "bruno@"
    page.wait_for_timeout(1700)
    assert row.email == "anna@example.com"

    page.evaluate("document.querySelector('#email').value = 'quiet@example.com'")
    with page.expect_response("**/apply-coupon*"):
        page.evaluate("wp.data.dispatch('wc/store/cart').applyCoupon('SAVE10').then(() => {})")
    expect(page.locator("#email")).to_have_value("bruno@")
    expect(page.locator("#consent")).to_have_count(1)

    _fill(page, "#shipping-")
    page.fill("#email", "anna@example.com")
    page.check("input[value=cod]")
    page.get_by_role("button", name="Place Order").click()
    page.wait_for_url("**/checkout/order-received/**")
    expect(page.locator("body.woocommerce-order-received")).to_have_count(1)
    shown = shop.shop.shown(row.id)
    meta = {each["key"]: each["value"] for each in shown["meta_data"]}
    assert (shown["status"], meta["_wc_order_attribution_utm_campaign"]) == ("processing", "cart-77")


def test_an_empty_cart_or_a_new_beginning_throws_the_block_away(page: Page) -> None:
    page.goto("/checkout/")
    expect(page.locator("#email")).to_be_visible()
    page.evaluate(BOX, "#contact")
    page.evaluate("document.dispatchEvent(new Event('sandbox:remount'))")
    expect(page.locator("#email")).to_be_visible()
    expect(page.locator("#consent")).to_have_count(0)
    page.evaluate(BOX, "#contact")
    cart = "wp.data.dispatch('wc/store/cart')"
    item: dict[str, Any] = page.evaluate("wp.data.select('wc/store/cart').getCartData().items[0]")

    page.evaluate(f"{cart}.removeItemFromCart('{item['key']}').then(() => {{}})")
    expect(page.get_by_text("Your cart is currently empty!")).to_be_visible()
    page.evaluate(f"{cart}.addItemToCart({item['id']}, 2).then(() => {{}})")

    expect(page.locator("#email")).to_be_visible()
    expect(page.locator("#consent")).to_have_count(0)


def test_the_box_of_the_snippet_is_noted_in_the_draft(page: Page, shop: StoreServer) -> None:
    shop.storefront.has_reminder_field = True
    page.goto("/checkout/")
    with page.expect_response("**/checkout?*"):
        page.check("#contact #contact-woo-mautic-cart-reminder")

    meta = {each["key"]: each["value"] for each in shop.shop.shown(_order(shop).id)["meta_data"]}
    assert meta["_wc_other/woo-mautic/cart-reminder"] == "1"


def test_the_classic_checkout_asks_for_its_review_and_keeps_no_e_mail(page: Page, shop: StoreServer) -> None:
    with page.expect_response("**wc-ajax=update_order_review*"):
        page.goto("/checkout-classic/")
    page.evaluate(
        """() => { window.seen = []; for (const name of ["update_checkout", "updated_checkout", "checkout_error"])
        jQuery(document.body).on(name, () => seen.push(name)); }"""
    )
    page.evaluate(BOX, "#billing_email_field")
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url.partition("wc-ajax=")[2]))
    page.locator("#billing_email").press_sequentially("anna@")
    page.wait_for_timeout(1200)
    assert asked == []
    with page.expect_response("**wc-ajax=update_order_review*"):
        page.locator("#billing_city").press_sequentially("Roma")
    with page.expect_response("**wc-ajax=apply_coupon*"):
        page.fill("#coupon_code", "five")
        page.get_by_role("button", name="Apply coupon").click()
    expect(page.get_by_text("Coupon code applied successfully.")).to_be_visible()

    page.get_by_role("button", name="Place order").click()
    expect(page.locator(".woocommerce-NoticeGroup-checkout")).to_contain_text("is not a valid email address")
    page.wait_for_function("['update_checkout', 'updated_checkout', 'checkout_error'].every(n => seen.includes(n))")
    expect(page.locator("#consent")).to_have_count(1)
    assert not len(shop.state.orders)

    _fill(page, "#billing_")
    page.fill("#billing_email", "anna@example.com")
    page.get_by_role("button", name="Place order").click()
    page.wait_for_url("**/checkout/order-received/**")
    assert (_order(shop).status, _order(shop).email) == ("on-hold", "anna@example.com")


def test_what_is_put_into_the_payment_of_the_classic_checkout_goes(page: Page) -> None:
    page.add_init_script(
        """document.addEventListener("DOMContentLoaded", () =>
        document.querySelector("#payment")?.append(document.createElement("mark")))"""
    )
    with page.expect_response("**wc-ajax=update_order_review*"):
        page.goto("/checkout-classic/")

    expect(page.locator("#payment")).to_have_count(1)
    expect(page.locator("#payment mark")).to_have_count(0)
