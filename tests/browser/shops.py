"""A shop with our line in its pages, who shops there, and what is captured of that."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

from playwright.sync_api import Browser, Page
from sqlalchemy import select

from integration import shop_lines
from integration.models import Cart, Connector
from integration.pipeline.connectors import connectors
from integration.pipeline.services import Services
from integration.sandbox.store import StoreServer

BLOCK, CLASSIC = "checkout", "checkout-classic"
EMAIL = {BLOCK: "#email", CLASSIC: "#billing_email"}
#: A name by which the browser reaches this machine.
NAMED = "our.example"
BOX = "label.woo-mautic-consent input"
#: How long a page is waited for: ends a hopeless test, and is no measure of how long anything takes.
PATIENCE_MS = 30_000


def line(services: Services, connector_id: int) -> str:
    """Return the line that the shop has in its pages."""
    with services.db.read() as session:
        key = session.get_one(Connector, connector_id).cart_key
    return shop_lines.tag(f"{services.base_url}/carts/{key}.js")


def in_stock(store: StoreServer, kind: str = "simple") -> list[int]:
    """Return the products of a type that can be bought."""
    rows = store.state.products.items()
    return [number for number, row in rows if row["type"] == kind and row["stock_status"] == "instock"]


def shopper(browser: Browser, **settings: Any) -> Page:
    """Return a new shopper's page."""
    context = browser.new_context(viewport={"width": 1280, "height": 900}, **settings)
    context.set_default_timeout(PATIENCE_MS)
    page = context.new_page()
    page.errors = []  # type: ignore[attr-defined]  # what the browser complains of
    page.on("pageerror", lambda error: page.errors.append(str(error)))  # type: ignore[attr-defined, call-overload]
    return page


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

    def cart(self, within_s: float = 30, **wanted: Any) -> Cart:
        """Return the newest cart once it has these values."""
        ends = time.monotonic() + within_s
        while True:
            found = self.carts()
            if found and all(getattr(found[-1], name) == value for name, value in wanted.items()):
                return found[-1]
            assert time.monotonic() < ends, [(cart.email, cart.state, cart.items) for cart in found]
            time.sleep(0.1)

    def visit(self, checkout: str) -> Page:
        """Return a new shopper's page with something in the cart, at the checkout, its fields drawn."""
        return self.go(shopper(self.browser), checkout)

    def go(self, page: Page, checkout: str) -> Page:
        """Bring a shopper's page there in the same way."""
        page.goto(f"{self.store.url}/{checkout}/?add-to-cart={self.product()}")
        page.wait_for_selector(EMAIL[checkout])
        return page

    def product(self) -> int:
        return in_stock(self.store)[0]
