"""The page of RFM classes (X14): borders, how many are in each class, when that was, and asking for it now."""

from __future__ import annotations

from typing import Any

import pytest

from integration.models import Connector, Schedule
from integration.operations.scoring.report import Report
from integration.pipeline.connectors import connectors
from integration.pipeline.services import Services
from tests.conftest import NOON
from tests.web.conftest import Person, text_of

AT = NOON.isoformat()
REPORT: dict[str, Any] = {
    "at": AT,
    "done_at": AT,
    "currency": "KWD",
    "buyers": 1200,
    "moved": 3,
    "borders": {"last_at": [AT] * 4, "orders": [1, 2, 3, 4], "spent": [12_345, 20_000, 30_000, 40_000]},
    "counts": {name: {"1": 800, "5": 400} for name in ("recency", "frequency", "monetary")},
    "segments": {"champions": 400, "lapsed": 800},
}


@pytest.fixture
def page(connector_id: int) -> str:
    return f"/connectors/{connector_id}/orders/rfm"


def computed(services: Services, connector_id: int, **values: Any) -> None:
    with services.db.write() as session:
        session.get_one(Connector, connector_id).score_report = Report(**{**REPORT, **values}).to_json()


def test_borders_and_figures_are_shown(admin: Person, page: str, services: Services, connector_id: int) -> None:
    assert "RFM is switched off" in text_of(admin.get(page))
    connectors.configure(services, connector_id, {"orders.rfm": True})
    assert "Nothing was computed yet" in text_of(admin.get(page))
    computed(services, connector_id)
    shown = text_of(admin.get(page))
    for said in ("1,200 buyers", "3 contacts had moved", "more than 1 order ", "over 1.235 KWD", "800", "champions"):
        assert said in shown


def test_a_shop_without_classes_says_why_and_one_that_is_computed_says_so(
    admin: Person, page: str, services: Services, connector_id: int
) -> None:
    computed(services, connector_id, borders={}, counts={}, segments={}, why="The shop has fewer than 5 buyers.")
    assert "There are no classes. The shop has fewer than 5 buyers." in text_of(admin.get(page))
    computed(services, connector_id, done_at="")
    assert "the figures below grow until it is done" in text_of(admin.get(page))


def test_support_asks_for_it_now_and_a_viewer_may_not(
    support: Person, viewer: Person, page: str, services: Services, connector_id: int
) -> None:
    connectors.configure(services, connector_id, {"orders.rfm": True})
    assert viewer.post(f"{page}/now").status_code == 403
    assert "within a minute" in text_of(support.post(f"{page}/now", follow_redirects=True))
    with services.db.read() as session:
        assert session.get_one(Schedule, (connector_id, "rfm")).next_run_at <= services.clock.now()
