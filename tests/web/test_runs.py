"""The Runs pages: list, one run, its lines, cancel and resume."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from integration.models import AuditEntry
from integration.models import Run
from integration.models import RunState
from integration.pipeline import runs
from integration.pipeline.leases import new_token
from integration.pipeline.ports import Ports
from tests.web.conftest import Person
from tests.web.conftest import text_of


@pytest.fixture
def run_id(ports: Ports, connector_id: int) -> int:
    """A run that a worker does."""
    made = runs.start(ports, connector_id, "initial", trigger="me")
    with ports.db.write() as session:
        runs.take(session, ports.clock.now(), new_token())
        runs.add_line(session, ports.clock.now(), made, "Read page 1 of 4.")
    return made


@pytest.fixture
def page(connector_id: int, run_id: int) -> str:
    return f"/connectors/{connector_id}/runs/{run_id}"


def end(ports: Ports, run_id: int, state: RunState) -> None:
    with ports.db.write() as session:
        runs.finish(session, ports.clock.now(), session.get_one(Run, run_id), state)


def test_a_run_shows_its_lines_and_asks_for_more_while_it_goes(
    viewer: Person, page: str, ports: Ports, run_id: int
) -> None:
    going = viewer.get(page)
    assert "Read page 1 of 4." in text_of(going)
    assert 'hx-trigger="every 5s"' in going.text
    end(ports, run_id, RunState.COMPLETED)
    assert "hx-trigger" not in viewer.get(page).text


def test_htmx_gets_the_part_that_changes(viewer: Person, page: str) -> None:
    part = viewer.get(page, headers={"HX-Request": "true"}).text
    assert part.lstrip().startswith('<div id="run"')
    assert "<html" not in part


def test_support_cancels_and_viewers_cannot(
    viewer: Person, support: Person, page: str, ports: Ports, run_id: int, audit_of: Callable[[str], list[AuditEntry]]
) -> None:
    assert "Cancel" not in text_of(viewer.get(page))
    assert viewer.post(f"{page}/cancel").status_code == 403
    assert "stops after the batch" in text_of(support.post(f"{page}/cancel", follow_redirects=True))
    with ports.db.read() as session:
        assert session.get_one(Run, run_id).cancel_asked_at is not None
    assert [entry.entity for entry in audit_of("SYNC_CANCELLED")] == [f"run {run_id}"]


def test_a_failed_run_is_resumed_unless_another_goes(
    support: Person, page: str, ports: Ports, run_id: int, connector_id: int
) -> None:
    end(ports, run_id, RunState.FAILED)
    other = runs.start(ports, connector_id, "incremental", trigger="schedule")
    assert "going already" in text_of(support.post(f"{page}/resume", follow_redirects=True))
    end(ports, other, RunState.COMPLETED)
    assert "The run goes on." in text_of(support.post(f"{page}/resume", follow_redirects=True))


def test_the_list_names_kind_state_and_figures(viewer: Person, ports: Ports, connector_id: int, run_id: int) -> None:
    listed = text_of(viewer.get(f"/connectors/{connector_id}/runs"))
    assert "In progress Initial import me" in listed


def test_without_runs_the_page_says_what_would_fill_it(viewer: Person, connector_id: int) -> None:
    assert "There was no run yet." in text_of(viewer.get(f"/connectors/{connector_id}/runs?before=x"))


def test_a_stranger_and_a_wrong_connector_see_nothing(stranger: Person, viewer: Person, page: str) -> None:
    assert stranger.get(page).status_code == 404
    assert stranger.post(f"{page}/cancel").status_code == 404
    assert viewer.get(page.replace("/runs/", "/runs/9")).status_code == 404
