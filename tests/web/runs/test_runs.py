"""The Runs pages: list, one run, its records, cancel, pause and resume."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta

from sqlalchemy import delete, update

from integration.models import AuditEntry, Connector, Delivery, Run, RunState
from integration.pipeline.runs import lifecycle as run_lifecycle
from integration.pipeline.services import Services
from tests.web.conftest import Person, Settle, text_of
from tests.web.runs.conftest import end

URL = "https://shop.example"


def test_what_ended_badly_or_is_still_tried_is_said(
    viewer: Person, page: str, record: Settle, services: Services, run_id: int
) -> None:
    later = record(1, None, wait=timedelta(minutes=5), faults=1, error_code="timeout", message="No answer.")
    with services.db.write() as session:
        session.execute(update(Delivery).where(Delivery.id == later).values(run_id=run_id))
        run = session.get_one(Run, run_id)
        run.pulled, run.failed = 1200, 1100
    end(services, run_id, RunState.COMPLETED)
    text = text_of(viewer.get(page))
    assert "1,100 records could not be sent." in text
    assert "1 record is tried again later." in text
    with services.db.write() as session:
        session.execute(delete(Delivery))
    assert "none of them reached Mautic" in text_of(viewer.get(page))
    with services.db.write() as session:
        session.get_one(Run, run_id).skipped = 100
    text = text_of(viewer.get(page))
    assert "Of the others nothing had to be written to Mautic" in text
    assert "reached Mautic" not in text


def test_a_dry_run_shows_its_forecast_field_by_field(
    viewer: Person, page: str, services: Services, run_id: int
) -> None:
    with services.db.write() as session:
        run = session.get_one(Run, run_id)
        run.options = {"dry_run": True, "since": "2026-11-01T00:00:00+00:00", "ids": [7, 12]}
        run.cursor = {
            "forecast": {"create": 60, "update": 2, "notes": 1, "fields": 3, "new.city": 2, "blanked.city": 1}
        }
    text = text_of(viewer.get(page))
    assert "It would cost about 3 calls to Mautic" in text
    assert "Contacts created 60" in text
    assert "city 2 0 1" in text
    assert "dry run; changed since 1 Nov 2026, 00:00:00 UTC ; only these ids 7, 12" in text


def test_the_list_is_filtered_and_bad_values_are_said(
    viewer: Person, services: Services, connector_id: int, run_id: int
) -> None:
    address = f"/connectors/{connector_id}/runs"
    assert "In progress Initial import" in text_of(viewer.get(f"{address}?kind=initial&state=RUNNING&trigger=ME"))
    assert "1 run found." in text_of(viewer.get(f"{address}?kind=initial"))
    assert "No run fits this filter." in text_of(viewer.get(f"{address}?kind=full"))
    assert "There is no kind “odd”" in text_of(viewer.get(f"{address}?kind=odd&since=never"))
    assert "Runs in 24 hours 1" in text_of(viewer.get(address))


def test_the_records_of_a_run_have_operation_and_status(
    viewer: Person, page: str, record: Settle, services: Services, run_id: int
) -> None:
    first, second = record(1, result="created", contact_id=7), record(2, "dead", error_code="refused", message="No.")
    with services.db.write() as session:
        session.execute(update(Delivery).where(Delivery.id.in_([first, second])).values(run_id=run_id))
    text = text_of(viewer.get(f"{page}/records"))
    assert "Order 1 7 CREATE SUCCESS" in text
    assert "Order 2 SYNC FAILED No." in text
    assert "CREATE SUCCESS" in text_of(viewer.get(page))
    assert "Orders 1 1 0 0 0" in text
    failed = text_of(viewer.get(f"{page}/records?status=failed"))
    assert "SYNC FAILED" in failed
    assert "CREATE SUCCESS" not in failed
    assert "No record of this run is so." in text_of(viewer.get(f"{page}/records?status=conflict"))
    odd = text_of(viewer.get(f"{page}/records?status=odd&before=x"))
    assert "There is no status “odd”" in odd
    assert "CREATE SUCCESS" in odd


def test_support_cancels_and_viewers_cannot(
    viewer: Person,
    support: Person,
    page: str,
    services: Services,
    run_id: int,
    audit_of: Callable[[str], list[AuditEntry]],
) -> None:
    assert "Cancel" not in text_of(viewer.get(page))
    assert viewer.post(f"{page}/cancel").status_code == 403
    assert "stops after the batch" in text_of(support.post(f"{page}/cancel", follow_redirects=True))
    with services.db.read() as session:
        assert session.get_one(Run, run_id).cancel_asked_at is not None
    being = text_of(support.get(page))
    assert "Being cancelled" in being and "what waits is not sent" in being
    assert "Now " not in being and " left" not in being
    assert not re.search(r"\bCancel\b", being)
    assert [entry.entity for entry in audit_of("SYNC_CANCELLED")] == [f"run {run_id}"]


def test_a_failed_run_is_resumed_unless_another_goes(
    support: Person, page: str, services: Services, run_id: int, connector_id: int
) -> None:
    end(services, run_id, RunState.FAILED)
    other = run_lifecycle.start(services, connector_id, "incremental", trigger="schedule")
    assert "going already" in text_of(support.post(f"{page}/resume", follow_redirects=True))
    end(services, other, RunState.COMPLETED)
    assert "The run goes on." in text_of(support.post(f"{page}/resume", follow_redirects=True))


def test_the_list_names_kind_state_and_figures(
    viewer: Person, services: Services, connector_id: int, run_id: int
) -> None:
    listed = text_of(viewer.get(f"/connectors/{connector_id}/runs"))
    assert "In progress Initial import me" in listed


def test_without_runs_the_page_says_what_would_fill_it(viewer: Person, connector_id: int) -> None:
    assert "There was no run yet." in text_of(viewer.get(f"/connectors/{connector_id}/runs?before=x"))


def test_a_stranger_and_a_wrong_connector_see_nothing(stranger: Person, viewer: Person, page: str) -> None:
    listed = page.rsplit("/", 1)[0]
    for address in (page, f"{page}/records", listed, f"{listed}?kind=initial"):
        assert stranger.get(address).status_code == 404
    assert stranger.post(f"{page}/cancel").status_code == 404
    assert stranger.post(f"{page}/resume").status_code == 404
    assert viewer.get(page.replace("/runs/", "/runs/9")).status_code == 404


def test_a_run_that_a_process_has_is_paused_after_its_page(support: Person, page: str) -> None:
    asked = text_of(support.post(f"{page}/pause", follow_redirects=True))
    assert "Being paused" in asked and "It rests after the page" in asked
    asked = text_of(support.post(f"{page}/cancel", follow_redirects=True))
    assert "Being cancelled" in asked and "It rests after the page" not in asked


def test_a_run_is_paused_and_resumed_on_its_page(
    support: Person, viewer: Person, services: Services, connector_id: int, audit_of: Callable
) -> None:
    run_id = run_lifecycle.start(services, connector_id, "bulk", trigger="admin@example.com")
    page = f"/connectors/{connector_id}/runs/{run_id}"
    assert viewer.post(f"{page}/pause").status_code == 403
    said = text_of(support.post(f"{page}/pause", follow_redirects=True))
    assert "What it has read is still sent." in said and "Paused" in said and "Resume" in said
    assert f"{page}/pause" not in support.get(page).text
    again = text_of(support.post(f"{page}/pause", follow_redirects=True))
    assert "The run is not going, is being stopped already, or is of a kind" in again
    assert "The run goes on." in text_of(support.post(f"{page}/resume", follow_redirects=True))
    assert [entry.entity for entry in audit_of("SYNC_PAUSED")] == [f"run {run_id}"]


def test_a_run_that_is_to_rest_is_not_paused_again_on_other_pages(
    support: Person, services: Services, connector_id: int
) -> None:
    run_id = run_lifecycle.start(services, connector_id, "bulk", trigger="admin@example.com")
    address, ready = f"/connectors/{connector_id}/runs/{run_id}/pause", dict.fromkeys(("store_url", "mautic_url"), URL)
    pages = (f"/connectors/{connector_id}/", f"/connectors/{connector_id}/contacts")
    with services.db.write() as session:
        session.execute(update(Connector).values(**ready))
        session.execute(update(Run).values(state="RUNNING"))
    assert all(address in support.get(page).text for page in pages)
    run_lifecycle.pause(services, run_id)
    assert not any(address in support.get(page).text for page in pages)
