"""Payload files: masked, only for the owner's eyes, bounded, linked at their line and gone a day after the run."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from sqlalchemy import delete, func, select

from integration.clock import SetClock
from integration.models import Connector, PayloadFile, Run, RunLine, RunState
from integration.pipeline.payloads import files as payload_files
from integration.pipeline.runs import lifecycle as run_lifecycle, progress as run_progress
from integration.pipeline.services import Services


@pytest.fixture
def run(services: Services, connector_id: int) -> Run:
    run_id = run_lifecycle.start(services, connector_id, "full", trigger="test", options={"payloads": True})
    with services.db.read() as session:
        return session.get_one(Run, run_id)


def end(services: Services, run: Run) -> None:
    with services.db.write() as session:
        run_lifecycle.finish(session, services.clock.now(), session.get_one(Run, run.id), RunState.COMPLETED)


def last_line(services: Services, run: Run) -> RunLine:
    with services.db.read() as session:
        return run_progress.lines(session, run.id)[-1]


def path_of(services: Services, file_id: int | None) -> Path | None:
    with services.db.read() as session:
        return payload_files.path_of(services, session.get_one(PayloadFile, file_id))


def kept(services: Services) -> int:
    with services.db.read() as session:
        return session.scalar(select(func.count()).select_from(PayloadFile)) or 0


def on_disk(services: Services) -> list[Path]:
    return [path for path in payload_files.folder(services).rglob("*") if path.is_file()]


def test_a_file_is_masked_and_linked_at_its_line(services: Services, run: Run) -> None:
    content = [{"id": 7, "note": "Grüße", "consumer_secret": "cs_0123456789abcdef"}]
    file_id = payload_files.store(services, run, "pull", "Page 1 of 2", content)
    path = path_of(services, file_id)
    assert path is not None
    assert json.loads(path.read_text("utf-8")) == [{"id": 7, "note": "Grüße", "consumer_secret": "***"}]
    assert (path.stat().st_mode & 0o777, path.parent.stat().st_mode & 0o777) == (0o600, 0o700)
    line = last_line(services, run)
    assert (line.payload_file_id, line.text) == (file_id, "Page 1 of 2: payload kept.")


def test_one_that_is_too_large_is_said_and_not_kept(
    services: Services, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(payload_files, "FILE_MAX_BYTES", 40)
    assert payload_files.store(services, run, "pull", "Page 1", ["x" * 50]) is None
    assert payload_files.store(services, run, "pull", "Page 2", ["y"]) is not None
    with services.db.read() as session:
        first = run_progress.lines(session, run.id)[0]
    assert (first.level, first.text) == ("warning", "Page 1: the payload of 57 bytes was not kept, it is too large.")
    assert (kept(services), len(on_disk(services))) == (1, 1)


def test_a_run_keeps_no_more_than_its_share(services: Services, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(payload_files, "RUN_MAX_BYTES", 100)
    stored = [payload_files.store(services, run, "push", f"Batch {n}", ["x" * 30]) for n in range(4)]
    assert [file_id is None for file_id in stored] == [False, False, True, True]
    assert "too large" in last_line(services, run).text


def test_a_disk_that_refuses_a_file_stops_no_run(services: Services, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(path: Path, body: bytes) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(payload_files, "_write", full)
    assert payload_files.store(services, run, "pull", "Page 1", [1]) is None
    assert "No space left on device" in last_line(services, run).text


def test_files_stay_while_the_run_goes_and_a_day_longer(
    services: Services, run: Run, clock: SetClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(payload_files, "DELETE_BATCH_FILES", 2)
    for number in range(5):
        payload_files.store(services, run, "push", f"Batch {number}", {"sent": number})
    clock.advance(hours=48)
    assert payload_files.prune(services, clock.now()) == 0
    end(services, run)
    clock.advance(hours=23)
    assert payload_files.prune(services, clock.now()) == 0
    assert len(on_disk(services)) == 5
    clock.advance(hours=2)
    assert payload_files.prune(services, clock.now()) == 5
    assert (kept(services), list(payload_files.folder(services).iterdir())) == (0, [])


def test_files_of_a_deleted_connector_leave_the_disk(services: Services, run: Run, clock: SetClock) -> None:
    payload_files.store(services, run, "push", "A batch", {"sent": 1})
    with services.db.write() as session:
        session.execute(delete(Connector))
    payload_files.prune(services, clock.now())
    assert on_disk(services) == []
