"""Pages that change by themselves."""

from __future__ import annotations

from datetime import timedelta

from playwright.sync_api import expect

from integration.models import Role
from integration.models.schedule import Schedule
from integration.pipeline.connectors import connectors
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
