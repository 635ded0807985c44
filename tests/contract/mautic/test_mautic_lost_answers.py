"""Answers that are lost while the stand-in goes on with the work, as a real Mautic behind a gateway does."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
from mautic_api import Api, api_of
from mautic_replay import wait_for

from integration.sandbox import faults as faults_module
from integration.sandbox.mautic import MauticServer

BATCH = "/api/contacts/batch/new"
EDIT = "/api/contacts/batch/edit"
NOTES = "/api/notes/batch/new"
NEW = "/api/contacts/new"


class Gate:
    """Stands in for time.sleep: each row waits until it is let through."""

    def __init__(self) -> None:
        self._passes = threading.Semaphore(0)

    def sleep(self, _: float) -> None:
        """Wait for a pass."""
        assert self._passes.acquire(timeout=20)

    def let(self, rows: int) -> None:
        """Let so many rows through."""
        self._passes.release(rows)


@pytest.fixture
def gate(monkeypatch: pytest.MonkeyPatch, server: MauticServer) -> Iterator[Gate]:
    """Hold each row's work until the test lets it go on."""
    made = Gate()
    monkeypatch.setattr(faults_module, "time", made)
    server.faults.delay_per_record(1, path="/api/(contacts|notes)/batch")
    yield made
    made.let(1000)


def people(count: int) -> list[dict[str, str]]:
    """Return rows of so many people."""
    return [{"email": f"a{number}@example.com"} for number in range(count)]


def lost(api: Api, method: str, path: str, rows: object) -> None:
    """Send a request whose connection is closed."""
    with pytest.raises(requests.ConnectionError):
        api(method, path, json=rows)


def test_the_work_goes_on_after_the_connection_was_closed(server: MauticServer, api: Api, gate: Gate) -> None:
    """Rows come one by one, each visible once it is saved; the answer of none of them is seen."""
    rule = server.faults.lose_answer_early(path=BATCH, times=1)
    lost(api, "POST", BATCH, people(3))
    assert (server.background.running, server.state.contacts, rule.used) == (1, {}, 1)
    for done in (1, 2):
        gate.let(1)
        wait_for(lambda done=done: api("GET", "/api/contacts").json()["total"] == str(done))
    gate.let(1)
    assert server.background.wait(20)
    assert (len(server.state.contacts), server.background.running) == (3, 0)
    assert [(call.status, call.rows) for call in server.calls if call.method == "POST"] == [(0, 3)]


def test_a_gateway_answers_504_and_the_work_goes_on(server: MauticServer, api: Api, gate: Gate) -> None:
    """The page is the gateway's own, the connection stays open for the next request."""
    server.faults.gateway(path=BATCH)
    answer = api("POST", BATCH, json=people(2))
    assert (answer.status_code, answer.headers["Content-Type"]) == (504, "text/html")
    assert "504 Gateway Time-out" in answer.text
    assert api("GET", "/api/contacts").json()["total"] == "0"
    gate.let(2)
    assert server.background.wait(20)
    assert api("GET", "/api/contacts").json()["total"] == "2"


def test_a_patient_gateway_hands_quick_answers_through(server: MauticServer, api: Api, gate: Gate) -> None:
    """What is done in time is answered, and the rule is not used up by it."""
    rule = server.faults.gateway(20, times=1, path=BATCH)
    gate.let(1)
    assert api("POST", BATCH, json=people(1)).status_code == 201
    assert rule.used == 0
    rule.value = 0.01
    assert api("POST", BATCH, json=people(2)).status_code == 504
    assert rule.used == 1


