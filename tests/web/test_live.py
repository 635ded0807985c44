"""Parts that ask for themselves: what they get where there is none, and the time at which they were refreshed."""

from __future__ import annotations

import re

import pytest
from flask import Flask
from sqlalchemy.exc import OperationalError

from integration.clock import SetClock
from integration.models import Connector, RunKind
from integration.pipeline.runs import lifecycle as run_lifecycle, progress as run_progress
from integration.pipeline.services import Services
from integration.web.frame.live import ASKS, STATUS
from tests.web.conftest import Person

ASKING = {ASKS: "true"}
AWAY = OperationalError("SELECT 1", {}, Exception("database is locked"))


@pytest.fixture
def run_page(services: Services, connector_id: int) -> str:
    run_id = run_lifecycle.start(services, connector_id, RunKind.FULL, trigger="test")
    return f"/connectors/{connector_id}/runs/{run_id}"


def outcome(person: Person, path: str) -> tuple[int, str, str]:
    answer = person.get(path, headers=ASKING)
    return answer.status_code, answer.headers[STATUS], answer.text


def test_a_part_that_is_there_comes_as_it_is(viewer: Person, run_page: str) -> None:
    status, said, text = outcome(viewer, run_page)
    assert (status, said) == (200, "ok")
    assert 'id="run"' in text
    assert STATUS not in viewer.get(run_page).headers


def test_why_there_is_none_is_one_word_and_no_error_of_the_browser(
    app: Flask, viewer: Person, stranger: Person, run_page: str, connector_id: int
) -> None:
    assert outcome(Person(app.test_client()), run_page) == (200, "signed_out", "")
    assert outcome(stranger, run_page) == (200, "gone", "")
    assert outcome(viewer, f"/connectors/{connector_id}/runs/99") == (200, "gone", "")
    assert outcome(viewer, "/no-such-page") == (200, "gone", "")
    assert outcome(viewer, f"/connectors/{connector_id}/records/1/compare") == (200, "forbidden", "")
    assert outcome(viewer, f"/connectors/{connector_id}/reconciliation/") == (200, "gone", "")
    assert Person(app.test_client()).get(run_page).status_code == 302, "a page is still sent to the sign-in"


@pytest.mark.parametrize("error", [ZeroDivisionError(), AWAY], ids=["fault", "database"])
def test_a_fault_is_said_without_its_page(
    viewer: Person, run_page: str, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    def broken(*values: object) -> None:
        raise error

    monkeypatch.setattr(run_progress, "progress", broken)
    assert outcome(viewer, run_page) == (200, "failing", "")
    assert viewer.get(run_page).status_code >= 500


def test_only_reading_is_answered_so(viewer: Person, connector_id: int) -> None:
    answer = viewer.post(f"/connectors/{connector_id}/run", {"kind": "full"}, headers=ASKING)
    assert (answer.status_code, STATUS in answer.headers) == (403, False)


@pytest.mark.parametrize(
    ("zone", "shown"), [("UTC", "12:00:05"), ("Europe/Rome", "13:00:05"), ("Asia/Kolkata", "17:30:05")]
)
def test_the_time_of_refreshing_is_that_of_the_shop(
    viewer: Person, services: Services, connector_id: int, run_page: str, clock: SetClock, zone: str, shown: str
) -> None:
    with services.db.write() as session:
        connector = session.get_one(Connector, connector_id)
        connector.store_facts = {**connector.store_facts, "timezone": zone}
    clock.advance(seconds=5)
    for headers in ({}, ASKING):
        text = viewer.get(run_page, headers=headers).text
        found = re.search(r"Last refreshed <time[^>]*>([^<]+)</time>", text)
        assert found is not None and found[1] == shown
