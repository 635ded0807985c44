"""What store owner, support and administrator do, in a real browser."""

from __future__ import annotations

import re

from playwright.sync_api import ConsoleMessage, Page, expect

from integration.models import Role
from integration.pipeline.runs import lifecycle as run_lifecycle
from tests.browser.conftest import Site
from tests.browser.reloading import reload_until, whole_text

DONE = "The initial import was done"


def import_all(site: Site, page: Page, connector_id: int) -> None:
    page.goto(f"{site.url}/connectors/{connector_id}/contacts")
    page.click("text=Run initial import")
    expect(page.locator("#import")).to_contain_text(DONE, timeout=90_000)


def test_both_systems_are_connected_by_typing_and_tested_step_by_step(site: Site) -> None:
    page = site.page()
    page.goto(f"{site.url}/connectors/new")
    page.fill("input[name=name]", "My shop")
    page.click("main form button[type=submit]")
    expect(page).not_to_have_url(re.compile("/connectors/new"))
    page.goto(f"{site.url}/connectors/1/connection")
    page.fill("input[name=store_url]", site.store.url)
    page.fill("input[name=store_key]", site.store.credentials.key)
    page.fill("input[name=store_secret]", "cs_wrong")
    page.fill("input[name=mautic_url]", site.mautic.url)
    page.fill("input[name=mautic_client_id]", site.mautic.credentials.client_id)
    page.fill("input[name=mautic_client_secret]", site.mautic.credentials.client_secret)
    page.click("text=Test connection")
    expect(page.locator("main")).to_contain_text(re.compile("secret", re.IGNORECASE))
    expect(page.locator("main")).to_contain_text("This is Mautic 5.2.1")
    expect(page.locator("input[name=store_url]")).to_have_value(site.store.url)
    page.fill("input[name=store_secret]", site.store.credentials.secret)
    page.click("text=Test connection")
    expect(page.locator("main")).to_contain_text("The key is valid and may read and write")
    # The button rests until the last step is told.
    expect(page.get_by_role("button", name="Test connection")).to_be_enabled()
    assert site.mautic.credentials.client_secret not in page.content()


def test_an_import_is_started_followed_and_read_in_the_sync_log(site: Site) -> None:
    connector_id = site.connect()
    page = site.page(Role.SUPPORT)
    import_all(site, page, connector_id)
    page.click("nav.tabs >> text=Tools")
    page.click("text=View Sync Log")
    heads = [re.compile(r"^Time \("), "Type", "Object ID", "Action", "Status", "Contact ID", "Message"]
    expect(page.locator(".log-table thead th")).to_have_text(heads)
    expect(page.locator(".log-table tbody tr")).to_have_count(25)
    expect(page.locator(".pagination")).to_contain_text(re.compile(r"page 1 of \d"))
    page.click(".pagination >> text=Next")
    expect(page.locator(".pagination")).to_contain_text(re.compile(r"page 2 of \d"))
    page.select_option("select[name=type]", "order")
    page.select_option("select[name=size]", "10")
    page.get_by_role("button", name="Filter", exact=True).click()
    expect(page.locator(".log-table tbody tr")).to_have_count(10)
    expect(page).to_have_url(re.compile("type=order"))
    expect(page.locator("td[data-label=Type]")).to_have_text(["Order"] * 10)


def test_support_clears_the_log_and_a_viewer_is_refused(site: Site) -> None:
    connector_id = site.connect()
    page = site.page(Role.SUPPORT)
    import_all(site, page, connector_id)
    looker = site.page(Role.VIEWER)
    looker.goto(f"{site.url}/connectors/{connector_id}/tools/log")
    expect(looker.locator(".log-table tbody tr")).to_have_count(25)
    expect(looker.locator("text=Clear Sync Log")).to_have_count(0)
    refused = looker.goto(f"{site.url}/connectors/{connector_id}/tools/clear")
    assert refused is not None
    assert refused.status == 403
    page.goto(f"{site.url}/connectors/{connector_id}/tools")
    page.click("text=Clear Sync Log")
    expect(page.locator("main")).to_contain_text("Contacts in Mautic and the data of the store stay as they are.")
    page.click("main form button")
    expect(page.locator("main")).to_contain_text("were cleared from the Sync Log")
    expect(page.locator("main")).to_contain_text("0 entries in total.")


