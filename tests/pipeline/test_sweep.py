"""The sweep: a run whose process is gone is closed with the reason, and can be resumed."""

from __future__ import annotations

import subprocess
import sys

from integration.clock import SetClock
from integration.engines import schedule
from integration.models.run import Run
from integration.pipeline import leases
from integration.pipeline import runs
from integration.pipeline.ports import Ports


def token_of_a_dead_process() -> str:
    code = "from integration.pipeline import leases; print(leases.new_token())"
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip()


def taken(ports: Ports, connector_id: int, token: str) -> int:
    run_id = runs.start(ports, connector_id, "full", trigger="test")
    with ports.db.write() as session:
        runs.take(session, ports.clock.now(), token)
    return run_id


def read(ports: Ports, run_id: int) -> Run:
    with ports.db.read() as session:
        return session.get_one(Run, run_id)


def test_a_killed_run_is_failed_with_the_reason_and_can_be_resumed(
    ports: Ports,
    connector_id: int,
) -> None:
    run_id = taken(ports, connector_id, token_of_a_dead_process())
    schedule.sweep(ports)
    ended = read(ports, run_id)
    assert (ended.state, ended.error_code) == ("FAILED", "process_gone")
    assert "killed" in ended.error
    runs.resume(ports, run_id)
    assert read(ports, run_id).state == "PENDING"


def test_a_run_whose_machine_is_gone_is_closed_within_a_minute(
    ports: Ports,
    connector_id: int,
    clock: SetClock,
) -> None:
    run_id = taken(ports, connector_id, "elsewhere.1.1.abc")
    schedule.sweep(ports)
    assert read(ports, run_id).state == "RUNNING"
    clock.advance(seconds=50)
    schedule.sweep(ports)
    assert read(ports, run_id).state == "FAILED"


def test_a_run_that_is_done_here_is_left_alone(
    ports: Ports,
    connector_id: int,
) -> None:
    run_id = taken(ports, connector_id, leases.new_token())
    schedule.sweep(ports)
    assert read(ports, run_id).state == "RUNNING"
