"""What can be commanded of the stand-in to go wrong."""

from __future__ import annotations

import threading
import time
from typing import Any

import pytest
import requests
from mautic_api import Api, api_of
from mautic_replay import wait_for

from integration.sandbox.faults import Fault, Faults
from integration.sandbox.mautic import MauticServer

NEW = "/api/contacts/new"
ADA = {"email": "ada@example.com"}


@pytest.mark.parametrize(
    ("status", "kind", "said"),
    [
        (500, "application/json", "(error #500)"),
        (502, "text/html", "<title>502 Bad Gateway</title>"),
        (503, "text/html", "<title>503 Service Temporarily Unavailable</title>"),
        (429, "application/json", "rate limit"),
    ],
)
def test_status_is_answered_and_nothing_done(server: MauticServer, api: Api, status: int, kind: str, said: str) -> None:
    """The request never reaches Mautic."""
    server.faults.status(status, path=NEW, times=1, retry_after=7)
    answer = api("POST", NEW, json=ADA)
    assert (answer.status_code, answer.headers["Content-Type"], answer.headers["Retry-After"]) == (status, kind, "7")
    assert said in answer.text
    assert not server.state.contacts
    assert api("POST", NEW, json=ADA).status_code == 201


def test_down_closes_without_work(server: MauticServer, api: Api) -> None:
    """The connection ends and nothing was done."""
    server.faults.down()
    with pytest.raises(requests.ConnectionError):
        api("POST", NEW, json=ADA)
    assert not server.state.contacts
    assert [call.status for call in server.calls] == [0]


def test_a_lost_answer_leaves_the_work_done(server: MauticServer, api: Api) -> None:
    """The note is there although no answer came."""
    api("POST", NEW, json=ADA)
    server.faults.lose_answer(path="/api/notes", times=1)
    with pytest.raises(requests.ConnectionError):
        api("POST", "/api/notes/new", json={"lead": 1, "text": "Order 1"})
    assert [note["text"] for note in server.state.notes_of(1)] == ["Order 1"]


def test_hang_holds_until_it_is_cleared(server: MauticServer, api: Api) -> None:
    """A held request ends without an answer."""
    rule = server.faults.hang(60)
    ended: list[type[BaseException]] = []

    def call() -> None:
        with pytest.raises(requests.ConnectionError) as caught:
            api("GET", "/api/contacts")
        ended.append(caught.type)

    thread = threading.Thread(target=call)
    thread.start()
    wait_for(lambda: rule.used == 1)
    assert not ended
    server.faults.clear()
    thread.join(20)
    assert ended


def test_cut_sends_half_a_body(server: MauticServer, api: Api) -> None:
    """The head promises more than comes."""
    server.faults.cut(times=1)
    with pytest.raises((requests.exceptions.ChunkedEncodingError, requests.ConnectionError)):
        api("POST", NEW, json=ADA)
    assert len(server.state.contacts) == 1


def test_html_instead_of_json(server: MauticServer, api: Api) -> None:
    """A page with status 200, as a proxy or a wrong address gives."""
    server.faults.html()
    answer = api("GET", "/api/contacts")
    assert answer.status_code == 200
    assert answer.text.startswith("<!DOCTYPE html>")


@pytest.mark.parametrize("prefix", ["\ufeff", "<br />\n<b>Warning</b>: Undefined variable\n"])
def test_prefix_stands_before_the_json(server: MauticServer, api: Api, prefix: str) -> None:
    """A BOM or a PHP warning comes first."""
    server.faults.prefix(prefix)
    body = api("GET", "/api/contacts").content.decode("utf-8")
    assert body == f'{prefix}{{"total":"0","contacts":{{}}}}'


