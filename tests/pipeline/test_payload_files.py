"""Payload files: masked, only for the owner's eyes, bounded, linked at their line and gone a day after the run."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from sqlalchemy import delete
from sqlalchemy import func
from sqlalchemy import select

from integration.clock import SetClock
from integration.models import Connector
from integration.models import PayloadFile
from integration.models import Run
from integration.models import RunLine
from integration.models import RunState
from integration.pipeline import payload_files
from integration.pipeline import runs
from integration.pipeline.ports import Ports


@pytest.fixture
def run(ports: Ports, connector_id: int) -> Run:
    run_id = runs.start(ports, connector_id, "full", trigger="test", options={"payloads": True})
    with ports.db.read() as session:
        return session.get_one(Run, run_id)


def end(ports: Ports, run: Run) -> None:
    with ports.db.write() as session:
        runs.finish(session, ports.clock.now(), session.get_one(Run, run.id), RunState.COMPLETED)


def last_line(ports: Ports, run: Run) -> RunLine:
    with ports.db.read() as session:
        return runs.lines(session, run.id)[-1]


def path_of(ports: Ports, file_id: int | None) -> Path | None:
    with ports.db.read() as session:
        return payload_files.path_of(ports, session.get_one(PayloadFile, file_id))


def kept(ports: Ports) -> int:
    with ports.db.read() as session:
        return session.scalar(select(func.count()).select_from(PayloadFile)) or 0


def on_disk(ports: Ports) -> list[Path]:
    return [path for path in payload_files.folder(ports).rglob("*") if path.is_file()]


def test_a_file_is_masked_and_linked_at_its_line(ports: Ports, run: Run) -> None:
    content = [{"id": 7, "note": "Grüße", "consumer_secret": "cs_0123456789abcdef"}]
    file_id = payload_files.store(ports, run, "pull", "Page 1 of 2", content)
    path = path_of(ports, file_id)
    assert path is not None
    assert json.loads(path.read_text("utf-8")) == [{"id": 7, "note": "Grüße", "consumer_secret": "***"}]
    assert (path.stat().st_mode & 0o777, path.parent.stat().st_mode & 0o777) == (0o600, 0o700)
    line = last_line(ports, run)
    assert (line.payload_file_id, line.text) == (file_id, "Page 1 of 2: payload kept.")


def test_one_that_is_too_large_is_said_and_not_kept(ports: Ports, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(payload_files, "LARGEST", 40)
    assert payload_files.store(ports, run, "pull", "Page 1", ["x" * 50]) is None
    assert payload_files.store(ports, run, "pull", "Page 2", ["y"]) is not None
    with ports.db.read() as session:
        first = runs.lines(session, run.id)[0]
    assert (first.level, first.text) == ("warning", "Page 1: the payload of 57 bytes was not kept, it is too large.")
    assert (kept(ports), len(on_disk(ports))) == (1, 1)


def test_a_run_keeps_no_more_than_its_share(ports: Ports, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(payload_files, "MOST_OF_A_RUN", 100)
    stored = [payload_files.store(ports, run, "push", f"Batch {n}", ["x" * 30]) for n in range(4)]
    assert [file_id is None for file_id in stored] == [False, False, True, True]
    assert "too large" in last_line(ports, run).text


def test_a_disk_that_refuses_a_file_stops_no_run(ports: Ports, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(path: Path, body: bytes) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(payload_files, "_write", full)
    assert payload_files.store(ports, run, "pull", "Page 1", [1]) is None
    assert "No space left on device" in last_line(ports, run).text


def test_files_stay_while_the_run_goes_and_a_day_longer(
    ports: Ports, run: Run, clock: SetClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(payload_files, "BATCH", 2)
    for number in range(5):
        payload_files.store(ports, run, "push", f"Batch {number}", {"sent": number})
    clock.advance(hours=48)
    assert payload_files.prune(ports, clock.now()) == 0
    end(ports, run)
    clock.advance(hours=23)
    assert payload_files.prune(ports, clock.now()) == 0
    assert len(on_disk(ports)) == 5
    clock.advance(hours=2)
    assert payload_files.prune(ports, clock.now()) == 5
    assert (kept(ports), list(payload_files.folder(ports).iterdir())) == (0, [])


def test_files_of_a_deleted_connector_leave_the_disk(ports: Ports, run: Run, clock: SetClock) -> None:
    payload_files.store(ports, run, "push", "A batch", {"sent": 1})
    with ports.db.write() as session:
        session.execute(delete(Connector))
    payload_files.prune(ports, clock.now())
    assert on_disk(ports) == []
