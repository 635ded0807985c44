"""A store whose clock is set: what happens then is polled, and counts as newer than what the wrong clock had dated.

The steps are as small as they are because a shop without TLS refuses signatures that are 15 minutes old.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest

from integration.clock import Clock
from integration.models import LedgerEntry, RunLine
from tests.road.conftest import Road


class AheadClock(Clock):
    """A clock that is wrong by `ahead`."""

    ahead = timedelta()

    def now(self) -> datetime:
        return super().now() + self.ahead


@pytest.fixture
def clock() -> AheadClock:
    return AheadClock()


@pytest.fixture
def road(make_road: Callable[..., Road], clock: AheadClock) -> Road:
    road = make_road(orders__create_fields=True, orders__statuses="processing,completed")
    road.store.state.clock, road.store.dates_answers = clock, True
    return road


def status(road: Road, order: int) -> str:
    with road.services.db.read() as session:
        return session.get_one(LedgerEntry, (road.connector_id, order)).status


@pytest.mark.parametrize("ahead", [timedelta(minutes=14), timedelta(minutes=11)])
def test_a_change_after_the_clock_was_set_back_reaches_mautic(road: Road, clock: AheadClock, ahead: timedelta) -> None:
    clock.ahead = ahead
    order = road.order("ada@example.com", "processing")["id"]
    assert road.run("incremental").state == "COMPLETED"
    clock.ahead = timedelta()
    road.store.shop.edit_order(order, status="completed")
    other = road.order("bert@example.com", "completed")["id"]
    # A webhook may come before anybody has noticed: by its date it is older than what is known.
    road.arrive(road.store.shop.shown(order))
    noticed = road.run("incremental")
    road.run("incremental")
    assert (status(road, order), status(road, other)) == ("completed", "completed")
    assert '"status":"completed"' in str(road.contact("ada@example.com").values).replace('": "', '":"')
    assert road.contact("bert@example.com")
    with road.services.db.read() as session:
        lines = [line.text for line in session.query(RunLine).filter_by(run_id=noticed.id)]
    assert any("clock was set back" in line for line in lines)
    assert road.run("incremental").pulled == 0 or road.run("incremental").pulled == 0


def test_a_clock_that_jumps_ahead_and_comes_back_sends_nothing_twice(road: Road, clock: AheadClock) -> None:
    road.order("ada@example.com")
    road.run("incremental")
    clock.ahead = timedelta(minutes=14)
    road.order("bert@example.com")
    road.run("incremental")
    clock.ahead = timedelta()
    road.order("carl@example.com")
    for _ in range(3):
        road.run("incremental")
    assert road.states() <= {"delivered", "skipped", "closed"}
    notes = [note["text"] for note in road.mautic.state.notes.values()] if road.mautic.state.notes else []
    assert len(notes) == len(set(notes))
    assert {each.values["email"] for each in road.mautic.state.contacts.values() if "email" in each.values} >= {
        "ada@example.com",
        "bert@example.com",
        "carl@example.com",
    }
