"""A run is paused: it keeps its place, gives its lease back, keeps nobody waiting, and goes on where it stood."""

from __future__ import annotations

import pytest

from integration.clock import SetClock
from integration.events import Origin
from integration.models.run import Run, RunKind, RunState
from integration.pipeline.leases.endings import Paused
from integration.pipeline.leases.tokens import new_token
from integration.pipeline.runs import cancelling, lifecycle, lost_runs, progress as run_progress, resumption
from integration.pipeline.services import Services
from tests.pipeline.conftest import MakeChange, accept, claim


def begin(services: Services, connector_id: int, kind: RunKind = RunKind.BULK) -> tuple[Run, str]:
    """A run that a process works on, a page into it."""
    lifecycle.start(services, connector_id, kind, trigger="test")
    token = new_token()
    with services.db.write() as session:
        run = lifecycle.take(session, services.clock.now(), token)
        assert run is not None
        run.phase, run.cursor, run.pushed, run.expected = "orders", {"orders": {"page": 4}}, 300, 1000
    return run, token


def read(services: Services, run_id: int) -> Run:
    with services.db.read() as session:
        return session.get_one(Run, run_id)


def rest(services: Services, run: Run, token: str) -> None:
    """Let the process find that the run is to rest, as it does at its next page."""
    with services.db.write() as session, pytest.raises(Paused):
        lifecycle.held(session, services.clock.now(), run, token)
    with services.db.write() as session:
        lifecycle.rest(session, services.clock.now(), session.get_one(Run, run.id))


def test_a_paused_run_keeps_its_place_and_keeps_no_other_waiting(services: Services, connector_id: int) -> None:
    run, token = begin(services, connector_id)
    lifecycle.pause(services, run.id)
    with pytest.raises(lifecycle.CannotPause):
        lifecycle.pause(services, run.id)
    assert read(services, run.id).state == RunState.RUNNING
    rest(services, run, token)
    paused = read(services, run.id)
    assert (paused.state, paused.lease_token, paused.ended_at) == (RunState.PAUSED, None, None)
    assert (paused.phase, paused.cursor) == ("orders", {"orders": {"page": 4}})
    with services.db.write() as session:
        assert lifecycle.take(session, services.clock.now(), new_token()) is None
    other = lifecycle.start(services, connector_id, RunKind.INCREMENTAL, trigger="schedule")
    with pytest.raises(lifecycle.RunGoing):
        resumption.resume(services, run.id)
    cancelling.cancel(services, other)
    assert resumption.resume(services, run.id) == run.id
    with services.db.write() as session:
        again = lifecycle.take(session, services.clock.now(), new_token())
        assert again is not None
        assert (again.id, again.phase, again.cursor) == (run.id, "orders", {"orders": {"page": 4}})
        assert lifecycle.held(session, services.clock.now(), again, again.lease_token or "").pushed == 300


def test_the_time_that_it_lay_says_nothing_of_its_speed(services: Services, connector_id: int, clock: SetClock) -> None:
    run, token = begin(services, connector_id)
    clock.advance(seconds=100)
    lifecycle.pause(services, run.id)
    rest(services, run, token)
    clock.advance(hours=5)
    assert _rate(services, run) == (3.0, None)
    resumption.resume(services, run.id)
    assert _rate(services, run) == (3.0, 233)


def _rate(services: Services, run: Run) -> tuple[float | None, int | None]:
    with services.db.read() as session:
        told = run_progress.progress(session, run.id, services.clock.now())
    return told.rate, told.seconds_left


def test_a_run_whose_process_dies_before_it_rests_is_paused(services: Services, connector_id: int) -> None:
    run, _ = begin(services, connector_id)
    lifecycle.pause(services, run.id)
    with services.db.write() as session:
        session.get_one(Run, run.id).lease_token = "elsewhere.1.gone"
    services.clock.advance(minutes=5)  # type: ignore[attr-defined]  # a SetClock in tests
    with services.db.write() as session:
        assert lost_runs.close(session, services.clock.now()) == []
    assert read(services, run.id).state == RunState.PAUSED


@pytest.mark.parametrize(
    ("kind", "may"),
    [
        (RunKind.INITIAL, True),
        (RunKind.FULL, True),
        (RunKind.BULK, True),
        (RunKind.INCREMENTAL, False),
        (RunKind.REPLAY, False),
        (RunKind.RECONCILIATION, False),
    ],
)
def test_kinds_that_take_long_may_be_paused(kind: RunKind, may: bool) -> None:
    assert lifecycle.may_pause(Run(kind=kind, state=RunState.RUNNING)) is may
    assert not lifecycle.may_pause(Run(kind=kind, state=RunState.COMPLETED))


def test_a_paused_run_is_cancelled_at_once(services: Services, connector_id: int) -> None:
    run_id = lifecycle.start(services, connector_id, RunKind.FULL, trigger="test")
    lifecycle.pause(services, run_id)
    assert read(services, run_id).state == RunState.PAUSED
    assert cancelling.cancel(services, run_id)
    assert read(services, run_id).state == RunState.CANCELLED


def test_a_live_order_overtakes_a_backfill(services: Services, connector_id: int, change: MakeChange) -> None:
    run, _ = begin(services, connector_id)
    history = [change(number, f"buyer{number}@example.com", origin=Origin.BULK) for number in range(1, 61)]
    accept(services, connector_id, *history, run_id=run.id)
    accept(services, connector_id, change(99, "live@example.com", origin=Origin.WEBHOOK))
    [group] = claim(services, connector_id, people=1)
    assert [leased.source_id for leased in group.deliveries] == ["99"]
