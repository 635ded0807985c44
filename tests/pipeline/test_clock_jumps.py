"""A clock that jumps ahead while others work: their leases live on, and are taken over when they really ended."""

from __future__ import annotations

from datetime import timedelta

import pytest

from integration.clock import Clock, SetClock
from integration.engines import schedule
from integration.models.run import Run, RunKind
from integration.pipeline import outbox
from integration.pipeline.leases import renewal, turns
from integration.pipeline.leases.endings import Lost
from integration.pipeline.leases.tokens import new_token
from integration.pipeline.leases.watch import UNRENEWED_S, LeaseWatch
from integration.pipeline.runs import lifecycle as run_lifecycle
from integration.pipeline.services import Services
from tests.conftest import NOON
from tests.pipeline.conftest import MakeChange, accept, claim, killed, states

TOKEN = "abcdef.1.1.batch"
JUMPS = [timedelta(seconds=61), timedelta(hours=1), timedelta(days=1)]


def renew(services: Services) -> bool:
    with services.db.write() as session:
        return outbox.renew(session, services.clock.now(), TOKEN)


def turn(services: Services, connector_id: int) -> turns.Turn | None:
    with services.db.write() as session:
        return turns.take(session, services.clock.now(), connector_id, services.leases.is_lost)


@pytest.fixture
def leased(services: Services, connector_id: int, change: MakeChange) -> int:
    """A connector of which another process has a batch in hand."""
    accept(services, connector_id, change(1), change(2, "bob@example.com"))
    assert claim(services, connector_id, token=TOKEN)
    return connector_id


@pytest.mark.parametrize("watched", [True, False])
@pytest.mark.parametrize("jump", JUMPS)
def test_a_batch_of_a_living_process_is_left_to_it(
    services: Services, leased: int, clock: SetClock, jump: timedelta, watched: bool
) -> None:
    if watched:
        assert schedule.sweep(services) == 0
        clock.advance(seconds=15)
    clock.jump(seconds=jump.total_seconds())
    assert (schedule.sweep(services), turn(services, leased)) == (0, None)
    # Its next renewal is 20 seconds after the last one, by the seconds that nobody can set.
    clock.advance(seconds=20)
    assert (schedule.sweep(services), turn(services, leased)) == (0, None)
    assert renew(services)
    clock.advance(seconds=59)
    assert (schedule.sweep(services), turn(services, leased)) == (0, None)
    assert states(services) == ["leased", "leased"]


def test_a_batch_that_nobody_renews_after_a_jump_is_taken_back_and_looked_up_first(
    services: Services, leased: int, clock: SetClock
) -> None:
    clock.jump(hours=1)
    assert schedule.sweep(services) == 0
    clock.advance(seconds=UNRENEWED_S)
    assert schedule.sweep(services) == 2
    assert not renew(services)
    assert claim(services, leased) == []
    clock.advance(seconds=11)
    assert claim(services, leased) == []
    with services.db.write() as session:
        looked_up, groups = outbox.claim_for_look_up(session, clock.now(), leased, new_token())
    assert looked_up is not None and len(groups) == 2


def test_a_process_on_a_machine_whose_clock_is_wrong_keeps_what_it_renews(
    services: Services, leased: int, clock: SetClock
) -> None:
    """The other one writes its leases by a clock that is an hour behind: for us each has run out from the beginning."""
    for _ in range(10):
        clock.advance(seconds=20)
        with services.db.write() as session:
            assert outbox.renew(session, clock.now() - timedelta(hours=1), TOKEN)
        assert (schedule.sweep(services), turn(services, leased)) == (0, None)


def test_a_killed_process_is_known_at_once_after_a_jump_too(
    services: Services, connector_id: int, change: MakeChange, clock: SetClock
) -> None:
    accept(services, connector_id, change(1))
    claim(services, connector_id, token=killed())
    clock.jump(hours=1)
    assert schedule.sweep(services) == 1


@pytest.mark.parametrize("jump", JUMPS)
def test_a_run_of_a_living_process_goes_on(
    services: Services, connector_id: int, clock: SetClock, jump: timedelta
) -> None:
    run_id = run_lifecycle.start(services, connector_id, RunKind.FULL, trigger="test")
    with services.db.write() as session:
        assert run_lifecycle.take(session, clock.now(), TOKEN)
    clock.jump(seconds=jump.total_seconds())
    schedule.sweep(services)
    clock.advance(seconds=10)
    schedule.sweep(services)
    assert (state(services, run_id), turn(services, connector_id)) == ("RUNNING", None)
    with services.db.write() as session:
        assert run_lifecycle.renew(session, clock.now(), run_id, TOKEN)
    clock.advance(seconds=39)
    schedule.sweep(services)
    assert (state(services, run_id), turn(services, connector_id)) == ("RUNNING", None)
    clock.advance(seconds=UNRENEWED_S)
    schedule.sweep(services)
    assert state(services, run_id) == "FAILED"


def state(services: Services, run_id: int) -> str:
    with services.db.read() as session:
        return session.get_one(Run, run_id).state


def test_who_lost_its_lease_while_it_slept_is_told_before_it_sends_anything(
    services: Services, leased: int, clock: SetClock
) -> None:
    kept = renewal.of_batch(services, TOKEN)
    kept.heed()
    clock.advance(seconds=61)
    with services.db.write() as session:
        assert outbox.recover(session, clock.now()) == 2
    with pytest.raises(Lost):
        kept.heed()


@pytest.mark.parametrize("sleeps", [True, False])
def test_who_only_slept_or_saw_the_clock_jump_renews_and_goes_on(
    services: Services, leased: int, clock: SetClock, sleeps: bool
) -> None:
    kept = renewal.of_batch(services, TOKEN)
    clock.advance(seconds=3600) if sleeps else clock.jump(hours=1)
    kept.heed()
    with services.db.write() as session:
        assert outbox.recover(session, clock.now()) == 0


def test_leases_that_nobody_asks_about_any_more_are_forgotten() -> None:
    clock = SetClock(NOON)
    watch = LeaseWatch(clock)
    for number in range(50):
        clock.advance(seconds=600)
        watch.is_lost(f"elsewhere.1.1.{number}", clock.now(), clock.now())
    assert len(watch._seen) <= 8


def test_the_steady_seconds_of_the_real_clock_go_on() -> None:
    clock = Clock()
    assert clock.steady_s() <= clock.steady_s()
