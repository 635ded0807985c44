from __future__ import annotations

import base64
import json
import stat
import threading
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from integration.clock import SetClock
from integration.http.transport import Exchange
from integration.operations.support.debug_capture import BODY, Capture
from integration.operations.support.line_files import LogLineQuery
from tests.operations.conftest import NOW, connector

BASIC = "Basic " + base64.b64encode(b"ck_0123456789abcdef:cs_s3cretsecret").decode()


def exchange(**values: Any) -> Exchange:
    given: dict[str, Any] = {
        "service": "store",
        "method": "GET",
        "url": "https://shop.test/wp-json/wc/v3/orders?page=1",
        "request_headers": {"Authorization": BASIC, "Accept": "application/json"},
        "request_body": "",
        "status": 200,
        "answer_headers": {"content-type": "application/json"},
        "answer_body": '[{"id": 1}]',
        "seconds": 0.25,
    }
    return Exchange(**(given | values))


@pytest.fixture
def clock() -> SetClock:
    return SetClock(NOW)


@pytest.fixture
def capture(tmp_path: Path, clock: SetClock) -> Capture:
    return Capture(tmp_path / "logs", clock)


def observe(capture: Capture, number: int = 1, **values: Any) -> None:
    observer = capture.observer(connector(number, debug_until=NOW + timedelta(hours=24)))
    assert observer is not None
    observer(exchange(**values))


def everything(capture: Capture, number: int = 1) -> str:
    return "".join(path.read_text(encoding="utf-8") for path in capture.files(number))


def test_nothing_is_captured_while_debug_mode_is_off(capture: Capture) -> None:
    assert capture.observer(connector(1, debug_until=None)) is None
    assert capture.observer(connector(1, debug_until=NOW)) is None
    assert capture.files(1) == []
    assert capture.read(1) == []


def test_debug_mode_ends_by_itself_under_a_running_client(capture: Capture, clock: SetClock) -> None:
    observer = capture.observer(connector(1, debug_until=NOW + timedelta(hours=1)))
    assert observer is not None
    observer(exchange())
    clock.advance(hours=1)
    observer(exchange())
    assert len(capture.read(1)) == 1


def test_the_full_exchange_is_kept(capture: Capture) -> None:
    observe(capture, request_body='{"a": 1}')
    (line,) = capture.read(1)
    assert (line["at"], line["service"], line["method"]) == (NOW.isoformat(), "store", "GET")
    assert (line["url"], line["status"], line["seconds"]) == (
        "https://shop.test/wp-json/wc/v3/orders?page=1",
        200,
        0.25,
    )
    assert line["request"]["headers"]["Accept"] == "application/json"
    assert line["request"]["body"] == '{"a": 1}'
    assert line["answer"]["body"] == '[{"id": 1}]'


def test_no_secret_is_written(capture: Capture) -> None:
    observe(
        capture,
        url="https://shop.test/wp-json/?consumer_secret=cs_s3cretsecret",
        request_body='{"webhook": {"secret": "s3cret-hook"}}',
        answer_headers={"Set-Cookie": "wp=s3cret-cookie", "location": "https://ann:s3cret-user@x.test/"},
        answer_body=f"Your key cs_s3cretsecret ({BASIC}) is wrong.",
        error="refused with password=s3cret-word",
    )
    assert "s3cret" not in everything(capture)
    assert BASIC.split()[1] not in everything(capture)


def test_a_password_that_the_answer_repeats_is_hidden(capture: Capture) -> None:
    header = "Basic " + base64.b64encode(b"ann:open sesame").decode()
    observe(capture, request_headers={"Authorization": header}, answer_body="no user with open sesame")
    assert "sesame" not in everything(capture)


def test_a_large_body_is_cut_and_says_by_how_much(capture: Capture) -> None:
    observe(capture, answer_body="x" * (BODY + 1234), request_body="y" * (2 * 1024 * 1024))
    (line,) = capture.read(1)
    assert (len(line["answer"]["body"]), line["answer"]["cut"]) == (BODY, 1234)
    assert line["answer"]["note"] == "1,234 characters were cut."
    assert len(line["request"]["body"]) <= BODY
    assert len(line["request"]["body"]) + line["request"]["cut"] == 2 * 1024 * 1024


