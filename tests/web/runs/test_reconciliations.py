"""Reconciliations among the runs: listed, shown and cancelled like them."""

from __future__ import annotations

import pytest

from integration.models import Reconciliation
from integration.operations import reconciliation
from integration.pipeline.runs import lifecycle as run_lifecycle
from integration.pipeline.services import Services
from integration.queries import runs as querie_runs
from tests.web.conftest import Person, text_of


@pytest.fixture
def compared(services: Services, connector_id: int) -> int:
    """A reconciliation that looked at ten people."""
    now = services.clock.now()
    row = Reconciliation(
        connector_id=connector_id, trigger="nightly", state="COMPLETED", created_at=now, started_at=now, ended_at=now,
        pulled=10, skipped=6, missing=1, doubled=1, differs=1, surplus=1, calls=3, store_calls=4,
    )  # fmt: skip
    with services.db.write() as session:
        session.add(row)
        session.flush()
        run_lifecycle.add_line(session, now, row.id, "Looked at 10 people: 4 differences.")
        return row.id


def test_a_reconciliation_is_listed_filtered_and_shown_as_a_run(
    viewer: Person, connector_id: int, run_id: int, compared: int
) -> None:
    runs = f"/connectors/{connector_id}/runs"
    found = viewer.get(f"{runs}?kind=reconciliation").text
    assert f'href="{runs}/{compared}"' in found
    assert f'href="{runs}/{run_id}"' not in found
    page = viewer.get(f"{runs}/{compared}")
    text = text_of(page)
    assert "Looked at 10 people: 4 differences." in text
    assert "Pulled 10 people looked at Skipped 6" in text
    assert "3 to Mautic; 4 to the store" in text
    assert f'href="/connectors/{connector_id}/reconciliation?number={compared}"' in page.text
    assert "Pushed" not in text


def test_people_compared_are_not_among_the_records_of_the_day(
    viewer: Person, services: Services, connector_id: int, compared: int
) -> None:
    with services.db.read() as session:
        day = querie_runs.summary(session, connector_id, services.clock.now())
    assert (day.runs, day.pulled, day.skipped) == (1, 0, 0)


def test_a_reconciliation_is_cancelled_like_a_run_and_then_not_resumed(
    support: Person, services: Services, connector_id: int
) -> None:
    number = reconciliation.start(services, connector_id, "nightly")
    page = f"/connectors/{connector_id}/runs/{number}"
    assert "Cancelled" in text_of(support.post(f"{page}/cancel", follow_redirects=True))
    assert f"{page}/resume" not in support.get(page).text
    assert "cannot go on" in text_of(support.post(f"{page}/resume", follow_redirects=True))
