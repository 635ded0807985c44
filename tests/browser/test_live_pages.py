"""Pages that change by themselves."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from playwright.sync_api import Page, expect
from sqlalchemy import select

from integration.events import Origin
from integration.models import Delivery, Reconciliation, Role, Run
from integration.models.schedule import Schedule
from integration.operations.identity import accounts
from integration.pipeline import outbox
from integration.pipeline.connectors import connectors
from integration.pipeline.runs import lifecycle as run_lifecycle, progress as run_progress
from integration.store import parse
from tests.browser.conftest import Site


def test_a_far_moment_is_counted_down_in_days(site: Site) -> None:
    connector_id = site.connect()
    with site.services.db.write() as session:
        schedule = session.get_one(Schedule, (connector_id, connectors.INCREMENTAL))
        schedule.next_run_at = site.services.clock.now() + timedelta(days=6, hours=23, minutes=59)
    page = site.page(Role.VIEWER)
    page.goto(f"{site.url}/connectors/{connector_id}/")
    expect(page.locator("[data-until]")).to_have_text("in 7 days")
    page.wait_for_timeout(1_500)
    expect(page.locator("[data-until]")).to_have_text("in 7 days")


# -- parts that ask for themselves ------------------------------------------------------------------------------------

#: What Chromium itself writes when nobody answers: no page can keep it from doing so.
BY_THE_BROWSER = "Failed to load resource: net::ERR_"
PARTS = ("state", "run", "import", "reconciliation-progress")


def watched(page: Page) -> list[str]:
    """What goes wrong on a page from now on, as its console has it."""
    found: list[str] = []
    page.on("console", lambda said: found.append(said.text) if said.type in ("error", "warning") else None)
    page.on("pageerror", lambda error: found.append(str(error)))
    return found


def go_on(site: Site, connector_id: int) -> tuple[int, int]:
    """A run and a reconciliation that go, and that nobody works on."""
    numbers = []
    with site.services.db.write() as session:
        for kind in (Run, Reconciliation):
            run = kind(connector_id=connector_id, state="RUNNING", trigger="test", phase="")
            run.kind = "full" if kind is Run else "reconciliation"
            run.created_at = run.started_at = site.services.clock.now()
            run.lease_token, run.leased_until = "elsewhere.1.1.test", run.created_at + timedelta(hours=1)
            session.add(run)
            session.flush()
            numbers.append(run.id)
    return numbers[0], numbers[1]


def ask_now(page: Page) -> None:
    """Let the page ask at once, as it does when the device is online again, whatever pause it is in."""
    page.evaluate("dispatchEvent(new Event('online'))")


@pytest.fixture
def live(site: Site) -> tuple[int, dict[str, str]]:
    """A connector, and the pages of it with parts that refresh themselves, by the part."""
    connector_id = site.connect()
    run_id, _ = go_on(site, connector_id)
    base = f"{site.url}/connectors/{connector_id}"
    addresses = (f"{base}/", f"{base}/runs/{run_id}?level=info", f"{base}/contacts", f"{base}/reconciliation")
    return run_id, dict(zip(PARTS, addresses, strict=True))


def lose_cookies(page: Page) -> None:
    """Sign a page out just when it was answered: an answer that is still on its way would bring the cookie back."""
    with page.expect_response(lambda answer: "hx-request" in answer.request.headers):
        ask_now(page)
    page.context.clear_cookies()


def moment(page: Page) -> str:
    shown = page.locator(".live-line time").inner_text()
    assert re.fullmatch(r"\d\d:\d\d:\d\d", shown)
    return shown


def test_every_live_part_says_when_it_was_refreshed_and_leaves_the_console_clean(
    site: Site, live: tuple[int, dict[str, str]]
) -> None:
    run_id, addresses = live
    page = site.page(Role.SUPPORT)
    found = watched(page)
    for part, address in addresses.items():
        page.goto(address)
        before = moment(page)
        if part == "run":
            with site.services.db.write() as session:
                run_lifecycle.add_line(session, site.services.clock.now(), run_id, "A line that came later.")
        page.wait_for_timeout(1_000)
        ask_now(page)
        expect(page.locator(".live-line time")).not_to_have_text(before)
        expect(page.locator(f"#{part}")).to_be_visible()
    page.goto(addresses["run"])
    before = moment(page)
    expect(page.locator(".live-line time")).not_to_have_text(before)
    expect(page.locator("#run-lines")).to_contain_text("A line that came later.")
    for path in ("connection", "records", "runs", "dead-letters", "activity", "diagnostics", "logs"):
        page.goto(addresses["state"] + path)
    assert found == []


def test_a_part_that_cannot_be_refreshed_says_why_and_goes_on(
    site: Site, live: tuple[int, dict[str, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    run_id, addresses = live
    page = site.page(Role.SUPPORT)
    found = watched(page)
    page.goto(addresses["run"])
    problem, said = page.locator("[data-live-problem]"), page.locator("#live-said")
    expect(problem).to_be_hidden()

    with monkeypatch.context() as broken:
        broken.setattr(run_progress, "progress", lambda *values: 1 / 0)
        ask_now(page)
        expect(problem).to_have_text("The application answers with an error. It goes on by itself.")
    expect(said).to_have_text("This page is not refreshed. The application answers with an error.")
    ask_now(page)
    expect(problem).to_be_hidden()
    expect(said).to_have_text("This page is refreshed again.")

    page.context.set_offline(True)
    expect(problem).to_have_text("Your device is offline. It goes on by itself.")
    page.context.set_offline(False)
    expect(problem).to_be_hidden()

    cookies = page.context.cookies()
    lose_cookies(page)
    ask_now(page)
    expect(problem).to_contain_text("You are signed out.")
    link = problem.get_by_role("link", name="Sign in again")
    back = re.compile(re.escape("/sign-in?next=%2Fconnectors%2F1%2Fruns%2F1%3Flevel%3Dinfo") + "$")
    expect(link).to_have_attribute("href", back)
    page.context.add_cookies(cookies)  # type: ignore[arg-type]  # as Playwright gave them
    ask_now(page)
    expect(problem).to_be_hidden()
    assert found == []

    page.route("**/runs/*after*", lambda route: route.abort())
    ask_now(page)
    expect(problem).to_have_text("The application does not answer. It goes on by itself.")
    page.unroute_all()
    ask_now(page)
    expect(problem).to_be_hidden()
    assert {text[: len(BY_THE_BROWSER)] for text in found} == {BY_THE_BROWSER}
    found.clear()

    with site.services.db.write() as session:
        session.delete(session.get_one(Run, run_id))
    ask_now(page)
    expect(problem).to_have_text("What is shown here is no longer there. It goes on by itself.")
    assert found == []


def test_one_signs_in_again_and_is_back_where_one_was(site: Site, live: tuple[int, dict[str, str]]) -> None:
    _, addresses = live
    accounts.set_password(site.services, site.users[Role.SUPPORT], "correct horse battery")
    page = site.page(Role.SUPPORT, viewport={"width": 360, "height": 740})
    page.goto(addresses["state"])
    lose_cookies(page)
    ask_now(page)
    page.get_by_role("link", name="Sign in again").click()
    page.get_by_label("E-mail address").fill("support@example.com")
    page.get_by_label("Password").fill("correct horse battery")
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url(addresses["state"])


def test_what_is_asked_at_a_click_says_why_nothing_came(site: Site) -> None:
    connector_id = site.connect()
    order = site.store.shop.place_order(billing={"email": "ada@example.com"}, status="completed")
    now = site.services.clock.now()
    with site.services.db.write() as session:
        outbox.accept(session, now, connector_id, [parse.order_change(order, Origin.WEBHOOK, now)])
        key = session.scalars(select(Delivery.id)).one()
    page = site.page(Role.SUPPORT)
    found = watched(page)
    page.goto(f"{site.url}/connectors/{connector_id}/records/{key}", wait_until="networkidle")
    page.context.set_offline(True)
    page.get_by_role("link", name="Compare with the store now").click()
    expect(page.locator("#comparison")).to_contain_text("Your device is offline. Try it again.")
    page.context.set_offline(False)
    page.get_by_role("link", name="Compare with the store now").click()
    expect(page.locator("#live-comparison")).to_have_count(0)
    expect(page.locator("#comparison")).to_contain_text("ada@example.com")
    assert found == []
