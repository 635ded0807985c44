"""What support staff do when something did not arrive, in a real browser."""

from __future__ import annotations

import re

from playwright.sync_api import expect

from integration.models import Organisation, Role
from integration.operations.identity import accounts
from integration.pipeline.runs import lifecycle as run_lifecycle
from tests.browser.arrivals import order_arrives
from tests.browser.conftest import Site
from tests.browser.reloading import reload_until
from tests.conftest import NOON

#: A run goes on until a test says that it is enough, however late its page comes.
SLOW = {"kind": "delay_per_record", "value": 1.5}


def test_a_live_run_is_followed_and_paused(site: Site) -> None:
    connector_id = site.connect()
    site.mautic.faults.command(SLOW)
    run_id = run_lifecycle.start(site.services, connector_id, "initial", trigger="test")
    page = site.page(Role.VIEWER)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url) if "/runs/" in request.url else None)
    page.goto(f"{site.url}/connectors/{connector_id}/runs/{run_id}")
    expect(page.locator("main")).to_contain_text("Batch of", timeout=60_000)
    button = page.get_by_role("button", name="Stop refreshing")
    button.click()
    expect(page.get_by_role("button", name="Go on refreshing")).to_be_visible()
    # What was under way when the button was pressed may still come.
    page.wait_for_timeout(500)
    asked.clear()
    page.wait_for_timeout(6_000)
    assert asked == []
    page.get_by_role("button", name="Go on refreshing").click()
    site.mautic.faults.clear()
    expect(page.locator("main")).to_contain_text("Completed", timeout=90_000)


def test_a_failed_order_is_found_by_its_number_and_sent_again(site: Site) -> None:
    connector_id = site.connect()
    site.mautic.faults.command({"kind": "status", "value": 400, "path": "/api/contacts"})
    order = order_arrives(site, connector_id, "ada@example.com")
    page = site.page(Role.SUPPORT)
    page.goto(f"{site.url}/connectors/{connector_id}/dead-letters")
    reload_until(page, "1 dead letter found.")
    expect(page.locator(".menu-badge").first).to_have_text("1")
    page.fill("header input[name=q]", str(order["number"]))
    page.press("header input[name=q]", "Enter")
    page.wait_for_url(lambda url: "/dead-letters" not in url)
    expect(page.locator("main")).to_contain_text("Failed")
    site.mautic.faults.clear()
    page.goto(f"{site.url}/connectors/{connector_id}/records?source={order['number']}")
    page.click(f".records-table >> text={order['number']}")
    expect(page.locator("main")).to_contain_text("HTTP 400")
    page.click("text=Send again")
    expect(page.locator("main")).to_contain_text("The record is sent again")
    reload_until(page, "Mautic confirmed it.")
    page.click("text=Compare with the store now")
    expect(page.locator("#comparison")).to_contain_text("Would be sent now")
    assert "ada@example.com" in {str(c.values.get("email")) for c in site.mautic.state.contacts.values()}


def test_a_run_is_cancelled_while_mautic_hangs(site: Site) -> None:
    connector_id = site.connect()
    site.mautic.faults.command({"kind": "hang", "value": 20, "path": "/api/contacts/batch"})
    run_id = run_lifecycle.start(site.services, connector_id, "initial", trigger="test")
    page = site.page(Role.SUPPORT)
    page.goto(f"{site.url}/connectors/{connector_id}/runs/{run_id}")
    reload_until(page, "Read page")
    page.get_by_role("button", name="Cancel").click()
    # It is said once: a page loaded again would not say it.
    expect(page.locator("main")).to_contain_text("What was sent stays")
    reload_until(page, "Cancelled")
    site.mautic.faults.clear()


def test_a_connector_is_paused_and_resumed(site: Site) -> None:
    connector_id = site.connect()
    page = site.page(Role.ADMIN)
    page.goto(f"{site.url}/connectors/{connector_id}/")
    page.locator("summary", has_text="⋯").click()
    page.get_by_text(re.compile("^Pause")).first.click()
    page.locator("main form").get_by_role("button", name=re.compile("Pause")).click()
    expect(page.locator("main")).to_contain_text("The connector is paused.")
    expect(page.locator("main")).to_contain_text("Paused")
    order_arrives(site, connector_id, "ada@example.com")
    page.goto(f"{site.url}/connectors/{connector_id}/records")
    expect(page.locator("main")).to_contain_text("Waiting")
    page.goto(f"{site.url}/connectors/{connector_id}/")
    page.locator("summary", has_text="⋯").click()
    page.get_by_role("button", name=re.compile("Resume")).first.click()
    expect(page.locator("main")).to_contain_text("The connector is resumed")
    page.goto(f"{site.url}/connectors/{connector_id}/records")
    reload_until(page, "Success")


def test_nobody_sees_another_organisations_records(site: Site) -> None:
    connector_id = site.connect()
    order = order_arrives(site, connector_id, "secret@example.com")
    with site.services.db.write() as session:
        session.add(Organisation(name="Other Ltd", created_at=NOON))
    site.users[Role.ADMIN] = accounts.create_user(site.services, 2, "other@example.com", Role.ADMIN)
    page = site.page(Role.ADMIN)
    for place in ("", "records", "dead-letters", "runs", "activity", "tools/log"):
        answer = page.goto(f"{site.url}/connectors/{connector_id}/{place}")
        assert answer is not None
        assert answer.status == 404
    for words in (str(order["number"]), "secret@example.com"):
        page.goto(f"{site.url}/search?q={words}")
        expect(page.locator("main")).to_contain_text(f"Nothing fits “{words}”.")
        expect(page.locator(f"main a[href*='/connectors/{connector_id}/']")).to_have_count(0)


def test_the_pages_fit_a_small_screen_in_light_and_dark(site: Site) -> None:
    connector_id = site.connect()
    site.mautic.faults.command({"kind": "status", "value": 400, "path": "/api/contacts"})
    order_arrives(site, connector_id, "ada@example.com")
    page = site.page(Role.SUPER)
    page.goto(f"{site.url}/connectors/{connector_id}/dead-letters")
    reload_until(page, "1 dead letter found.")
    here = f"/connectors/{connector_id}"
    places = [
        *(f"{here}/{name}" for name in ("", "records", "records/1", "records/1/edit", "dead-letters", "activity")),
        *(f"{here}/{name}" for name in ("runs", "reconciliation", "diagnostics", "logs")),
        *("/audit", "/alerts", "/users", "/tokens", "/platform", "/storage", "/search?q=ada@example.com"),
    ]
    problems: list[str] = []
    for scheme in ("light", "dark"):
        small = site.page(Role.SUPER, color_scheme=scheme, viewport={"width": 360, "height": 740})
        small.on("pageerror", lambda error: problems.append(str(error)))
        small.on("console", lambda message: problems.append(message.text) if message.type == "error" else None)
        for place in places:
            answer = small.goto(f"{site.url}{place}")
            if answer is None or answer.status != 200:
                problems.append(f"{place} answers {answer and answer.status}")
            width = small.evaluate("document.documentElement.scrollWidth")
            if width > 360:
                problems.append(f"{place} is {width} px wide in {scheme}")
    assert problems == []
