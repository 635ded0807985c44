"""A large run that is cancelled in the middle and resumed sends everything once, whatever comes between."""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest
from sqlalchemy import event, func, select
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from integration.clock import SetClock
from integration.models import Delivery, Run, database
from integration.pipeline import outbox
from integration.pipeline.leases import renewal
from integration.pipeline.leases.endings import Stopped
from integration.pipeline.runs import cancelling, giving_up, lifecycle as run_lifecycle, resumption
from tests.conftest import NOON
from tests.road.conftest import Road
from tests.road.run_pages import at_page, lines, notes
from tests.waiting import wait_for

PAGE, BUYERS, EACH = 5, 12, 3


@pytest.fixture
def road(make_road: Callable[..., Road], monkeypatch: pytest.MonkeyPatch) -> Road:
    """A run of a shop whose people have three orders each, far from each other, cancelled while it reads them."""
    monkeypatch.setattr(giving_up, "PART", 2)
    monkeypatch.setattr(database, "PART_PAUSE_S", 0.0)
    road = make_road(orders__notes=True)
    for _ in range(EACH):
        for number in range(BUYERS):
            road.order(f"buyer{number}@example.com")
    at_page(monkeypatch, "orders", 4, lambda: cancelling.cancel(road.services, 1))
    cancelled = road.run("initial", page_size=PAGE)
    assert (cancelled.state, notes(road)) == ("CANCELLED", Counter())
    assert cancelled.cursor[giving_up.GIVEN_UP] == 3 * PAGE - 2
    return road


def go_on(road: Road) -> Run:
    resumption.resume(road.services, 1)
    road.work()
    with road.services.db.read() as session:
        return session.get_one(Run, 1)


def is_whole(road: Road, run: Run) -> bool:
    """Tell whether all was sent once, and the run's figures say so."""
    sums = run.pushed + run.skipped + run.failed + run.waiting + run.already
    return (run.state, notes(road), sums) == ("COMPLETED", {EACH: BUYERS}, run.pulled)


def test_it_sends_everything_once(road: Road) -> None:
    assert is_whole(road, go_on(road))


def test_the_database_fails_while_it_owes_again(road: Road, monkeypatch: pytest.MonkeyPatch) -> None:
    """In the last part, whose work is undone."""
    take_back, failing = giving_up.take_back, [True]

    def fail(session: Session) -> None:
        raise OperationalError("COMMIT", None, sqlite3.OperationalError("database is locked"))

    def breaking(session: Session, *said: object) -> bool:
        is_more = take_back(session, *said)  # type: ignore[arg-type]  # as it was called
        if not is_more and failing:
            failing.pop()
            event.listen(session, "before_commit", fail)
        return is_more

    monkeypatch.setattr(giving_up, "take_back", breaking)
    assert is_whole(road, go_on(road))
    assert not failing


@pytest.mark.parametrize("act", ["cancel", "stop"])
def test_it_is_broken_off_while_it_owes_again(road: Road, monkeypatch: pytest.MonkeyPatch, act: str) -> None:
    take_back, parts = giving_up.take_back, [0]

    def breaking(session: Session, *said: object) -> bool:
        parts[0] += 1
        if parts[0] == 3 and act == "stop":
            raise Stopped
        if parts[0] == 3:
            session.get_one(Run, 1).cancel_asked_at = road.services.clock.now()
        return take_back(session, *said)  # type: ignore[arg-type]  # as it was called

    monkeypatch.setattr(giving_up, "take_back", breaking)
    broken_off = go_on(road)
    assert broken_off.state == ("CANCELLED" if act == "cancel" else "COMPLETED")
    run = broken_off if act == "stop" else go_on(road)
    assert is_whole(road, run)


def test_what_was_given_up_is_deleted_before_it_goes_on(road: Road) -> None:
    resumption.resume(road.services, 1)
    with road.services.db.write() as session:
        for row in session.scalars(select(Delivery).where(Delivery.state == "discarded")):
            session.delete(row)
    road.work()
    with road.services.db.read() as session:
        failed = session.get_one(Run, 1)
    assert (failed.state, failed.error_code) == ("FAILED", giving_up.GONE.code)
    assert any(giving_up.GONE.sentence in line for line in lines(road))
    again = resumption.resume(road.services, 1)
    road.work()
    assert again == 2
    with road.services.db.read() as session:
        assert session.scalar(select(func.count()).where(Run.state == "COMPLETED")) == 1
    assert notes(road) == {EACH: BUYERS}


@pytest.mark.parametrize(
    ("ending", "where", "name"),
    [
        ("FAILED", outbox, "let_go_by_parts"),
        ("PAUSED", outbox, "let_go_by_parts"),
        ("CANCELLED", giving_up, "by_parts"),
    ],
)
def test_the_lease_is_kept_while_very_many_are_let_go(
    make_road: Callable[..., Road], monkeypatch: pytest.MonkeyPatch, ending: str, where: Any, name: str
) -> None:
    """Or another process would say of the run that its own was not heard of any more."""
    clock = SetClock(NOON)
    road = make_road(clock=clock)
    road.order("ada@example.com")
    monkeypatch.setattr(renewal, "RUN_EVERY_S", 0.05)
    real, slow = getattr(where, name), [True]

    def slowly(*said: object) -> None:
        if slow:
            slow.pop()
            clock.advance(minutes=5)
            wait_for(lambda: lease(road) > clock.now(), "the lease to be renewed")
        real(*said)

    acts: dict[str, Callable[[], object]] = {
        "FAILED": lambda: 1 / 0,
        "PAUSED": lambda: run_lifecycle.pause(road.services, 1),
        "CANCELLED": lambda: cancelling.cancel(road.services, 1),
    }
    monkeypatch.setattr(where, name, slowly)
    at_page(monkeypatch, "orders", 1, acts[ending])
    assert (road.run("initial").state, slow) == (ending, [])


def lease(road: Road) -> datetime:
    with road.services.db.read() as session:
        return session.get_one(Run, 1).leased_until or NOON