@pytest.mark.parametrize("place", [0, BODY - 30, BODY - 5, BODY + 4096 - 30, BODY + 4090])
def test_a_secret_where_a_huge_body_is_cut_does_not_survive(capture: Capture, place: int) -> None:
    secret = '{"password": "s3cret-s3cret-s3cret"}'
    observe(capture, answer_body="x" * place + secret + "y" * (1024 * 1024))
    assert "s3cret" not in everything(capture)


def test_files_are_readable_by_their_owner_only(capture: Capture) -> None:
    observe(capture)
    (path,) = capture.files(1)
    assert path.name == "debug-1.log"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_each_connector_has_its_own_files(capture: Capture) -> None:
    observe(capture, 1, url="https://one.test/")
    observe(capture, 2, url="https://two.test/")
    assert [line["url"] for line in capture.read(2)] == ["https://two.test/"]
    capture.remove(2)
    assert capture.read(2) == []
    assert len(capture.read(1)) == 1


def test_rotation_keeps_the_newest_files_within_their_size(tmp_path: Path, clock: SetClock) -> None:
    capture = Capture(tmp_path, clock, files=3, size=2000)
    for number in range(40):
        observe(capture, url=f"https://shop.test/{number}")
    sizes = [path.stat().st_size for path in capture.files(1)]
    assert len(sizes) == 3
    assert max(sizes) <= 2000
    urls = [line["url"] for line in capture.read(1, limit=100)]
    assert urls == [f"https://shop.test/{number}" for number in range(39, 39 - len(urls), -1)]
    assert len(urls) > 6


def test_newest_first_in_pages(capture: Capture, clock: SetClock) -> None:
    for number in range(25):
        observe(capture, url=f"https://shop.test/{number}", answer_body="ä" * 9000)
        clock.advance(minutes=1)
    first = capture.read_page(1, LogLineQuery(limit=10))
    last = capture.read_page(1, LogLineQuery(limit=10, page=3))
    assert [line["url"][-2:] for line in first.lines[:3]] == ["24", "23", "22"]
    assert (len(first.lines), first.more) == (10, True)
    assert (first.total, last.total) == ((25, True), (25, True))
    assert [line["url"][-2:] for line in last.lines] == ["/4", "/3", "/2", "/1", "/0"]
    assert not last.more


def test_filters_by_time_and_text(capture: Capture, clock: SetClock) -> None:
    for number in range(10):
        observe(capture, url=f"https://shop.test/{number}", answer_body="Straße" if number == 4 else "{}")
        clock.advance(minutes=10)
    since, until = NOW + timedelta(minutes=20), NOW + timedelta(minutes=40)
    assert [line["url"][-1] for line in capture.read(1, since, until)] == ["3", "2"]
    assert [line["url"][-1] for line in capture.read(1, text="STRASSE")] == ["4"]
    assert capture.read(1, since=NOW + timedelta(days=1)) == []


def test_a_line_that_a_crash_cut_hides_no_other(capture: Capture) -> None:
    observe(capture, url="https://shop.test/1")
    (path,) = capture.files(1)
    with path.open("ab") as file:
        file.write(b'{"at": "2026-05-04T10:3\n\n[1]\n')
    observe(capture, url="https://shop.test/2")
    assert [line["url"][-1] for line in capture.read(1)] == ["2", "1"]


def test_threads_write_whole_lines(tmp_path: Path, clock: SetClock) -> None:
    captures = [Capture(tmp_path, clock, files=5, size=200_000) for _ in range(4)]

    def write(which: Capture) -> None:
        for number in range(25):
            observe(which, answer_body=str(number) * 1000)

    threads = [threading.Thread(target=write, args=(which,)) for which in captures]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    lines = everything(captures[0]).splitlines()
    assert len(lines) == 100
    assert all(json.loads(line)["status"] == 200 for line in lines)
