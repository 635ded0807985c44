"""An administrator erases a person in a real browser: looks first, confirms, and reads the receipt."""

from __future__ import annotations

from playwright.sync_api import expect
from sqlalchemy import ColumnElement, exists, select

from integration.models import Delivery, Erasure, Role, Run
from integration.pipeline.runs import lifecycle as run_lifecycle
from tests.browser.conftest import Site
from tests.waiting import wait_for


def _has(site: Site, which: ColumnElement[bool]) -> bool:
    with site.services.db.read() as session:
        return bool(session.scalar(select(exists().where(which))))


def test_a_person_is_looked_for_erased_and_proved(site: Site) -> None:
    number = site.connect()
    email = next(each.email for each in site.store.state.people.values() if each.role == "customer")
    run_lifecycle.start(site.services, number, "initial", trigger="test")
    wait_for(lambda: _has(site, Run.state == "COMPLETED"), "the end of the import")
    page = site.page(Role.ADMIN)
    page.goto(f"{site.url}/privacy")
    page.get_by_role("textbox", name="E-mail address", exact=True).first.fill(email)
    page.get_by_label("In Mautic").select_option("delete")
    page.get_by_role("button", name="Look what would be removed").click()
    expect(page.get_by_text(f"What would be removed of {email}")).to_be_visible()
    page.get_by_role("button", name="Erase for good").click()
    expect(page.get_by_role("heading", name="Receipt of an erasure")).to_be_visible()
    wait_for(lambda: _has(site, Erasure.ended_at.is_not(None)), "the end of the erasure")
    page.reload()
    expect(page.get_by_text("The person is erased.")).to_be_visible()
    assert email not in page.content()
    with page.expect_download() as download:
        page.get_by_role("link", name="Download as text").click()
    assert "Receipt of an erasure" in download.value.path().read_text()
    with site.services.db.read() as session:
        assert not [row for row in session.scalars(select(Delivery)) if email in str(row.payload)]