def test_a_hold_stands_on_every_page_and_goes_by_itself(site: Site) -> None:
    connector_id = site.connect()
    site.mautic.faults.command({"kind": "down"})
    run_lifecycle.start(site.services, connector_id, "initial", trigger="test")
    page = site.page(Role.VIEWER)
    page.goto(f"{site.url}/connectors/{connector_id}/tools")
    reload_until(page, "Sending is on hold")
    for place in ("tools", "contacts", "orders", "fields", "runs", "connection"):
        page.goto(f"{site.url}/connectors/{connector_id}/{place}")
        expect(page.locator("main")).to_contain_text("Sending is on hold")
        expect(page.locator("main")).to_contain_text("Nothing is lost")
    site.mautic.faults.clear()
    reload_until(page, "Sending is on hold", there=False)


def test_debug_mode_shows_masked_exchanges(site: Site) -> None:
    connector_id = site.connect()
    page = site.page()
    page.goto(f"{site.url}/connectors/{connector_id}/connection")
    page.get_by_role("button", name=re.compile("debug", re.IGNORECASE)).first.click()
    expect(page.locator("main")).to_contain_text(re.compile("Debug mode is on until"))
    import_all(site, page, connector_id)
    page.goto(f"{site.url}/connectors/{connector_id}/logs")
    assert "/api/contacts/batch/new" in whole_text(page)
    text = page.content()
    for secret in (site.store.credentials.secret, site.mautic.credentials.client_secret, "Bearer ey"):
        assert secret not in text


def test_everything_works_without_scripts(site: Site) -> None:
    connector_id = site.connect()
    page = site.page(Role.ADMIN, java_script_enabled=False)
    page.goto(f"{site.url}/connectors/{connector_id}/connection")
    page.click("text=Test connection")
    expect(page.locator("main")).to_contain_text("This is Mautic 5.2.1")
    page.goto(f"{site.url}/connectors/{connector_id}/contacts")
    page.click("text=Run initial import")
    expect(page.locator("#import")).to_contain_text("Look at this run")
    reload_until(page, DONE)
    page.goto(f"{site.url}/connectors/{connector_id}/tools/log?status=error")
    expect(page.locator(".log-table tbody tr")).not_to_have_count(0)


def test_no_page_scrolls_sideways_or_breaks_the_security_policy(site: Site) -> None:
    connector_id = site.connect()
    import_all(site, site.page(), connector_id)
    places = [
        "",
        "setup",
        "connection",
        "contacts",
        "orders",
        "fields",
        "tools",
        "tools/log",
        "tools/clear",
        "runs",
        "runs/1",
        "logs",
    ]
    problems: list[str] = []
    for scheme in ("light", "dark"):
        page = site.page(color_scheme=scheme, viewport={"width": 360, "height": 740})
        page.on("console", lambda message: _note(problems, message))
        page.on("pageerror", lambda error: problems.append(str(error)))
        for place in places:
            page.goto(f"{site.url}/connectors/{connector_id}/{place}")
            width = page.evaluate("document.documentElement.scrollWidth")
            if width > 360:
                problems.append(f"{place} is {width} px wide in {scheme}")
    assert problems == []


def _note(problems: list[str], message: ConsoleMessage) -> None:
    """Keep warnings and errors; Chromium's verbose advice on forms is neither."""
    if message.type in ("warning", "error"):
        problems.append(f"{message.type}: {message.text}")


def test_the_keyboard_is_enough(site: Site) -> None:
    connector_id = site.connect()
    page = site.page(Role.SUPPORT)
    page.goto(f"{site.url}/connectors/{connector_id}/tools")
    page.keyboard.press("Tab")
    assert "main" in (page.evaluate("document.activeElement.getAttribute('href')") or "")
    for _ in range(40):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.textContent.trim()") == "View Sync Log":
            break
    page.keyboard.press("Enter")
    page.wait_for_url("**/tools/log")
