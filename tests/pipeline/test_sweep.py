"""The sweep: a run whose process is gone is closed with the reason, and can be resumed."""

from __future__ import annotations

import subprocess
import sys

from integration.clock import SetClock
from integration.engines import schedule
from integration.models.run import Run
from integration.pipeline.leases import tokens
from integration.pipeline.runs import lifecycle as run_lifecycle, resumption
from integration.pipeline.services import Services


def token_of_a_dead_process() -> str:
    code = "from integration.pipeline.leases.tokens import new_token; print(new_token())"
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip()


def taken(services: Services, connector_id: int, token: str) -> int:
    run_id = run_lifecycle.start(services, connector_id, "full", trigger="test")
    with services.db.write() as session:
        run_lifecycle.take(session, services.clock.now(), token)
    return run_id


def read(services: Services, run_id: int) -> Run:
    with services.db.read() as session:
        return session.get_one(Run, run_id)


def test_a_killed_run_is_failed_with_the_reason_and_can_be_resumed(
    services: Services,
    connector_id: int,
) -> None:
    run_id = taken(services, connector_id, token_of_a_dead_process())
    schedule.sweep(services)
    ended = read(services, run_id)
    assert (ended.state, ended.error_code) == ("FAILED", "process_gone")
    assert "killed" in ended.error
    resumption.resume(services, run_id)
    assert read(services, run_id).state == "PENDING"


def test_a_run_whose_machine_is_gone_is_closed_within_a_minute(
    services: Services,
    connector_id: int,
    clock: SetClock,
) -> None:
    run_id = taken(services, connector_id, "elsewhere.1.1.abc")
    schedule.sweep(services)
    assert read(services, run_id).state == "RUNNING"
    clock.advance(seconds=50)
    schedule.sweep(services)
    assert read(services, run_id).state == "FAILED"


def test_a_run_that_is_done_here_is_left_alone(
    services: Services,
    connector_id: int,
) -> None:
    run_id = taken(services, connector_id, tokens.new_token())
    schedule.sweep(services)
    assert read(services, run_id).state == "RUNNING"
