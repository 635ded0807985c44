"""The whole way of a cart: typed at the checkout, left, announced in Mautic, brought back by its link, and bought."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from playwright.sync_api import Page, expect
from sqlalchemy import select, update

from integration.carts import announcing, detection
from integration.engines import field_lists
from integration.models import Cart, CartState, Connector, SyncLogEntry
from integration.pipeline.connectors import connectors
from integration.pipeline.runs import lifecycle as run_lifecycle
from tests.browser.conftest import Site
from tests.browser.shops import BLOCK, BOX, CLASSIC, EMAIL, in_stock, line, shopper
from tests.cart_rows import ANNA
from tests.waiting import wait_for

PERSON = {"first_name": "Anna", "last_name": "Verdi", "address_1": "Via Roma 1", "postcode": "00184", "city": "Roma"}


@pytest.mark.parametrize(("version", "checkout"), [("9.9.5", CLASSIC), ("10.5.0", BLOCK)])
def test_a_cart_is_left_announced_brought_back_and_bought(
    site: Site, version: str, checkout: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("integration.carts.addresses.CHECKOUT", f"/{checkout}/")
    number = prepared(site, version)
    leave(site, checkout)
    wait_for(lambda: carts(site), "the capture")
    let_time_pass(site)
    contact = wait_for(lambda: in_mautic(site, "abandoned_cart"), "the contact")
    assert contact["mautic_woo_coupon_code"].startswith("RECOVER-")
    page = shopper(site.browser)
    page.goto(contact["mautic_woo_recovery_url"])
    expect(page.locator(EMAIL[checkout])).to_have_value(ANNA)
    buy(page, checkout)
    run_lifecycle.start(site.services, number, "incremental", trigger="test")
    contact = wait_for(lambda: in_mautic(site, "recovered_cart"), "the recovery")
    assert (contact["tags"], contact.get("mautic_woo_cart_html") or "") == ({"recovered_cart"}, "")
    (cart,) = [each for each in carts(site) if each.state == CartState.RECOVERED]
    assert (cart.proof in ("order", "coupon"), float(cart.revenue) > 0) == (True, True)
    wait_for(lambda: logged(site) == ["create_coupon", "cart_sync", "cart_recovery", "remove_tag"], "the log")


def logged(site: Site) -> list[str]:
    """Return the actions of the Sync Log about carts, oldest first; not the fields that were created for them."""
    with site.services.db.read() as session:
        mine = (SyncLogEntry.type == "abandoned_cart") & (SyncLogEntry.action != "create_field")
        return list(session.scalars(select(SyncLogEntry.action).where(mine).order_by(SyncLogEntry.id)))


def prepared(site: Site, version: str) -> int:
    """Connect the site, switch the module on with a coupon for the address alone, and put our line into the shop."""
    number = site.connect()
    settings = {"enabled": True, "create_fields": True, "coupon": "percent", "coupon_use": "bound"}
    connectors.configure(site.services, number, {f"carts.{name}": value for name, value in settings.items()})
    with site.services.db.write() as session:
        session.get_one(Connector, number).initial_done_at = site.services.clock.now()
    field_lists.tick(site.services)
    site.store.state.version = version
    site.store.storefront.script, site.store.storefront.fields_after = line(site.services, number), 0.1
    return number


def leave(site: Site, checkout: str) -> None:
    """Put something into the cart, type an address, agree to be reminded, and close the page."""
    page = shopper(site.browser)
    page.goto(f"{site.store.url}/{checkout}/?add-to-cart={in_stock(site.store)[0]}")
    page.fill(EMAIL[checkout], ANNA)
    page.check(BOX)
    wait_for(lambda: carts(site), "the capture")
    page.context.close()


def let_time_pass(site: Site) -> None:
    """Let the cart be two hours old, and look as the engine does."""
    with site.services.db.write() as session:
        hours = timedelta(hours=2)
        at = site.services.clock.now() - hours
        session.execute(update(Cart).values(changed_at=at, created_at=at, seen_at=at))
    detection.tick(site.services)
    announcing.tick(site.services)


def buy(page: Page, checkout: str) -> None:
    prefix = "#shipping-" if checkout == BLOCK else "#billing_"
    for name, value in PERSON.items():
        if page.query_selector(f"{prefix}{name}"):
            page.fill(f"{prefix}{name}", value)
    page.check("input[value=cod]")
    page.get_by_role("button", name="Place order").click()
    page.wait_for_url("**/order-received/**")


def carts(site: Site) -> list[Cart]:
    with site.services.db.read() as session:
        return list(session.scalars(select(Cart)))


def in_mautic(site: Site, tag: str) -> dict[str, Any]:
    """Return the contact's values and tags once it has this tag, {} before."""
    for contact in site.mautic.state.contacts.values():
        tags = set(site.mautic.state.tag_names(contact))
        if contact.values.get("email") == ANNA and tag in tags:
            return {**contact.values, "tags": tags & {"abandoned_cart", "recovered_cart"}}
    return {}
