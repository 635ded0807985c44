"""Field mapping as a store owner does it: add a row, try it, save it, take it back."""

from __future__ import annotations

from playwright.sync_api import expect

from integration.models import Role
from tests.browser.conftest import Site


def test_a_row_is_added_tried_saved_and_taken_back(site: Site) -> None:
    number = site.connect()
    page = site.page(Role.ADMIN)
    page.goto(f"{site.url}/connectors/{number}/mapping")
    page.get_by_role("button", name="Add a row").click()
    page.get_by_label("Store value", exact=True).fill("made.order_number")
    page.get_by_label("Mautic field", exact=True).select_option("position")
    page.get_by_role("button", name="Try", exact=True).click()
    expect(page.locator("#tried tbody")).to_contain_text("The store's value would be sent.")
    # Enter saves, and does not take the first row out.
    page.locator("summary").filter(has_text="Order number").click()
    page.get_by_label("Store value", exact=True).press("Enter")
    expect(page.locator("main")).to_contain_text("The mapping was saved.")
    page.locator("summary").filter(has_text="Order number").click()
    page.get_by_role("button", name="Remove this row").click()
    expect(page.locator("main")).to_contain_text("There is no row yet.")
    page.get_by_role("button", name="Save the mapping").click()
    expect(page.locator("main")).to_contain_text("The mapping was saved.")
    expect(page.locator("main")).to_contain_text("There is no row yet.")
    page.get_by_role("button", name="Go back to it").click()
    expect(page.locator("main")).to_contain_text("Version 1 is in use again.")
    expect(page.locator("summary").filter(has_text="Order number")).to_be_visible()