@pytest.mark.parametrize("server", ["5.2.1"], indirect=True)
def test_wrong_credentials_refuse_user_and_client(server: MauticServer, api: Api) -> None:
    """Basic, bearer and the token endpoint all refuse."""
    known = server.credentials
    form = {"grant_type": "client_credentials", "client_id": known.client_id, "client_secret": known.client_secret}
    token = requests.post(f"{server.url}/oauth/v2/token", data=form, timeout=30).json()["access_token"]
    server.faults.wrong_credentials()
    bearer = {"Authorization": f"Bearer {token}"}
    assert api("GET", "/api/contacts").json()["errors"][0]["type"] == "access_denied"
    refused = requests.get(f"{server.url}/api/contacts", headers=bearer, timeout=30)
    assert (refused.status_code, refused.json()["errors"][0]["type"]) == (401, "invalid_grant")
    assert requests.post(f"{server.url}/oauth/v2/token", data=form, timeout=30).status_code == 400


@pytest.mark.parametrize("server", ["7.0.0"], indirect=True)
def test_wrong_credentials_of_mautic_7_have_no_body(server: MauticServer, api: Api) -> None:
    """Basic is refused by its header alone (002 of mautic-7.0.0), and works again once the fault is over."""
    server.faults.wrong_credentials()
    refused = api("GET", "/api/contacts")
    assert (refused.status_code, refused.text) == (401, "")
    assert refused.headers["WWW-Authenticate"] == 'Basic realm="Secured Area"'
    server.faults.clear()
    assert api("GET", "/api/contacts").status_code == 200


@pytest.mark.parametrize(
    ("method", "path"), [("POST", "/api/contacts/batch/new"), ("PATCH", "/api/contacts/batch/edit")]
)
def test_crash_after_rows_keeps_those_before(server: MauticServer, api: Api, method: str, path: str) -> None:
    """500 for the whole, but two rows are saved."""
    for number in range(4 if method == "PATCH" else 0):
        api("POST", NEW, json={"email": f"a{number}@example.com"})
    server.faults.crash_after_rows(2, path=path)
    rows = [{"id": number + 1, "email": f"a{number}@example.com", "city": "Rome"} for number in range(4)]
    assert api(method, path, json=rows).status_code == 500
    assert [each.id for each in server.state.contacts.values() if each.values.get("city")] == [1, 2]


@pytest.mark.parametrize("server", ["5.2.1"], indirect=True)
def test_rate_limit_counts_down_and_refuses(server: MauticServer, api: Api) -> None:
    """Headers count down, the fourth call is refused; Mautic 7 has no limiter."""
    server.faults.rate_limit(3, retry_after=9)
    answers = [api("GET", "/api/contacts") for _ in range(4)]
    assert [each.status_code for each in answers] == [200, 200, 200, 429]
    assert [each.headers["X-RateLimit-Remaining"] for each in answers] == ["2", "1", "0", "0"]
    assert answers[3].headers["Retry-After"] == "9"
    with MauticServer(version="7.0") as newer:
        newer.faults.rate_limit(0)
        assert api_of(newer)("GET", "/api/contacts").status_code == 200


def race(server: MauticServer, email: str, count: int) -> list[int]:
    """Create one contact several times at once and return the status codes."""
    rule = server.faults.race(60)
    codes: list[int] = []
    threads = [
        threading.Thread(target=lambda: codes.append(api_of(server)("POST", NEW, json={"email": email}).status_code))
        for _ in range(count)
    ]
    for thread in threads:
        thread.start()
    wait_for(lambda: rule.used == count)
    server.faults.remove(rule)
    for thread in threads:
        thread.join()
    return codes


@pytest.mark.parametrize(("version", "status"), [("4.4", 200), ("5.2.1", 422), ("7.0", 422)])
def test_simultaneous_creates_make_duplicates(version: str, status: int) -> None:
    """Afterwards each write to one of them is refused, but by Mautic 4 the newest is updated."""
    with MauticServer(version=version) as server:
        assert race(server, "same@example.com", 3) == [201, 201, 201]
        api = api_of(server)
        assert api("GET", "/api/contacts?search=email:same@example.com").json()["total"] == "3"
        answer = api("POST", NEW, json={"email": "same@example.com", "city": "Rome"})
        assert answer.status_code == status
        assert answer.headers["Mautic-Version"] == version
        assert (server.state.contacts[3].values.get("city") == "Rome") is (version == "4.4")


