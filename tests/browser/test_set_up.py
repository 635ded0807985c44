"""The guided set-up and the preview, in a real browser against both stand-ins."""

from __future__ import annotations

import re

from playwright.sync_api import expect

from integration.models import Role
from tests.browser.conftest import Site


def test_from_two_addresses_to_the_first_contact_in_mautic(site: Site) -> None:
    page = site.page()
    page.goto(site.url)
    page.wait_for_url("**/setup")
    page.fill("input[name=store_url]", site.mautic.url)
    page.fill("input[name=mautic_url]", site.mautic.url)
    page.click("text=Look at both addresses")
    expect(page.locator("#store_url-error")).to_contain_text("This address is a Mautic, not a store.")
    expect(page.locator("input[name=mautic_url]")).to_have_value(site.mautic.url)
    page.fill("input[name=store_url]", site.store.url)
    page.click("text=Look at both addresses")
    page.fill("input[name=store_key]", site.store.credentials.key)
    page.fill("input[name=store_secret]", "cs_wrong")
    page.click("text=Try the key and keep it")
    expect(page.locator("#store_secret-error")).to_contain_text("secret")
    page.fill("input[name=store_key]", site.store.credentials.key)
    page.fill("input[name=store_secret]", site.store.credentials.secret)
    page.click("text=Try the key and keep it")
    expect(page.locator("#mautic")).to_have_attribute("aria-current", "step")
    page.fill("input[name=mautic_client_id]", site.mautic.credentials.client_id)
    page.fill("input[name=mautic_client_secret]", site.mautic.credentials.client_secret)
    page.click("text=Try them and keep them")
    expect(page.locator("#mautic .step-mark")).to_have_text("✓")
    # Whoever comes back later goes on where it stands.
    page.goto(f"{site.url}/connectors/1/")
    page.click("text=Go through them on one page")
    page.click("text=Create these fields")
    expect(page.locator("#preview-orders")).to_contain_text("Calls to Mautic")
    page.click("#preview-contacts summary")
    expect(page.locator("#preview-contacts h3").first).to_contain_text("Customer")
    page.click("text=Start the first import")
    expect(page.locator("#import")).to_contain_text("From now on all goes by itself.", timeout=90_000)
    link = page.locator("#import a", has_text="in Mautic")
    contact = int(link.inner_text().split()[1])
    expect(link).to_have_attribute("href", f"{site.mautic.url}/s/contacts/view/{contact}")
    assert contact in site.mautic.state.contacts
    page.reload()
    expect(page.locator("main")).to_contain_text("6 of 6 done.")


def test_a_preview_shows_what_would_be_sent_and_sends_nothing(site: Site) -> None:
    connector_id = site.connect()
    page = site.page(Role.SUPPORT, viewport={"width": 360, "height": 740}, color_scheme="dark")
    page.goto(f"{site.url}/connectors/{connector_id}/orders")
    before = len(site.mautic.state.contacts)
    page.locator("#import").get_by_role("link", name="Preview").click()
    expect(page.locator("#cost + .stats")).to_contain_text(re.compile(r"Records\s*\d+"))
    expect(page.locator("main h3").first).to_contain_text("Order")
    expect(page.locator("main")).to_contain_text("mautic_woo_total_spent")
    # The text is there before the style sheets are.
    page.wait_for_load_state()
    assert page.evaluate("document.documentElement.scrollWidth") == 360
    page.fill("input[name=since]", "2198-01-01T00:00")
    page.click("text=Show again")
    expect(page.locator("main")).to_contain_text("The store has no such records.")
    assert len(site.mautic.state.contacts) == before
