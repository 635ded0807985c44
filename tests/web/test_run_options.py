"""Run with options: each wrong value is an error at its field, and what was typed stays."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from integration.models import AuditEntry, Connector, Run
from integration.pipeline.payloads import files as payload_files
from integration.pipeline.runs import cancelling, lifecycle as run_lifecycle
from integration.pipeline.services import Services
from tests.web.conftest import Person, text_of

GOOD: dict[str, Any] = {
    "kind": "bulk",
    "only": ["orders"],
    "since": "2026-11-01T00:00",
    "until": "2026-11-20T00:00",
    "ids": "12, #7, 12",
    "page_size": "25",
    "dry_run": "1",
    "resend": "1",
    "payloads": "1",
}


@pytest.fixture
def page(connector_id: int) -> str:
    return f"/connectors/{connector_id}/runs/new"


def test_a_run_is_started_with_its_options(
    support: Person, page: str, services: Services, audit_of: Callable[[str], list[AuditEntry]]
) -> None:
    answer = support.post(page, GOOD)
    with services.db.read() as session:
        run = session.get_one(Run, int(answer.location.rsplit("/", 1)[1]))
    assert run.kind == "bulk"
    assert run.options == {
        "only": ["orders"],
        "since": "2026-11-01T00:00:00+00:00",
        "until": "2026-11-20T00:00:00+00:00",
        "ids": [7, 12],
        "page_size": 25,
        "dry_run": True,
        "resend": True,
        "payloads": True,
    }
    assert audit_of("SYNC_TRIGGERED")[-1].diff["options"] == [None, run.options]


WRONG = {
    "kind": ("odd", "Choose what kind of run it is."),
    "only": ([], "Choose contacts, orders or both."),
    "since": ("soon", "“soon” is no time"),
    "until": ("2026-10-01T00:00", "It must be later than “since”."),
    "ids": ("7, seven", "“seven” is no id"),
    "statuses": (["lost"], "The store has no status “lost”."),
    "page_size": ("5", "Write a number from 10 to 100."),
}


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_value_is_an_error_at_its_field(support: Person, page: str, services: Services, name: str) -> None:
    value, sentence = WRONG[name]
    answer = support.post(page, {**GOOD, name: value})
    assert answer.status_code == 400
    assert sentence in text_of(answer)
    assert 'value="12, #7, 12"' in answer.text or name == "ids"
    with services.db.read() as session:
        assert session.query(Run).count() == 0


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"kind": "incremental"}, "An incremental run reads all that changed"),
        ({"only": ["contacts", "orders"]}, "Choose contacts or orders alone"),
        ({"ids": ",".join(map(str, range(1001)))}, "These are 1,001 ids"),
        ({"since": "2026-11-01T00:00+99:00"}, "is no time"),
        ({"since": "0001-01-01T00:00"}, "The year 1 cannot be meant"),
        ({"since": "9999-12-31T23:59"}, "The year 9999 cannot be meant"),
        ({"until": "0001-01-01T00:00+14:00"}, "The year 1 cannot be meant"),
        ({"page_size": "٥٥"}, "Write a number from 10 to 100."),
    ],
)
def test_what_would_be_passed_over_is_refused(
    support: Person, page: str, changes: dict[str, Any], sentence: str
) -> None:
    answer = support.post(page, {**GOOD, **changes})
    assert answer.status_code == 400
    assert sentence in text_of(answer)


@pytest.mark.parametrize("since", ["0001-01-01T00:00:00+00:00", "9999-12-31T23:59:59-12:00", "yesterday"])
def test_a_run_that_was_stored_with_an_absurd_date_shows_its_page(
    support: Person, services: Services, connector_id: int, since: str
) -> None:
    run_id = run_lifecycle.start(services, connector_id, "bulk", trigger="test", options={"since": since})
    answer = support.get(f"/connectors/{connector_id}/runs/{run_id}")
    assert answer.status_code == 200
    assert f"changed since {since}" in text_of(answer)


def test_times_are_those_of_the_shop(support: Person, page: str, services: Services, connector_id: int) -> None:
    with services.db.write() as session:
        session.get_one(Connector, connector_id).store_facts = {"timezone": "Europe/Rome"}
    support.post(page, {"kind": "full", "only": ["orders"], "since": "2026-11-01T00:00"})
    with services.db.read() as session:
        assert session.query(Run).one().options["since"] == "2026-11-01T00:00:00+01:00"


def test_a_second_run_is_refused_with_the_reason(
    support: Person, page: str, services: Services, connector_id: int
) -> None:
    run_lifecycle.start(services, connector_id, "full", trigger="test")
    assert "going already" in text_of(support.post(page, GOOD))


def test_viewers_and_strangers_start_nothing(viewer: Person, stranger: Person, page: str) -> None:
    assert (viewer.get(page).status_code, viewer.post(page, GOOD).status_code) == (403, 403)
    assert (stranger.get(page).status_code, stranger.post(page, GOOD).status_code) == (404, 404)


def test_a_payload_file_is_linked_at_its_line_and_given_to_support(
    viewer: Person, support: Person, stranger: Person, services: Services, connector_id: int
) -> None:
    run_id = run_lifecycle.start(services, connector_id, "full", trigger="test")
    with services.db.read() as session:
        run = session.get_one(Run, run_id)
    file_id = payload_files.store(services, run, "pull", "Page 1", [{"id": 1, "consumer_secret": "cs_0123456789abc"}])
    address = f"/connectors/{connector_id}/runs/{run_id}/payloads/{file_id}"
    assert address in support.get(f"/connectors/{connector_id}/runs/{run_id}").text
    given = support.get(address)
    assert (given.status_code, given.mimetype) == (200, "application/json")
    assert given.json == [{"id": 1, "consumer_secret": "***"}]
    assert viewer.get(address).status_code == 403
    assert stranger.get(address).status_code == 404
    assert support.get(f"{address}9").status_code == 404
    assert given.headers["X-Content-Type-Options"] == "nosniff"
    assert given.headers["Content-Disposition"].startswith("attachment")
    assert support.get(address.replace(f"/runs/{run_id}/", f"/runs/{run_id + 1}/")).status_code == 404
    assert address not in viewer.get(f"/connectors/{connector_id}/runs/{run_id}").text
    cancelling.cancel(services, run_id)
    payload_files.prune(services, services.clock.now() + timedelta(days=2))
    assert support.get(address).status_code == 404
    assert address not in support.get(f"/connectors/{connector_id}/runs/{run_id}").text
