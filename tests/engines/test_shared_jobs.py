"""Jobs that one process of all does: one a turn, and nobody is missed when a process is gone."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import event
from sqlalchemy.exc import OperationalError

from integration.clock import SetClock
from integration.engines import shared_jobs
from integration.engines.ticking import JITTER
from integration.models import InstallationJob
from integration.pipeline.services import Services

EVERY_S = 30


@pytest.fixture
def still(live: Services) -> Services:
    """The services with a clock that a test moves."""
    return replace(live, clock=SetClock(live.clock.now()))


def does(services: Services, job: str = "alerts", every_s: int = EVERY_S) -> bool:
    """Return whether the job was done when it was this process's time for it."""
    done: list[Services] = []
    shared_jobs.do(services, job, every_s, done.append)
    return bool(done)


def take(services: Services, monkeypatch: pytest.MonkeyPatch, process: str) -> bool:
    monkeypatch.setattr(shared_jobs, "this_process", lambda: process)
    return does(services)


def fails(services: Services) -> None:
    raise ZeroDivisionError


def advance(services: Services, seconds: float) -> None:
    assert isinstance(services.clock, SetClock)
    services.clock.advance(seconds=seconds)


def test_one_of_several_has_each_turn(still: Services, monkeypatch: pytest.MonkeyPatch) -> None:
    assert take(still, monkeypatch, "one")
    assert not take(still, monkeypatch, "two")
    advance(still, 10)
    assert not take(still, monkeypatch, "one"), "it has had its turn"
    advance(still, 20)
    assert take(still, monkeypatch, "two")
    with still.db.read() as session:
        assert session.get_one(InstallationJob, "alerts").taken_by == "two"


def test_jobs_have_turns_of_their_own(still: Services, monkeypatch: pytest.MonkeyPatch) -> None:
    assert take(still, monkeypatch, "one")
    assert does(still, "webhook gaps", 300)


def test_who_is_alone_has_every_turn_however_early_its_clock_rings(
    still: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(5):
        assert take(still, monkeypatch, "one")
        advance(still, EVERY_S * (1 - JITTER))


def test_who_is_gone_keeps_the_others_waiting_for_one_turn(still: Services, monkeypatch: pytest.MonkeyPatch) -> None:
    assert take(still, monkeypatch, "gone")
    advance(still, EVERY_S)
    assert take(still, monkeypatch, "two")


@pytest.mark.parametrize("back", [timedelta(seconds=40), timedelta(seconds=119), timedelta(hours=1)])
def test_a_turn_from_before_the_clock_was_set_back_is_over(
    still: Services, monkeypatch: pytest.MonkeyPatch, back: timedelta
) -> None:
    assert take(still, monkeypatch, "one")
    advance(still, -back.total_seconds())
    assert take(still, monkeypatch, "two")
    assert not take(still, monkeypatch, "one")


def test_who_fails_gives_the_turn_to_the_next_that_comes(still: Services, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shared_jobs, "this_process", lambda: "faulty")
    with pytest.raises(ZeroDivisionError):
        shared_jobs.do(still, "alerts", EVERY_S, fails)
    advance(still, 1)
    assert take(still, monkeypatch, "two")
    assert not take(still, monkeypatch, "one")


def test_who_fails_late_takes_no_turn_from_who_has_it(still: Services, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails_late(services: Services) -> None:
        advance(services, EVERY_S)
        assert take(services, monkeypatch, "two")
        monkeypatch.setattr(shared_jobs, "this_process", lambda: "faulty")
        raise ZeroDivisionError

    monkeypatch.setattr(shared_jobs, "this_process", lambda: "faulty")
    with pytest.raises(ZeroDivisionError):
        shared_jobs.do(still, "alerts", EVERY_S, fails_late)
    assert not take(still, monkeypatch, "three")


def test_two_that_come_at_once_are_told_apart(still: Services) -> None:
    with ThreadPoolExecutor(6) as pool:
        for _ in range(5):
            taken = list(pool.map(lambda _: does(still), range(6)))
            assert taken.count(True) == 1
            advance(still, EVERY_S)


def test_where_the_disk_takes_no_note_everybody_has_the_turn(still: Services) -> None:
    @event.listens_for(still.db.engine, "before_cursor_execute")
    def _refuse(conn: object, cursor: object, statement: str, *args: object) -> None:
        if statement.startswith("INSERT INTO installation_job"):
            raise OperationalError(statement, None, OSError(28, "No space left on device"))

    assert does(still)
    assert does(still)


def test_another_fault_of_the_database_is_raised(still: Services) -> None:
    @event.listens_for(still.db.engine, "before_cursor_execute")
    def _refuse(conn: object, cursor: object, statement: str, *args: object) -> None:
        raise OperationalError(statement, None, OSError("gone"))

    with pytest.raises(OperationalError):
        does(still)
