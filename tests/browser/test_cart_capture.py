"""The capture script in a shop's own checkout pages, in Chromium: what it sends, when, and that it breaks nothing."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page
from sqlalchemy import delete, select
from werkzeug.serving import make_server

from app import create_app
from integration import shop_lines
from integration.config import Deployment
from integration.models import Cart, Connector, Organisation
from integration.models.migrate import upgrade
from integration.pipeline.connectors import connectors
from integration.pipeline.services import Services, open_services
from integration.sandbox.store import StoreServer
from integration.sandbox.store.demo_shop import seed
from integration.sandbox.store.storefront import settings as storefront
from tests.conftest import NOON

BLOCK, CLASSIC = "checkout", "checkout-classic"
EMAIL = {BLOCK: "#email", CLASSIC: "#billing_email"}
BOX = "label.woo-mautic-consent input"
#: Longer than the script waits between two looks, and than the block checkout waits after the last key.
PAUSE_MS = 2600


@dataclass
class Shop:
    """A shop with our line in its pages, and what was captured of it."""

    services: Services
    connector_id: int
    store: StoreServer
    browser: Browser

    def set(self, **settings: Any) -> None:
        connectors.configure(self.services, self.connector_id, {f"carts.{k}": v for k, v in settings.items()})

    def carts(self) -> list[Cart]:
        with self.services.db.read() as session:
            return list(session.scalars(select(Cart).order_by(Cart.id)))

    def cart(self, within_s: float = 8, **wanted: Any) -> Cart:
        """Return the newest cart once it has these values."""
        ends = time.monotonic() + within_s
        while True:
            found = self.carts()
            if found and all(getattr(found[-1], name) == value for name, value in wanted.items()):
                return found[-1]
            assert time.monotonic() < ends, [(cart.email, cart.state, cart.items) for cart in found]
            time.sleep(0.1)

    def visit(self, checkout: str, product: int | None = None, **context: Any) -> Page:
        """Return a new shopper's page with something in the cart, at the checkout, its fields drawn."""
        made = self.browser.new_context(viewport={"width": 1280, "height": 900}, **context)
        made.set_default_timeout(10_000)
        page = made.new_page()
        page.errors = []  # type: ignore[attr-defined]  # what the browser complains of
        page.on("pageerror", lambda error: page.errors.append(str(error)))  # type: ignore[attr-defined]
        page.goto(f"{self.store.url}/{checkout}/?add-to-cart={product or self.product()}")
        page.wait_for_selector(EMAIL[checkout])
        return page

    def product(self) -> int:
        return next(
            number
            for number, row in self.store.state.products.items()
            if row["type"] == "simple" and row["stock_status"] == "instock"
        )


@pytest.fixture(scope="module", params=["9.9.5", "10.5.0"])
def served(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, browser: Browser
) -> Iterator[Shop]:
    folder: Path = tmp_path_factory.mktemp("capture")
    deployment = Deployment(
        instance_path=folder,
        secret_key="k" * 32,
        database_url=f"sqlite:///{folder / 'b.sqlite'}",
        ratelimit=False,
        private_hosts=("*",),
    )
    upgrade(deployment.database_url)
    services = open_services(deployment)
    with services.db.write() as session:
        session.add(Organisation(name="Shop Ltd", created_at=NOON))
    server = make_server("127.0.0.1", 0, create_app(deployment, services), threaded=True)
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    services.deployment = deployment.model_copy(update={"public_url": f"http://127.0.0.1:{server.port}"})
    with StoreServer() as store:
        store.state.version = request.param
        seed(store.state, customers=5, orders=5)
        number = connectors.create(services, organisation_id=1, name="Shop", store_url=store.url)
        yield Shop(services, number, store, browser)
    server.shutdown()
    services.db.dispose()


@pytest.fixture
def shop(served: Shop) -> Iterator[Shop]:
    """The shop without carts, asking for consent, our line in each page."""
    with served.services.db.write() as session:
        session.execute(delete(Cart))
        connector = session.get_one(Connector, served.connector_id)
        line = shop_lines.tag(f"{served.services.base_url}/carts/{connector.cart_key}.js")
    served.set(enabled=True, box=True, silent=False)
    setup = served.store.storefront
    setup.script, setup.csp, setup.firewall, setup.has_reminder_field, setup.fields_after = line, "", False, False, 0.3
    yield served
    # A page that stays open goes on telling of its cart.
    for context in served.browser.contexts:
        context.close()


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
    assert page.query_selector(BOX) is None


@pytest.mark.parametrize("checkout", [BLOCK, CLASSIC])
def test_who_leaves_at_once_is_not_missed(shop: Shop, checkout: str) -> None:
    shop.set(silent=True)
    page = shop.visit(checkout)
    page.wait_for_timeout(1200)
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
    page.wait_for_selector(BOX)
    assert page.is_checked(BOX)
    classic = page.context.new_page()
    classic.goto(f"{shop.store.url}/{CLASSIC}/")
    classic.wait_for_selector(BOX)
    assert classic.is_checked(BOX)


def test_woocommerces_own_box_is_used_where_the_snippet_draws_it(shop: Shop) -> None:
    shop.store.storefront.has_reminder_field = True
    page = shop.visit(BLOCK)
    own = page.wait_for_selector("input[id$='woo-mautic-cart-reminder']")
    assert own is not None
    assert page.query_selector(BOX) is None
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
    page.wait_for_timeout(1500)
    assert page.evaluate("localStorage.getItem('woo-mautic-cart')") is None