def test_batch_edits_and_notes_go_on_as_well(server: MauticServer, api: Api, gate: Gate) -> None:
    """Each kind of batch saves its rows one by one."""
    for row in people(2):
        api("POST", NEW, json=row)
    server.faults.lose_answer_early(path="/api/.*batch")
    lost(api, "PATCH", EDIT, [{"id": 1, "city": "Rome"}, {"id": 2, "city": "Bern"}])
    gate.let(1)
    wait_for(lambda: server.state.contacts[1].values.get("city") == "Rome")
    assert "city" not in server.state.contacts[2].values
    gate.let(1)
    assert server.background.wait(20)
    lost(api, "POST", NOTES, [{"lead": 1, "text": "one"}, {"lead": 2, "text": "two"}])
    gate.let(1)
    wait_for(lambda: bool(server.state.notes_of(1)))
    assert server.state.notes_of(2) == []
    gate.let(1)
    assert server.background.wait(20)
    assert len(server.state.notes_of(2)) == 1


@pytest.mark.parametrize("version", ["5.2", "7.0"])
def test_sending_again_at_once_doubles_people(version: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A batch sent again while the first is still worked on looks before the first has inserted."""
    gate = Gate()
    monkeypatch.setattr(faults_module, "time", gate)
    with MauticServer(version=version) as server:
        api = api_of(server)
        server.faults.delay_per_record(1, path=BATCH)
        server.faults.lose_answer_early(path=BATCH)
        lost(api, "POST", BATCH, people(1))
        lost(api, "POST", BATCH, people(1))
        work = server.faults.rules()[0]
        wait_for(lambda: work.used == 2)
        gate.let(2)
        assert server.background.wait(20)
        assert api("GET", "/api/contacts?search=email:a0@example.com").json()["total"] == "2"
        server.faults.clear()
        assert api("POST", NEW, json=people(1)[0]).status_code == 422


def test_waiting_before_sending_again_doubles_nobody(server: MauticServer, api: Api, gate: Gate) -> None:
    """Once the first has ended, its people are found."""
    server.faults.lose_answer_early(path=BATCH, times=1)
    lost(api, "POST", BATCH, people(2))
    gate.let(4)
    assert server.background.wait(20)
    assert api("POST", BATCH, json=people(2)).json()["statusCodes"] == [200, 200]
    assert len(server.state.contacts) == 2


def test_stopping_ends_the_work_at_the_next_row(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Rows that are saved are kept, the others never come, not even after a restart."""
    gate = Gate()
    monkeypatch.setattr(faults_module, "time", gate)
    server = MauticServer(save_to=tmp_path / "mautic.json")
    with server:
        api = api_of(server)
        server.faults.delay_per_record(1, path=BATCH)
        server.faults.lose_answer_early(path=BATCH)
        lost(api, "POST", BATCH, people(4))
        gate.let(2)
        wait_for(lambda: len(server.state.contacts) == 2)
        ending = server.background.ending
        stopper = threading.Thread(target=server.stop)
        stopper.start()
        assert ending.wait(20)
        gate.let(1)
        stopper.join(20)
        assert not stopper.is_alive()
    kept = len(server.state.contacts)
    assert (kept, server.background.running) == (3, 0)
    with MauticServer(save_to=tmp_path / "mautic.json") as again:
        assert len(again.state.contacts) == kept


def test_work_is_watched_over_http(server: MauticServer, api: Api, gate: Gate) -> None:
    """Another process asks, waits and ends."""
    server.faults.command({"kind": "lose_answer_early", "path": BATCH})
    lost(api, "POST", BATCH, people(3))
    assert api("GET", "/_sandbox/background").json() == {"running": 1}
    assert api("POST", "/_sandbox/background?seconds=0.01").json() == {"running": 1}
    gate.let(1000)
    assert api("POST", "/_sandbox/background").json() == {"running": 0}
    assert len(server.state.contacts) == 3


def test_held_work_is_ended_over_http(server: MauticServer, api: Api) -> None:
    """A row that waits to be inserted is let go, the next never begins."""
    race = server.faults.race(60, path=BATCH)
    server.faults.lose_answer_early(path=BATCH)
    lost(api, "POST", BATCH, people(3))
    wait_for(lambda: race.used == 1)
    assert api("DELETE", "/_sandbox/background").json() == {"running": 0}
    assert len(server.state.contacts) == 1
    assert api("POST", NEW, json={"email": "next@example.com"}).status_code == 201