def test_rules_are_commanded_over_http(server: MauticServer, api: Api) -> None:
    """Another process sets, reads and removes rules."""
    path = "/_sandbox/faults"
    sent = [{"kind": "status", "value": 500, "path": "/api/tags", "method": "GET"}, {"cores": 3}]
    assert api("POST", path, json=sent).json()["cores"] == 3
    assert api("GET", "/api/tags").status_code == 500
    rules = api("GET", path).json()["rules"]
    assert [(rule["kind"], rule["used"]) for rule in rules] == [("status", 1)]
    assert api("DELETE", f"{path}?id={rules[0]['id']}").json()["rules"] == []
    assert api("GET", "/api/tags").status_code == 200
    assert api("POST", path, json={"kind": "nonsense"}).status_code == 400
    assert api("GET", "/_sandbox/calls").json()["total"] == 2


def test_rules_compose(server: MauticServer, api: Api) -> None:
    """A prefix and a lost batch hold side by side, each for its own requests."""
    server.faults.prefix("x", method="GET")
    server.faults.status(503, path="/api/contacts/batch")
    assert api("GET", "/api/contacts").text.startswith("x{")
    assert api("POST", "/api/contacts/batch/new", json=[]).status_code == 503
    assert api("POST", NEW, json=ADA).status_code == 201


def test_probability_is_seeded() -> None:
    """The same seed strikes the same requests, about as often as was asked for."""

    def struck() -> list[bool]:
        faults = Faults(seed=7)
        faults.down(probability=0.3)
        return [faults.take(Fault.DOWN, "GET", "/x") is not None for _ in range(200)]

    assert struck() == struck()
    assert 40 < sum(struck()) < 80


@pytest.mark.parametrize(
    ("method", "path"), [("POST", "/api/contacts"), ("GET", "/api/tags"), ("GET", "/x/api/contacts")]
)
def test_a_rule_strikes_only_its_requests(method: str, path: str) -> None:
    """Other methods and paths are left alone."""
    faults = Faults()
    faults.down(method="get", path="/api/contacts")
    assert faults.take(Fault.DOWN, method, path) is None
    assert faults.take(Fault.DOWN, "GET", "/api/contacts/1") is not None


def test_unknown_options_are_refused() -> None:
    """A misspelt option does not pass silently."""
    with pytest.raises(ValueError, match="pth"):
        Faults().down(pth="/x")


def test_delay_is_spent_on_matching_requests(server: MauticServer, api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    """The seconds are slept, once per matching request."""
    slept: list[float] = []
    monkeypatch.setattr("integration.sandbox.server.time.sleep", slept.append)
    server.faults.delay(0.25, path="/api/tags")
    api("GET", "/api/contacts")
    api("GET", "/api/tags")
    assert slept == [0.25]


def test_rows_are_worked_on_by_two_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of six rows at once two are worked on; more callers only wait."""
    lock = threading.Lock()
    full = threading.Event()
    working, most, slept = 0, 0, 0

    def sleep(_: float) -> None:
        nonlocal working, most, slept
        with lock:
            working, slept = working + 1, slept + 1
            most = max(most, working)
        if working == 2:
            full.set()
        full.wait(20)
        with lock:
            working -= 1

    monkeypatch.setattr(time, "sleep", sleep)
    faults = Faults()
    faults.delay_per_record(0.1)
    threads = [threading.Thread(target=faults.work, args=("POST", "/api", 1)) for _ in range(6)]
    run_all(threads)
    assert (most, slept) == (2, 6)


def run_all(threads: list[Any]) -> None:
    """Start and join threads."""
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)


def test_each_row_of_a_batch_costs(server: MauticServer, api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    """Three rows are three times the work; reading costs none."""
    slept: list[float] = []
    monkeypatch.setattr(time, "sleep", slept.append)
    server.faults.delay_per_record(0.01)
    api("POST", "/api/contacts/batch/new", json=[{"email": f"a{number}@example.com"} for number in range(3)])
    api("GET", "/api/contacts")
    assert slept == [0.01] * 3
