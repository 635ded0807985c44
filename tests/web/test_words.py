"""The words of pages: one name for one thing, whichever page says it."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest

from integration.models import Attempt
from integration.models.audit import AuditAction
from integration.models.run import Run, RunState
from integration.operations import audit
from integration.pipeline.runs import lifecycle as run_lifecycle
from integration.pipeline.services import Services
from integration.pipeline.sync_log import writing as sync_log_writing
from integration.streams import STREAMS, Stream
from tests.web.conftest import Person, text_of


@pytest.fixture
def note(services: Services, connector_id: int) -> Callable[..., None]:
    """Writes entries into the Sync Log."""

    def write(action: str, status: str = "success", message: str = "Done.") -> None:
        entry = sync_log_writing.Entry(
            connector_id, services.clock.now(), "order", "1042", action, status=status, message=message
        )
        with services.db.write() as session:
            sync_log_writing.record(session, [entry])

    return write


def cells(page: str, label: str) -> list[str]:
    """The cells of a column, tags left out."""
    found = re.findall(rf'<td data-label="{label}"[^>]*>(.*?)</td>', page, re.DOTALL)
    return [" ".join(re.sub(r"<[^>]+>", " ", cell).split()) for cell in found]


def test_what_was_skipped_is_no_success(viewer: Person, connector_id: int, note: Callable[..., None]) -> None:
    for action, status in (("skip", "success"), ("create_or_update", "success"), ("create_note", "error")):
        note(action, status)
    log = f"/connectors/{connector_id}/tools/log"
    page = viewer.get(log).text
    assert cells(page, "Status") == ["Error", "Success", "Skipped"]
    assert re.search(r'badge-muted">Skipped', page)
    for status, action in (("skipped", "Skip"), ("success", "Create or update"), ("error", "Create note")):
        found = viewer.get(f"{log}?status={status}")
        assert cells(found.text, "Action") == [action]
        assert "1 entry found." in text_of(found)


def test_actions_are_named_alike_in_filter_and_table(
    viewer: Person, connector_id: int, note: Callable[..., None]
) -> None:
    for action in ("create_or_update", "verify", "add_to_segment"):
        note(action)
    page = viewer.get(f"/connectors/{connector_id}/tools/log").text
    offered = re.search(r'<select name="action">(.*?)</select>', page, re.DOTALL)
    assert offered
    words = re.findall(r">([^<]+)</option>", offered[1])
    assert set(cells(page, "Action")) <= set(words)
    assert cells(page, "Action") == ["Add to segment", "Read back", "Create or update"]


@pytest.fixture
def run(services: Services, connector_id: int) -> Callable[..., int]:
    """Makes runs of a state; returns their ids."""

    def make(state: RunState, **values: Any) -> int:
        run_id = run_lifecycle.start(services, connector_id, "full", trigger="ann")
        with services.db.write() as session:
            row = session.get_one(Run, run_id)
            row.state = state
            for name, value in {"ended_at": None if state == "RUNNING" else services.clock.now(), **values}.items():
                setattr(row, name, value)
        return run_id

    return make


def test_a_state_of_a_run_has_one_name(viewer: Person, connector_id: int, run: Callable[..., int]) -> None:
    home = f"/connectors/{connector_id}"
    for state, words in (("COMPLETED", "Completed"), ("CANCELLED", "Cancelled"), ("RUNNING", "In progress")):
        run_id = run(RunState(state))
        listed = viewer.get(f"{home}/runs?state={state}").text
        assert f'value="{state}" selected>{words}</option>' in listed
        assert cells(listed, "State") == [words]
        assert words in text_of(viewer.get(f"{home}/runs/{run_id}"))
        assert words in text_of(viewer.get(f"{home}/"))


def test_an_end_with_failures_is_amber(viewer: Person, connector_id: int, run: Callable[..., int]) -> None:
    run_id = run(RunState.COMPLETED, pulled=5, pushed=4, failed=1)
    home = f"/connectors/{connector_id}"
    for place in (f"{home}/runs", f"{home}/runs/{run_id}", f"{home}/", f"{home}/history", f"{home}/contacts"):
        page = viewer.get(place).text
        assert 'badge-warn">Completed with failures</span>' in page, place
        assert 'badge-ok">Completed</span>' not in page, place


def test_letters_of_every_script_are_shown_as_they_are(
    support: Person, services: Services, connector_id: int, record: Callable[..., int]
) -> None:
    key = record(10482)
    with services.db.write() as session:
        sent = {"lastname": "Strauß", "city": "कोलकाता", "note": "<b>&"}
        values: dict[str, Any] = {"connector_id": connector_id, "outcome": "delivered", "seconds": 1.0}
        session.add(Attempt(delivery_id=key, at=services.clock.now(), correlation_id="c", sent=sent, **values))
    page = support.get(f"/connectors/{connector_id}/records/{key}").text
    assert "Strauß" in page and "कोलकाता" in page
    assert "\\u" not in page
    assert "&lt;b&gt;&amp;" in page


def test_the_audit_log_speaks_of_settings_as_their_pages_do(
    admin: Person, services: Services, connector_id: int
) -> None:
    diff = {
        "orders.emails": [{"completed": 3}, {"completed": 5, "refunded": 7}],
        "mautic_password": "changed",
        "billing.email": ["a@b", "a@b.example"],
        "options": [None, {"only": ["orders"], "ids": [588], "dry_run": True, "since": "2026-11-01T00:00:00+00:00"}],
    }
    with services.db.write() as session:
        values: dict[str, Any] = {"action": AuditAction.UPDATED, "entity": "settings", "connector_id": connector_id}
        audit.record(session, clock_now=services.clock.now(), organisation_id=1, actor="ann", diff=diff, **values)
    [said] = [" ".join(row.split()) for row in cells(admin.get("/audit").text, "Changes")]
    for words in (
        "Order Sync: E-mail on status, completed from 3 → to 5",
        "Order Sync: E-mail on status, refunded from nothing → to 7",
        "Mautic: Password changed",
        "Billing e-mail from a@b → to a@b.example",
        "Options to entities orders; only these ids 588; dry run; changed since 1 Nov 2026, 00:00:00 UTC",
    ):
        assert words in said
    assert "{" not in said


@pytest.mark.parametrize("stream", list(STREAMS.values()), ids=lambda stream: stream.module)
def test_hints_name_labels_that_are_on_their_page(admin: Person, connector_id: int, stream: Stream) -> None:
    pages: dict[str, str] = {}
    for reason in stream.skip_reasons.values():
        if reason.page in ("contacts", "orders"):
            if reason.page not in pages:
                pages[reason.page] = text_of(admin.get(f"/connectors/{connector_id}/{reason.page}"))
            page = pages[reason.page]
            title, _, named = reason.where.partition(", ")
            assert title in page
            label = re.search(r"“([^”]+)”", named)
            assert (label[1] if label else title) in page
