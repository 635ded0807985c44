"""The Logs page: captures and the application's log, filtered, paged, downloaded, kept apart by organisation."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest

from integration.clock import SetClock
from integration.http.transport import Exchange
from integration.operations.support.application_log import log_file
from integration.operations.support.debug_capture import Capture
from integration.operations.support.line_files import LineFile
from integration.pipeline.connectors import connectors as pairs
from integration.pipeline.services import Services
from tests.web.conftest import Person, text_of


def exchange(number: int = 0, **changes) -> Exchange:
    values = {
        "service": "mautic",
        "method": "POST",
        "url": f"https://mautic.example.com/api/contacts/{number}",
        "request_headers": {"Authorization": "Bearer the-secret-token"},
        "request_body": '{"email": "a@example.com", "password": "hidden-word"}',
        "status": 200,
        "answer_headers": {"content-type": "application/json"},
        "answer_body": f'{{"note": "<b>number {number}</b>"}}',
        "seconds": 0.25,
    }
    return Exchange(**{**values, **changes})


@pytest.fixture
def write(services: Services, connector_id: int):
    """Captures one exchange with debug mode on."""
    pairs.set_debug(services, connector_id, services.clock.now() + timedelta(days=1))

    def write(number: int = 0, **changes) -> None:
        from integration.models import Connector

        with services.db.read() as session:
            connector = session.get_one(Connector, connector_id)
        observer = Capture(services.deployment.instance_path / "logs", services.clock).observer(connector)
        assert observer is not None
        observer(exchange(number, **changes))

    return write


@pytest.fixture
def path(connector_id: int) -> str:
    return f"/connectors/{connector_id}/logs"


def test_it_explains_itself_while_debug_mode_is_off(support: Person, path: str) -> None:
    words = text_of(support.get(path))
    assert "Debug mode is off, so nothing new is written." in words
    assert "Nothing has been captured. Switch debug mode on" in words


def test_exchanges_are_shown_masked_and_escaped(support: Person, path: str, write) -> None:
    write(7)
    page = support.get(path).text
    assert "https://mautic.example.com/api/contacts/7" in page
    assert "&lt;b&gt;number 7&lt;/b&gt;" in page
    for secret in ("the-secret-token", "hidden-word"):
        assert secret not in page


def test_text_and_time_filter(support: Person, path: str, write, clock: SetClock) -> None:
    write(1)
    clock.advance(minutes=10)
    write(2)
    assert "contacts/2" in support.get(f"{path}?text=NUMBER+2").text
    assert "contacts/1" not in support.get(f"{path}?text=NUMBER+2").text
    late = support.get(f"{path}?since=2026-11-20T12:05").text
    assert "contacts/2" in late
    assert "contacts/1" not in late
    early = support.get(f"{path}?until=2026-11-20T12:05").text
    assert "contacts/1" in early
    assert "contacts/2" not in early


def test_times_are_read_in_the_stores_zone(
    support: Person, path: str, write, services: Services, connector_id: int
) -> None:
    from integration.models import Connector

    with services.db.write() as session:
        session.get_one(Connector, connector_id).store_facts = {"timezone": "America/New_York"}
    write(1)
    assert "20 Nov 2026, 07:00:00 EST" in text_of(support.get(f"{path}?since=2026-11-20T06:59"))
    assert "No line matches." in text_of(support.get(f"{path}?since=2026-11-20T07:01"))


@pytest.mark.parametrize("query", ["since=soon", "until=2026-13-01", "kind=secrets"])
def test_what_makes_no_sense_is_left_out_and_said(support: Person, path: str, write, query: str) -> None:
    write(1)
    answer = support.get(f"{path}?{query}")
    assert answer.status_code == 200
    assert "notice-warn" in answer.text
    assert "contacts/1" in answer.text


@pytest.mark.parametrize("page", ["0", "-1", "x", "1e9", "99999999999999999999", "²"])
def test_odd_pages_do_no_harm(support: Person, path: str, write, page: str) -> None:
    write(1)
    assert support.get(f"{path}?page={page}").status_code == 200


def test_older_lines_are_a_page_away(support: Person, path: str, write) -> None:
    for number in range(26):
        write(number)
    first = support.get(path).text
    assert "contacts/25" in first
    assert "Older" in first
    second = support.get(f"{path}?page=2").text
    assert "contacts/0<" in second
    assert "Newer" in second


def test_the_download_has_the_lines_that_match(support: Person, path: str, write) -> None:
    for number in range(30):
        write(number)
    answer = support.get(f"{path}/download?text=contacts/2")
    lines = [json.loads(line) for line in answer.text.splitlines()]
    assert len(lines) == 11
    assert answer.headers["Content-Disposition"].startswith("attachment;")
    assert "the-secret-token" not in answer.text


def test_the_application_log_shows_lines_of_the_own_connector_only(
    support: Person, super_admin: Person, path: str, services: Services, connector_id: int
) -> None:
    file: LineFile = log_file(services.deployment.instance_path / "logs")
    for connector, sentence in ((connector_id, "about mine"), (99, "about a stranger's"), (None, "about the process")):
        at = services.clock.now().isoformat()
        file.append({"at": at, "level": "INFO", "sentence": sentence, "logger": "x", "connector": connector})
    own = text_of(support.get(f"{path}?kind=application"))
    assert "about mine" in own
    assert "about a stranger's" not in own
    assert "about the process" not in own
    every = text_of(super_admin.get(f"{path}?kind=application"))
    assert "about the process" in every
    assert "about a stranger's" not in support.get(f"{path}/download?kind=application").text
